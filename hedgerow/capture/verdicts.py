"""Capture v1: the same events under stricter rules, with a verdict for each.

Token, clock and SDK are told in headers, a few properties have places of their own, and
one bad event does not cost the others: it is dropped, and the answer says so under its
uuid. Only what concerns the whole request is refused, under a code that ``endpoints``
answers as ``{"error": …}``.

Pure. Reading a body twice drops the same events twice.
"""

import re
from typing import Any, Literal

import msgspec

from hedgerow.capture.fields import Json, canonical_uuid, captured_event, shown
from hedgerow.capture.shapes import shape_of
from hedgerow.errors import BadCapture
from hedgerow.ingest.timestamps import parsed
from hedgerow.model.events import CapturedEvent, CapturedRequest


class V1Request(msgspec.Struct, frozen=True, kw_only=True):
    """What the headers of a request say."""

    token: str
    sdk: str
    """Name and version, such as ``posthog-python/7.91.1``."""

    sent_at: str
    """RFC 3339."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one event."""

    result: Literal["ok", "warning", "drop", "retry"]
    details: str = ""


Verdicts = dict[str, Verdict]
"""By the uuid as it was sent."""

OK = Verdict(result="ok")
PERSONLESS = Verdict(result="warning", details="person_processing_disabled")
NOT_PERSISTED = Verdict(result="retry", details="not_persisted")

ILLEGAL_IDS = frozenset(
    {
        "0",
        "00000000-0000-0000-0000-000000000000",
        "[object object]",
        "anonymous",
        "anonymous-user",
        "backend",
        "distinct_id",
        "distinctid",
        "email",
        "false",
        "guest",
        "id",
        "nan",
        "none",
        "not_authenticated",
        "null",
        "system",
        "true",
        "undefined",
        "user",
    }
)
"""In lower case. An event of such an id is stored without a person."""

_RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_OPTIONS = {
    "process_person_profile": ("$process_person_profile", bool),
    "disable_skew_correction": ("$ignore_sent_at", bool),
    "cookieless_mode": ("$cookieless_mode", bool),
    "product_tour_id": ("$product_tour_id", str),
}
_LONGEST = 200  # characters of a name or id; nothing is cut here


class _Dropped(Exception):
    """One event cannot be taken; the tag says why."""


def captured_batch(value: Any, said: V1Request) -> tuple[CapturedRequest, Verdicts]:
    """Return the events that are kept, and the verdict on each that was sent.

    Raises ``BadCapture`` for the request as a whole: ``request_parsing_error``,
    ``invalid_batch``, ``empty_batch``, ``missing_event_uuid``, ``invalid_event_uuid``,
    ``duplicate_event_uuid``.
    """
    batch = _batch(value)
    verdicts: Verdicts = {}
    events = []
    for sent_as, uuid, raw in _with_uuids(batch):
        try:
            event = _event(raw, uuid, said.sdk)
        except _Dropped as tag:
            verdicts[sent_as] = Verdict(result="drop", details=str(tag))
            continue
        personless = event.distinct_id.lower() in ILLEGAL_IDS
        if personless:
            event.properties["$process_person_profile"] = False
        verdicts[sent_as] = PERSONLESS if personless else OK
        events.append(event)
    request = CapturedRequest(
        token=said.token,
        sent_at=parsed(said.sent_at),
        historical=value.get("historical_migration") is True,
        events=events,
    )
    return request, verdicts


def is_rfc_3339(value: object) -> bool:
    """Return whether a value is a date and time with a zone, and such a day exists."""
    return (
        isinstance(value, str) and bool(_RFC_3339.fullmatch(value)) and bool(parsed(value))
    )


def _batch(value: Any) -> list[Json]:
    if not isinstance(value, dict) or not isinstance(value.get("batch"), list):
        raise _refused(
            "request_parsing_error",
            f"The body is {shown(value)}",
            "Send {created_at, batch}",
        )
    if not is_rfc_3339(value.get("created_at")):
        raise _refused(
            "invalid_batch",
            f"'created_at' is {shown(value.get('created_at'))}",
            "Send the time as RFC 3339",
        )
    try:
        return shape_of(value).events
    except BadCapture as error:
        if error.code == "empty_batch":
            raise
        raise _refused(
            "request_parsing_error", error.what.rstrip("."), error.hint
        ) from error


def _with_uuids(batch: list[Json]) -> list[tuple[str, str, Json]]:
    """Return each event with its uuid, as sent and in its usual form."""
    seen: set[str] = set()
    found = []
    for index, raw in enumerate(batch):
        sent = raw.get("uuid")
        if sent in (None, ""):
            raise _refused("missing_event_uuid", f"Event {index} has no uuid", "Make one")
        uuid = canonical_uuid(sent)
        if uuid is None:
            raise _refused(
                "invalid_event_uuid",
                f"{shown(sent)} of event {index} is no UUID",
                "Make one",
            )
        if uuid in seen:
            raise _refused(
                "duplicate_event_uuid", f"Two events have the uuid {uuid}", "Send it once"
            )
        seen.add(uuid)
        found.append((str(sent), uuid, raw))
    return found


def _event(raw: Json, uuid: str, sdk: str) -> CapturedEvent:
    _check(raw)
    properties = raw.setdefault("properties", {})
    options = raw.get("options")
    for option, (name, kind) in _OPTIONS.items():
        given = None if options is None else options.get(option)
        if given is None:
            continue
        if not isinstance(given, kind):
            raise _Dropped("invalid_options")
        properties[name] = given
    for place, name in (("session_id", "$session_id"), ("window_id", "$window_id")):
        if raw.get(place) is not None:
            properties[name] = raw[place]
    library, _, version = sdk.rpartition("/")
    properties.setdefault("$lib", library)
    properties.setdefault("$lib_version", version)
    try:
        return captured_event(raw, "", made_uuid=uuid)
    except BadCapture as error:  # $set is no object, $cookieless_mode no boolean
        raise _Dropped("malformed_event_properties") from error


def _check(raw: Json) -> None:
    """Refuse what has a tag of its own."""
    name, id_ = raw.get("event"), raw.get("distinct_id")
    wrong = (
        ("missing_event_name", not isinstance(name, str) or not name.strip()),
        ("dropped_performance_event", name == "$performance_event"),
        ("event_name_too_long", isinstance(name, str) and len(name) > _LONGEST),
        ("missing_distinct_id", not isinstance(id_, str) or not id_.strip()),
        ("distinct_id_too_large", isinstance(id_, str) and len(id_) > _LONGEST),
        ("invalid_event_timestamp", not is_rfc_3339(raw.get("timestamp"))),
        ("invalid_options", not isinstance(raw.get("options"), dict | None)),
        ("malformed_event_properties", not isinstance(raw.get("properties", {}), dict)),
    )
    for tag, holds in wrong:
        if holds:
            raise _Dropped(tag)


def _refused(code: str, what: str, hint: str) -> BadCapture:
    return BadCapture(code, f"{what}.", hint=f"{hint}.")
