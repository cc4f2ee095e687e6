"""A simulation is believable, repeatable, and counted right."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from hedgerow.simulate.story import events, story
from hedgerow.simulate.totals import Totals

UNTIL = datetime(2025, 10, 20, 15, 30, tzinfo=UTC)
SIZE = {"installations": 60, "users": 30, "days": 40, "until": UNTIL}


def made(seed=1, **other):
    return list(events(story(seed=seed, **{**SIZE, **other})))


@pytest.fixture(scope="module")
def one():
    return made()


def test_the_same_seed_makes_the_same_events(one):
    assert made() == one


def test_another_seed_makes_others(one):
    assert {event["uuid"] for event in made(seed=2)}.isdisjoint(
        event["uuid"] for event in one
    )


def test_more_users_leave_the_fleet_as_it_was():
    few, many = story(seed=1, **SIZE), story(seed=1, **{**SIZE, "users": 90})

    assert [life.distinct_id for life in few.fleet] == [
        life.distinct_id for life in many.fleet
    ]


def test_every_event_has_a_uuid_of_its_own(one):
    assert len({event["uuid"] for event in one}) == len(one)


def test_nothing_happens_after_the_end(one):
    assert max(event["timestamp"] for event in one) <= "2025-10-20T15:30:00.000000Z"


def test_an_installation_reports_at_most_once_a_day(one):
    copied = {life.distinct_id for life in story(seed=1, **SIZE).fleet if life.copied}
    days = Counter(
        (event["distinct_id"], event["timestamp"][:10])
        for event in one
        if event["event"] == "telemetry.health" and event["distinct_id"] not in copied
    )

    assert set(days.values()) == {1}


def test_updates_follow_on_one_another(one):
    running = {}
    for event in one:
        if event["event"] == "telemetry.update":
            before = running.get(event["distinct_id"], event["properties"]["old_version"])
            assert event["properties"]["old_version"] == before
            running[event["distinct_id"]] = event["properties"]["new_version"]
    assert running


def test_people_rest_at_weekends(one):
    weekdays = Counter(
        datetime.fromisoformat(event["timestamp"]).weekday()
        for event in one
        if event["event"] == "timer.started"
    )

    assert weekdays[5] + weekdays[6] < weekdays[1]


def test_an_anonymous_visit_is_claimed_at_sign_up(one):
    visitors = {event["distinct_id"] for event in one if event["event"] == "$pageview"}
    claimed = {event["properties"].get("$anon_distinct_id") for event in one} - {None}

    assert visitors == claimed


def test_the_totals_are_those_of_the_events(one):
    totals = Totals(UNTIL)
    for event in one:
        totals.count(event)
    told = totals.told()

    assert told["events"] == len(one)
    assert sum(told["events_by_name"].values()) == len(one)
    assert sum(told["versions_24h"].values()) == told["active_installations_24h"]
    assert told["active_installations_24h"] <= told["active_installations_30d"]
