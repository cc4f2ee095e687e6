"""A question in words: the name suggested for it, and one sentence that says it all.

The name follows the question until somebody changes it, so it must be what one would have
typed: ``Timers started`` is beyond us, ``timer.started by deployment_method`` is not.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hedgerow.web.charts.choose import unwrapped
from hedgerow.web.charts.rows import breakdown_name

Query = Mapping[str, Any]
MATHS = {
    "total": "count",
    "dau": "unique persons",
    "weekly_active": "weekly active persons",
    "monthly_active": "monthly active persons",
    "unique_session": "unique sessions",
    "unique_group": "unique groups",
    "first_time_for_user": "first time",
    "first_matching_event_for_user": "first matching time",
    "hogql": "expression",
    "p75": "75th percentile",
    "p90": "90th percentile",
    "p95": "95th percentile",
    "p99": "99th percentile",
    "avg": "average",
    "sum": "sum",
    "min": "minimum",
    "max": "maximum",
    "median": "median",
}


def name(query: Query) -> str:
    """Return the name suggested for a question."""
    query = unwrapped(query)
    match query.get("kind"):
        case "TrendsQuery" | "CalendarHeatmapQuery":
            told = f"{_series(query)}{_by(query)}"
            return (
                f"All events{told.removeprefix('any event')}"
                if told.startswith("any event")
                else told
            )
        case "FunnelsQuery":
            steps = [_event(node) for node in query.get("series") or []]
            ends = f"{steps[0]} to {steps[-1]}" if len(steps) > 1 else "Funnel"
            return f"From {ends}{_by(query)}"
        case "RetentionQuery":
            return _retention(query)
        case "PathsQuery":
            return _paths(query.get("pathsFilter") or {})
        case "StickinessQuery":
            return f"Stickiness of {_series(query)}"
        case "LifecycleQuery":
            return f"Lifecycle of {_series(query)}"
        case _:
            return "SQL question"


def _event(node: Mapping[str, Any]) -> str:
    return str(node.get("custom_name") or node.get("event") or "any event")


def _measured(node: Mapping[str, Any]) -> str:
    math, event = node.get("math") or "total", _event(node)
    if math == "total":
        return event
    what = MATHS.get(math, math.replace("_", " "))
    of = f" of {node['math_property']}" if node.get("math_property") else ""
    return f"{event}, {what}{of}"


def _series(query: Query) -> str:
    formula = (query.get("trendsFilter") or {}).get("formula")
    nodes: Sequence[Mapping[str, Any]] = query.get("series") or []
    shown = ", ".join(_measured(node) for node in nodes[:3])
    more = f" and {len(nodes) - 3} more" if len(nodes) > 3 else ""
    return f"{formula}: {shown}{more}" if formula else f"{shown}{more}"


def _by(query: Query) -> str:
    by = query.get("breakdownFilter") or {}
    if not (by.get("breakdown") or by.get("breakdowns")):
        return ""
    spoken = {"toHour(timestamp)": "hour of day", "toDayOfWeek(timestamp)": "weekday"}
    heading = breakdown_name(query)
    return f" by {spoken.get(heading, heading[0].lower() + heading[1:])}"


def _retention(query: Query) -> str:
    wanted = query.get("retentionFilter") or {}
    period = {"Hour": "Hourly", "Week": "Weekly", "Month": "Monthly"}.get(
        wanted.get("period") or "", "Daily"
    )
    target = (wanted.get("targetEntity") or {}).get("id") or "any event"
    back = (wanted.get("returningEntity") or {}).get("id") or "any event"
    return f"{period} retention: {target}" + ("" if target == back else f", then {back}")


def _paths(wanted: Mapping[str, Any]) -> str:
    start, end = wanted.get("startPoint"), wanted.get("endPoint")
    if start and end:
        return f"Paths from {start} to {end}"
    if start:
        return f"Paths from {start}"
    return f"Paths to {end}" if end else "Paths"


def sentence(query: Query) -> str:
    """Return the question folded into a line, for a narrow screen."""
    query = unwrapped(query)
    filters = query.get("properties") or []
    count = len(filters) if isinstance(filters, list) else 1
    told = f", {count} {'filter' if count == 1 else 'filters'}" if count else ""
    return f"{name(query)}{told}"
