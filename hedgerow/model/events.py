"""An event at two moments of its life: as it was sent, and ready to be stored."""

from datetime import datetime
from typing import Any

import msgspec


class CapturedEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One event as a client sent it: shape checked, meaning not yet looked at."""

    uuid: str
    """Canonical lower-case UUID. A second event with the same one is the first, sent twice."""

    name: str
    """1 to 200 characters, such as ``timer started`` or ``$pageview``."""

    distinct_id: str
    """Who did it, in the client's words: 1 to 200 characters."""

    timestamp: str | None = None
    """The client's clock as text; may be nonsense, which is not an error."""

    offset_ms: int | None = None
    """Milliseconds before arrival, as old SDKs say it."""

    properties: dict[str, Any] = msgspec.field(default_factory=dict)
    """As sent, without ``token`` and without ``$set``, ``$set_once``, ``$unset``."""

    set: dict[str, Any] = msgspec.field(default_factory=dict)
    """``$set`` of the top level and of the properties together; the top level wins."""

    set_once: dict[str, Any] = msgspec.field(default_factory=dict)
    """``$set_once``, likewise."""

    unset: tuple[str, ...] = ()
    """Names to remove from the person."""


class CapturedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What one capture request held."""

    token: str
    sent_at: datetime | None
    """The client's clock as the request left, UTC; None: unknown."""

    events: list[CapturedEvent]
    size_bytes: int = 0
    """Of its JSON, inflated; 0: unknown."""

    historical: bool = False
    ip: str | None = None
    """The client's address; None: unknown."""

    user_agent: str | None = None
    """Of the program that sent it: a browser's speaks for its person, a server's does not."""

    host: str | None = None
    """The host it was sent to, as the client says."""


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One thing one person did, ready to be stored."""

    project_id: int
    uuid: str
    name: str
    distinct_id: str

    happened_at: datetime
    """UTC, corrected for the client's clock (see ``ingest.timestamps``)."""

    received_at: datetime
    """UTC, when the request arrived."""

    person_key: int
    """Whose event it is, as the distinct id is mapped now; see ``model.tables``."""

    person_state: int | None
    """Which state of the person's properties held at this event; None: no person then."""

    personless: bool
    """Sent with ``$process_person_profile: false``."""

    properties: str
    """A JSON object as text, at most 1 MiB, values as they were sent."""

    groups: tuple[str | None, str | None, str | None, str | None, str | None] = (
        None,
        None,
        None,
        None,
        None,
    )
    """Group keys by group type index 0 to 4."""
