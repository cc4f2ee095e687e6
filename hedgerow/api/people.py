"""Persons and groups: import, find, change, merge, split, delete."""

import functools
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from hedgerow.api.callers import Caller
from hedgerow.api.endpoints import Listing, Page, Search, listing
from hedgerow.api.filters import filters_of
from hedgerow.errors import InvalidInput, NotFound
from hedgerow.insights import listings
from hedgerow.insights.beforehand import filled
from hedgerow.meta import audit, contexts
from hedgerow.model.ports import Rows, Statement
from hedgerow.model.projects import QueryContext

TIMEOUT_S = 30.0
MOST_STATES = 1_000
"""States of a person that are looked back at."""


class PersonSearch(Search, frozen=True, forbid_unknown_fields=True):
    """Which persons."""

    distinct_id: str | None = None
    email: str | None = None
    cohort: int | None = None
    properties: str | None = None
    """A JSON list of property filters."""


class Import(msgspec.Struct):
    """What an import came to."""

    created: int
    updated: int
    merged: int
    failed: int
    errors: list[dict[str, Any]]


class PropertyChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What changes about a person or a group."""

    properties: dict[str, Any] = msgspec.field(default_factory=dict)
    """To be set; null is stored."""

    unset: list[str] = msgspec.field(default_factory=list)
    """Names to be removed."""


class Merge(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Persons that are one: ids of persons, which ``target`` takes over."""

    target: str
    sources: list[str]
    preview: bool = False
    """Only show what would come of it."""


class Split(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which distinct id keeps the properties; none: nobody."""

    main_distinct_id: str | UnsetType = UNSET


class Deletion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether what they did goes too."""

    delete_events: bool = False


def import_persons(caller: Caller, body: bytes, _params: None) -> Import:
    """Import persons, one JSON object a line."""
    found = caller.parts.import_lines(caller.project.id, "persons", body)
    return msgspec.convert(found, Import)


def import_groups(caller: Caller, body: bytes, _params: None) -> Import:
    """Import groups, one JSON object a line."""
    found = caller.parts.import_lines(caller.project.id, "groups", body)
    return msgspec.convert(found, Import)


def list_persons(caller: Caller, _body: None, page: PersonSearch) -> Listing:
    """List persons, newest first."""
    filters = filters_of(page.properties)
    if page.email is not None:
        filters.append({"key": "email", "type": "person", "value": [page.email]})
    asked = {
        "search": page.search or None,
        "cohort": page.cohort,
        "distinctId": page.distinct_id,
        "properties": filters or None,
    }
    results, more = persons_where(caller, page, asked)
    return listing(caller.url, page, results, total=None, more=more)


def read_person(
    caller: Caller, _body: None, _params: None, *, person_id: str
) -> Mapping[str, Any]:
    """Show a person, by id or by distinct id."""
    return person(caller, person_id)


def change_person(
    caller: Caller, body: PropertyChange, _params: None, *, person_id: str
) -> Mapping[str, Any]:
    """Set and unset properties of a person."""
    uuid = person(caller, person_id)["id"]
    _asked(
        caller,
        "changed",
        ("person", uuid),
        {"do": "patch_person", "person": uuid, "set": body.properties, "unset": body.unset},
    )
    return person(caller, uuid)


def delete_person(caller: Caller, _body: None, params: Deletion, *, person_id: str) -> None:
    """Delete a person, with ``delete_events`` also what they did."""
    uuid = person(caller, person_id)["id"]
    _asked(
        caller,
        "deleted",
        ("person", uuid),
        {"do": "delete_person", "person": uuid, "with_events": params.delete_events},
    )


def delete_with_receipt(
    caller: Caller, body: Deletion, _params: None, *, person_id: str
) -> Mapping[str, Any]:
    """Delete a person and answer with a receipt: what went, and when."""
    uuid = person(caller, person_id)["id"]
    return _asked(
        caller,
        "deleted",
        ("person", uuid),
        {"do": "delete_person", "person": uuid, "with_events": body.delete_events},
    )


def read_history(caller: Caller, _body: None, page: Page, *, person_id: str) -> Listing:
    """List how a person's properties changed, newest first, with the events that did it."""
    context, key = context_of(caller), _key(caller, person_id)
    rows = run(caller, listings.history(key, context, limit=MOST_STATES)).rows
    changes = listings.changes(rows)
    shown = changes[page.offset : page.offset + page.limit]
    more = len(changes) > page.offset + page.limit
    return listing(caller.url, page, shown, total=len(changes), more=more)


def split_person(
    caller: Caller, body: Split, _params: None, *, person_id: str
) -> Mapping[str, Any]:
    """Give each distinct id of a person a person of its own."""
    uuid = person(caller, person_id)["id"]
    wanted: dict[str, Any] = {"do": "split", "person": uuid}
    if body.main_distinct_id is not UNSET:
        wanted["main_distinct_id"] = body.main_distinct_id
    return _asked(caller, "split", ("person", uuid), wanted)


def merge_persons(caller: Caller, body: Merge, _params: None) -> Mapping[str, Any]:
    """Make persons one; ``target`` wins where they contradict each other."""
    if not body.sources:
        raise InvalidInput(
            "Nobody to merge is named.", hint="Give 'sources'.", attr="sources"
        )
    target = person(caller, body.target)["id"]
    sources = [person(caller, one)["id"] for one in body.sources]
    if body.preview:
        return _united(caller, [target, *sources])
    _asked(
        caller,
        "merged",
        ("person", target),
        {"do": "merge", "target": target, "sources": sources},
    )
    return person(caller, target)


def _united(caller: Caller, ids: list[str]) -> Mapping[str, Any]:
    """Return who a merge would make: the first one's properties win, the earliest time."""
    people = [person(caller, one) for one in dict.fromkeys(ids)]
    properties: dict[str, Any] = {}
    for one in reversed(people):
        properties |= one["properties"]
    return {
        **people[0],
        "properties": properties,
        "distinct_ids": sorted({name for one in people for name in one["distinct_ids"]}),
        "created_at": min(one["created_at"] for one in people),
        "is_identified": True,
        "preview": True,
    }


def person(caller: Caller, person_id: str) -> Mapping[str, Any]:
    """Return one person, by id or by distinct id. Raises NotFound."""
    context = context_of(caller)
    row = _row(caller, person_id, context)
    uuid, key = row[:2]
    ids = run(caller, listings.distinct_ids(key, context))
    seen = run(caller, listings.last_seen([uuid], context))
    return listings.person_result(row, ids, seen, context.project)


def _row(caller: Caller, person_id: str, context: QueryContext) -> tuple[Any, ...]:
    rows = run(caller, listings.person(person_id, context)).rows
    if not rows:
        raise NotFound(
            f"There is no person {person_id!r} in this project.",
            hint="Use an id or a distinct id; they may have been merged or deleted.",
        )
    return rows[0]


def _key(caller: Caller, person_id: str) -> int:
    return int(_row(caller, person_id, context_of(caller))[1])


def run(caller: Caller, statement: Statement) -> Rows:
    """Return what a statement answers."""
    return caller.parts.reader.run(statement, timeout_s=TIMEOUT_S, cancel=caller.cancel)


def context_of(caller: Caller, filters: object = None) -> QueryContext:
    """Return what a question of this caller needs to know.

    ``filters``, as structs or as JSON, may compare versions.
    """
    reader = caller.parts.reader
    with caller.parts.metadata.reading() as session:
        context = contexts.context_of(session, reader, caller.project, caller.now)
    return filled(msgspec.to_builtins(filters), context, functools.partial(run, caller))


def persons_where(
    caller: Caller, page: Page, asked: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], bool]:
    """Return a page of persons as they are shown, and whether there are more.

    ``asked`` holds fields of a ``PersonsNode``.
    """
    query = {
        "kind": "PersonsNode",
        "select": ["person"],
        "orderBy": ["created_at DESC"],
        "limit": page.limit,
        "offset": page.offset,
        **{name: value for name, value in asked.items() if value is not None},
    }
    answer = caller.parts.ask(
        caller.project.id, query, refresh="force_blocking", cancel=caller.cancel
    )
    found = [row[0] for row in answer["results"]]
    seen: dict[str, Any] = {}
    if found:
        uuids = [one["id"] for one in found]
        rows = run(caller, listings.last_seen(uuids, context_of(caller))).rows
        seen = {uuid: listings.utc(at) for uuid, at in rows}
    project = caller.project
    shown = [
        {
            **one,
            "name": listings.display_name(one["properties"], one["distinct_ids"], project),
            "last_seen_at": seen.get(one["id"]),
        }
        for one in found
    ]
    return shown, bool(answer.get("hasMore"))


def _asked(
    caller: Caller, action: str, subject: tuple[str, Any], command: dict[str, Any]
) -> Mapping[str, Any]:
    done = caller.parts.command(caller.project.id, command)
    with caller.parts.metadata.writing() as session:
        audit.note(
            session,
            caller.actor,
            action,
            subject,
            project_id=caller.project.id,
            after=command,
        )
    return done
