"""Corners of experiments: sums reckoned by hand from a handful of people, and refusals."""

from datetime import UTC, datetime

import pytest

from hedgerow.errors import InvalidQuery
from hedgerow.insights.experiments.analysis import analyze
from tests.hedgerow.asking import Asked, did
from tests.world import a_project

NOW = datetime(2024, 2, 1, tzinfo=UTC)


def seen(who, at, variant):
    return did(who, "seen", f"2024-01-{at}", experiment_variant=variant)


def bought(who, at, price, **more):
    return did(who, "buy", f"2024-01-{at}", price=price, **more)


@pytest.fixture(scope="module")
def world(store):
    """Two of each variant, and ``both``, who saw one after the other."""
    events = [
        seen("c1", "01T10:00:00", "control"),
        bought("c1", "01T11:00:00", 10),
        bought("c1", "02T10:00:00", 20),
        seen("c2", "03T10:00:00", "control"),
        bought("t1", "01T11:59:00", 100),
        seen("t1", "01T12:00:00", "test"),
        bought("t1", "01T12:00:01", 1),
        bought("t2", "05T00:00:00", 5, experiment_variant="test"),
        seen("both", "01T08:00:00", "control"),
        seen("both", "01T09:00:00", "test"),
        bought("both", "02T10:00:00", 1000),
        seen("nobody", "01T10:00:00", "other"),
    ]
    return Asked(store, a_project(), events=events, now=NOW)


def question(metric, **more):
    experiment = {
        "variants": ["control", "test"],
        "start_date": "2024-01-01",
        "end_date": "2024-01-31T00:00:00Z",
    }
    return {"kind": "ExperimentQuery", "experiment": experiment | more, "metric": metric}


def node(event="buy", **more):
    return {"kind": "EventsNode", "event": event, **more}


PRICE = node(math="sum", math_property="price")


def mean(source=PRICE, **more):
    return {"kind": "ExperimentMetric", "metric_type": "mean", "source": source, **more}


def sums(told):
    """Return (n, sum, sum of squares) of both arms."""
    arms = (told["baseline"], *told["variant_results"])
    return [(arm["number_of_samples"], arm["sum"], arm["sum_squares"]) for arm in arms]


@pytest.mark.parametrize(
    ("metric", "more", "wanted"),
    [
        pytest.param(mean(), {}, [(2, 30, 900), (2, 6, 26)], id="from-first-exposure-on"),
        pytest.param(
            mean(),
            {"multiple_variant_handling": "first_seen"},
            [(3, 1030, 1_000_900), (2, 6, 26)],
            id="the-first-variant-seen",
        ),
        pytest.param(
            mean(node("seen")), {}, [(2, 2, 2), (2, 1, 1)], id="the-exposure-counts"
        ),
        pytest.param(
            mean(node(math="max", math_property="price")),
            {},
            [(2, 20, 400), (2, 6, 26)],
            id="the-largest",
        ),
        pytest.param(
            mean(node(math="hogql", math_hogql="avg(properties.price)")),
            {},
            [(2, 15, 225), (2, 6, 26)],
            id="an-expression",
        ),
        pytest.param(
            mean(conversion_window=1, conversion_window_unit="hour"),
            {},
            [(2, 0, 0), (2, 6, 26)],
            id="a-window-without-its-end",
        ),
        pytest.param(
            mean(), {"end_date": "2024-01-02"}, [(1, 30, 900), (1, 1, 1)], id="a-last-day"
        ),
        pytest.param(
            mean(lower_bound_percentile=0.6),
            {},
            [(2, 35, 925), (2, 10, 50)],
            id="the-left-out-set-no-bounds",
        ),
        pytest.param(
            mean(upper_bound_percentile=0, ignore_zeros=True),
            {},
            [(2, 1, 1), (2, 2, 2)],
            id="zeros-set-no-upper-bound",
        ),
        pytest.param(
            mean(threshold=5), {}, [(2, 1, 1), (2, 1, 1)], id="at-least-a-threshold"
        ),
        pytest.param(
            mean(threshold=5, upper_bound_percentile=0.25),
            {},
            [(2, 0, 0), (2, 0, 0)],
            id="the-threshold-first-then-the-bounds",
        ),
        pytest.param(
            {
                "metric_type": "ratio",
                "numerator": PRICE,
                "denominator": node(),
                "goal": None,
            },
            {},
            [(2, 30, 900), (2, 6, 26)],
            id="a-ratio",
        ),
        pytest.param(
            {
                "metric_type": "retention",
                "start_event": node("seen"),
                "completion_event": node(),
                "retention_window_start": 0,
                "retention_window_end": 1,
                "retention_window_unit": "day",
                "start_handling": "first_seen",
            },
            {},
            [(2, 1, 1), (1, 1, 1)],
            id="only-those-who-started",
        ),
    ],
)
def test_the_sums_are_those_of_each_variant(world, metric, more, wanted):
    assert sums(world.whole(question(metric, **more))) == wanted


@pytest.mark.parametrize(
    ("metric", "wanted"),
    [
        pytest.param(mean(), {"control": 2, "test": 2, "$multiple": 1}, id="mean"),
        pytest.param(
            {
                "metric_type": "retention",
                "start_event": node("seen"),
                "completion_event": node(),
            },
            {"control": 2, "test": 2, "$multiple": 1},
            id="retention",
        ),
    ],
)
def test_exposures_are_all_who_saw_it(world, metric, wanted):
    assert world.whole(question(metric))["exposures"] == wanted


def test_no_event_is_two_steps_of_a_funnel(world):
    told = world.whole(question({"metric_type": "funnel", "series": [node(None), node()]}))

    assert told["baseline"]["step_counts"] == [2, 1]
    assert told["variant_results"][0]["step_counts"] == [2, 1]


@pytest.mark.parametrize(
    ("metric", "attr"),
    [
        pytest.param(
            mean(node(math="sum", math_property="$session_duration")),
            "metric.source.math_property",
            id="the-length-of-sessions",
        ),
        pytest.param(
            mean(
                node(
                    math="avg",
                    math_property="price",
                    math_property_type="session_properties",
                )
            ),
            "metric.source.math_property",
            id="a-number-of-sessions",
        ),
        pytest.param(mean(node(math="dau")), "metric.source.math", id="people"),
        pytest.param(
            mean(node(math="hogql")), "metric.source.math_hogql", id="no-expression"
        ),
        pytest.param(
            mean(node(math="hogql", math_hogql="avg(")),
            "metric.source.math_hogql",
            id="half-an-expression",
        ),
        pytest.param(
            {"metric_type": "ratio", "numerator": PRICE, "denominator": node(math="sum")},
            "metric.denominator.math_property",
            id="half-a-denominator",
        ),
        pytest.param(
            {"metric_type": "funnel", "series": [node()], "threshold": 1},
            "metric.threshold",
            id="a-threshold-for-a-funnel",
        ),
    ],
)
def test_what_cannot_be_measured_is_refused_by_name(world, metric, attr):
    with pytest.raises(InvalidQuery) as refused:
        world.whole(question(metric))

    assert refused.value.attr == attr


ARM = {"key": "a", "number_of_samples": 100, "sum": 20, "sum_squares": 80}
RATIO = {
    "denominator_sum": 0,
    "denominator_sum_squares": 0,
    "numerator_denominator_sum_product": 0,
}


@pytest.mark.parametrize(
    ("changed", "config"),
    [
        pytest.param({"number_of_samples": 0, "sum": 0, "sum_squares": 0}, {}, id="nobody"),
        pytest.param({"sum_squares": 1}, {}, id="squares-too-small"),
        pytest.param(RATIO | {"number_of_samples": 3}, {}, id="nothing-to-divide-by"),
        pytest.param(
            {}, {"bayesian": {"prior": {"mean": 0, "variance": 0}}}, id="a-sure-prior"
        ),
        pytest.param(
            {}, {"frequentist": {"sequential_tuning_parameter": 0}}, id="no-tuning"
        ),
    ],
)
def test_figures_of_nobody_are_refused(changed, config):
    kind = "ratio" if "denominator_sum" in changed else "mean"
    body = {
        "metric": {"metric_type": kind},
        "baseline": ARM | {"key": "control"} | (RATIO if kind == "ratio" else {}),
        "variants": [ARM | changed],
        "stats_config": config,
    }

    with pytest.raises(InvalidQuery):
        analyze(body)


def test_a_level_of_almost_one_has_a_finite_interval():
    body = {
        "metric": {"metric_type": "mean", "goal": None, "kind": "ExperimentMetric"},
        "baseline": ARM | {"key": "control"},
        "variants": [ARM | {"sum": 30, "sum_squares": 90}],
        "stats_config": {"bayesian": {"ci_level": 0.9999999999999999, "prior": None}},
    }

    low, high = analyze(body)["variant_results"][0]["credible_interval"]

    assert -20 < low < 0.5 < high < 20
