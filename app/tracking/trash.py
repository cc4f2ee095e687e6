"""Entries thrown away: kept for some weeks, brought back, at last removed for good."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import InvalidInput
from app.models.entries import TimeEntry, UndoStep
from app.models.people import User
from app.tracking import overlaps, timers, undo
from app.tracking.entries import Act, refuse_locked
from app.tracking.recorded import with_details


def throw(session: Session, entries: Sequence[TimeEntry], act: Act) -> UndoStep:
    """Put entries into the trash, where they stay for some weeks."""
    refuse_locked(act, {entry.local_date for entry in entries})
    before = undo.touched(entries)
    for entry in entries:
        entry.deleted_at = act.now.replace(microsecond=0)
        entry.touch()
    return undo.keep(session, act.user, "entry.delete", before, act.now)


def take_out(session: Session, entries: Sequence[TimeEntry], act: Act) -> UndoStep:
    """Bring entries back from the trash; a discarded timer ended when it was discarded."""
    refuse_locked(act, {entry.local_date for entry in entries})
    before = undo.touched(entries)
    for entry in entries:
        thrown = entry.deleted_at
        entry.deleted_at = None
        if entry.kind == "timed" and entry.ended_at is None:
            _end_discarded(entry, thrown or act.now)
        entry.touch()
    return undo.keep(session, act.user, "entry.restore", before, act.now)


def _end_discarded(entry: TimeEntry, thrown: datetime) -> None:
    pause = timers.open_break(entry)
    if pause is not None:
        thrown = pause.started_at
        entry.breaks.remove(pause)
    if entry.started_at is None or thrown <= entry.started_at:
        raise InvalidInput(
            "There is nothing to bring back: this timer had no length.",
            hint="Enter the time by hand.",
        )
    entry.ended_at = thrown
    entry.seconds = overlaps.length(timers.segments(entry, thrown))


def in_trash(session: Session, user: User) -> list[TimeEntry]:
    """Return this person's deleted entries, the newest first."""
    query = select(TimeEntry).where(
        TimeEntry.user_id == user.id, TimeEntry.deleted_at.is_not(None)
    )
    return list(session.scalars(with_details(query).order_by(TimeEntry.deleted_at.desc())))


def empty_trash(session: Session, now: datetime, *, days: int, most: int = 500) -> int:
    """Remove for good what has been in the trash for ``days``, the oldest first.

    Returns how many went, at most ``most``: the caller commits and comes again.
    """
    old = select(TimeEntry).where(TimeEntry.deleted_at < now - timedelta(days=days))
    old = old.order_by(TimeEntry.deleted_at, TimeEntry.id).limit(most)
    found = list(session.scalars(old))
    for entry in found:
        session.delete(entry)
    session.flush()
    return len(found)
