"""Buckets: how a time finds its own in SQL, and what they are called.

In SQL a bucket is an integer: 0 is the first bucket of the range, earlier ones are
negative. Integers group fast, mean the same to every engine, and need no calendar there:
the wall clock is UTC plus an offset, and the few instants at which a zone's offset
changes inside the range are known beforehand.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlglot import exp

from hedgerow.query.dates import Range, end_of_day
from hedgerow.query.dialects import Dialect
from hedgerow.query.trees import Tree, number_literal, text_literal

MANY = 10_000_000
"""Buckets added before a whole division and taken away after: it rounds towards zero."""

MOST_OFFSETS = 12
"""Clock changes written out; with more the engine converts row by row."""

MONTHS = [
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
]
STEP = timedelta(hours=12)
"""No zone changes its clock twice within this."""


def index(
    range_: Range, timestamp: Tree, dialect: Dialect, *, since: datetime | None = None
) -> Tree:
    """Return the number of the bucket that holds a UTC time.

    ``since`` is the earliest time that matters, if that is before the range.
    """
    first = range_.buckets[0] if range_.buckets else range_.start
    if range_.interval in {"minute", "hour"}:
        seconds = 60 if range_.interval == "minute" else 3600
        return _steps(timestamp, first, seconds, dialect)
    local = local_time(range_, timestamp, dialect, since=since)
    if range_.interval == "month":
        months = first.year * 12 + first.month - 1
        return exp.paren(dialect.month_number(local) - number_literal(months))
    days = dialect.day_number(local)
    start = first.toordinal() - datetime(1970, 1, 1, tzinfo=UTC).toordinal()
    if range_.interval == "day":
        return exp.paren(days - number_literal(start))
    since_start = days - number_literal(start - 7 * MANY)
    return exp.paren(dialect.whole(since_start, 7) - number_literal(MANY))


def _steps(timestamp: Tree, first: datetime, seconds: int, dialect: Dialect) -> Tree:
    """Return how many steps of absolute time lie between the first bucket and a time."""
    step = seconds * 1_000_000
    origin = round(first.timestamp()) * 1_000_000 - MANY * step
    elapsed = dialect.microseconds(timestamp) - number_literal(origin)
    return exp.paren(dialect.whole(elapsed, step) - number_literal(MANY))


def local_time(
    range_: Range, timestamp: Tree, dialect: Dialect, *, since: datetime | None = None
) -> Tree:
    """Return a UTC time of the range as the wall clock of its zone."""
    begin = min(since or range_.lower, range_.lower) - timedelta(days=32)
    parts = offsets(range_.zone.key, begin, range_.end + timedelta(days=1))
    if len(parts) > MOST_OFFSETS:
        return dialect.local_time(timestamp, range_.zone.key)
    *changes, (_, last) = parts
    if not changes:
        return dialect.later(timestamp, last)
    branches = [
        exp.If(
            this=timestamp.copy() < _time(until),
            true=dialect.later(timestamp.copy(), seconds),
        )
        for until, seconds in changes
        if until is not None
    ]
    return exp.Case(ifs=branches, default=dialect.later(timestamp.copy(), last))


def _time(at: datetime) -> Tree:
    text = at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    return exp.cast(text_literal(text), exp.DataType.build("timestamp"))


@lru_cache(maxsize=256)
def offsets(
    zone: str, since: datetime, until: datetime
) -> tuple[tuple[datetime | None, int], ...]:
    """Return a zone's offsets between two instants: (until when, seconds), in order.

    The last one has no end.
    """
    clock = ZoneInfo(zone)
    found: list[tuple[datetime | None, int]] = []
    at = since.astimezone(UTC)
    stop = until.astimezone(UTC)
    offset = _offset(at, clock)
    while at < stop:
        following = at + STEP
        changed = _offset(following, clock)
        if changed != offset:
            found.append((_change(at, following, clock), offset))
            offset = changed
        at = following
    return (*found, (None, offset))


def _offset(at: datetime, clock: ZoneInfo) -> int:
    shift = at.astimezone(clock).utcoffset()
    return round(shift.total_seconds()) if shift is not None else 0


def _change(low: datetime, high: datetime, clock: ZoneInfo) -> datetime:
    """Return the first second of the later offset."""
    before = _offset(low, clock)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=round((high - low).total_seconds()) // 2)
        low, high = (middle, high) if _offset(middle, clock) == before else (low, middle)
    return high.replace(microsecond=0)


def days(range_: Range) -> list[str]:
    """Return the buckets as answers name them (§4.5): dates, or times for hours."""
    pattern = "%Y-%m-%d"
    if range_.interval in {"minute", "hour"}:
        pattern = "%Y-%m-%d %H:%M:%S"
    return [start.strftime(pattern) for start in range_.buckets]


def labels(range_: Range) -> list[str]:
    """Return what people read under the buckets, in English (§4.5)."""
    return [_label(range_, start) for start in range_.buckets]


def _label(range_: Range, start: datetime) -> str:
    month = MONTHS[start.month - 1]
    match range_.interval:
        case "minute" | "hour":
            return f"{start.day}-{month} {start:%H:%M}"
        case "day":
            return f"{start.day}-{month}-{start.year}"
        case "month":
            return f"{month} {start.year}"
        case "week":
            return _week_label(max(start, range_.start), min(_last_of(start), range_.end))


def _last_of(week: datetime) -> datetime:
    return end_of_day(week + timedelta(days=6))


def _week_label(begin: datetime, end: datetime) -> str:
    first, last = (f"{at.day}-{MONTHS[at.month - 1]}" for at in (begin, end))
    if begin.date() == end.date():
        return f"{first}-{begin.year}"
    if begin.year != end.year:
        return f"{first}-{begin.year} \N{EN DASH} {last}-{end.year}"
    if begin.month != end.month:
        return f"{first} \N{EN DASH} {last}"
    return f"{begin.day}\N{EN DASH}{end.day} {MONTHS[end.month - 1]}"


def iso(at: datetime) -> str:
    """Return a time as answers write it: ``Z`` at offset zero, else ``-07:00``."""
    text = at.isoformat()
    return f"{text[:-6]}Z" if text.endswith("+00:00") else text
