"""What people type for lengths and times, and how lengths are written back.

One field understands many ways: ``1:30``, ``1.5``, ``1,5``, ``1h30``, ``90m``; a plain
number is hours up to 12 and minutes from 13 on. Times: ``9``, ``930``, ``9:30``,
``9:30pm``, ``now``, ``-15`` (minutes ago). What cannot be read is refused with examples;
the page shows the reading while one types.
"""

import re
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from app.errors import InvalidInput, said
from app.tracking.days import Reading, at_local

HOUR, MINUTE = 3600, 60
MINUTES_FROM = 13
"""A number without a unit from this on is minutes: nobody types 45 for 45 hours."""

LONGEST_H = 999
"""Nothing anyone types as a length is longer, in hours."""

_CLOCK = re.compile(r"(\d{1,3}):(\d{1,2})(?::(\d{1,2}))?")
_NUMBER = re.compile(r"(\d*[.,]\d+|\d+[.,]?)")
_UNITS = re.compile(
    r"(?:(\d+(?:[.,]\d+)?)\s*h(?:ours?|rs?|r)?)?\s*"
    r"(?:(\d+(?:[.,]\d+)?)\s*(?:m(?:in(?:utes?)?)?)?)?\s*(?:(\d+)\s*s(?:ec)?)?"
)
_TIME = re.compile(r"(\d{1,2})(?:[:.h]?(\d{2}))?\s*(am|pm|a|p)?")
_AGO = re.compile(r"[-\u2212](\d{1,4})")


def seconds(text: str) -> int:
    """Return the length that ``text`` says, in whole seconds; InvalidInput if it says none."""
    typed = text.strip().lower()
    length = _by_clock(typed)
    if length is None:
        length = _by_number(typed)
    if length is None:
        length = _by_units(typed)
    if length is None or length > LONGEST_H * HOUR:
        raise InvalidInput(
            said("%(text)r is no length of time.", text=text.strip()),
            hint="Write 1:30, 1.5, 1h 30m or 90m.",
            attr="duration",
        )
    return length


def _by_clock(said: str) -> int | None:
    if not (match := _CLOCK.fullmatch(said)):
        return None
    hours, minutes, rest = (int(part or 0) for part in match.groups())
    if minutes > 59 or rest > 59:
        return None
    return hours * HOUR + minutes * MINUTE + rest


def _by_number(said: str) -> int | None:
    if not _NUMBER.fullmatch(said):
        return None
    value = _fraction(said)
    whole = "." not in said and "," not in said
    unit = MINUTE if whole and value >= MINUTES_FROM else HOUR
    return round(value * unit)


def _by_units(said: str) -> int | None:
    match = _UNITS.fullmatch(said)
    if not match or not any(match.groups()):
        return None
    hours, minutes, rest = match.groups()
    total = _fraction(hours or "0") * HOUR + _fraction(minutes or "0") * MINUTE
    return round(total) + int(rest or 0)


def _fraction(number: str) -> Fraction:
    cleaned = number.replace(",", ".")
    return Fraction("0" + cleaned if cleaned.startswith(".") else cleaned.removesuffix("."))


def moment(
    text: str, day: date, where: ZoneInfo, now: datetime, *, fold: int = 0
) -> Reading:
    """Return the instant that ``text`` names on ``day`` in ``where``.

    ``now`` and ``-15`` count from ``now`` whatever the day; seconds are cut off, because
    nobody means them. Where a clock time exists twice that day, ``fold=1`` is the second.
    """
    said = text.strip().lower()
    if said == "now":
        return Reading(now.replace(microsecond=0), timedelta(), twice=False)
    if ago := _AGO.fullmatch(said):
        back = now.replace(second=0, microsecond=0) - timedelta(minutes=int(ago[1]))
        return Reading(back, timedelta(), twice=False)
    return at_local(day, clock(text), where, fold=fold)


def clock(text: str) -> time:
    """Return the time of day that ``text`` says; InvalidInput if it says none."""
    match = _TIME.fullmatch(text.strip().lower())
    wrong = InvalidInput(
        said("%(text)r is no time of day.", text=text.strip()),
        hint="Write 9, 930, 9:30, 9:30pm, now, or -15 for 15 minutes ago.",
        attr="time",
    )
    if not match:
        raise wrong
    hours, minutes, half = int(match[1]), int(match[2] or 0), match[3]
    if half:
        if not 1 <= hours <= 12:
            raise wrong
        hours = hours % 12 + (12 if half[0] == "p" else 0)
    if hours > 23 or minutes > 59:
        raise wrong
    return time(hours, minutes)


def prose(length: int) -> str:
    """Return ``1h 05m`` (or ``25m``, ``0m``): seconds are cut off, for reading only."""
    minus, length = ("\u2212", -length) if length < 0 else ("", length)
    hours, minutes = divmod(length // MINUTE, 60)
    return f"{minus}{hours}h {minutes:02}m" if hours else f"{minus}{minutes}m"


def grid(length: int) -> str:
    """Return ``1:05``, as tables and the week show it; seconds are cut off."""
    minus, length = ("\u2212", -length) if length < 0 else ("", length)
    hours, minutes = divmod(length // MINUTE, 60)
    return f"{minus}{hours}:{minutes:02}"


def exact(length: int) -> str:
    """Return ``1:05:12``, to the second."""
    minus, length = ("-", -length) if length < 0 else ("", length)
    minutes, rest = divmod(length, MINUTE)
    return f"{minus}{minutes // 60}:{minutes % 60:02}:{rest:02}"


def decimal(length: int) -> str:
    """Return hours with two decimals: ``1.08``; half goes up."""
    hundredths = (abs(length) * 100 * 2 + HOUR) // (2 * HOUR)
    return f"{'-' if length < 0 else ''}{hundredths // 100}.{hundredths % 100:02}"
