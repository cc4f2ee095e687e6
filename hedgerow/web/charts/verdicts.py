"""An experiment's answer → arms, intervals, and a sentence of what may be concluded.

The sentence never says more than the figures do: without enough exposures, or with an
unbalanced split, it says that first; a difference that may be chance is called that.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from hedgerow.insights.experiments.query import WISHED_EFFECT
from hedgerow.web.charts import words

Arm = Mapping[str, Any]
FAILURES = {
    "not-enough-exposures": "fewer than the exposures it takes",
    "not-enough-metric-data": "too few conversions",
    "baseline-mean-is-zero": "nothing to compare with: the baseline is zero",
}
RATES = frozenset({"funnel", "retention"})


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One variant as a row of the result."""

    key: str
    samples: str
    total: str
    mean: str
    effect: str
    interval: str
    chance: str
    verdict: str
    state: str
    """good, bad, or empty: undecided."""

    low: float = 0
    """Ends of the interval on a scale from 0 to 100, where 50 is no difference."""

    high: float = 0
    point: float = 50
    shown: bool = False


def rows(results: Mapping[str, Any], metric: Mapping[str, Any]) -> list[Row]:
    """Return the baseline and each variant compared with it."""
    rate = metric.get("metric_type") in RATES
    variants: Sequence[Arm] = results.get("variant_results") or []
    ends = [abs(end) for arm in variants for end in _interval(arm) or ()]
    reach = max([*ends, 0.01]) * 1.1
    found = [_baseline(results["baseline"], rate=rate)]
    wants_less = metric.get("goal") == "decrease"
    return found + [
        _variant(arm, reach, rate=rate, wants_less=wants_less) for arm in variants
    ]


def _mean(arm: Arm, *, rate: bool) -> str:
    samples = arm.get("number_of_samples") or 0
    mean = arm.get("mean")
    if mean is None and samples:
        mean = (arm.get("sum") or 0) / samples
    return words.percent(mean) if rate else words.exact(mean)


def _baseline(arm: Arm, *, rate: bool) -> Row:
    return Row(
        key=str(arm["key"]),
        samples=words.exact(arm.get("number_of_samples")),
        total=words.exact(arm.get("sum")),
        mean=_mean(arm, rate=rate),
        effect="baseline",
        interval="",
        chance="",
        verdict=_failure(arm),
        state="",
    )


def _interval(arm: Arm) -> Sequence[float] | None:
    return arm.get("credible_interval") or arm.get("confidence_interval")


def _failure(arm: Arm) -> str:
    found = [FAILURES.get(one, one) for one in arm.get("validation_failures") or []]
    return "No verdict: " + "; ".join(found) if found else ""


def _variant(arm: Arm, reach: float, *, rate: bool, wants_less: bool) -> Row:
    ends, effect = _interval(arm), arm.get("effect")
    chance = arm.get("chance_to_win")
    won = effect is not None and ((effect < 0) is wants_less)
    decided = bool(arm.get("significant"))
    verdict = _failure(arm) or (
        "May be chance" if not decided else "Better than the baseline" if won else "Worse"
    )
    return Row(
        key=str(arm["key"]),
        samples=words.exact(arm.get("number_of_samples")),
        total=words.exact(arm.get("sum")),
        mean=_mean(arm, rate=rate),
        effect=_signed(effect),
        interval=f"{_signed(ends[0])} to {_signed(ends[1])}" if ends else words.NONE,
        chance=words.percent(chance) if chance is not None else _p(arm.get("p_value")),
        verdict=verdict,
        state=("good" if won else "bad") if decided else "",
        low=50 + ends[0] / reach * 50 if ends else 0,
        high=50 + ends[1] / reach * 50 if ends else 0,
        point=50 + (effect or 0) / reach * 50,
        shown=bool(ends),
    )


def _signed(share: float | None) -> str:
    if share is None:
        return words.NONE
    return f"+{words.percent(share)}" if share > 0 else words.percent(share)


def _p(value: float | None) -> str:
    return words.NONE if value is None else f"p = {value:.3f}"


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the variants are as large as they should be, and large enough."""

    warning: bool
    """A split so far from the plan that chance makes one in a thousand such."""

    split: str
    """Each variant's persons beside those expected, and how likely chance makes that."""

    needed: str
    """How many persons a small difference takes; empty where that cannot be said."""


def balance(results: Mapping[str, Any], definition: Mapping[str, Any]) -> Balance | None:
    """Return the checks of the sample; None: nobody has seen the experiment."""
    arms = [results["baseline"], *(results.get("variant_results") or [])]
    counts = {str(arm["key"]): arm.get("number_of_samples") or 0 for arm in arms}
    total, check = sum(counts.values()), results.get("sample_ratio")
    if not total or check is None or len(counts) < 2:
        return None
    planned = _planned(definition)
    whole = sum(planned.get(key, 1.0) for key in counts)
    parts = [
        f"{key} {words.exact(count)} of "
        f"{words.exact(round(total * planned.get(key, 1.0) / whole))}"
        for key, count in counts.items()
    ]
    p = check["p_value"]
    said = "p < 0.001" if p < 0.001 else _p(p)
    split = (
        f"Persons of those expected: {', '.join(parts)} "
        f"(χ² = {check['chi_squared']:.2f}, {said})."
    )
    wished = results.get("needed_per_variant")
    needed = (
        f"To see a difference of {words.percent(WISHED_EFFECT)}, each variant takes some "
        f"{words.exact(math.ceil(wished))} persons; the smallest has "
        f"{words.exact(min(counts.values()))}."
        if wished
        else ""
    )
    return Balance(warning=bool(check["warning"]), split=split, needed=needed)


def _planned(definition: Mapping[str, Any]) -> dict[str, float]:
    """Return how large each variant should be, in any unit; without a plan all alike."""
    if definition.get("shares"):
        return dict(definition["shares"])
    return {
        str(one["key"]): float(one["rollout_percentage"])
        for one in definition.get("variants") or []
        if isinstance(one, Mapping) and one.get("rollout_percentage") is not None
    }


def conclusion(
    found: Sequence[Row], metric_name: str, sample: Balance | None = None
) -> str:
    """Return what may be concluded, in a sentence."""
    if sample is not None and sample.warning:
        return (
            "The variants are not as large as planned, so nothing can be concluded: find out "
            "first who is missing. Something decides who is counted, and may decide the rest."
        )
    variants = found[1:]
    if not variants or all(row.samples == "0" for row in found):
        return "Nobody has seen the experiment yet, so there is nothing to conclude."
    if found[0].verdict:
        return f"{found[0].verdict} (baseline {found[0].key}). Wait for more."
    decided = [row for row in variants if row.state]
    if not decided:
        return (
            f"No variant differs from {found[0].key} in {metric_name} by more than chance may. "
            "That is not the same as no difference: wait, or accept that it is small."
        )
    told = [
        f"{row.key} is {'better' if row.state == 'good' else 'worse'} than {found[0].key} "
        f"in {metric_name}: {row.effect}, likely between {row.interval}"
        for row in decided
    ]
    return "; ".join(told) + "."
