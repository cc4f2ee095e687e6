"""Persons, groups and what changes them."""

from datetime import datetime
from typing import Any, Literal

import msgspec


class Person(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Somebody, or an installation, behind one or more distinct ids."""

    key: int
    """Our own number, unique over all projects; never shown."""

    project_id: int
    uuid: str
    """What answers show: made from the project and the first distinct id, so replays agree."""

    properties: dict[str, Any]
    created_at: datetime
    """Time of the event that made the person; after a merge the earlier one. UTC."""

    is_identified: bool
    state: int
    """Number of the person's present state, a row of ``person_states``."""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A company, a version, a platform: what events can belong to together."""

    project_id: int
    type: str
    key: str
    """1 to 400 characters."""

    properties: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class GroupType(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of group. The first five of a project have an index."""

    name: str
    index: int | None


MergeKind = Literal["$identify", "$create_alias", "$merge_dangerously", "import", "api"]


class Merge(msgspec.Struct, frozen=True, kw_only=True):
    """Two persons became one: kept as a log, with the event that caused it."""

    project_id: int
    at: datetime
    kind: MergeKind
    event_uuid: str | None
    source_key: int
    source_uuid: str
    source_distinct_ids: tuple[str, ...]
    """The ids the source had at that moment: what a split would give back."""

    target_key: int


class IngestionWarning(msgspec.Struct, frozen=True, kw_only=True):
    """Something in what was sent that is probably not what its sender meant."""

    project_id: int
    type: str
    """Stable name, such as ``illegal_distinct_id``; docs/errors.md lists them."""

    details: str
    """One sentence: what was seen and what to do about it."""

    event_uuid: str | None
    distinct_id: str | None
    at: datetime
