"""The day: blocks on a time line beside the list.

The line counts hours from the day's first instant, so a day of 23 or 25 hours is drawn
with its hour missing or doubled, and a block is as high as it is long. Its labels are
what clocks show. Overlapping blocks stand side by side; both count, and the page says so.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.errors import InvalidInput, said
from app.models.entries import TimeEntry
from app.models.people import User
from app.tracking import entries as editing
from app.tracking import overlaps, recorded, timers
from app.tracking.days import DAY, Segment, day_bounds, day_of, seconds_between, zone
from app.tracking.recorded import Piece
from app.views import context
from app.views.context import db, now

blueprint = Blueprint("day", __name__, url_prefix="/day")

FROM, UNTIL = 7, 19
"""Hours shown at least."""

SHORTEST_GAP = timedelta(minutes=15)
LOW_S = 35 * 60
"""A block shorter than this has room for one line."""


class Block(NamedTuple):
    """A piece of an entry, placed on the line."""

    entry: TimeEntry
    start: datetime
    end: datetime
    hour: int
    """Whole hours since the day began."""
    minute: int
    hours: int
    """Length: whole hours …"""
    minutes: int
    """… and minutes."""
    lane: int
    lanes: int

    @property
    def low(self) -> bool:
        """Whether there is room for one line only."""
        return seconds_between(self.start, self.end) < LOW_S


class Gap(NamedTuple):
    """Unrecorded time between entries, to be filled by a click."""

    start: datetime
    end: datetime
    hour: int
    minute: int
    hours: int
    minutes: int


class Share(NamedTuple):
    """How much of the day a project has."""

    name: str
    color: int
    seconds: int
    begin: float
    """Per cent from the left."""
    width: float


class Label(NamedTuple):
    """An hour of the line."""

    hour: int
    text: str


@blueprint.get("")
@blueprint.get("/<string:text>")
def show(text: str = "") -> str | Response:
    """Show one day."""
    person = context.user()
    where = zone(person.timezone)
    today = day_of(now(), where)
    if request.args.get("day"):
        return redirect(url_for("day.show", text=request.args["day"]))
    day = _read(text, today)
    entries = recorded.of_days(db(), person, day, day)
    pieces = recorded.pieces(entries, day, day, now())
    bounds = day_bounds(day, where)
    placed = blocks(pieces, bounds)
    first, span = _reach(placed, bounds, today=day == today)
    timed = [piece.entry for piece in pieces if piece.entry.kind == "timed"]
    return render_template(
        "day.html",
        day=day,
        today=today,
        pieces=sorted(pieces, key=_latest_first, reverse=True),
        total=sum(piece.seconds for piece in pieces),
        blocks=placed,
        gaps=_gaps(placed, bounds),
        labels=[
            label for label in labels(day, person) if first <= label.hour <= first + span
        ],
        first=first,
        span=span,
        bounds=bounds,
        line=_now_line(bounds),
        shares=shares(pieces),
        doubled=recorded.doubled_seconds(timed, now()),
        pairs=pairs(timed),
        earlier=day - DAY,
        later=day + DAY,
    )


def _read(text: str, today: date) -> date:
    if not text:
        return today
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(
            said("%(text)r is no day.", text=text[:20]), hint="Use 2025-10-31."
        ) from error
    if not 1971 <= day.year <= 9000:
        raise InvalidInput(
            said("%(day)s is too far away.", day=day), hint="Use a year from 1971 on."
        )
    return day


def _latest_first(piece: Piece) -> tuple[bool, datetime, int]:
    start = piece.entry.started_at
    return start is not None, start or piece.entry.created_at, piece.entry.id


def blocks(pieces: Sequence[Piece], bounds: Segment) -> list[Block]:
    """Return the timed pieces of a day, placed side by side where they overlap."""
    spans = []
    for piece in pieces:
        entry = piece.entry
        if entry.started_at is None:
            continue
        end = entry.ended_at or max(now(), entry.started_at)
        start, end = max(entry.started_at, bounds[0]), min(end, bounds[1])
        if start <= end:
            spans.append((entry, start, max(end, start + timedelta(minutes=1))))
    places = overlaps.lanes([(start, end) for _, start, end in spans])
    return [
        Block(entry, start, end, *_place(start, end, bounds), lane, lanes)
        for (entry, start, end), (lane, lanes) in zip(spans, places, strict=True)
    ]


def _place(start: datetime, end: datetime, bounds: Segment) -> tuple[int, int, int, int]:
    begin = seconds_between(bounds[0], start) // 60
    length = max(seconds_between(start, end) // 60, 10)
    return (*divmod(begin, 60), *divmod(length, 60))


def _reach(placed: Sequence[Block], bounds: Segment, *, today: bool) -> tuple[int, int]:
    """Return the first hour shown and how many: the usual ones and whatever is outside."""
    whole = -(-seconds_between(*bounds) // 3600)
    starts = [block.hour for block in placed]
    ends = [-(-seconds_between(bounds[0], block.end) // 3600) for block in placed]
    if today:
        starts.append(seconds_between(bounds[0], now()) // 3600)
        ends.append(seconds_between(bounds[0], now()) // 3600 + 1)
    first = min([FROM, *starts])
    last = min(max([UNTIL, *ends]), whole)
    return first, max(last - first, 1)


def _gaps(placed: Sequence[Block], bounds: Segment) -> list[Gap]:
    """Return the unrecorded stretches between the first and the last entry."""
    if not placed:
        return []
    spans = [(block.start, block.end) for block in placed]
    last = max(end for _, end in spans)
    free = editing.gaps(spans, min(start for start, _ in spans), last)
    return [
        Gap(start, end, *_place(start, end, bounds))
        for start, end in free
        if end - start >= SHORTEST_GAP
    ]


def labels(day: date, person: User) -> list[Label]:
    """Return what clocks show at each hour after the day began."""
    where = zone(person.timezone)
    start, end = day_bounds(day, where)
    found, hour = [], 0
    while start + timedelta(hours=hour) <= end:
        local = (start + timedelta(hours=hour)).astimezone(where)
        twelve = local.strftime("%-I %p" if local.minute == 0 else "%-I:%M %p")
        found.append(
            Label(hour, twelve if person.time_format == 12 else local.strftime("%H:%M"))
        )
        hour += 1
    return found


def _now_line(bounds: Segment) -> tuple[int, int] | None:
    if not bounds[0] <= now() < bounds[1]:
        return None
    return divmod(seconds_between(bounds[0], now()) // 60, 60)


def shares(pieces: Sequence[Piece]) -> list[Share]:
    """Return how the day divides among projects, the largest first."""
    sums: dict[tuple[str, int], int] = {}
    for piece in pieces:
        project = piece.entry.project
        key = (project.name, project.color) if project else ("", 0)
        sums[key] = sums.get(key, 0) + piece.seconds
    whole = sum(sums.values())
    found: list[Share] = []
    begin = 0.0
    for (name, color), seconds in sorted(sums.items(), key=lambda item: -item[1]):
        width = 100 * seconds / whole if whole else 0.0
        found.append(
            Share(name, color, seconds, round(begin, 2), round(max(width - 0.4, 0.2), 2))
        )
        begin += width
    return found


def pairs(entries: Sequence[TimeEntry]) -> list[tuple[TimeEntry, TimeEntry, int]]:
    """Return the pairs of entries that overlap, and by how many seconds."""
    found = []
    for n, one in enumerate(entries):
        for other in entries[:n]:
            seconds = overlaps.shared(
                timers.segments(one, now()), timers.segments(other, now())
            )
            if seconds:
                found.append((other, one, seconds))
    return found
