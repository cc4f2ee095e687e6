"""From one JSON object to one ``CapturedEvent``: the rules of an event's fields.

What can never be right is refused, naming the field. What is merely odd (a timestamp
that is none, a ``$set`` inside the properties that is no object) is passed over, since a
refusal means that the client throws its events away.
"""

import re
from typing import Any
from uuid import UUID

import msgspec

from hedgerow.errors import BadCapture
from hedgerow.model.events import CapturedEvent

LONGEST_NAME = 200
LONGEST_ID = 200
OFFSET_LIMIT_MS = 100 * 366 * 24 * 3600 * 1000
"""A century: beyond, an offset is not believed."""

UUID_AS_STORED = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Json = dict[str, Any]


def captured_event(
    raw: Json, where: str, *, made_uuid: str, name: str = ""
) -> CapturedEvent:
    """Return ``raw`` with its fields checked, brought to one form and one place.

    ``where`` is its path in the request, such as ``batch.3.``; ``made_uuid`` stands in
    for a missing uuid, ``name`` for a missing name. Takes ``raw`` apart.
    """
    properties = _object(raw.get("properties", {}), where + "properties")
    uuid = raw.get("uuid")
    captured = CapturedEvent(
        uuid=made_uuid if uuid in (None, "") else _uuid(uuid, where),
        name=_name(raw, where, name),
        distinct_id=_distinct_id(raw, properties, where),
        timestamp=_text(raw.get("timestamp")),
        offset_ms=_offset_ms(raw.get("offset")),
        properties=properties,
        set=_united("$set", raw, properties, where),
        set_once=_united("$set_once", raw, properties, where),
        unset=(*_names(raw.get("$unset")), *_names(properties.get("$unset"))),
    )
    if not isinstance(properties.get("$cookieless_mode"), bool | None):
        raise _refusal("$cookieless_mode", properties, where + "properties.", "a boolean")
    for taken in ("token", "$set", "$set_once", "$unset"):
        properties.pop(taken, None)
    return captured


def shown(value: object) -> str:
    """Return a value as JSON, cut to what fits into a message."""
    try:
        text = msgspec.json.encode(value).decode()
    except RecursionError:
        text = "…"
    return text if len(text) <= 80 else f"{text[:79]}…"


def id_text(value: object) -> str | None:
    """Return a distinct id as text; None where it says nothing. Not yet cut."""
    if value is None:
        return None
    if not isinstance(value, str):
        value = msgspec.json.encode(value).decode()
    return value.replace("\0", "\ufffd") if value.strip() else None


def canonical_uuid(value: object) -> str | None:
    """Return a UUID in its usual form; None for what is none."""
    if not isinstance(value, str):
        return None
    if UUID_AS_STORED.fullmatch(value):
        return value
    try:
        return str(UUID(value))
    except ValueError:
        return None


def _name(raw: Json, where: str, default: str) -> str:
    name = raw.get("event")
    if name is None or name == "":
        if default:
            return default
        raise BadCapture(
            "missing_event_name",
            "The event has no name.",
            hint="Name it in 'event'.",
            attr=where + "event",
        )
    if not isinstance(name, str):
        raise _refusal("event", raw, where, "a string")
    return name[:LONGEST_NAME].replace("\0", "\ufffd")


def _distinct_id(raw: Json, properties: Json, where: str) -> str:
    places = (
        raw.get("distinct_id"),
        raw.get("$distinct_id"),
        properties.get("distinct_id"),
    )
    text = id_text(next((id_ for id_ in places if id_ is not None), None))
    if text is None:
        raise BadCapture(
            "missing_distinct_id",
            "The event does not say who did it.",
            hint="Put an id that is not blank into 'distinct_id'.",
            attr=where + "distinct_id",
        )
    return text[:LONGEST_ID]


def _uuid(value: object, where: str) -> str:
    uuid = canonical_uuid(value)
    if uuid is None:
        raise BadCapture(
            "invalid_uuid",
            f"{shown(value)} is no UUID.",
            hint="Send one such as 01a2098d-1f2e-7000-8000-000000000001, or leave it out.",
            attr=where + "uuid",
        )
    return uuid


def _united(name: str, raw: Json, properties: Json, where: str) -> Json:
    """Return what both places set; the top level wins."""
    given = raw.get(name)
    on_top = {} if given is None else _object(given, where + name)
    inside = properties.get(name)
    return {**inside, **on_top} if isinstance(inside, dict) else on_top


def _object(value: object, where: str) -> Json:
    if not isinstance(value, dict):
        raise BadCapture(
            "invalid_event",
            f"{shown(value)} is no JSON object.",
            hint=f"Make '{where}' an object, or leave it out.",
            attr=where,
        )
    return value


def _names(value: object) -> list[str]:
    """Return the names in a list, or the keys of an object."""
    if not isinstance(value, list | dict):
        return []
    return [name for name in value if isinstance(name, str)]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _offset_ms(value: object) -> int | None:
    """Return a believable offset: beyond a century no calendar could follow it."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if abs(value) < OFFSET_LIMIT_MS else None


def _refusal(field: str, holder: Json, where: str, wanted: str) -> BadCapture:
    return BadCapture(
        "invalid_event",
        f"'{field}' is {shown(holder[field])}.",
        hint=f"It must be {wanted}.",
        attr=where + field,
    )
