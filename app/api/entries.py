"""Entries: ``/entries``, read and made, changed and thrown away, one or many at once."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import select

from app.api import kinds, shown
from app.api.call import Answer, Call
from app.api.idents import word
from app.api.paging import PAGE, SINCE, Order, listed
from app.api.shapes import Complaint, Field, InvalidFields, Shape, may, need, nested
from app.api.timer import ABOUT, about, prices_shown
from app.audit import Object
from app.errors import Changed, InvalidInput, NotFound
from app.models.entries import TimeEntry
from app.models.people import User
from app.people import roles
from app.reports import filters, rows
from app.reports.filters import Question
from app.telemetry import told
from app.tracking import entries as editing
from app.tracking import trash
from app.tracking.days import day_of, zone
from app.tracking.entries import Times
from app.tracking.recorded import with_details

MOST_BREAKS = 100
LONGEST_S = 366 * 86_400

PAUSE = Shape("NewBreak", {"start": need(kinds.instant), "end": need(kinds.instant)})
WHEN = {
    "start": may(kinds.instant, "With `end`; leave both out for a length on a day."),
    "end": may(kinds.instant),
    "breaks": may(kinds.list_of(nested(PAUSE), MOST_BREAKS)),
    "date": may(kinds.day, "With `seconds`: a length on a day, without clock times."),
    "seconds": may(kinds.whole(1, LONGEST_S)),
    "confirm_long": may(kinds.flag, "It really took more than a day."),
    "unlock_reason": may(kinds.text(300), "Why an administrator changes a locked day."),
}
RATE = {
    "rate_override": may(
        kinds.whole(), "For managers: minor units an hour over every rate.", null=True
    ),
}
ENTRY_NEW = Shape(
    "EntryNew",
    {
        **WHEN,
        **ABOUT,
        **RATE,
        "user": may(kinds.ident("user"), "Whose; one's own unless given."),
    },
)
ENTRY_CHANGE = Shape("EntryChange", {**WHEN, **ABOUT, **RATE})
ENTRY_UPDATE = Shape(
    "EntryUpdate",
    {
        "id": need(kinds.ident("entry")),
        "version": may(kinds.whole(0), "As with `If-Match`."),
        **ENTRY_CHANGE.fields,
    },
)

ALL = Question(range="all")

FILTERS: dict[str, Field] = {
    "range": may(kinds.one_of(*filters.RANGES)),
    "first": may(kinds.day, "First day; with `last` a range of one's own."),
    "last": may(kinds.day),
    "users": may(kinds.list_of(kinds.ident("user"), filters.MOST_IDS)),
    "clients": may(kinds.list_of(kinds.ident("client"), filters.MOST_IDS)),
    "projects": may(kinds.list_of(kinds.ident("project"), filters.MOST_IDS)),
    "tasks": may(kinds.list_of(kinds.ident("task"), filters.MOST_IDS)),
    "tags": may(kinds.list_of(kinds.ident("tag"), filters.MOST_IDS)),
    "tag_mode": may(kinds.one_of(*filters.TAG_MODES)),
    "billable": may(kinds.flag),
    "incomplete": may(kinds.flag),
    "text": may(kinds.text(filters.LONGEST_TEXT), "Part of the description."),
    "sources": may(kinds.list_of(kinds.one_of(*filters.SOURCES), 5)),
}
LISTED: dict[str, Field] = {
    **PAGE,
    **SINCE,
    **FILTERS,
    "sort": may(kinds.one_of("date", "-date"), "`-date`, the newest first, unless given."),
}


def question(given: Mapping[str, Any], start: Question = ALL) -> Question:
    """Return the question that these fields ask."""
    names = set(FILTERS) & set(given)
    return filters.parse({name: given[name] for name in names}, start=start)


def list_entries(call: Call) -> Answer:
    """List entries: one's own, those of projects led, or as a manager all."""
    asked = question(call.query)
    today = day_of(call.now, zone(call.user.timezone))
    first, last = filters.days(asked, today, call.user.week_start)
    query = select(TimeEntry).where(rows.condition(asked, call.user, first, last))
    since = call.query.get("updated_since")
    if since is not None:
        query = query.where(TimeEntry.updated_at >= since)
    sort = call.query.get("sort", "-date")
    by = Order((TimeEntry.local_date, TimeEntry.id), falls=sort == "-date", name=sort)
    return listed(
        call, with_details(query), by, partial(_row, call, rates=prices_shown(call))
    )


def _row(call: Call, one: TimeEntry, *, rates: bool) -> dict[str, Any]:
    return shown.entry(one, call.now, rates=rates)


def _visible(call: Call) -> TimeEntry:
    query = select(TimeEntry).where(
        TimeEntry.id == call.path["entry"],
        TimeEntry.deleted_at.is_(None),
        rows.seen_by(call.user),
    )
    entry = call.session.scalar(with_details(query))
    if entry is None:
        raise NotFound("There is no such entry.", hint="It may be in the trash.")
    return entry


def read_entry(call: Call) -> Answer:
    """Return one entry."""
    return _shown(call, _visible(call))


def _shown(call: Call, entry: TimeEntry) -> Answer:
    call.session.flush()
    call.session.refresh(entry)
    return Answer(
        body=shown.entry(entry, call.now, rates=prices_shown(call)),
        headers=shown.etag(entry),
    )


def create_entry(call: Call) -> Answer:
    """Add an entry: from and to, or a length on a day.

    Times of day that a zone has twice or never are no question here: offsets decide.
    """
    return _shown(call, _create(call, call.body))


def _create(call: Call, body: Mapping[str, Any]) -> TimeEntry:
    owner = _owner(call, body)
    act = call.act(unlock_reason=body.get("unlock_reason", ""))
    times = _times(body)
    done = editing.make(call.session, owner, about(call, dict(body)), times, act)
    audit(call, "entry.created", done.entry, reason=act.unlock_reason)
    call.tell(*told.created(call.user, done, "api", call.now))
    return done.entry


def _owner(call: Call, body: Mapping[str, Any]) -> User:
    number = body.get("user", call.user.id)
    leads = roles.led_by(call.session, call.user)
    owner = call.session.get(User, number)
    if owner is None or not owner.is_active or not roles.may_touch_entry(
        call.user, number, body.get("project"), leads=leads
    ):  # fmt: skip
        raise InvalidFields([Complaint("user", "No entries can be made for this user.")])
    return owner


def _times(body: Mapping[str, Any], old: TimeEntry | None = None) -> Times:
    """Return when, as a body says it; what it leaves out stays as ``old`` has it."""
    kind = _kind(body, old)
    long_is_right = body.get("confirm_long", False)
    if kind == "duration":
        return Times(
            kind=kind,
            day=body.get("date", old.local_date if old else None),
            seconds=body.get("seconds", old.seconds if old else None),
            long_is_right=long_is_right,
        )
    pauses = [(b.started_at, b.ended_at) for b in old.breaks if b.ended_at] if old else []
    return Times(
        kind=kind,
        started_at=body.get("start", old.started_at if old else None),
        ended_at=body.get("end", old.ended_at if old else None),
        breaks=[(one["start"], one["end"]) for one in body["breaks"]]
        if "breaks" in body
        else pauses,
        long_is_right=long_is_right,
    )


TIMED, LENGTH = {"start", "end", "breaks"}, {"date", "seconds"}


def _retimes(body: Mapping[str, Any]) -> bool:
    return bool((TIMED | LENGTH) & set(body))


def _kind(body: Mapping[str, Any], old: TimeEntry | None) -> str:
    both = sorted(set(body) & TIMED), sorted(set(body) & LENGTH)
    if all(both):
        raise InvalidFields(
            [Complaint(both[1][0], f"This does not go together with {both[0][0]!r}.")]
        )
    if both[0] or (old is not None and old.kind == "timed" and not both[1]):
        return "timed"
    return "duration"


def change_entry(call: Call) -> Answer:
    """Change what is given of an entry; the rest stays.

    With `If-Match` only the version that was read is changed.
    """
    entry = editing.find(call.session, call.user, call.path["entry"])
    refuse_other_version(entry, call.if_match)
    return _shown(call, _change(call, entry, call.body))


def refuse_other_version(entry: TimeEntry, version: int | None) -> None:
    """Raise Changed where the caller knows another version of the entry."""
    if version is not None and version != entry.version:
        raise Changed(
            f"The entry has version {entry.version} by now.",
            hint="Read it again, then change that.",
        )


def _change(call: Call, entry: TimeEntry, body: Mapping[str, Any]) -> TimeEntry:
    if entry.is_running and ({"end", "breaks"} | LENGTH) & set(body):
        raise InvalidFields([Complaint("end", "It is running. Use /timer/stop.")])
    act = call.act(unlock_reason=body.get("unlock_reason", ""))
    what = about(call, dict(body), entry)
    if _retimes(body):
        done = editing.change(call.session, entry, what, _times(body, entry), act)
        fields = list(done.fields)
    else:  # nothing about its times is asked again
        fields = editing.redescribe(call.session, entry, what, act)
    audit(call, "entry.changed", entry, fields, reason=act.unlock_reason)
    if fields:
        call.tell("time_entry.updated", {"fields": sorted(set(fields)), "bulk_count": 1})
    return entry


def delete_entry(call: Call) -> Answer:
    """Put an entry into the trash."""
    entry = editing.find(call.session, call.user, call.path["entry"])
    refuse_other_version(entry, call.if_match)
    _delete(call, [entry])
    return Answer()


def _delete(call: Call, entries: Sequence[TimeEntry]) -> None:
    running = [entry for entry in entries if entry.is_running]
    if running:
        raise InvalidInput("A running timer is no entry yet.", hint="Use /timer/discard.")
    trash.throw(call.session, entries, call.act())
    for entry in entries:
        audit(call, "entry.deleted", entry)
    call.tell("time_entry.deleted", {"bulk_count": len(entries)})


def audit(
    call: Call,
    action: str,
    entry: TimeEntry,
    fields: Sequence[str] = (),
    *,
    reason: str = "",
) -> None:
    """Note changes of other people's entries, and of locked days with their reason."""
    if entry.user_id == call.user.id and not reason:
        return
    changes: dict[str, tuple[Any, Any]] = dict.fromkeys(fields, (None, None))
    if reason:
        changes["unlock_reason"] = (None, reason)
    target = Object(type="entry", id=entry.id, label=entry.user.display_name)
    call.note(action, target, changes)


def create_one(call: Call, body: Mapping[str, Any]) -> dict[str, Any]:
    """Add an entry and return it as JSON; for many at once."""
    return dict(_shown(call, _create(call, body)).body)


def update_one(call: Call, body: Mapping[str, Any]) -> dict[str, Any]:
    """Change an entry and return it as JSON; for many at once."""
    entry = editing.find(call.session, call.user, body["id"])
    refuse_other_version(entry, body.get("version"))
    changes = {name: value for name, value in body.items() if name in ENTRY_CHANGE.fields}
    return dict(_shown(call, _change(call, entry, changes)).body)


def delete_many(call: Call, numbers: Sequence[int]) -> list[str]:
    """Put entries into the trash and return their ids; for many at once."""
    if numbers:
        _delete(call, editing.several(call.session, call.user, numbers))
    return [word("entry", number) for number in dict.fromkeys(numbers)]
