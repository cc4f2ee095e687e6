"""Who is behind a figure of a funnel: persons, groups, the persons of sessions, Other."""

import pytest

from hedgerow.errors import InvalidQuery
from hedgerow.insights.answer import Asking, answer
from tests import world

STEPS = {
    "kind": "FunnelsQuery",
    "series": [{"kind": "EventsNode", "event": name} for name in ("a", "b", "c")],
    "dateRange": {"date_from": "2024-01-01", "date_to": "2024-01-31"},
}
TREND = STEPS | {"funnelsFilter": {"funnelVizType": "trends", "funnelToStep": 1}}


def did(who, event, at, **fields):
    return {"event": event, "distinct_id": who, "timestamp": f"2024-01-{at}Z", **fields}


def behind(store, project, funnel, *, select="distinct_ids", **selector):
    source = {"kind": "FunnelsActorsQuery", "source": funnel, **selector}
    raw = {"kind": "ActorsQuery", "source": source, "select": [select]}
    told = answer(raw, world.context(store, project), store, Asking())
    return sorted(
        row[0] if select != "distinct_ids" else row[0][0] for row in told["results"]
    )


def three_people(store, project):
    world.load(
        store,
        project,
        events=[
            did("ann", "a", "02T08:00:00", properties={"plan": "pro", "$session_id": "s1"}),
            did("ann", "b", "02T09:00:00", properties={"plan": "pro", "$session_id": "s1"}),
            did("ann", "c", "03T09:00:00", properties={"plan": "pro", "$session_id": "s2"}),
            did("bob", "a", "02T08:00:00", properties={"plan": 5, "$session_id": "s3"}),
            did("bob", "b", "03T08:00:00", properties={"plan": 5, "$session_id": "s3"}),
            did("cid", "a", "02T08:00:00", properties={"$session_id": "s4"}),
        ],
    )


@pytest.mark.parametrize(
    ("step", "people"),
    [
        (1, ["ann", "bob", "cid"]),
        (2, ["ann", "bob"]),
        (3, ["ann"]),
        (-2, ["cid"]),
        (-3, ["bob"]),
    ],
)
def test_who_did_a_step_or_stopped_before_it(store, project, step, people):
    three_people(store, project)
    assert behind(store, project, STEPS, funnelStep=step) == people


def test_whoever_skipped_an_optional_step_is_not_behind_it(store, project):
    three_people(store, project)
    optional = {"kind": "EventsNode", "event": "x", "optionalInFunnel": True}
    funnel = STEPS | {"series": [STEPS["series"][0], optional, STEPS["series"][1]]}
    assert behind(store, project, funnel, funnelStep=2) == []
    assert behind(store, project, funnel, funnelStep=-2) == ["ann", "bob", "cid"]
    assert behind(store, project, funnel, funnelStep=-3) == ["cid"]


@pytest.mark.parametrize(
    ("value", "people"),
    [
        ("pro", ["ann"]),
        (["pro"], ["ann"]),
        (5, ["bob"]),
        ("", ["cid"]),
        ("none", []),
        (None, ["ann", "bob", "cid"]),
    ],
)
def test_one_value_of_the_breakdown(store, project, value, people):
    three_people(store, project)
    funnel = STEPS | {"breakdownFilter": {"breakdown": "plan"}}
    found = behind(store, project, funnel, funnelStep=1, funnelStepBreakdown=value)
    assert found == people


def test_other_holds_those_without_a_row_of_their_own(store, project):
    three_people(store, project)
    funnel = STEPS | {"breakdownFilter": {"breakdown": "plan", "breakdown_limit": 1}}
    found = behind(store, project, funnel, funnelStep=1, funnelStepBreakdown=["Other"])
    assert found == ["bob", "cid"]


@pytest.mark.parametrize(
    ("dropped", "people"), [(False, ["ann", "bob"]), (True, ["cid"])], ids=["in", "out"]
)
def test_who_entered_or_converted_in_a_period(store, project, dropped, people):
    three_people(store, project)
    period = {"funnelTrendsEntrancePeriodStart": "2024-01-02 00:00:00"}
    assert behind(store, project, TREND, funnelTrendsDropOff=dropped, **period) == people
    other = {"funnelTrendsEntrancePeriodStart": "2024-01-03 00:00:00"}
    assert behind(store, project, TREND, funnelTrendsDropOff=dropped, **other) == []


def test_groups_are_answered_as_groups(store, project):
    events = [
        did("ann", "a", "02T08:00:00", groups={"company": "acme"}),
        did("bob", "b", "02T09:00:00", groups={"company": "acme"}),
        did("bob", "a", "02T09:00:00"),
    ]
    world.load(store, project, events=events, group_types=["company"])
    funnel = STEPS | {"aggregation_group_type_index": 0}
    assert behind(store, project, funnel, select="id", funnelStep=2) == ["acme"]


def test_sessions_are_answered_as_their_persons(store, project):
    three_people(store, project)
    funnel = STEPS | {"funnelsFilter": {"funnelAggregateByHogQL": "properties.$session_id"}}
    assert behind(store, project, funnel, funnelStep=2) == ["ann", "bob"]
    assert behind(store, project, funnel, funnelStep=3) == []


def test_the_event_that_made_the_step_is_told_if_asked_for(store, project):
    uuid = world.a_uuid()
    events = [did("ann", "a", "02T08:00:00"), did("ann", "b", "02T09:00:00", uuid=uuid)]
    world.load(store, project, events=events)
    found = behind(
        store,
        project,
        STEPS,
        select="matched_events",
        funnelStep=2,
        includeRecordings=True,
    )
    assert found == [[uuid]]


@pytest.mark.parametrize(
    ("funnel", "selector", "attr"),
    [
        (STEPS, {}, "funnelStep"),
        (STEPS, {"funnelStep": 0}, "funnelStep"),
        (STEPS, {"funnelStep": -1}, "funnelStep"),
        (STEPS, {"funnelStep": 4}, "funnelStep"),
        (STEPS, {"funnelStep": 1, "funnelTrendsDropOff": True}, "funnelTrendsDropOff"),
        (STEPS, {"funnelStep": 1, "funnelStepBreakdown": "x"}, "funnelStepBreakdown"),
        (TREND, {"funnelTrendsDropOff": True}, "funnelTrendsEntrancePeriodStart"),
        (
            TREND,
            {"funnelTrendsEntrancePeriodStart": "2024-01-02"},
            "funnelTrendsDropOff",
        ),
        (
            TREND,
            {
                "funnelTrendsEntrancePeriodStart": "2024-01-02 08:00:00",
                "funnelTrendsDropOff": True,
            },
            "funnelTrendsEntrancePeriodStart",
        ),
    ],
)
def test_what_is_no_figure_is_refused_by_name(store, project, funnel, selector, attr):
    with pytest.raises(InvalidQuery) as refused:
        behind(store, project, funnel, **selector)
    assert refused.value.attr == attr
