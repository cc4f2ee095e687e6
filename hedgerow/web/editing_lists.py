"""Lists in the form of the insight editor: breakdowns, exclusions, brackets. Pure.

Each list shows what it holds and one empty place more, so that another is added by filling
that in and one is taken away by clearing it: with a keyboard, and without scripts.
"""

from collections.abc import Mapping
from typing import Any

from hedgerow.errors import InvalidInput

Query = dict[str, Any]
Form = Mapping[str, Any]
MOST_BREAKDOWNS = 3
SEVERAL = frozenset({"TrendsQuery", "FunnelsQuery"})
"""Kinds that may be broken down by more than one thing."""

SINGLE = frozenset({"breakdown", "breakdown_type", "breakdown_group_type_index"})


def _text(form: Form, name: str) -> str:
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


def breakdowns_of(query: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the places of the form, each ``key`` and ``scope``; the last may be empty."""
    by = query.get("breakdownFilter") or {}
    found = [
        {
            "key": str(one.get("property") or ""),
            "scope": _scope(one, "type", "group_type_index"),
        }
        for one in by.get("breakdowns") or []
    ]
    single = by.get("breakdown")
    if not found and single not in (None, "", []):
        listed = single if isinstance(single, list) else [single]
        scope = _scope(by, "breakdown_type", "breakdown_group_type_index")
        found = [{"key": ", ".join(str(one) for one in listed), "scope": scope}]
    alone = bool(found) and (
        found[0]["scope"] == "cohort" or query.get("kind") not in SEVERAL
    )
    if len(found) < MOST_BREAKDOWNS and not alone:
        found.append({"key": "", "scope": "event"})
    return found


def _scope(held: Mapping[str, Any], kind: str, index: str) -> str:
    found = str(held.get(kind) or "event")
    number = held.get(index)
    return f"{found}:{number}" if found == "group" and number is not None else found


def breakdown(made: Query, form: Form) -> None:
    """Set the breakdown as the form's places say it: one thing, or up to three."""
    if "breakdown_key" not in form:
        return
    given = [
        (
            _text(form, f"breakdown_key{rest}"),
            _text(form, f"breakdown_scope{rest}") or "event",
        )
        for rest in ("", "_1", "_2")
    ]
    named = [(key, scope) for key, scope in given if key]
    if not named:
        made["breakdownFilter"] = None
        return
    old = made.get("breakdownFilter") or {}
    limit = _text(form, "breakdown_limit")
    found = {
        **{k: v for k, v in old.items() if k not in SINGLE | {"breakdowns"}},
        "breakdown_limit": int(limit) if limit.isdecimal() else old.get("breakdown_limit"),
    }
    listed = list(old.get("breakdowns") or [])
    if len(named) > 1 or (listed and named[0][1] != "cohort"):
        found["breakdowns"] = [_entry(key, scope, listed) for key, scope in named]
    else:
        found.update(_single(*named[0]))
    made["breakdownFilter"] = {k: v for k, v in found.items() if v is not None}


def _single(key: str, scope: str) -> dict[str, Any]:
    kind, _, index = scope.partition(":")
    value: Any = key
    if kind == "cohort":
        value = [
            int(part) if part.isdecimal() else part
            for part in key.replace(" ", "").split(",")
        ]
    return {
        "breakdown": value,
        "breakdown_type": kind,
        "breakdown_group_type_index": int(index) if index else None,
    }


def _entry(key: str, scope: str, old: list[dict[str, Any]]) -> dict[str, Any]:
    """Return one of several breakdowns, with what the form does not show of it."""
    kind, _, index = scope.partition(":")
    if kind == "cohort":
        raise InvalidInput(
            f"Cohorts ({key}) cannot be one of several breakdowns.",
            hint="Break down by cohorts alone, or clear that field.",
            attr="breakdown_scope",
        )
    same = [one for one in old if (one.get("property"), one.get("type")) == (key, kind)]
    found = {
        **(same[0] if same else {}),
        "property": key,
        "type": kind,
        "group_type_index": int(index) if index else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def exclusions_of(query: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the places of the form: ``event``, ``start`` and ``end`` (steps from 0)."""
    held = (query.get("funnelsFilter") or {}).get("exclusions") or []
    last = len(query.get("series") or []) - 1
    found = [
        {
            "event": one.get("event") or "",
            "start": one.get("funnelFromStep") or 0,
            "end": one.get("funnelToStep") or 0,
        }
        for one in held
    ]
    return [*found, {"event": "", "start": 0, "end": last}]


def exclusions(old: list[dict[str, Any]], steps: int, form: Form) -> list[dict[str, Any]]:
    """Return the exclusions as the form says them; ``steps``: how many the funnel has."""
    if "has_exclusions" not in form:
        return old
    made = []
    for place in range(len(old) + 1):
        event = _text(form, f"x{place}_event")
        if not event:
            continue
        kept = old[place] if place < len(old) else {"kind": "EventsNode"}
        start = min(_step(form, f"x{place}_from", 0), max(steps - 2, 0))
        end = min(_step(form, f"x{place}_to", steps - 1), steps - 1)
        made.append({**kept, "event": event, "funnelFromStep": start, "funnelToStep": end})
    return made


def _step(form: Form, name: str, otherwise: int) -> int:
    value = _text(form, name)
    return int(value) if value.isdecimal() else otherwise


def brackets(old: list[int] | None, form: Form) -> list[int] | None:
    """Return the lengths of a retention's brackets in periods; None: each by itself."""
    if "brackets" not in form:
        return old
    parts = _text(form, "brackets").replace(",", " ").split()
    wrong = [one for one in parts if not one.isdecimal() or int(one) < 1]
    if wrong:
        raise InvalidInput(
            f"{wrong[0]!r} is not the length of a bracket.",
            hint="Write whole numbers from 1 on, such as 1, 3, 7.",
            attr="brackets",
        )
    return [int(one) for one in parts] or None
