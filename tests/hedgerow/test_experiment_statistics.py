"""The statistics of experiments: against known answers and an independent library."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from hedgerow.errors import InvalidQuery
from hedgerow.insights.experiments.analysis import analyze, sample_ratio
from hedgerow.insights.experiments.arms import Arm, Moments, moments
from hedgerow.insights.experiments.comparison import effect, sequential
from hedgerow.insights.experiments.student import quantile, two_sided_p

SHARED = Path(__file__).parents[2].parent / "shared" / "contract" / "experiments.json"
CASES = [case for case in json.loads(SHARED.read_text())["cases"] if "statistics" in case]


BASE = {"key": "a", "number_of_samples": 60, "sum": 9, "sum_squares": 30}


def agrees(expected, actual):
    if isinstance(expected, dict):
        return all(agrees(value, actual[key]) for key, value in expected.items())
    if isinstance(expected, list):
        return len(expected) == len(actual) and all(map(agrees, expected, actual))
    if isinstance(expected, float):
        return actual == pytest.approx(expected, rel=1e-7)
    return expected == actual


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_known_answers(case):
    if "error" in case["expect"]:
        with pytest.raises(InvalidQuery):
            analyze(case["statistics"])
    else:
        assert agrees(case["expect"], analyze(case["statistics"]))


@given(st.floats(-40, 40), st.floats(0.6, 1e5))
def test_the_tail_of_t_agrees_with_an_independent_one(t, degrees):
    assert two_sided_p(t, degrees) == pytest.approx(
        2 * stats.t.sf(abs(t), degrees), rel=1e-7, abs=1e-13
    )


@given(st.floats(0.51, 0.9999), st.floats(1, 1e5))
def test_the_quantile_of_t_agrees_with_an_independent_one(p, degrees):
    assert quantile(p, degrees) == pytest.approx(stats.t.ppf(p, degrees), rel=1e-7)


@given(st.lists(st.integers(1, 5000), min_size=2, max_size=6))
def test_the_sample_ratio_check_agrees_with_an_independent_one(counts):
    told = sample_ratio({str(i): n for i, n in enumerate(counts)}, {})

    assert told["p_value"] == pytest.approx(
        stats.chisquare(counts).pvalue, rel=1e-6, abs=1e-14
    )


def test_the_sample_ratio_may_be_uneven_on_purpose():
    counts = {"a": 900, "b": 100}

    assert sample_ratio(counts, {})["warning"]
    assert not sample_ratio(counts, {"a": 0.9, "b": 0.1})["warning"]


@given(
    st.floats(-3, 3),
    st.floats(0.01, 9),
    st.integers(10, 10**6),
    st.integers(10, 10**6),
)
def test_a_sequential_interval_leaves_out_zero_exactly_when_p_is_below_alpha(
    mean, var, n, m
):
    found = effect(Moments(mean, var, n), Moments(0.5, 1.0, m), "absolute", 0.5)
    told = sequential(found, n + m, 0.05, 5000)
    low, high = told["confidence_interval"]

    assert (low > 0 or high < 0) == told["significant"]


@pytest.mark.parametrize(
    ("arm", "field"),
    [
        pytest.param({"sum": 4, "sum_squares": 1}, "sum_squares", id="squares too small"),
        pytest.param({"sum": 4}, "sum_squares", id="a mean without squares"),
    ],
)
def test_impossible_means_are_refused_by_name(arm, field):
    with pytest.raises(InvalidQuery) as refused:
        moments(Arm(key="a", number_of_samples=10, **arm), "mean")

    assert refused.value.attr == field


@pytest.mark.parametrize("converted", [-1, 11])
def test_impossible_shares_are_refused(converted):
    with pytest.raises(InvalidQuery):
        moments(Arm(key="a", number_of_samples=10, sum=converted), "funnel")


def test_a_field_nobody_knows_is_refused_by_name():
    with pytest.raises(InvalidQuery, match="colour"):
        analyze(
            {
                "metric": {"metric_type": "mean"},
                "baseline": BASE,
                "variants": [],
                "colour": 1,
            }
        )


def test_a_failing_baseline_withholds_every_verdict():
    told = analyze(
        {
            "metric": {"metric_type": "funnel"},
            "baseline": {"key": "control", "number_of_samples": 49, "sum": 20},
            "variants": [{"key": "test", "number_of_samples": 900, "sum": 400}],
        }
    )

    assert told["baseline"]["validation_failures"] == ["not-enough-exposures"]
    assert told["variant_results"][0]["significant"] is None
    assert told["variant_results"][0]["chance_to_win"] is None
    assert told["variant_results"][0]["mean"] == pytest.approx(4 / 9)
