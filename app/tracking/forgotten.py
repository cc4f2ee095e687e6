"""Timers that nobody stopped, and time in which nobody was there.

Nothing here guesses. A timer that has run for long is asked about; only where the
installation says so is it stopped, at the very moment its worked time reached the limit.
What happens to idle time is the answer of the person whose time it is: it stays, it ends
the timer, it becomes a break, or it becomes an entry of its own.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import Conflict, InvalidInput
from app.models.entries import EntryBreak, TimeEntry, UndoStep
from app.models.people import User
from app.settings import Settings
from app.tracking import overlaps, timers, undo
from app.tracking.days import day_of, zone

REMINDED_S = 20 * 3600
"""A reminder goes within these seconds or not at all: less than repeated requests are
remembered, so that it goes once."""

Answer = Literal["keep", "discard_and_stop", "discard_and_continue", "split_off"]


@dataclass(frozen=True, kw_only=True)
class Idle:
    """A stretch of time in which nobody was there, of one running timer."""

    entry_id: int
    began: datetime
    ended: datetime


def to_ask(entry: TimeEntry | None, now: datetime, settings: Settings) -> bool:
    """Return whether this timer has run so long that its owner should be asked."""
    long_s = settings.long_timer_hours * 3600
    if entry is None or not long_s or timers.worked_seconds(entry, now) < long_s:
        return False
    return entry.checked_at is None or now - entry.checked_at >= timedelta(seconds=long_s)


def running_since(session: Session, before: datetime) -> list[TimeEntry]:
    """Return everybody's running timers that began before this moment."""
    query = select(TimeEntry).where(
        TimeEntry.is_running_now(), TimeEntry.started_at <= before
    )
    return list(session.scalars(query.order_by(TimeEntry.id)))


def to_remind(session: Session, now: datetime, settings: Settings) -> list[TimeEntry]:
    """Return timers that became long within the last day, of people who may sign in.

    Those that have run on for longer than that were written about already.
    """
    long_s = settings.long_timer_hours * 3600
    if not long_s:
        return []
    return [
        entry
        for entry in running_since(session, now - timedelta(seconds=long_s))
        if entry.user.is_active
        and long_s <= timers.worked_seconds(entry, now) < long_s + REMINDED_S
    ]


def stop_overdue(session: Session, now: datetime, settings: Settings) -> list[TimeEntry]:
    """Stop timers that worked longer than ``max_timer_hours``, when they did."""
    most = settings.max_timer_hours * 3600
    if not most:
        return []
    stopped = []
    for entry in running_since(session, now - timedelta(seconds=most)):
        at = _reached(entry, now, most)
        if at is not None:
            timers.end_at(entry, at, "max_duration")
            entry.incomplete = timers.is_incomplete(entry, settings)
            stopped.append(entry)
    session.flush()
    return stopped


def _reached(entry: TimeEntry, now: datetime, most: int) -> datetime | None:
    """Return when the worked time reached ``most`` seconds."""
    left = most
    for start, end in timers.segments(entry, now):
        length = overlaps.length([(start, end)])
        if length >= left:
            return start + timedelta(seconds=left)
        left -= length
    return None


def still_working(session: Session, user: User, entry_id: int, now: datetime) -> None:
    """Note that a long timer is right; it is asked about again after as long."""
    _asked(session, user, entry_id).checked_at = now.replace(microsecond=0)
    session.flush()


def ended(
    session: Session, user: User, entry_id: int, at: datetime, now: datetime
) -> timers.Stopped:
    """Stop a forgotten timer at a moment in the past."""
    entry = _asked(session, user, entry_id)
    at = at.replace(microsecond=0)
    if entry.started_at is None or not entry.started_at < at <= now:
        raise InvalidInput(
            "The timer cannot have ended then.",
            hint="Choose a moment between its start and now.",
            attr="ended",
        )
    before = undo.touched([entry])
    timers.end_at(entry, at, "user")
    step = undo.keep(session, user, "timer.stop", before, now)
    return timers.Stopped(entry=entry, step=step)


def answer(
    session: Session, user: User, idle: Idle, said: Answer, now: datetime,
    *, settings: Settings,
) -> UndoStep | None:  # fmt: skip
    """Do with idle time what its owner said; return how to take it back."""
    entry = _asked(session, user, idle.entry_id)
    began, finished = _within(entry, idle, now)
    if said == "keep":
        return None
    before = undo.touched([entry])
    if said == "discard_and_stop":
        timers.end_at(entry, began, "user")
        if entry.deleted_at is None:
            entry.incomplete = timers.is_incomplete(entry, settings)
        return undo.keep(session, user, "timer.stop", before, now)
    entry.breaks.append(EntryBreak(started_at=began, ended_at=finished))
    entry.touch()
    session.flush()
    if said == "split_off":
        own = _own_entry(user, entry, began, finished)
        own.incomplete = timers.is_incomplete(own, settings)
        session.add(own)
        session.flush()
        before[own.id] = None
    return undo.keep(session, user, "timer.idle", before, now)


def _own_entry(
    user: User, entry: TimeEntry, began: datetime, finished: datetime
) -> TimeEntry:
    return TimeEntry(
        user=user,
        kind="timed",
        started_at=began,
        ended_at=finished,
        timezone=entry.timezone,
        local_date=day_of(began, zone(entry.timezone)),
        seconds=overlaps.length([(began, finished)]),
        project=entry.project,
        task=entry.task,
        billable=entry.billable,
        source="timer",
        stopped_by="user",
        created_by_id=user.id,
    )


def _asked(session: Session, user: User, entry_id: int) -> TimeEntry:
    """Return the timer that was asked about, if it still runs."""
    entry = timers.running_for_change(session, user)
    if entry is None or entry.id != entry_id:
        raise Conflict(
            "The timer that was asked about does not run any more.",
            hint="Load the page again; nothing was changed.",
        )
    return entry


def _within(entry: TimeEntry, idle: Idle, now: datetime) -> tuple[datetime, datetime]:
    """Return the idle time inside the timer, or say why it cannot be cut out."""
    start = entry.started_at or now
    began = max(idle.began.replace(microsecond=0), start)
    finished = min(idle.ended.replace(microsecond=0), now.replace(microsecond=0))
    if finished <= began:
        raise InvalidInput("This idle time has no length.", hint="Nothing was changed.")
    for pause in entry.breaks:
        if pause.started_at < finished and (pause.ended_at or now) > began:
            raise Conflict(
                "A break of this timer lies in the idle time.",
                hint="Change the break instead.",
            )
    return began, finished
