"""Who is who: section 9 of the protocol, on a real store."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgerow.ingest.batch import prepare
from hedgerow.ingest.drafts import Arrived
from hedgerow.ingest.identity import is_illegal
from hedgerow.ingest.sheet import as_sheet
from hedgerow.ingest.together import plan
from hedgerow.model.changes import Known
from hedgerow.model.events import CapturedRequest
from tests.world import NOW, a_project, captured, rows, store_events


def people(store, project):
    """Return the persons as the sorted ids of each, and their properties by first id."""
    found = rows(
        store,
        "SELECT person_key, list_sort(list(distinct_id)) FROM distinct_ids JOIN persons p "
        "USING (person_key) WHERE p.project_id = ? GROUP BY 1 ORDER BY 2",
        project.id,
    )
    return [ids for _, ids in found]


def properties(store, project, distinct_id):
    """Return the properties of whoever an id belongs to; None: no person."""
    found = rows(
        store,
        "SELECT p.properties FROM persons p JOIN distinct_ids d USING (person_key) "
        "WHERE d.project_id = ? AND d.distinct_id = ?",
        project.id,
        distinct_id,
    )
    return json.loads(found[0][0]) if found else None


def events_by_person(store, project):
    """Return the names of events by person, as sorted lists."""
    found = rows(
        store,
        "SELECT list_sort(list(event)) FROM events WHERE project_id = ? "
        "GROUP BY person_key ORDER BY 1",
        project.id,
    )
    return [names for (names,) in found]


def identify(anonymous, distinct_id, **more):
    return captured(
        "$identify", distinct_id, properties={"$anon_distinct_id": anonymous}, **more
    )


def alias(old, distinct_id, name="$create_alias", **more):
    return captured(name, distinct_id, properties={"alias": old}, **more)


def test_identify_gives_the_anonymous_past_to_the_person(store, project):
    store_events(store, project, [captured("seen", "anon"), captured("seen too", "anon")])
    store_events(store, project, [identify("anon", "ann"), captured("later", "ann")])

    assert people(store, project) == [["ann", "anon"]]
    assert events_by_person(store, project) == [["$identify", "later", "seen", "seen too"]]


def test_identify_may_arrive_before_older_events(store, project):
    store_events(store, project, [identify("anon", "ann")])
    store_events(store, project, [captured("late", "anon")])

    assert events_by_person(store, project) == [["$identify", "late"]]


def test_identify_without_an_anonymous_id_sets_properties_only(store, project):
    store_events(store, project, [captured("$identify", "ann", set={"plan": "pro"})])

    assert properties(store, project, "ann") == {"plan": "pro"}
    found = rows(
        store, "SELECT is_identified FROM persons WHERE project_id = ?", project.id
    )
    assert found == [(False,)]


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one by one"])
def test_properties_of_the_target_win_when_two_persons_merge(store, project, together):
    history = [
        captured(
            "a", "anon", set={"x": "anon", "y": "anon"}, timestamp="2026-01-01T00:00:00Z"
        ),
        captured(
            "b", "ann", set={"x": "ann", "z": "ann"}, timestamp="2026-02-01T00:00:00Z"
        ),
        identify("anon", "ann", set={"z": "event"}, set_once={"y": "once", "w": "once"}),
    ]
    for batch in [history] if together else [[one] for one in history]:
        store_events(store, project, batch)

    assert people(store, project) == [["ann", "anon"]]
    assert properties(store, project, "ann") == {
        "x": "ann",
        "y": "anon",
        "z": "event",
        "w": "once",
    }
    found = rows(
        store,
        "SELECT created_at::VARCHAR, is_identified FROM persons WHERE project_id = ?",
        project.id,
    )
    assert found == [("2026-01-01 00:00:00", True)]


def test_a_merge_is_logged_with_the_event_that_caused_it(store, project):
    store_events(store, project, [captured("a", "anon"), captured("b", "ann")])
    event = identify("anon", "ann")
    store_events(store, project, [event])

    found = rows(
        store,
        "SELECT kind, event_uuid::VARCHAR, source_distinct_ids FROM merges WHERE project_id=?",
        project.id,
    )
    assert found == [("$identify", event.uuid, '["anon"]')]


@pytest.mark.parametrize("make", [identify, alias], ids=["$identify", "$create_alias"])
def test_who_has_been_identified_is_not_merged_into_somebody_else(store, project, make):
    store_events(store, project, [identify("anon", "ann")])
    changes = store_events(store, project, [make("anon", "bob", set={"plan": "pro"})])

    assert people(store, project) == [["ann", "anon"], ["bob"]]
    assert properties(store, project, "bob") == {"plan": "pro"}
    assert [one.type for one in changes.warnings] == ["cannot_merge_already_identified"]
    assert len(changes.events) == 1


def test_merge_dangerously_merges_who_has_been_identified(store, project):
    store_events(store, project, [identify("anon", "ann"), identify("anon2", "bob")])
    store_events(store, project, [alias("ann", "bob", name="$merge_dangerously")])

    assert people(store, project) == [["ann", "anon", "anon2", "bob"]]


def test_an_identified_target_is_no_obstacle(store, project):
    store_events(store, project, [identify("anon", "ann")])
    store_events(store, project, [captured("a", "phone"), identify("phone", "ann")])

    assert people(store, project) == [["ann", "anon", "phone"]]


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        pytest.param([], [["ann", "anon"]], id="neither has a person"),
        pytest.param(["anon"], [["ann", "anon"]], id="only the source has"),
        pytest.param(["ann"], [["ann", "anon"]], id="only the target has"),
        pytest.param(["ann", "anon"], [["ann", "anon"]], id="both have"),
    ],
)
@pytest.mark.parametrize("personless", [False, True], ids=["", "beside personless events"])
def test_two_ids_become_one_identified_person(store, project, before, expected, personless):
    if personless:
        nobody = {"$process_person_profile": False}
        store_events(
            store,
            project,
            [captured("p", one, properties=nobody) for one in ("ann", "anon")],
        )
    store_events(store, project, [captured("a", one) for one in before])
    store_events(store, project, [alias("anon", "ann")])

    assert people(store, project) == expected
    assert len(events_by_person(store, project)) == 1
    found = rows(
        store, "SELECT is_identified FROM persons WHERE project_id = ?", project.id
    )
    assert found == [(True,)]


ILLEGAL = [
    "anonymous", "Guest", "distinctid", "DISTINCT_ID", "id", "not_authenticated", "Email",
    "undefined", "TRUE", "false", "[object Object]", "NaN", "None", "none", "null", "0",
    " ", "'guest'", '"null"', " 0 ",
]  # fmt: skip


@pytest.mark.parametrize("distinct_id", ILLEGAL)
def test_an_id_that_many_share_by_mistake_is_not_merged(store, project, distinct_id):
    changes = store_events(store, project, [identify(distinct_id, "ann", set={"a": 1})])

    assert is_illegal(distinct_id)
    assert people(store, project) == [["ann"]]
    assert properties(store, project, "ann") == {"a": 1}
    assert [one.type for one in changes.warnings] == ["illegal_distinct_id"]
    assert (
        "guest" not in distinct_id.lower()
        or repr(distinct_id) in changes.warnings[0].details
    )


@pytest.mark.parametrize(
    "distinct_id", ["NONE", "Null", "nan", "ann", "00", "user", "id 1"]
)
def test_an_id_of_one_person_is_legal(distinct_id):
    assert not is_illegal(distinct_id)


@pytest.mark.parametrize(
    ("alias", "distinct_id"),
    [
        pytest.param(42, "42", id="a whole number"),
        pytest.param(23.5, "23.5", id="a number"),
        pytest.param(1e22, "1e22", id="a large number"),
        pytest.param(["a", "b"], '["a","b"]', id="a list"),
        pytest.param("a\0b", "a\ufffdb", id="a NUL"),
        pytest.param("x" * 300, "x" * 200, id="too long"),
    ],
)
def test_an_alias_is_read_as_a_distinct_id_is(store, project, alias, distinct_id):
    alias_of = captured("$create_alias", "ann", properties={"alias": alias})
    store_events(store, project, [captured("a", distinct_id), alias_of])

    assert people(store, project) == [sorted(["ann", distinct_id])]


@pytest.mark.parametrize("alias", [True, False, " "], ids=str)
def test_an_alias_that_cannot_be_one_persons_id_warns(store, project, alias):
    alias_of = captured("$create_alias", "ann", properties={"alias": alias})
    store_events(store, project, [alias_of])

    assert people(store, project) == [["ann"]]
    warned = rows(
        store, "SELECT type FROM ingestion_warnings WHERE project_id = ?", project.id
    )
    assert warned == [("illegal_distinct_id",)]


def test_the_same_id_twice_is_nothing_to_merge(store, project):
    changes = store_events(store, project, [identify("ann", "ann", set={"a": 1})])

    assert not changes.warnings
    assert properties(store, project, "ann") == {"a": 1}


def test_a_chain_of_merges_in_one_batch_ends_at_one_person(store, project):
    store_events(store, project, [captured("one", name) for name in ("a", "b", "c")])
    store_events(
        store,
        project,
        [captured("two", "a"), alias("a", "b"), captured("three", "b"),
         alias("b", "c", name="$merge_dangerously"), captured("four", "a")],
    )  # fmt: skip

    assert people(store, project) == [["a", "b", "c"]]
    assert len(events_by_person(store, project)) == 1


def test_a_personless_event_makes_no_person_and_belongs_to_whoever_comes(store, project):
    nobody = {"$process_person_profile": False, "plan": "x"}
    store_events(store, project, [captured("a", "ann", properties=nobody, set={"b": 1})])
    assert people(store, project) == []

    store_events(store, project, [captured("b", "ann")])
    assert events_by_person(store, project) == [["a", "b"]]
    kept = rows(
        store,
        "SELECT personless, json_extract_string(properties, '/$set') FROM events "
        "WHERE project_id = ? AND event = 'a'",
        project.id,
    )
    assert kept == [(True, None)]


@pytest.mark.parametrize(
    "name", ["$identify", "$create_alias", "$merge_dangerously", "$groupidentify"]
)
def test_what_means_nothing_without_a_person_is_dropped(store, project, name):
    nobody = {"$process_person_profile": False, "$anon_distinct_id": "a", "alias": "a"}
    changes = store_events(store, project, [captured(name, "ann", properties=nobody)])

    assert (changes.events, changes.dropped) == ([], 1)
    warned = rows(
        store,
        "SELECT type, distinct_id FROM ingestion_warnings WHERE project_id = ?",
        project.id,
    )
    assert warned == [("event_needs_a_person", "ann")]


def test_any_other_value_than_false_means_a_person(store, project):
    for number, value in enumerate((True, "false", 0, None)):
        properties = {"$process_person_profile": value}
        store_events(store, project, [captured("a", f"p{number}", properties=properties)])

    assert people(store, project) == [["p0"], ["p1"], ["p2"], ["p3"]]


def test_cookieless_visitors_never_become_a_person(store, project):
    store_events(store, project, [captured("a", "$posthog_cookieless", set={"b": 1})])

    assert people(store, project) == []


def test_an_event_knows_the_state_of_its_person_then(store, project):
    store_events(
        store,
        project,
        [captured("a", "ann", set={"plan": "free"}), captured("b", "ann"),
         captured("c", "ann", set={"plan": "pro"})],
    )  # fmt: skip

    found = rows(
        store,
        "SELECT event, json_extract_string(s.properties, '/plan') FROM events e "
        "JOIN person_states s ON s.id = e.person_state WHERE e.project_id = ? ORDER BY 1",
        project.id,
    )
    assert found == [("a", "free"), ("b", "free"), ("c", "pro")]


NAMES = ["anon-1", "anon-2", "ann", "ann@work", "bob"]
PAIRS = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=8)
PROJECT = a_project()


def partition(changes):
    """Return who is who, from nothing, as a set of sets of ids."""
    by_key = {}
    for _, distinct_id, key in changes.distinct_ids:
        by_key.setdefault(key, set()).add(distinct_id)
    return {frozenset(ids) for ids in by_key.values()}


def planned(events):
    request = CapturedRequest(token="phc_x", sent_at=None, events=events)
    batch = prepare([Arrived(project=PROJECT, received_at=NOW, request=request)])
    return plan(as_sheet(batch), Known())


@given(PAIRS, st.randoms(use_true_random=False))
def test_the_order_of_merges_does_not_change_who_is_who(history, random):
    everybody = [captured("hello", name) for name in NAMES]
    merges = [alias(a, b, name="$merge_dangerously") for a, b in history]
    shuffled = random.sample(merges, k=len(merges))

    assert partition(planned(everybody + merges)) == partition(
        planned(everybody + shuffled)
    )


@settings(max_examples=20, deadline=None)
@given(PAIRS, st.data())
def test_it_does_not_matter_where_a_history_is_cut_into_batches(store, history, data):
    cut = data.draw(st.integers(0, len(history)))
    events = [alias(a, b, set={a: b}) for a, b in history]
    whole, parts = a_project(), a_project()

    store_events(store, whole, events)
    for part in (events[:cut], events[cut:]):
        store_events(store, parts, part)

    assert people(store, parts) == people(store, whole)
    assert events_by_person(store, parts) == events_by_person(store, whole)
    for name in NAMES:
        assert properties(store, parts, name) == properties(store, whole, name)
