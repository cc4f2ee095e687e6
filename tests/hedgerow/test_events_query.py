"""Single events and tables made of them."""

import pytest

from hedgerow.errors import InvalidQuery
from tests.hedgerow.asking import Asked, did
from tests.world import NOW, a_project


@pytest.fixture(scope="module")
def day(store):
    persons = [{"distinct_ids": ["ann"], "properties": {"name": "Ann"}}]
    events = [
        did(
            "ann",
            "opened",
            "2026-03-15T09:00:00Z",
            price=12345678901234567890123,
            plan="pro",
        ),
        did("ann", "opened", "2026-03-15T10:00:00Z", plan="free"),
        did("bob", "closed", "2026-03-15T11:00:00Z", plan=None),
        did("bob", "opened", "2026-03-14T11:59:59Z"),
    ]
    project = a_project(timezone="Europe/Berlin")
    return Asked(store, project, persons=persons, events=events)


def rows(day, **fields):
    return day.results({"kind": "EventsQuery", **fields})


def test_the_last_24_hours_are_not_truncated(day):
    names = [row[0]["event"] for row in rows(day)]

    assert names == ["closed", "opened", "opened"]


def test_a_whole_event_keeps_the_digits_of_long_integers(day):
    (whole,) = rows(day, where=["properties.plan = 'pro'"])[0]

    assert whole["properties"]["price"] == 12345678901234567890123
    assert whole["timestamp"] == "2026-03-15T10:00:00+01:00"
    assert (whole["distinct_id"], whole["team_id"]) == ("ann", day.project.id)


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        pytest.param({"after": "all"}, 4, id="all"),
        pytest.param({"after": "2026-03-15T09:00:00Z"}, 2, id="after is exclusive"),
        pytest.param({"before": "2026-03-15T11:00:00Z"}, 2, id="before is exclusive"),
        pytest.param({"event": "opened"}, 2, id="one name"),
        pytest.param({"events": ["opened", "closed"]}, 3, id="several names"),
        pytest.param({"properties": [{"key": "plan", "operator": "is_not_set"}]}, 1, id="missing and null are not set"),
        pytest.param({"where": ["properties.plan = 'free'", "event = 'opened'"]}, 1, id="all conditions"),
        pytest.param({"limit": 1}, 1, id="a limit"),
    ],
)  # fmt: skip
def test_events_are_narrowed(day, fields, count):
    assert len(rows(day, **fields)) == count


def test_expressions_are_columns_and_can_be_labelled(day):
    told = day.whole(
        {
            "kind": "EventsQuery",
            "select": ["event", "properties.plan -- Plan", "timestamp"],
            "limit": 2,
        }
    )

    assert told["columns"] == ["event", "Plan", "timestamp"]
    assert told["results"] == [
        ["closed", None, "2026-03-15T12:00:00+01:00"],
        ["opened", "free", "2026-03-15T11:00:00+01:00"],
    ]
    assert (told["hasMore"], told["limit"], told["offset"]) == (True, 2, 0)


def test_with_an_aggregate_the_others_are_grouped_by_and_largest_come_first(day):
    asked = {"select": ["event", "count()"], "after": "all"}

    assert rows(day, **asked) == [["opened", 3], ["closed", 1]]
    assert rows(day, **asked, where=["count() > 1"]) == [["opened", 3]]
    assert rows(day, **asked, orderBy=["event"])[0] == ["closed", 1]


def test_persons_are_shown_beside_their_events(day):
    found = rows(
        day, select=["person", "person_display_name -- Person"], event="opened", limit=1
    )

    person, shown = found[0]
    assert person["properties"] == {"name": "Ann"}
    assert shown == {"display_name": "Ann", "id": person["uuid"], "distinct_id": "ann"}
    again = rows(day, personId=person["uuid"], select=["event"])
    assert again == [["opened"], ["opened"]]


def test_pages_do_not_overlap(store):
    events = [did("ann", "opened", "2026-03-15T09:00:00Z") for _ in range(7)]
    asked = Asked(store, a_project(), events=events)

    seen = [
        row[0]
        for offset in range(0, 8, 2)
        for row in rows(asked, select=["uuid"], orderBy=["event"], limit=2, offset=offset)
    ]

    assert len(set(seen)) == len(seen) == 7


@pytest.mark.parametrize(
    ("fields", "attr"),
    [
        pytest.param({"select": ["nope"]}, "select[0]", id="no such column"),
        pytest.param({"orderBy": ["sleep(1)"]}, "orderBy[0]", id="no such function"),
        pytest.param({"limit": 50_001}, "limit", id="too many rows"),
        pytest.param({"offset": -1}, "offset", id="a negative offset"),
        pytest.param({"after": "soon"}, "after", id="no date"),
        pytest.param({"actionId": 5}, "actionId", id="an unknown field"),
    ],
)
def test_what_cannot_be_listed_is_refused_by_name(day, fields, attr):
    with pytest.raises(InvalidQuery) as refused:
        rows(day, **fields)

    assert refused.value.attr == attr


def test_names_and_values_are_suggested(store):
    events = [
        did("ann", "opened", NOW.isoformat(), plan="pro", size=1),
        did("bob", "opened", NOW.isoformat(), plan="free"),
        did("bob", "closed", NOW.isoformat(), plan="free", colour="red"),
    ]
    asked = Asked(store, a_project(), events=events)

    names = asked.results({"kind": "EventNamesQuery"})
    keys = asked.results({"kind": "PropertyNamesQuery", "event": "opened"})
    values = asked.results({"kind": "PropertyValuesQuery", "key": "plan", "search": "R"})

    assert [(one["name"], one["volume"]) for one in names] == [("opened", 2), ("closed", 1)]
    assert [one for one in keys if not one["name"].startswith("$")] == [
        {"name": "plan", "type": "String"}, {"name": "size", "type": "Numeric"},
    ]  # fmt: skip
    assert values == [{"name": "free", "count": 2}, {"name": "pro", "count": 1}]
