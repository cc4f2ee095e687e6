"""The lists a person chooses from in the insight editor."""

from collections.abc import Mapping
from typing import Any

from hedgerow.meta import boards
from hedgerow.web.visits import Visit

INTERVALS = (
    ("minute", "by minute"),
    ("hour", "by hour"),
    ("day", "by day"),
    ("week", "by week"),
    ("month", "by month"),
)
DISPLAYS = (
    ("ActionsLineGraph", "Lines"),
    ("ActionsLineGraphCumulative", "Lines, running total"),
    ("ActionsAreaGraph", "Areas"),
    ("ActionsBar", "Bars, stacked"),
    ("ActionsUnstackedBar", "Bars, side by side"),
    ("BoldNumber", "Number"),
    ("ActionsBarValue", "List of bars"),
    ("ActionsPie", "Ring"),
    ("ActionsTable", "Table"),
    ("WorldMap", "World map"),
    ("CalendarHeatmap", "Weekdays and hours"),
)
MATHS = (
    ("total", "Total count"),
    ("dau", "Unique persons"),
    ("weekly_active", "Weekly active persons"),
    ("monthly_active", "Monthly active persons"),
    ("first_time_for_user", "First time of a person"),
    ("first_matching_event_for_user", "First matching time"),
    ("unique_session", "Unique sessions"),
    ("avg_count_per_actor", "Average per person"),
    ("median_count_per_actor", "Median per person"),
    ("max_count_per_actor", "Maximum per person"),
    ("sum", "Sum of property"),
    ("avg", "Average of property"),
    ("median", "Median of property"),
    ("min", "Minimum of property"),
    ("max", "Maximum of property"),
    ("p75", "75th percentile of property"),
    ("p90", "90th percentile of property"),
    ("p95", "95th percentile of property"),
    ("p99", "99th percentile of property"),
    ("hogql", "Expression"),
)
ORDERS = (
    ("ordered", "In this order"),
    ("strict", "Directly after each other"),
    ("unordered", "In any order"),
)
UNITS = (
    ("minute", "minutes"),
    ("hour", "hours"),
    ("day", "days"),
    ("week", "weeks"),
    ("month", "months"),
)
PERIODS = (("Hour", "hours"), ("Day", "days"), ("Week", "weeks"), ("Month", "months"))
RETENTIONS = (
    ("retention_recurring", "in the period, every time"),
    ("retention_first_time", "for the first time"),
    ("retention_first_ever_occurrence", "for the first time ever, filters aside"),
)
PATH_TYPES = (
    ("$pageview", "Page views"),
    ("$screen", "Screens"),
    ("custom_event", "Events of one's own"),
)
FUNNEL_VIEWS = (
    ("steps", "Steps"),
    ("time_to_convert", "Time to convert"),
    ("trends", "Over time"),
)


def choices(visit: Visit, query: Mapping[str, Any]) -> dict[str, Any]:
    """Return every list the editor of this question shows."""
    with visit.services.metadata.reading() as session:
        rows, _ = boards.dashboards(session, visit.here.id, limit=200)
    groups = [
        (f"unique_group:{one.index}", f"Unique {one.name}s") for one in group_types(visit)
    ]
    scopes = [("event", "Event"), ("person", "Person")]
    scopes += [(f"group:{one.index}", f"Group: {one.name}") for one in group_types(visit)]
    return {
        "intervals": INTERVALS if query.get("kind") == "TrendsQuery" else INTERVALS[1:],
        "displays": DISPLAYS,
        "maths": [*MATHS[:7], *groups, *MATHS[7:]],
        "needs_property": (
            "sum",
            "avg",
            "median",
            "min",
            "max",
            "p75",
            "p90",
            "p95",
            "p99",
            "hogql",
        ),
        "orders": ORDERS,
        "units": UNITS,
        "periods": PERIODS,
        "retentions": RETENTIONS,
        "path_types": PATH_TYPES,
        "funnel_views": FUNNEL_VIEWS,
        "scopes": scopes,
        "breakdown_scopes": [*scopes, ("cohort", "Cohorts"), ("hogql", "Expression")],
        "breakdown_scopes_more": [*scopes, ("hogql", "Expression")],
        "step_numbers": [
            (str(i), str(i + 1)) for i in range(len(query.get("series") or []))
        ],
        "dashboards": rows,
    }


def group_types(visit: Visit) -> list[Any]:
    """Return the project's group types that have an index."""
    found = visit.services.reader.group_types(visit.here.id)
    return [one for one in found if one.index is not None]
