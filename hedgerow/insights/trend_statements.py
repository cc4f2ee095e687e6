"""The statement of one job of a trend: (values of the breakdown, bucket, number).

Every kind of math makes *cells*: a number for each value and bucket, with a weight that
says how much the cell adds to the value's total. Cells with a breakdown are then folded:
the largest values stay, the rest become Other.

Actives are told as changes: each person's days of activity are made into stretches in which
they count, and a stretch is +1 where it begins and -1 where it ends. The sum up to a day is
the number of people active on it, and it costs no more than the days people were there.
"""

from collections.abc import Sequence
from datetime import timedelta

import msgspec
from sqlglot import exp

from hedgerow.insights.trend_jobs import Job, matching, named, narrowed, values_of
from hedgerow.model.ports import Statement
from hedgerow.query import aggregations, breakdowns, buckets
from hedgerow.query.dates import Range
from hedgerow.query.sources import Events
from hedgerow.query.trees import Tree, number_literal, select
from hedgerow.query.values import Values

STEPS_A_DAY = {"minute": 1440, "hour": 24}
COARSER = {"weekly_active": {"week", "month"}, "monthly_active": {"month"}}
"""Intervals at which actives are simply the people of the bucket."""


class Actives(msgspec.Struct, frozen=True, kw_only=True):
    """How actives of a job are counted."""

    grid: Range
    """The range in the steps in which activity is noted: minutes, hours or days."""

    width: int
    """How many steps an activity lasts."""

    sample: int = 1
    """Every so many steps is a bucket: 7 where days are noted and weeks are shown."""


def statement(job: Job) -> Statement:
    """Return the statement of a job.

    Its columns are ``v0`` … as ``Job.names`` says, ``bucket`` (0 for total values) and
    ``value``; for actives over time values are changes (``changes``).
    """
    values = Values()
    names = job.names()
    found = cells(job, values)
    if names:
        tree = breakdowns.folded(found, names, job.split.limit, by_total=job.total())
    else:
        tree = select("bucket", "value").from_(found.subquery("c", copy=False), copy=False)
    return Statement(tree=tree, values=values.by_name)


def cells(job: Job, values: Values) -> exp.Query:
    """Return the cells of a job: values, ``bucket``, ``value``, ``weight``."""
    match aggregations.shape(job.node.math):
        case "active":
            if (actives := actives_of(job)) is not None:
                return _changes(job, actives, values)
            return _active_at_end(job, values) if job.total() else _plain(job, values)
        case "first":
            return _counted(job, first_events(job, values))
        case "per_actor":
            return _per_actor(job, values)
        case "plain":
            if aggregations.by_session(job.node):
                return _per_session(job, values)
            if job.cumulative() and job.node.math in {"dau", "unique_group"}:
                return _counted(job, _first_in_range(job, values))
            return _plain(job, values)


def changes(job: Job) -> bool:
    """Return whether the job's values are changes, to be summed up over its steps."""
    return aggregations.shape(job.node.math) == "active" and actives_of(job) is not None


def actives_of(job: Job) -> Actives | None:
    """Return how to count actives over time; None: as total value or people of the bucket."""
    math, interval = job.node.math or "", job.range.interval
    if job.total() or interval in COARSER[math]:
        return None
    days = aggregations.WINDOW_DAYS[math]
    if interval in STEPS_A_DAY:
        return Actives(grid=job.range, width=days * STEPS_A_DAY[interval])
    if interval == "day":
        return Actives(grid=job.range, width=days)
    grid = msgspec.structs.replace(job.range, interval="day")
    return Actives(grid=grid, width=days, sample=7)


def bucket(job: Job, events: Events) -> Tree:
    """Return the bucket of an event; 0 for total values."""
    if job.total():
        return number_literal(0)
    return buckets.index(job.range, events.column("timestamp"), events.dialect)


def columns(names: Sequence[str], table: str | None = None) -> list[exp.Column]:
    """Return columns by name."""
    return [exp.column(name, table=table) for name in names]


def first_columns(count: int) -> list[Tree]:
    """Return the first columns of the SELECT, by number, to group by."""
    return [number_literal(place + 1) for place in range(count)]


def _weighed(rows: exp.Query) -> exp.Query:
    """Return cells whose weight is their value."""
    weight = exp.alias_(exp.column("value"), "weight")
    return select(exp.Star(), weight).from_(rows.subquery("n", copy=False), copy=False)


def _plain(job: Job, values: Values) -> exp.Query:
    events = job.events(values)
    shown = [*values_of(job, events), exp.alias_(bucket(job, events), "bucket")]
    value = aggregations.measure(job.node, events, f"series[{job.series}]")
    query = events_of(job, events, *shown, exp.alias_(value, "value"))
    return _weighed(query.group_by(*first_columns(len(shown)), copy=False))


def events_of(job: Job, events: Events, *shown: Tree) -> exp.Select:
    """Return a SELECT over the job's own events."""
    return events.select(
        *shown,
        where=matching(job, events),
        since=job.range.lower,
        until=job.range.end,
    )


def _per_actor(job: Job, values: Values) -> exp.Query:
    """Count events per person in each cell, then aggregate the counts."""
    events = job.events(values)
    shown = [*values_of(job, events), exp.alias_(bucket(job, events), "bucket")]
    who = exp.alias_(aggregations.actor(job.node, events), "actor")
    count = exp.alias_(exp.Count(this=exp.Star()), "events")
    counts = events_of(job, events, *shown, who, count)
    counts = counts.group_by(*first_columns(len(shown) + 1))
    kind = (job.node.math or "").removesuffix("_count_per_actor")
    number = aggregations.over(kind, exp.column("events"), events.dialect)
    kept = columns([*job.names(), "bucket"])
    query = exp.select(*kept, exp.alias_(number, "value")).from_(counts.subquery("a"))
    return _weighed(query.group_by(*first_columns(len(kept)), copy=False))


def _per_session(job: Job, values: Values) -> exp.Query:
    """Take each session once in each cell, with the number of the whole of it."""
    events = job.events(values)
    shown = [*values_of(job, events), exp.alias_(bucket(job, events), "bucket")]
    told = events.property("session", job.node.math_property or "").number
    whole = exp.alias_(exp.Max(this=told), "whole")
    once = events_of(job, events, *shown, events.session_id().as_("session"), whole)
    once = once.group_by(*first_columns(len(shown) + 1))
    number = aggregations.over(job.node.math or "", exp.column("whole"), events.dialect)
    kept = columns([*job.names(), "bucket"])
    query = exp.select(*kept, exp.alias_(number, "value")).from_(once.subquery("o"))
    return _weighed(query.group_by(*first_columns(len(kept)), copy=False))


def _first_in_range(job: Job, values: Values) -> exp.Select:
    """Return the bucket in which each actor first appears."""
    events = job.events(values)
    shown = values_of(job, events)
    who = exp.alias_(aggregations.actor(job.node, events), "actor")
    first = exp.alias_(exp.Min(this=bucket(job, events)), "bucket")
    query = events_of(job, events, *shown, who, first)
    return query.group_by(*first_columns(len(shown) + 1))


def _counted(job: Job, rows: exp.Query) -> exp.Query:
    """Return the number of rows in each cell."""
    kept = columns([*job.names(), "bucket"])
    count = exp.alias_(exp.Count(this=exp.Star()), "value")
    query = exp.select(*kept, count).from_(rows.subquery("f"))
    return _weighed(query.group_by(*first_columns(len(kept)), copy=False))


def first_events(job: Job, values: Values) -> exp.Select:
    """Return the first event of everyone who counts: values, ``bucket``, ``actor``.

    The earliest matching event of the range counts if it is also the earliest of its name
    (or, for first matching events, the earliest that matches) of all time.
    """
    events = job.events(values)
    ever = job.events(values)
    conditions = named(job, ever)
    if job.node.math == "first_matching_event_for_user":
        conditions += narrowed(job, ever)
    earliest = ever.select(
        ever.person_key().as_("person_key"),
        exp.alias_(exp.Min(this=ever.column("timestamp")), "at"),
        where=conditions,
        since=None,
        until=job.range.end,
    ).group_by(number_literal(1))
    same = exp.and_(
        exp.column("person_key", table="f").eq(events.person_key()),
        exp.column("at", table="f").eq(events.column("timestamp")),
    )
    events.join("f", earliest, same)
    shown = values_of(job, events)
    turn = exp.Window(
        this=exp.RowNumber(),
        partition_by=[events.person_key(), *_cohort_of(job)],
        order=exp.Order(expressions=[events.column("uuid")]),
    )
    rows = events_of(
        job,
        events,
        *shown,
        exp.alias_(bucket(job, events), "bucket"),
        events.person_key().as_("actor"),
        exp.alias_(turn, "turn"),
    )
    kept = columns([*job.names(), "bucket", "actor"])
    return (
        exp.select(*kept)
        .from_(rows.subquery("r"))
        .where(exp.column("turn").eq(number_literal(1)))
    )


def _cohort_of(job: Job) -> list[Tree]:
    """Return the cohort an event was joined with, if any: one event counts in each."""
    several = job.split.cohorts and job.cohort is None
    return [exp.column("cohort", table="c")] if several else []


def _active_at_end(job: Job, values: Values) -> exp.Query:
    """Count the people of the last days of the range, whatever its start."""
    return _plain(last_days(job), values)


def last_days(job: Job) -> Job:
    """Return the job over the window that ends with the range, unless that is empty."""
    if job.range.start > job.range.end:
        return job
    days = aggregations.WINDOW_DAYS[job.node.math or ""]
    after = job.range.end - timedelta(days=days) + timedelta(microseconds=1)
    return msgspec.structs.replace(
        job, range=msgspec.structs.replace(job.range, lower=after, start=after)
    )


def reach(actives: Actives) -> Range:
    """Return the range from which activity still counts in the first bucket."""
    grid = actives.grid
    first = grid.buckets[0] if grid.buckets else grid.start
    unit = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1)}
    step = unit.get(grid.interval, timedelta(days=1))
    return msgspec.structs.replace(grid, lower=first - step * (actives.width - 1))


def _changes(job: Job, actives: Actives, values: Values) -> exp.Query:
    """Return +1 where somebody becomes active and -1 where they no longer are."""
    events = job.events(values)
    wide = msgspec.structs.replace(job, range=reach(actives))
    shown = values_of(job, events)
    step = buckets.index(wide.range, events.column("timestamp"), events.dialect)
    who = exp.alias_(aggregations.actor(job.node, events), "actor")
    days = events_of(wide, events, *shown, who, exp.alias_(step, "step")).distinct()
    names = job.names()
    following = exp.Window(
        this=exp.Lead(this=events.dialect.nullable(exp.column("step"))),
        partition_by=columns([*names, "actor"]),
        order=exp.Order(expressions=[exp.column("step")]),
    )
    kept = columns([*names, "step"])
    stretches = exp.select(*kept, exp.alias_(following, "following")).from_(
        days.subquery("d")
    )
    spans = _clipped(stretches, names, actives)
    begin = _change(spans, names, "begins", 1, actives)
    end = _change(spans.copy(), names, "ends", -1, actives)
    return exp.union(begin, end, distinct=False)


def _clipped(stretches: exp.Query, names: Sequence[str], actives: Actives) -> exp.Select:
    """Return where each stretch begins and ends inside the range, in steps."""
    steps = len(actives.grid.buckets) * actives.sample
    step = exp.column("step")
    lasting = step.copy() + number_literal(actives.width)
    following = exp.func("coalesce", exp.column("following"), lasting.copy())
    begin = exp.func(
        "least", exp.func("greatest", step, number_literal(0)), number_literal(steps)
    )
    end = exp.func("greatest", exp.func("least", lasting, following), number_literal(0))
    return exp.select(
        *columns(names),
        exp.alias_(begin, "begins"),
        exp.alias_(exp.func("least", end, number_literal(steps)), "ends"),
    ).from_(stretches.subquery("s"))


def _change(
    spans: exp.Query, names: Sequence[str], where: str, sign: int, actives: Actives
) -> exp.Select:
    """Return a change for each stretch; its weight is the number of buckets it covers."""
    at = exp.column(where)
    weight: Tree = number_literal(0)
    if sign > 0:
        weight = exp.Sum(
            this=exp.paren(_samples("ends", actives) - _samples("begins", actives))
        )
    count = exp.Count(this=exp.Star())
    value = count if sign > 0 else exp.Neg(this=count)
    query = exp.select(
        *columns(names),
        exp.alias_(at, "bucket"),
        exp.alias_(value, "value"),
        exp.alias_(weight, "weight"),
    )
    query = query.from_(spans.subquery("p"))
    return query.group_by(*first_columns(len(names) + 1))


def _samples(column: str, actives: Actives) -> Tree:
    """Return how many buckets begin before a step."""
    if actives.sample == 1:
        return exp.column(column)
    more = exp.column(column) + number_literal(actives.sample - 1)
    return exp.func("floor", exp.paren(more) / number_literal(actives.sample))
