"""How the text of an environment variable is read.

A ``Kind`` is a reader and the words that say what it takes: the same words stand in the
documentation and in the message when a value is refused. Which variable is of which
kind stands in ``app.config``.
"""

import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import available_timezones

ROLES = ("viewer", "user", "manager", "admin")
"""From least to most; ``people.roles`` says what each may."""


RoleMap = tuple[tuple[str, str], ...]
"""Group or role of the provider → role here, in the order given."""


class Limit(NamedTuple):
    """So many times in so many seconds."""

    times: int
    seconds: int


class Kind(NamedTuple):
    """How a variable's text is read: ``read`` raises ValueError for what is not ``words``."""

    words: str
    read: Callable[[str], Any]
    secret: bool = False
    """Never quoted in a message; may come from a file named by ``NAME_FILE``."""


def _boolean(text: str) -> bool:
    return {
        **dict.fromkeys(("1", "true", "yes", "on"), True),
        **dict.fromkeys(("0", "false", "no", "off"), False),
    }[text.lower()]


def matching(pattern: str) -> Callable[[str], str]:
    """Return a reader of text of this form."""

    def read(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(text)
        return text

    return read


def _limit(text: str) -> Limit:
    times, count, unit = re.fullmatch(r"(\d+)/(\d+)([smh])", text).groups()  # type: ignore[union-attr]  # None has no groups: AttributeError is caught by the caller
    return Limit(int(times), int(count) * {"s": 1, "m": 60, "h": 3600}[unit])


def _role_map(text: str) -> RoleMap:
    roles = json.loads(text)
    if not all(role in ROLES for role in roles.values()):
        raise ValueError(text)
    return tuple(roles.items())


def _zone(text: str) -> str:
    if text not in available_timezones():
        raise ValueError(text)
    return text


def _lock(text: str) -> str:
    if not re.fullmatch(r"-\d{1,4}d|last-month", text):
        date.fromisoformat(text)
    return text


def _said(text: str) -> bool:
    return text.lower() not in {"", "0", "false"}


BOOLEAN = Kind("true or false (also 1 0 yes no on off)", _boolean)
SAID = Kind("any value but empty, 0 and false", _said)
TEXT = Kind("text", str)
SECRET = Kind("text", str, secret=True)
KEY = Kind("at least 32 characters", matching(r"(?s).{32,}"), secret=True)
FOLDER = Kind("a folder", Path)
LIST = Kind(
    "a list with commas", lambda t: tuple(p.strip() for p in t.split(",") if p.strip())
)
ADDRESS = Kind("an address with http:// or https://", matching(r"https?://[^\s/]+\S*"))
ZONE = Kind("a time zone such as Europe/Berlin", _zone)
LIMIT = Kind("a limit such as 5/15m", _limit)
CURRENCY_CODE = Kind("an ISO 4217 code such as EUR", matching("[A-Z]{3}"))
ROLE_MAP = Kind(
    f'JSON such as {{"tt-admins": "admin", "*": "user"}} with the roles {", ".join(ROLES)}',
    _role_map,
)
LANGUAGE = Kind("a language such as en or pt_BR", matching("[a-z]{2,3}(_[A-Z]{2})?"))
LOCK = Kind("a date such as 2025-12-31, -30d, or last-month", _lock)


def number(low: int, high: int | None = None, *, only: tuple[int, ...] = ()) -> Kind:
    """Whole numbers from ``low`` to ``high``, or those in ``only``."""

    def read(text: str) -> int:
        value = int(text)
        too_much = high is not None and value > high
        if value < low or too_much or (only and value not in only):
            raise ValueError(text)
        return value

    upto = "" if high is None else f" to {high}"
    words = " or ".join(map(str, only)) if only else f"a whole number from {low}{upto}"
    return Kind(words, read)


def among(*words: str) -> Kind:
    """One of these words, in either case."""

    def read(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(text)
        return text.lower()

    return Kind(f"one of {', '.join(words)}", read)


COUNT = number(0)
ENVIRONMENTS = among("production", "development", "testing")
LEVELS = among("off", "base", "detailed")
