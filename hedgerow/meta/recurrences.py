"""When something that comes back comes next: every second week on Monday, and the like.

The fields are PostHog's, which are those of iCalendar. The time of day is that of the
start in the project's zone, on both sides of a change of clocks. Day 31 is the last day of
a shorter month, rather than left out.
"""

from calendar import monthrange
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Literal, get_args
from zoneinfo import ZoneInfo

import msgspec

from hedgerow.errors import InvalidInput

Frequency = Literal["daily", "weekly", "monthly", "yearly"]
Weekday = Literal[
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"
]
DAYS: tuple[str, ...] = get_args(Weekday)
PLACES = {1: "first", 2: "second", 3: "third", 4: "fourth", -1: "last"}
UNITS = {"daily": "day", "weekly": "week", "monthly": "month", "yearly": "year"}
MOST_INTERVAL = 1000
FIRST_YEAR, LAST_YEAR = 1971, 3000
PERIODS = 100
"""So many periods without a day of theirs, and there never is one."""


class Recurrence(msgspec.Struct, frozen=True, kw_only=True):
    """When something comes back."""

    frequency: Frequency
    start_date: datetime
    """The first time, and the time of day of all."""

    interval: int = 1
    """Every so many days, weeks, months or years."""

    byweekday: Sequence[Weekday] = ()
    """Empty: the day of the start."""

    bysetpos: int | None = None
    """Of the weekdays of a month only the first (1) to fourth, or the last (-1)."""

    until_date: datetime | None = None
    """Nothing comes later than this."""


def check(rule: Recurrence, timezone: str) -> None:
    """Raise InvalidInput, naming the field, for what cannot be meant."""
    if not 1 <= rule.interval <= MOST_INTERVAL:
        raise _wrong("interval", rule.interval, f"Use 1 to {MOST_INTERVAL}.")
    _check_moment("start_date", rule.start_date)
    _check_moment("until_date", rule.until_date)
    _check_days(rule)
    if next(_times(rule, rule.start_date, timezone), None) is not None:
        return
    if rule.until_date is not None:
        hint = "Nothing would ever be sent; use a later time."
        raise _wrong("until_date", rule.until_date.isoformat(), hint)
    hint = "No such day ever comes with this start and interval."
    raise _wrong("byweekday", list(rule.byweekday), hint)


def _check_moment(name: str, at: datetime | None) -> None:
    if at is not None and at.tzinfo is None:
        hint = "Give its zone, such as 2026-03-01T09:00:00Z."
        raise _wrong(name, at.isoformat(), hint)
    if at is not None and not FIRST_YEAR <= at.year <= LAST_YEAR:
        hint = f"Use a year from {FIRST_YEAR} to {LAST_YEAR}."
        raise _wrong(name, at.isoformat(), hint)


def _check_days(rule: Recurrence) -> None:
    if rule.byweekday and rule.frequency == "yearly":
        hint = "Leave it out, or use 'monthly' with an interval of 12."
        raise _wrong("byweekday", list(rule.byweekday), hint)
    if rule.bysetpos is None:
        return
    if rule.frequency != "monthly" or not rule.byweekday:
        hint = "It needs the frequency 'monthly' and 'byweekday'."
        raise _wrong("bysetpos", rule.bysetpos, hint)
    if rule.bysetpos not in PLACES:
        raise _wrong("bysetpos", rule.bysetpos, "Use 1, 2, 3, 4 or -1.")


def _wrong(name: str, value: object, hint: str) -> InvalidInput:
    return InvalidInput(f"{name} is {value!r}.", hint=hint, attr=name)


def following(rule: Recurrence, after: datetime, timezone: str) -> datetime | None:
    """Return the first time later than ``after``; None: there is none any more."""
    return next((at for at in _times(rule, after, timezone) if at > after), None)


def _times(rule: Recurrence, near: datetime, timezone: str) -> Iterator[datetime]:
    """Return the times in order, from a little before ``near`` or the start on."""
    zone = ZoneInfo(timezone)
    start = rule.start_date.astimezone(zone)
    for day in _days(rule, start.date(), near.astimezone(zone).date()):
        local = datetime.combine(day, start.timetz().replace(tzinfo=None), zone)
        at = local.astimezone(ZoneInfo("UTC"))
        if rule.until_date is not None and at > rule.until_date:
            return
        if at >= rule.start_date:
            yield at


def _days(rule: Recurrence, start: date, near: date) -> Iterator[date]:
    number = max(0, _periods_between(rule, start, near) // rule.interval - 1)
    empty = 0
    while empty < PERIODS:
        found = [day for day in _of_period(rule, start, number) if day >= start]
        yield from found
        empty = 0 if found else empty + 1
        number += 1


def _periods_between(rule: Recurrence, start: date, near: date) -> int:
    if rule.frequency == "daily":
        return (near - start).days
    if rule.frequency == "weekly":
        return (near - start).days // 7
    months = (near.year - start.year) * 12 + near.month - start.month
    return months if rule.frequency == "monthly" else months // 12


def _of_period(rule: Recurrence, start: date, number: int) -> list[date]:
    """Return the days of the period with this number, counted from the start's."""
    steps = number * rule.interval
    if rule.frequency == "daily":
        day = start + timedelta(days=steps)
        return [day] if not rule.byweekday or _is_one(day, rule) else []
    if rule.frequency == "weekly":
        monday = start - timedelta(days=start.weekday()) + timedelta(weeks=steps)
        wanted = rule.byweekday or (DAYS[start.weekday()],)
        return [monday + timedelta(days=n) for n in range(7) if DAYS[n] in wanted]
    months = steps if rule.frequency == "monthly" else steps * 12
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    last = monthrange(year, month + 1)[1]
    if not rule.byweekday:
        return [date(year, month + 1, min(start.day, last))]
    days = [date(year, month + 1, day) for day in range(1, last + 1)]
    found = [day for day in days if _is_one(day, rule)]
    if rule.bysetpos is None:
        return found
    return [found[rule.bysetpos - 1 if rule.bysetpos > 0 else -1]]


def _is_one(day: date, rule: Recurrence) -> bool:
    return DAYS[day.weekday()] in rule.byweekday


def said(rule: Recurrence, timezone: str) -> str:
    """Return it in words: ``every 2 weeks on Monday and Friday at 09:00``."""
    start = rule.start_date.astimezone(ZoneInfo(timezone))
    unit = UNITS[rule.frequency]
    every = f"every {unit}" if rule.interval == 1 else f"every {rule.interval} {unit}s"
    return f"{every}{_on(rule, start)} at {start:%H:%M}"


def _on(rule: Recurrence, start: datetime) -> str:
    chosen = [day.title() for day in DAYS if day in rule.byweekday]
    named = " and ".join([", ".join(chosen[:-1]), chosen[-1]] if chosen[1:] else chosen)
    if rule.bysetpos is not None:
        what = "day" if len(chosen) == len(DAYS) else named.replace(" and ", " or ")
        return f" on the {PLACES[rule.bysetpos]} {what}"
    if chosen:
        return f" on {named}"
    if rule.frequency == "weekly":
        return f" on {DAYS[start.weekday()].title()}"
    if rule.frequency == "monthly":
        return f" on day {start.day}"
    return f" on {start.day} {start:%B}" if rule.frequency == "yearly" else ""
