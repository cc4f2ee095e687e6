"""A batch: repeats, groups, kinds, and that the same gives the same."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgerow.ingest.batch import ALONE, prepare
from hedgerow.ingest.drafts import Arrived
from hedgerow.ingest.sheet import as_sheet
from hedgerow.ingest.together import TOGETHER, plan
from hedgerow.model.changes import Known
from hedgerow.model.events import CapturedRequest
from tests.world import NOW, a_project, a_uuid, captured, rows, store_events

NOBODY = {"$process_person_profile": False}


def stored(store, project):
    return rows(
        store,
        "SELECT event, distinct_id, group_0, group_1, properties::VARCHAR FROM events "
        "WHERE project_id = ? ORDER BY event",
        project.id,
    )


def test_a_batch_delivered_twice_stores_nothing_twice(store, project):
    events = [captured("a", "ann", set={"n": 1}), captured("b", "bob")]
    store_events(store, project, events)
    again = store_events(store, project, events)

    assert (again.events, again.persons, again.dropped) == ([], [], 2)
    assert len(stored(store, project)) == 2


def test_the_first_event_of_a_uuid_stays(store, project):
    uuid = a_uuid()
    store_events(
        store, project, [captured("a", "ann", uuid=uuid), captured("b", "bob", uuid=uuid)]
    )
    store_events(store, project, [captured("c", "cat", uuid=uuid)])

    assert [row[0] for row in stored(store, project)] == ["a"]


def test_the_same_uuid_in_another_project_is_another_event(store, project):
    event, other = captured("a", "ann"), a_project()
    store_events(store, project, [event])
    store_events(store, other, [event])

    assert len(stored(store, project)) == len(stored(store, other)) == 1


def test_groups_get_their_columns_and_properties(store, project):
    store_events(
        store,
        project,
        [captured("a", "ann", properties={"$groups": {"company": "acme", "site": 7}})],
    )

    (row,) = stored(store, project)
    assert row[2:4] == ("acme", "7")
    assert json.loads(row[4]) == {
        "$groups": {"company": "acme", "site": 7},
        "$group_0": "acme",
        "$group_1": "7",
    }


@pytest.mark.parametrize(
    "properties",
    [
        pytest.param({"$groups": "acme"}, id="no object"),
        pytest.param({"$groups": {"company": None}}, id="null for a key"),
        pytest.param({"$groups": {"company": ""}}, id="an empty key"),
        pytest.param({"$groups": {"company": "acme"}} | NOBODY, id="a personless event"),
    ],
)
def test_what_names_no_group_is_ignored(store, project, properties):
    store_events(store, project, [captured("a", "ann", properties=properties)])

    (row,) = stored(store, project)
    assert row[2] is None
    assert store.group_types(project.id) == ()


def test_a_sixth_group_type_has_no_index_and_keeps_its_groups(store, project):
    keys = {f"type{number}": "k" for number in range(6)}
    changes = store_events(
        store, project, [captured("a", "ann", properties={"$groups": keys})]
    )
    identify = {"$group_type": "type5", "$group_key": "k", "$group_set": {"a": 1}}
    store_events(store, project, [captured("$groupidentify", "x", properties=identify)])

    assert [one.index for one in store.group_types(project.id)] == [0, 1, 2, 3, 4, None]
    assert [one.type for one in changes.warnings] == ["group_type_without_index"]
    found = rows(store, "SELECT type, key FROM groups WHERE project_id = ?", project.id)
    assert found == [("type5", "k")]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        pytest.param([5, "x"], "Numeric", id="a number first"),
        pytest.param([5.5], "Numeric", id="a fraction"),
        pytest.param(["5", 5], "String", id="a text first"),
        pytest.param([True, 5], "Boolean", id="a boolean first"),
        pytest.param([None, True], "Boolean", id="null does not count"),
        pytest.param([[1]], "String", id="a list is text"),
        pytest.param([None], None, id="only null"),
    ],
)
def test_the_first_value_decides_the_kind(store, project, values, kind):
    for value in values:
        store_events(
            store,
            project,
            [captured("a", "ann", properties={"p": value}, set={"q": value})],
        )

    assert store.kinds(project.id).get(("event", "p")) == kind
    assert store.kinds(project.id).get(("person", "q")) == kind
    assert ("event", "$set") not in store.kinds(project.id)


def test_names_are_counted_with_first_and_last_sight(store, project):
    for day in (3, 1, 2):
        store_events(
            store, project, [captured("a", "ann", timestamp=f"2026-01-0{day}T00:00:00Z")]
        )

    found = rows(
        store,
        "SELECT event, first_seen::VARCHAR, last_seen::VARCHAR, volume FROM event_names "
        "WHERE project_id = ?",
        project.id,
    )
    assert found == [("a", "2026-01-01 00:00:00", "2026-01-03 00:00:00", 3)]
    assert store.first_event_at(project.id).day == 1
    assert store.last_event_at(project.id).day == 3
    assert store.written(project.id) == 3


def test_every_step_says_what_it_does_by_its_name():
    verbs = {"put", "drop", "hide", "place", "note", "count", "write"}

    assert {step.__name__.split("_")[0] for step in (*ALONE, *TOGETHER)} <= verbs
    assert all(step.__doc__ for step in (*ALONE, *TOGETHER))


EVENTS = st.lists(
    st.builds(
        captured,
        st.sampled_from(["a", "$identify", "$set", "$groupidentify"]),
        st.sampled_from(["ann", "bob", "anon"]),
        properties=st.fixed_dictionaries(
            {},
            optional={
                "$anon_distinct_id": st.sampled_from(["anon", "bob"]),
                "$groups": st.just({"company": "acme"}),
                "$group_type": st.just("company"),
                "$group_key": st.just("acme"),
                "$current_url": st.just("https://x.example/?utm_source=news"),
                "n": st.integers() | st.booleans() | st.none(),
            },
        ),
        set=st.dictionaries(st.sampled_from("xyz"), st.integers(), max_size=2),
        uuid=st.uuids().map(str),
    ),
    max_size=10,
)


def planned(project, events):
    request = CapturedRequest(token="phc_x", sent_at=None, events=events)
    arrived = Arrived(project=project, received_at=NOW, request=request)
    return plan(as_sheet(prepare([arrived])), Known())


@given(EVENTS)
def test_the_same_batch_gives_the_same_changes(events):
    project = a_project()

    assert planned(project, events) == planned(project, events)


def contents(store, project):
    """Return everything of a project but its numbers, which depend on when it was made."""
    events = rows(
        store,
        "SELECT e.uuid, e.event, e.distinct_id, e.properties::VARCHAR, e.group_0, p.uuid "
        "= (SELECT uuid FROM persons q JOIN distinct_ids d USING (person_key) WHERE "
        "d.project_id = e.project_id AND d.distinct_id = e.distinct_id), "
        "s.properties::VARCHAR FROM events e LEFT JOIN persons p USING (person_key) "
        "LEFT JOIN person_states s ON s.id = e.person_state WHERE e.project_id = ? "
        "ORDER BY e.uuid",
        project.id,
    )
    persons = rows(
        store,
        "SELECT list_sort(list(distinct_id)), any_value(p.properties::VARCHAR), "
        "any_value(is_identified) FROM persons p JOIN distinct_ids USING (person_key) "
        "WHERE p.project_id = ? GROUP BY person_key ORDER BY 1",
        project.id,
    )
    return events, persons, store.group_types(project.id), store.kinds(project.id)


@settings(max_examples=20, deadline=None)
@given(EVENTS, st.data())
def test_a_batch_cut_anywhere_and_taken_up_again_gives_the_same_store(store, events, data):
    whole, resumed = a_project(), a_project()
    done = data.draw(st.integers(0, len(events)))

    store_events(store, whole, events)
    store_events(store, resumed, events[:done])
    store_events(store, resumed, events)  # as after a crash: from the start

    assert contents(store, resumed) == contents(store, whole)
