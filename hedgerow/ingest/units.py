"""What the writer carries at a time: units cut from the inbox, and how they are cut smaller.

Captures travel together, some thousand events a commit. An import or a command is a unit
of its own, because what follows may depend on it. When something in a batch cannot be
stored, the batch is cut in halves until the one event that is to blame stands alone.
"""

import base64
from collections.abc import Sequence

import msgspec

from hedgerow.model.changes import SetAside
from hedgerow.model.events import CapturedRequest
from hedgerow.model.ports import Queued


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """One thing from the inbox, or a part of one."""

    queued: Queued
    request: CapturedRequest | None
    """Captures only: what it holds, or part of that."""

    upto: int
    """Position of the inbox that is done with when this is stored; for all parts of a
    request but the last, that of the one before."""

    @property
    def size(self) -> int:
        """Number of events; 1 for imports and commands."""
        return len(self.request.events) if self.request else 1

    @property
    def bytes(self) -> int:
        """Size of its text in bytes, inflated where that is known."""
        inflated = self.request.size_bytes if self.request else 0
        return max(inflated, len(self.queued.body))


def halves(units: Sequence[Unit]) -> tuple[list[Unit], list[Unit]] | None:
    """Return units cut in two, or None where only one event, import or command is left."""
    if len(units) > 1:
        middle = len(units) // 2
        return list(units[:middle]), list(units[middle:])
    (unit,) = units
    if unit.request is None or len(unit.request.events) < 2:
        return None
    events, middle = unit.request.events, len(unit.request.events) // 2
    first = msgspec.structs.replace(unit.request, events=events[:middle])
    second = msgspec.structs.replace(unit.request, events=events[middle:])
    return (
        [Unit(queued=unit.queued, request=first, upto=unit.queued.position - 1)],
        [Unit(queued=unit.queued, request=second, upto=unit.upto)],
    )


def set_aside(unit: Unit, reason: str) -> SetAside:
    """Return what is kept of a unit that cannot be stored."""
    body = _event_text(unit) or base64.b64encode(unit.queued.body).decode()
    return SetAside(
        project_id=unit.queued.project_id,
        at=unit.queued.received_at,
        reason=reason,
        body=body,
    )


def _event_text(unit: Unit) -> str | None:
    """Return the one event of a unit as JSON; None if there is none to be written."""
    if unit.request is None or not unit.request.events:
        return None
    try:
        event = msgspec.structs.asdict(unit.request.events[0])
        return msgspec.json.encode(event).decode()
    except (RecursionError, ValueError):  # nested too deeply, or no Unicode: maybe why
        return None
