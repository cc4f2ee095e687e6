"""Who is behind a point of a trend: the actors whose events made the figure (§10).

The events are those of the figure's own job, narrowed to a bucket and a value of the
breakdown, so the list is as long as the number where the number counts actors. For actives
they are the people of the whole window, for first times those who were counted, and in a
cumulative chart everyone up to the bucket.
"""

from datetime import UTC, timedelta

import msgspec
from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.insights.results import Behind
from hedgerow.insights.trend_jobs import Job, jobs_of, values_of
from hedgerow.insights.trend_statements import (
    Actives,
    actives_of,
    bucket,
    cells,
    columns,
    events_of,
    first_columns,
    first_events,
    last_days,
)
from hedgerow.model.projects import QueryContext
from hedgerow.query import aggregations
from hedgerow.query.breakdowns import OTHER, ranking, with_cells
from hedgerow.query.dates import Range, moment, next_bucket
from hedgerow.query.definitions import InsightActorsQuery, TrendsQuery
from hedgerow.query.trees import Tree, number_literal
from hedgerow.query.values import Values


def behind(asked: InsightActorsQuery, context: QueryContext, values: Values) -> Behind:
    """Return the actors behind one point: ``actor`` and ``event_count``.

    Raises InvalidQuery for a series or period that the trend does not have.
    """
    query = asked.source
    if not isinstance(query, TrendsQuery):
        raise TypeError(query)
    job = _job(asked, query, context)
    place = place_of(job.range, asked.day, context) if asked.day is not None else None
    rows = _rows(job, values, place, whole=asked.day is None)
    names = job.names()
    if asked.breakdown is not None and names:
        rows = _of_value(job, values, rows, _texts(asked, job))
    count = exp.alias_(exp.Sum(this=exp.column("events")), "event_count")
    found = exp.select("actor", count).from_(rows.subquery("w")).group_by("actor")
    return Behind(
        query=found,
        columns=("event_count",),
        group_type_index=aggregations.counts_groups(job.node),
    )


def _job(asked: InsightActorsQuery, query: TrendsQuery, context: QueryContext) -> Job:
    series, period = asked.series or 0, asked.compare or "current"
    jobs = [one for one in jobs_of(query, context) if one.series == series]
    if not jobs:
        raise InvalidQuery(
            f"There is no series {series}.",
            hint=f"The query has {len(query.series)}; the first is 0.",
            attr="source.series",
        )
    jobs = [one for one in jobs if one.period == period]
    if not jobs:
        raise InvalidQuery(
            "The query does not compare with a previous period.",
            hint='Ask for "compare": "current", or compare in the query.',
            attr="source.compare",
        )
    if jobs[0].cohort is None:
        return jobs[0]
    if asked.breakdown is None:
        return next((one for one in jobs if one.cohort == "all"), jobs[0])
    value = str(asked.breakdown)
    chosen = next((one for one in jobs if str(one.cohort) == value), None)
    if chosen is None:
        raise InvalidQuery(
            f"{asked.breakdown!r} is not a cohort of the breakdown.",
            hint='Use one of its ids, or "all".',
            attr="source.breakdown",
        )
    return chosen


def place_of(asked: Range, day: str | int, context: QueryContext) -> int | None:
    """Return the number of the bucket that holds a day or instant; None: none does."""
    at = moment(str(day), context, "source.day").at.astimezone(UTC)
    for place, start in enumerate(asked.buckets):
        end = next_bucket(start, asked.interval)
        if start.astimezone(UTC) <= at < end.astimezone(UTC):
            return place
    return None


def _rows(job: Job, values: Values, place: int | None, *, whole: bool) -> exp.Select:
    """Return one row for each value and actor: values, ``actor``, ``events``."""
    shape = aggregations.shape(job.node.math)
    actives = actives_of(job) if shape == "active" else None
    if shape == "active" and job.total():
        job = last_days(job)
    if actives is not None and not whole:
        return _grouped(_window(job, actives, place), values, [], of=job)
    if shape == "first":
        return _first(job, values, place, whole=whole)
    if whole or job.total():
        return _grouped(job, values, [])
    return _grouped(job, values, [place])


def _grouped(
    job: Job, values: Values, places: list[int | None], *, of: Job | None = None
) -> exp.Select:
    """Return the job's actors; ``of``: the job whose range the bins of a histogram span."""
    events = job.events(values)
    shown = values_of(of or job, events)
    who = exp.alias_(aggregations.actor(job.node, events), "actor")
    count = exp.alias_(exp.Count(this=exp.Star()), "events")
    query = events_of(job, events, *shown, who, count)
    query = query.where(*(_at(job, bucket(job, events), place) for place in places))
    return query.group_by(*first_columns(len(shown) + 1))


def _at(job: Job, number: Tree, place: int | None) -> Tree:
    """Return whether a bucket is the one asked for; up to it, where numbers run up."""
    if place is None:
        return exp.false()
    wanted = number_literal(place)
    return number <= wanted if job.cumulative() else number.eq(wanted)


def _first(job: Job, values: Values, place: int | None, *, whole: bool) -> exp.Select:
    rows = first_events(job, values)
    if not whole and not job.total():
        rows = rows.where(_at(job, exp.column("bucket"), place))
    once = exp.alias_(number_literal(1), "events")
    return exp.select(*columns([*job.names(), "actor"]), once).from_(rows.subquery("o"))


def _window(job: Job, actives: Actives, place: int | None) -> Job:
    """Return the job over the window that ends with a bucket (its first day, for weeks)."""
    asked = job.range
    if place is None:
        never = asked.end + timedelta(microseconds=1)
        return msgspec.structs.replace(
            job, range=msgspec.structs.replace(asked, lower=never)
        )
    start = asked.buckets[place]
    step = "day" if actives.sample > 1 else asked.interval
    after = next_bucket(start, step)
    if step in {"minute", "hour"}:
        length = timedelta(minutes=actives.width) if step == "minute" else None
        lower = after.astimezone(UTC) - (length or timedelta(hours=actives.width))
    else:
        lower = start - timedelta(days=actives.width - 1)
    end = min(after.astimezone(UTC) - timedelta(microseconds=1), asked.end.astimezone(UTC))
    narrowed = msgspec.structs.replace(asked, lower=lower, end=end.astimezone(asked.zone))
    return msgspec.structs.replace(job, range=narrowed)


def _texts(asked: InsightActorsQuery, job: Job) -> list[str]:
    """Return the value asked for, part by part. Raises InvalidQuery."""
    given = asked.breakdown
    parts = [str(one) for one in given] if isinstance(given, list) else [str(given)]
    if len(parts) != len(job.names()):
        raise InvalidQuery(
            f"{given!r} is not a value of this breakdown.",
            hint=f"It has {len(job.names())} parts.",
            attr="source.breakdown",
        )
    return parts


def _of_value(job: Job, values: Values, rows: exp.Select, wanted: list[str]) -> exp.Select:
    """Return the rows of one value; Other: of all values that the figure folds away."""
    names = job.names()
    if OTHER not in wanted:
        same = (
            exp.column(name, table="x").eq(values.bind(text))
            for name, text in zip(names, wanted, strict=True)
        )
        return exp.select("*").from_(rows.subquery("x")).where(*same)
    ranked = ranking(names, by_total=job.total())
    folded = exp.column("place", table="r") > number_literal(job.split.limit)
    both = exp.and_(
        *(exp.column(name, table="x").eq(exp.column(name, table="r")) for name in names)
    )
    query = exp.select("x.*").from_(rows.subquery("x"))
    query = query.join(ranked.subquery("r"), on=both).where(folded)
    return with_cells(query, cells(job, values))
