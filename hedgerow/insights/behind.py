"""Who is behind a point of which insight: one line for each kind of question.

Every insight names its own people; here their answers are brought into one form, so that
``actors`` lists them alike.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.insights import (
    funnel_actors,
    lifecycle,
    path_actors,
    retention,
    sql,
    stickiness,
    trend_actors,
)
from hedgerow.insights.fleet import query as fleet
from hedgerow.insights.results import Behind, Run
from hedgerow.insights.trend_actors import place_of
from hedgerow.model.ports import Statement
from hedgerow.model.projects import QueryContext
from hedgerow.query.dates import resolve
from hedgerow.query.definitions import (
    FleetActorsQuery,
    FunnelsActorsQuery,
    HogQLQuery,
    InsightActorsQuery,
    LifecycleQuery,
    PathsQuery,
    RetentionQuery,
    StickinessActorsQuery,
    StickinessQuery,
    TrendsQuery,
    kind_of,
)
from hedgerow.query.sources import Persons
from hedgerow.query.values import Values

ID_COLUMNS = ("person_id", "id", "actor_id")
"""Columns of a typed SELECT that name persons; else its first."""

Find = Callable[[Any, QueryContext, Values, Run], Behind]
"""``(actors query, context, values, run)`` → the people."""


def of_trend(
    asked: InsightActorsQuery, context: QueryContext, values: Values, _: Run
) -> Behind:
    """Return the people behind a point of a trend."""
    return trend_actors.behind(asked, context, values)


def of_lifecycle(
    asked: InsightActorsQuery, context: QueryContext, values: Values, _: Run
) -> Behind:
    """Return the people of one status in one period."""
    query = asked.source
    if not isinstance(query, LifecycleQuery):
        raise TypeError(query)
    for name, value in (("day", asked.day), ("status", asked.status)):
        if value is None:
            raise _missing(name)
    spread = resolve(query.date_range, context, interval=query.interval or "day")
    place = place_of(spread, asked.day or "", context)
    if place is None:
        return Behind(found=[])
    people = lifecycle.people(
        query, context, values, period=place, status=asked.status or ""
    )
    return Behind(
        query=people, group_type_index=query.aggregation_group_type_index, order=()
    )


def of_stickiness(
    asked: InsightActorsQuery, context: QueryContext, values: Values, _: Run
) -> Behind:
    """Return the people of so many periods: exactly, or in a cumulative chart at least."""
    query = asked.source
    if not isinstance(query, StickinessQuery):
        raise TypeError(query)
    given = query.stickiness_filter.computed_as if query.stickiness_filter else None
    again = StickinessActorsQuery(
        source=query,
        day=asked.day,
        operator="gte" if given == "cumulative" else "exact",
        series=asked.series,
        compare=asked.compare,
    )
    return of_stickiness_actors(again, context, values, _)


def of_stickiness_actors(
    asked: StickinessActorsQuery, context: QueryContext, values: Values, _: Run
) -> Behind:
    """Return the people active in so many periods."""
    days = _whole_number(asked.day)
    series = asked.series or 0
    if not 0 <= series < len(asked.source.series):
        raise InvalidQuery(
            f"There is no series {series}.",
            hint=f"The query has {len(asked.source.series)}; the first is 0.",
            attr="source.series",
        )
    compared = asked.compare == "previous"
    compare = asked.source.compare_filter
    if compared and not (compare and compare.compare):
        raise InvalidQuery(
            "The query does not compare with a previous period.",
            hint='Ask for "compare": "current", or compare in the query.',
            attr="source.compare",
        )
    node = asked.source.series[series]
    if node.math == "hogql":
        raise InvalidQuery(
            "The values of an expression are not people, and cannot be listed as such.",
            hint="Count persons or groups.",
            attr=f"source.series[{series}].math",
        )
    people = stickiness.people(
        asked.source,
        context,
        values,
        series=series,
        days=days,
        operator=asked.operator or "exact",
        compared=compared,
    )
    index = node.math_group_type_index if node.math == "unique_group" else None
    return Behind(query=people, group_type_index=index, order=())


def of_retention(
    asked: InsightActorsQuery, context: QueryContext, values: Values, run: Run
) -> Behind:
    """Return the people of one row, with the columns they came back in."""
    query = asked.source
    if not isinstance(query, RetentionQuery):
        raise TypeError(query)
    if asked.interval is None:
        raise _missing("interval")
    value = asked.breakdown[0] if isinstance(asked.breakdown, list) else asked.breakdown
    text = None if value is None else str(value)
    named: list[str] = []
    if text == retention.OTHER:
        answers = [run(one) for one in retention.statements(query, context)]
        named = retention.named_values(query, context, answers)
    people = retention.people(
        query, context, values, row=asked.interval, breakdown=text, named=named
    )
    return Behind(
        query=people,
        columns=("appearances", "appearance_count"),
        group_type_index=query.aggregation_group_type_index,
        order=("appearance_count",),
    )


def of_paths(
    asked: InsightActorsQuery, context: QueryContext, _: Values, run: Run
) -> Behind:
    """Return the people of an edge, an item or an end of the paths."""
    query = asked.source
    if not isinstance(query, PathsQuery):
        raise TypeError(query)
    answers = [run(one) for one in path_actors.statements(query, context)]
    found = path_actors.actors(query, context, answers)
    rows = [(one.actor, one.event_count) for one in found]
    return Behind(found=rows, columns=("event_count",))


def of_funnel(
    asked: FunnelsActorsQuery, context: QueryContext, _: Values, run: Run
) -> Behind:
    """Return those who did a step of a funnel, or stopped before it."""
    answers = [run(one) for one in funnel_actors.statements(asked, context)]
    found = funnel_actors.actors(asked, context, answers)
    return Behind(
        found=[(one.actor, list(one.events)) for one in found],
        columns=("matched_events",),
        group_type_index=funnel_actors.counts_groups(asked),
        order=(),
    )


def of_fleet(asked: FleetActorsQuery, context: QueryContext, _: Values, run: Run) -> Behind:
    """Return the installations behind a row of a figure."""
    context = fleet.beforehand(asked.source, context, run)
    answers = [run(one) for one in fleet.statements_of_each(asked.source, context)]
    found = fleet.chosen(asked.source, asked.row, context, answers)
    return Behind(found=[(one.key,) for one in found], order=())


def of_sql(asked: HogQLQuery, context: QueryContext, _: Values, run: Run) -> Behind:
    """Return the persons whose ids a typed SELECT answers, in its order."""
    columns, rows = sql.answered(asked, context, run)
    named = next((one for one in ID_COLUMNS if one in columns), columns[0])
    place = columns.index(named)
    ids = list(dict.fromkeys(str(row[place]) for row in rows if row[place] is not None))
    values = Values()
    persons = Persons(context, values)
    uuid = exp.cast(persons.column("uuid"), "text")
    listed = persons.dialect.listed({"id": values.bind(ids)})
    wanted = exp.In(this=uuid.copy(), query=listed.subquery())
    tree = persons.select(uuid, persons.person_key(), where=[wanted])
    known = run(Statement(tree=tree, values=values.by_name)).rows if ids else []
    keys = dict(known)
    return Behind(found=[(keys[one],) for one in ids if one in keys], order=())


SOURCES: dict[type[msgspec.Struct], Find] = {
    TrendsQuery: of_trend,
    LifecycleQuery: of_lifecycle,
    StickinessQuery: of_stickiness,
    StickinessActorsQuery: of_stickiness_actors,
    RetentionQuery: of_retention,
    PathsQuery: of_paths,
    FunnelsActorsQuery: of_funnel,
    FleetActorsQuery: of_fleet,
    HogQLQuery: of_sql,
}
"""By the kind of the source, or of the insight in an ``InsightActorsQuery``."""


def behind(
    source: msgspec.Struct, context: QueryContext, values: Values, run: Run
) -> Behind:
    """Return the people of an actors query's source. Raises InvalidQuery."""
    asked = source.source if isinstance(source, InsightActorsQuery) else source
    find = SOURCES.get(type(asked))
    if find is None:
        raise InvalidQuery(
            f"The people behind a {kind_of(asked)} cannot be listed so.",
            hint="For funnels use a FunnelsActorsQuery as source.",
            attr="source.kind",
        )
    return find(source, context, values, run)


def _whole_number(day: str | int | None) -> int:
    text = str(day if day is not None else "")
    if not text.isdigit():
        raise InvalidQuery(
            f"{day!r} is not a number of active periods.",
            hint="Give 'day' as a number, such as 3.",
            attr="source.day",
        )
    return int(text)


def _missing(name: str) -> InvalidQuery:
    return InvalidQuery(
        f"Which people? The query has no {name!r}.", hint="Add it.", attr=f"source.{name}"
    )
