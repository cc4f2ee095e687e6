"""Intervals and survival (``fleet`` §2.0, §2.7)."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

Z = 1.959964
EVEN = 1e-12
"""Products of fractions may miss a round number by this much."""


def share_of(part: float, whole: float) -> float | None:
    """Return a fraction; None of nothing."""
    return part / whole if whole else None


def wilson(part: int, whole: int) -> list[float] | None:
    """Return Wilson's 95 % interval of a share; None of nothing."""
    if not whole:
        return None
    p, square = part / whole, Z * Z
    middle = p + square / (2 * whole)
    half = Z * math.sqrt(p * (1 - p) / whole + square / (4 * whole * whole))
    below = 1 + square / whole
    return [max(0.0, (middle - half) / below), min(1.0, (middle + half) / below)]


def kaplan_meier(times: Iterable[tuple[int, bool]]) -> list[dict[str, Any]]:
    """Return the curve of ``(days, happened)``; events go before censorings of a day."""
    leaving: Counter[int] = Counter()
    happened: Counter[int] = Counter()
    for time, event in times:
        leaving[time] += 1
        happened[time] += event
    at_risk, remaining, greenwood = leaving.total(), 1.0, 0.0
    curve = []
    for day in sorted(leaving):
        events = happened[day]
        remaining *= 1 - events / at_risk
        if at_risk > events:
            greenwood += events / (at_risk * (at_risk - events))
        curve.append(
            {
                "day": day,
                "at_risk": at_risk,
                "events": events,
                "censored": leaving[day] - events,
                "remaining": remaining,
                "ci": _log_log(remaining, greenwood),
            }
        )
        at_risk -= leaving[day]
    return curve


def quantiles(
    curve: list[dict[str, Any]], percents: Iterable[int]
) -> dict[str, int | None]:
    """Return the first day by which each share of all has had the event."""
    return {
        str(percent): next(
            (row["day"] for row in curve if row["remaining"] <= 1 - percent / 100 + EVEN),
            None,
        )
        for percent in percents
    }


def _log_log(remaining: float, greenwood: float) -> list[float] | None:
    if not 0 < remaining < 1:
        return None
    width = Z * math.sqrt(greenwood) / abs(math.log(remaining))
    return [remaining ** math.exp(width), remaining ** math.exp(-width)]


def median(numbers: Sequence[float]) -> float | None:
    """Return the middle, or the mean of the two middle ones; None of nothing."""
    if not numbers:
        return None
    ordered, half = sorted(numbers), len(numbers) // 2
    if len(numbers) % 2:
        return float(ordered[half])
    return (ordered[half - 1] + ordered[half]) / 2


def percentile(numbers: Sequence[float], share: float) -> float | None:
    """Return a quantile, interpolated at position (n - 1) * share; None of nothing."""
    if not numbers:
        return None
    ordered, place = sorted(numbers), (len(numbers) - 1) * share
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
