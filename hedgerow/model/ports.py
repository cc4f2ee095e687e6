"""What thought may ask of a disk. ``serve`` introduces those who implement these."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

import msgspec
from sqlglot import exp

from hedgerow.model.people import GroupType
from hedgerow.model.projects import HotColumn, PropertyKind, Scope

Value = str | int | float | bool | datetime | list[str] | list[int] | list[float]
"""What a placeholder may stand for."""


class Digest(msgspec.Struct, frozen=True, kw_only=True):
    """What a store keeps of a fleet beside its events, and brings up to date when asked."""

    project_id: int
    settings: str
    """Whatever the rows depend on: where it differs, they are drawn anew."""

    events: frozenset[str]
    """Names of the events of which they are drawn."""

    reported: "Callable[[datetime, datetime], Statement]"
    """Gives the fleet events between two moments, UTC, with short names: the rows of which
    the tables are drawn (``store.digests``), as text."""


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """One SELECT as a tree, with the values its placeholders stand for."""

    tree: exp.Query
    values: Mapping[str, Value]
    shared: bool = False
    """Whether other questions ask just this too, so that its rows are worth keeping."""
    text: str = ""
    """The tree written for the engine that will answer; empty: not written yet."""

    digest: Digest | None = None
    """What must be up to date before it is asked; None: the events say all."""


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """What a statement answered."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    types: tuple[str, ...] = ()
    """The engine's names of the columns' types."""


class Cancel(Protocol):
    """Told when nobody waits for an answer any more (a ``threading.Event`` will do)."""

    def is_set(self) -> bool:
        """Return whether to stop."""
        ...


class Reader(Protocol):
    """Reads the events database; safe to use from several threads."""

    def run(
        self, statement: Statement, *, timeout_s: float, cancel: Cancel | None = None
    ) -> Rows:
        """Answer one statement.

        Raises QueryTimedOut, QueryTooLarge, QueryCancelled, InvalidQuery.
        """
        ...

    def version(self, project_id: int) -> int:
        """Return a number that changes when the project's data do: a key for caches."""
        ...

    def kinds(self, project_id: int) -> Mapping[tuple[Scope, str], PropertyKind]:
        """Return the kind of each property, that of its first value."""
        ...

    def columns(self) -> Mapping[tuple[str, str], HotColumn]:
        """Return which properties have columns of their own."""
        ...

    def group_types(self, project_id: int) -> tuple[GroupType, ...]:
        """Return the project's group types in the order of their first sight."""
        ...

    def first_event_at(self, project_id: int) -> datetime | None:
        """Return the time of the project's first event, UTC."""
        ...


QueuedKind = Literal["capture", "persons", "groups", "command"]


class Queued(msgspec.Struct, frozen=True, kw_only=True):
    """One thing in the inbox, in the order in which it was acknowledged."""

    position: int
    """Ascending, never used again."""

    project_id: int
    kind: QueuedKind
    received_at: datetime
    """UTC."""

    hints: bytes
    """JSON: what is needed beside the body to read it (``capture.wire.Hints``)."""

    body: bytes
    """As it came, still compressed."""


class Inbox(Protocol):
    """The durable queue between capture and the store."""

    def read(self, *, after: int, limit_bytes: int) -> Sequence[Queued]:
        """Return what follows ``after``, oldest first, at least one if there is any."""
        ...

    def forget(self, *, upto: int) -> None:
        """Drop what has been stored."""
        ...

    def last_position(self) -> int:
        """Return the position of the newest entry acknowledged; 0: none ever."""
        ...
