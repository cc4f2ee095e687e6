"""What the API is handed by ``serve``: disks behind ports, a clock, and limits."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal, Protocol

import msgspec

from hedgerow.api.questions import Questions
from hedgerow.meta.database import Metadata
from hedgerow.meta.projects import Directory
from hedgerow.model.ports import Cancel, Reader


class Ask(Protocol):
    """Answers a question: query JSON in, the envelope with ``results`` out."""

    def __call__(
        self,
        project_id: int,
        query: Mapping[str, Any],
        *,
        refresh: str = "blocking",
        cancel: Cancel | None = None,
    ) -> Mapping[str, Any]:
        """Return the answer.

        Raises InvalidQuery, QueryTimedOut, QueryTooLarge, QueryCancelled.
        """
        ...


class Command(Protocol):
    """Changes the events database, by way of the inbox and the one writer."""

    def __call__(
        self, project_id: int, command: Mapping[str, Any], *, wait: bool = True
    ) -> Mapping[str, Any]:
        """Do ``command`` (see ``ingest.commands``) and return what came of it.

        It is on disk before this returns; with ``wait`` it can also be seen in answers.
        Raises InvalidInput, NotFound, InboxUnavailable, FlushTimedOut.
        """
        ...


class Import(Protocol):
    """Brings persons or groups in, as NDJSON, by the same way."""

    def __call__(
        self, project_id: int, kind: Literal["persons", "groups"], lines: bytes
    ) -> Mapping[str, Any]:
        """Return ``created``, ``updated``, ``merged``, ``failed``, ``errors``."""
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


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What handlers work with."""

    metadata: Metadata
    directory: Directory
    reader: Reader
    ask: Ask
    command: Command
    import_lines: Import
    ingestion: Ingestion
    clock: Callable[[], datetime]
    """Returns now, in UTC."""

    questions: Questions
    max_body_bytes: int = 20 * 1024 * 1024
    public_url: str = ""
    """Where people find this server, for links to further pages; empty: as they ask."""
