"""Plain rows go a short way: it comes to the same as the long one, whatever is mixed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgerow.ingest.batch import prepare
from hedgerow.ingest.drafts import Arrived
from hedgerow.ingest.sheet import as_sheet, is_plain
from hedgerow.ingest.together import plan, wanted
from hedgerow.model.event_columns import as_columns
from hedgerow.model.events import CapturedRequest
from tests.world import NOW, a_project, a_uuid, captured, command, rows

KEPT = {
    "events": "event, distinct_id, timestamp, person_key - k, person_state - s, personless, "
    "group_0, group_1, group_2, group_3, group_4, properties::VARCHAR, uuid",
    "distinct_ids": "distinct_id, person_key - k",
    "persons": "person_key - k, created_at, is_identified, state - s, properties::VARCHAR",
    "person_states": 'id - s, person_key - k, "at", event_uuid, properties::VARCHAR',
    "groups": "type, key, created_at, updated_at, properties::VARCHAR",
    "group_types": "name, index",
    "property_kinds": "scope, key, kind, first_seen",
    "event_names": "event, first_seen, last_seen, volume",
    "merges": 'source_distinct_ids, source_key - k, target_key - k, kind, "at", event_uuid',
    "ingestion_warnings": "type, details, event_uuid, distinct_id",
}
"""Table to its columns; numbers count from the project's first."""

NAMES = [
    "a",
    "$pageview",
    "$identify",
    "$create_alias",
    "$set",
    "$groupidentify",
    "$exception",
]
PEOPLE = ["ann", "bob", "anon-1", "anon-2", "guest", "$posthog_cookieless"]


def group_keys():
    kinds = st.sampled_from(["company", "site", "plan", "city", "room", "sixth"])
    return st.dictionaries(kinds, st.sampled_from(["x", 'q"\\', 7, None]), max_size=4)


def properties():
    return st.fixed_dictionaries(
        {},
        optional={
            "$anon_distinct_id": st.sampled_from(PEOPLE),
            "alias": st.sampled_from(PEOPLE),
            "$process_person_profile": st.sampled_from([False, True]),
            "$groups": group_keys(),
            "$group_0": st.just("own"),
            "$group_type": st.just("company"),
            "$group_key": st.just("acme"),
            "$browser": st.sampled_from(["Firefox", None, 5]),
            "$os": st.sampled_from(["Linux", "macOS"]),
            "$is_server": st.booleans(),
            "$current_url": st.just("https://x.example/?utm_source=news"),
            "n": st.integers() | st.floats(allow_nan=False) | st.none(),
            "é~/": st.sampled_from(["ü", [1, {"a": None}]]),
        },
    )


EVENTS = st.lists(
    st.builds(
        captured,
        st.sampled_from([*NAMES, "a", "a", "a"]),
        st.sampled_from(PEOPLE),
        timestamp=st.sampled_from([None, "2026-01-02T03:04:05Z", "2026-01-01", "nonsense"]),
        properties=properties(),
        set=st.just({})
        | st.dictionaries(st.sampled_from("xyz"), st.integers(), max_size=2),
        unset=st.just(()) | st.just(("x",)),
        uuid=st.sampled_from([a_uuid() for _ in range(30)]),
    ),
    max_size=24,
)


def store_by(store, project, events, plain):
    request = CapturedRequest(token="phc_x", sent_at=None, events=events)
    arrived = Arrived(project=project, received_at=NOW, request=request)
    sheet = as_sheet(prepare([arrived]), plain=plain)
    changes = plan(sheet, store.known(wanted(sheet)))
    store.commit(changes, upto=store.position() + 1)
    return changes


def kept(store, project):
    """Return everything that is stored of a project."""
    firsts = (
        "(SELECT min(person_key) AS k, min(person_state) AS of_events FROM events "
        "WHERE project_id = ?), (SELECT min(id) AS of_states FROM person_states "
        "WHERE project_id = ?), LATERAL (SELECT least(of_events, of_states) AS s)"
    )
    return {
        table: rows(
            store,
            f"SELECT {columns} FROM {table}, {firsts} WHERE project_id = ? ORDER BY ALL",
            *[project.id] * 3,
        )
        for table, columns in KEPT.items()
    }


def forget(store, project, distinct_id, *, with_events):
    """Delete the person behind an id, if there is one."""
    found = rows(
        store,
        "SELECT uuid FROM persons JOIN distinct_ids d USING (person_key) "
        "WHERE d.project_id = ? AND distinct_id = ?",
        project.id,
        distinct_id,
    )
    for (person,) in found:
        delete = {"do": "delete_person", "person": str(person), "with_events": with_events}
        command(store, project, delete)


@settings(max_examples=40, deadline=None)
@given(EVENTS, st.integers(0, 24), st.sampled_from([None, True, False]))
def test_the_short_way_comes_to_the_same_as_the_long_one(store, events, cut, forgotten):
    short, long = a_project(), a_project()
    for project, plain in ((short, is_plain), (long, lambda _: False)):
        store_by(store, project, events[:cut], plain)
        if forgotten is not None:
            forget(store, project, "ann", with_events=forgotten)
        store_by(store, project, events[cut:], plain)

    assert kept(store, short) == kept(store, long)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param(captured("a", "ann"), True, id="an event"),
        pytest.param(
            captured("a", "ann", properties={"$groups": {"c": "x"}}), True, id="groups"
        ),
        pytest.param(captured("a", "ann", set={"x": 1}), False, id="sets"),
        pytest.param(captured("a", "ann", set_once={"x": 1}), False, id="sets once"),
        pytest.param(captured("a", "ann", unset=["x"]), False, id="unsets"),
        pytest.param(captured("$identify", "ann"), False, id="identifies"),
        pytest.param(captured("$groupidentify", "ann"), False, id="describes a group"),
    ],
)
def test_what_changes_nobody_is_plain(project, event, expected):
    request = CapturedRequest(token="phc_x", sent_at=None, events=[event])
    batch = prepare([Arrived(project=project, received_at=NOW, request=request)])

    assert [is_plain(draft) for draft in batch.drafts] == [expected]


def test_events_as_columns_are_the_events(store, project):
    changes = store_by(
        store,
        project,
        [captured("a", "ann", properties={"$groups": {"c": "x"}}), captured("b", "bob")],
        is_plain,
    )
    listed = list(changes.events)

    assert changes.events == listed
    assert as_columns(listed) == changes.events
    assert [changes.events[0], *changes.events[1:]] == listed
    assert (listed[0].groups, listed[1].distinct_id) == (
        ("x", None, None, None, None),
        "bob",
    )
