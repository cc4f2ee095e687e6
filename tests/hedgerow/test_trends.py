"""Trends: what the contract's cases do not show, and laws that hold for all of them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hedgerow.errors import InvalidQuery
from hedgerow.model.projects import Cohort
from tests.hedgerow.asking import Asked, did, numbers
from tests.world import a_project

NONE, OTHER = "$$_posthog_breakdown_null_$$", "$$_posthog_breakdown_other_$$"
NODE = {"kind": "EventsNode", "event": "opened"}


def span(begin, end=None):
    return {"date_from": begin, "date_to": end}


@pytest.fixture(scope="module")
def shop(store):
    """Ten days of a small shop."""
    persons = [{"distinct_ids": ["ann", "ann@work"], "properties": {}}]
    events = [
        did("ann", "opened", "2026-03-01T10:00:00Z", price=10, page="/a/", session="s1"),
        did("ann@work", "opened", "2026-03-01T11:00:00Z", price="20.5", page="/a"),
        did(
            "bob",
            "opened",
            "2026-03-02T10:00:00Z",
            price=30,
            page="/b?",
            groups={"company": "x"},
        ),
        did(
            "bob",
            "opened",
            "2026-03-04T23:30:00Z",
            price="many",
            page="",
            groups={"company": "y"},
        ),
        did("cat", "opened", "2026-03-05T10:00:00Z", page="/", groups={"company": "x"}),
        did("cat", "closed", "2026-03-05T11:00:00Z", price=5),
    ]
    return Asked(
        store, a_project(), persons=persons, events=events, group_types=["company"]
    )


WEEK = span("2026-03-01", "2026-03-05")


@pytest.mark.parametrize(
    ("math", "data"),
    [
        pytest.param({"math": "total"}, [2, 1, 0, 1, 1], id="events"),
        pytest.param({"math": None}, [2, 1, 0, 1, 1], id="no math is events"),
        pytest.param({"math": "dau"}, [1, 1, 0, 1, 1], id="persons, merged ones once"),
        pytest.param({"math": "unique_session"}, [1, 1, 0, 1, 1], id="events without session are one"),
        pytest.param({"math": "unique_group", "math_group_type_index": 0}, [0, 1, 0, 1, 1], id="groups"),
        pytest.param({"math": "dau", "math_group_type_index": 0}, [0, 1, 0, 1, 1], id="dau of groups"),
        pytest.param({"math": "sum", "math_property": "price"}, [30.5, 30, 0, 0, 0], id="sum skips what is no number"),
        pytest.param({"math": "avg", "math_property": "price"}, [15.25, 30, 0, 0, 0], id="avg"),
        pytest.param({"math": "median", "math_property": "price"}, [15.25, 30, 0, 0, 0], id="median interpolates"),
        pytest.param({"math": "p90", "math_property": "price"}, [19.45, 30, 0, 0, 0], id="p90 interpolates"),
        pytest.param({"math": "avg_count_per_actor"}, [2, 1, 0, 1, 1], id="events per person"),
        pytest.param({"math": "hogql", "math_hogql": "count() * 10 + 1"}, [21, 11, 0, 11, 11], id="an expression is 0 where nothing is"),
        pytest.param({"math": "weekly_active"}, [1, 2, 2, 2, 3], id="weekly active"),
        pytest.param({"math": "first_time_for_user"}, [1, 1, 0, 0, 1], id="first time"),
    ],
)  # fmt: skip
def test_math_by_day(shop, math, data):
    rows = shop.trend(series=[NODE | math], dateRange=WEEK)

    assert rows[0]["data"] == data
    assert rows[0]["count"] == pytest.approx(sum(data))


@pytest.mark.parametrize(
    ("math", "value"),
    [
        pytest.param({"math": "dau"}, 3, id="unique over the range"),
        pytest.param(
            {"math": "median", "math_property": "price"},
            20.5,
            id="the median of all events",
        ),
        pytest.param(
            {"math": "avg_count_per_actor"}, 5 / 3, id="per person over the range"
        ),
        pytest.param(
            {"math": "max_count_per_actor"}, 2, id="the most events of one person"
        ),
        pytest.param({"math": "weekly_active"}, 3, id="the last seven days"),
        pytest.param({"math": "first_time_for_user"}, 3, id="all first times"),
    ],
)
def test_total_values_are_over_the_whole_range(shop, math, value):
    rows = shop.trend(
        series=[NODE | math], dateRange=WEEK, trendsFilter={"display": "ActionsTable"}
    )

    row = rows[0]
    assert row["aggregated_value"] == pytest.approx(value)
    assert (row["data"], row["days"], row["count"], "labels" in row) == ([], [], 0, False)


@pytest.mark.parametrize(
    ("node", "attr"),
    [
        pytest.param({"math": "sum"}, "series[0].math_property", id="sum of nothing"),
        pytest.param({"math": "unique_group"}, "series[0].math_group_type_index", id="groups of no type"),
        pytest.param({"math": "hogql"}, "series[0].math_hogql", id="no expression"),
        pytest.param({"math": "hogql", "math_hogql": "properties.x"}, "series[0].math_hogql", id="an expression that sums nothing up"),
        pytest.param({"math": "cleverness"}, "series[0].math", id="unknown math"),
    ],
)  # fmt: skip
def test_math_that_lacks_something_is_refused(shop, node, attr):
    with pytest.raises(InvalidQuery) as refused:
        shop.trend(series=[NODE | node], dateRange=WEEK)

    assert refused.value.attr == attr


def test_weekly_active_looks_back_before_the_range(shop):
    rows = shop.trend(
        event="opened", math="weekly_active", dateRange=span("2026-03-07", "2026-03-12")
    )

    assert rows[0]["data"] == [3, 2, 2, 2, 1, 0]


def test_weekly_active_by_hour_counts_168_hours(shop):
    end = span("2026-03-08 09:00:00", "2026-03-08 12:59:59")

    rows = shop.trend(event="opened", math="weekly_active", dateRange=end, interval="hour")

    assert rows[0]["data"] == [3, 3, 2, 2]


def test_monthly_active_by_week_is_that_of_the_weeks_first_day(shop):
    rows = shop.trend(
        event="opened",
        math="monthly_active",
        interval="week",
        dateRange=span("2026-03-01", "2026-04-10"),
    )

    assert rows[0]["days"][0] == "2026-03-01"
    assert rows[0]["data"] == [1, 3, 3, 3, 3, 0]


def test_a_total_of_weekly_active_ignores_the_start(shop):
    rows = shop.trend(
        event="opened", math="weekly_active", dateRange=span("2026-03-05", "2026-03-08"),
        trendsFilter={"display": "BoldNumber"},
    )  # fmt: skip

    assert rows[0]["aggregated_value"] == 2


def test_a_first_time_with_a_filter_must_be_the_very_first(shop):
    paid = [{"key": "price", "value": 20, "operator": "gt"}]

    first = shop.trend(
        event="opened", math="first_time_for_user", dateRange=WEEK, properties=paid
    )
    matching = shop.trend(
        event="opened",
        math="first_matching_event_for_user",
        dateRange=WEEK,
        properties=paid,
    )

    assert first[0]["data"] == [0, 1, 0, 0, 0]
    assert matching[0]["data"] == [1, 1, 0, 0, 0]


def test_a_cumulative_chart_counts_a_person_once(shop):
    cumulative = {"display": "ActionsLineGraphCumulative"}

    persons = shop.trend(
        event="opened", math="dau", dateRange=WEEK, trendsFilter=cumulative
    )
    events = shop.trend(event="opened", dateRange=WEEK, trendsFilter=cumulative)

    assert (persons[0]["data"], persons[0]["count"]) == ([1, 2, 2, 2, 3], 3)
    assert (events[0]["data"], events[0]["count"]) == ([2, 3, 3, 4, 5], 5)


def test_smoothing_floors_the_mean_of_the_last_buckets(shop):
    rows = shop.trend(
        event="opened", dateRange=WEEK, trendsFilter={"smoothingIntervals": 2}
    )

    assert (rows[0]["data"], rows[0]["count"]) == ([2, 1, 0, 0, 1], 4)


def test_addresses_are_normalized_when_asked(shop):
    by = {"breakdowns": [{"property": "page", "normalize_url": True}]}

    rows = shop.trend(event="opened", dateRange=WEEK, breakdownFilter=by)

    assert {row["label"]: row["count"] for row in rows} == {
        "/": 2,
        "/a": 2,
        "/b": 1,
    }
    assert rows[-1]["breakdown_value"] == ["/b"]


def test_a_histogram_has_equal_bins_and_a_raised_end(shop):
    by = {"breakdown": "price", "breakdown_histogram_bin_count": 2}

    rows = shop.trend(event="opened", dateRange=WEEK, breakdownFilter=by)

    assert {row["label"]: row["count"] for row in rows} == {
        "[10,20]": 1, "[20,30.01]": 2, NONE: 2,
    }  # fmt: skip


def test_the_smallest_values_are_added_up_as_other_and_can_be_hidden(shop):
    by = {"breakdown": "price", "breakdown_limit": 1}
    query = {"kind": "TrendsQuery", "series": [NODE], "dateRange": WEEK}

    shown = shop.whole(query | {"breakdownFilter": by})
    hidden = shop.whole(
        query | {"breakdownFilter": by | {"breakdown_hide_other_aggregation": True}}
    )

    assert numbers(shown["results"]) == {"10": [1, 0, 0, 0, 0], OTHER: [1, 1, 0, 1, 1]}
    assert shown["hasMore"]
    assert numbers(hidden["results"]) == {"10": [1, 0, 0, 0, 0]}
    assert hidden["hasMore"]


def test_numbers_are_broken_down_in_their_shortest_form(store):
    values = [10, 10.0, 2.50, "n/a", 9007199254740993]
    events = [did("ann", "opened", "2026-03-01T10:00:00Z", size=value) for value in values]
    asked = Asked(store, a_project(), events=events)

    rows = asked.trend(
        event="opened", dateRange=WEEK, breakdownFilter={"breakdown": "size"}
    )

    assert {row["label"]: row["count"] for row in rows} == {
        "10": 2, "2.5": 1, "n/a": 1, "9007199254740993": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("by", "attr"),
    [
        pytest.param({"breakdowns": [{"property": "a"}] * 4}, "breakdownFilter.breakdowns", id="four"),
        pytest.param({"breakdowns": [{"property": "a", "type": "cohort"}]}, "breakdownFilter.breakdowns[0].type", id="a cohort in a list"),
        pytest.param({"breakdown": "a", "breakdown_type": "group"}, "breakdownFilter.breakdown_group_type_index", id="a group of no type"),
        pytest.param({"breakdown": ["a"]}, "breakdownFilter.breakdown", id="a list of properties"),
        pytest.param({"breakdown": "a", "breakdown_limit": 1001}, "breakdownFilter.breakdown_limit", id="too many"),
        pytest.param({"breakdown": "x", "breakdown_type": "cohort"}, "breakdownFilter.breakdown", id="no cohort"),
        pytest.param({"breakdown": "a", "colour": "red"}, "breakdownFilter.colour", id="an unknown field"),
    ],
)  # fmt: skip
def test_a_breakdown_that_cannot_be_made_is_refused(shop, by, attr):
    with pytest.raises(InvalidQuery) as refused:
        shop.trend(event="opened", dateRange=WEEK, breakdownFilter=by)

    assert refused.value.attr == attr


@pytest.fixture(scope="module")
def teams(store):
    """Two cohorts that share one of three persons."""
    persons = [
        {"distinct_ids": [name], "properties": {"teams": teams}}
        for name, teams in (("ann", "red"), ("bob", "red blue"), ("cat", "none"))
    ]
    events = [did(name, "opened", "2026-03-02T10:00:00Z") for name in ("ann", "bob", "cat")]
    cohorts = [
        Cohort(id=number, name=name, filters={"properties": {"type": "AND", "values": [
            {"type": "person", "key": "teams", "operator": "icontains", "value": name}]}})
        for number, name in ((1, "red"), (2, "blue"), (3, "green"))
    ]  # fmt: skip
    return Asked(store, a_project(), persons=persons, events=events, cohorts=cohorts)


@pytest.mark.parametrize(
    ("ids", "rows"),
    [
        pytest.param([1, 2, 3], [(1, "red", 2), (2, "blue", 1)], id="several are one job"),
        pytest.param([2, "all", 1], [(2, "opened - blue", 1), ("all", "opened - all users", 3), (1, "opened - red", 2)], id="with all one job each, in the list's order"),
        pytest.param(["all"], [("all", "all users", 3)], id="everyone alone"),
        pytest.param(1, [(1, "red", 2)], id="a bare id"),
        pytest.param([3], [], id="an empty cohort gives no row"),
    ],
)  # fmt: skip
def test_cohorts_break_down(teams, ids, rows):
    by = {"breakdown": ids, "breakdown_type": "cohort"}

    found = teams.trend(event="opened", dateRange=WEEK, breakdownFilter=by)

    assert [(row["breakdown_value"], row["label"], row["count"]) for row in found] == rows


def test_a_comparison_has_days_of_its_own_and_the_current_rows_first(shop):
    rows = shop.trend(
        series=[NODE, NODE | {"event": "closed"}],
        dateRange=span("2026-03-04", "2026-03-05"),
        compareFilter={"compare": True},
    )

    assert [(row["label"], row["compare_label"]) for row in rows] == [
        ("opened", "current"), ("closed", "current"),
        ("opened", "previous"), ("closed", "previous"),
    ]  # fmt: skip
    assert rows[2]["days"] == ["2026-03-02", "2026-03-03"]
    assert rows[2]["data"] == [1, 0]
    assert rows[2]["action"]["days"][0] == "2026-03-04T00:00:00Z"


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        pytest.param("A + B", 6, id="sum"),
        pytest.param("a*2 - b", 9, id="either case"),
        pytest.param("-A ** 2", -25, id="power binds tighter than a sign"),
        pytest.param("2 ** 3 ** 2", 512, id="power goes to the right"),
        pytest.param("A % 3 / 2", 1, id="modulo"),
        pytest.param("A / (B - 1)", 0, id="division by zero"),
        pytest.param("(0 - A) ** 0.5", 0, id="what has no value is 0"),
        pytest.param("1.5", 1.5, id="a constant"),
    ],
)
def test_formulas_calculate(shop, formula, value):
    rows = shop.trend(
        series=[NODE, NODE | {"event": "closed"}],
        dateRange=WEEK,
        trendsFilter={"formula": formula, "display": "BoldNumber"},
    )

    assert rows[0]["aggregated_value"] == value
    assert (rows[0]["label"], rows[0]["action"]) == (f"Formula ({formula})", None)


@pytest.mark.parametrize(
    "formula", ["AVG(A)", "A +", "C", "A; B", "(A", "A(1)", "1 2", "()"]
)
def test_what_is_no_formula_is_refused(shop, formula):
    with pytest.raises(InvalidQuery) as refused:
        shop.trend(series=[NODE], dateRange=WEEK, trendsFilter={"formula": formula})

    assert refused.value.attr == "trendsFilter.formula"


def test_formula_nodes_win_and_are_called_by_their_name(shop):
    rows = shop.trend(
        series=[NODE],
        dateRange=WEEK,
        trendsFilter={
            "formula": "A", "formulas": ["A*2"],
            "formulaNodes": [{"formula": "A*3", "custom_name": "thrice"}, {"formula": "A*4"}],
        },
    )  # fmt: skip

    assert [(row["label"], row["count"], row["order"]) for row in rows] == [
        ("thrice", 15, 0), ("Formula (A*4)", 20, 1),
    ]  # fmt: skip


def test_a_query_without_series_is_refused(shop):
    with pytest.raises(InvalidQuery) as refused:
        shop.trend(series=[])

    assert refused.value.attr == "series"


@pytest.mark.parametrize("kind", ["ActionsNode", "DataWarehouseNode", "GroupNode"])
def test_other_nodes_are_refused_by_name(shop, kind):
    with pytest.raises(InvalidQuery, match=kind):
        shop.trend(series=[{"kind": kind, "id": 1}])


ZONES = ["UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]
BEGIN = datetime(2025, 10, 20, tzinfo=UTC)
HAPPENED = st.lists(
    st.tuples(
        st.sampled_from(["ann", "bob", "cat"]),
        st.integers(0, 30 * 24 * 4),
        st.sampled_from(["x", "y", "z", None]),
    ),
    max_size=25,
)
SETTINGS = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def events_of(happened):
    return [
        did(who, "opened", (BEGIN + timedelta(minutes=15 * quarter)).isoformat(), **({"k": key} if key else {}))
        for who, quarter, key in happened
    ]  # fmt: skip


@SETTINGS
@given(
    happened=HAPPENED,
    zone=st.sampled_from(ZONES),
    interval=st.sampled_from(["hour", "day", "week", "month"]),
)
def test_buckets_add_up_to_the_total(store, happened, zone, interval):
    asked = Asked(store, a_project(timezone=zone), events=events_of(happened))
    month = span("2025-10-19", "2025-11-20 23:59:59")

    row = asked.trend(event="opened", dateRange=month, interval=interval)[0]

    assert sum(row["data"]) == row["count"] == len(happened)


@SETTINGS
@given(happened=HAPPENED, zone=st.sampled_from(ZONES))
def test_days_hold_what_happened_on_them_by_the_local_clock(store, happened, zone):
    asked = Asked(store, a_project(timezone=zone), events=events_of(happened))
    week = span("2025-10-27", "2025-11-05")

    events = asked.trend(event="opened", dateRange=week)[0]
    active = asked.trend(event="opened", math="weekly_active", dateRange=week)[0]

    at = [
        (who, (BEGIN + timedelta(minutes=15 * quarter)).astimezone(ZoneInfo(zone)).date())
        for who, quarter, _ in happened
    ]
    days = [datetime.fromisoformat(day).date() for day in events["days"]]
    assert events["data"] == [sum(1 for _, when in at if when == day) for day in days]
    assert active["data"] == [
        len({who for who, when in at if day - timedelta(days=6) <= when <= day})
        for day in days
    ]


@SETTINGS
@given(happened=HAPPENED, limit=st.integers(1, 4))
def test_a_breakdown_with_other_and_none_adds_up(store, happened, limit):
    asked = Asked(store, a_project(), events=events_of(happened))
    month = span("2025-10-19", "2025-11-20")

    rows = asked.trend(
        event="opened",
        dateRange=month,
        breakdownFilter={"breakdown": "k", "breakdown_limit": limit},
    )

    assert sum(row["count"] for row in rows) == len(happened)
    assert len([row for row in rows if row["breakdown_value"] != OTHER]) <= limit
