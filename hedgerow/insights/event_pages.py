"""Whole events, page after page: what the explorer lists and an export writes.

An export reads by key, not by offset: each page begins behind the last event of the one
before, so that nothing is told twice or left out while new events come in.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlglot import exp

from hedgerow.insights.listings import utc
from hedgerow.model import tables
from hedgerow.model.ports import Rows, Statement
from hedgerow.model.projects import QueryContext
from hedgerow.query import filters
from hedgerow.query.dates import moment
from hedgerow.query.definitions_filters import PropertyFilter
from hedgerow.query.sources import Events, table
from hedgerow.query.trees import Tree
from hedgerow.query.values import Values

_DECODE = msgspec.json.Decoder(dict[str, Any]).decode


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which events; None: whichever."""

    event: str | None = None
    uuid: str | None = None
    distinct_id: str | None = None
    person_id: str | None = None
    after: str | None = None
    """A date text, absolute or relative; exclusive."""

    before: str | None = None
    properties: Sequence[PropertyFilter] = ()


class Key(msgspec.Struct, frozen=True):
    """Where a page ends: time and uuid of its last event."""

    at: datetime
    uuid: str


def newest(
    wanted: Wanted, context: QueryContext, *, limit: int, offset: int, oldest_first: bool
) -> Statement:
    """Return a statement for one page of events with their persons."""
    events = Events(context, Values())
    query = _select(wanted, events, context)
    query = _ordered(query, events, descending=not oldest_first)
    return Statement(tree=query.limit(limit).offset(offset), values=events.values.by_name)


def onward(
    wanted: Wanted, context: QueryContext, *, behind: Key | None, limit: int
) -> Statement:
    """Return a statement for the next events behind a key, oldest first."""
    events = Events(context, Values())
    more = [] if behind is None else [_behind(behind, events)]
    query = _ordered(_select(wanted, events, context, more), events, descending=False)
    return Statement(tree=query.limit(limit), values=events.values.by_name)


def key_of(row: tuple[Any, ...]) -> Key:
    """Return the key of a row of either statement."""
    return Key(row[3], row[0])


def ids_of(person_keys: Sequence[int], context: QueryContext) -> Statement:
    """Return a statement for (person key, distinct id) of some persons."""
    values = Values()
    names = ("person_key", "distinct_id")
    columns = [exp.column(name, table="d") for name in names]
    query = table(tables.DISTINCT_IDS.name, "d", context, values, *columns)
    wanted = [values.bind(key) for key in person_keys]
    query = query.where(exp.In(this=columns[0].copy(), expressions=wanted))
    return Statement(tree=query.order_by(columns[1].copy()), values=values.by_name)


def result(rows: Rows, ids: Rows | None) -> list[dict[str, Any]]:
    """Return events as they are shown; ``ids`` answers ``ids_of`` their persons."""
    named: dict[int, list[str]] = {}
    for key, distinct_id in ids.rows if ids else ():
        named.setdefault(key, []).append(distinct_id)
    return [_shown(row, named) for row in rows.rows]


def exported(row: tuple[Any, ...]) -> dict[str, Any]:
    """Return an event as an import takes it again."""
    uuid, event, distinct_id, at, properties = row[:5]
    return {
        "uuid": uuid,
        "event": event,
        "distinct_id": distinct_id,
        "timestamp": utc(at),
        "properties": msgspec.Raw(properties.encode()),
    }


def persons_in(rows: Rows) -> list[int]:
    """Return the keys of the persons in some rows, each once."""
    return sorted({row[5] for row in rows.rows if row[6] is not None})


def _select(
    wanted: Wanted, events: Events, context: QueryContext, more: Sequence[Tree] = ()
) -> exp.Select:
    person = exp.cast(events.person_column("uuid"), "text")
    conditions = [*_conditions(wanted, events, context, person), *more]
    return events.select(
        exp.cast(events.column("uuid"), "text").as_("uuid"),
        events.column("event"),
        events.column("distinct_id"),
        events.column("timestamp"),
        events.column("properties"),
        events.column("person_key"),
        person.copy().as_("person_id"),
        events.person_column("properties").as_("person_properties"),
        events.person_column("is_identified"),
        events.column("personless"),
        since=None,
        until=None,
        where=conditions,
    )


def _conditions(
    wanted: Wanted, events: Events, context: QueryContext, person: Tree
) -> list[Tree]:
    values = events.values
    found: list[Tree] = []
    for name in ("event", "distinct_id"):
        value = getattr(wanted, name)
        if value is not None:
            found.append(events.column(name).eq(values.bind(value)))
    if wanted.uuid is not None:
        uuid = exp.cast(values.bind(wanted.uuid), "uuid")
        found.append(events.column("uuid").eq(uuid))
    if wanted.person_id is not None:
        found.append(person.copy().eq(values.bind(wanted.person_id.lower())))
    if wanted.after is not None:
        at = moment(wanted.after, context, "after").at
        found.append(events.column("timestamp") > values.bind(at))
    if wanted.before is not None:
        at = moment(wanted.before, context, "before").at
        found.append(events.column("timestamp") < values.bind(at))
    return found + filters.conditions(list(wanted.properties), events)


def _behind(key: Key, events: Events) -> Tree:
    at, uuid = events.column("timestamp"), events.column("uuid")
    later = at > events.values.bind(key.at)
    same = at.copy().eq(events.values.bind(key.at))
    return exp.or_(
        later, exp.and_(same, uuid > exp.cast(events.values.bind(key.uuid), "uuid"))
    )


def _ordered(query: exp.Select, events: Events, *, descending: bool) -> exp.Select:
    return query.order_by(
        exp.Ordered(this=events.column("timestamp"), desc=descending),
        exp.Ordered(this=events.column("uuid"), desc=descending),
    )


def _shown(row: tuple[Any, ...], named: Mapping[int, list[str]]) -> dict[str, Any]:
    uuid, event, distinct_id, at, properties, key, person_id = row[:7]
    person_properties, is_identified, personless = row[7:]
    person = None
    if person_id is not None and not personless:
        person = {
            "uuid": person_id,
            "distinct_ids": named.get(key, []),
            "properties": _DECODE(person_properties),
            "is_identified": is_identified,
        }
    known = _DECODE(properties)
    return {
        "uuid": uuid,
        "id": uuid,
        "event": event,
        "distinct_id": distinct_id,
        "timestamp": utc(at),
        "properties": known,
        "person": person,
        "elements": [],
        "elements_chain": str(known.get("$elements_chain") or ""),
    }
