"""Which of the body shapes is it? From JSON text to a list of raw events.

An array, a batch envelope, or a single event; at ``/engage`` an event may lack its name.
Everything unknown is ignored: old SDKs send ``type``, ``library``, ``messageId``.
"""

import json
from collections.abc import Sequence
from typing import Any, NoReturn

import msgspec

from hedgerow.capture.encodings import without_lone_surrogates
from hedgerow.capture.fields import Json, shown
from hedgerow.errors import BadCapture

_ANY = msgspec.json.Decoder()
_ENTRIES = msgspec.json.Decoder(list[msgspec.Raw])


class _Batch(msgspec.Struct):
    batch: list[msgspec.Raw]


_BATCH = msgspec.json.Decoder(_Batch)


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """The raw events of a request and what stood around them."""

    envelope: Json
    """Empty for an array and for a single event."""

    events: list[Json]
    where: str
    """Path before an event's index: ``batch.``, or empty in an array."""

    single: bool = False

    def path(self, index: int) -> str:
        """Return the path of an event, ready for a field's name behind it."""
        return "" if self.single else f"{self.where}{index}."


def json_value(text: bytes) -> Any:
    """Return what the JSON text says. Raises ``invalid_json``.

    A lone surrogate escape becomes U+FFFD. A number too large for a double becomes its
    own text: a strange value must not cost the event.
    """
    try:
        return _ANY.decode(text)
    except RecursionError as error:
        raise _not_json("it is nested too deeply") from error
    except (msgspec.DecodeError, ValueError) as error:
        return _mended(text, error)


def shape_of(value: Any) -> Shape:
    """Tell the shapes apart. Raises ``invalid_json``, ``invalid_event``, ``empty_batch``."""
    if isinstance(value, list):
        return Shape(envelope={}, events=_entries(value, ""), where="")
    if not isinstance(value, dict):
        raise _not_json(f"{shown(value)} is neither an object nor an array")
    if not value:
        raise BadCapture("empty_body", "The body is {}.", hint="Send events as JSON.")
    if "batch" not in value:
        return Shape(envelope={}, events=[value], where="", single=True)
    batch = value["batch"]
    if not isinstance(batch, list):
        raise BadCapture(
            "invalid_event",
            f"'batch' is {shown(batch)}.",
            hint="It must be a list of events.",
            attr="batch",
        )
    return Shape(envelope=value, events=_entries(batch, "batch."), where="batch.")


def refuse_large_events(text: bytes, limit: int) -> None:
    """Raise ``event_too_large`` if one event has more than ``limit`` bytes of JSON."""
    if len(text) <= limit:
        return
    if b"\\u" in text:
        text = without_lone_surrogates(text)
    where, entries = _raw_entries(text)
    for index, entry in enumerate(entries):
        if len(entry) > limit:
            raise BadCapture(
                "event_too_large",
                f"The event has {len(entry)} bytes; at most {limit} are taken.",
                hint="Send less in its properties.",
                attr=f"{where}{index}",
            )


def _entries(entries: list[Any], where: str) -> list[Json]:
    if not entries:
        raise BadCapture(
            "empty_batch", "There is no event in the request.", hint="Send at least one."
        )
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict):
            raise BadCapture(
                "invalid_event",
                f"{shown(entry)} is no event.",
                hint="Each entry must be a JSON object.",
                attr=f"{where}{index}",
            )
    return entries


def _raw_entries(text: bytes) -> tuple[str, Sequence[msgspec.Raw | bytes]]:
    """Return the events as undecoded pieces of the text."""
    try:
        if text.lstrip()[:1] == b"[":
            return "", _ENTRIES.decode(text)
        return "batch.", _BATCH.decode(text).batch
    except (msgspec.DecodeError, RecursionError):
        return "", [text]  # a single event, or no JSON, which is said elsewhere


def _mended(text: bytes, error: Exception) -> Any:
    if b"\\u" in text:
        text = without_lone_surrogates(text)
    try:
        return _ANY.decode(text)
    except msgspec.ValidationError:
        return _with_large_numbers(text)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise _not_json(str(error)) from error


def _with_large_numbers(text: bytes) -> Any:
    """Decode as the standard library does, numbers beyond a double as text."""
    try:
        return json.loads(
            text, parse_float=_double, parse_int=_integer, parse_constant=_no_constant
        )
    except (ValueError, RecursionError) as error:
        raise _not_json(str(error)) from error


def _double(digits: str) -> float | str:
    number = float(digits)
    return digits if number in (float("inf"), float("-inf")) else number


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) < 400 else digits


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _not_json(why: str) -> BadCapture:
    return BadCapture(
        "invalid_json",
        f"The body is no JSON: {why}.",
        hint="Send one JSON object or array.",
    )
