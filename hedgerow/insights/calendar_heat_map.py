"""On which days of the week, and at which hours, does it happen? (``insights-trends`` §7.1)

The heat map of a calendar: one cell for each weekday (1 Monday … 7 Sunday) and hour (0 … 23)
of the project's clock in which the event occurred, with sums by row, by column and over all.
It counts events, or with ``dau`` persons: somebody who comes every Monday is one person in
that row, so persons do not add up, and every sum is a question of its own.

A ``TrendsQuery`` of this display and a ``CalendarHeatmapQuery`` mean the same.
"""

from collections.abc import Sequence
from typing import Any

from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.model.ports import Rows, Statement
from hedgerow.model.projects import QueryContext
from hedgerow.query import aggregations, buckets, expressions, filters
from hedgerow.query.dates import Range, resolve
from hedgerow.query.definitions_nodes import EventsNode
from hedgerow.query.definitions_trends import CalendarHeatmapQuery, TrendsQuery
from hedgerow.query.sources import Events, at_event_time
from hedgerow.query.trees import Tree, number_literal
from hedgerow.query.values import Values

COUNTED = frozenset({None, "total", "dau"})
WHOLE = -1
"""In the place of a row or a column: all of them."""

Asked = TrendsQuery | CalendarHeatmapQuery


def statements(query: Asked, context: QueryContext) -> list[Statement]:
    """Return the one statement: row, column, value, with ``WHOLE`` for sums."""
    node = query.series[0]
    _check(query, node)
    values = Values()
    events = Events(context, values, at_event=at_event_time(query.modifiers))
    where = filters.conditions(
        query.properties, events, test_accounts=query.filter_test_accounts
    )
    where += filters.conditions(node.filters(), events, path="series[0].properties")
    where += aggregations.has_actor(node, events)
    if node.event is not None:
        where.append(events.column("event").eq(values.bind(node.event)))
    shown = [
        exp.alias_(_clock("toDayOfWeek(timestamp)", events), "weekday"),
        exp.alias_(_clock("toHour(timestamp)", events), "hour"),
        exp.alias_(aggregations.actor(node, events), "actor"),
    ]
    asked = range_of(query, context)
    happened = events.select(*shown, where=where, since=asked.lower, until=asked.end)
    parts = [_sums(names, node) for names in (("weekday", "hour"), ("weekday",), ("hour",))]
    tree: exp.Query = _sums((), node)
    for part in parts:
        tree = exp.union(tree, part, distinct=False)
    tree = tree.with_("happened", as_=happened, materialized=True)
    return [Statement(tree=tree, values=values.by_name)]


def range_of(query: Asked, context: QueryContext) -> Range:
    """Return the range asked about."""
    return resolve(query.date_range, context, interval=query.interval or "day")


def _clock(text: str, events: Events) -> Tree:
    return expressions.scalar(text, events).tree


def _sums(names: Sequence[str], node: EventsNode) -> exp.Select:
    """Return the number for each weekday and hour, or for all of those not named."""
    keys = [
        exp.alias_(exp.column(name) if name in names else number_literal(WHOLE), name)
        for name in ("weekday", "hour")
    ]
    count: Tree = exp.Count(this=exp.Star())
    if node.math == "dau":
        count = aggregations.distinct(exp.column("actor"))
    query = exp.select(*keys, exp.alias_(count, "value")).from_("happened")
    return query.group_by(*(exp.column(name) for name in names)) if names else query


def result(query: Asked, context: QueryContext, answers: list[Rows]) -> dict[str, Any]:
    """Return ``results`` as §7.1 says, cells by row and column."""
    rows = sorted(answers[0].rows)
    asked = range_of(query, context)
    return {
        "results": {
            "data": [
                {"row": row, "column": column, "value": value}
                for row, column, value in rows
                if WHOLE not in (row, column)
            ],
            "rowAggregations": [
                {"row": row, "value": value}
                for row, column, value in rows
                if column == WHOLE and row != WHOLE
            ],
            "columnAggregations": [
                {"column": column, "value": value}
                for row, column, value in rows
                if row == WHOLE and column != WHOLE
            ],
            "allAggregations": sum(n for row, col, n in rows if row == col == WHOLE),
        },
        "resolved_date_range": {
            "date_from": buckets.iso(asked.start),
            "date_to": buckets.iso(asked.end),
        },
    }


def _check(query: Asked, node: EventsNode) -> None:
    """Refuse what a heat map cannot show."""
    if node.math not in COUNTED:
        raise InvalidQuery(
            f"A calendar heat map cannot show {node.math!r}.",
            hint="It counts events (total) or persons (dau).",
            attr="series[0].math",
        )
    if isinstance(query, CalendarHeatmapQuery):
        return
    trends = query.trends_filter
    given = {
        "breakdownFilter": query.breakdown_filter is not None
        and (query.breakdown_filter.breakdown or query.breakdown_filter.breakdowns),
        "compareFilter": query.compare_filter is not None and query.compare_filter.compare,
        "trendsFilter.formula": trends is not None
        and (trends.formula or trends.formulas or trends.formula_nodes),
    }
    for name, present in given.items():
        if present:
            raise InvalidQuery(
                f"A calendar heat map has no {name!r}.",
                hint="Leave it out, or choose another display.",
                attr=name,
            )
