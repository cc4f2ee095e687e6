"""The vocabulary: events and properties seen, what people say about them, their values."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from hedgerow.api.callers import Caller
from hedgerow.api.endpoints import Listing, Page, Search, listing
from hedgerow.api.people import context_of, run
from hedgerow.errors import InvalidInput, NotFound
from hedgerow.insights import listings
from hedgerow.meta import audit, catalog
from hedgerow.model.projects import Scope

Kind = Literal["event", "person", "group"]


class PropertySearch(Search, frozen=True, forbid_unknown_fields=True):
    """Which properties."""

    type: Kind = "event"
    group_type_index: int | None = None


class WhoseProperty(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose property is meant."""

    type: Kind = "event"
    group_type_index: int | None = None


class Values(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The values of which property."""

    key: str
    type: Kind = "event"
    group_type_index: int | None = None
    event: str | None = None
    search: str | None = None
    limit: int = 25


class EventFields(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is said about an event."""

    description: str | UnsetType = UNSET
    verified: bool | UnsetType = UNSET
    hidden: bool | UnsetType = UNSET
    tags: list[str] | UnsetType = UNSET


class PropertyFields(EventFields, kw_only=True, forbid_unknown_fields=True):
    """What is said about a property."""

    property_type: (
        Literal["String", "Numeric", "Boolean", "DateTime"] | UnsetType | None
    ) = UNSET
    """How it is compared, for all data; null: by its first value."""


def list_events(caller: Caller, _body: None, page: Search) -> Listing:
    """List the events seen, most frequent first."""
    rows = run(caller, listings.event_names(context_of(caller))).rows
    with caller.parts.metadata.reading() as session:
        said = catalog.events(session, caller.project.id)
    part = page.search.casefold()
    found = [_event(row, said.get(row[0])) for row in rows if part in row[0].casefold()]
    shown = found[page.offset : page.offset + page.limit]
    return listing(caller.url, page, shown, total=len(found))


def change_event(
    caller: Caller, body: EventFields, _params: None, *, name: str
) -> Mapping[str, Any]:
    """Describe, verify or hide an event, by its name."""
    fields = _given(body)
    rows = run(caller, listings.event_names(context_of(caller))).rows
    seen = next((row for row in rows if row[0] == name), None)
    if seen is None:
        raise NotFound(f"No event {name!r} was seen.", hint="Look at its spelling.")
    with caller.parts.metadata.writing() as session:
        row = catalog.describe_event(session, caller.project.id, name, fields)
        audit.note(
            session,
            caller.actor,
            "changed",
            ("event_definition", name),
            project_id=caller.project.id,
            after=fields,
        )
    return _event(seen, row)


def list_properties(caller: Caller, _body: None, page: PropertySearch) -> Listing:
    """List the properties seen of events, persons or a group type, by name."""
    scope = _scope(caller, page.type, page.group_type_index)
    found_kinds = caller.parts.reader.kinds(caller.project.id)
    with caller.parts.metadata.reading() as session:
        said = catalog.properties(session, caller.project.id)
        kinds = catalog.kinds(session, caller.project.id, found_kinds)
    part = page.search.casefold()
    names = sorted(
        name for where, name in kinds if where == scope and part in name.casefold()
    )
    shown = [
        _property(name, kinds[scope, name], said.get((scope, name)))
        for name in names[page.offset : page.offset + page.limit]
    ]
    return listing(caller.url, page, shown, total=len(names))


def change_property(
    caller: Caller, body: PropertyFields, params: WhoseProperty, *, name: str
) -> Mapping[str, Any]:
    """Describe a property, or say how it is compared."""
    scope = _scope(caller, params.type, params.group_type_index)
    found_kinds = caller.parts.reader.kinds(caller.project.id)
    fields = _given(body)
    if (scope, name) not in found_kinds:
        raise NotFound(f"No property {name!r} was seen.", hint="Look at its spelling.")
    if "property_type" in fields:
        fields["kind"] = fields.pop("property_type")
    with caller.parts.metadata.writing() as session:
        row = catalog.describe_property(session, caller.project.id, (scope, name), fields)
        kinds = catalog.kinds(session, caller.project.id, found_kinds)
        audit.note(
            session,
            caller.actor,
            "changed",
            ("property_definition", f"{scope} {name}"),
            project_id=caller.project.id,
            after=fields,
        )
    return _property(name, kinds[scope, name], row)


def list_values(caller: Caller, _body: None, params: Values) -> list[dict[str, Any]]:
    """List the most frequent values of a property."""
    given = {name: getattr(params, name) for name in params.__struct_fields__}
    query = {name: value for name, value in given.items() if value is not None}
    answer = caller.parts.ask(
        caller.project.id, {"kind": "PropertyValuesQuery", **query}, cancel=caller.cancel
    )
    found: list[dict[str, Any]] = answer["results"]
    return found


def list_warnings(caller: Caller, _body: None, page: Page) -> Listing:
    """List what the writer found odd, latest first, alike ones together."""
    statement = listings.warnings(
        context_of(caller), limit=page.limit + 1, offset=page.offset
    )
    found = listings.warnings_result(run(caller, statement))
    more = len(found) > page.limit
    return listing(caller.url, page, found[: page.limit], total=None, more=more)


def _given(body: EventFields) -> dict[str, Any]:
    values = {name: getattr(body, name) for name in body.__struct_fields__}
    return {name: value for name, value in values.items() if value is not UNSET}


def _scope(caller: Caller, kind: Kind, index: int | None) -> Scope:
    if kind != "group":
        return kind
    for one in caller.parts.reader.group_types(caller.project.id):
        if one.index == index:
            return f"group:{one.name}"
    raise InvalidInput(
        f"This project has no group type {index}.",
        hint="GET …/groups_types lists them.",
        attr="group_type_index",
    )


def _event(row: tuple[Any, ...], said: Any) -> dict[str, Any]:
    name, first, last, volume = row
    return {
        "name": name,
        "first_seen_at": listings.utc(first),
        "last_seen_at": listings.utc(last),
        "volume": volume,
        **_said(said),
    }


def _property(name: str, kind: str, said: Any) -> dict[str, Any]:
    return {"name": name, "property_type": kind, **_said(said)}


def _said(row: Any) -> dict[str, Any]:
    return {
        "description": row.description if row else "",
        "verified": row.verified if row else False,
        "hidden": row.hidden if row else False,
        "tags": row.tags if row else [],
    }
