"""Stickiness: on how many of the days (weeks, …) did each actor do it?

Columns are numbers of active periods (``insights-retention-cohorts`` §2): ``data[i]`` is how
many actors were active in exactly ``i + 1`` of them. With ``intervalCount`` periods are
several intervals long and counted back from the end of the range.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.model.ports import Rows, Statement
from hedgerow.model.projects import QueryContext
from hedgerow.query import buckets, expressions, filters
from hedgerow.query.dates import Range, midnight, previous, resolve, shifted
from hedgerow.query.definitions_nodes import EventsNode
from hedgerow.query.definitions_stickiness import StickinessQuery
from hedgerow.query.dialects import Dialect
from hedgerow.query.sources import Events, at_event_time
from hedgerow.query.trees import Tree, number_literal
from hedgerow.query.values import Values

SECONDS = {"minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}
COMPARE = {"gte": exp.GTE, "lte": exp.LTE, "exact": exp.EQ}
MATHS = {None, "total", "dau", "weekly_active", "monthly_active", "unique_group", "hogql"}


def statements(query: StickinessQuery, context: QueryContext) -> list[Statement]:
    """Return a statement for each series and period compared: (active periods, actors)."""
    found = []
    for index in range(len(query.series)):
        for asked in _ranges(query, context):
            values = Values()
            rows = _actors(query, context, values, series=index, asked=asked).subquery("a")
            count = exp.alias_(exp.Count(this=exp.Star()), "actors")
            tree = exp.select("active", count).from_(rows).group_by("active")
            found.append(Statement(tree=tree, values=values.by_name))
    return found


def result(
    query: StickinessQuery, context: QueryContext, answers: list[Rows]
) -> list[dict[str, Any]]:
    """Return a row for each series, and for each of both periods when comparing (§2.3)."""
    ranges = _ranges(query, context)
    told = []
    for i, answer in enumerate(answers):
        index, which = divmod(i, len(ranges))
        row = _row(query, index, ranges[which], dict(answer.rows))
        if query.compare_filter is not None and query.compare_filter.compare:
            label = "previous" if which else "current"
            row |= {"compare": True, "compare_label": label}
        told.append(row)
    return told


def people(
    query: StickinessQuery,
    context: QueryContext,
    values: Values,
    *,
    series: int,
    days: int,
    operator: str,
    compared: bool = False,
) -> exp.Query:
    """Return the actors active in so many periods (``exact``, ``gte``, ``lte``), as ``actor``."""
    asked = _ranges(query, context)[1 if compared else 0]
    rows = _actors(query, context, values, series=series, asked=asked).subquery("a")
    wanted = COMPARE[operator](this=exp.column("active"), expression=number_literal(days))
    return exp.select("actor").from_(rows).where(wanted)


def _ranges(query: StickinessQuery, context: QueryContext) -> list[Range]:
    current = resolve(query.date_range, context, interval=query.interval or "day")
    earlier = previous(current, query.compare_filter)
    return [current] if earlier is None else [current, earlier]


def _periods(query: StickinessQuery, asked: Range) -> int:
    return -(-len(asked.buckets) // (query.interval_count or 1))


def _row(
    query: StickinessQuery, index: int, asked: Range, actors: dict[int, int]
) -> dict[str, Any]:
    node, unit, total = query.series[index], query.interval or "day", _periods(query, asked)
    chosen = query.stickiness_filter
    cumulative = chosen is not None and chosen.computed_as == "cumulative"
    days = list(range(1, total + 1))
    exactly = [actors.get(n, 0) for n in days]
    name = "All events" if node.event is None else node.event
    more = " or more" if cumulative else ""
    return {
        "action": {
            "order": index,
            "type": "events",
            "name": name,
            "id": node.event,
            "custom_name": node.custom_name,
        },
        "label": name,
        "labels": [f"{n} {unit}{'' if n == 1 else 's'}{more}" for n in days],
        "days": days,
        "data": [sum(exactly[i:]) for i in range(total)] if cumulative else exactly,
        "count": sum(exactly),
    }


def _actors(
    query: StickinessQuery,
    context: QueryContext,
    values: Values,
    *,
    series: int,
    asked: Range,
) -> exp.Select:
    """Return (actor, number of active periods) of everyone who did the series at all."""
    node = query.series[series]
    events = Events(context, values, at_event=at_event_time(query.modifiers))
    actor = _actor(node, events, series)
    where = filters.conditions(
        query.properties, events, test_accounts=query.filter_test_accounts
    )
    where += filters.conditions(node.filters(), events, path=f"series[{series}].properties")
    if node.event is not None:
        where.append(events.column("event").eq(values.bind(node.event)))
    if node.math in {"unique_group", "hogql"}:
        text = exp.cast(actor.copy(), "text")
        where.append(exp.func("coalesce", text, exp.Literal.string("")).neq(""))
    start = midnight(asked.start) if asked.interval == "week" else _first(asked)
    period = _period(query, asked, events)
    done = events.select(
        actor.as_("actor"), period.as_("period"), since=start, until=asked.end, where=where
    ).group_by("1", "2")
    chosen = query.stickiness_filter
    if chosen is not None and chosen.stickiness_criteria is not None:
        least = chosen.stickiness_criteria
        count = exp.Count(this=exp.Star())
        done = done.having(
            COMPARE[least.operator](this=count, expression=number_literal(least.value))
        )
    active = exp.alias_(exp.Count(this=exp.Star()), "active")
    return exp.select("actor", active).from_(done.subquery("d")).group_by("actor")


def _actor(node: EventsNode, events: Events, series: int) -> Tree:
    """Return what is counted: persons, groups, or values of an expression."""
    attr = f"series[{series}]"
    if node.math not in MATHS:
        raise InvalidQuery(
            f"Stickiness cannot be of {node.math!r}.",
            hint="Leave math out, or use unique_group or hogql.",
            attr=f"{attr}.math",
        )
    if node.math == "hogql":
        if not node.math_hogql:
            raise InvalidQuery(
                "Math by an expression needs one.",
                hint="Give math_hogql.",
                attr=f"{attr}.math_hogql",
            )
        with expressions.written_in(f"{attr}.math_hogql"):
            return expressions.as_text(expressions.scalar(node.math_hogql, events), events)
    if node.math == "unique_group" and node.math_group_type_index is None:
        raise InvalidQuery(
            "Unique groups need a group type.",
            hint="Give math_group_type_index, 0 to 4.",
            attr=f"{attr}.math_group_type_index",
        )
    if node.math_group_type_index is not None:
        return events.group_key(node.math_group_type_index)
    return events.person_key()


def _period(query: StickinessQuery, asked: Range, events: Events) -> Tree:
    at = events.column("timestamp")
    if query.interval_count is None:
        return buckets.index(asked, at, events.dialect)
    if asked.interval == "month":
        return _months_back(asked, at, query.interval_count, events.values)
    return _back(asked, at, query.interval_count, events.dialect)


def _first(asked: Range) -> datetime:
    """Return the start of the first period; of a range that ends before it begins, its own."""
    return asked.buckets[0] if asked.buckets else asked.start


def _back(asked: Range, at: Tree, each: int, dialect: Dialect) -> Tree:
    """Return how many whole periods of ``each`` intervals lie between an event and the end."""
    length = SECONDS[asked.interval] * each * 1_000_000
    absolute = asked.interval in {"minute", "hour"}
    local = at if absolute else buckets.local_time(asked, at, dialect)
    end = asked.end if absolute else asked.end.replace(tzinfo=None)
    until = _microseconds(end)
    elapsed = number_literal(until) - dialect.microseconds(local)
    return exp.paren(dialect.whole(elapsed, length))


def _microseconds(at: datetime) -> int:
    """Return a time, or a wall clock without zone, as microseconds since 1970."""
    since = datetime(1970, 1, 1, tzinfo=None if at.tzinfo is None else UTC)
    return (at - since) // timedelta(microseconds=1)


def _months_back(asked: Range, at: Tree, each: int, values: Values) -> Tree:
    """The same for months, whose lengths differ: by the few edges inside the range."""
    edges = []
    edge = shifted(asked.end, "m", -each)
    while edge >= _first(asked):
        edges.append(edge)
        edge = shifted(asked.end, "m", -each * (len(edges) + 1))
    if not edges:
        return number_literal(0)
    branches = [
        exp.If(this=at.copy() > values.bind(edge), true=number_literal(k))
        for k, edge in enumerate(edges)
    ]
    return exp.Case(ifs=branches, default=number_literal(len(edges)))
