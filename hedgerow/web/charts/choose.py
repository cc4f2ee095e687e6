"""Which chart an answer becomes.

    chart(query, answer, known=…, now=…) → Chart

``known`` tells when each event name was last seen, so that an empty chart can say whether
the event never came or merely not in this period: two very different things to a person
who waits for their first figures. It is called only when there is nothing to draw.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from hedgerow.web.charts import calendar, funnels, others, retention, trends, words
from hedgerow.web.charts.rows import Row
from hedgerow.web.charts.spec import Chart, Nothing

Known = Callable[[], Mapping[str, datetime]]
SERIES = frozenset({"TrendsQuery", "StickinessQuery", "LifecycleQuery", calendar.KIND})
"""Kinds that have nothing to show where all their figures are 0."""

WRAPPERS = frozenset({"InsightVizNode", "DataTableNode", "DataVisualizationNode"})


def unwrapped(query: Row) -> Row:
    """Return the question itself, out of the nodes that only say how to show it."""
    while query.get("kind") in WRAPPERS:
        query = query["source"]
    return query


def chart(query: Row, answer: Row, *, known: Known, now: datetime) -> Chart:
    """Return what to draw for the answer to a question; ``now`` in the project's zone."""
    query = unwrapped(query)
    results = answer.get("results")
    kind = query.get("kind")
    if kind in SERIES and _is_empty(results):
        return empty(query, known=known(), now=now)
    match kind:
        case "TrendsQuery" | calendar.KIND:
            return trends.chart(query, results or [], now=now)
        case "FunnelsQuery":
            return funnels.chart(query, results, now=now)
        case "RetentionQuery":
            return retention.chart(query, results or [], now=now)
        case "PathsQuery":
            return others.paths(results or [])
        case "LifecycleQuery":
            return others.lifecycle(query, results or [], now=now)
        case "StickinessQuery":
            return others.stickiness(results or [])
        case _:
            return others.sql(answer)


def _is_empty(results: Any) -> bool:
    if not results:
        return True
    if isinstance(results, dict):
        return not results["data"]
    return not any(
        any(row.get("data") or ()) or row.get("aggregated_value") for row in results
    )


def events_of(query: Row) -> list[str]:
    """Return the event names a question asks about; "any event" is not one."""
    query = unwrapped(query)
    named = [node.get("event") for node in query.get("series") or []]
    wanted = query.get("retentionFilter") or {}
    roles = ("targetEntity", "returningEntity")
    named += [(wanted.get(role) or {}).get("id") for role in roles]
    return [str(name) for name in dict.fromkeys(named) if name]


def empty(query: Row, *, known: Mapping[str, datetime], now: datetime) -> Nothing:
    """Return why there is nothing to draw: never received, or not in this period."""
    events: Sequence[str] = events_of(query)
    never = [name for name in events if name not in known]
    if never and len(never) == len(events):
        name = " or ".join(never)
        return Nothing(
            summary=f"No {name} received yet.",
            what=f"No {name} received yet",
            why="The figure appears by itself as soon as the first one arrives.",
        )
    seen = [known[name] for name in events if name in known]
    if seen:
        last = max(seen).astimezone(now.tzinfo)
        named = " or ".join(events)
        return Nothing(
            summary=f"No {named} in this period.",
            what=f"No {named} in this period",
            why=f"The last one was on {words.day(last, year=last.year != now.year)} at "
            f"{last:%H:%M}. Widen the period or drop a filter to see it.",
        )
    if not known:
        return Nothing(
            summary="No events received yet.",
            what="No events received yet",
            why="The figure appears by itself as soon as the first events arrive.",
        )
    return Nothing(
        summary="No events match in this period.",
        what="No events match in this period",
        why="Events do arrive, but none that this question counts. Widen the period or drop a filter.",
    )
