"""Commands about people: delete, split, merge, change; and what late events make of them."""

import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from hedgerow.model.projects import Project
from hedgerow.serve.expiring import expire, kept_from
from tests.world import NOW, a_project, captured, command, rows, store_events


def uuid_of(store, project, distinct_id):
    found = rows(
        store,
        "SELECT uuid::VARCHAR FROM persons p JOIN distinct_ids d USING (person_key) "
        "WHERE d.project_id = ? AND distinct_id = ?",
        project.id,
        distinct_id,
    )
    return found[0][0] if found else None


def count(store, project, table="events"):
    return rows(store, f"SELECT count(*) FROM {table} WHERE project_id = ?", project.id)[0][
        0
    ]


def with_ann(store, project):
    store_events(
        store,
        project,
        [captured("a", "ann", set={"n": 1}), captured("$identify", "ann",
         properties={"$anon_distinct_id": "anon"}), captured("b", "bob")],
    )  # fmt: skip
    return uuid_of(store, project, "ann")


@pytest.mark.parametrize(("with_events", "left"), [(True, 1), (False, 3)])
def test_a_late_retry_does_not_bring_a_deleted_person_back(
    store, project, with_events, left
):
    person = with_ann(store, project)
    receipt = command(
        store,
        project,
        {"do": "delete_person", "person": person, "with_events": with_events},
    )
    late = NOW - timedelta(minutes=1)
    store_events(store, project, [captured("late", "anon", timestamp=late, set={"n": 2})])

    assert sorted(receipt["distinct_ids"]) == ["ann", "anon"]
    assert uuid_of(store, project, "ann") is uuid_of(store, project, "anon") is None
    assert count(store, project) == left + (0 if with_events else 1)
    assert store.written(project.id) == count(store, project)


def test_who_comes_back_after_deletion_is_somebody_new(store, project):
    person = with_ann(store, project)
    command(store, project, {"do": "delete_person", "person": person, "with_events": True})
    later = NOW + timedelta(days=1)
    store_events(store, project, [captured("back", "ann")], received_at=later)

    assert uuid_of(store, project, "ann") is not None
    states = rows(
        store,
        "SELECT properties::VARCHAR FROM person_states WHERE project_id = ? AND "
        "properties::VARCHAR LIKE '%\"n\"%'",
        project.id,
    )
    assert states == []


def test_a_split_gives_each_id_a_person_and_its_events(store, project):
    person = with_ann(store, project)
    store_events(store, project, [captured("c", "anon")])
    made = command(
        store, project, {"do": "split", "person": person, "main_distinct_id": "ann"}
    )

    assert len(made["made"]) == 1
    assert uuid_of(store, project, "anon") == made["made"][0] != person
    found = rows(
        store,
        "SELECT event, distinct_id FROM events e JOIN persons p USING (person_key) WHERE "
        "p.uuid = ?::UUID",
        made["made"][0],
    )
    assert found == [("c", "anon")]


def test_an_id_of_nobody_cannot_be_the_main_one(store, project):
    person = with_ann(store, project)
    asked = {"do": "split", "person": person, "main_distinct_id": "cat"}

    assert command(store, project, asked)["attr"] == "main_distinct_id"


def test_people_can_be_merged_by_hand(store, project):
    person = with_ann(store, project)
    bob = uuid_of(store, project, "bob")

    assert command(store, project, {"do": "merge", "target": bob, "sources": [person]}) == {
        "person": bob,
        "merged": 1,
    }
    assert uuid_of(store, project, "anon") == bob
    assert count(store, project, "persons") == 1


def test_properties_of_a_person_can_be_changed(store, project):
    person = with_ann(store, project)
    command(
        store,
        project,
        {"do": "patch_person", "person": person, "set": {"m": None}, "unset": ["n"]},
    )

    (text,) = rows(store, "SELECT properties FROM persons WHERE uuid = ?::UUID", person)[0]
    assert json.loads(text) == {"m": None}


def test_static_cohorts_take_people_in_and_let_them_go(store, project):
    with_ann(store, project)
    add = {"do": "static_cohort_add", "cohort_id": 7, "distinct_ids": ["ann", "anon", "x"]}

    assert command(store, project, add) == {"changed": 1, "unknown": 1}
    assert command(store, project, add) == {"changed": 1, "unknown": 1}
    assert count(store, project, "cohort_people") == 1
    command(store, project, add | {"do": "static_cohort_remove"})
    assert count(store, project, "cohort_people") == 0


def test_a_deleted_project_leaves_nothing(store, project):
    with_ann(store, project)
    command(store, project, {"do": "delete_project"})

    for table in ("events", "persons", "distinct_ids", "person_states", "property_kinds"):
        assert count(store, project, table) == 0
    assert store.kinds(project.id) == {}
    assert store.written(project.id) == 0


@pytest.mark.parametrize("asked", [{"do": "dance"}, {"do": "delete_person", "person": "x"}])
def test_what_cannot_be_done_says_so(store, project, asked):
    assert command(store, project, asked)["error"] in {"invalid_input", "not_found"}


@pytest.mark.parametrize(("with_events", "told"), [(True, 2), (False, 0)])
def test_a_receipt_tells_how_many_events_were_deleted(store, project, with_events, told):
    person = with_ann(store, project)
    before = count(store, project)

    receipt = command(
        store,
        project,
        {"do": "delete_person", "person": person, "with_events": with_events},
    )

    assert receipt["events"] == told == before - count(store, project)


def aged(store, project, *days):
    events = [captured("a", "ann", timestamp=NOW - timedelta(days=one)) for one in days]
    store_events(store, project, events)


def test_events_before_a_moment_are_counted_then_deleted(store, project):
    aged(store, project, 0, 5, 10, 11)
    other = a_project()
    aged(store, other, 20)
    asked = {"do": "delete_events", "before": (NOW - timedelta(days=10)).isoformat()}

    counted = command(store, project, {**asked, "dry_run": True})
    left = count(store, project)
    deleted = command(store, project, asked)
    again = command(store, project, asked)

    assert (counted["events"], counted["deleted"], left) == (1, False, 4)
    assert (deleted["events"], deleted["deleted"]) == (1, True)
    assert (again["events"], again["deleted"]) == (0, False)
    assert store.written(project.id) == count(store, project) == 3
    assert count(store, project, "persons") == 1
    assert count(store, other) == 1


def test_a_moment_that_is_none_is_refused(store, project):
    refused = command(store, project, {"do": "delete_events", "before": "yesterday"})

    assert (refused["error"], refused["attr"]) == ("invalid_input", "before")


@pytest.mark.parametrize(
    ("zone", "days", "before"),
    [
        pytest.param("UTC", 30, "2020-01-01T00:00:00+00:00", id="thirty days and today"),
        pytest.param("Asia/Tokyo", 30, "2020-01-01T15:00:00+00:00", id="days of the zone"),
        pytest.param("UTC", None, None, id="for ever"),
    ],
)
def test_days_of_keeping_are_days_of_the_projects_zone(zone, days, before):
    project = Project(id=1, name="a", api_token="t", timezone=zone, retention_days=days)

    found = kept_from(project, datetime(2020, 1, 31, 16, tzinfo=UTC))

    assert found == (before and datetime.fromisoformat(before))


def test_only_projects_that_say_so_lose_old_events(store):
    keeping, dropping = a_project(), a_project()
    dropping = msgspec.structs.replace(dropping, retention_days=7, timezone="UTC")
    aged(store, keeping, 8)
    aged(store, dropping, 6, 8)
    by_id = {one.id: one for one in (keeping, dropping)}

    def through_inbox(project_id, asked):
        return command(store, by_id[project_id], asked)

    (seen,) = expire(by_id.values(), through_inbox, NOW, dry_run=True)
    (done,) = expire(by_id.values(), through_inbox, NOW, dry_run=False)

    assert (seen["project"], seen["events"], seen["deleted"]) == (dropping.id, 1, False)
    assert (done["events"], done["deleted"]) == (1, True)
    assert (count(store, keeping), count(store, dropping)) == (1, 1)
