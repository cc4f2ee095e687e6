"""Corners of cohorts: criteria with answers reckoned by hand, and what is refused."""

from datetime import UTC, datetime

import pytest

from hedgerow.errors import InvalidQuery
from hedgerow.model.projects import Cohort
from hedgerow.query.definitions_cohorts import check
from tests.hedgerow.asking import Asked, did
from tests.world import a_project

NOW = datetime(2024, 6, 12, 20, 30, tzinfo=UTC)  # a Wednesday
PEOPLE = ("ann", "bob", "cat", "dan", "eve")
EVENTS = [
    did("ann", "s", "2024-05-20T10:00:00"),
    did("ann", "s", "2024-06-11T10:00:00"),
    did("bob", "s", "2024-05-20T10:00:00"),
    did("bob", "s", "2024-06-10T10:00:00"),
    did("cat", "s", "2024-06-11T22:00:00"),
    did("cat", "s", "2024-06-11T23:00:00"),
    did("dan", "s", "2024-06-05T19:00:00"),
    did("dan", "s", "2024-06-05T21:00:00"),
]


@pytest.fixture(scope="module")
def world(store):
    persons = [
        {"distinct_ids": [name], "properties": {"plan": "free"} if name < "c" else {}}
        for name in PEOPLE
    ]
    return Asked(store, a_project(), persons=persons, events=EVENTS, now=NOW)


def leaf(value, **more):
    return {"type": "behavioral", "event_type": "events", "key": "s", "value": value} | more


def both(*parts):
    return {"type": "AND", "values": list(parts)}


def either(*parts):
    return {"type": "OR", "values": list(parts)}


def members(world, *parts):
    """Return who meets criteria, by name."""
    world.cohorts = {1: Cohort(id=1, name="asked", filters={"properties": both(*parts)})}
    asked = {
        "kind": "ActorsQuery",
        "select": ["actor"],
        "properties": [{"type": "cohort", "key": "id", "value": 1}],
    }
    return sorted(row[0]["distinct_ids"][0] for row in world.results(asked))


RESTARTED = leaf(
    "restarted_performing_event",
    time_value=2,
    time_interval="week",
    seq_time_value=2,
    seq_time_interval="day",
)
LATELY = leaf("performed_event", time_value=3, time_interval="day")
FREE = {"type": "person", "key": "plan", "operator": "exact", "value": "free"}


@pytest.mark.parametrize(
    ("parts", "wanted"),
    [
        pytest.param([RESTARTED], ["ann"], id="the-day-between-is-whole"),
        pytest.param(
            [leaf("performed_event", time_value=6, time_interval="hour")],
            [],
            id="hours-begin-with-their-day",
        ),
        pytest.param(
            [
                leaf(
                    "performed_event_regularly",
                    time_value=1,
                    time_interval="hour",
                    operator="gte",
                    operator_value=1,
                    min_periods=1,
                    total_periods=6,
                )
            ],
            [],
            id="six-hours-of-today-end-before-they-begin",
        ),
        pytest.param(
            [
                leaf(
                    "performed_event_regularly",
                    time_value=1,
                    time_interval="day",
                    operator="gte",
                    operator_value=2,
                    min_periods=1,
                    total_periods=3,
                )
            ],
            ["cat"],
            id="twice-on-one-of-three-days",
        ),
        pytest.param(
            [
                leaf(
                    "performed_event_multiple",
                    operator="eq",
                    operator_value=1,
                    time_value=7,
                    time_interval="day",
                )
            ],
            ["ann", "bob", "dan"],
            id="counted-from-the-very-moment",
        ),
        pytest.param([LATELY], ["ann", "bob", "cat"], id="lately"),
        pytest.param([LATELY, {**FREE, "negation": True}], ["cat"], id="but-not-free"),
        pytest.param(
            [LATELY, {**FREE, "operator": "is_not"}], ["cat"], id="is-not-holds-without-it"
        ),
        pytest.param(
            [{"type": "person", "key": "plan", "operator": "in", "value": ["free", "x"]}],
            ["ann", "bob"],
            id="one-of-a-list",
        ),
        pytest.param(
            [{"type": "person", "key": "plan", "operator": "not_in", "value": ["free"]}],
            ["cat", "dan", "eve"],
            id="none-of-a-list",
        ),
        pytest.param(
            [either(both(LATELY, {**FREE, "negation": True}), both(FREE, LATELY))],
            ["ann", "bob", "cat"],
            id="nested-groups",
        ),
        pytest.param(
            [FREE, both({**LATELY, "negation": True})], [], id="a-negated-group-takes-away"
        ),
        pytest.param(
            [{"type": "cohort", "key": "id", "value": 99}], [], id="a-cohort-that-is-gone"
        ),
        pytest.param(
            [leaf("performed_event", explicit_datetime="2024-06-10", time_value=1,
                  time_interval="day", explicit_datetime_to="2024-06-10")],
            ["bob"],
            id="given-dates-win",
        ),
        pytest.param(
            [leaf("performed_event_first_time", time_value="8", time_interval="day")],
            ["cat", "dan"],
            id="for-the-first-time-with-a-number-in-text",
        ),
        pytest.param(
            [leaf("stopped_performing_event", time_value=30, time_interval="day",
                  seq_time_value=3, seq_time_interval="day")],
            ["dan"],
            id="stopped",
        ),
        pytest.param(
            [leaf("performed_event_sequence", time_value=30, time_interval="day",
                  seq_event="s", seq_time_value=2, seq_time_interval="hour")],
            ["cat", "dan"],
            id="twice-within-two-hours",
        ),
        pytest.param(
            [{"type": "person_metadata", "key": "created_at",
              "operator": "is_date_after", "value": "2024-06-01"}],
            ["ann", "bob", "cat", "dan", "eve"],
            id="created-lately",
        ),
    ],
)  # fmt: skip
def test_members_are_those_the_criteria_say(world, parts, wanted):
    assert members(world, *parts) == wanted


@pytest.mark.parametrize(
    "tree",
    [
        pytest.param(both({**FREE, "value": None}), id="no-value"),
        pytest.param(both({**FREE, "event_type": "events"}), id="a-field-of-another-kind"),
        pytest.param(both({**FREE, "negation": True}), id="only-negated"),
        pytest.param(
            either(FREE, both({**FREE, "negation": True}, {**LATELY, "negation": True})),
            id="or-with-negated",
        ),
        pytest.param(both({**LATELY, "time_interval": "minute"}), id="minutes"),
        pytest.param(both({**LATELY, "event_type": "actions"}), id="actions"),
        pytest.param(both({**RESTARTED, "seq_time_value": 20}), id="later-is-longer"),
        pytest.param(
            both(
                leaf(
                    "performed_event_multiple",
                    operator="lte",
                    operator_value=0,
                    time_value=1,
                    time_interval="day",
                )
            ),
            id="at-most-nought-times",
        ),
        pytest.param({"type": ["AND"], "values": []}, id="a-list-for-a-type"),
        pytest.param(both({"type": ["person"]}), id="a-list-for-the-type-of-a-leaf"),
        pytest.param(both("person"), id="a-text-for-a-leaf"),
        pytest.param({"type": "AND", "values": {"type": "OR"}}, id="no-list-of-values"),
    ],
)
def test_criteria_that_cannot_be_are_refused_by_name(tree):
    with pytest.raises(InvalidQuery) as refused:
        check({"properties": tree})

    assert str(refused.value.attr).startswith("filters.properties")


@pytest.mark.parametrize(
    "groups",
    [
        pytest.param([{"properties": ["plan"]}], id="a-text-for-a-leaf"),
        pytest.param([{"properties": "plan"}], id="a-text-for-properties"),
        pytest.param([{"properties": {"values": "plan"}}], id="a-text-for-values"),
        pytest.param(["plan"], id="a-text-for-a-group"),
        pytest.param({"properties": []}, id="no-list"),
        pytest.param([{"days": 7}], id="no-event"),
    ],
)
def test_the_older_form_is_refused_by_name_too(groups):
    with pytest.raises(InvalidQuery) as refused:
        check(None, groups)

    assert str(refused.value.attr).startswith("groups")
