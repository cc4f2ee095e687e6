"""Corners of the API: names that hold slashes, orders, and what could not be asked."""

from urllib.parse import quote

import pytest

EVENT = {"event": "docs/page viewed", "distinct_id": "ann", "properties": {"a/b": "1"}}


@pytest.mark.parametrize("end", ["", "/"], ids=["without-slash", "with-slash"])
def test_names_with_slashes_are_reached_too(api, end):
    api.capture(EVENT)

    for part in ("docs/page viewed", "docs%2Fpage%20viewed"):
        said = api.patch(f"/event_definitions/{part}{end}", {"verified": True})
        assert (said["name"], said["verified"]) == ("docs/page viewed", True)
    said = api.patch(f"/property_definitions/a/b{end}", {"property_type": "Numeric"})
    assert said["name"] == "a/b"


@pytest.mark.parametrize(
    ("changed", "attr"),
    [
        pytest.param({"start_date": "nope"}, "start_date", id="no-date"),
        pytest.param({"end_date": "2019-01-01"}, "end_date", id="ends-before"),
        pytest.param(
            {"metrics": [{"metric_type": "mean"}]}, "metrics[0].source", id="half"
        ),
    ],
)
def test_an_experiment_that_cannot_be_asked_is_not_saved(api, changed, attr):
    body = {"name": "B", "variants": ["control", "test"], "start_date": "2026-01-01"}

    assert api.refused("POST", "/experiments", body | changed)["attr"] == attr


@pytest.mark.parametrize(
    ("order", "first"),
    [
        ("timestamp", "old"), ("-timestamp", "new"),
        ('["timestamp"]', "old"), ('["-timestamp"]', "new"),
    ],
)  # fmt: skip
def test_events_come_in_the_order_that_is_wished(api, order, first):
    api.capture(
        {"event": "new", "distinct_id": "a", "timestamp": "2026-01-02T00:00:00Z"},
        {"event": "old", "distinct_id": "a", "timestamp": "2026-01-01T00:00:00Z"},
    )

    found = api.get(f"/events?orderBy={quote(order)}&limit=1&after=all")

    assert found["results"][0]["event"] == first


@pytest.mark.parametrize(
    ("body", "named"),
    [
        pytest.param({}, "metric", id="nothing"),
        pytest.param({"metric": {"metric_type": "x"}}, "metric.metric_type", id="no such kind"),
        pytest.param({"colour": 1}, "colour", id="an unknown field"),
    ],
)  # fmt: skip
def test_figures_to_be_judged_are_refused_by_their_field(api, body, named):
    assert api.refused("POST", "/experiments/analyze", body)["attr"] == named
