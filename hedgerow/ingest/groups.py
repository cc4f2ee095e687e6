"""Groups: the companies, versions and platforms that events belong to together.

A group type is a word an application uses, such as ``company``. The first five of a
project have an index, by which PostHog's queries name them; a later one has none, its
groups are kept under the word all the same. ``$groups`` on an event says what it belongs
to; ``$groupidentify`` says what a group is like. Neither needs the other.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from hedgerow.ingest.properties import group_changed
from hedgerow.ingest.sizes import (
    KEY_LIMIT,
    PROPERTIES_LIMIT,
    exceeds,
    json_text,
    text_of_key,
)
from hedgerow.model.changes import GroupKey, Known
from hedgerow.model.people import Group, GroupType
from hedgerow.model.projects import Project

INDEXED = 5
"""So many group types of a project have an index."""


class Groups:
    """Group types and groups as they are at one moment of a batch."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._types: dict[int, dict[str, GroupType]] = {
            project_id: {one.name: one for one in types}
            for project_id, types in known.group_types.items()
        }
        self._groups = dict(known.groups)
        self.new_types: list[tuple[int, GroupType]] = []

    def type_of(self, project_id: int, name: str) -> tuple[GroupType, bool]:
        """Return the group type of that name, and whether it was made just now."""
        types = self._types.setdefault(project_id, {})
        if (present := types.get(name)) is not None:
            return present, False
        new = GroupType(name=name, index=len(types) if len(types) < INDEXED else None)
        types[name] = new
        self.new_types.append((project_id, new))
        return new, True

    def change(
        self,
        project: Project,
        name: str,
        key: str,
        group_set: dict[str, Any],
        *,
        at: datetime,
        created_at: datetime | None = None,
        unset: Iterable[str] = (),
        unites: bool = True,
    ) -> Group | None:
        """Make or update a group and return it; None: it would grow too large.

        ``unites``: whether the project's lists that unite do; else they are replaced.
        ``created_at`` moves the creation of an existing group back, never forward.
        """
        whose: GroupKey = (project.id, name, key)
        present = self._groups.get(whose)
        before = present.properties if present else {}
        union = project.union_properties.get(name, ()) if unites else ()
        after = group_changed(before, group_set, union=union) or before
        if any(one in after for one in unset):
            after = {k: v for k, v in after.items() if k not in unset}
        if after is not before and exceeds(json_text(after), PROPERTIES_LIMIT):
            return None
        born = created_at or at
        if present is None:
            group = Group(
                project_id=project.id,
                type=name,
                key=key,
                properties=after,
                created_at=born,
                updated_at=at,
            )
        else:
            earlier = present.created_at
            if created_at is not None:
                earlier = min(earlier, created_at)
            if after is before and earlier == present.created_at:
                return present
            group = msgspec.structs.replace(
                present, properties=after, created_at=earlier, updated_at=at
            )
        self._groups[whose] = group
        return group

    def exists(self, project_id: int, name: str, key: str) -> bool:
        """Whether there is such a group."""
        return (project_id, name, key) in self._groups

    def changed(self) -> list[Group]:
        """Return the groups that the store does not have like this."""
        before = self._known.groups
        return [
            group for whose, group in self._groups.items() if group is not before.get(whose)
        ]


def keys_of(properties: dict[str, Any]) -> dict[str, str]:
    """Return group type to group key as ``$groups`` says them; what is no key is left out."""
    groups = properties.get("$groups")
    if not isinstance(groups, dict):
        return {}
    keys = {name: text_of_key(value) for name, value in groups.items() if name}
    return {name: key for name, key in keys.items() if key}


def identified(properties: dict[str, Any]) -> tuple[str, str] | None:
    """Return type and key of the group that a ``$groupidentify`` describes."""
    name = properties.get("$group_type")
    key = text_of_key(properties.get("$group_key"))
    if not isinstance(name, str) or not name or not key:
        return None
    return name[:KEY_LIMIT], key
