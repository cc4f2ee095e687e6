"""What goes with success in a funnel: events on the way, and properties."""

import pytest

from hedgerow.errors import InvalidQuery
from hedgerow.insights.answer import Asking, answer
from tests import world

FUNNEL = {
    "kind": "FunnelsQuery",
    "series": [{"kind": "EventsNode", "event": name} for name in ("sign up", "paid")],
    "dateRange": {"date_from": "2024-01-01", "date_to": "2024-01-08"},
    "funnelsFilter": {"funnelWindowInterval": 1},
}


def at(hour):
    return f"2024-01-02T{hour:02}:00:00Z"


def ask(store, project, **fields):
    source = {"kind": "FunnelsActorsQuery", "source": FUNNEL, "funnelStep": 1}
    raw = {"kind": "FunnelCorrelationQuery", "source": source, **fields}
    return answer(raw, world.context(store, project), store, Asking())["results"]


def people(store, project, *, extra=()):
    """Ten who paid, ten who did not; five of those who paid had watched the tour."""
    persons, events = [], []
    for number in range(20):
        paid, name = number < 10, f"p{number}"
        plan = "pro" if number in {0, 1, 2, 3, 15} else "free"
        persons.append({"distinct_ids": [name], "properties": {"plan": plan, "n": number}})
        events.append({"event": "sign up", "distinct_id": name, "timestamp": at(8)})
        if paid:
            events.append({"event": "paid", "distinct_id": name, "timestamp": at(12)})
        if number < 5:
            tour = {"length": "long" if number < 4 else "short"}
            events.append(
                {
                    "event": "tour",
                    "distinct_id": name,
                    "timestamp": at(10),
                    "properties": tour,
                }
            )
    world.load(store, project, persons=persons, events=[*events, *extra])


def told(results):
    return {
        one["event"]["event"]: (one["success_count"], one["failure_count"])
        for one in results["events"]
    }


def test_an_event_on_the_way_goes_with_success(store, project):
    people(store, project)
    results = ask(store, project, funnelCorrelationType="events")
    assert results["skewed"] is False
    assert results["events"] == [
        {
            "event": {"event": "tour", "properties": {}, "elements": []},
            "success_count": 5,
            "failure_count": 0,
            "odds_ratio": 11.0,
            "correlation_type": "success",
        }
    ]


@pytest.mark.parametrize(
    ("hour", "who", "counted"),
    [(8, "p0", 0), (12, "p0", 0), (9, "p0", 1), (7, "p12", 0), (20, "p12", 1)],
    ids=["with the first step", "with the last step", "between", "before", "in the window"],
)
def test_only_what_happens_strictly_on_the_way_counts(store, project, hour, who, counted):
    extra = [{"event": "help", "distinct_id": who, "timestamp": at(hour)}]
    people(store, project, extra=extra)
    found = told(ask(store, project, funnelCorrelationType="events"))
    assert sum(found.get("help", (0, 0))) == counted


def test_steps_and_excluded_events_are_left_out(store, project):
    people(store, project)
    found = ask(
        store,
        project,
        funnelCorrelationType="events",
        funnelCorrelationExcludeEventNames=["tour"],
    )
    assert found["events"] == []


def test_properties_of_an_event_need_more_than_two_actors(store, project):
    people(store, project)
    found = ask(
        store,
        project,
        funnelCorrelationType="event_with_properties",
        funnelCorrelationEventNames=["tour"],
    )
    assert told(found) == {"tour::length::long": (4, 0)}


def test_properties_of_persons_are_those_of_now(store, project):
    people(store, project)
    found = ask(
        store,
        project,
        funnelCorrelationType="properties",
        funnelCorrelationNames=["$all"],
        funnelCorrelationExcludeNames=["n"],
    )
    assert told(found) == {"plan::pro": (4, 1), "plan::free": (6, 9)}
    assert [one["correlation_type"] for one in found["events"]] == ["success", "failure"]


def test_without_a_failure_there_is_nothing_to_compare(store, project):
    world.load(
        store,
        project,
        events=[
            {"event": name, "distinct_id": "ann", "timestamp": at(hour)}
            for name, hour in (("sign up", 8), ("paid", 9))
        ],
    )
    found = ask(store, project, funnelCorrelationType="events")
    assert found == {"events": [], "skewed": True}


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("properties", "funnelCorrelationNames"),
        ("event_with_properties", "funnelCorrelationEventNames"),
    ],
)
def test_what_is_compared_must_be_named(store, project, kind, field):
    people(store, project)
    with pytest.raises(InvalidQuery) as refused:
        ask(store, project, funnelCorrelationType=kind)
    assert refused.value.attr == field
