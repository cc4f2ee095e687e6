"""Plain lists of what is kept: one person, groups, event names, warnings.

Not questions with a definition of their own, but what the explorer pages and their routes
show. Pure like the insights: statements in, rows out, always bounded by project.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlglot import exp

from hedgerow.model import tables
from hedgerow.model.ports import Rows, Statement
from hedgerow.model.projects import Cohort, Project, QueryContext
from hedgerow.query.cohorts import members
from hedgerow.query.dialects import dialect_of
from hedgerow.query.sources import Events, Persons, table
from hedgerow.query.trees import Tree
from hedgerow.query.values import Values

DISPLAYED = ("email", "Email", "name", "Name", "username", "Username")
"""Properties that people are shown by, unless the project names others."""

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DECODE = msgspec.json.Decoder(dict[str, Any]).decode


def person(person_id: str, context: QueryContext) -> Statement:
    """Return a statement for the person with this id or distinct id, at most one row."""
    values = Values()
    persons = Persons(context, values)
    named = table(
        tables.DISTINCT_IDS.name, "d", context, values, exp.column("person_key", table="d")
    ).where(exp.column("distinct_id", table="d").eq(values.bind(person_id)))
    condition: Tree = exp.In(this=persons.person_key(), query=named.subquery())
    if _UUID.fullmatch(person_id):
        uuid = exp.cast(values.bind(person_id.lower()), "uuid")
        condition = exp.or_(persons.column("uuid").eq(uuid), condition)
    columns = ("person_key", "created_at", "is_identified", "properties")
    query = persons.select(
        exp.cast(persons.column("uuid"), "text").as_("uuid"),
        *(persons.column(name) for name in columns),
        where=[condition],
    )
    return Statement(tree=query.limit(1), values=values.by_name)


def distinct_ids(person_key: int, context: QueryContext) -> Statement:
    """Return a statement for all distinct ids of a person, in the order of their names."""
    values = Values()
    column = exp.column("distinct_id", table="d")
    query = table(tables.DISTINCT_IDS.name, "d", context, values, column).where(
        exp.column("person_key", table="d").eq(values.bind(person_key))
    )
    return Statement(tree=query.order_by(column.copy()), values=values.by_name)


def history(person_key: int, context: QueryContext, *, limit: int) -> Statement:
    """Return a statement for a person's states, newest first: (at, event uuid, properties)."""
    values = Values()
    columns = [
        exp.column("at", table="s"),
        exp.cast(exp.column("event_uuid", table="s"), "text").as_("event_uuid"),
        exp.column("properties", table="s"),
    ]
    query = table(tables.PERSON_STATES.name, "s", context, values, *columns)
    query = query.where(exp.column("person_key", table="s").eq(values.bind(person_key)))
    newest = exp.column("id", table="s").desc()
    return Statement(tree=query.order_by(newest).limit(limit), values=values.by_name)


def changes(rows: Sequence[tuple[Any, ...]]) -> list[dict[str, Any]]:
    """Return what changed from state to state, newest first; ``rows`` are those of ``history``.

    Each has ``property``, ``before`` and ``after`` (absent where there was no value), ``at``
    and the uuid of the event that changed it (null: a person or an import did).
    """
    states = [(utc(at), event, _DECODE(properties)) for at, event, properties in rows]
    told = []
    for i, (at, event, after) in enumerate(states):
        before = states[i + 1][2] if i + 1 < len(states) else {}
        for name in sorted(before.keys() | after.keys()):
            if name in before and name in after and before[name] == after[name]:
                continue
            change: dict[str, Any] = {"property": name, "at": at, "event_uuid": event}
            change |= {"before": before[name]} if name in before else {}
            change |= {"after": after[name]} if name in after else {}
            told.append(change)
    return told


def last_seen(uuids: Sequence[str], context: QueryContext) -> Statement:
    """Return a statement for (person's uuid, time of the last event) of some persons."""
    values = Values()
    events = Events(context, values)
    uuid = exp.cast(events.person_column("uuid"), "text")
    wanted = exp.In(this=uuid.copy(), expressions=[values.bind(one) for one in uuids])
    query = events.select(
        uuid.as_("uuid"),
        exp.Max(this=events.column("timestamp")).as_("last_seen_at"),
        since=None,
        until=None,
        where=[wanted],
    )
    return Statement(tree=query.group_by(uuid.copy()), values=values.by_name)


def cohort_people(cohort: Cohort, context: QueryContext) -> Statement:
    """Return a statement for the uuids of everyone in a cohort now."""
    values = Values()
    persons = Persons(context, values)
    inside = members(cohort, context, values).subquery()
    query = persons.select(
        exp.cast(persons.column("uuid"), "text").as_("uuid"),
        where=[exp.In(this=persons.person_key(), query=inside)],
    )
    return Statement(tree=query, values=values.by_name)


def cohort_size(cohort: Cohort, context: QueryContext) -> Statement:
    """Return a statement for how many persons are in a cohort now."""
    people = cohort_people(cohort, context)
    counted = exp.select(exp.Count(this=exp.Star()).as_("size"))
    return Statement(tree=counted.from_(people.tree.subquery("c")), values=people.values)


def groups(
    type_name: str,
    context: QueryContext,
    *,
    key: str | None = None,
    search: str = "",
    limit: int = 100,
    offset: int = 0,
) -> Statement:
    """Return a statement for groups of a type, newest first; ``key``: that one only.

    ``search``: part of the key or of the property ``name``, ignoring case.
    """
    values = Values()
    dialect = dialect_of(context)
    names = ("key", "created_at", "updated_at", "properties")
    columns = [exp.column(name, table="g") for name in names]
    query = table(tables.GROUPS.name, "g", context, values, *columns)
    query = query.where(exp.column("type", table="g").eq(values.bind(type_name)))
    if key is not None:
        query = query.where(columns[0].copy().eq(values.bind(key)))
    if search:
        part = values.bind(search)
        shown = dialect.json_text(exp.column("properties", table="g"), "name")
        held = dialect.contains(columns[0].copy(), part)
        query = query.where(exp.or_(held, dialect.contains(shown, part.copy())))
    newest = (exp.Ordered(this=columns[1].copy(), desc=True), columns[0].copy())
    query = query.order_by(*newest).limit(limit).offset(offset)
    return Statement(tree=query, values=values.by_name)


def event_names(context: QueryContext) -> Statement:
    """Return a statement for every event seen: name, first, last, volume; most first."""
    values = Values()
    names = ("event", "first_seen", "last_seen", "volume")
    columns = [exp.column(name, table="n") for name in names]
    query = table(tables.EVENT_NAMES.name, "n", context, values, *columns)
    volume = exp.Ordered(this=columns[3].copy(), desc=True)
    return Statement(tree=query.order_by(volume, columns[0].copy()), values=values.by_name)


def warnings(context: QueryContext, *, limit: int = 100, offset: int = 0) -> Statement:
    """Return a statement for warnings of the writer, latest first, alike ones together."""
    values = Values()
    names = ("type", "details", "event_uuid", "distinct_id")
    columns = [exp.column(name, table="w") for name in names]
    latest = exp.Max(this=exp.column("at", table="w", quoted=True))
    query = table(
        tables.WARNINGS.name,
        "w",
        context,
        values,
        columns[0],
        columns[1],
        exp.Max(this=exp.cast(columns[2], "text")).as_("event_uuid"),
        exp.Max(this=columns[3]).as_("distinct_id"),
        latest.as_("last_at"),
        exp.Count(this=exp.Star()).as_("count"),
    )
    query = query.group_by(columns[0].copy(), columns[1].copy())
    order = exp.Ordered(this=latest.copy(), desc=True)
    query = query.order_by(order, columns[0].copy()).limit(limit).offset(offset)
    return Statement(tree=query, values=values.by_name)


def person_result(
    row: tuple[Any, ...], ids: Rows, seen: Rows, project: Project
) -> dict[str, Any]:
    """Return a person as it is shown, from the answers of the statements above."""
    uuid, _, created_at, is_identified, properties = row
    found = [one for (one,) in ids.rows]
    known = _DECODE(properties)
    return {
        "id": uuid,
        "uuid": uuid,
        "name": display_name(known, found, project),
        "distinct_ids": found,
        "properties": known,
        "created_at": utc(created_at),
        "last_seen_at": utc(seen.rows[0][1]) if seen.rows else None,
        "is_identified": is_identified,
    }


def groups_result(rows: Rows, type_name: str, index: int | None) -> list[dict[str, Any]]:
    """Return groups as they are shown."""
    return [
        {
            "group_type": type_name,
            "group_type_index": index,
            "group_key": key,
            "group_properties": _DECODE(properties),
            "created_at": utc(created_at),
            "updated_at": utc(updated_at),
        }
        for key, created_at, updated_at, properties in rows.rows
    ]


def warnings_result(rows: Rows) -> list[dict[str, Any]]:
    """Return warnings as they are shown."""
    names = ("type", "details", "event_uuid", "distinct_id", "timestamp", "count")
    found = [dict(zip(names, row, strict=True)) for row in rows.rows]
    return [{**one, "timestamp": utc(one["timestamp"])} for one in found]


def display_name(
    properties: dict[str, Any], distinct_ids: Sequence[str], project: Project
) -> str:
    """Return what a person is shown by: a property of theirs, else an id."""
    for name in project.person_display_properties or DISPLAYED:
        value = properties.get(name)
        if isinstance(value, str | int | float) and value != "":
            return str(value)
    return distinct_ids[0] if distinct_ids else ""


def utc(at: datetime | None) -> datetime | None:
    """Return a time of the events database, which is UTC without saying so."""
    return at if at is None or at.tzinfo else at.replace(tzinfo=UTC)
