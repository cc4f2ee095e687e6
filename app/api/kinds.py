"""What a field may hold: how it is read, and how the OpenAPI document says so.

A ``Kind`` stands for both, so that document and program cannot differ. ``read`` takes a
JSON value, ``from_text`` what stands in an address; both return the value as rules want
it, or raise ``Wrong`` with words for whoever sent it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.api import idents

BIGGEST = 2**31 - 1
FIRST_YEAR, LAST_YEAR = 1970, 9998


class Wrong(ValueError):
    """A value that cannot be taken; the text says what may stand there."""


@dataclass(frozen=True)
class Kind:
    """What a field may hold."""

    schema: Mapping[str, Any]
    """JSON Schema."""
    read: Callable[[Any], Any]
    from_text: Callable[[str], Any]
    inner: object = None
    """The shape of the objects it holds, if it holds any."""


def _kind(
    schema: Mapping[str, Any],
    read: Callable[[Any], Any],
    from_text: Callable[[str], Any] | None = None,
) -> Kind:
    return Kind(schema, read, from_text or read)


def text(most: int, *, least: int = 0) -> Kind:
    """Text of at most so many characters; no zero byte, which PostgreSQL cannot keep."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or "\0" in value:
            raise Wrong("This must be text.")
        if not least <= len(value) <= most:
            raise Wrong(f"It has {len(value):,} characters; {least} to {most:,} are taken.")
        return value

    schema = {"type": "string", "maxLength": most}
    return _kind({**schema, "minLength": least} if least else schema, read)


def whole(least: int = 0, most: int = BIGGEST) -> Kind:
    """A whole number."""

    def read(value: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # JSON knows one kind of number: 5.0 is 5
        if isinstance(value, bool) or not isinstance(value, int):
            raise Wrong("This must be a whole number.")
        if not least <= value <= most:
            raise Wrong(f"{value} is not between {least:,} and {most:,}.")
        return value

    def from_text(value: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,18}", value):
            raise Wrong(f"{value[:40]!r} is no whole number.")
        return read(int(value))

    return _kind({"type": "integer", "minimum": least, "maximum": most}, read, from_text)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Wrong("This must be true or false.")
    return value


def _flag_text(value: str) -> bool:
    if value not in {"true", "false"}:
        raise Wrong(f"{value[:40]!r} is neither true nor false.")
    return value == "true"


def _instant(value: Any) -> datetime:
    if not isinstance(value, str):
        raise Wrong("This must be a time such as 2025-10-20T10:30:00+02:00.")
    try:
        read = datetime.fromisoformat(value)
    except ValueError as error:
        raise Wrong(
            f"{value[:40]!r} is no time. Write 2025-10-20T10:30:00+02:00."
        ) from error
    if read.tzinfo is None:
        raise Wrong(f"{value[:40]!r} names no offset. Write 2025-10-20T10:30:00+02:00.")
    if not FIRST_YEAR < read.year < LAST_YEAR:
        raise Wrong(f"The year {read.year} is too far away.")
    return read.replace(microsecond=0)


def _day(value: Any) -> date:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        raise Wrong("This must be a day such as 2025-10-20.")
    try:
        day = date.fromisoformat(value)
    except ValueError as error:
        raise Wrong(f"{value!r} is no day of any calendar.") from error
    if not FIRST_YEAR < day.year < LAST_YEAR:
        raise Wrong(f"The year {day.year} is too far away.")
    return day


flag = Kind({"type": "boolean"}, _flag, _flag_text)
instant = _kind({"type": "string", "format": "date-time"}, _instant)
day = _kind({"type": "string", "format": "date"}, _day)


def one_of(*words: str) -> Kind:
    """One of these words."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in words:
            raise Wrong(f"{str(value)[:40]!r} is none of {', '.join(words)}.")
        return value

    return _kind({"type": "string", "enum": list(words)}, read)


def number_of(*numbers: int) -> Kind:
    """One of these numbers."""

    def read(value: Any) -> int:
        if isinstance(value, bool) or value not in numbers:
            said = ", ".join(map(str, numbers))
            raise Wrong(f"{str(value)[:40]!r} is none of {said}.")
        return int(value)

    return _kind({"type": "integer", "enum": list(numbers)}, read)


def ident(kind: str) -> Kind:
    """The word of an entry, a project and so on; read as its number."""

    def read(value: Any) -> int:
        try:
            return idents.number(kind, value if isinstance(value, str) else "")
        except ValueError as error:
            raise Wrong(f"{str(value)[:40]!r} is no id of a {kind}.") from error

    pattern = f"^{idents.PREFIXES[kind]}_[{idents.LETTERS}]{{{idents.LENGTH}}}$"
    return _kind({"type": "string", "pattern": pattern}, read)


def list_of(kind: Kind, most: int, *, least: int = 0) -> Kind:
    """A list; in an address its parts stand with commas."""

    def sized(parts: Sequence[Any]) -> Sequence[Any]:
        if not least <= len(parts) <= most:
            raise Wrong(f"{len(parts):,} are given; {least} to {most:,} are taken.")
        return parts

    def read(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise Wrong("This must be a list.")
        return [kind.read(part) for part in sized(value)]

    def from_text(value: str) -> list[Any]:
        parts = [part.strip() for part in value.split(",") if part.strip()]
        return [kind.from_text(part) for part in sized(parts)]

    schema = {"type": "array", "items": dict(kind.schema), "maxItems": most}
    whole_ = {**schema, "minItems": least} if least else schema
    return Kind(whole_, read, from_text, kind.inner)


def shown(**schema: Any) -> Kind:
    """Something that is only ever answered, never taken."""

    def read(_value: Any) -> Any:
        raise Wrong("This cannot be set.")

    return _kind(schema, read)
