"""Conversion over time: for each period, how many of those who entered converted.

Every actor enters or converts at most once in a period, so a rate never exceeds 100. The
periods are those of the project's wall clock; the first may begin before the range, its
events do not.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from hedgerow.errors import InvalidQuery
from hedgerow.insights.funnel_checks import Funnel
from hedgerow.insights.funnel_counts import shown_value
from hedgerow.insights.funnel_matching import Value
from hedgerow.insights.funnel_periods import match_periods
from hedgerow.insights.funnel_values import Journey, shares
from hedgerow.query import buckets
from hedgerow.query.dates import Range

MOST_POINTS = 1_000


class Entrance(NamedTuple):
    """One actor counted in one period, for one value."""

    actor: int | str
    value: Value
    period: int
    """Place among the range's buckets."""

    converted: bool


class Rates(msgspec.Struct, kw_only=True):
    """Those who entered and those who converted, for each period."""

    entered: list[int]
    converted: list[int]


def check(span: Range) -> None:
    """Refuse more points than an answer holds."""
    if len(span.buckets) > MOST_POINTS:
        raise InvalidQuery(
            f"The range has {len(span.buckets):,} {span.interval}s.",
            hint=f"Choose a longer interval or a shorter range: {MOST_POINTS:,} at most.",
            attr="interval",
        )


def entrances(
    journeys: Iterator[Journey], funnel: Funnel, span: Range
) -> Iterator[Entrance]:
    """Yield the periods in which each actor entered, for each value it counts in."""
    period_of = _period_of(span)
    reach = funnel.first, funnel.last
    for actor, events in journeys:
        for value, share in shares(events, funnel):
            met = match_periods(share, funnel.rules, reach, period_of, value=value)
            for period, converted in met.items():
                yield Entrance(actor, value, period, converted)


def _period_of(span: Range) -> Callable[[int], int]:
    """Return a function from microseconds to the place of the bucket that holds them."""
    starts = [round(start.timestamp()) * 1_000_000 for start in span.buckets]
    return lambda at: bisect_right(starts, at) - 1


def rates(entrances: Iterable[Entrance], periods: int) -> dict[Value, Rates]:
    """Return the counts of each value that somebody entered for."""
    found: dict[Value, Rates] = {}
    for one in entrances:
        if one.value not in found:
            found[one.value] = Rates(entered=[0] * periods, converted=[0] * periods)
        found[one.value].entered[one.period] += 1
        found[one.value].converted[one.period] += one.converted
    return found


def rows(
    by_value: Mapping[Value, Rates], funnel: Funnel, span: Range, names: Mapping[int, str]
) -> list[dict[str, Any]]:
    """Return one row, or one for each value that is among the most entered, by value."""
    periods = len(span.buckets)
    if funnel.breakdown is None:
        none = Rates(entered=[0] * periods, converted=[0] * periods)
        return [_row(by_value.get(None, none), span)]
    most: list[tuple[Any, Rates]] = list(by_value.items())
    most.sort(key=lambda pair: (-sum(pair[1].entered), pair[0]))
    kept = [
        {
            **_row(one, span),
            "breakdown_value": shown_value(value, funnel, names)["breakdown"],
        }
        for value, one in most[: funnel.breakdown.limit]
    ]
    return sorted(kept, key=lambda row: row["breakdown_value"])


def _row(counts: Rates, span: Range) -> dict[str, Any]:
    return {
        "count": len(span.buckets),
        "data": [
            round(100 * converted / entered, 2) if entered else 0
            for entered, converted in zip(counts.entered, counts.converted, strict=True)
        ],
        "days": buckets.days(span),
        "labels": buckets.labels(span),
    }
