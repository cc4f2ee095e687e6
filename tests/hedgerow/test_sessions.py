"""Sessions in trends and filters: added up from their events, each counted once."""

import pytest

from hedgerow.errors import InvalidQuery
from tests.hedgerow.asking import Asked, did, numbers
from tests.world import a_project

NONE = "$$_posthog_breakdown_null_$$"
DATES = {"date_from": "2026-03-09", "date_to": "2026-03-12"}
TABLE = {"display": "ActionsTable"}
DURATION = {"math_property": "$session_duration"}


def _at(event, at, session, **properties):
    return did("ann", event, at, **{"$session_id": session, **properties})


@pytest.fixture(scope="module")
def visits(store):
    """Session s lasts an hour over midnight, t ten minutes, and one event has no session."""
    events = [
        _at("$pageview", "2026-03-09T23:30:00Z", "s", **{"$current_url": "/in"}),
        _at("opened", "2026-03-09T23:40:00Z", "s", color="red"),
        _at("opened", "2026-03-09T23:50:00Z", "s", color="red"),
        _at("opened", "2026-03-10T00:10:00Z", "s", color="blue"),
        _at("$pageview", "2026-03-10T00:30:00Z", "s", **{"$current_url": "/out"}),
        _at("opened", "2026-03-10T12:00:00Z", "t", color="red"),
        _at("closed", "2026-03-10T12:10:00Z", "t"),
        did("bob", "opened", "2026-03-11T12:00:00Z", color="red"),
    ]
    return Asked(store, a_project(), events=events)


@pytest.mark.parametrize(
    ("math", "data"),
    [
        pytest.param("sum", [3600, 4200, 0, 0], id="a session counts on each of its days"),
        pytest.param("avg", [3600, 2100, 0, 0], id="once a day, however many events"),
        pytest.param("min", [3600, 600, 0, 0], id="min"),
        pytest.param("max", [3600, 3600, 0, 0], id="max"),
        pytest.param("median", [3600, 2100, 0, 0], id="median"),
        pytest.param("p90", [3600, 3300, 0, 0], id="p90"),
    ],
)
def test_the_whole_length_of_a_session_is_taken(visits, math, data):
    (row,) = visits.trend(event="opened", math=math, dateRange=DATES, **DURATION)
    assert row["data"] == data


def test_over_the_whole_range_each_session_counts_once(visits):
    (row,) = visits.trend(
        event="opened", math="sum", dateRange=DATES, trendsFilter=TABLE, **DURATION
    )
    assert row["aggregated_value"] == 4200


def test_a_session_counts_under_each_value_it_has(visits):
    rows = visits.trend(
        event="opened",
        math="avg",
        dateRange=DATES,
        trendsFilter=TABLE,
        breakdownFilter={"breakdown": "color"},
        **DURATION,
    )
    assert numbers(rows) == {"blue": 3600, "red": 2100}


@pytest.mark.parametrize(
    ("where", "count"),
    [
        ({"key": "$session_duration", "operator": "gt", "value": 600}, 3),
        ({"key": "$session_duration", "operator": "exact", "value": "600"}, 1),
        ({"key": "$session_duration", "operator": "is_not", "value": 600}, 4),
        ({"key": "$session_duration", "operator": "is_not_set"}, 1),
        ({"key": "$session_duration", "operator": "between", "value": [1, 599]}, 0),
        ({"key": "$pageview_count", "operator": "exact", "value": 2}, 3),
        ({"key": "$pageview_count", "operator": "exact", "value": 0}, 1),
        ({"key": "$entry_current_url", "operator": "icontains", "value": "IN"}, 3),
        ({"key": "$end_current_url", "operator": "exact", "value": "/out"}, 3),
        (
            {
                "key": "$start_timestamp",
                "operator": "is_date_before",
                "value": "2026-03-10",
            },
            3,
        ),
    ],
)
def test_events_are_filtered_by_their_session(visits, where, count):
    (row,) = visits.trend(
        event="opened",
        dateRange=DATES,
        trendsFilter=TABLE,
        properties=[{"type": "session", **where}],
    )
    assert row["aggregated_value"] == count


def test_figures_are_broken_down_by_the_session(visits):
    by = {"breakdown": "$session_duration", "breakdown_type": "session"}
    rows = visits.trend(
        event="opened", dateRange=DATES, trendsFilter=TABLE, breakdownFilter=by
    )
    assert numbers(rows) == {"3600": 3, "600": 1, NONE: 1}


def test_a_funnel_filters_by_the_session(visits):
    steps = [{"kind": "EventsNode", "event": name} for name in ("$pageview", "opened")]
    where = {"type": "session", "key": "$session_duration", "operator": "gt", "value": 9}
    rows = visits.results(
        {
            "kind": "FunnelsQuery",
            "series": steps,
            "dateRange": DATES,
            "properties": [where],
        }
    )
    assert [row["count"] for row in rows] == [1, 1]


@pytest.mark.parametrize(
    ("fields", "attr"),
    [
        pytest.param(
            {"properties": [{"type": "session", "key": "$mood", "value": 1}]},
            "properties[0].key",
            id="filter",
        ),
        pytest.param(
            {"breakdownFilter": {"breakdown_type": "session", "breakdown": "$mood"}},
            "breakdownFilter.breakdown",
            id="breakdown",
        ),
        pytest.param(
            {"breakdownFilter": {"breakdowns": [{"type": "session", "property": "x"}]}},
            "breakdownFilter.breakdowns[0].property",
            id="list of breakdowns",
        ),
        pytest.param(
            {
                "math": "sum",
                "math_property": "$entry_pathname",
                "math_property_type": "session_properties",
            },
            "series[0].math_property",
            id="math over a text",
        ),
    ],
)
def test_what_sessions_have_not_is_refused_by_name(visits, fields, attr):
    with pytest.raises(InvalidQuery) as refused:
        visits.trend(event="opened", **fields)
    assert refused.value.attr == attr
