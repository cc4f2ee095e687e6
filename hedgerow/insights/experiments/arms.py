"""One arm of an experiment: the sums handed to statistics, its mean and variance.

Sums are all that is needed, so arms of a breakdown add up by adding their sums, never by
averaging (insights-retention-cohorts §8.3, §8.4).
"""

from typing import Literal

import msgspec

from hedgerow.errors import InvalidQuery

MetricType = Literal["mean", "funnel", "ratio", "retention"]
ROUNDING = 1e-9


class Arm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What everybody with one variant did, as sums over them."""

    key: str
    number_of_samples: int
    """Everybody exposed, also those who did nothing."""

    sum: float
    sum_squares: float | None = None
    """May be left out for a proportion, where it equals ``sum``."""

    denominator_sum: float | None = None
    denominator_sum_squares: float | None = None
    numerator_denominator_sum_product: float | None = None
    covariate_sum: float | None = None
    covariate_sum_squares: float | None = None
    covariate_sum_product: float | None = None
    step_counts: list[int] | None = None


class Moments(msgspec.Struct, frozen=True):
    """Mean and variance of one observation."""

    mean: float
    variance: float
    n: int


def _refused(arm: Arm, why: str, hint: str, field: str) -> InvalidQuery:
    return InvalidQuery(f"Variant {arm.key!r} {why}.", hint=hint, attr=field)


def _need(arm: Arm, field: str) -> float:
    value = getattr(arm, field)
    if value is None:
        raise _refused(arm, f"lacks {field}", "This kind of metric needs it.", field)
    return float(value)


def moments(arm: Arm, metric: MetricType) -> Moments:
    """Return an arm's mean and variance; refuses figures that cannot be."""
    if arm.number_of_samples < 1:
        raise _refused(
            arm,
            f"has {arm.number_of_samples} samples",
            "At least one person must have been exposed.",
            "number_of_samples",
        )
    match metric:
        case "mean":
            return _mean(arm)
        case "funnel":
            return _proportion(arm)
        case "ratio" | "retention":
            return _ratio(arm)


def _spread(arm: Arm, total: float, squares: float, field: str) -> float:
    """Return the sample variance of values with this sum and sum of squares."""
    n = arm.number_of_samples
    least = total * total / n
    if squares < least - ROUNDING * max(1.0, abs(least)):
        raise _refused(
            arm,
            f"has {field} {squares:g}, which is too small for its sum",
            "Check both.",
            field,
        )
    return max(squares - least, 0.0) / (n - 1) if n > 1 else 0.0


def _mean(arm: Arm) -> Moments:
    variance = _spread(arm, arm.sum, _need(arm, "sum_squares"), "sum_squares")
    return Moments(arm.sum / arm.number_of_samples, variance, arm.number_of_samples)


def _proportion(arm: Arm) -> Moments:
    if not 0 <= arm.sum <= arm.number_of_samples:
        raise _refused(
            arm,
            f"has {arm.sum:g} conversions of {arm.number_of_samples} samples",
            "A person converts at most once.",
            "sum",
        )
    share = arm.sum / arm.number_of_samples
    return Moments(share, share * (1 - share), arm.number_of_samples)


def _ratio(arm: Arm) -> Moments:
    """Delta method: the variance of a quotient of two sums over the same people."""
    n = arm.number_of_samples
    below = _need(arm, "denominator_sum")
    if below == 0:
        raise _refused(
            arm,
            "has a denominator of 0",
            "A ratio needs something to divide by.",
            "denominator_sum",
        )
    product = _need(arm, "numerator_denominator_sum_product")
    m, d = arm.sum / n, below / n
    var_m = _spread(arm, arm.sum, _need(arm, "sum_squares"), "sum_squares")
    var_d = _spread(
        arm, below, _need(arm, "denominator_sum_squares"), "denominator_sum_squares"
    )
    covariance = (product - arm.sum * below / n) / (n - 1) if n > 1 else 0.0
    variance = var_m / d**2 + m**2 * var_d / d**4 - 2 * m * covariance / d**3
    return Moments(arm.sum / below, max(variance, 0.0), n)


def adjusted(arm: Arm, plain: Moments, theta: float) -> Moments:
    """Return the moments with the covariate's part taken out (§8.5)."""
    n = arm.number_of_samples
    total, squares = _need(arm, "covariate_sum"), _need(arm, "covariate_sum_squares")
    product = _need(arm, "covariate_sum_product")
    covariance = (product - total * arm.sum / n) / (n - 1) if n > 1 else 0.0
    spread = _spread(arm, total, squares, "covariate_sum_squares")
    variance = plain.variance + theta**2 * spread - 2 * theta * covariance
    return Moments(plain.mean - theta * total / n, max(variance, 1e-10), n)


def theta(one: Arm, other: Arm) -> float:
    """Return how much of the covariate is in the value, both arms taken as one sample."""
    n = one.number_of_samples + other.number_of_samples
    covariate = _need(one, "covariate_sum") + _need(other, "covariate_sum")
    squares = _need(one, "covariate_sum_squares") + _need(other, "covariate_sum_squares")
    product = _need(one, "covariate_sum_product") + _need(other, "covariate_sum_product")
    spread = (squares - covariate**2 / n) / (n - 1)
    if spread < 1e-10:
        return 0.0
    return (product - covariate * (one.sum + other.sum) / n) / (n - 1) / spread
