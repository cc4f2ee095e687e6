"""The heat map of a calendar: weekdays and hours of the project's clock."""

import pytest

from hedgerow.errors import InvalidQuery
from tests.hedgerow.asking import Asked, did
from tests.world import a_project

NODE = {"kind": "EventsNode", "event": "opened"}
DATES = {"date_from": "2026-03-01", "date_to": "2026-03-14"}
EMPTY = {"data": [], "rowAggregations": [], "columnAggregations": [], "allAggregations": 0}


@pytest.fixture(scope="module")
def desk(store):
    """Two Mondays and a Sunday night in New York, whose clock changes on the 8th of March."""
    events = [
        did("ann", "opened", "2026-03-02T14:10:00Z"),  # Monday 09:10
        did("ann", "opened", "2026-03-02T14:50:00Z"),
        did("ann", "opened", "2026-03-09T13:10:00Z"),  # Monday 09:10, an hour earlier
        did("ann", "opened", "2026-03-09T14:10:00Z"),
        did("bob", "opened", "2026-03-09T03:59:00Z"),  # Sunday 23:59
        did("bob", "closed", "2026-03-09T13:10:00Z"),
        did("bob", "opened", "2026-02-28T13:10:00Z"),
    ]
    return Asked(store, a_project(timezone="America/New_York"), events=events)


def _map(**fields):
    return {"kind": "CalendarHeatmapQuery", "series": [NODE], "dateRange": DATES, **fields}


@pytest.mark.parametrize(
    "query",
    [
        pytest.param(_map(), id="kind of its own"),
        pytest.param(
            _map(kind="TrendsQuery", trendsFilter={"display": "CalendarHeatmap"}),
            id="display of a trend",
        ),
        pytest.param(
            {"kind": "InsightVizNode", "source": _map(calendarHeatmapFilter={})},
            id="wrapped",
        ),
    ],
)
def test_events_fall_on_their_weekday_and_local_hour(desk, query):
    assert desk.results(query) == {
        "data": [
            {"row": 1, "column": 9, "value": 3},
            {"row": 1, "column": 10, "value": 1},
            {"row": 7, "column": 23, "value": 1},
        ],
        "rowAggregations": [{"row": 1, "value": 4}, {"row": 7, "value": 1}],
        "columnAggregations": [
            {"column": 9, "value": 3},
            {"column": 10, "value": 1},
            {"column": 23, "value": 1},
        ],
        "allAggregations": 5,
    }


def test_persons_are_counted_once_in_every_sum(desk):
    told = desk.results(_map(series=[NODE | {"math": "dau"}]))
    assert [one["value"] for one in told["data"]] == [1, 1, 1]
    assert told["rowAggregations"] == [{"row": 1, "value": 1}, {"row": 7, "value": 1}]
    assert told["allAggregations"] == 2


def test_nothing_happened(desk):
    assert desk.results(_map(series=[NODE | {"event": "never"}])) == EMPTY


@pytest.mark.parametrize(
    ("fields", "attr"),
    [
        ({"breakdownFilter": {"breakdown": "x"}}, "breakdownFilter"),
        ({"compareFilter": {"compare": True}}, "compareFilter"),
        ({"trendsFilter": {"formula": "A"}}, "trendsFilter.formula"),
        ({"series": [NODE | {"math": "sum", "math_property": "x"}]}, "series[0].math"),
    ],
)
def test_what_it_cannot_show_is_refused_by_name(desk, fields, attr):
    shown = {"display": "CalendarHeatmap", **fields.pop("trendsFilter", {})}
    with pytest.raises(InvalidQuery) as refused:
        desk.results(_map(kind="TrendsQuery", trendsFilter=shown, **fields))
    assert refused.value.attr == attr


def test_the_sql_it_shows_gives_the_same_cells(desk):
    text = desk.whole(_map())["hogql"]
    rows = desk.results({"kind": "HogQLQuery", "query": text})
    assert [1, 9, 3] in [list(row) for row in rows]
