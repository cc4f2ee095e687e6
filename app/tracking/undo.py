"""A step kept, and taken back.

Before an act a rule takes snapshots of the entries it is about to change; after it,
``keep`` stores them together with the versions the entries then have. Taking a step
back puts every entry to its snapshot; one that did not exist before goes to the trash.
It is refused, with the reason, once any of them was changed again, or after an hour.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import Conflict, NotFound, said
from app.models.entries import EntryBreak, TimeEntry, UndoStep
from app.models.people import User
from app.models.work import Tag

LASTS = timedelta(hours=1)

Snapshot = dict[str, Any]
"""The fields of an entry, its tags and breaks, as JSON."""

PLAIN = (
    "user_id",
    "kind",
    "timezone",
    "seconds",
    "project_id",
    "task_id",
    "description",
    "billable",
    "rate_override",
    "source",
    "stopped_by",
    "incomplete",
)
INSTANTS = ("started_at", "ended_at", "checked_at", "deleted_at")


def snapshot(entry: TimeEntry) -> Snapshot:
    """Return what the entry is now, to be put back later."""
    kept: Snapshot = {name: getattr(entry, name) for name in PLAIN}
    kept |= {name: _seconds(getattr(entry, name)) for name in INSTANTS}
    kept["local_date"] = entry.local_date.isoformat()
    kept["tags"] = [tag.id for tag in entry.tags]
    kept["breaks"] = [[_seconds(b.started_at), _seconds(b.ended_at)] for b in entry.breaks]
    return kept


def _seconds(instant: datetime | None) -> int | None:
    return None if instant is None else int(instant.timestamp())


def _instant(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def keep(
    session: Session,
    user: User,
    action: str,
    before: Mapping[int, Snapshot | None],
    now: datetime,
) -> UndoStep:
    """Store a step; ``before`` names every entry the act touched, None for a new one."""
    session.flush()
    entries = session.scalars(select(TimeEntry).where(TimeEntry.id.in_(before)))
    step = UndoStep(
        user_id=user.id,
        action=action,
        before={str(number): kept for number, kept in before.items()},
        after={str(entry.id): entry.version for entry in entries},
        expires_at=now + LASTS,
    )
    session.add(step)
    session.flush()
    return step


def take_back(session: Session, user: User, step_id: int, now: datetime) -> UndoStep:
    """Undo a step of this person, or say why it cannot be undone any more."""
    step = session.get(UndoStep, step_id)
    if step is None or step.user_id != user.id or step.expires_at <= now:
        raise NotFound("This can no longer be undone.", hint="Undo works for one hour.")
    if step.undone_at is not None:
        raise Conflict("This was undone already.")
    entries = _unchanged(session, step)
    _refuse_second_timer(session, step, user)
    waiting = sorted(step.before.items(), key=lambda item: _runs(item[1]))
    for number, kept in waiting:  # the one that runs again comes last: only one may
        if number in entries:
            _put_back(session, entries[number], kept, now)
            session.flush()
    step.undone_at = now
    return step


def _runs(kept: Snapshot | None) -> bool:
    return bool(
        kept
        and kept["kind"] == "timed"
        and kept["ended_at"] is None
        and kept["deleted_at"] is None
    )


def _unchanged(session: Session, step: UndoStep) -> dict[str, TimeEntry]:
    found = session.scalars(
        select(TimeEntry).where(TimeEntry.id.in_(int(number) for number in step.before))
    )
    entries = {str(entry.id): entry for entry in found}
    for number, version in step.after.items():
        entry = entries.get(number)
        if entry is None or entry.version != version:
            what = entry.description if entry and entry.description else "an entry"
            raise Conflict(
                said("It cannot be undone: %(what)r was changed since.", what=what),
                hint="Change it by hand instead.",
            )
    return entries


def _refuse_second_timer(session: Session, step: UndoStep, user: User) -> None:
    if not any(_runs(kept) for kept in step.before.values()):
        return
    other = session.scalar(
        select(TimeEntry).where(
            TimeEntry.user_id == user.id,
            TimeEntry.is_running_now(),
            TimeEntry.id.not_in(int(number) for number in step.before),
        )
    )
    if other is not None:
        raise Conflict(
            "It cannot be undone: another timer was started since.",
            hint="Stop that one first.",
        )


def _put_back(
    session: Session, entry: TimeEntry, kept: Snapshot | None, now: datetime
) -> None:
    entry.touch()
    if kept is None:
        entry.deleted_at = now
        return
    entry.breaks = []
    session.flush()  # an open break must be gone before another one comes
    fill(session, entry, kept)


def fill(session: Session, entry: TimeEntry, kept: Snapshot) -> None:
    """Set every field, tag and break of a snapshot on an entry."""
    for name in PLAIN:
        setattr(entry, name, kept[name])
    for name in INSTANTS:
        setattr(entry, name, _instant(kept[name]))
    entry.local_date = date.fromisoformat(kept["local_date"])
    with session.no_autoflush:
        entry.tags = list(session.scalars(select(Tag).where(Tag.id.in_(kept["tags"]))))
    entry.breaks = [
        EntryBreak(started_at=_instant(start), ended_at=_instant(end))
        for start, end in kept["breaks"]
    ]


def touched(entries: Iterable[TimeEntry]) -> dict[int, Snapshot | None]:
    """Return snapshots of entries that are about to change."""
    return {entry.id: snapshot(entry) for entry in entries}
