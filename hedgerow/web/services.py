"""What the screens need from the rest of the house; ``serve`` fills it in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from hedgerow.meta.database import Metadata
from hedgerow.meta.projects import Directory
from hedgerow.model.ports import Cancel, Reader
from hedgerow.model.projects import QueryContext
from hedgerow.settings import Settings
from hedgerow.web.identity import Provider


class Ask(Protocol):
    """Answers a question: query JSON in, the envelope of ``POST …/query`` out."""

    def __call__(
        self,
        project_id: int,
        query: Mapping[str, Any],
        *,
        refresh: str = "blocking",
        cancel: Cancel | None = None,
    ) -> Mapping[str, Any]:
        """Return ``results``, ``last_refresh``, ``is_cached`` and what else the kind has.

        Raises InvalidQuery, QueryTimedOut, QueryTooLarge, QueryCancelled.
        """
        ...


class Command(Protocol):
    """Changes the events database, by way of the inbox and the one writer."""

    def __call__(self, project_id: int, command: Mapping[str, Any]) -> Mapping[str, Any]:
        """Do ``command`` (``do`` and its fields) and return what came of it.

        Returns once it can be seen in answers. Raises InvalidInput, NotFound.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Services:
    """The parts of the house that a screen may use."""

    metadata: Metadata
    directory: Directory
    reader: Reader
    ask: Ask
    command: Command
    ingestion: Callable[[int], Mapping[str, Any]]
    """A project's way in: accepted, written, lag, rejected, time of the last event."""

    sightings: Callable[[int | None], Sequence[Any]]
    """The last capture requests of a project, newest first; None: of unknown tokens."""

    context: Callable[[int], QueryContext]
    """What a question of a project needs to know besides the data."""

    settings: Settings
    clock: Callable[[], datetime]
    """The time now, UTC."""

    try_alert: Callable[[Any], list[tuple[str, str]]]
    """Sends a test of an alert (its row) to all it tells; each with why it failed."""

    try_subscription: Callable[[Any, str], list[tuple[str, str]]]
    """Mails a subscription (its row) now to one address; with why it failed."""

    provider: Provider | None = None
    """Where people may sign in besides here; None: nowhere."""
