"""Entries by hand: made, changed, put in the trash and taken out again.

Times are either *from and to* or *a length on a day*. What is not allowed is refused with
the field it is about; what is allowed and looks odd (an overlap under the policy
``warn``) is done and told. Each act can be undone for an hour.

A form is filled in for one ``version`` of an entry: a save for an older one is
``Changed``, so nobody's change is lost unseen. Days on or before the lock date stand;
an administrator may give a reason and go on.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import Changed, InvalidInput, Locked, NotFound, Overlap, said
from app.models.entries import EntryBreak, TimeEntry, UndoStep
from app.models.people import User
from app.people import roles
from app.settings import Settings, locked_through
from app.tracking import overlaps, timers, undo
from app.tracking.days import DAY, Segment, day_of, day_start, zone
from app.tracking.durations import prose
from app.tracking.recorded import with_details
from app.tracking.timers import About

LONG = timedelta(hours=24)
"""An entry longer than this must be confirmed."""


@dataclass(frozen=True, kw_only=True)
class Times:
    """When, as a form says it."""

    kind: str = "timed"
    started_at: datetime | None = None
    ended_at: datetime | None = None
    breaks: Sequence[Segment] = ()
    day: date | None = None
    """Of a length without clock times."""
    seconds: int | None = None
    long_is_right: bool = False
    """The person confirmed that it is longer than a day."""


@dataclass(frozen=True, kw_only=True)
class Act:
    """Who acts, when, by which rules."""

    user: User
    now: datetime
    settings: Settings
    unlock_reason: str = ""
    """Given by an administrator who changes a locked day."""
    source: str = "manual"


@dataclass(frozen=True, kw_only=True)
class Done:
    """What an act did."""

    entry: TimeEntry
    step: UndoStep
    overlapping: Sequence[tuple[TimeEntry, int]] = ()
    """Entries it shares time with, and how many seconds."""
    fields: Sequence[str] = ()
    """What changed."""


def find(session: Session, user: User, number: int, *, deleted: bool = False) -> TimeEntry:
    """Return an entry this person may see and change."""
    query = with_details(select(TimeEntry).where(TimeEntry.id == number))
    entry = session.scalar(query)
    leads = roles.led_by(session, user)
    if (
        entry is None
        or (entry.deleted_at is not None) != deleted
        or not roles.may_touch_entry(user, entry.user_id, entry.project_id, leads=leads)
    ):
        if deleted:
            what = said("There is no entry number %(number)s in the trash.", number=number)
        else:
            what = said("There is no entry number %(number)s of yours.", number=number)
        raise NotFound(what)
    return entry


def several(
    session: Session, user: User, numbers: Collection[int], *, deleted: bool = False
) -> list[TimeEntry]:
    """Return all of these entries, or NotFound for the first that may not be touched."""
    return [
        find(session, user, number, deleted=deleted) for number in dict.fromkeys(numbers)
    ]


def refuse_locked(act: Act, days: Collection[date]) -> None:
    """Raise Locked where one of these days is on or before the lock date."""
    today = day_of(act.now, zone(act.user.timezone))
    through = locked_through(act.settings, today)
    locked = [day for day in days if through is not None and day <= through]
    if not locked:
        return
    if act.user.is_admin and act.unlock_reason.strip():
        return
    hint = (
        said("Give a reason to change it all the same; it is kept in the audit trail.")
        if act.user.is_admin
        else said("Ask an administrator.")
    )
    raise Locked(said("%(day)s is locked: the books are closed to %(through)s.", day=min(locked), through=through), hint=hint,
                 attr="unlock_reason")  # fmt: skip


def overlapping(
    session: Session, entry_id: int | None, user_id: int, segments: Sequence[Segment],
    now: datetime,
) -> list[tuple[TimeEntry, int]]:  # fmt: skip
    """Return this person's other entries that share worked time, with how many seconds."""
    if not segments:
        return []
    first, last = segments[0][0], segments[-1][1]
    query = select(TimeEntry).where(
        TimeEntry.user_id == user_id,
        TimeEntry.kind == "timed",
        TimeEntry.deleted_at.is_(None),
        TimeEntry.id != (entry_id or 0),
        TimeEntry.started_at < last,
        (TimeEntry.ended_at > first) | TimeEntry.ended_at.is_(None),
    )
    found = []
    for other in session.scalars(with_details(query).order_by(TimeEntry.started_at)):
        seconds = overlaps.shared(segments, timers.segments(other, now))
        if seconds:
            found.append((other, seconds))
    return found


def _policy(
    session: Session, act: Act, entry: TimeEntry
) -> Sequence[tuple[TimeEntry, int]]:
    """Return what an entry overlaps, or refuse it where the installation forbids that."""
    if entry.kind != "timed" or act.settings.overlap_policy == "allow":
        return ()
    segments = timers.segments(entry, act.now)
    owner = entry.user_id or entry.user.id  # a new entry has no number of its owner yet
    found = overlapping(session, entry.id, owner, segments, act.now)
    if found and act.settings.overlap_policy == "forbid":
        other, seconds = found[0]
        what = other.description or (other.project.name if other.project else "an entry")
        raise Overlap(
            said(
                "%(length)s of it overlap with %(what)r.", length=prose(seconds), what=what
            ),
            hint="Change one of them: this installation allows no overlaps.",
            attr="started",
        )
    return found


def _set_times(entry: TimeEntry, times: Times, act: Act) -> list[str]:
    """Put the times on the entry and return which fields changed."""
    before = _times_of(entry)
    if times.kind == "duration":
        _set_length(entry, times, act)
    else:
        _set_span(entry, times, act)
    after = _times_of(entry)
    return [name for name in after if before[name] != after[name]]


def _times_of(entry: TimeEntry) -> dict[str, object]:
    return {
        "kind": entry.kind,
        "started_at": entry.started_at,
        "ended_at": entry.ended_at,
        "local_date": entry.local_date,
        "seconds": entry.seconds,
        "breaks": [(pause.started_at, pause.ended_at) for pause in entry.breaks],
    }


def _set_length(entry: TimeEntry, times: Times, act: Act) -> None:
    seconds, day = times.seconds or 0, times.day
    if day is None:
        raise InvalidInput("Say on which day.", attr="day")
    _check_length(seconds, times, "duration")
    today = day_of(act.now, zone(entry.timezone))
    if day > today and act.settings.allow_future != "yes":
        raise InvalidInput(said("%(day)s is in the future.", day=day), hint="Take today or earlier.",
                           attr="day")  # fmt: skip
    entry.kind, entry.started_at, entry.ended_at = "duration", None, None
    entry.local_date, entry.seconds, entry.breaks = day, seconds, []


def _set_span(entry: TimeEntry, times: Times, act: Act) -> None:
    start, end = times.started_at, times.ended_at
    if start is None or (end is None and not entry.is_running):
        raise InvalidInput("Say from when to when.", attr="started")
    if end is not None and end <= start:
        raise InvalidInput("It ends before it begins.", hint="Was it the next day?",
                           attr="ended")  # fmt: skip
    _refuse_future(end or start, entry, act)
    pauses = sorted(times.breaks)
    outside = any(a < start or b > (end or act.now) or b <= a for a, b in pauses)
    if outside or any(second[0] < first[1] for first, second in pairwise(pauses)):
        raise InvalidInput(
            "A break must lie inside the entry, and breaks may not overlap.",
            hint="Change the times of the break.",
            attr="breaks",
        )
    entry.kind, entry.started_at, entry.ended_at = "timed", start, end
    entry.local_date = day_of(start, zone(entry.timezone))
    if [(pause.started_at, pause.ended_at) for pause in entry.breaks] != pauses:
        entry.breaks = [EntryBreak(started_at=a, ended_at=b) for a, b in pauses]
    if end is not None:
        entry.seconds = overlaps.length(overlaps.worked(start, end, pauses))
        _check_length(entry.seconds, times, "ended")


def _check_length(seconds: int, times: Times, attr: str) -> None:
    if seconds <= 0:
        raise InvalidInput("Its length is 0.", hint="Say how long it took.", attr=attr)
    if seconds > LONG.total_seconds() and not times.long_is_right:
        raise InvalidInput(
            said("It is %(length)s long.", length=prose(seconds)),
            hint="Confirm that it really took more than a day.",
            attr="long",
        )


def _refuse_future(end: datetime, entry: TimeEntry, act: Act) -> None:
    allowed = act.settings.allow_future
    where = zone(entry.timezone)
    limit = act.now
    if allowed == "yes":
        return
    if allowed == "today":
        limit = day_start(day_of(act.now, where) + DAY, where)
    if end > limit:
        hint = said("Take a time that has passed.")
        if allowed == "today":
            hint = said("Take a time up to the end of today.")
        raise InvalidInput("It lies in the future.", hint=hint, attr="ended")


def _refuse_kind(settings: Settings, kind: str) -> None:
    if settings.entry_kinds not in {"both", kind}:
        what = said("Entries with a length on a day are not used here.")
        if kind == "timed":
            what = said("Entries with from and to are not used here.")
        raise InvalidInput(what, attr="kind")


def make(session: Session, owner: User, about: About, times: Times, act: Act) -> Done:
    """Add an entry for ``owner``."""
    _refuse_kind(act.settings, times.kind)
    entry = TimeEntry(
        user=owner,
        kind=times.kind,
        timezone=owner.timezone,
        local_date=day_of(act.now, zone(owner.timezone)),
        source=act.source,
        created_by_id=act.user.id,
        breaks=[],
        tags=[],
    )
    with session.no_autoflush:
        _set_times(entry, times, act)
        refuse_locked(act, [entry.local_date])
        timers.describe(session, act.user, entry, about, act.settings)
        found = _policy(session, act, entry)
    session.add(entry)
    session.flush()
    step = undo.keep(session, act.user, "entry.create", {entry.id: None}, act.now)
    return Done(entry=entry, step=step, overlapping=found)


def change(
    session: Session, entry: TimeEntry, about: About, times: Times, act: Act,
    *, version: int | None = None,
) -> Done:  # fmt: skip
    """Change an entry as a whole; ``version`` is the one the form was filled in for."""
    refuse_stale(entry, version)
    if times.kind != entry.kind:
        _refuse_kind(act.settings, times.kind)
    before = undo.touched([entry])
    old_day = entry.local_date
    with session.no_autoflush:
        fields = _set_times(entry, times, act)
        refuse_locked(act, {old_day, entry.local_date})
        fields += timers.describe(session, act.user, entry, about, act.settings)
        found = _policy(session, act, entry)
    if entry.is_running:
        entry.incomplete = False
    entry.touch()
    step = undo.keep(session, act.user, "entry.change", before, act.now)
    return Done(entry=entry, step=step, overlapping=found, fields=fields)


def retime(session: Session, entry: TimeEntry, times: Times, act: Act) -> Done:
    """Change only the times of an entry."""
    before = undo.touched([entry])
    old_day = entry.local_date
    with session.no_autoflush:
        fields = _set_times(entry, times, act)
        refuse_locked(act, {old_day, entry.local_date})
        found = _policy(session, act, entry)
    entry.touch()
    step = undo.keep(session, act.user, "entry.change", before, act.now)
    return Done(entry=entry, step=step, overlapping=found, fields=fields)


def redescribe(session: Session, entry: TimeEntry, about: About, act: Act) -> list[str]:
    """Change only what the time was spent on; return the fields that changed."""
    refuse_locked(act, [entry.local_date])
    before = undo.touched([entry])
    fields = timers.describe(session, act.user, entry, about, act.settings)
    if entry.is_running:
        entry.incomplete = False
    if fields:
        entry.touch()
        undo.keep(session, act.user, "entry.change", before, act.now)
    return fields


def refuse_stale(entry: TimeEntry, version: int | None) -> None:
    """Raise Changed where somebody saved the entry since the form was shown."""
    if version is not None and version != entry.version:
        raise Changed(
            "This entry was changed while you edited it.",
            hint="Both versions are shown; choose which one stays.",
            attr="version",
        )


def duplicate(session: Session, entry: TimeEntry, act: Act) -> Done:
    """Add the same once more."""
    refuse_locked(act, [entry.local_date])
    twin = TimeEntry()
    undo.fill(session, twin, undo.snapshot(entry))
    twin.user, twin.created_by_id, twin.source = entry.user, act.user.id, act.source
    twin.stopped_by, twin.checked_at = None, None
    with session.no_autoflush:
        found = _policy(session, act, twin)
    session.add(twin)
    session.flush()
    step = undo.keep(session, act.user, "entry.duplicate", {twin.id: None}, act.now)
    return Done(entry=twin, step=step, overlapping=found)


def gaps(segments: Sequence[Segment], first: datetime, last: datetime) -> list[Segment]:
    """Return the unrecorded stretches between ``first`` and ``last``."""
    free, cursor = [], first
    for start, end in sorted(segments):
        if start > cursor:
            free.append((cursor, min(start, last)))
        cursor = max(cursor, end)
    if cursor < last:
        free.append((cursor, last))
    return [(start, end) for start, end in free if start < end]
