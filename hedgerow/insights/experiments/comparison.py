"""A variant against the baseline: effect, interval, and whether it may be called one.

Three methods (insights-retention-cohorts §8.5): Bayesian with a flat or given prior, Welch's
test, and a sequential test that stays valid however often it is looked at.
"""

from math import exp, log, sqrt
from statistics import NormalDist
from typing import Any, Literal

import msgspec

from hedgerow.insights.experiments.arms import Moments
from hedgerow.insights.experiments.student import quantile, two_sided_p

Difference = Literal["relative", "absolute"]
NORMAL = NormalDist()
FEWEST_FOR_WELCH = 5
NEARLY_ALL = 1 - 2**-53
"""The largest share below one that a number can be."""


class Effect(msgspec.Struct, frozen=True):
    """How much the variant differs, and the variance of that figure."""

    size: float
    variance: float


def effect(variant: Moments, base: Moments, kind: Difference, divisor: float) -> Effect:
    """Return variant minus baseline, relative to ``divisor`` (the baseline's plain mean)."""
    own, others = variant.variance / variant.n, base.variance / base.n
    if kind == "absolute":
        return Effect(variant.mean - base.mean, own + others)
    return Effect(
        (variant.mean - base.mean) / divisor,
        own / divisor**2 + variant.mean**2 * others / divisor**4,
    )


def bayesian(
    found: Effect, level: float, prior: tuple[float, float] | None, *, fall: bool
) -> dict[str, Any]:
    """Return chance to win and credible interval; ``fall``: the goal is to decrease."""
    mean, variance = found.size, found.variance
    if prior is not None and variance > 0:
        precision = 1 / variance + 1 / prior[1]
        mean = (mean / variance + prior[0] / prior[1]) / precision
        variance = 1 / precision
    deviation = sqrt(variance)
    chance = _chance_positive(mean, deviation)
    chance = 1 - chance if fall else chance
    reach = NORMAL.inv_cdf(min((1 + level) / 2, NEARLY_ALL)) * deviation
    return {
        "chance_to_win": chance,
        "credible_interval": [mean - reach, mean + reach],
        "significant": chance > level or chance < 1 - level,
    }


def _chance_positive(mean: float, deviation: float) -> float:
    if deviation == 0:
        return 0.5 if mean == 0 else float(mean > 0)
    return 1 - NORMAL.cdf(-mean / deviation)


def welch(found: Effect, variant: Moments, base: Moments, alpha: float) -> dict[str, Any]:
    """Return Welch's two-sided test; the degrees of freedom are of the plain variances."""
    own, others = variant.variance / variant.n, base.variance / base.n
    if own + others == 0:  # everybody did the same: there is nothing to doubt
        same = found.size == 0
        interval = [found.size, found.size]
        return _test(None, 1.0 if same else 0.0, interval, alpha)
    degrees = (own + others) ** 2 / (own**2 / (variant.n - 1) + others**2 / (base.n - 1))
    deviation = sqrt(found.variance)
    p = (
        two_sided_p(found.size / deviation, degrees)
        if deviation
        else float(found.size == 0)
    )
    reach = quantile(1 - alpha / 2, degrees) * deviation
    return _test(degrees, p, [found.size - reach, found.size + reach], alpha)


def sequential(found: Effect, n: int, alpha: float, tuning: float) -> dict[str, Any]:
    """Return the always valid test; ``n`` people in both arms together."""
    rho2 = (-2 * log(alpha) + log(1 - 2 * log(alpha))) / tuning
    grown = n * rho2 + 1
    if found.variance == 0:
        same = found.size == 0
        return _test(None, 1.0 if same else 0.0, [found.size, found.size], alpha)
    width2 = found.variance * n * 2 * grown * log(sqrt(grown) / alpha) / (n * n * rho2)
    z2 = found.size**2 / found.variance
    p = min(1.0, exp(log(grown) / 2 - n * rho2 * z2 / (2 * grown)))
    reach = sqrt(width2)
    return _test(None, p, [found.size - reach, found.size + reach], alpha)


def _test(
    degrees: float | None, p: float, interval: list[float], alpha: float
) -> dict[str, Any]:
    return {
        "degrees_of_freedom": degrees,
        "p_value": p,
        "confidence_interval": interval,
        "significant": p < alpha,
    }
