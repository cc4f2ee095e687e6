"""One person's month, day by day: begin and end, gaps, worked, target; to be signed.

A gap is time between the day's first begin and its last end that no entry covers: lunch,
or something forgotten. Entries without clock times have neither begin nor end. A target
for a day is a fifth of the week's, Monday to Friday.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from app.models.people import User
from app.reports import answer, rows
from app.reports import seen as looking
from app.reports.answer import Sums
from app.reports.seen import Item, Seen
from app.tracking import overlaps
from app.tracking.days import DAY, Segment, day_bounds, zone

WORKING_DAYS = 5


@dataclass(frozen=True, kw_only=True)
class MonthDay:
    """What one day holds."""

    day: date
    seconds: int
    rounded: int
    target: int
    begin: datetime | None
    end: datetime | None
    zone: str
    """Of the day's first entry: its clock times are shown in it."""
    gap: int
    """Seconds between begin and end that nothing covers."""
    entries: int

    @property
    def difference(self) -> int:
        """Rounded time against the target."""
        return self.rounded - self.target

    @property
    def is_missing(self) -> bool:
        """Whether a working day has no time at all."""
        return self.target > 0 and not self.entries


@dataclass(frozen=True, kw_only=True)
class Month:
    """All of the report."""

    days: Sequence[MonthDay]
    total: Sums
    target: int
    """Of all days up to today."""
    difference: int


def ask(session: Session, seen: Seen, person: User, today: date) -> Month:
    """Return this person's days in the range; days to come have no target yet."""
    found = answer.grouped(session, seen, ("day",))
    clocks = _clocks(session, seen)
    weekly = (person.weekly_target_minutes or 0) * 60
    days, target = [], 0
    for n in range((seen.last - seen.first).days + 1):
        day = seen.first + n * DAY
        due = (
            weekly // WORKING_DAYS
            if day.isoweekday() <= WORKING_DAYS and day <= today
            else 0
        )
        group = found.groups.get(day)
        days.append(_day(day, group.sums if group else Sums(), due, clocks.get(day, [])))
        target += due
    return Month(
        days=days,
        total=found.total,
        target=target,
        difference=found.total.rounded - target,
    )


def _day(
    day: date, sums: Sums, target: int, worked: Sequence[tuple[Segment, str]]
) -> MonthDay:
    segments = sorted(segment for segment, _ in worked)
    begin = segments[0][0] if segments else None
    end = max(finish for _, finish in segments) if segments else None
    covered = overlaps.length(segments) - overlaps.doubled([segments])
    whole = overlaps.length([(begin, end)]) if begin and end else 0
    return MonthDay(
        day=day,
        seconds=sums.seconds,
        rounded=sums.rounded,
        target=target,
        begin=begin,
        end=end,
        zone=min(worked)[1] if worked else "",
        gap=whole - covered,
        entries=sums.entries,
    )


def _clocks(session: Session, seen: Seen) -> dict[date, list[tuple[Segment, str]]]:
    """Return for each day the worked intervals that lie on it."""
    picked = rows.reaching(seen.question, seen.user, seen.first, seen.last)
    seen = looking.with_breaks(session, seen, picked)
    found: dict[date, list[tuple[Segment, str]]] = {}
    for item in looking.items(session, picked):
        for day in looking.pieces(item, seen):
            if seen.first <= day <= seen.last:
                found.setdefault(day, []).extend(_within(item, day, seen))
    return found


def _within(item: Item, day: date, seen: Seen) -> list[tuple[Segment, str]]:
    if item.start is None:
        return []
    name = seen.question.zone or item.zone
    first, last = day_bounds(day, zone(name))
    worked = overlaps.worked(
        item.start, item.end or max(seen.now, item.start), seen.breaks.get(item.id, [])
    )
    inside = [(max(a, first), min(b, last)) for a, b in worked]
    return [((a, b), name) for a, b in inside if a < b]
