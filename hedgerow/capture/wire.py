"""What did a client send? From the bytes of a request to events.

A request is looked at twice. On arrival ``check`` finds out whether it can be read, so
that the answer is honest, and whose it is; its body then goes into the inbox as it came,
with the ``Hints`` that only the request knew. Later the writer calls ``decode_queued``
and gets the events. Both ways give the same answer: a body is either refused as a whole
on arrival or read in full afterwards, and reading it twice gives the same uuids.

The steps, each in a file of its own: ``encodings`` (bytes → JSON text), ``shapes`` (text
→ raw events), ``tokens`` (whose), ``fields`` (raw → ``CapturedEvent``), and for the
newer protocol ``verdicts``. Pure: no clock, no disk.
"""

import re
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Literal

import msgspec

from hedgerow.capture import cookieless, encodings, plain, quick, shapes, tokens
from hedgerow.capture.encodings import MIB
from hedgerow.capture.fields import Json, captured_event
from hedgerow.capture.verdicts import V1Request, Verdicts, captured_batch
from hedgerow.errors import BadCapture
from hedgerow.ingest.timestamps import parsed
from hedgerow.model.events import CapturedEvent, CapturedRequest

PathKind = Literal["v0", "engage", "ai", "v1"]
"""Which rules hold: of ``/engage`` (no name needed), of the AI path (8 MiB for an
event), of capture v1, or of all others."""

SILENTLY_DROPPED = "$performance_event"
_LARGEST_EVENT = {"v0": MIB, "engage": MIB, "ai": 8 * MIB, "v1": MIB}
_RANDOM_BITS = 62
_MORE_LEVELS = 200


class Hints(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What must be known beside a body to read it; kept with it in the inbox."""

    path: PathKind = "v0"
    form: bool = False
    """The content type says ``application/x-www-form-urlencoded``."""

    compression: str = ""
    """From the query, lower case."""

    content_encoding: str = ""
    """From the header, lower case."""

    sent_ms: int | None = None
    """``_`` of the query: the client's clock, Unix milliseconds."""

    ip: str | None = None
    user_agent: str | None = None
    host: str | None = None
    seed: str = ""
    """A UUID (v7) from which missing ones are counted up; empty: none is missing."""

    visitor_id: str = ""
    """Stands for ``$posthog_cookieless``; empty: nobody is called so."""

    v1: V1Request | None = None
    """What capture v1 says in headers."""


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """A request that can be read."""

    token: str
    events: int
    lacks_uuid: bool
    """``Hints.seed`` is needed before the body may be kept."""

    verdicts: Verdicts | None = None
    """Of capture v1: what became of each event."""

    is_cookieless: bool = False
    """``Hints.visitor_id`` is needed before the body may be kept."""


_TOKEN = re.compile(rb'"(?:api_key|token|\$token)"\s*:\s*"([!-~]{1,64}?)"')
_HINTS = msgspec.json.Decoder(Hints)


def check(hints: Hints, body: bytes, limit: int = 20 * MIB) -> Checked:
    """Return whose events ``body`` holds, and how many. Raises ``BadCapture``.

    ``limit`` is the largest size after inflating, in bytes.
    """
    text = _text(hints, body, limit)
    shapes.refuse_large_events(text, _LARGEST_EVENT[hints.path])
    if hints.v1 is not None:
        request, verdicts = captured_batch(shapes.json_value(text), hints.v1)
        return Checked(
            token=request.token,
            events=len(request.events),
            lacks_uuid=False,
            verdicts=verdicts,
            is_cookieless=cookieless.NAMED in text,
        )
    look = quick.look(text)
    if look is None:
        request = _captured(hints, text)
        token, events, lacks_uuid = request.token, len(request.events), True
    else:
        token = tokens.checked_token(look.token)
        events, lacks_uuid = look.events, look.lacks_uuid
    return Checked(
        token=token,
        events=events,
        lacks_uuid=lacks_uuid,
        is_cookieless=cookieless.NAMED in text,
    )


def decode(hints: Hints, body: bytes, limit: int = 20 * MIB) -> CapturedRequest:
    """Return the events in ``body``. Raises ``BadCapture``; the same input, the same answer."""
    text = _text(hints, body, limit)
    if hints.v1 is None:
        request = _captured(hints, text)
    else:
        request, _ = captured_batch(shapes.json_value(text), hints.v1)
    return _with_surroundings(request, hints, len(text))


def decode_queued(hints: bytes, body: bytes) -> CapturedRequest:
    """Read an entry of the inbox. Raises ``BadCapture`` if it cannot be read after all."""
    try:
        read = _HINTS.decode(hints)
    except msgspec.DecodeError as error:
        raise BadCapture(
            "undecodable_body", f"The hints in the inbox are broken: {error}.", hint=""
        ) from error
    try:
        return decode(read, body, limit=1024 * MIB)  # it was within its limit on arrival
    except BadCapture as error:
        if not isinstance(error.__cause__, RecursionError):
            raise
    with _more_depth():
        return decode(read, body, limit=1024 * MIB)


@contextmanager
def _more_depth() -> Iterator[None]:
    """Allow deeper nesting: on arrival there may have been less on the stack than now."""
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(usual + _MORE_LEVELS)
    try:
        yield
    finally:
        sys.setrecursionlimit(usual)


def asked_fields(hints: Hints, body: bytes, limit: int = MIB) -> Json:
    """Return the JSON object in a request that is not about events. Raises BadCapture."""
    value = shapes.json_value(_text(hints, body, limit))
    if not isinstance(value, dict):
        raise BadCapture(
            "invalid_json", "The body is no JSON object.", hint="Send one.", attr=None
        )
    return value


def likely_token(hints: Hints, body: bytes, limit: int = 20 * MIB) -> str | None:
    """Return the token that a refused body seems to name, so that its owner can be told."""
    if hints.v1 is not None:
        return hints.v1.token
    try:
        found = _TOKEN.search(_text(hints, body, limit))
    except BadCapture:
        return None
    return found[1].decode() if found else None


def new_seed(now: datetime) -> str:
    """Return a UUID (v7) of this moment, from which a request's missing ones are made."""
    unix_ms = int(now.timestamp() * 1000)
    value = (unix_ms << 80) | (7 << 76) | (secrets.randbits(12) << 64)
    return f"{value | (2 << 62) | secrets.randbits(_RANDOM_BITS):032x}"


def _text(hints: Hints, body: bytes, limit: int) -> bytes:
    return encodings.payload(
        body,
        form=hints.form,
        compression=hints.compression,
        content_encoding=hints.content_encoding,
        limit=limit,
    )


def _captured(hints: Hints, text: bytes) -> CapturedRequest:
    usual = plain.batch(text)
    if usual is not None:
        return CapturedRequest(
            token=tokens.checked_token(usual.api_key),
            sent_at=_parsed(usual.sent_at) or _from_ms(hints.sent_ms),
            historical=usual.historical_migration is True,
            events=[
                plain.event_of(event, f"batch.{index}.")
                for index, event in enumerate(usual.batch)
                if event.name != SILENTLY_DROPPED
            ],
        )
    shape = shapes.shape_of(shapes.json_value(text))
    named = tokens.token_of_envelope(shape.envelope)
    token = named if named is not None else tokens.token_of_events(shape.events)
    return CapturedRequest(
        token=tokens.checked_token(token),
        sent_at=_parsed(shape.envelope.get("sent_at")) or _from_ms(hints.sent_ms),
        historical=shape.envelope.get("historical_migration") is True,
        events=[
            _event(raw, shape.path(index), hints, index)
            for index, raw in enumerate(shape.events)
            if raw.get("event") != SILENTLY_DROPPED
        ],
    )


def _event(raw: Json, where: str, hints: Hints, index: int) -> CapturedEvent:
    name = "$identify" if hints.path == "engage" else ""
    made = "" if raw.get("uuid") else _counted_up(hints.seed, index)
    return captured_event(raw, where, made_uuid=made, name=name)


def _with_surroundings(
    request: CapturedRequest, hints: Hints, size_bytes: int
) -> CapturedRequest:
    """Return the request with where it came from, and the address in each event."""
    if hints.ip is not None:
        for event in request.events:
            event.properties.setdefault("$ip", hints.ip)
    events = request.events
    if hints.visitor_id:
        events = cookieless.told_apart(events, hints.visitor_id)
    return msgspec.structs.replace(
        request,
        events=events,
        ip=hints.ip,
        user_agent=hints.user_agent,
        host=hints.host,
        size_bytes=size_bytes,
    )


def _counted_up(seed: str, index: int) -> str:
    """Return the seed's ``index``-th successor among UUIDs of the same millisecond."""
    value = int(seed or "0", 16)
    low = (value + index) & ((1 << _RANDOM_BITS) - 1)
    digits = f"{(value >> _RANDOM_BITS << _RANDOM_BITS) | low:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _parsed(value: object) -> datetime | None:
    return parsed(value) if isinstance(value, str) else None


def _from_ms(unix_ms: int | None) -> datetime | None:
    """Return a time from Unix milliseconds; a client's seconds say too little."""
    if unix_ms is None or not 10**12 <= unix_ms < 10**13:
        return None
    return datetime.fromtimestamp(unix_ms / 1000, UTC)
