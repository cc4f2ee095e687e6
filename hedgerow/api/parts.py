"""What the API is handed by ``serve``: disks behind ports, a clock, and limits."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from datetime import datetime
from typing import Any, Protocol

import msgspec

from hedgerow.api.questions import Questions
from hedgerow.meta.database import Metadata
from hedgerow.meta.projects import Directory
from hedgerow.model.ports import Cancel, QueuedKind, Reader
from hedgerow.model.projects import QueryContext


class Letterbox(Protocol):
    """The inbox from the outside."""

    def append(
        self,
        project_id: int,
        kind: QueuedKind,
        received_at: datetime,
        hints: bytes,
        body: bytes,
    ) -> "Future[int]":
        """Take a body; the future gives its position once it is on disk.

        Raises InboxUnavailable, at once or by the future.
        """
        ...


class Ingestion(Protocol):
    """How the writer gets on."""

    def state(self, project_id: int) -> Mapping[str, Any]:
        """Return ``accepted``, ``written``, ``lag_events``, ``lag_ms``, ``rejected``, …"""
        ...

    def flush(self, timeout_s: float) -> None:
        """Return when all that was acknowledged before can be read.

        Raises FlushTimedOut.
        """
        ...

    def outcome(self, position: int, timeout_s: float) -> Mapping[str, Any]:
        """Wait for what an import or a command came to. Raises FlushTimedOut."""
        ...


class Answer(Protocol):
    """``insights.answer`` on the reader and the cache that ``serve`` gave it."""

    def __call__(
        self, query: Any, context: QueryContext, *, refresh: str, cancel: Cancel
    ) -> dict[str, Any]:
        """Return the envelope with ``results``. Raises InvalidQuery and the like."""
        ...


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What handlers work with."""

    metadata: Metadata
    directory: Directory
    reader: Reader
    answer: Answer
    letterbox: Letterbox
    ingestion: Ingestion
    clock: Callable[[], datetime]
    """Returns now, in UTC."""

    questions: Questions
    max_body_bytes: int = 20 * 1024 * 1024
