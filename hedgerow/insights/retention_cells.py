"""Who is in which cell of a retention table, as one statement.

``ev`` holds the window's events, ``starts`` each actor's rows, ``returns`` the periods in
which they came back. A cell is an actor, a breakdown value, a row ``s`` and a column ``k``;
what differs between the kinds of retention is only how ``starts`` is found and from where a
return's distance is counted. The fragments below are constant; what a query says is bound.
"""

from sqlglot import exp

from hedgerow.insights.retention_events import Asked, events, origins, same_entity
from hedgerow.insights.retention_window import chosen
from hedgerow.query.trees import Tree, number_literal, template
from hedgerow.query.values import Values

FIRST_TYPES = {"retention_first_time", "retention_first_ever_occurrence"}
UNIT = {"Hour": 1, "Day": 24, "Week": 7, "Month": 30}
"""Clock hours or local days in one column of 24-hour windows (§1.7)."""

RECURRING = """
    SELECT actor, value, period AS s, MIN(at) AS since FROM ev WHERE starts
    GROUP BY actor, value, period"""
FIRST_TIME = """
    SELECT actor, value, MIN(period) AS s, MIN(at) AS since, MIN(clock) AS clock FROM origin
    GROUP BY actor, value HAVING MIN(period) >= 0"""
FIRST_EVER = """
    SELECT actor, ARG_MIN(value, at) FILTER(WHERE starts) AS value,
      MIN(period) AS s, MIN(at) AS since, MIN(clock) AS clock
    FROM origin GROUP BY actor
    HAVING MIN(period) >= 0 AND MIN(at) = MIN(CASE WHEN starts THEN at END)"""
RETURNS = """
    SELECT actor, value, period AS r, SUM(amount) AS amount FROM ev WHERE returns
    GROUP BY actor, value, period HAVING COUNT(*) >= :least"""
RETURNS_OF_ANY_VALUE = """
    SELECT actor, period AS r, SUM(amount) AS amount FROM ev WHERE returns
    GROUP BY actor, period HAVING COUNT(*) >= :least"""
FIRST_ROWS = """
    SELECT actor, value, s, since, MIN(s) OVER (PARTITION BY actor, value) AS base FROM starts"""
FROM_ROW = "SELECT actor, value, s, since, s AS base FROM starts"
CAME_BACK = """
    SELECT b.actor AS actor, b.value AS value, b.s AS s, r.r - b.base AS k, r.amount AS amount
    FROM based AS b JOIN returned AS r ON r.actor = b.actor AND r.value = b.value
    WHERE r.r > b.base"""
CAME_BACK_WITH_ANY_VALUE = """
    SELECT b.actor AS actor, b.value AS value, b.s AS s, r.r - b.base AS k, r.amount AS amount
    FROM based AS b JOIN returned AS r ON r.actor = b.actor WHERE r.r > b.base"""
STARTED = "SELECT actor, value, s, 0 AS k, 0 AS amount FROM based"
STARTED_WITH_SUM = """
    SELECT b.actor AS actor, b.value AS value, b.s AS s, 0 AS k, COALESCE(SUM(e.amount), 0) AS amount
    FROM based AS b LEFT JOIN ev AS e
      ON e.actor = b.actor AND (:any_value OR e.value = b.value) AND e.period = b.s
      AND CASE WHEN :same THEN e.starts ELSE e.returns AND e.at > b.since END
    GROUP BY b.actor, b.value, b.s"""
CLOCKS = "SELECT actor, MIN(at) AS since, MIN(clock) AS clock FROM ev WHERE starts GROUP BY actor"
CLOCKS_OF_FIRST = """
    SELECT actor, MIN(value) AS value, MIN(since) AS since, MIN(clock) AS clock
    FROM starts GROUP BY actor"""
BY_THE_CLOCK = """
    SELECT e.actor AS actor, CASE WHEN :one_value THEN :value ELSE e.value END AS value,
      CAST(FLOOR(c.clock / :unit) AS BIGINT) AS s,
      CASE WHEN e.returns THEN CAST(FLOOR((e.clock - c.clock) / :unit) AS BIGINT) ELSE 0 END AS k,
      0 AS amount
    FROM ev AS e JOIN clocks AS c ON c.actor = e.actor WHERE e.at >= c.since"""
ZERO_TOO = """
    SELECT actor, value, s, k, amount FROM timed
    UNION ALL SELECT DISTINCT actor, value, s, 0, 0 FROM timed"""


def cells(asked: Asked, values: Values) -> exp.Select:
    """Return (actor, value, s, col, amount), once for each cell an actor is in."""
    wanted = chosen(asked.query)
    if wanted.time_window_mode == "24_hour_windows":
        query = _by_the_clock(asked, values)
    else:
        query = _by_the_calendar(asked, values)
    column = _column(asked)
    last_row = number_literal(len(asked.window.asked.buckets) - 1)
    row, k = exp.column("s", table="c"), exp.column("col", table="c")
    inside = exp.and_(
        row >= number_literal(0),
        row.copy() <= last_row,
        exp.not_(exp.Is(this=k, expression=exp.null())),
    )
    placed = exp.select("actor", "value", "s", column.as_("col"), "amount").from_("cells")
    amount = exp.alias_(exp.Sum(this=exp.column("amount", table="c")), "amount")
    found = exp.select("c.actor", "c.value", "c.s", "c.col", amount)
    return _with(
        found.from_(placed.subquery("c"))
        .where(inside)
        .group_by("c.actor", "c.value", "c.s", "c.col"),
        query,
    )


Parts = list[tuple[str, exp.Query]]


def _with(query: exp.Select, parts: Parts) -> exp.Select:
    for name, part in parts:
        query = query.with_(name, as_=part, copy=False)
    return query


def _column(asked: Asked) -> Tree:
    """Return the column of a distance ``k``; NULL beyond the last."""
    window, k = asked.window, exp.column("k")
    last = len(window.columns) - 1
    if not window.brackets:
        return exp.Case(ifs=[exp.If(this=k <= number_literal(last), true=k.copy())])
    ifs = [exp.If(this=k.eq(number_literal(0)), true=number_literal(0))]
    ifs += [
        exp.If(this=k.copy() <= number_literal(most), true=number_literal(i))
        for i, most in enumerate(window.brackets, 1)
    ]
    return exp.Case(ifs=ifs)


def _starts(asked: Asked, values: Values) -> Parts:
    kind = chosen(asked.query).retention_type
    parts: Parts = [("ev", events(asked, values))]
    if kind not in FIRST_TYPES:
        return [*parts, ("starts", template(RECURRING))]
    text = FIRST_TIME if kind == "retention_first_time" else FIRST_EVER
    return [*parts, ("origin", origins(asked, values)), ("starts", template(text))]


def _of_any_value(asked: Asked) -> bool:
    """Return whether returns count whatever value they carry: first ever (§1.9)."""
    return chosen(asked.query).retention_type == "retention_first_ever_occurrence"


def _by_the_calendar(asked: Asked, values: Values) -> Parts:
    wanted, any_value = chosen(asked.query), _of_any_value(asked)
    least = values.bind(wanted.minimum_occurrences or 1)
    returned = template(RETURNS_OF_ANY_VALUE if any_value else RETURNS, least=least)
    based = template(FIRST_ROWS if asked.window.brackets else FROM_ROW)
    back = template(CAME_BACK_WITH_ANY_VALUE if any_value else CAME_BACK)
    started = template(STARTED)
    if wanted.aggregation_type in {"sum", "avg"}:
        started = template(
            STARTED_WITH_SUM,
            any_value=exp.convert(any_value),
            same=exp.convert(same_entity(asked.query)),
        )
    both = exp.union(started, back, distinct=False)
    return [
        *_starts(asked, values),
        ("based", based),
        ("returned", returned),
        ("cells", both),
    ]


def _by_the_clock(asked: Asked, values: Values) -> Parts:
    """Each actor has one row and its own clock, whatever the values (§1.7, §1.9)."""
    first = chosen(asked.query).retention_type in FIRST_TYPES
    one_value = _of_any_value(asked)
    timed = template(
        BY_THE_CLOCK,
        one_value=exp.convert(one_value),
        value=exp.column("value", table="c") if one_value else exp.Literal.string(""),
        unit=number_literal(UNIT[asked.window.period]),
    )
    clocks = template(CLOCKS_OF_FIRST if first else CLOCKS)
    zero = template(ZERO_TOO)
    parts = _starts(asked, values)
    return [*parts, ("clocks", clocks), ("timed", timed), ("cells", zero)]
