"""Groups and their types."""

from collections.abc import Mapping
from typing import Any

import msgspec

from hedgerow.api.callers import Caller
from hedgerow.api.endpoints import Listing, Search, listing
from hedgerow.api.people import PropertyChange, context_of, run
from hedgerow.errors import InvalidInput, NotFound
from hedgerow.insights import listings
from hedgerow.meta import audit
from hedgerow.model.people import GroupType


class GroupSearch(Search, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which groups."""

    group_type_index: str
    """0 to 4, or the type's name."""

    group_key: str | None = None


class OneGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which group."""

    group_type_index: str
    """0 to 4, or the type's name."""

    group_key: str


def list_types(caller: Caller, _body: None, _params: None) -> list[dict[str, Any]]:
    """List the project's group types in the order of their indexes."""
    return [
        {
            "group_type": one.name,
            "group_type_index": one.index,
            "name_singular": None,
            "name_plural": None,
        }
        for one in caller.parts.reader.group_types(caller.project.id)
    ]


def list_groups(caller: Caller, _body: None, page: GroupSearch) -> Listing:
    """List groups of a type, newest first."""
    type_ = _type_of(caller, page.group_type_index)
    rows = run(
        caller,
        listings.groups(
            type_.name,
            context_of(caller),
            key=page.group_key,
            search=page.search,
            limit=page.limit + 1,
            offset=page.offset,
        ),
    )
    found = listings.groups_result(rows, type_.name, type_.index)
    more = len(found) > page.limit
    return listing(caller.url, page, found[: page.limit], total=None, more=more)


def read_group(caller: Caller, _body: None, params: OneGroup) -> Mapping[str, Any]:
    """Show a group, by the index or name of its type and its key."""
    type_ = _type_of(caller, params.group_type_index)
    wanted = listings.groups(type_.name, context_of(caller), key=params.group_key)
    found = listings.groups_result(run(caller, wanted), type_.name, type_.index)
    if not found:
        raise NotFound(
            f"There is no {type_.name} {params.group_key!r} in this project.",
            hint="GET …/groups lists them.",
        )
    return found[0]


def change_group(
    caller: Caller, body: PropertyChange, params: OneGroup
) -> Mapping[str, Any]:
    """Set and unset properties of a group."""
    command = {
        "do": "patch_group",
        "type": _type_of(caller, params.group_type_index).name,
        "key": params.group_key,
        "set": body.properties,
        "unset": body.unset,
    }
    caller.parts.command(caller.project.id, command)
    with caller.parts.metadata.writing() as session:
        audit.note(
            session,
            caller.actor,
            "changed",
            ("group", params.group_key),
            project_id=caller.project.id,
            after=command,
        )
    return read_group(caller, None, params)


def _type_of(caller: Caller, asked: str) -> GroupType:
    """Return the type of an index or a name. Raises InvalidInput where there is none."""
    types = caller.parts.reader.group_types(caller.project.id)
    by_index = [one for one in types if asked == str(one.index)]
    if found := by_index or [one for one in types if one.name == asked]:
        return found[0]
    raise InvalidInput(
        f"This project has no group type {asked!r}.",
        hint="GET …/groups_types lists them.",
        attr="group_type_index",
    )
