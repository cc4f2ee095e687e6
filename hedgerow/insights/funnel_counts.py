"""The rows of a funnel's steps: how many, how long, for each value of the breakdown.

A ``Tally`` gathers the attempts of one value. Tallies are ordered by how many came
furthest; those beyond the breakdown's limit are pooled into ``Other``, gaps included, so
that its mean and median are those of its actors. A gap of 0 s is counted as a step and
left out of mean and median.
"""

from collections.abc import Iterable, Mapping
from statistics import fmean, median
from typing import Any

import msgspec

from hedgerow.insights.funnel_checks import Funnel
from hedgerow.insights.funnel_matching import Attempt, Value
from hedgerow.insights.funnel_values import Entry

OTHER = "Other"
MOST_ROWS = 100
"""Rows of a breakdown without a limit of its own."""

EVERYONE = "all users"


class Tally(msgspec.Struct, kw_only=True):
    """What the attempts of one value add up to."""

    counts: list[int]
    """Actors that touched each step."""

    gaps: list[list[float]]
    """Seconds from each matched event to the next, one list for each gap; no zeros."""

    totals: list[float]
    """Seconds from first to last step, of those who completed."""

    @classmethod
    def of(cls, steps: int) -> "Tally":
        """Return an empty tally."""
        return cls(counts=[0] * steps, gaps=[[] for _ in range(steps - 1)], totals=[])

    def add(self, attempt: Attempt) -> None:
        """Count one actor."""
        last = len(self.counts)
        for step in range(last):
            self.counts[step] += attempt.touched >> step & 1
        for place, gap in enumerate(attempt.gaps()):
            if gap > 0:
                self.gaps[place].append(gap)
        if attempt.touched >> last - 1 & 1:
            self.totals.append((attempt.chain[-1].at - attempt.chain[0].at) / 1_000_000)

    def join(self, other: "Tally") -> None:
        """Take over what another tally holds."""
        self.counts = [a + b for a, b in zip(self.counts, other.counts, strict=True)]
        for mine, theirs in zip(self.gaps, other.gaps, strict=True):
            mine.extend(theirs)
        self.totals.extend(other.totals)


def tallies(entries: Iterable[Entry], steps: int) -> dict[Value, Tally]:
    """Return a tally for each value that somebody counts in."""
    found: dict[Value, Tally] = {}
    for entry in entries:
        if entry.value not in found:
            found[entry.value] = Tally.of(steps)
        found[entry.value].add(entry.attempt)
    return found


def ranked(by_value: Mapping[Value, Tally], funnel: Funnel) -> list[tuple[Value, Tally]]:
    """Return the tallies that get a row, in order; the tail pooled where it must be."""
    rows = sorted(by_value.items(), key=_rank)
    breakdown = funnel.breakdown
    if breakdown is None or not breakdown.pooled:
        return rows[:MOST_ROWS]
    kept, rest = rows[: breakdown.limit], rows[breakdown.limit :]
    if not rest:
        return kept
    pool = Tally.of(funnel.rules.steps)
    for _, tally in rest:
        pool.join(tally)
    kept.append(((OTHER,) if breakdown.listed else OTHER, pool))
    return sorted(kept, key=_rank)


def _rank(row: tuple[Value, Tally]) -> tuple[list[int], Any]:
    value, tally = row
    return [-count for count in reversed(tally.counts)], value


def median_total(by_value: Mapping[Value, Tally]) -> float | None:
    """Return the median seconds from first to last step, over everyone."""
    totals = [total for tally in by_value.values() for total in tally.totals]
    return median(totals) if totals else None


def step_rows(
    value: Value, tally: Tally, funnel: Funnel, names: Mapping[int, str]
) -> list[dict[str, Any]]:
    """Return one object for each step. ``names`` are those of the cohorts."""
    shown = shown_value(value, funnel, names)
    return [
        {**step_name(funnel, place), **figures(tally, place), **shown}
        for place in range(funnel.rules.steps)
    ]


def step_name(funnel: Funnel, place: int) -> dict[str, Any]:
    """Return what a step is called; steps in any order are called by how many were done."""
    step = funnel.query.series[place]
    name, custom = step.event, step.custom_name
    if funnel.rules.order == "unordered":
        many = "step" if place == 0 else "steps"
        name, custom = f"Completed {place + 1} {many}", None
    return {
        "action_id": None if funnel.rules.order == "unordered" else step.event,
        "name": name,
        "custom_name": custom,
        "order": place,
        "people": [],
        "type": "events",
    }


def figures(tally: Tally, place: int) -> dict[str, Any]:
    """Return a step's count, and mean and median seconds since the one before."""
    gaps = tally.gaps[place - 1] if place else []
    return {
        "count": tally.counts[place],
        "average_conversion_time": fmean(gaps) if gaps else None,
        "median_conversion_time": median(gaps) if gaps else None,
    }


def shown_value(value: Value, funnel: Funnel, names: Mapping[int, str]) -> dict[str, Any]:
    """Return how a row names its value; nothing without a breakdown."""
    if funnel.breakdown is None:
        return {}
    if isinstance(value, int):
        name = EVERYONE if value == 0 else names.get(value, str(value))
        return {"breakdown": name, "breakdown_value": value}
    plain = list(value) if isinstance(value, tuple) else value
    return {"breakdown": plain, "breakdown_value": plain}


def histogram(samples: list[float], pool: list[float], bins: int | None) -> dict[str, Any]:
    """Return the answer of time_to_convert, in seconds.

    ``pool`` holds the samples that decide the bins: those of both periods of a
    comparison, otherwise the same.
    """
    if not pool:
        return {
            "bins": [[0, 0], [60, 0]],
            "average_conversion_time": None,
            "median_conversion_time": None,
        }
    count = min(max(bins, 1), 90) if bins is not None else min(_cube_root(len(pool)), 60)
    low, high = int(min(pool) // 1), -int(-max(pool) // 1)
    width = -((low - high) // count) or 60
    filled = [0] * (count + 1)
    for sample in samples:
        filled[int((sample - low) // width)] += 1
    return {
        "bins": [[low + place * width, number] for place, number in enumerate(filled)],
        "average_conversion_time": fmean(samples) if samples else None,
        "median_conversion_time": median(samples) if samples else None,
    }


def _cube_root(count: int) -> int:
    """Return the smallest number whose cube is at least ``count``."""
    root = 1
    while root**3 < count:
        root += 1
    return root


def samples(entries: Iterable[Entry], funnel: Funnel) -> list[float]:
    """Return the seconds from the first to the last step asked for, of those who did both."""
    found = []
    for _, _, attempt in entries:
        if attempt.reached >= funnel.last:
            chain = attempt.chain
            found.append(
                (chain[funnel.last - 1].at - chain[funnel.first - 1].at) / 1_000_000
            )
    return found
