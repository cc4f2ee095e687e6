"""Visitors who are not to be recognised: told apart for one day, by a salt that is then lost.

An SDK in cookieless mode calls everybody ``$posthog_cookieless``. Instead of that, an event
gets a keyed hash of project, address, user agent and host: the same visitor counts once a
day, and nobody can tell who it was, not even we once the day's salt (``salts``) is gone. The
id is made on arrival and kept with the request. No person is made of it, no address kept.
"""

import hashlib
from collections.abc import Iterable

import msgspec

from hedgerow.model.events import CapturedEvent

SENTINEL = "$posthog_cookieless"
NAMED = SENTINEL.encode()
PREFIX = "cookieless_"


def visitor_id(salt: bytes, *parts: str | None) -> str:
    """Return the id of whoever these parts describe; ``salt`` has at most 64 bytes."""
    said = "\0".join(part or "" for part in parts).encode("utf-8", "surrogateescape")
    return PREFIX + hashlib.blake2b(said, key=salt, digest_size=16).hexdigest()


def told_apart(events: Iterable[CapturedEvent], id_: str) -> list[CapturedEvent]:
    """Return the events, those of nobody in particular with an id of the day instead."""
    return [
        _of_visitor(event, id_) if event.distinct_id == SENTINEL else event
        for event in events
    ]


def _of_visitor(event: CapturedEvent, id_: str) -> CapturedEvent:
    event.properties["$process_person_profile"] = False
    event.properties["$cookieless_mode"] = True
    if event.properties.get("distinct_id") == SENTINEL:
        event.properties["distinct_id"] = id_
    return msgspec.structs.replace(event, distinct_id=id_)
