"""The rows and columns of a retention table (``insights-retention-cohorts`` §1.2, §1.6)."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from hedgerow.errors import InvalidQuery
from hedgerow.model.projects import QueryContext
from hedgerow.query.dates import (
    NEVER,
    Range,
    end_of_day,
    floor,
    moment,
    next_bucket,
    shifted,
)
from hedgerow.query.definitions_nodes import Interval
from hedgerow.query.definitions_retention import RetentionFilter, RetentionQuery

INTERVALS: dict[str, Interval] = {
    "Hour": "hour",
    "Day": "day",
    "Week": "week",
    "Month": "month",
}
UNITS = {"hour": "h", "day": "d", "week": "w", "month": "m"}
MOST_ROWS = 1_000
LAST = timedelta(microseconds=1)


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """What the question spans."""

    period: str
    """``Hour``, ``Day``, ``Week`` or ``Month``: as answers name rows and columns."""

    asked: Range
    """Its buckets are the rows; its ends those of the events, both inclusive."""

    columns: tuple[str, ...]
    """Labels of the columns; the first is that of the start itself."""

    brackets: tuple[int, ...] = ()
    """Distance in periods that still belongs to column 1, 2, …; empty: one a period."""

    def column(self, distance: int) -> int | None:
        """Return the column of a distance in periods; None beyond the last."""
        if not self.brackets or distance == 0:
            return distance if distance < len(self.columns) else None
        return next(
            (i for i, most in enumerate(self.brackets, 1) if distance <= most), None
        )


def chosen(query: RetentionQuery) -> RetentionFilter:
    """Return what the query says of retention; all of it may be left out."""
    return query.retention_filter or RetentionFilter()


def window(query: RetentionQuery, context: QueryContext) -> Window:
    """Return the table's shape. Raises InvalidQuery for one that is too tall."""
    asked = chosen(query)
    period = asked.period or "Day"
    interval = INTERVALS[period]
    total = asked.total_intervals or 8
    first, until = _ends(query, context, interval, total)
    starts: list[datetime] = []
    at = first
    while at < until:
        starts.append(at)
        if len(starts) > MOST_ROWS:
            raise InvalidQuery(
                f"The table would have more than {MOST_ROWS:,} rows.",
                hint="Choose a longer period or a shorter range.",
                attr="dateRange",
            )
        at = next_bucket(at, interval)
    cut = Range(
        zone=ZoneInfo(context.project.timezone),
        interval=interval,
        week_start_day=context.project.week_start_day,
        start=first,
        end=shifted(until, "s", 0) - LAST,
        lower=first,
        buckets=tuple(starts),
    )
    brackets = _brackets(asked)
    columns = (
        _bracket_labels(period, asked.retention_custom_brackets or [])
        if brackets
        else tuple(f"{period} {i}" for i in range(total))
    )
    return Window(period=period, asked=cut, columns=columns, brackets=brackets)


def _ends(
    query: RetentionQuery, context: QueryContext, interval: Interval, total: int
) -> tuple[datetime, datetime]:
    """Return the start of the first row and the end of the last one."""
    zone = ZoneInfo(context.project.timezone)
    week_start, given = context.project.week_start_day, query.date_range
    to = context.now.astimezone(zone)
    if given is not None and given.date_to:
        to = moment(given.date_to, context, "dateRange.date_to").at
    if interval != "hour":
        to = end_of_day(to)
    until = next_bucket(floor(to, interval, week_start), interval)
    if given is not None and given.exclude_incomplete_periods:
        until = min(until, floor(context.now.astimezone(zone), interval, week_start))
    if given is None or not given.date_from:
        first = until
        for _ in range(total):
            first = floor(_just_before(first), interval, week_start)
        return first, until
    if given.date_from == "all":
        begin = (context.first_event_at or NEVER).astimezone(zone)
    else:
        begin = moment(given.date_from, context, "dateRange.date_from").at
    return floor(begin, interval, week_start), until


def _just_before(at: datetime) -> datetime:
    """Return an instant of the period before the one that starts at ``at``."""
    return shifted(at, "s", -1)


def _brackets(asked: RetentionFilter) -> tuple[int, ...]:
    total, ends = 0, []
    for length in asked.retention_custom_brackets or ():
        total += length
        ends.append(total)
    return tuple(ends)


def _bracket_labels(period: str, lengths: list[int]) -> tuple[str, ...]:
    labels, first = [f"{period} 0"], 1
    for length in lengths:
        last = first + length - 1
        labels.append(f"{period} {first}" if length == 1 else f"{period} {first}-{last}")
        first = last + 1
    return tuple(labels)
