"""How large things may be, and JSON as text.

Limits are those of the protocol (wire-protocol, sections 9 and 10). JSON is written
compactly; integers keep their digits, ``5.0`` stays ``5.0``.
"""

from typing import Any

import msgspec

PROPERTIES_LIMIT = 512 * 1024
"""Bytes of JSON that the properties of one person or group may take."""

KEY_LIMIT = 400
"""Characters of a group's key."""

DISTINCT_ID_LIMIT = 200
"""Characters of a distinct id; longer ones are cut."""

_encode = msgspec.json.Encoder().encode


def json_text(value: Any) -> str:
    """Return a JSON value as text."""
    return _encode(value).decode()


def exceeds(text: str, limit: int) -> bool:
    """Whether a text takes more than ``limit`` bytes; most are too short to be counted."""
    return len(text) * 4 > limit and len(text.encode()) > limit


def text_of_key(value: Any) -> str | None:
    """Return a group key or distinct id as text; None: it is neither text nor number."""
    if isinstance(value, str):
        return value[:KEY_LIMIT]
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return json_text(value)[:KEY_LIMIT]
    return None
