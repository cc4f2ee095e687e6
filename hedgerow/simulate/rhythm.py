"""When things happen: days, hours and weekdays in several time zones.

Pure. A *day* is an index: 0 is the first day of the simulation, ``days - 1`` the last one.
Each subject lives by the local day of its own zone, so at any instant the fleet is spread
over two calendar days, as a real one is.
"""

from bisect import bisect
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import accumulate
from random import Random
from zoneinfo import ZoneInfo

import msgspec

ZONES = {
    "Europe/Berlin": 30,
    "America/New_York": 20,
    "UTC": 15,
    "America/Los_Angeles": 10,
    "Asia/Kolkata": 9,
    "Asia/Tokyo": 8,
    "Australia/Sydney": 5,
    "America/Sao_Paulo": 3,
}
"""Where subjects live, by weight; UTC mostly means containers nobody told where they are."""

WEEKDAYS = (1.0, 1.0, 1.0, 0.97, 0.85, 0.14, 0.1)
"""How likely somebody works on a Monday … Sunday."""

HOURS = (0, 0, 0, 0, 0, 0, 1, 4, 12, 16, 14, 11, 7, 12, 15, 12, 9, 6, 3, 2, 1, 1, 0, 0)
"""When during a local day, by weight of the hour."""

HOLIDAY = range(38, 45)
"""Days counted back from the last one during which half the people are away."""

_HOURS_SUMMED = tuple(accumulate(HOURS))


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """The days simulated."""

    until: datetime
    """UTC: nothing happens later. Its UTC date is the last day."""

    days: int

    def date_of(self, day: int) -> date:
        """Return the calendar date of a day."""
        return self.until.date() - timedelta(days=self.days - 1 - day)


@cache
def midnight(when: date, zone: str) -> datetime:
    """Return the UTC instant at which a local day begins."""
    return datetime.combine(when, time(), ZoneInfo(zone)).astimezone(UTC)


def pick(rng: Random, weights: dict[str, int]) -> str:
    """Return one of the names, by weight."""
    return rng.choices(tuple(weights), tuple(weights.values()))[0]


def working_second(rng: Random) -> int:
    """Return a second of the local day at which somebody is likely at work."""
    hour = bisect(_HOURS_SUMMED, rng.randrange(_HOURS_SUMMED[-1]))
    return hour * 3600 + rng.randrange(3600)


def at_work(rng: Random, span: Span, day: int, eagerness: float) -> bool:
    """Return whether somebody of this eagerness (0 to 1) works on this day."""
    chance = eagerness * WEEKDAYS[span.date_of(day).weekday()]
    if span.days - 1 - day in HOLIDAY:
        chance *= 0.5
    return rng.random() < chance
