"""Entries changed many at a time, or in their shape: bulk, split, merge, shorten.

All or nothing: what one entry refuses, none gets. Worked time is kept exactly: the parts
of a split add up to the whole, a merge has the sum of its parts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import Conflict, InvalidInput, said
from app.models.entries import EntryBreak, TimeEntry, UndoStep
from app.models.work import Tag
from app.tracking import entries as entries_
from app.tracking import overlaps, timers, undo
from app.tracking.days import DAY, day_of, day_start, zone
from app.tracking.entries import Act, refuse_locked
from app.work import projects

MOST = 500
"""Entries changed in one act."""


@dataclass(frozen=True, kw_only=True)
class Bulk:
    """What should become of all of them; None leaves a field as it is."""

    project_id: int | None = None
    task_id: int | None = None
    no_project: bool = False
    billable: bool | None = None
    description: str | None = None
    add_tags: Sequence[int] = ()
    remove_tags: Sequence[int] = ()
    shift_minutes: int = 0


def bulk(
    session: Session, entries: Sequence[TimeEntry], wanted: Bulk, act: Act
) -> UndoStep:
    """Change many entries alike."""
    if not 1 <= len(entries) <= MOST:
        raise InvalidInput(
            said("%(entries)s entries are chosen.", entries=len(entries)),
            hint=said("Choose 1 to %(most)s.", most=MOST),
        )
    before = undo.touched(entries)
    days = {entry.local_date for entry in entries}
    chosen = projects.choose(session, act.user, wanted.project_id, wanted.task_id)
    tags = list(
        session.scalars(
            select(Tag).where(Tag.id.in_([*wanted.add_tags, *wanted.remove_tags]))
        )
    )
    for entry in entries:
        if wanted.no_project:
            entry.project, entry.task = None, None
        elif chosen.project is not None:
            entry.project, entry.task = chosen.project, chosen.task
        _set_plain(entry, wanted)
        _set_tags(entry, tags, wanted)
        _shift(entry, wanted.shift_minutes)
        entry.incomplete = not entry.is_running and timers.is_incomplete(
            entry, act.settings
        )
        entry.touch()
    refuse_locked(act, days | {entry.local_date for entry in entries})
    return undo.keep(session, act.user, "entry.bulk", before, act.now)


def _set_plain(entry: TimeEntry, wanted: Bulk) -> None:
    if wanted.billable is not None:
        entry.billable = wanted.billable
    if wanted.description is not None:
        entry.description = wanted.description.strip()[: timers.LONGEST_TEXT]


def _set_tags(entry: TimeEntry, tags: Sequence[Tag], wanted: Bulk) -> None:
    kept = [tag for tag in entry.tags if tag.id not in wanted.remove_tags]
    added = [tag for tag in tags if tag.id in wanted.add_tags and tag not in kept]
    if added or len(kept) != len(entry.tags):
        entry.tags = kept + added


def _shift(entry: TimeEntry, minutes: int) -> None:
    if not minutes or entry.started_at is None:
        return
    by = timedelta(minutes=minutes)
    if entry.ended_at is None:
        raise Conflict("A running timer cannot be shifted.", hint="Stop it first.")
    entry.started_at += by
    entry.ended_at += by
    for pause in entry.breaks:
        pause.started_at += by
        pause.ended_at = pause.ended_at + by if pause.ended_at else None
    entry.local_date = day_of(entry.started_at, zone(entry.timezone))


def split(session: Session, entry: TimeEntry, at: datetime, act: Act) -> UndoStep:
    """Cut an ended entry in two at an instant; a break there is cut too."""
    start, end = entry.started_at, entry.ended_at
    if start is None or end is None or not start < at < end:
        raise InvalidInput(
            "That is not inside the entry.",
            hint="Choose a time between its begin and its end.",
            attr="at",
        )
    refuse_locked(act, [entry.local_date])
    before = undo.touched([entry])
    second = TimeEntry()
    undo.fill(session, second, undo.snapshot(entry))
    second.user, second.created_by_id = entry.user, entry.created_by_id
    pauses = [(pause.started_at, pause.ended_at or end) for pause in entry.breaks]
    _cut(entry, start, at, pauses)
    _cut(second, at, end, pauses)
    for part in (entry, second):
        if not part.seconds:
            raise InvalidInput("One part would be nothing but a break.", attr="at")
    entry.touch()
    session.add(second)
    session.flush()
    return undo.keep(session, act.user, "entry.split", {**before, second.id: None}, act.now)


def _cut(
    entry: TimeEntry,
    start: datetime,
    end: datetime,
    pauses: Sequence[tuple[datetime, datetime]],
) -> None:
    inside = [(max(a, start), min(b, end)) for a, b in pauses]
    entry.started_at, entry.ended_at = start, end
    entry.local_date = day_of(start, zone(entry.timezone))
    entry.breaks = [EntryBreak(started_at=a, ended_at=b) for a, b in inside if a < b]
    entry.seconds = overlaps.length(
        overlaps.worked(start, end, [(a, b) for a, b in inside if a < b])
    )


def midnight_in(entry: TimeEntry) -> datetime | None:
    """Return the first local midnight inside the entry, to split at."""
    if entry.started_at is None or entry.ended_at is None:
        return None
    where = zone(entry.timezone)
    first = day_start(entry.local_date + DAY, where)
    return first if entry.started_at < first < entry.ended_at else None


def merge(session: Session, entries: Sequence[TimeEntry], act: Act) -> UndoStep:
    """Make one of several entries of the same person and project.

    Timed ones become the span of all with breaks where none was worked; lengths on the
    same day are added. The first stays, the others go to the trash.
    """
    _refuse_strangers(entries)
    refuse_locked(act, {entry.local_date for entry in entries})
    ordered = sorted(entries, key=lambda e: (e.started_at or act.now, e.id))
    before = undo.touched(ordered)
    first, others = ordered[0], ordered[1:]
    if first.kind == "duration":
        first.seconds = sum(entry.seconds or 0 for entry in ordered)
    else:
        _join(first, ordered, act.now)
    texts = dict.fromkeys(entry.description for entry in ordered if entry.description)
    first.description = " / ".join(texts)[: timers.LONGEST_TEXT]
    first.tags = list(dict.fromkeys(tag for entry in ordered for tag in entry.tags))
    first.billable = any(entry.billable for entry in ordered)
    first.touch()
    for entry in others:
        entry.deleted_at = act.now.replace(microsecond=0)
        entry.touch()
    return undo.keep(session, act.user, "entry.merge", before, act.now)


def _refuse_strangers(entries: Sequence[TimeEntry]) -> None:
    if len(entries) < 2:
        raise InvalidInput("Choose two entries or more to merge.")
    alike = {(e.user_id, e.project_id, e.task_id, e.kind) for e in entries}
    if len(alike) > 1:
        raise Conflict(
            "These entries differ in person, project, task or kind.",
            hint="Merge entries of one project.",
        )
    if any(entry.is_running for entry in entries):
        raise Conflict("A running timer cannot be merged.", hint="Stop it first.")
    if entries[0].kind == "duration" and len({entry.local_date for entry in entries}) > 1:
        raise Conflict(
            "These lengths lie on different days.", hint="Merge those of one day."
        )


def _join(first: TimeEntry, ordered: Sequence[TimeEntry], now: datetime) -> None:
    worked = sorted(part for entry in ordered for part in timers.segments(entry, now))
    if overlaps.doubled([[part] for part in worked]):
        raise Conflict(
            "These entries overlap, so time would be lost.",
            hint="Shorten one of them first.",
        )
    pauses = [(end, begin) for (_, end), (begin, _) in pairwise(worked) if end < begin]
    _cut(first, worked[0][0], worked[-1][1], pauses)


def shorten_earlier(
    session: Session, one: TimeEntry, other: TimeEntry, act: Act
) -> UndoStep:
    """End the earlier of two overlapping entries where the later begins."""
    early, late = sorted((one, other), key=lambda entry: entry.started_at or act.now)
    if early.started_at is None or late.started_at is None or early.ended_at is None:
        raise Conflict("These two cannot be shortened.", hint="Change them by hand.")
    if early.started_at >= late.started_at:
        raise Conflict("Both begin at the same time.", hint="Change one of them by hand.")
    refuse_locked(act, {early.local_date})
    before = undo.touched([early])
    pauses = [
        (pause.started_at, pause.ended_at or early.ended_at) for pause in early.breaks
    ]
    _cut(early, early.started_at, late.started_at, pauses)
    if not early.seconds:
        raise Conflict("Nothing would be left of it.", hint="Delete it instead.")
    early.touch()
    return undo.keep(session, act.user, "entry.shorten", before, act.now)


def move(
    session: Session, entry: TimeEntry, start: datetime, end: datetime, act: Act
) -> entries_.Done:
    """Give an ended entry another begin and end; its breaks move along with the begin."""
    if entry.started_at is None or entry.ended_at is None:
        raise Conflict("Only entries that have ended can be moved.", hint="Stop it first.")
    moved = end - start == entry.ended_at - entry.started_at
    by = start - entry.started_at if moved else timedelta()
    pauses = [
        (max(pause.started_at + by, start), min((pause.ended_at or end) + by, end))
        for pause in entry.breaks
    ]
    times = entries_.Times(
        started_at=start,
        ended_at=end,
        breaks=[(begin, finish) for begin, finish in pauses if begin < finish],
    )
    return entries_.retime(session, entry, times, act)


def resize(session: Session, entry: TimeEntry, seconds: int, act: Act) -> entries_.Done:
    """Give an ended entry another length: it begins when it did, and ends accordingly.

    ``seconds`` are worked ones: breaks stay, those behind the new end go.
    """
    if entry.started_at is None:
        length = entries_.Times(kind="duration", day=entry.local_date, seconds=seconds)
        return entries_.retime(session, entry, length, act)
    if entry.ended_at is None:
        raise Conflict("Only entries that have ended can be moved.", hint="Stop it first.")
    left, at, kept = timedelta(seconds=seconds), entry.started_at, []
    for pause in sorted(entry.breaks, key=lambda pause: pause.started_at):
        if pause.ended_at is None or left <= pause.started_at - at:
            break
        left, at = left - (pause.started_at - at), pause.ended_at
        kept.append((pause.started_at, pause.ended_at))
    times = entries_.Times(started_at=entry.started_at, ended_at=at + left, breaks=kept)
    return entries_.retime(session, entry, times, act)
