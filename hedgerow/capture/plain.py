"""The usual batch, read straight into events.

Nearly all that arrives is what an SDK of today sends: an object with ``api_key`` and
``batch``, each event with its own uuid and all fields of the right type. msgspec then makes
the events itself, some times faster than field by field. Whatever is unusual in any way
gives ``None`` and is read by the general rules (``shapes`` and ``fields``), which decide:
this file only knows where both come to the same.
"""

from typing import Annotated, Any

import msgspec

from hedgerow.capture.fields import (
    LONGEST_ID,
    LONGEST_NAME,
    OFFSET_LIMIT_MS,
    UUID_AS_STORED,
    captured_event,
)
from hedgerow.model.events import CapturedEvent

_TO_BE_MOVED = frozenset({"token", "$set", "$set_once", "$unset", "$cookieless_mode"})
"""Properties that are looked at, moved or removed."""

_Uuid = Annotated[str, msgspec.Meta(pattern=rf"^{UUID_AS_STORED.pattern}\Z")]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_NAME)]
_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_ID)]
_Offset = Annotated[int, msgspec.Meta(gt=-OFFSET_LIMIT_MS, lt=OFFSET_LIMIT_MS)]


class _Event(
    CapturedEvent,
    frozen=True,
    kw_only=True,
    gc=False,
    rename={
        "name": "event",
        "offset_ms": "offset",
        "set": "$set",
        "set_once": "$set_once",
        "unset": "$unset",
    },
):
    uuid: _Uuid
    name: _Name
    distinct_id: _Id
    offset_ms: _Offset | None = None
    # Named again because only a class's own fields are renamed:
    set: dict[str, Any] = msgspec.field(default_factory=dict)
    set_once: dict[str, Any] = msgspec.field(default_factory=dict)
    unset: tuple[str, ...] = ()


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A body that is as usual; ``sent_at`` and ``historical_migration`` are not checked."""

    api_key: Annotated[str, msgspec.Meta(min_length=1)]
    batch: Annotated[list[_Event], msgspec.Meta(min_length=1)]
    sent_at: Any = None
    historical_migration: Any = None


_BATCH = msgspec.json.Decoder(Batch)


def batch(text: bytes) -> Batch | None:
    """Return a body that is certainly as usual; else None."""
    if b"\\u0000" in text:
        return None
    try:
        found = _BATCH.decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    return None if any(event.distinct_id.isspace() for event in found.batch) else found


def event_of(event: CapturedEvent, where: str) -> CapturedEvent:
    """Return an event with what its properties say in its place; see ``captured_event``."""
    if _TO_BE_MOVED.isdisjoint(event.properties):
        return event
    raw = {
        "uuid": event.uuid,
        "event": event.name,
        "distinct_id": event.distinct_id,
        "timestamp": event.timestamp,
        "offset": event.offset_ms,
        "properties": event.properties,
        "$set": event.set,
        "$set_once": event.set_once,
        "$unset": list(event.unset),
    }
    return captured_event(raw, where, made_uuid="")
