"""The form of the insight editor ⇄ a question's JSON. Pure.

The question in the address is the only state. A form changes what it shows of it and
keeps what it does not show, so that nothing of a question made elsewhere is ever lost.

    edited(query, form)         what the fields say
    acted(query, act, form)     a button: add a series, drop a filter, move a step …
    converted(query, kind)      the same events and filters, asked as another kind
"""

from collections.abc import Callable, Mapping
from typing import Any

from hedgerow.errors import InvalidInput
from hedgerow.web import editing_lists, ranges
from hedgerow.web.charts.choose import events_of, unwrapped
from hedgerow.web.editing_kinds import KINDS, SPECIAL, node

Query = dict[str, Any]
Form = Mapping[str, Any]
MAX_SERIES = 26


def text(form: Form, name: str) -> str:
    """Return a field of the form without blanks around it; empty where there is none."""
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


def blank(kind: str) -> Query:
    """Return the question a kind of insight begins with."""
    if kind not in KINDS:
        raise InvalidInput(
            f"There is no kind of insight {kind!r}.",
            hint=f"Use one of {', '.join(KINDS)}.",
            attr="kind",
        )
    tag = KINDS[kind]
    query: Query = {"kind": tag}
    if tag == "HogQLQuery":
        return {
            **query,
            "query": "select event, count() as times\nfrom events\n"
            "where timestamp > now() - interval 7 day\ngroup by event\norder by times desc",
        }
    query["dateRange"] = {"date_from": "-30d"}
    if tag in {"TrendsQuery", "StickinessQuery", "LifecycleQuery"}:
        query["series"] = [node("")]
    if tag == "FunnelsQuery":
        query["series"] = [node(""), node("")]
    if tag == "RetentionQuery":
        query["dateRange"] = {"date_from": "-8w"}
        query["retentionFilter"] = {
            "period": "Week",
            "totalIntervals": 9,
            "retentionType": "retention_first_time",
            "targetEntity": {"id": None, "type": "events"},
            "returningEntity": {"id": None, "type": "events"},
        }
    if tag == "PathsQuery":
        query["dateRange"] = {"date_from": "-7d"}
        query["pathsFilter"] = {"stepLimit": 5, "edgeLimit": 50}
    return query


def kind_of(query: Mapping[str, Any]) -> str:
    """Return the short name of a question's kind: ``trends``, ``sql``, …"""
    tag = unwrapped(query).get("kind")
    found = [kind for kind, name in KINDS.items() if name == tag]
    if not found:
        raise InvalidInput(
            f"A question of the kind {tag!r} has no editor.",
            hint="Ask it over the API, or open one of another kind.",
            attr="kind",
        )
    return found[0]


def converted(query: Mapping[str, Any], kind: str) -> Query:
    """Return a question of another kind about the same events, range and filters."""
    made, old = blank(kind), unwrapped(query)
    if made["kind"] == old.get("kind"):
        return dict(old)
    if "HogQLQuery" in {made["kind"], old.get("kind")}:
        return made
    if made["kind"] != "RetentionQuery" and old.get("kind") != "RetentionQuery":
        made["dateRange"] = old.get("dateRange") or made["dateRange"]
    for kept in ("properties", "filterTestAccounts"):
        if old.get(kept):
            made[kept] = old[kept]
    _carry_events(made, events_of(old))
    return made


def _carry_events(made: Query, events: list[str]) -> None:
    if not events:
        return
    if "series" in made:
        made["series"] = [node(event) for event in events[:MAX_SERIES]]
        if made["kind"] == "FunnelsQuery" and len(events) == 1:
            made["series"].append(node(""))
    if "retentionFilter" in made:
        wanted = made["retentionFilter"]
        wanted["targetEntity"] = {"id": events[0], "type": "events"}
        wanted["returningEntity"] = {"id": events[-1], "type": "events"}


def edited(query: Mapping[str, Any], form: Form) -> Query:
    """Return the question as the fields of the form say it."""
    made: Query = dict(unwrapped(query))
    if "from" in form:
        made["dateRange"] = _range(made.get("dateRange") or {}, form)
    if "interval" in form:
        made["interval"] = text(form, "interval")
    if "series" in made:
        made["series"] = [_series(one, i, form) for i, one in enumerate(made["series"])]
    editing_lists.breakdown(made, form)
    if "has_compare" in form:
        made["compareFilter"] = {"compare": True} if text(form, "compare") else None
    if "has_internal" in form:
        made["filterTestAccounts"] = bool(text(form, "internal"))
    special = SPECIAL.get(str(made.get("kind")))
    if special:
        special(made, form)
    return {name: value for name, value in made.items() if value is not None}


def _range(old: Mapping[str, Any], form: Form) -> dict[str, Any] | None:
    start, end = text(form, "from"), text(form, "to")
    if (old.get("date_from") or "", old.get("date_to") or "") == (start, end):
        return dict(old)
    made = {"date_from": start or None, "date_to": end or None}
    return {name: value for name, value in made.items() if value} or None


def _series(old: Mapping[str, Any], index: int, form: Form) -> dict[str, Any]:
    prefix = f"s{index}_"
    if f"{prefix}event" not in form:
        return dict(old)
    made = {**old, "event": text(form, f"{prefix}event") or None}
    name = text(form, f"{prefix}name")
    made["custom_name"] = name or None
    if f"{prefix}math" in form:
        _measure(made, text(form, f"{prefix}math"), text(form, f"{prefix}property"))
    if f"{prefix}has_optional" in form:
        made["optionalInFunnel"] = bool(text(form, f"{prefix}optional")) or None
    kept = {key: value for key, value in made.items() if value is not None}
    return {**kept, "event": made["event"]}


def _measure(made: dict[str, Any], choice: str, named: str) -> None:
    math, _, index = choice.partition(":")
    made["math"] = math or None
    made["math_group_type_index"] = int(index) if index else None
    needs_property = math in {
        "sum",
        "avg",
        "min",
        "max",
        "median",
        "p75",
        "p90",
        "p95",
        "p99",
    }
    made["math_property"] = named or None if needs_property else None
    made["math_hogql"] = named or None if math == "hogql" else None


def acted(query: Mapping[str, Any], act: str, form: Form) -> Query:
    """Return the question after a button was pressed: ``verb`` or ``verb:where``."""
    made: Query = dict(unwrapped(query))
    verb, _, where = act.partition(":")
    if verb not in ACTS:
        raise InvalidInput(
            f"There is nothing called {act!r} to do.", hint="Reload the page.", attr="do"
        )
    ACTS[verb](made, where, form)
    return made


def _add_series(made: Query, _where: str, _form: Form) -> None:
    series = list(made.get("series") or [])
    if len(series) >= MAX_SERIES:
        raise InvalidInput(
            f"There are {MAX_SERIES} series already.",
            hint="Remove one first.",
            attr="series",
        )
    made["series"] = [*series, node("")]


def _copy_series(made: Query, where: str, _form: Form) -> None:
    series, i = list(made["series"]), int(where)
    made["series"] = [*series[: i + 1], dict(series[i]), *series[i + 1 :]]


def _drop_series(made: Query, where: str, _form: Form) -> None:
    series = list(made["series"])
    if len(series) > 1:
        series.pop(int(where))
    made["series"] = series


def _move_series(made: Query, where: str, _form: Form) -> None:
    index, _, step = where.partition(",")
    series, old = list(made["series"]), int(index)
    new = min(max(old + int(step), 0), len(series) - 1)
    series.insert(new, series.pop(old))
    made["series"] = series


def _add_filter(made: Query, where: str, form: Form) -> None:
    """``where``: empty for the question's own filters, ``s0`` for those of a series."""
    if (
        not text(form, f"{where or 'q'}_f_key")
        and text(form, f"{where or 'q'}_f_scope") != "cohort"
    ):
        raise InvalidInput(
            "The filter names no property.", hint="Choose one.", attr="f_key"
        )
    prefix = f"{where or 'q'}_f_"
    found = ranges.made(
        text(form, f"{prefix}key"),
        text(form, f"{prefix}scope"),
        text(form, f"{prefix}operator"),
        text(form, f"{prefix}value"),
    )
    holder = _holder(made, where)
    holder["properties"] = [*_listed(holder), found]


def _drop_filter(made: Query, where: str, _form: Form) -> None:
    place, _, index = where.rpartition(",")
    holder = _holder(made, place)
    kept = _listed(holder)
    kept.pop(int(index))
    holder["properties"] = kept


def _holder(made: Query, where: str) -> dict[str, Any]:
    if not where:
        return made
    index = int(where.removeprefix("s"))
    series = [dict(one) for one in made["series"]]
    made["series"] = series
    return series[index]


def _listed(holder: Mapping[str, Any]) -> list[Any]:
    found = holder.get("properties") or []
    return list(found) if isinstance(found, list) else [found]


ACTS: dict[str, Callable[[Query, str, Form], None]] = {
    "add-series": _add_series,
    "copy-series": _copy_series,
    "drop-series": _drop_series,
    "move-series": _move_series,
    "add-filter": _add_filter,
    "drop-filter": _drop_filter,
}
