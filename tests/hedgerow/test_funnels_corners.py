"""Funnels where two rules meet: sentences of the design, each with a case worked out by hand."""

from tests.hedgerow.asking import Asked, did
from tests.world import a_project

STEPS = [{"kind": "EventsNode", "event": name} for name in ("one", "two")]
MARCH = {"date_from": "2026-03-01", "date_to": "2026-03-12"}


def _funnel(**fields):
    return {"kind": "FunnelsQuery", "series": STEPS, "dateRange": MARCH, **fields}


def test_a_number_is_one_value_however_it_is_written(store):
    events = [
        did(name, event, f"2026-03-10T1{hour}:00:00Z", seats=seats)
        for name, seats in (("ann", 10), ("bob", 10.0), ("cat", 7.5))
        for hour, event in enumerate(("one", "two"))
    ]
    asked = Asked(store, a_project(), events=events)
    rows = asked.results(_funnel(breakdownFilter={"breakdown": "seats"}))
    assert [(steps[1]["breakdown_value"], steps[1]["count"]) for steps in rows] == [
        (["10"], 2),
        (["7.5"], 1),
    ]


def test_the_first_matching_event_reads_the_person_of_its_time(store):
    events = [
        did("ann", "one", "2026-03-09T10:00:00Z") | {"$set": {"plan": "free"}},
        did("ann", "one", "2026-03-10T10:00:00Z") | {"$set": {"plan": "paid"}},
        did("ann", "two", "2026-03-11T10:00:00Z"),
    ]
    paid = {"key": "plan", "type": "person", "value": "paid", "operator": "exact"}
    first = STEPS[0] | {"math": "first_time_for_user_with_filters", "properties": [paid]}
    mode = {"personsOnEventsMode": "person_id_override_properties_on_events"}
    asked = Asked(store, a_project(), events=events)
    rows = asked.results(_funnel(series=[first, STEPS[1]], modifiers=mode))
    # by the plan of the event's time it is the second one, a day before "two"
    assert [row["count"] for row in rows] == [1, 1]
    assert rows[1]["average_conversion_time"] == 86_400
