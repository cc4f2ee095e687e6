"""People or projects x the days of a week: totals, target and difference.

Time is as the rules round it; a day's column, a row and the whole add up to the same. A
person's target is that of the profile; where a question names projects or other filters
the difference compares that part only, as a timesheet does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import InvalidInput, said
from app.models.people import User
from app.reports import answer
from app.reports.answer import Sums
from app.reports.detail import Names
from app.reports.named import label
from app.reports.seen import Seen
from app.tracking.days import DAY, week_days

ROWS = ("user", "project")
"""What can stand in the rows."""


@dataclass(frozen=True, kw_only=True)
class WeekRow:
    """One person or project over the week."""

    key: int | None
    days: Mapping[date, Sums]
    total: Sums

    def on(self, day: date) -> int:
        """Return rounded seconds of a day."""
        found = self.days.get(day)
        return found.rounded if found else 0


@dataclass(frozen=True, kw_only=True)
class Week:
    """All of the report."""

    days: Sequence[date]
    by: str
    rows: Sequence[WeekRow]
    total: Sums
    by_day: Mapping[date, int] = field(default_factory=dict)
    """Day → rounded seconds of all rows."""


def first_day(day: date, week_start: int) -> tuple[date, date]:
    """Return the first and the last day of the week that ``day`` is in."""
    days = week_days(day, week_start)
    return days[0], days[-1]


def ask(session: Session, seen: Seen, by: str) -> Week:
    """Return a week by person or project; the range must be one week."""
    if by not in ROWS:
        raise InvalidInput(
            said("A week cannot be shown by %(by)r.", by=by),
            hint="Use user or project.",
            attr="group",
        )
    days = [seen.first + n * DAY for n in range((seen.last - seen.first).days + 1)]
    found = answer.grouped(session, seen, (by, "day"))
    rows = [
        WeekRow(
            key=key if isinstance(key, int) else None,
            days={day: under.sums for day, under in group.under.items()},  # type: ignore[misc]  # keys of "day" are days
            total=group.sums,
        )
        for key, group in found.groups.items()
    ]
    return Week(
        days=days,
        by=by,
        rows=rows,
        total=found.total,
        by_day={day: sum(row.on(day) for row in rows) for day in days},
    )


def targets(session: Session, week: Week) -> dict[int, int]:
    """Return the weekly target in seconds of each person in the rows who has one."""
    if week.by != "user":
        return {}
    keys = [row.key for row in week.rows if row.key is not None]
    query = select(User.id, User.weekly_target_minutes).where(User.id.in_(keys))
    found = session.execute(query)
    return {number: minutes * 60 for number, minutes in found if minutes}


def in_order(week: Week, names: Names) -> list[WeekRow]:
    """Return rows as they are listed: people by name, projects by time."""

    def place(row: WeekRow) -> tuple[int, str, int]:
        text = label(week.by, row.key, names).text or ""
        first = 0 if week.by == "user" else -row.total.seconds
        return first, text.casefold(), row.key or 0

    return sorted(week.rows, key=place)
