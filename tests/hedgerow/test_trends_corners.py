"""Trends where two rules meet: sentences of the design, each with a case worked out by hand."""

import pytest

from hedgerow.errors import InvalidQuery
from hedgerow.model.projects import Cohort
from tests.hedgerow.asking import Asked, did, numbers
from tests.world import a_project

NONE = "$$_posthog_breakdown_null_$$"
SINCE = {"date_from": "2026-03-09", "date_to": "2026-03-12"}
TABLE = {"display": "ActionsTable"}


def _having(name: str) -> dict:
    leaf = {"key": name, "type": "person", "value": ["y"], "operator": "exact"}
    return {"properties": {"type": "AND", "values": [leaf]}}


@pytest.fixture(scope="module")
def club(store):
    """Ann is in both cohorts, Bob in the first, Cat in none."""
    persons = [
        {"distinct_ids": ["ann"], "properties": {"vip": "y", "old": "y"}},
        {"distinct_ids": ["bob"], "properties": {"vip": "y"}},
    ]
    events = [
        did("ann", "opened", "2026-03-10T10:00:00Z", url="", size=25.0),
        did("bob", "opened", "2026-03-11T10:00:00Z", url="/?#", size=25 + 0.6 / 7),
        did("cat", "opened", "2026-03-12T10:00:00Z", size=26.8),
    ]
    project = a_project()
    first = project.id * 1000
    cohorts = [
        Cohort(id=first + 1, name="vips", filters=_having("vip")),
        Cohort(id=first + 2, name="olds", filters=_having("old")),
    ]
    return Asked(store, project, persons=persons, events=events, cohorts=cohorts)


@pytest.mark.parametrize("math", ["first_time_for_user", "first_matching_event_for_user"])
def test_a_first_time_counts_in_every_cohort_of_the_person(club, math):
    by = {"breakdown_type": "cohort", "breakdown": list(club.cohorts)}
    rows = club.trend(event="opened", math=math, dateRange=SINCE, breakdownFilter=by)
    assert [(row["label"], row["data"]) for row in rows] == [
        ("vips", [0, 1, 1, 0]),
        ("olds", [0, 1, 0, 0]),
    ]


@pytest.mark.parametrize("operator", ["in", "not_in", None])
def test_an_empty_list_of_cohorts_is_no_condition(club, operator):
    where = {"type": "cohort", "key": "id", "value": [], "operator": operator}
    rows = club.trend(
        event="opened", dateRange=SINCE, trendsFilter=TABLE, properties=[where]
    )
    assert rows[0]["aggregated_value"] == 3


def test_an_empty_address_is_the_root_and_a_missing_one_is_missing(club):
    by = {"breakdown": "url", "breakdown_normalize_url": True}
    rows = club.trend(
        event="opened", dateRange=SINCE, trendsFilter=TABLE, breakdownFilter=by
    )
    assert numbers(rows) == {"/": 2, NONE: 1}


@pytest.mark.parametrize("display", ["ActionsTable", "BoldNumber"])
def test_actives_of_an_empty_range_are_none(club, display):
    rows = club.trend(
        event="opened",
        math="weekly_active",
        dateRange={"date_from": "2026-03-13", "date_to": "2026-03-12"},
        trendsFilter={"display": display},
    )
    assert rows[0]["aggregated_value"] == 0


@pytest.mark.parametrize("factor", [-0.1, 1.5])
def test_a_sample_is_a_part_of_the_whole(club, factor):
    with pytest.raises(InvalidQuery) as refused:
        club.trend(event="opened", samplingFactor=factor)
    assert refused.value.attr == "samplingFactor"


@pytest.mark.parametrize(
    ("bins", "sizes", "wanted"),
    [
        pytest.param(
            7,
            [25.0, 25.257142857142856, 26.8],
            {
                "[25,25.257142857142856]": 1,
                "[25.257142857142856,25.514285714285716]": 1,
                "[26.542857142857144,26.810000000000002]": 1,
            },
            id="a value at the edge belongs to the bin that begins there",
        ),
        pytest.param(4, [4, 4], {"[4,4.01]": 2}, id="all values equal"),
        pytest.param(
            4,
            [10, 17.5, 40],
            {"[10,17.5]": 1, "[17.5,25]": 1, "[32.5,40.01]": 1},
            id="edges that are exact",
        ),
    ],
)
def test_bins_hold_what_their_names_say(store, bins, sizes, wanted):
    events = [did("ann", "opened", "2026-03-10T10:00:00Z", size=one) for one in sizes]
    asked = Asked(store, a_project(), events=events)
    by = {"breakdown": "size", "breakdown_histogram_bin_count": bins}
    rows = asked.trend(
        event="opened", dateRange=SINCE, trendsFilter=TABLE, breakdownFilter=by
    )
    assert numbers(rows) == wanted


def test_formulas_of_all_time_come_in_the_order_without_a_comparison(store):
    events = [did("a", "opened", "2026-03-10T10:00:00Z", c=c) for c in ("a", "b")]
    asked = Asked(store, a_project(), events=events)
    rows = asked.trend(
        event="opened",
        dateRange={"date_from": "all"},
        breakdownFilter={"breakdown": "c"},
        compareFilter={"compare": True},
        trendsFilter={"formula": "A"},
    )
    assert [row["breakdown_value"] for row in rows] == ["b", "a"]
    assert all("compare" not in row for row in rows)


def test_a_day_whose_last_hour_comes_twice_ends_with_the_second(store):
    # the clock went back from 24:00 to 23:00: 23:30 came at 01:30Z and again at 02:30Z
    events = [
        did("ann", "opened", "2018-02-18T01:30:00Z"),
        did("bob", "opened", "2018-02-18T02:30:00Z"),
        did("cat", "opened", "2018-02-18T03:00:00Z"),
    ]
    asked = Asked(store, a_project(timezone="America/Sao_Paulo"), events=events)
    rows = asked.trend(
        event="opened", dateRange={"date_from": "2018-02-17", "date_to": "2018-02-17"}
    )
    assert (rows[0]["days"], rows[0]["data"]) == (["2018-02-17"], [2])


def test_the_time_of_an_event_reads_as_the_wall_clock_says(store):
    events = [did("ann", "opened", "2026-03-10T03:30:00Z")]
    asked = Asked(store, a_project(timezone="America/New_York"), events=events)
    rows = asked.trend(
        event="opened",
        dateRange=SINCE,
        trendsFilter=TABLE,
        breakdownFilter={"breakdown_type": "event_metadata", "breakdown": "timestamp"},
    )
    assert rows[0]["breakdown_value"] == "2026-03-09 23:30:00"


@pytest.mark.parametrize(("everyone", "people"), [(True, 3), (False, 2)])
def test_who_is_behind_all_values_of_a_breakdown_by_cohort(club, everyone, people):
    first = min(club.cohorts)
    by = {"breakdown_type": "cohort", "breakdown": [first, "all"] if everyone else [first]}
    query = {
        "kind": "TrendsQuery",
        "series": [{"kind": "EventsNode", "event": "opened"}],
        "dateRange": SINCE,
        "breakdownFilter": by,
    }
    source = {"kind": "InsightActorsQuery", "source": query}
    rows = club.results({"kind": "ActorsQuery", "source": source, "select": ["id"]})
    assert len(rows) == people


LONG = "9" * 5000


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize(
    ("fields", "attr"),
    [
        pytest.param({"dateRange": {"date_from": "0001-01-01"}}, "dateRange.date_from", id="the first year"),
        pytest.param({"dateRange": {"date_to": "9999-12-31"}}, "dateRange.date_to", id="the last year"),
        pytest.param({"dateRange": {"date_from": f"-{LONG}d"}}, "dateRange.date_from", id="days without end"),
        pytest.param(
            {"interval": "month", "dateRange": {"date_from": "-1500y"}, "compareFilter": {"compare": True}},
            "compareFilter", id="nothing before it",
        ),
        pytest.param({"compareFilter": {"compare": True, "compare_to": "-9999999d"}}, "compareFilter", id="compared with before all time"),
        pytest.param({"compareFilter": {"compare": True, "compare_to": f"-{LONG}d"}}, "compareFilter", id="compared with days without end"),
        pytest.param({"breakdownFilter": {"breakdown_type": "cohort", "breakdown": [LONG]}}, "breakdownFilter.breakdown", id="a cohort's id without end"),
        pytest.param({"properties": [{"type": "cohort", "key": "id", "value": LONG}]}, "properties[0].value", id="filtered by such a cohort"),
        pytest.param({"properties": [{"key": "p", "operator": "regex", "value": "a{1001}"}]}, "properties[0].value", id="a thousand and one"),
        pytest.param({"properties": [{"key": "p", "operator": "regex", "value": "a++"}]}, "properties[0].value", id="possessive"),
    ],
)  # fmt: skip
def test_what_is_beyond_all_bounds_is_refused_by_name(store, zone, fields, attr):
    asked = Asked(store, a_project(timezone=zone))
    with pytest.raises(InvalidQuery) as refused:
        asked.trend(event="opened", **fields)
    assert refused.value.attr == attr


@pytest.mark.parametrize(
    "value",
    [2**53, str(2**53), LONG, 10**400],
    ids=["number", "text", "text without end", "number without end"],
)
def test_long_integers_are_told_apart_by_their_digits(store, value):
    held = (5, 2**53 + 1, 2**53)
    events = [did("ann", "opened", "2026-03-10T10:00:00Z", number=one) for one in held]
    asked = Asked(store, a_project(), events=events)
    rows = asked.trend(
        event="opened",
        dateRange=SINCE,
        trendsFilter=TABLE,
        properties=[{"key": "number", "value": value}],
    )
    assert rows[0]["aggregated_value"] == (1 if str(value) == str(2**53) else 0)
