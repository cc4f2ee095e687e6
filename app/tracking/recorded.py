"""What was recorded, and on which days.

An entry's days are days in the zone it was recorded in. One that crosses midnight is
divided there; its parts add up to it exactly. A running timer counts until now.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload, selectinload

from app.models.entries import TimeEntry
from app.models.people import User
from app.models.work import Project
from app.tracking import overlaps, timers
from app.tracking.days import day_of, parts, zone

REACH = timedelta(days=2)
"""An entry that began up to two days before can still reach into a day."""


class Piece(NamedTuple):
    """The part of an entry that lies on one day."""

    entry: TimeEntry
    day: date
    seconds: int


def with_details(query: Select[TimeEntry]) -> Select[TimeEntry]:
    """Load project, client, task, tags and breaks along, in few questions."""
    return query.options(
        joinedload(TimeEntry.project).joinedload(Project.client),
        joinedload(TimeEntry.task),
        selectinload(TimeEntry.tags),
        selectinload(TimeEntry.breaks),
    )


def of_days(session: Session, user: User, first: date, last: date) -> list[TimeEntry]:
    """Return this person's entries that may touch these days, in order."""
    query = (
        select(TimeEntry)
        .where(
            TimeEntry.user_id == user.id,
            TimeEntry.deleted_at.is_(None),
            TimeEntry.local_date.between(first - REACH, last),
        )
        .order_by(TimeEntry.local_date, TimeEntry.started_at, TimeEntry.id)
    )
    return list(session.scalars(with_details(query)))


def pieces(
    entries: Iterable[TimeEntry], first: date, last: date, now: datetime
) -> list[Piece]:
    """Return what of these entries lies on the days from ``first`` to ``last``."""
    found = []
    for entry in entries:
        for day, seconds in days(entry, now).items():
            if first <= day <= last:
                found.append(Piece(entry, day, seconds))
    return found


def days(entry: TimeEntry, now: datetime) -> dict[date, int]:
    """Return seconds for each local day of an entry; they add up to its length."""
    if entry.kind == "duration":
        return {entry.local_date: entry.seconds or 0}
    where = zone(entry.timezone)
    end = entry.ended_at or max(now, entry.started_at or now)
    if day_of(end, where) == entry.local_date:
        return {entry.local_date: timers.worked_seconds(entry, now)}
    return parts(timers.segments(entry, now), where) or {entry.local_date: 0}


def totals(found: Iterable[Piece]) -> dict[date, int]:
    """Return seconds for each day."""
    sums: dict[date, int] = {}
    for piece in found:
        sums[piece.day] = sums.get(piece.day, 0) + piece.seconds
    return sums


def doubled_seconds(entries: Sequence[TimeEntry], now: datetime) -> int:
    """Return how many seconds of these entries lie in more than one of them."""
    timed = [timers.segments(entry, now) for entry in entries if entry.kind == "timed"]
    return overlaps.doubled(timed)


def recent(session: Session, user: User, *, limit: int = 8) -> list[TimeEntry]:
    """Return the newest entry of each different work, to be continued with one click."""
    query = (
        select(TimeEntry)
        .where(
            TimeEntry.user_id == user.id,
            TimeEntry.deleted_at.is_(None),
            TimeEntry.seconds.is_not(None),
        )
        .order_by(
            TimeEntry.local_date.desc(), TimeEntry.started_at.desc(), TimeEntry.id.desc()
        )
        .limit(200)
    )
    seen: dict[tuple[int | None, int | None, str], TimeEntry] = {}
    for entry in session.scalars(with_details(query)):
        seen.setdefault((entry.project_id, entry.task_id, entry.description), entry)
        if len(seen) == limit:
            break
    return list(seen.values())
