"""What thought must know to place a batch, and what a batch changes: the writer's words.

``Wanted`` names what a batch mentions, ``Known`` is what the store has of it, ``Changes``
is what comes of both. A store keeps ``Changes`` in one transaction together with the
position in the inbox, so a crash at any line repeats a batch whole or not at all.
"""

import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

import msgspec

from hedgerow.model.event_columns import Events
from hedgerow.model.people import Group, GroupType, IngestionWarning, Merge, Person
from hedgerow.model.projects import PropertyKind, Scope

OfProject = tuple[int, str]
"""A project's id, and a distinct id, a UUID or a name in it."""

GroupKey = tuple[int, str, str]
"""A project's id, a group type's name, and a group's key."""


class EventsOf(msgspec.Struct, frozen=True, kw_only=True):
    """Some events of a project: those of a person, or those before a moment."""

    project_id: int
    person: str | None = None
    """A UUID."""

    before: datetime | None = None
    """UTC."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a batch mentions and the store may have."""

    projects: set[int] = msgspec.field(default_factory=set)
    distinct_ids: set[OfProject] = msgspec.field(default_factory=set)
    whole: set[OfProject] = msgspec.field(default_factory=set)
    """Distinct ids whose persons' other ids matter too: those that may merge."""

    persons: set[OfProject] = msgspec.field(default_factory=set)
    """Persons named by UUID; all their ids matter."""

    groups: set[GroupKey] = msgspec.field(default_factory=set)
    events: list[OfProject] = msgspec.field(default_factory=list)
    """UUIDs of events that may have been stored before."""

    marks: bytes = b""
    """``mark_of`` each of them, one after the other; empty: not known."""

    counted: set[EventsOf] = msgspec.field(default_factory=set)
    """Events of which the number matters."""


class Tombstone(msgspec.Struct, frozen=True, kw_only=True):
    """A distinct id whose person was deleted: what happened before stays forgotten."""

    project_id: int
    distinct_id: str
    at: datetime
    with_events: bool
    """Whether the events went too; else late ones are kept, without a person."""


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the store has of what a batch mentions."""

    keys: dict[OfProject, int] = msgspec.field(default_factory=dict)
    """Distinct id to the key of whoever it belongs to."""

    persons: dict[int, Person] = msgspec.field(default_factory=dict)
    """By key; a key without a person is absent."""

    ids: dict[int, tuple[str, ...]] = msgspec.field(default_factory=dict)
    """All distinct ids of a key, for keys wanted whole."""

    groups: dict[GroupKey, Group] = msgspec.field(default_factory=dict)
    group_types: dict[int, tuple[GroupType, ...]] = msgspec.field(default_factory=dict)
    kinds: dict[int, Mapping[tuple[Scope, str], PropertyKind]] = msgspec.field(
        default_factory=dict
    )
    tombstones: dict[OfProject, Tombstone] = msgspec.field(default_factory=dict)
    events: set[OfProject] = msgspec.field(default_factory=set)
    """UUIDs of the wanted ones that are stored."""

    counted: dict[EventsOf, int] = msgspec.field(default_factory=dict)
    """How many events those are."""

    next_key: int = 1
    """First person key never used."""

    next_state: int = 1
    """First state number never used."""


class PersonState(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A person's properties from one moment on."""

    id: int
    project_id: int
    person_key: int
    at: datetime
    """UTC: when the event that changed them happened."""

    event_uuid: str | None
    properties: str
    """A JSON object as text."""


class FirstValue(msgspec.Struct, frozen=True, kw_only=True):
    """The first value a project ever saw of a property."""

    project_id: int
    scope: Scope
    key: str
    kind: PropertyKind
    at: datetime
    """UTC, when it arrived."""


class EventCount(msgspec.Struct, frozen=True, kw_only=True):
    """How often a batch saw an event, and when those happened."""

    project_id: int
    event: str
    first: datetime
    last: datetime
    count: int


class SetAside(msgspec.Struct, frozen=True, kw_only=True):
    """Something acknowledged that could not be stored, kept with the reason."""

    project_id: int
    at: datetime
    reason: str
    body: str


class Aside(msgspec.Struct, frozen=True, kw_only=True):
    """What has been set aside of a project."""

    count: int = 0
    latest: tuple[SetAside, ...] = ()
    """Some of the latest, oldest first, bodies cut to what can be shown."""


class CohortPerson(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody put into a static cohort, or taken out."""

    project_id: int
    cohort_id: int
    person_key: int
    member: bool


class Erase(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody to forget."""

    project_id: int
    person_key: int
    with_events: bool


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What a batch changes. Order inside a list is the order of arrival."""

    events: Events = msgspec.field(default_factory=list)
    event_keys: frozenset[str] | None = None
    """Names of all properties that the events have; None: not known."""

    persons: list[Person] = msgspec.field(default_factory=list)
    """New and changed ones as they are after the batch, one entry each."""

    gone: list[int] = msgspec.field(default_factory=list)
    """Keys whose persons are no more: merged away or deleted."""

    distinct_ids: list[tuple[int, str, int]] = msgspec.field(default_factory=list)
    """Project, distinct id and key: new ones, and old ones that changed hands."""

    changed_hands: list[OfProject] = msgspec.field(default_factory=list)
    """Those of ``distinct_ids`` that are stored with another key."""

    moved: dict[int, int] = msgspec.field(default_factory=dict)
    """Key to the key that takes over everything stored under it."""

    moved_ids: list[tuple[int, str, int]] = msgspec.field(default_factory=list)
    """Project, distinct id and key: stored events of that very id move there (a split)."""

    states: list[PersonState] = msgspec.field(default_factory=list)
    groups: list[Group] = msgspec.field(default_factory=list)
    """New and changed ones, one entry each."""

    group_types: list[tuple[int, GroupType]] = msgspec.field(default_factory=list)
    """Project and group type: new ones."""

    kinds: list[FirstValue] = msgspec.field(default_factory=list)
    counts: list[EventCount] = msgspec.field(default_factory=list)
    merges: list[Merge] = msgspec.field(default_factory=list)
    warnings: list[IngestionWarning] = msgspec.field(default_factory=list)
    set_aside: list[SetAside] = msgspec.field(default_factory=list)
    tombstones: list[Tombstone] = msgspec.field(default_factory=list)
    erase: list[Erase] = msgspec.field(default_factory=list)
    cohort_people: list[CohortPerson] = msgspec.field(default_factory=list)
    forget_cohorts: list[tuple[int, int]] = msgspec.field(default_factory=list)
    """Project and cohort: all members leave."""

    delete_before: list[tuple[int, datetime]] = msgspec.field(default_factory=list)
    """Project and moment, UTC: what happened before it goes."""

    delete_projects: list[int] = msgspec.field(default_factory=list)
    next_key: int = 1
    next_state: int = 1
    new_from: int = sys.maxsize
    """Person keys from here on are new: nothing is stored under them."""

    outcomes: dict[int, dict[str, Any]] = msgspec.field(default_factory=dict)
    """Position in the inbox to what an import or a command came to."""

    dropped: int = 0
    """Events that were recognised and rightly not stored, such as repeats."""


class StoreSize(msgspec.Struct, frozen=True, kw_only=True):
    """How much is kept."""

    events: int
    persons: int
    file_bytes: int
    """Of the database file and its write-ahead log; 0 in memory."""

    hot_columns: Mapping[str, int]
    """Table to the number of its properties with columns of their own."""

    in_order: int = 0
    """Events in stretches that have been put in order."""


class Compacted(msgspec.Struct, frozen=True, kw_only=True):
    """What one step of putting events in order came to."""

    moved: int
    """Events."""

    left: int
    """Events of the same stretch of days that are still to be moved."""


class Store(Protocol):
    """The writing side of the events database; called by one thread only."""

    def position(self) -> int:
        """Return the inbox position up to which everything is stored."""
        ...

    def known(self, wanted: Wanted) -> Known:
        """Return what is stored of what a batch mentions."""
        ...

    def commit(self, changes: Changes, *, upto: int) -> None:
        """Store all changes and the position, or nothing.

        Raises StoreUnavailable where trying again later may help, MemoryError where fewer
        changes may fit; any other error means that something in them cannot be stored.
        """
        ...

    def written(self, project_id: int) -> int:
        """Return how many events of a project are stored."""
        ...

    def last_event_at(self, project_id: int) -> datetime | None:
        """Return when the latest of a project's events happened, UTC."""
        ...

    def aside(self, project_id: int) -> Aside:
        """Return what could not be stored of a project, with the reasons."""
        ...

    def checkpoint(self, *, idle: bool) -> None:
        """Move the write-ahead log into the file where it is worth it.

        Raises StoreUnavailable; what was committed stays committed.
        """
        ...

    def compact(self, now: datetime, *, look: bool = False) -> Compacted | None:
        """Put the next piece of settled events in order; None: nothing is to be done.

        ``look`` for something to do also if that was done a moment ago. Raises
        StoreUnavailable, MemoryError; then nothing has been moved.
        """
        ...

    def mend(self) -> None:
        """Open again what a fatal error has closed; nothing where all is well.

        Raises StoreUnavailable while that cannot be done.
        """
        ...
