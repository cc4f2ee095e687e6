"""Corners of retention, stickiness and lifecycle: small worlds, answers reckoned by hand."""

from datetime import UTC, datetime

import pytest

from hedgerow.errors import InvalidQuery
from hedgerow.insights.retention import OTHER
from hedgerow.model.projects import Cohort
from tests.hedgerow.asking import Asked, did
from tests.world import a_project

NOW = datetime(2024, 6, 12, 12, tzinfo=UTC)
EVERYBODY = Cohort(
    id=5,
    name="everybody",
    filters={
        "properties": {
            "type": "AND",
            "values": [
                {"type": "person", "key": "gone", "operator": "is_not_set", "value": None}
            ],
        }
    },
)


@pytest.fixture(scope="module")
def world(store):
    """Two people: ``ann`` starts on 3, 4, 5 and 8 June by x, ``bob`` on 3 and 9 by y."""
    events = [
        did("ann", "s", f"2024-06-{day:02}T10:00:00", by="x", url="https://a.example/")
        for day in (3, 4, 5, 8)
    ]
    events += [
        did("bob", "s", f"2024-06-{day:02}T10:00:00", by="y", url="https://a.example")
        for day in (3, 9)
    ]
    return Asked(store, a_project(), events=events, now=NOW, cohorts=[EVERYBODY])


def retention(breakdown=None, dates=("2024-06-03", "2024-06-09"), **more):
    query = {
        "kind": "RetentionQuery",
        "dateRange": {"date_from": dates[0], "date_to": dates[1]},
        "retentionFilter": {
            "totalIntervals": 3,
            "targetEntity": {"id": "s", "type": "events"},
            "returningEntity": {"id": "s", "type": "events"},
            **more,
        },
    }
    return query | ({"breakdownFilter": breakdown} if breakdown else {})


def first_rows(rows):
    """Return the first row of each breakdown value, as numbers."""
    told = {}
    for row in rows:
        counts = [value["count"] for value in row["values"]]
        told.setdefault(row["breakdown_value"], counts)
    return told


@pytest.mark.parametrize(
    ("breakdown", "wanted"),
    [
        pytest.param(
            {"breakdown": "by", "breakdown_limit": 1},
            {"x": [1, 1, 1], OTHER: [1, 0, 0]},
            id="past-the-limit-is-other",
        ),
        pytest.param(
            {
                "breakdown": "by",
                "breakdown_limit": 1,
                "breakdown_hide_other_aggregation": True,
            },
            {"x": [1, 1, 1]},
            id="other-is-hidden",
        ),
        pytest.param(
            {"breakdowns": [{"property": "url", "normalize_url": True}]},
            {"https://a.example": [2, 1, 1]},
            id="addresses-without-their-slash",
        ),
        pytest.param(
            {"breakdown": "url", "breakdown_normalize_url": True},
            {"https://a.example": [2, 1, 1]},
            id="the-same-in-the-single-form",
        ),
        pytest.param(
            {"breakdown": [], "breakdown_type": "cohort"},
            {None: [2, 1, 1]},
            id="no-cohort-is-no-breakdown",
        ),
        pytest.param(
            {"breakdown": ["all", 5], "breakdown_type": "cohort"},
            {"0": [2, 1, 1], "5": [2, 1, 1]},
            id="cohorts-in-the-order-given",
        ),
    ],
)
def test_retention_is_broken_down(world, breakdown, wanted):
    rows = world.results(retention(breakdown))

    assert first_rows(rows) == wanted
    assert list(first_rows(rows)) == list(wanted)


@pytest.mark.parametrize(
    ("breakdown", "attr"),
    [
        pytest.param(
            {"breakdowns": [{"property": "5", "type": "cohort"}]},
            "breakdownFilter.breakdowns[0].type",
            id="a-cohort-in-the-list",
        ),
        pytest.param(
            {"breakdowns": [{"property": "by"}, {"property": "url"}]},
            "breakdownFilter.breakdowns",
            id="two",
        ),
        pytest.param(
            {"breakdown": "by", "breakdown_histogram_bin_count": 2},
            "breakdownFilter.breakdown_histogram_bin_count",
            id="bins",
        ),
    ],
)
def test_a_breakdown_that_retention_cannot_do_is_refused_by_name(world, breakdown, attr):
    with pytest.raises(InvalidQuery) as refused:
        world.results(retention(breakdown))

    assert refused.value.attr == attr


@pytest.mark.parametrize(
    ("breakdown", "value", "people"),
    [
        pytest.param({"breakdown": "by", "breakdown_limit": 1}, OTHER, ["bob"], id="other"),
        pytest.param({"breakdown": "by", "breakdown_limit": 1}, "x", ["ann"], id="named"),
        pytest.param(
            {"breakdown": ["all"], "breakdown_type": "cohort"},
            "0",
            ["ann", "bob"],
            id="all",
        ),
    ],
)
def test_the_people_of_a_value_are_those_of_its_row(world, breakdown, value, people):
    query = retention(breakdown)

    assert world.actors(query, interval=0, breakdown=[value]) == people


def test_the_period_still_running_is_left_out_when_asked(world):
    query = retention()
    query["dateRange"] = {"date_from": "2024-06-03", "excludeIncompletePeriods": True}

    rows = world.results(query)

    assert rows[-1]["date"] == "2024-06-11T00:00:00Z"
    assert len(rows) == 9


def test_columns_of_people_are_named_by_their_period(world):
    source = {
        "kind": "InsightActorsQuery",
        "source": retention(period="Week"),
        "interval": 0,
    }
    query = {
        "kind": "ActorsQuery",
        "source": source,
        "select": ["week_0", "week_1", "day_1"],
    }

    assert world.results(query) == [[1, 1, 1], [1, 0, 0]]


@pytest.mark.parametrize(
    ("interval", "to", "new", "dormant"),
    [
        pytest.param("week", "2024-06-03", [2], [0], id="the-week-goes-on-after-its-end"),
        pytest.param("month", "2024-06-01", [2], [0], id="and-the-month"),
        pytest.param("hour", "2024-06-03 10:00:00", [2], [0], id="and-the-hour"),
    ],
)
def test_lifecycle_looks_at_the_whole_of_the_last_period(world, interval, to, new, dormant):
    begin = "2024-06-03 10:00:00" if interval == "hour" else to
    query = {
        "kind": "LifecycleQuery",
        "series": [{"kind": "EventsNode", "event": "s"}],
        "interval": interval,
        "dateRange": {"date_from": begin, "date_to": to},
    }
    told = {row["status"]: row["data"] for row in world.results(query)}

    assert told["new"] == new
    assert told["dormant"] == dormant


def test_values_of_an_expression_are_not_listed_as_people(world):
    node = {"kind": "EventsNode", "event": "s", "math": "hogql"}
    query = {
        "kind": "StickinessQuery",
        "series": [{**node, "math_hogql": "properties.by"}],
        "dateRange": {"date_from": "2024-06-03", "date_to": "2024-06-09"},
    }

    with pytest.raises(InvalidQuery) as refused:
        world.actors(query, day=2)

    assert refused.value.attr == "source.series[0].math"


@pytest.mark.parametrize("kind", ["TrendsQuery", "StickinessQuery"])
@pytest.mark.parametrize("text", ["bad(", "nofunc(1)", "x.y.z", ""])
def test_an_expression_that_is_refused_is_named_by_its_place(world, kind, text):
    node = {"kind": "EventsNode", "event": "s"}
    series = [node, {**node, "math": "hogql", "math_hogql": text}]

    with pytest.raises(InvalidQuery) as refused:
        world.results({"kind": kind, "series": series})

    assert refused.value.attr == "series[1].math_hogql"


@pytest.mark.parametrize("kind", ["LifecycleQuery", "StickinessQuery"])
@pytest.mark.parametrize("interval", ["hour", "day", "week", "month"])
@pytest.mark.parametrize(
    "dates",
    [
        pytest.param(("2024-07-20", "2024-06-03", False), id="ends-before-it-begins"),
        pytest.param(("2024-06-12", "2024-06-12", True), id="no-period-is-complete"),
    ],
)
def test_a_range_without_a_period_has_nobody(world, kind, interval, dates):
    begin, end, complete = dates
    query = {
        "kind": kind,
        "series": [{"kind": "EventsNode", "event": "s"}],
        "interval": interval,
        "dateRange": {
            "date_from": begin,
            "date_to": end,
            "excludeIncompletePeriods": complete,
        },
    }

    assert [row["count"] for row in world.results(query)] in ([0], [0, 0, 0, 0])


@pytest.mark.parametrize(
    ("kind", "wanted"), [("sum", (3, 3, 0)), ("avg", (1.5, 3, 0))], ids=["sum", "avg"]
)
def test_values_of_the_starts_own_period_count_after_it(store, kind, wanted):
    events = [
        did("ann", "s", "2024-06-10T23:00:00"),
        did("ann", "r", "2024-06-11T22:00:00", n=3),
        did("bob", "r", "2024-06-10T10:00:00", n=100),
        did("bob", "s", "2024-06-10T10:59:00"),
        did("bob", "r", "2024-06-10T11:01:00", n=3),
    ]
    asked = Asked(store, a_project(), events=events, now=NOW)
    query = retention(
        dates=("2024-06-10", "2024-06-11"),
        returningEntity={"id": "r", "type": "events"},
        aggregationType=kind,
        aggregationProperty="n",
    )

    first = asked.results(query)[0]["values"]

    assert tuple(value["aggregation_value"] for value in first) == wanted
    assert [value["count"] for value in first] == [2, 1, 0]


def test_the_clock_of_a_person_counts_hours_crossed(store):
    events = [
        did("ann", "s", "2024-06-10T23:00:00"),
        did("ann", "r", "2024-06-11T22:30:00"),
        did("bob", "s", "2024-06-10T23:59:00"),
        did("bob", "r", "2024-06-11T23:01:00"),
        did("cat", "s", "2024-06-11T00:00:00"),
        did("cat", "r", "2024-06-12T00:00:00"),
    ]
    asked = Asked(store, a_project(), events=events, now=NOW)
    query = retention(
        dates=("2024-06-10", "2024-06-12"),
        returningEntity={"id": "r", "type": "events"},
        timeWindowMode="24_hour_windows",
    )

    counts = [[v["count"] for v in row["values"]] for row in asked.results(query)]

    assert counts == [[2, 1, 0], [1, 1, 0], [0, 0, 0]]


def test_columns_that_are_the_same_for_all_need_no_order(world):
    query = {"kind": "ActorsQuery", "select": ["matched_recordings", "person.$delete"]}

    assert world.results(query) == [[[], None], [[], None]]
