"""The one timer of a person: start, pause, resume, stop, continue, discard.

That there is only one is the database's doing (``one_running_timer``); these rules say
what happens instead of a second. The server's clock counts, in whole seconds. Nothing
here is ever refused at stop: what the installation asks for and is missing makes the
entry *incomplete*, and it waits on the dashboard.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import Conflict, Count, InvalidInput, NotFound, said
from app.models.entries import EntryBreak, TimeEntry, UndoStep
from app.models.people import User
from app.models.work import Tag
from app.settings import Settings
from app.tracking import overlaps, undo
from app.tracking.days import Segment, day_of, zone
from app.work import projects

LONGEST_TEXT = 2000

START_BACK_AT_MOST = timedelta(days=7)
"""How far back a running timer's start can be corrected."""


@dataclass(frozen=True, kw_only=True)
class About:
    """What time is spent on; None where nothing is said about it."""

    project_id: int | None = None
    task_id: int | None = None
    description: str = ""
    billable: bool | None = None
    """None takes what the project says."""
    tag_ids: Sequence[int] = ()
    sets_rate: bool = False
    """Whether ``rate_override`` is said here; else the entry keeps what it has."""
    rate_override: int | None = None
    """Minor units an hour, over every rate; None goes back to the rates."""


@dataclass(frozen=True, kw_only=True)
class Started:
    """A timer that runs now."""

    entry: TimeEntry
    replaced: TimeEntry | None = None
    """The timer that was stopped for it, at the same instant."""
    step: UndoStep | None = None
    """Takes the start back; None where nothing new was started."""


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """A timer that ran until now."""

    entry: TimeEntry
    step: UndoStep
    discarded: bool = False
    """It was stopped in the second it began, so there is nothing to keep."""


def running(session: Session, user: User) -> TimeEntry | None:
    """Return this person's timer, going or paused."""
    return session.scalar(
        select(TimeEntry).where(TimeEntry.user_id == user.id, TimeEntry.is_running_now())
    )


def _lock(session: Session, user: User) -> None:
    """Let requests of one person wait for one another (PostgreSQL; SQLite does anyway)."""
    session.execute(select(User.id).where(User.id == user.id).with_for_update())


def segments(entry: TimeEntry, now: datetime) -> list[Segment]:
    """Return the worked segments of a timed entry; a running one lasts until now."""
    if entry.started_at is None:
        return []
    end = entry.ended_at or max(now, entry.started_at)
    return overlaps.worked(
        entry.started_at,
        end,
        [(pause.started_at, pause.ended_at) for pause in entry.breaks],
    )


def worked_seconds(entry: TimeEntry, now: datetime) -> int:
    """Return seconds worked; of a running timer those until now."""
    if entry.seconds is not None:
        return entry.seconds
    return overlaps.length(segments(entry, now))


def open_break(entry: TimeEntry) -> EntryBreak | None:
    """Return the break a paused timer is in."""
    return next((pause for pause in entry.breaks if pause.ended_at is None), None)


def describe(
    session: Session, user: User, entry: TimeEntry, about: About, settings: Settings
) -> list[str]:
    """Set what the entry is about; return the names of the fields that changed."""
    chosen = projects.choose(session, user, about.project_id, about.task_id)
    text = about.description.strip()
    if len(text) > LONGEST_TEXT:
        raise InvalidInput(
            said("The description has %(n)s characters.", n=Count(len(text))),
            hint=said("%(n)s are the most.", n=Count(LONGEST_TEXT)),
            attr="description",
        )
    billable = about.billable
    if billable is None:
        billable = chosen.project.billable if chosen.project else False
    tags = session.scalars(select(Tag).where(Tag.id.in_(about.tag_ids)))
    wanted: dict[str, Any] = {
        "project": chosen.project,
        "task": chosen.task,
        "description": text,
        "billable": billable,
        "tags": sorted(tags, key=lambda tag: tag.name_key),
    }
    if about.sets_rate:
        wanted["rate_override"] = about.rate_override
    changed = [key for key, value in wanted.items() if getattr(entry, key) != value]
    for key in changed:
        setattr(entry, key, wanted[key])
    entry.incomplete = is_incomplete(entry, settings)
    return changed


def is_incomplete(entry: TimeEntry, settings: Settings) -> bool:
    """Return whether something is missing that the installation asks for."""
    needs_task = settings.require_task or (
        entry.project is not None and entry.project.require_task
    )
    return (
        (settings.require_project and entry.project is None)
        or (needs_task and entry.task is None)
        or (settings.require_description and not entry.description)
    )


def start(
    session: Session,
    user: User,
    about: About,
    now: datetime,
    *,
    settings: Settings,
    source: str = "timer",
) -> Started:
    """Start a timer now; one that runs is stopped at the same instant."""
    now = now.replace(microsecond=0)
    _lock(session, user)
    before: dict[int, undo.Snapshot | None] = {}
    old = running(session, user)
    if old is not None:
        now = max(now, old.started_at or now)  # it began while this request waited
        before[old.id] = undo.snapshot(old)
        _end(old, now, "replaced")
        session.flush()
    entry = TimeEntry(
        user=user,
        kind="timed",
        started_at=now,
        timezone=user.timezone,
        local_date=day_of(now, zone(user.timezone)),
        source=source,
        created_by_id=user.id,
    )
    describe(session, user, entry, about, settings)
    entry.incomplete = False  # asked at stop, not before
    session.add(entry)
    session.flush()
    before[entry.id] = None
    step = undo.keep(session, user, "timer.start", before, now)
    return Started(entry=entry, replaced=old, step=step)


def continue_(
    session: Session, user: User, entry: TimeEntry, now: datetime, *, settings: Settings
) -> Started:
    """Start a new timer about the same as ``entry``, which itself stays as it is."""
    project = entry.project
    gone = project is None or project.archived_at is not None
    about = About(
        project_id=None if gone else entry.project_id,
        task_id=None if gone else entry.task_id,
        description=entry.description,
        billable=entry.billable,
        tag_ids=[tag.id for tag in entry.tags],
    )
    return start(session, user, about, now, settings=settings)


def running_for_change(session: Session, user: User) -> TimeEntry | None:
    """Return this person's timer, with other requests of theirs waiting."""
    _lock(session, user)
    return running(session, user)


def _required(session: Session, user: User) -> TimeEntry:
    entry = running_for_change(session, user)
    if entry is None:
        raise NotFound("No timer is running.", hint="Start one first.")
    return entry


def pause(session: Session, user: User, now: datetime) -> TimeEntry:
    """Begin a break; a timer that is paused already stays so."""
    entry = _required(session, user)
    if open_break(entry) is None:
        entry.breaks.append(EntryBreak(started_at=now.replace(microsecond=0)))
        entry.touch()
        session.flush()
    return entry


def resume(session: Session, user: User, now: datetime) -> tuple[TimeEntry, int]:
    """End the break; return the timer and how many seconds the break took."""
    entry = _required(session, user)
    pause_ = open_break(entry)
    if pause_ is None:
        return entry, 0
    pause_.ended_at = max(now.replace(microsecond=0), pause_.started_at)
    took = int((pause_.ended_at - pause_.started_at).total_seconds())
    if took == 0:
        entry.breaks.remove(pause_)
    entry.touch()
    session.flush()
    return entry, took


def stop(
    session: Session,
    user: User,
    now: datetime,
    *,
    settings: Settings,
    stopped_by: str = "user",
) -> Stopped:
    """End the timer now, or at the beginning of the break it is in."""
    entry = _required(session, user)
    before = undo.touched([entry])
    _end(entry, now.replace(microsecond=0), stopped_by)
    if entry.deleted_at is None:
        entry.incomplete = is_incomplete(entry, settings)
    step = undo.keep(session, user, "timer.stop", before, now)
    return Stopped(entry=entry, step=step, discarded=entry.deleted_at is not None)


def end_at(entry: TimeEntry, at: datetime, stopped_by: str) -> None:
    """Close the entry in the past: breaks after ``at`` go, one around it ends it."""
    for pause_ in sorted(entry.breaks, key=lambda one: one.started_at):
        if pause_.started_at >= at:
            entry.breaks.remove(pause_)
        elif pause_.ended_at is None or pause_.ended_at >= at:
            at = pause_.started_at
            entry.breaks.remove(pause_)
    _end(entry, at, stopped_by)


def _end(entry: TimeEntry, at: datetime, stopped_by: str) -> None:
    """Close the entry; without a second of length it goes to the trash instead."""
    entry.checked_at = None  # what was said of the running timer says nothing of its end
    pause_ = open_break(entry)
    if pause_ is not None:
        at = pause_.started_at
        entry.breaks.remove(pause_)
    entry.touch()
    entry.stopped_by = stopped_by
    if entry.started_at is None or at <= entry.started_at:
        entry.deleted_at = at
        return
    entry.ended_at = at
    entry.seconds = overlaps.length(segments(entry, at))


def discard(session: Session, user: User, now: datetime) -> Stopped:
    """Throw the timer away: into the trash, from where it comes back ended at this moment."""
    entry = _required(session, user)
    before = undo.touched([entry])
    entry.deleted_at = now.replace(microsecond=0)
    entry.touch()
    step = undo.keep(session, user, "timer.discard", before, now)
    return Stopped(entry=entry, step=step, discarded=True)


def move_start(session: Session, user: User, at: datetime, now: datetime) -> TimeEntry:
    """Correct when the running timer began: into the past, never into the future."""
    entry = _required(session, user)
    at = at.replace(microsecond=0)
    if at > now:
        raise InvalidInput(
            "A timer cannot begin in the future.", hint="Say when it began.", attr="started"
        )
    if at < now - START_BACK_AT_MOST:
        raise InvalidInput(
            "That is more than seven days ago.",
            hint="Enter the time by hand instead.",
            attr="started",
        )
    if any(pause_.started_at < at for pause_ in entry.breaks):
        raise Conflict(
            "A break of this timer began before that.", hint="Change the break first."
        )
    entry.started_at = at
    entry.local_date = day_of(at, zone(entry.timezone))
    entry.touch()
    session.flush()
    return entry
