"""Which day is it, and how long?

A day belongs to a zone and has 23, 24 or 25 hours (in a few places and years another
length, or none). Everything here goes from instants to local days or back; lengths are
always differences of instants, never of clock times.

Two local times are special. One that does not exist (spring) is moved forward by the
gap. One that exists twice (autumn) is the first unless ``fold=1`` asks for the second.
``Reading`` says which happened, so that the page can tell.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from app.errors import InvalidInput, said

Segment = tuple[datetime, datetime]
"""Worked time as a half-open interval of instants: [start, end)."""

DAY = timedelta(days=1)


class Reading(NamedTuple):
    """What a local time means as an instant."""

    instant: datetime
    moved: timedelta
    """By how much it was moved forward because it does not exist; usually zero."""
    twice: bool
    """Whether that local time exists twice that day."""


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """Return the zone called ``name``; InvalidInput where there is none."""
    if name not in available_timezones():
        raise InvalidInput(
            said("There is no time zone %(name)r.", name=name),
            hint="Try one such as Europe/Berlin.",
        )
    return ZoneInfo(name)


def at_local(day: date, clock: time, where: ZoneInfo, *, fold: int = 0) -> Reading:
    """Return the instant at which clocks in ``where`` show this."""
    naive = datetime.combine(day, clock)
    first, second = (
        naive.replace(tzinfo=where, fold=fold_).astimezone(UTC) for fold_ in (0, 1)
    )
    shown = first.astimezone(where).replace(tzinfo=None)
    if shown != naive:  # inside a gap: fold 0 counts with the offset from before it
        return Reading(first, shown - naive, twice=False)
    chosen = second if fold else first
    return Reading(chosen, timedelta(), twice=first != second)


@lru_cache(maxsize=4096)
def day_start(day: date, where: ZoneInfo) -> datetime:
    """Return the instant at which ``day`` begins in ``where``."""
    return at_local(day, time(), where).instant


def day_bounds(day: date, where: ZoneInfo) -> Segment:
    """Return begin and end of ``day`` as instants: 23, 24 or 25 hours apart."""
    return day_start(day, where), day_start(day + DAY, where)


def day_of(instant: datetime, where: ZoneInfo) -> date:
    """Return the local day that ``instant`` belongs to.

    Where clocks go back across midnight an hour of yesterday comes after today has
    begun; it belongs to today, so that days are intervals.
    """
    day = instant.astimezone(where).date()
    while day_start(day + DAY, where) <= instant:
        day += DAY
    while day_start(day, where) > instant:
        day -= DAY
    return day


def parts(segments: Iterable[Segment], where: ZoneInfo) -> dict[date, int]:
    """Return seconds for each local day; they add up to the whole exactly."""
    seconds: dict[date, int] = {}
    for start, end in segments:
        for day, length in _cut(start, end, where):
            seconds[day] = seconds.get(day, 0) + length
    return seconds


def _cut(start: datetime, end: datetime, where: ZoneInfo) -> Iterator[tuple[date, int]]:
    day = day_of(start, where)
    while start < end:
        until = min(end, day_start(day + DAY, where))
        if until > start:
            yield day, seconds_between(start, until)
        start, day = max(start, until), day + DAY


def seconds_between(start: datetime, end: datetime) -> int:
    """Return whole seconds from one instant to another."""
    return int((end - start).total_seconds())


def week_of(day: date, first_day: int) -> date:
    """Return the first day of the week; ``first_day`` is 0 Sunday, 1 Monday, 6 Saturday."""
    since = (day.isoweekday() - first_day) % 7
    return day - timedelta(days=since)


def week_days(day: date, first_day: int) -> list[date]:
    """Return the seven days of the week that ``day`` is in."""
    first = week_of(day, first_day)
    return [first + timedelta(days=n) for n in range(7)]


def week_number(day: date, first_day: int) -> int:
    """Return the number of the week: ISO where Monday is first, else counted from January.

    A week is numbered by its Thursday, so ISO holds for all three first days.
    """
    middle = week_of(day, first_day) + timedelta(days=(4 - first_day) % 7)
    return middle.isocalendar().week
