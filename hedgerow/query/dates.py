"""Date texts and ranges, in the project's time zone (``insights-trends`` §4).

``resolve`` turns ``dateRange`` into a ``Range``: both ends, the instant from which events
are read, and the buckets between. The two differ on purpose: a month asked from its 7th
day shows the whole month, a week asked from its 3rd day only the rest of it.

``previous`` is the range a comparison is made with (§8). What buckets are called, and how
a time finds its bucket in SQL, is in ``query.buckets``.

Days and longer are steps of the wall clock; hours and minutes are steps of absolute time,
so the day of a clock change has 23 or 25 hours.
"""

import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from hedgerow.errors import InvalidQuery
from hedgerow.model.projects import QueryContext
from hedgerow.query.definitions_nodes import CompareFilter, Dates, Interval

DEFAULT_FROM = "-7d"
NEVER = datetime(2015, 1, 1, tzinfo=UTC)
"""Where ``all`` starts when there is no event."""

LAST = timedelta(microseconds=1)
"""Ends are inclusive: the last instant of a day is this much before the next."""

MOST_BUCKETS = 50_000
YEARS = range(100, 9900)
"""Years a date may be in: there is room on both sides for windows and time zones."""

_RELATIVE = re.compile(r"-?(?P<number>\d+)?(?P<unit>[hdwmqyMs])(?P<edge>Start|End)?")
_ABSOLUTE = re.compile(
    r"(?P<day>\d{4}-\d{1,2}-\d{1,2})"
    r"(?:[T ](?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<rest>\d+))?)?)?"
    r"\s*(?P<zone>[Zz]|[+-]\d{2}(?::?\d{2})?)?"
)


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """A date text, understood."""

    at: datetime
    """Aware, in the project's zone."""

    unit: str | None = None
    """Unit of a relative text: ``h``, ``d`` …; None: absolute."""

    number: int | None = None
    """How many units before now."""

    day_only: bool = False
    """An absolute date without a time of day."""


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of time cut into buckets."""

    zone: ZoneInfo
    interval: Interval
    week_start_day: int
    start: datetime
    """``from``: aware, in the project's zone."""

    end: datetime
    """``to``: aware, in the project's zone, inclusive."""

    lower: datetime
    """Events are read from this instant, inclusive; aware."""

    buckets: tuple[datetime, ...]
    """Starts of the buckets: aware, in the project's zone."""

    exact: bool = False
    """The lower bound is ``from`` itself, whatever the interval."""

    rolling: bool = False
    """For a single big number: up to the moment, not in whole days."""

    unit: str | None = None
    """Unit of a relative ``date_from``; None: absolute."""

    aligned_days: bool = False
    """A comparison keeps weekdays: ``date_from`` was a multiple of seven days."""

    endless: bool = False
    """``date_from`` was ``all``: there is nothing before it."""


def moment(text: str, context: QueryContext, attr: str) -> Moment:
    """Return what a date text means at the context's now, not truncated.

    Raises InvalidQuery naming ``attr`` where the text is no date.
    """
    zone = ZoneInfo(context.project.timezone)
    try:
        if relative := _RELATIVE.fullmatch(text.strip()):
            return _possible(_relative(relative, context.now.astimezone(zone)))
        if absolute := _ABSOLUTE.fullmatch(text.strip()):
            return _possible(_absolute(absolute, zone))
    except (ValueError, OverflowError) as error:
        raise InvalidQuery(
            f"{text!r} is not a possible date: {error}.",
            hint="Use a date such as 2024-01-31.",
            attr=attr,
        ) from error
    raise InvalidQuery(
        f"{text!r} is not a date.",
        hint="Use 2024-01-31, 2024-01-31 18:00:00, or a relative one such as -7d or mStart.",
        attr=attr,
    )


def _possible(found: Moment) -> Moment:
    if found.at.year not in YEARS:
        raise ValueError(f"the year is {YEARS.start} to {YEARS.stop - 1}")
    return found


def _relative(match: re.Match[str], now: datetime) -> Moment:
    unit, edge = match["unit"], match["edge"]
    number = int(match["number"]) if match["number"] else None
    at = shifted(now, unit, -(number or 0))
    if edge == "Start":
        at = _first(at, unit)
    elif edge == "End":
        at = _last(at, unit)
    return Moment(at=at, unit=unit, number=number)


def _absolute(match: re.Match[str], zone: ZoneInfo) -> Moment:
    year, month, day = (int(part) for part in match["day"].split("-"))
    hour, minute, second = (int(match[name] or 0) for name in ("hour", "minute", "second"))
    microsecond = int((match["rest"] or "0")[:6].ljust(6, "0"))
    at = datetime(year, month, day, hour, minute, second, microsecond, tzinfo=zone)
    if match["zone"]:
        offset = match["zone"].upper().replace("Z", "+0000").replace(":", "").ljust(5, "0")
        minutes = int(offset[1:3]) * 60 + int(offset[3:5])
        shift = timedelta(minutes=-minutes if offset[0] == "-" else minutes)
        at = (at.replace(tzinfo=UTC) - shift).astimezone(zone)
    return Moment(at=at, day_only=match["hour"] is None)


def shifted(at: datetime, unit: str, number: int) -> datetime:
    """Return ``at`` moved by ``number`` units; months and years are clamped to a real day."""
    if unit in {"h", "M", "s"}:
        name = {"h": "hours", "M": "minutes", "s": "seconds"}[unit]
        step = timedelta(**{name: number})
        return (at.astimezone(UTC) + step).astimezone(at.tzinfo)
    if unit in {"m", "y"}:
        months = number if unit == "m" else 12 * number
        count = at.year * 12 + at.month - 1 + months
        year, month = count // 12, count % 12 + 1
        return at.replace(
            year=year, month=month, day=min(at.day, monthrange(year, month)[1])
        )
    return at + timedelta(days=number * {"d": 1, "w": 7, "q": 91}[unit])


def _first(at: datetime, unit: str) -> datetime:
    if unit == "h":
        return at.replace(minute=0, second=0, microsecond=0)
    if unit == "d":
        return midnight(at)
    return {"m": at.replace(day=1), "y": at.replace(month=1, day=1)}.get(unit, at)


def _last(at: datetime, unit: str) -> datetime:
    if unit == "h":
        return at.replace(minute=59, second=59, microsecond=999_999)
    if unit == "d":
        return end_of_day(at)
    if unit in {"m", "y"}:  # for years too it is the month's last day, as in PostHog
        return at.replace(day=monthrange(at.year, at.month)[1])
    return at


def midnight(at: datetime) -> datetime:
    """Return the start of the local day."""
    return at.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)


def end_of_day(at: datetime) -> datetime:
    """Return the last instant of the local day."""
    # where the clock goes back at midnight the last hour comes twice: the second one ends it
    return at.replace(hour=23, minute=59, second=59, microsecond=999_999, fold=1)


def floor(at: datetime, interval: Interval, week_start_day: int) -> datetime:
    """Return the start of the bucket that holds ``at``, in its zone."""
    match interval:
        case "minute":
            return at.replace(second=0, microsecond=0)
        case "hour":
            return at.replace(minute=0, second=0, microsecond=0)
        case "day":
            return midnight(at)
        case "week":
            since = (at.weekday() - (0 if week_start_day == 1 else 6)) % 7
            return midnight(at) - timedelta(days=since)
        case "month":
            return midnight(at).replace(day=1)


def next_bucket(start: datetime, interval: Interval) -> datetime:
    """Return the start of the bucket after the one that starts at ``start``."""
    unit = {"minute": "M", "hour": "h", "day": "d", "week": "w", "month": "m"}[interval]
    return shifted(start, unit, 1)


def resolve(
    dates: Dates | None,
    context: QueryContext,
    *,
    interval: Interval = "day",
    exact: bool = False,
) -> Range:
    """Return the range that ``dateRange`` means now.

    ``exact`` is for a single big number: relative starts keep their moment, and without
    ``date_to`` the range ends now. Raises InvalidQuery naming the wrong field.
    """
    dates = dates or Dates()
    explicit = bool(dates.explicit_date)
    begin = _begin(dates, context, keep=explicit or exact or interval == "minute")
    end, end_unit = _end(dates, context, interval=interval, exact=exact)
    cut = Range(
        zone=ZoneInfo(context.project.timezone),
        interval=interval,
        week_start_day=context.project.week_start_day,
        start=begin.at,
        end=end,
        lower=begin.at,
        buckets=(),
        exact=explicit or exact,
        rolling=exact,
        unit=begin.unit,
        aligned_days=_whole_weeks(begin) and end_unit is None,
        endless=dates.date_from == "all",
    )
    if dates.exclude_incomplete_periods:
        return _complete(cut, context)
    return _between(cut, begin.at, end)


def _whole_weeks(begin: Moment) -> bool:
    return begin.unit == "d" and bool(begin.number) and (begin.number or 0) % 7 == 0


def _between(like: Range, start: datetime, end: datetime) -> Range:
    """Return a range of the same kind with other ends."""
    first = floor(start, like.interval, like.week_start_day)
    lower = start
    if not (like.exact or _keeps_start(like.unit, like.interval)):
        lower = midnight(start) if like.interval == "week" else first
    return msgspec.structs.replace(
        like,
        start=start,
        end=end,
        lower=lower,
        buckets=_buckets(first, end, like.interval),
    )


def _complete(cut: Range, context: QueryContext) -> Range:
    """Return the range without the running bucket and without a first one cut short."""
    now = context.now.astimezone(cut.zone)
    running = floor(now, cut.interval, cut.week_start_day)
    start, first = cut.start, floor(cut.start, cut.interval, cut.week_start_day)
    if first < start:
        start = next_bucket(first, cut.interval)
    cut = msgspec.structs.replace(cut, aligned_days=False)
    return _between(cut, start, min(cut.end, _before(running)))


def _keeps_start(unit: str | None, interval: Interval) -> bool:
    """Whether events are read from a relative ``from`` itself (§4.4)."""
    if unit is None:
        return False
    return interval in {"hour", "minute"} or (unit == "h" and interval == "day")


def _begin(dates: Dates, context: QueryContext, *, keep: bool) -> Moment:
    zone = ZoneInfo(context.project.timezone)
    if dates.date_from == "all":
        return Moment(at=(context.first_event_at or NEVER).astimezone(zone))
    text = dates.date_from or DEFAULT_FROM
    begin = moment(text, context, "dateRange.date_from")
    if begin.unit is None or (keep and dates.date_from):
        return begin
    at = _first(begin.at, "h") if begin.unit == "h" else midnight(begin.at)
    return Moment(at=at, unit=begin.unit, number=begin.number)


def _end(
    dates: Dates, context: QueryContext, *, interval: Interval, exact: bool
) -> tuple[datetime, str | None]:
    """Return ``to`` and its unit where the text was relative."""
    zone = ZoneInfo(context.project.timezone)
    given = moment(dates.date_to, context, "dateRange.date_to") if dates.date_to else None
    at = given.at if given else context.now.astimezone(zone)
    unit = given.unit if given else None
    if dates.explicit_date or (exact and given is None):
        return at, unit
    if interval in {"day", "week", "month"}:
        return end_of_day(at), unit
    if given is not None and given.unit is None:
        return at, unit
    if interval == "hour":
        at = at.replace(minute=59)
    return at.replace(second=59, microsecond=999_999), unit


def _before(at: datetime) -> datetime:
    return (at.astimezone(UTC) - LAST).astimezone(at.tzinfo)


def _buckets(first: datetime, end: datetime, interval: Interval) -> tuple[datetime, ...]:
    found = []
    at = first
    limit = end.astimezone(UTC)
    while at.astimezone(UTC) <= limit:
        found.append(at)
        if len(found) > MOST_BUCKETS:
            raise InvalidQuery(
                f"The range has more than {MOST_BUCKETS:,} {interval}s.",
                hint="Choose a longer interval or a shorter range.",
                attr="dateRange",
            )
        at = next_bucket(at, interval)
    return tuple(found)


def previous(current: Range, compare: CompareFilter | None) -> Range | None:
    """Return the range to compare with, or None when no comparison is asked or possible."""
    if compare is None or not compare.compare or current.endless:
        return None
    try:
        return _before_it(current, compare)
    except (ValueError, OverflowError) as error:
        raise InvalidQuery(
            f"There is no period to compare with: {error}.",
            hint="Choose a shorter range, or compare with one less far away.",
            attr="compareFilter",
        ) from error


def _before_it(current: Range, compare: CompareFilter) -> Range:
    """Return the range to compare with. Raises ValueError, OverflowError if none can be."""
    length = _wall(current.end) - _wall(current.start)
    if compare.compare_to:
        start = _moved_back(current.start, compare.compare_to)
        return _between(current, start, _local(_wall(start) + length, current.zone))
    wall = _wall(current.start) - length
    if current.rolling:
        return _between(current, _local(wall, current.zone), _before(current.start))
    if current.interval == "minute":
        return _between(current, _local(wall, current.zone), current.start)
    wall = datetime.combine(wall.date(), current.start.time())
    if current.aligned_days and current.interval == "day":
        wall += timedelta(days=1)
    end = datetime.combine((wall + length).date(), current.end.time())
    return _between(current, _local(wall, current.zone), _local(end, current.zone))


def _wall(at: datetime) -> datetime:
    return at.replace(tzinfo=None)


def _local(wall: datetime, zone: ZoneInfo) -> datetime:
    return wall.replace(tzinfo=zone)


def _moved_back(start: datetime, compare_to: str) -> datetime:
    match = _RELATIVE.fullmatch(compare_to.strip())
    if match is None or not match["number"] or match["edge"]:
        raise InvalidQuery(
            f"{compare_to!r} does not say how much earlier to compare with.",
            hint="Use a number and a unit, such as -1w, -1m or -1y.",
            attr="compareFilter.compare_to",
        )
    return shifted(start, match["unit"], -int(match["number"]))
