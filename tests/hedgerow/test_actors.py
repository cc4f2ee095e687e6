"""Who is behind a point: as many as the figure says, searched, filtered, in pages."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hedgerow.errors import InvalidQuery
from tests.hedgerow.asking import Asked, did
from tests.world import a_project

NONE, OTHER = "$$_posthog_breakdown_null_$$", "$$_posthog_breakdown_other_$$"
WEEK = {"date_from": "2026-03-01", "date_to": "2026-03-07"}


def trend(**fields):
    node = {"kind": "EventsNode", "event": "opened", "math": fields.pop("math", "dau")}
    if "group" in fields:
        node["math_group_type_index"] = fields.pop("group")
    return {"kind": "TrendsQuery", "series": [node], "dateRange": WEEK, **fields}


@pytest.fixture(scope="module")
def shop(store):
    persons = [
        {"distinct_ids": ["ann", "ann@work"], "properties": {"name": "Ann", "email": "ann@x.org", "age": 30}, "created_at": "2026-02-01T00:00:00Z"},
        {"distinct_ids": ["bob"], "properties": {"name": "Bob", "age": 40}, "created_at": "2026-02-02T00:00:00Z"},
    ]  # fmt: skip
    ghost = did("ghost", "opened", "2026-03-03T10:00:00Z", k="z")
    ghost["properties"]["$process_person_profile"] = False
    events = [
        did("ann", "opened", "2026-03-01T10:00:00Z", k="x", groups={"company": "acme"}),
        did("ann@work", "opened", "2026-03-01T11:00:00Z", k="x"),
        did("ann", "opened", "2026-03-04T11:00:00Z", k="y"),
        did("bob", "opened", "2026-03-04T10:00:00Z", groups={"company": "beta"}),
        ghost,
    ]
    groups = [{"type": "company", "key": "acme", "properties": {"name": "Acme"}}]
    return Asked(
        store,
        a_project(),
        persons=persons,
        events=events,
        groups=groups,
        group_types=["company"],
    )


@pytest.mark.parametrize(
    ("query", "selector", "who"),
    [
        pytest.param(trend(), {}, ["ann", "bob", "ghost"], id="the whole range, most events first"),
        pytest.param(trend(), {"day": "2026-03-01"}, ["ann"], id="one day"),
        pytest.param(trend(), {"day": "2026-03-04T23:00:00Z"}, ["ann", "bob"], id="an instant in it"),
        pytest.param(trend(), {"day": "2026-02-01"}, [], id="a day outside"),
        pytest.param(trend(math="weekly_active"), {"day": "2026-03-05"}, ["ann", "bob", "ghost"], id="the whole window"),
        pytest.param(trend(math="first_time_for_user"), {"day": "2026-03-04"}, ["bob"], id="those counted first"),
        pytest.param(trend(breakdownFilter={"breakdown": "k"}), {"breakdown": "x"}, ["ann"], id="a value"),
        pytest.param(trend(breakdownFilter={"breakdown": "k"}), {"breakdown": NONE}, ["bob"], id="no value"),
        pytest.param(trend(breakdownFilter={"breakdown": "k", "breakdown_limit": 1}), {"breakdown": OTHER}, ["ann", "bob", "ghost"], id="all other values"),
        pytest.param(trend(breakdownFilter={"breakdown": "k"}), {"breakdown": "nobody's"}, [], id="a value nobody has"),
        pytest.param(trend(breakdownFilter={"breakdowns": [{"property": "k"}]}), {"breakdown": ["y"]}, ["ann"], id="a value of a list"),
        pytest.param(trend(trendsFilter={"display": "ActionsLineGraphCumulative"}), {"day": "2026-03-03"}, ["ann", "ghost"], id="everyone up to the day"),
        pytest.param(trend(compareFilter={"compare": True, "compare_to": "-3d"}), {"compare": "previous", "day": "2026-03-01"}, ["ann"], id="the period before"),
    ],
)  # fmt: skip
def test_the_people_behind_a_point(shop, query, selector, who):
    assert sorted(shop.actors(query, **selector)) == sorted(who)


def test_most_events_come_first(shop):
    asked = {
        "kind": "ActorsQuery",
        "source": {"kind": "InsightActorsQuery", "source": trend()},
        "select": ["person_display_name -- Person", "event_count", "matched_recordings"],
    }

    told = shop.whole(asked)

    shown = [(row[0]["display_name"], row[1], row[2]) for row in told["results"]]
    assert shown[0] == ("ann@x.org", 3, [])
    assert sorted(shown[1:]) == [("Bob", 1, []), ("ghost", 1, [])]
    assert told["columns"] == [
        "person_display_name -- Person",
        "event_count",
        "matched_recordings",
    ]
    assert told["missing_actors_count"] == 1


def test_groups_are_listed_as_groups(shop):
    source = {"kind": "InsightActorsQuery", "source": trend(math="unique_group", group=0)}

    rows = shop.results(
        {"kind": "ActorsQuery", "source": source, "select": ["actor", "id", "event_count"]}
    )

    assert [(row[1], row[2]) for row in rows] == [("acme", 1), ("beta", 1)]
    assert rows[0][0]["properties"] == {"name": "Acme"}
    assert rows[1][0]["properties"] == {}


@pytest.mark.parametrize(
    ("selector", "attr"),
    [
        pytest.param({"series": 3}, "source.series", id="no such series"),
        pytest.param({"compare": "previous"}, "source.compare", id="no comparison"),
        pytest.param({"day": "someday"}, "source.day", id="no day"),
        pytest.param({"colour": 1}, "source.colour", id="an unknown field"),
    ],
)
def test_a_point_that_does_not_exist_is_refused(shop, selector, attr):
    with pytest.raises(InvalidQuery) as refused:
        shop.actors(trend(), **selector)

    assert refused.value.attr == attr


@pytest.mark.parametrize(
    ("fields", "who"),
    [
        pytest.param({}, ["ann", "bob"], id="all persons"),
        pytest.param({"search": "BOB"}, ["bob"], id="part of a name"),
        pytest.param({"search": "@work"}, ["ann"], id="part of any distinct id"),
        pytest.param({"search": "nobody"}, [], id="found nowhere"),
        pytest.param({"properties": [{"type": "person", "key": "age", "operator": "gt", "value": 35}]}, ["bob"], id="a property"),
        pytest.param({"orderBy": ["properties.age DESC"]}, ["bob", "ann"], id="in an order"),
        pytest.param({"orderBy": ["created_at"], "limit": 1, "offset": 1}, ["bob"], id="the second page"),
    ],
)  # fmt: skip
def test_persons_are_listed_without_a_source(shop, fields, who):
    query = {
        "kind": "ActorsQuery",
        "orderBy": ["created_at"],
        "select": ["actor"],
        **fields,
    }

    assert [row[0]["distinct_ids"][0] for row in shop.results(query)] == who


def test_persons_nodes_are_the_same_under_an_older_name(shop):
    rows = shop.results({"kind": "PersonsNode", "search": "ann"})

    person, uuid, _ = rows[0]
    assert person["distinct_ids"] == ["ann", "ann@work"]
    assert (person["id"], person["created_at"]) == (uuid, "2026-02-01T00:00:00Z")
    assert person["is_identified"]


def test_persons_can_be_counted_by_a_property(shop):
    query = {"kind": "ActorsQuery", "select": ["properties.age > 35", "count()"]}

    assert sorted(shop.results(query)) == [[False, 1], [True, 1]]


def test_a_page_says_whether_there_are_more(shop):
    query = {"kind": "ActorsQuery", "select": ["id"], "limit": 1}

    assert (shop.whole(query)["hasMore"], shop.whole(query | {"offset": 1})["hasMore"]) == (
        True,
        False,
    )


BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
HAPPENED = st.lists(
    st.tuples(
        st.sampled_from(["ann", "bob", "cat", "dan"]),
        st.integers(0, 9 * 24),
        st.sampled_from(["x", "y", "z", None]),
    ),
    min_size=1,
    max_size=15,
)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    happened=HAPPENED,
    math=st.sampled_from(["dau", "weekly_active", "first_time_for_user"]),
    display=st.sampled_from(["ActionsLineGraph", "ActionsTable"]),
)
def test_the_list_is_as_long_as_the_figure(store, happened, math, display):
    events = [
        did(
            who,
            "opened",
            (BEGIN + timedelta(hours=hour)).isoformat(),
            **({"k": key} if key else {}),
        )
        for who, hour, key in happened
    ]
    asked = Asked(store, a_project(), events=events)
    by = {"breakdown": "k", "breakdown_limit": 10}
    query = trend(math=math, breakdownFilter=by, trendsFilter={"display": display})

    for row in asked.results(query):
        selector = {"breakdown": row["breakdown_value"]}
        points = dict(zip(row["days"], row["data"], strict=True)) or {
            None: row["aggregated_value"]
        }
        for day, figure in list(points.items())[::2]:
            chosen = selector | ({"day": day} if day else {})
            assert len(asked.actors(query, **chosen)) == figure
