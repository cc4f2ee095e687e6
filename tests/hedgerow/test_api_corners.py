"""Corners of the API: names that hold slashes, and definitions that could not be asked."""

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
