"""From a job's answer to rows: empty buckets, running totals, smoothing, order (§6, §7)."""

import math
from collections.abc import Sequence
from typing import Any

import msgspec

from hedgerow.insights.trend_jobs import Job
from hedgerow.insights.trend_statements import actives_of, changes
from hedgerow.model.ports import Rows
from hedgerow.query.breakdowns import OTHER, rank_of

Value = tuple[str, ...]
"""A breakdown's value, part by part; empty without a breakdown."""

Number = int | float


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers of one breakdown value of one job."""

    job: Job
    value: Value
    data: list[Number]
    """One number a bucket; one for the whole range with total values."""

    def sum(self) -> Number:
        """Return the sum of the numbers as they are shown."""
        return sum(self.data)

    def count(self) -> Number:
        """Return the row's ``count``: the sum, or the last running total."""
        if self.job.total():
            return 0
        if self.job.cumulative() and smoothing_of(self.job) == 1:
            return self.data[-1] if self.data else 0
        return self.sum()


def rows_of(job: Job, answer: Rows) -> list[Row]:
    """Return a job's rows in the order of the answer (§6.4)."""
    parts = len(job.names())
    length = 1 if job.total() else _length(job)
    found: dict[Value, list[Number]] = {}
    for *value, bucket, number in answer.rows:
        data = found.setdefault(tuple(value[:parts]), [0] * length)
        if 0 <= bucket < length:
            data[bucket] += finite(number)
    if not job.split:
        found.setdefault((), [0] * length)
    if job.cohort is not None and answer.rows:
        found = {(str(job.cohort),): data for data in found.values()}
    elif job.cohort is not None:
        found = {}
    rows = [
        Row(job=job, value=value, data=_shown(job, data)) for value, data in found.items()
    ]
    return sorted(rows, key=lambda row: (rank_of(row.value), -row.sum(), row.value))


def _length(job: Job) -> int:
    """Return how many numbers a row has before actives are summed up and sampled."""
    actives = actives_of(job) if changes(job) else None
    return len(job.range.buckets) * (actives.sample if actives else 1)


def _shown(job: Job, data: list[Number]) -> list[Number]:
    if job.total():
        return data
    if changes(job) and (actives := actives_of(job)) is not None:
        data = running(data)[:: actives.sample]
    if job.cumulative():
        data = running(data)
    return smoothed(data, smoothing_of(job))


def finite(number: Any) -> Number:
    """Return a number of the engine's as int or float; 0 where it is none."""
    if number is None:
        return 0
    if isinstance(number, int):
        return number
    found = float(number)
    return found if math.isfinite(found) else 0


def running(data: Sequence[Number]) -> list[Number]:
    """Return the sums up to each number."""
    total: Number = 0
    found = []
    for number in data:
        total += number
        found.append(total)
    return found


def smoothed(data: list[Number], width: int) -> list[Number]:
    """Return the floor of the mean of the last ``width`` numbers, fewer at the start."""
    if width == 1:
        return data
    found: list[Number] = []
    for place in range(len(data)):
        part = data[max(0, place - width + 1) : place + 1]
        found.append(math.floor(sum(part) / len(part)))
    return found


def smoothing_of(job: Job) -> int:
    """Return over how many buckets numbers are smoothed; 1: not at all."""
    given = job.query.trends_filter.smoothing_intervals if job.query.trends_filter else None
    return 1 if job.total() else given or 1


def has_other(rows: Sequence[Row]) -> bool:
    """Return whether values were folded away."""
    return any(OTHER in row.value for row in rows)
