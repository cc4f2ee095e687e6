"""What each kind of insight has of its own in the editor's form."""

from collections.abc import Callable, Mapping
from typing import Any

from hedgerow.web import editing_lists

KINDS = {
    "trends": "TrendsQuery",
    "funnel": "FunnelsQuery",
    "retention": "RetentionQuery",
    "paths": "PathsQuery",
    "stickiness": "StickinessQuery",
    "lifecycle": "LifecycleQuery",
    "sql": "HogQLQuery",
}
"""Short name, as addresses and tabs have it, to the kind of the question."""

Query = dict[str, Any]
Form = Mapping[str, Any]


def node(event: str) -> dict[str, Any]:
    """Return a series or step; an empty name is any event."""
    return {"kind": "EventsNode", "event": event or None}


def _text(form: Form, name: str) -> str:
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


def _number(form: Form, name: str, otherwise: int) -> int:
    value = _text(form, name)
    return int(value) if value.isdecimal() and int(value) > 0 else otherwise


def _without_none(values: Mapping[str, Any]) -> dict[str, Any] | None:
    kept = {name: value for name, value in values.items() if value not in (None, "")}
    return kept or None


def _trends(made: Query, form: Form) -> None:
    if "display" not in form:
        return
    old = made.get("trendsFilter") or {}
    smoothing = _number(form, "smoothing", 1)
    made["trendsFilter"] = _without_none(
        {
            **old,
            "display": _text(form, "display"),
            "formula": _text(form, "formula") or None,
            "yAxisScaleType": "log10" if _text(form, "log") else None,
            "smoothingIntervals": smoothing if smoothing > 1 else None,
        }
    )


def _funnel(made: Query, form: Form) -> None:
    if "order" not in form:
        return
    old = made.get("funnelsFilter") or {}
    steps = len(made.get("series") or [])
    made["funnelsFilter"] = _without_none(
        {
            **old,
            "exclusions": editing_lists.exclusions(old.get("exclusions") or [], steps, form)
            or None,
            "funnelVizType": _text(form, "view") or "steps",
            "funnelOrderType": _text(form, "order"),
            "funnelWindowInterval": _number(form, "window", 14),
            "funnelWindowIntervalUnit": _text(form, "window_unit") or "day",
        }
    )


def _retention(made: Query, form: Form) -> None:
    if "period" not in form:
        return
    old = made.get("retentionFilter") or {}
    brackets = editing_lists.brackets(old.get("retentionCustomBrackets"), form)
    made["retentionFilter"] = {
        **{name: value for name, value in old.items() if name != "retentionCustomBrackets"},
        **({"retentionCustomBrackets": brackets} if brackets else {}),
        "period": _text(form, "period"),
        "totalIntervals": _number(form, "intervals", 8),
        "retentionType": _text(form, "type"),
        "cumulative": bool(_text(form, "cumulative")),
        "targetEntity": _entity(old.get("targetEntity"), _text(form, "target")),
        "returningEntity": _entity(old.get("returningEntity"), _text(form, "returning")),
    }
    unit = {"Hour": "h", "Week": "w", "Month": "m"}.get(_text(form, "period"), "d")
    made["dateRange"] = {"date_from": f"-{_number(form, 'intervals', 8) - 1}{unit}"}


def _entity(old: Any, event: str) -> dict[str, Any]:
    return {**(old or {}), "id": event or None, "type": "events"}


def _paths(made: Query, form: Form) -> None:
    if "step_limit" not in form:
        return
    getlist: Callable[[str], list[Any]] | None = getattr(form, "getlist", None)
    types = (
        getlist("include") if getlist else [form["include"]] if "include" in form else []
    )
    excluded = [line.strip() for line in _text(form, "exclude").split("\n") if line.strip()]
    made["pathsFilter"] = _without_none(
        {
            **(made.get("pathsFilter") or {}),
            "includeEventTypes": [str(one) for one in types] or None,
            "startPoint": _text(form, "start_point") or None,
            "endPoint": _text(form, "end_point") or None,
            "stepLimit": _number(form, "step_limit", 5),
            "edgeLimit": _number(form, "edge_limit", 50),
            "excludeEvents": excluded or None,
        }
    )


def _stickiness(made: Query, form: Form) -> None:
    if "has_cumulative" not in form:
        return
    made["stickinessFilter"] = {
        **(made.get("stickinessFilter") or {}),
        "computedAs": "cumulative" if _text(form, "cumulative") else "non_cumulative",
    }


def _sql(made: Query, form: Form) -> None:
    if "sql" in form:
        made["query"] = _text(form, "sql")


SPECIAL: dict[str, Callable[[Query, Form], None]] = {
    "TrendsQuery": _trends,
    "FunnelsQuery": _funnel,
    "RetentionQuery": _retention,
    "PathsQuery": _paths,
    "StickinessQuery": _stickiness,
    "HogQLQuery": _sql,
}
