"""The form of the cohort builder ⇄ a cohort's criteria. Pure.

The form shows two levels, groups of criteria, each level joined by AND or OR: enough for
nearly everything people say. A deeper tree, made over the API, is left as it is and shown
as JSON.
"""

from collections.abc import Mapping
from typing import Any

from hedgerow.errors import InvalidInput
from hedgerow.web import ranges

Form = Mapping[str, Any]
Criteria = dict[str, Any]
KINDS = (
    ("person", "have the property"),
    ("did", "did"),
    ("did_not", "did not do"),
    ("first", "did for the first time"),
    ("cohort", "are in the cohort"),
    ("not_cohort", "are not in the cohort"),
)
TIMES = (("gte", "at least"), ("eq", "exactly"), ("lte", "at most"))
UNITS = (("hour", "hours"), ("day", "days"), ("week", "weeks"), ("month", "months"))


def blank() -> Criteria:
    """Return the criteria a new cohort begins with."""
    return {"properties": {"type": "OR", "values": [{"type": "AND", "values": [_leaf()]}]}}


def _leaf() -> dict[str, Any]:
    return {"type": "person", "key": "", "operator": "exact", "value": []}


def groups(criteria: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return the groups the form shows; None: the tree is deeper than it can show."""
    root = criteria.get("properties") or {}
    values = root.get("values") or []
    if all("values" not in one for one in values):  # one level: a single group
        return [{"type": root.get("type", "AND"), "values": list(values)}] if values else []
    if any(
        "values" not in one or any("values" in leaf for leaf in one["values"])
        for one in values
    ):
        return None
    return [dict(one) for one in values]


def told(leaf: Mapping[str, Any]) -> dict[str, Any]:
    """Return a criterion as the fields of the form show it."""
    value = leaf.get("value")
    fields: dict[str, Any] = {
        "kind": "person",
        "key": str(leaf.get("key") or ""),
        "operator": str(leaf.get("operator") or "exact"),
        "value": ", ".join(map(str, value))
        if isinstance(value, list)
        else str(value or ""),
        "times": "gte",
        "count": leaf.get("operator_value") or 1,
        "ago": leaf.get("time_value") or 30,
        "unit": leaf.get("time_interval") or "day",
    }
    if leaf.get("type") == "cohort":
        fields["kind"] = "not_cohort" if leaf.get("negation") else "cohort"
    if leaf.get("type") == "behavioral":
        fields["kind"] = "did_not" if leaf.get("negation") else "did"
        if value == "performed_event_first_time":
            fields["kind"] = "first"
        fields["times"] = str(leaf.get("operator") or "gte")
        fields["value"] = ""
    return fields


def edited(criteria: Mapping[str, Any], form: Form) -> Criteria:
    """Return the criteria as the fields of the form say them."""
    found = groups(criteria)
    if found is None or "join" not in form:
        return dict(criteria)
    made = [
        {
            "type": _text(form, f"g{i}_join") or group["type"],
            "values": [
                _read(leaf, f"g{i}_{j}_", form) for j, leaf in enumerate(group["values"])
            ],
        }
        for i, group in enumerate(found)
    ]
    return {"properties": {"type": _text(form, "join"), "values": made}}


def _text(form: Form, name: str) -> str:
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


def _read(old: Mapping[str, Any], prefix: str, form: Form) -> dict[str, Any]:
    kind = _text(form, f"{prefix}kind")
    if not kind:
        return dict(old)
    key = _text(form, f"{prefix}key")
    if kind == "person":
        found = ranges.made(
            key,
            "person",
            _text(form, f"{prefix}operator") or "exact",
            _text(form, f"{prefix}value"),
        )
        return {**found, "type": "person"}
    if kind in {"cohort", "not_cohort"}:
        number = _text(form, f"{prefix}value") or key
        made: dict[str, Any] = {"type": "cohort", "key": "id", "value": _whole(number, 0)}
        return {**made, "negation": True} if kind == "not_cohort" else made
    return _behaviour(kind, key, prefix, form)


def _behaviour(kind: str, key: str, prefix: str, form: Form) -> dict[str, Any]:
    count = _whole(_text(form, f"{prefix}count"), 1)
    times = _text(form, f"{prefix}times") or "gte"
    made: dict[str, Any] = {
        "type": "behavioral",
        "value": "performed_event",
        "event_type": "events",
        "key": key,
        "time_value": _whole(_text(form, f"{prefix}ago"), 30),
        "time_interval": _text(form, f"{prefix}unit") or "day",
    }
    if kind == "first":
        made["value"] = "performed_event_first_time"
    elif (times, count) != ("gte", 1):
        made |= {
            "value": "performed_event_multiple",
            "operator": times,
            "operator_value": count,
        }
    return {**made, "negation": True} if kind == "did_not" else made


def _whole(text: str, otherwise: int) -> int:
    return int(text) if text.isdecimal() else otherwise


def acted(criteria: Mapping[str, Any], act: str) -> Criteria:
    """Return the criteria after a button: add or drop a group or a criterion."""
    found = groups(criteria) or []
    verb, _, where = act.partition(":")
    i, _, j = where.partition(",")
    match verb:
        case "add-group":
            found.append({"type": "AND", "values": [_leaf()]})
        case "add-leaf":
            found[int(i)]["values"] = [*found[int(i)]["values"], _leaf()]
        case "drop-leaf":
            kept = list(found[int(i)]["values"])
            kept.pop(int(j))
            found[int(i)]["values"] = kept
        case _:
            raise InvalidInput(
                f"There is nothing called {act!r} to do.", hint="Reload the page."
            )
    kept_groups = [group for group in found if group["values"]]
    join = (criteria.get("properties") or {}).get("type", "OR")
    return {"properties": {"type": join, "values": kept_groups}}
