"""What a lifecycle is made of: when its actors were active, and when they were created."""

from datetime import datetime, timedelta

from sqlglot import exp

from hedgerow.model.projects import QueryContext
from hedgerow.query import buckets, filters
from hedgerow.query.dates import Range, next_bucket, shifted
from hedgerow.query.definitions_lifecycle import LifecycleQuery
from hedgerow.query.dialects import dialect_of
from hedgerow.query.sources import Events, Persons, at_event_time, group_type_name, table
from hedgerow.query.trees import Tree
from hedgerow.query.values import Values

LAST = timedelta(microseconds=1)
UNITS = {"minute": "M", "hour": "h", "day": "d", "week": "w", "month": "m"}


def active(
    query: LifecycleQuery, context: QueryContext, values: Values, asked: Range
) -> exp.Select:
    """Return (actor, period) of each event that counts, from the period before the range on."""
    series = query.series[0]
    events = Events(context, values, at_event=at_event_time(query.modifiers))
    since = shifted(asked.buckets[0], UNITS[asked.interval], -1)
    actor = _actor(query, events)
    where = filters.conditions(
        query.properties, events, test_accounts=query.filter_test_accounts
    )
    where += filters.conditions(series.filters(), events, path="series[0].properties")
    where.append(exp.not_(events.column("personless")))
    if series.event is not None:
        where.append(events.column("event").eq(values.bind(series.event)))
    if query.aggregation_group_type_index is not None:
        where.append(exp.func("coalesce", actor.copy(), exp.Literal.string("")).neq(""))
    at = events.column("timestamp")
    period = buckets.index(asked, at, events.dialect, since=since)
    return events.select(
        actor.as_("actor"),
        period.as_("period"),
        since=since,
        until=_until(asked),
        where=where,
    )


def _until(asked: Range) -> datetime:
    """Return the end of the last period, which may lie after ``to``; inclusive (§3.2)."""
    if asked.exact:
        return asked.end
    return shifted(next_bucket(asked.buckets[-1], asked.interval), "s", 0) - LAST


def _actor(query: LifecycleQuery, events: Events) -> Tree:
    index = query.aggregation_group_type_index
    return events.person_key() if index is None else events.group_key(index)


def created(
    query: LifecycleQuery, context: QueryContext, values: Values, asked: Range
) -> exp.Select:
    """Return (actor, created): the period in which each was created, if in the range."""
    index = query.aggregation_group_type_index
    if index is None:
        persons = Persons(context, values)
        dialect = persons.dialect
        at = persons.column("created_at")
        period = buckets.index(asked, at, dialect).as_("created")
        who = persons.person_key().as_("actor")
        return persons.select(who, period, where=_inside(at, asked, values))
    dialect = dialect_of(context)
    at = exp.column("created_at", table="g")
    period = buckets.index(asked, at, dialect)
    key = exp.column("key", table="g").as_("actor")
    rows = table("groups", "g", context, values, key, period.as_("created"))
    kind = values.bind(group_type_name(context, index))
    return rows.where(exp.column("type", table="g").eq(kind), *_inside(at, asked, values))


def _inside(at: Tree, asked: Range, values: Values) -> list[Tree]:
    begin, end = values.bind(asked.buckets[0]), values.bind(_until(asked))
    return [at.copy() >= begin, at.copy() <= end]
