"""Thirteen kinds of question, as Hedgerow's JSON and in ClickHouse's own idiom.

``ours`` and ``theirs`` bring both answers into one comparable form: a wrong answer is often
the faster one, so nothing is timed that does not agree.
"""

from collections.abc import Callable
from typing import Any

import msgspec

FROM, TO = "2026-10-02", "2026-10-31"
RANGE = {"date_from": FROM, "date_to": TO}
WITHIN = f"timestamp >= '{FROM} 00:00:00' AND timestamp < '2026-11-01 00:00:00'"
DAY = "toDate(timestamp)"


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One question, twice."""

    name: str
    query: dict[str, Any]
    sql: str
    ours: Callable[[Any], Any]
    theirs: Callable[[list[list[Any]]], Any]


def trend(event: str | None, **more: Any) -> dict[str, Any]:
    """Return a TrendsQuery of one series by day."""
    node = {"kind": "EventsNode", "event": event, **more.pop("node", {})}
    return {"kind": "TrendsQuery", "series": [node], "dateRange": RANGE, **more}


def by_day(results: Any) -> dict[str, float]:
    """Return the days of a trend that are not zero."""
    row = results[0]
    return {day: n for day, n in zip(row["days"], row["data"], strict=True) if n}


def days(rows: list[list[Any]]) -> dict[str, float]:
    """Return rows of (day, number) that are not zero."""
    return {str(day): float(n) for day, n in rows if float(n)}


def one(results: Any) -> float:
    """Return a single number."""
    return float(results[0]["aggregated_value"])


def first(rows: list[list[Any]]) -> float:
    """Return the first number."""
    return float(rows[0][0])


def top(results: Any) -> dict[str, float]:
    """Return a breakdown's totals by value."""
    return {str(row["breakdown_value"]): float(row["aggregated_value"]) for row in results}


def filtered(
    key: str, value: Any, type_: str = "event", operator: str = "exact"
) -> dict[str, Any]:
    """Return ``properties`` of one filter."""
    return {
        "properties": [{"key": key, "value": value, "operator": operator, "type": type_}]
    }


ADMINS = "(SELECT person_key FROM bench.persons WHERE properties.role::String = 'admin')"

SIMPLE = [
    Question(
        name="trend",
        query=trend("timer.started"),
        sql=f"SELECT {DAY} d, count() FROM bench.events WHERE event = 'timer.started' AND {WITHIN} GROUP BY d",
        ours=by_day,
        theirs=days,
    ),
    Question(
        name="event-property filter",
        query=trend("timer.started", **filtered("origin", "header")),
        sql=f"SELECT {DAY} d, count() FROM bench.events WHERE event = 'timer.started' "
        f"AND properties.origin::String = 'header' AND {WITHIN} GROUP BY d",
        ours=by_day,
        theirs=days,
    ),
    Question(
        name="text contains",
        query=trend(None, **filtered("$pathname", "PORTS", operator="icontains")),
        sql=f"SELECT {DAY} d, count() FROM bench.events WHERE "
        f"positionCaseInsensitive(properties.`$pathname`::String, 'ports') > 0 AND {WITHIN} GROUP BY d",
        ours=by_day,
        theirs=days,
    ),
    Question(
        name="person-property filter",
        query=trend("timer.started", **filtered("role", "admin", "person")),
        sql=f"SELECT {DAY} d, count() FROM bench.events WHERE event = 'timer.started' "
        f"AND person_key IN {ADMINS} AND {WITHIN} GROUP BY d",
        ours=by_day,
        theirs=days,
    ),
    Question(
        name="uniques",
        query=trend(
            None, node={"math": "dau"}, trendsFilter={"display": "ActionsBarValue"}
        ),
        sql=f"SELECT uniqExact(person_key) FROM bench.events WHERE {WITHIN}",
        ours=one,
        theirs=first,
    ),
    Question(
        name="daily uniques of one event",
        query=trend("telemetry.health", node={"math": "dau"}),
        sql=f"SELECT {DAY} d, uniqExact(person_key) FROM bench.events "
        f"WHERE event = 'telemetry.health' AND {WITHIN} GROUP BY d",
        ours=by_day,
        theirs=days,
    ),
    Question(
        name="unique groups",
        query=trend(None, node={"math": "unique_group", "math_group_type_index": 0}),
        sql=f"SELECT {DAY} d, uniqExact(group_0) FROM bench.events "
        f"WHERE group_0 != '' AND {WITHIN} GROUP BY d",
        ours=by_day,
        theirs=days,
    ),
    Question(
        name="top-25 breakdown",
        query=trend(
            "export.completed",
            breakdownFilter={"breakdown": "rows"},
            trendsFilter={"display": "ActionsBarValue"},
        ),
        sql=f"""WITH a AS (SELECT toString(properties.rows) v, count() n FROM bench.events
                WHERE event = 'export.completed' AND {WITHIN} GROUP BY v),
              t AS (SELECT v, n, row_number() OVER (ORDER BY n DESC, v) place FROM a)
              SELECT if(place <= 25, v, '$$_posthog_breakdown_other_$$') k, sum(n) FROM t GROUP BY k""",
        ours=top,
        theirs=lambda rows: {str(value): float(n) for value, n in rows},
    ),
]

RETENTION = """
WITH a AS (SELECT DISTINCT person_key p, dateDiff('day', toDate('2026-10-24'), toDate(timestamp)) d
           FROM bench.events WHERE event = 'auth.login'
           AND timestamp >= '2026-10-24 00:00:00' AND timestamp < '2026-11-01 00:00:00'),
     m AS (SELECT p, groupArray(d) ds FROM a GROUP BY p)
SELECT s, r - s, count() FROM m ARRAY JOIN ds AS s ARRAY JOIN ds AS r WHERE r >= s GROUP BY s, r - s"""

FUNNEL = f"""
SELECT level, count() FROM (
  SELECT person_key, windowFunnel(1209600)(toDateTime(timestamp),
    event = 'auth.login', event = 'report.viewed', event = 'export.completed') level
  FROM bench.events WHERE event IN ('auth.login', 'report.viewed', 'export.completed') AND {WITHIN}
  GROUP BY person_key) GROUP BY level"""

LIFECYCLE = f"""
WITH e AS (SELECT person_key p, arraySort(groupUniqArray(toDate(timestamp))) ds FROM bench.events
           WHERE event = 'telemetry.health' AND timestamp >= '2026-10-01 00:00:00'
           AND timestamp < '2026-11-01 00:00:00' GROUP BY p),
     x AS (SELECT p, ds, toDate(created_at) c FROM e JOIN bench.persons ON persons.person_key = e.p),
     s AS (SELECT d, multiIf(i = 1, if(c = d, 'new', 'resurrecting'),
                             ds[i - 1] = d - 1, 'returning', 'resurrecting') status
           FROM x ARRAY JOIN ds AS d, arrayEnumerate(ds) AS i
           UNION ALL
           SELECT d + 1, 'dormant' FROM x ARRAY JOIN ds AS d, arrayEnumerate(ds) AS i
           WHERE i = length(ds) OR ds[i + 1] > d + 1)
SELECT d, status, count() FROM s WHERE d >= '{FROM}' AND d <= '{TO}' GROUP BY d, status"""

PATHS = f"""
WITH e AS (SELECT person_key p, timestamp t, UUIDStringToNum(toString(uuid)) uuid, event FROM bench.events
           WHERE event NOT LIKE '$%' AND {WITHIN}),
     b AS (SELECT p, t, uuid, event,
             lagInFrame(t) OVER w AS before, leadInFrame(event) OVER v AS next,
             leadInFrame(t) OVER v AS next_t
           FROM e WINDOW w AS (PARTITION BY p ORDER BY t, uuid ROWS BETWEEN 1 PRECEDING AND CURRENT ROW),
             v AS (PARTITION BY p ORDER BY t, uuid ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING)),
     s AS (SELECT p, t, uuid, event, next, next_t,
             sum(before = 0 OR dateDiff('microsecond', before, t) >= 1800000000)
               OVER (PARTITION BY p ORDER BY t, uuid ROWS UNBOUNDED PRECEDING) AS n FROM b),
     k AS (SELECT p, n, t, uuid, event FROM s
           WHERE NOT (next = event AND next_t != 0 AND dateDiff('microsecond', t, next_t) < 1800000000)),
     o AS (SELECT p, n, event, t, row_number() OVER (PARTITION BY p, n ORDER BY t, uuid) AS place FROM k),
     g AS (SELECT place, event, leadInFrame(event) OVER q AS target,
             leadInFrame(place) OVER q AS target_place
           FROM o WHERE place <= 5
           WINDOW q AS (PARTITION BY p, n ORDER BY place ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING))
SELECT concat(toString(place), '_', event), concat(toString(place + 1), '_', target), count() c
FROM g WHERE target_place > 0 GROUP BY 1, 2 ORDER BY c DESC, 1, 2 LIMIT 50"""


def retention(results: Any) -> dict[tuple[int, int], float]:
    """Return the cells that are not zero."""
    return {
        (i, k): float(value["count"])
        for i, row in enumerate(results)
        for k, value in enumerate(row["values"])
        if value["count"]
    }


def funnel(results: Any) -> list[float]:
    """Return how many reached each step."""
    return [float(step["count"]) for step in results]


def levels(rows: list[list[Any]]) -> list[float]:
    """Return how many reached each step from how many stopped at each."""
    stopped = {int(level): float(n) for level, n in rows}
    return [sum(n for level, n in stopped.items() if level >= step) for step in (1, 2, 3)]


def lifecycle(results: Any) -> dict[tuple[str, str], float]:
    """Return the figures that are not zero, dormant ones without their sign."""
    return {
        (day, row["status"]): float(abs(n))
        for row in results
        for day, n in zip(row["days"], row["data"], strict=True)
        if n
    }


def edges(results: Any) -> list[tuple[str, str, float]]:
    """Return the edges of a path."""
    return [(one["source"], one["target"], float(one["value"])) for one in results]


def node(event: str) -> dict[str, str]:
    """Return a plain series."""
    return {"kind": "EventsNode", "event": event}


HARD = [
    Question(
        name="retention",
        query={
            "kind": "RetentionQuery",
            "dateRange": {"date_from": "2026-10-24", "date_to": TO},
            "retentionFilter": {
                "period": "Day",
                "totalIntervals": 8,
                "targetEntity": {"id": "auth.login", "type": "events"},
                "returningEntity": {"id": "auth.login", "type": "events"},
            },
        },
        sql=RETENTION,
        ours=retention,
        theirs=lambda rows: {(int(s), int(k)): float(n) for s, k, n in rows},
    ),
    Question(
        name="ordered funnel",
        query={
            "kind": "FunnelsQuery",
            "series": [node("auth.login"), node("report.viewed"), node("export.completed")],
            "dateRange": RANGE,
        },
        sql=FUNNEL,
        ours=funnel,
        theirs=levels,
    ),
    Question(
        name="lifecycle",
        query={
            "kind": "LifecycleQuery",
            "series": [node("telemetry.health")],
            "dateRange": RANGE,
        },
        sql=LIFECYCLE,
        ours=lifecycle,
        theirs=lambda rows: {(str(day), status): float(n) for day, status, n in rows},
    ),
    Question(
        name="paths",
        query={
            "kind": "PathsQuery",
            "dateRange": RANGE,
            "pathsFilter": {"includeEventTypes": ["custom_event"]},
        },
        sql=PATHS,
        ours=edges,
        theirs=lambda rows: [(source, target, float(n)) for source, target, n in rows],
    ),
    Question(
        name="latest events",
        query={
            "kind": "EventsQuery",
            "select": ["uuid", "event", "timestamp"],
            "after": "all",
            "orderBy": ["timestamp DESC", "uuid"],
            "limit": 100,
        },
        sql="SELECT uuid FROM bench.events ORDER BY timestamp DESC, toString(uuid) LIMIT 100",
        ours=lambda results: {str(row[0]) for row in results},
        theirs=lambda rows: {str(row[0]) for row in rows},
    ),
]

QUESTIONS = [*SIMPLE, *HARD]
