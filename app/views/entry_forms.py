"""The entry form: what was typed → times, and what it shows when opened.

Times are typed in the entry's own zone. Three things are asked back instead of guessed:
*next day?* where the end is before the start, *first or second* where a time exists
twice in autumn, and *really so long?* beyond a day.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import request

from app.errors import InvalidInput, said
from app.models.entries import TimeEntry
from app.models.people import User
from app.settings import Settings
from app.tracking import durations
from app.tracking.days import DAY, Reading, Segment, day_of, seconds_between, zone
from app.tracking.entries import Times
from app.views import forms
from app.views.context import now
from app.views.words import clock


@dataclass
class Read:
    """What the form said, with what should be told about it."""

    times: Times
    notice: str = ""
    """A time that does not exist was moved."""


def day_typed(name: str, default: date | None = None) -> date:
    """Return the day in a field."""
    given = forms.text(name)
    if not given and default is not None:
        return default
    try:
        return date.fromisoformat(given)
    except ValueError as error:
        raise InvalidInput(
            said("%(given)r is no day.", given=given[:20]),
            hint="Write 2025-10-31.",
            attr=name,
        ) from error


def times(person: User, entry: TimeEntry | None = None) -> Read:
    """Return the times the form says.

    What stands in a field as it was shown means the exact instant behind it: saving a
    form never cuts off the seconds that a timer recorded.
    """
    day = day_typed("day")
    exact = _shown_exactly(entry, day)
    where_name = entry.timezone if entry else person.timezone
    if forms.text("kind", "timed") == "duration":
        text = forms.text("duration")
        kept = entry.seconds if entry and entry.kind == "duration" else None
        same = kept is not None and text == durations.grid(kept)
        seconds = (kept or 0) if same else durations.seconds(text)
        found = Times(
            kind="duration", day=day, seconds=seconds, long_is_right=forms.ticked("long")
        )
        return Read(found)
    return _span(day, where_name, exact, running=bool(entry and entry.is_running))


Exact = dict[tuple[str, str], datetime]
"""Field and text → the instant that text stood for when the form was shown."""


def _shown_exactly(entry: TimeEntry | None, day: date) -> Exact:
    if entry is None or entry.started_at is None or entry.local_date != day:
        return {}
    where = entry.timezone
    found = {("started", clock(entry.started_at, where)): entry.started_at}
    if entry.ended_at is not None:
        found["ended", clock(entry.ended_at, where)] = entry.ended_at
    for pause in entry.breaks:
        found["break_from", clock(pause.started_at, where)] = pause.started_at
        if pause.ended_at is not None:
            found["break_to", clock(pause.ended_at, where)] = pause.ended_at
    return found


def _as_shown(exact: Exact, name: str, text: str) -> Reading | None:
    instant = exact.get((name, text))
    return None if instant is None else Reading(instant, timedelta(), twice=False)


def _span(day: date, where_name: str, exact: Exact, *, running: bool) -> Read:
    start = _as_shown(exact, "started", forms.text("started")) or _moment(
        "started", day, where_name
    )
    moved = start.moved
    end: datetime | None = None
    if forms.text("ended") or not running:
        same = _as_shown(exact, "ended", forms.text("ended"))
        if same is None or same.instant <= start.instant:
            same = _end(day, start.instant, where_name)
        moved = max(moved, same.moved)
        end = same.instant
    found = Times(
        started_at=start.instant,
        ended_at=end,
        breaks=_breaks(day, start.instant, where_name, exact),
        long_is_right=forms.ticked("long"),
    )
    said = durations.prose(int(moved.total_seconds()))
    return Read(
        found, f"A time that clocks skip that night was moved by {said}." if moved else ""
    )


def _end(day: date, start: datetime, where_name: str) -> Reading:
    """Return when it ended; a length typed instead of a time counts from the start."""
    length = forms.text("length")
    if length and not forms.text("ended"):
        return Reading(
            start + timedelta(seconds=durations.seconds(length)), timedelta(), twice=False
        )
    reading = _moment("ended", day, where_name)
    if reading.instant > start:
        return reading
    tomorrow = _moment("ended", day + DAY, where_name)
    if forms.ticked("next_day"):
        return tomorrow
    long = durations.prose(seconds_between(start, tomorrow.instant))
    raise InvalidInput(
        "It ends before it begins.",
        hint=said("Was it the next day? Then it is %(long)s long.", long=long),
        attr="next_day",
    )


def _moment(name: str, day: date, where_name: str) -> Reading:
    typed, fold = forms.text(name), forms.text(f"{name}_fold")
    reading = durations.moment(typed, day, zone(where_name), now(), fold=fold == "1")
    if reading.twice and fold == "":
        raise InvalidInput(
            said("%(typed)s exists twice that night.", typed=typed),
            hint="Say whether it was the first or the second.",
            attr=f"{name}_fold",
        )
    return reading


def _breaks(day: date, start: datetime, where_name: str, exact: Exact) -> list[Segment]:
    found = []
    where = zone(where_name)
    begins, ends = request.form.getlist("break_from"), request.form.getlist("break_to")
    for begin, end in zip(begins, ends, strict=True):
        if not begin.strip() and not end.strip():
            continue
        same = _as_shown(exact, "break_from", begin), _as_shown(exact, "break_to", end)
        if same[0] and same[1]:
            found.append((same[0].instant, same[1].instant))
            continue
        first = durations.moment(begin, day, where, now()).instant
        if first < start:  # after midnight
            first = durations.moment(begin, day + DAY, where, now()).instant
        last = durations.moment(end, day_of(first, where), where, now()).instant
        if last <= first:
            last = durations.moment(end, day_of(first, where) + DAY, where, now()).instant
        found.append((first, last))
    return found


def shown(entry: TimeEntry) -> dict[str, Any]:
    """Return the fields of the form as they are for an entry."""
    where = entry.timezone
    crosses = bool(
        entry.started_at
        and entry.ended_at
        and day_of(entry.ended_at, zone(where)) != entry.local_date
    )
    return {
        "kind": entry.kind,
        "day": entry.local_date.isoformat(),
        "started": clock(entry.started_at, where) if entry.started_at else "",
        "ended": clock(entry.ended_at, where) if entry.ended_at else "",
        "next_day": "1" if crosses else "",
        "duration": durations.grid(entry.seconds or 0) if entry.kind == "duration" else "",
        "description": entry.description,
        "billable": "1" if entry.billable else "",
        "tags": [tag.id for tag in entry.tags],
        "breaks": [
            (clock(p.started_at, where), clock(p.ended_at, where) if p.ended_at else "")
            for p in entry.breaks
        ],
        "version": entry.version,
    }


def proposed(person: User, settings: Settings) -> dict[str, Any]:
    """Return the fields of an empty form; the address may fill in some of them."""
    today = day_of(now(), zone(person.timezone))
    asked = request.args
    kind = "duration" if settings.entry_kinds == "duration" else "timed"
    return {
        "kind": asked.get("kind", kind),
        "day": asked.get("day") or today.isoformat(),
        "started": asked.get("started", ""),
        "ended": asked.get("ended", ""),
        "next_day": asked.get("next_day", ""),
        "duration": asked.get("duration", ""),
        "description": asked.get("description", ""),
        "billable": "",
        "tags": [],
        "breaks": [],
        "version": "",
    }


def typed() -> dict[str, Any]:
    """Return the fields as they were sent, to show the form again."""
    form = request.form
    breaks = zip(form.getlist("break_from"), form.getlist("break_to"), strict=False)
    names = ("kind", "day", "started", "ended", "next_day", "duration", "description")
    return {
        **{name: form.get(name, "") for name in names},
        "billable": form.get("billable", ""),
        "tags": forms.numbers("tag_id"),
        "breaks": list(breaks),
        "version": form.get("version", ""),
    }


def inside(entry: TimeEntry, text: str) -> datetime:
    """Return the instant inside an entry that a time of day names."""
    where = zone(entry.timezone)
    first = durations.moment(text, entry.local_date, where, now()).instant
    if entry.started_at is not None and first <= entry.started_at:
        return durations.moment(text, entry.local_date + DAY, where, now()).instant
    return first
