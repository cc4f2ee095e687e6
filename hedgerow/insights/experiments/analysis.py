"""Figures of an experiment in, statistics out (``…/experiments/analyze``).

The same object comes of a saved experiment, an inline one, or sums that somebody computed
elsewhere. A verdict is withheld where there is too little to judge by; counts never are.
"""

from collections.abc import Mapping
from math import erfc, exp, lgamma, log, sqrt
from typing import Annotated, Any, Literal

import msgspec

from hedgerow.errors import InvalidQuery
from hedgerow.insights.experiments.arms import (
    Arm,
    MetricType,
    Moments,
    adjusted,
    moments,
    theta,
)
from hedgerow.insights.experiments.comparison import (
    FEWEST_FOR_WELCH,
    Difference,
    bayesian,
    effect,
    sequential,
    welch,
)

LEVEL, ALPHA, TUNING = 0.95, 0.05, 5000.0


class Prior(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was believed of the effect before: a normal distribution."""

    mean: float
    variance: Annotated[float, msgspec.Meta(gt=0)]


class BayesianConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of the Bayesian method."""

    ci_level: float = LEVEL
    difference_type: str = "relative"
    prior: Prior | None = None


class FrequentistConfig(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """Settings of the frequentist methods."""

    alpha: float = ALPHA
    difference_type: str = "relative"
    sequential_testing_enabled: bool = False
    sequential_tuning_parameter: Annotated[float, msgspec.Meta(gt=0)] = TUNING


class CupedConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether to take out what people were like before."""

    enabled: bool = False
    lookback_days: int = 14


class StatsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to judge. Unknown methods are Bayesian, impossible levels fall back (§8.5)."""

    method: str = "bayesian"
    baseline_variant_key: str | None = None
    minimum_exposures: int = 50
    minimum_conversions: int = 5
    bayesian: BayesianConfig = BayesianConfig()
    frequentist: FrequentistConfig = FrequentistConfig()
    cuped: CupedConfig = CupedConfig()


class AnalyzedMetric(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the sums are of."""

    metric_type: MetricType
    kind: Literal["ExperimentMetric"] = "ExperimentMetric"
    """No effect."""

    goal: Literal["increase", "decrease"] = "increase"


class Figures(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything the statistics need."""

    metric: AnalyzedMetric
    baseline: Arm
    variants: list[Arm]
    stats_config: StatsConfig = StatsConfig()


def analyze(body: Any) -> dict[str, Any]:
    """Return ``{"baseline", "variant_results"}`` for figures given as JSON.

    Raises InvalidQuery for sums that cannot be of anybody; an experiment of our own tells
    a variant that nobody saw with zeros instead.
    """
    try:
        figures = msgspec.convert(without_nulls(body), Figures)
    except msgspec.ValidationError as wrong:
        raise InvalidQuery(
            f"{wrong}.", hint="See the fields of experiments/analyze in the documentation."
        ) from wrong
    for arm in (figures.baseline, *figures.variants):
        moments(arm, figures.metric.metric_type)
    return judge(figures)


def without_nulls(raw: Any) -> Any:
    """Return JSON objects without the fields that are null: the same as leaving them out."""
    if not isinstance(raw, Mapping):
        return raw
    return {name: without_nulls(one) for name, one in raw.items() if one is not None}


def judge(figures: Figures) -> dict[str, Any]:
    """Return the statistics of figures already read."""
    base = _told(figures, figures.baseline, is_baseline=True)
    return {
        "baseline": base,
        "variant_results": [
            _result(figures, arm, base["validation_failures"]) for arm in figures.variants
        ],
    }


def _told(figures: Figures, arm: Arm, *, is_baseline: bool) -> dict[str, Any]:
    """Return an arm with its mean, variance, and what keeps it from being judged."""
    told = {k: v for k, v in msgspec.structs.asdict(arm).items() if v is not None}
    failures = _failures(figures, arm, is_baseline=is_baseline)
    empty = arm.number_of_samples == 0 or not _can_divide(figures, arm)
    own = Moments(0.0, 0.0, 0) if empty else moments(arm, figures.metric.metric_type)
    return {
        **told,
        "sum_squares": arm.sum if arm.sum_squares is None else arm.sum_squares,
        "mean": own.mean,
        "variance": own.variance,
        "validation_failures": failures,
    }


def _can_divide(figures: Figures, arm: Arm) -> bool:
    """Return False for the ratio of an arm in which too few were seen to have one yet."""
    ratio = figures.metric.metric_type in {"ratio", "retention"}
    few = arm.number_of_samples < figures.stats_config.minimum_exposures
    return not (ratio and few and not arm.denominator_sum)


def _failures(figures: Figures, arm: Arm, *, is_baseline: bool) -> list[str]:
    config, metric = figures.stats_config, figures.metric.metric_type
    found = []
    if arm.number_of_samples < config.minimum_exposures:
        found.append("not-enough-exposures")
    if metric in {"funnel", "retention"} and arm.sum < config.minimum_conversions:
        found.append("not-enough-metric-data")
    if is_baseline and arm.sum == 0:
        found.append("baseline-mean-is-zero")
    return found


def _result(figures: Figures, arm: Arm, baseline_failures: list[str]) -> dict[str, Any]:
    told = _told(figures, arm, is_baseline=False)
    method = "frequentist" if figures.stats_config.method == "frequentist" else "bayesian"
    told["method"] = method
    names = (
        ("p_value", "confidence_interval", "degrees_of_freedom")
        if method == "frequentist"
        else ("chance_to_win", "credible_interval")
    )
    nothing = dict.fromkeys((*names, "significant", "effect", "effect_variance"))
    if told["validation_failures"] or baseline_failures:
        return {**told, **nothing}
    return {**told, **nothing, **_verdict(figures, arm, method)}


def _verdict(figures: Figures, arm: Arm, method: str) -> dict[str, Any]:
    """Return effect and test of an arm, empty where the method cannot tell."""
    config, metric = figures.stats_config, figures.metric.metric_type
    plain, base = moments(arm, metric), moments(figures.baseline, metric)
    divisor = base.mean
    extra: dict[str, Any] = {}
    if config.cuped.enabled and metric == "mean" and arm.covariate_sum is not None:
        share = theta(figures.baseline, arm)
        plain, base = adjusted(arm, plain, share), adjusted(figures.baseline, base, share)
        extra["cuped"] = {
            "theta": share,
            "adjusted_mean": plain.mean,
            "baseline_adjusted_mean": base.mean,
        }
    kind = _difference(config.frequentist if method == "frequentist" else config.bayesian)
    if kind == "relative" and (divisor <= 0 if method == "bayesian" else divisor == 0):
        return extra
    found = effect(plain, base, kind, divisor)
    extra |= {"effect": found.size, "effect_variance": found.variance}
    if method == "bayesian":
        if metric == "funnel" and not (_both_ways(arm) and _both_ways(figures.baseline)):
            return extra
        prior = config.bayesian.prior
        level = _share(config.bayesian.ci_level, LEVEL)
        believed = None if prior is None else (prior.mean, prior.variance)
        fall = figures.metric.goal == "decrease"
        return extra | bayesian(found, level, believed, fall=fall)
    alpha = _share(config.frequentist.alpha, ALPHA)
    if config.frequentist.sequential_testing_enabled:
        tuning = config.frequentist.sequential_tuning_parameter
        return extra | sequential(found, plain.n + base.n, alpha, tuning)
    if min(plain.n, base.n) < FEWEST_FOR_WELCH:
        return extra
    return extra | welch(found, plain, base, alpha)


def _both_ways(arm: Arm) -> bool:
    """Return whether enough converted and enough did not for a normal approximation."""
    return min(arm.sum, arm.number_of_samples - arm.sum) >= FEWEST_FOR_WELCH


def _difference(config: BayesianConfig | FrequentistConfig) -> Difference:
    return "absolute" if config.difference_type == "absolute" else "relative"


def _share(value: float, fallback: float) -> float:
    return value if 0 < value < 1 else fallback


def sample_ratio(counts: dict[str, int], shares: dict[str, float]) -> dict[str, Any]:
    """Return χ², p and a warning when the variants are not as large as they should be."""
    total = sum(counts.values())
    if total == 0 or len(counts) < 2:
        return {"chi_squared": 0.0, "p_value": 1.0, "warning": False}
    whole = sum(shares.get(key, 1.0) for key in counts)
    expected = {key: total * shares.get(key, 1.0) / whole for key in counts}
    chi2 = sum((counts[key] - wanted) ** 2 / wanted for key, wanted in expected.items())
    p = _chi_squared_tail(chi2, len(counts) - 1)
    return {"chi_squared": chi2, "p_value": p, "warning": p < 0.001}


def _chi_squared_tail(chi2: float, degrees: int) -> float:
    """Return P(X > chi2), by the recurrence over degrees of freedom two apart."""
    half = chi2 / 2
    if half == 0:
        return 1.0
    tail, a = (erfc(sqrt(half)), 0.5) if degrees % 2 else (exp(-half), 1.0)
    while a < degrees / 2:
        tail += exp(a * log(half) - half - lgamma(a + 1))
        a += 1
    return min(tail, 1.0)


def needed_per_variant(base: Moments, wished: float) -> float | None:
    """Return the people each variant needs to show a relative effect of ``wished``."""
    if base.mean == 0 or wished == 0:
        return None
    return 16 * base.variance / (wished * base.mean) ** 2
