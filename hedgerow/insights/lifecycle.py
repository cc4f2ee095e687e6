"""Lifecycle: in each period, who is new, came back, woke up, or fell asleep.

The algorithm of ``insights-retention-cohorts`` §3.2: an actor's periods with activity are
put in order; what a period *is* depends on the one before, and an actor whose next period
is empty is dormant in it. One period before the range is read, so that the first one knows
who was there. ``created_at`` decides who is new, not the first event seen.

Most ranges fit into masks (``lifecycle_masks``); longer ones are told by windows here.
"""

from typing import Any

from sqlglot import exp

from hedgerow.insights import lifecycle_masks
from hedgerow.insights.lifecycle_events import active, created
from hedgerow.insights.lifecycle_masks import (
    DORMANT,
    NEW,
    RESURRECTING,
    RETURNING,
    STATUSES,
)
from hedgerow.model.ports import Rows, Statement
from hedgerow.model.projects import QueryContext
from hedgerow.query import buckets
from hedgerow.query.dates import Range, resolve
from hedgerow.query.definitions_lifecycle import LifecycleQuery
from hedgerow.query.dialects import Dialect, dialect_of
from hedgerow.query.trees import Tree, number_literal
from hedgerow.query.values import Values


def statements(query: LifecycleQuery, context: QueryContext) -> list[Statement]:
    """Return one statement: (period, status, actors), a row for each that occurs.

    None where no period is asked for.
    """
    values, asked = Values(), _range(query, context)
    if not asked.buckets:  # the range ends before it begins
        return []
    if lifecycle_masks.fits(asked, context):
        tree = lifecycle_masks.counted(query, context, values, asked)
        return [Statement(tree=tree, values=values.by_name)]
    counted = exp.select(
        "period", "status", exp.alias_(exp.Count(this=exp.Star()), "actors")
    ).from_(_statuses(query, context, values).subquery("s"))
    return [Statement(tree=counted.group_by("period", "status"), values=values.by_name)]


def result(
    query: LifecycleQuery, context: QueryContext, answers: list[Rows]
) -> dict[str, Any]:
    """Return the four rows of §3.3 as ``results``; dormant counts are negative."""
    asked = _range(query, context)
    rows = answers[0].rows if answers else ()
    counts = {(status, period): actors for period, status, actors in rows}
    name = query.series[0].event
    label = "All events" if name is None else name
    action = {"id": name, "name": label, "type": "events", "order": 0, "math": "total"}
    told = []
    for status, word in enumerate(STATUSES):
        sign = -1 if status == DORMANT else 1
        data = [sign * counts.get((status, i), 0) for i in range(len(asked.buckets))]
        told.append(
            {
                "status": word,
                "label": f"{label} - {word}",
                "data": data,
                "count": sum(data),
                "days": buckets.days(asked),
                "labels": _labels(asked),
                "action": action,
            }
        )
    ends = {"date_from": buckets.iso(asked.start), "date_to": buckets.iso(asked.end)}
    return {"results": told, "resolved_date_range": ends}


def people(
    query: LifecycleQuery,
    context: QueryContext,
    values: Values,
    *,
    period: int,
    status: str,
) -> exp.Query:
    """Return the actors of one status in one period, as ``actor``."""
    asked = _range(query, context)
    if lifecycle_masks.fits(asked, context):
        return lifecycle_masks.people(
            query, context, values, asked, period=period, status=status
        )
    wanted = exp.and_(
        exp.column("period").eq(number_literal(period)),
        exp.column("status").eq(number_literal(STATUSES.index(status))),
    )
    rows = _statuses(query, context, values).subquery("s")
    return exp.select("actor").from_(rows).where(wanted)


def _range(query: LifecycleQuery, context: QueryContext) -> Range:
    return resolve(query.date_range, context, interval=query.interval or "day")


def _labels(asked: Range) -> list[str]:
    """Weeks and months are named by their start, hours with their year (§3.3)."""
    clock = " %H:%M" if asked.interval == "hour" else ""
    return [
        f"{at.day}-{buckets.MONTHS[at.month - 1]}-{at.year}{at.strftime(clock)}"
        for at in asked.buckets
    ]


def _statuses(query: LifecycleQuery, context: QueryContext, values: Values) -> exp.Query:
    """Return (actor, period, status) of every actor in every period of the range."""
    asked, dialect = _range(query, context), dialect_of(context)
    active_ = active(query, context, values, asked).group_by("1", "2").subquery("a")
    known = exp.select(
        "actor",
        "period",
        _beside(exp.Lag, dialect).as_("before"),
        _beside(exp.Lead, dialect).as_("after"),
    ).from_(active_)
    born = created(query, context, values, asked).subquery("c")
    period, before = exp.column("period", table="k"), exp.column("before", table="k")
    first = _is_null(before)
    status = exp.Case(
        ifs=[
            exp.If(
                this=exp.and_(first, exp.column("created", table="c").eq(period)),
                true=number_literal(NEW),
            ),
            exp.If(
                this=before.copy().eq(period.copy() - number_literal(1)),
                true=number_literal(RETURNING),
            ),
        ],
        default=number_literal(RESURRECTING),
    )
    actor = exp.column("actor", table="k")
    same = exp.column("actor", table="c").eq(actor)
    awake = (
        exp.select(actor.as_("actor"), period.as_("period"), status.as_("status"))
        .from_(known.subquery("k"))
        .join(born, on=same, join_type="left")
    )
    return _within(exp.union(awake, _asleep(known), distinct=False), asked)


def _asleep(known: exp.Select) -> exp.Select:
    """Return who is dormant in the period after one with activity."""
    following = exp.column("period", table="k") + number_literal(1)
    after = exp.column("after", table="k")
    return (
        exp.select(
            exp.column("actor", table="k").as_("actor"),
            following.as_("period"),
            number_literal(DORMANT).as_("status"),
        )
        .from_(known.copy().subquery("k"))
        .where(exp.or_(_is_null(after), after.copy() > following.copy()))
    )


def _within(rows: exp.Query, asked: Range) -> exp.Select:
    period = exp.column("period", table="r")
    last = number_literal(len(asked.buckets) - 1)
    inside = exp.and_(period >= number_literal(0), period.copy() <= last)
    return exp.select("actor", "period", "status").from_(rows.subquery("r")).where(inside)


def _beside(neighbour: type[exp.Lag | exp.Lead], dialect: Dialect) -> exp.Window:
    """Return the period before or after, of the same actor."""
    order = exp.Order(expressions=[exp.Ordered(this=exp.column("period"))])
    found = neighbour(this=dialect.nullable(exp.column("period")))
    return exp.Window(this=found, partition_by=[exp.column("actor")], order=order)


def _is_null(column: exp.Column) -> Tree:
    return exp.Is(this=column.copy(), expression=exp.null())
