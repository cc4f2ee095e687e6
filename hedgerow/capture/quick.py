"""Is this body certainly right? A look that makes no dict of any event's properties.

Before answering we need to know only that the events *can* be read later, and for which
project. msgspec checks the syntax of everything and keeps a handful of fields: five to
ten times faster than reading it all. The look is one-sided: what it calls right is
right, and whatever seems odd to it (``None`` is returned) is read in full by ``wire``.
"""

import msgspec

from hedgerow.capture.fields import UUID_AS_STORED


class _Object(msgspec.Struct, gc=False):
    """Any JSON object; what is in it is skipped."""


class _Properties(msgspec.Struct, frozen=True, gc=False):
    token: str | None = None
    distinct_id: str | None = None
    cookieless_mode: bool = msgspec.field(default=False, name="$cookieless_mode")


_NO_PROPERTIES = _Properties()


class _Named(msgspec.Struct, gc=False):
    api_key: str | None = None
    token: str | None = None
    dollar_token: str | None = msgspec.field(default=None, name="$token")


class _Event(_Named, gc=False):
    event: str = ""
    distinct_id: str | None = None
    dollar_distinct_id: str | None = msgspec.field(default=None, name="$distinct_id")
    uuid: str | None = None
    properties: _Properties = _NO_PROPERTIES
    set: _Object | None = msgspec.field(default=None, name="$set")
    set_once: _Object | None = msgspec.field(default=None, name="$set_once")


class _Body(_Event, gc=False):
    batch: list[_Event] | msgspec.UnsetType = msgspec.UNSET


class Look(msgspec.Struct, frozen=True, gc=False):
    """What was seen of a body that is right."""

    token: str
    """Not yet checked."""

    events: int
    lacks_uuid: bool


_OBJECT = msgspec.json.Decoder(_Body)
_ARRAY = msgspec.json.Decoder(list[_Event])
_MANY = 8
_LENGTH = 36
_DASHES = (8, 13, 18, 23)
_ALPHABET = b"0123456789abcdef-"


def look(text: bytes) -> Look | None:
    """Return what ``text`` holds if that is certainly right; else None."""
    try:
        if text[:1] == b"[":
            envelope, events = None, _ARRAY.decode(text)
        else:
            body = _OBJECT.decode(text)
            if body.batch is msgspec.UNSET:
                envelope, events = None, [body]
            else:
                envelope, events = body, body.batch
    except (msgspec.DecodeError, RecursionError):
        return None
    token = _token(envelope, events)
    if token is None or not events or not all(map(_is_right, events)):
        return None
    uuids = [event.uuid for event in events if event.uuid]
    if not _are_uuids(uuids):
        return None
    return Look(token, len(events), len(uuids) < len(events))


def _is_right(event: _Event) -> bool:
    id_ = event.distinct_id
    if id_ is None:
        id_ = event.dollar_distinct_id
        if id_ is None:
            id_ = event.properties.distinct_id
    return bool(event.event and id_ and not id_.isspace())


def _are_uuids(texts: list[str]) -> bool:
    """Return whether each text is a UUID as it is stored; many in a few steps of C."""
    if len(texts) < _MANY:
        return all(map(UUID_AS_STORED.fullmatch, texts))
    joined = "".join(texts)
    return (
        all(len(text) == _LENGTH for text in texts)
        and joined.isascii()
        and not joined.encode().translate(None, _ALPHABET)
        and joined.count("-") == len(_DASHES) * len(texts)
        and not any(joined[place::_LENGTH].strip("-") for place in _DASHES)
    )


def _token(envelope: _Named | None, events: list[_Event]) -> str | None:
    """Return the one token named; None if there is none, or there are two."""
    if envelope is not None:
        named = envelope.api_key or envelope.token or envelope.dollar_token
        if named:
            return named
    found = {
        event.token or event.api_key or event.dollar_token or event.properties.token
        for event in events
    }
    return found.pop() if len(found) == 1 else None
