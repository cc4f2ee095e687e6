"""What events change about people and groups."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgerow.ingest.properties import changed, group_changed, lifted, same, united
from tests.world import a_project, captured, command, rows, store_events

VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
LISTS = st.lists(VALUES, max_size=5)


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        pytest.param({}, {"own": {"a": 1}}, {"a": 1}, id="$set writes"),
        pytest.param({"a": 1}, {"own": {"a": 2}}, {"a": 2}, id="$set replaces"),
        pytest.param({"a": {"b": 1}}, {"own": {"a": {"c": 2}}}, {"a": {"c": 2}}, id="whole"),
        pytest.param({"a": 1}, {"own": {"a": None}}, {"a": None}, id="nulls are stored"),
        pytest.param({"a": 1}, {"once": {"a": 2}}, None, id="$set_once keeps"),
        pytest.param({"a": None}, {"once": {"a": 2}}, {"a": 2}, id="$set_once over null"),
        pytest.param({}, {"once": {"a": 1}, "own": {"a": 2}}, {"a": 2}, id="$set wins"),
        pytest.param({"a": 1}, {"own": {"a": 1}}, None, id="the same is no change"),
        pytest.param({"a": 1}, {"own": {"a": 1.0}}, {"a": 1.0}, id="1.0 is not 1"),
        pytest.param({"a": 1}, {"own": {"a": True}}, {"a": True}, id="true is not 1"),
        pytest.param({"a": 1}, {"unset": ["a"]}, {}, id="$unset removes"),
        pytest.param({}, {"unset": ["a"]}, None, id="$unset of nothing"),
        pytest.param({}, {"own": {"a": 1}, "unset": ["a"]}, {"a": 1}, id="$unset of new keys"),
        pytest.param({"a": 0}, {"own": {"a": 1}, "unset": ["a"]}, {}, id="$unset comes last"),
        pytest.param(
            {}, {"lifted": {"$os": "Linux"}}, {"$os": "Linux", "$initial_os": "Linux"}, id="lift"
        ),
        pytest.param(
            {"$os": "Linux", "$initial_os": "Linux"},
            {"lifted": {"$os": "iOS"}},
            None,
            id="lifted values alone do not rewrite a person",
        ),
        pytest.param(
            {"$os": "Linux", "$initial_os": "Linux"},
            {"lifted": {"$os": "iOS"}, "own": {"a": 1}},
            {"$os": "iOS", "$initial_os": "Linux", "a": 1},
            id="lifted values come along",
        ),
        pytest.param(
            {}, {"lifted": {"$os": "iOS"}, "own": {"$os": "x"}},
            {"$os": "x", "$initial_os": "iOS"}, id="$set wins over lifted",
        ),
    ],
)  # fmt: skip
def test_what_an_event_changes_about_its_person(before, change, after):
    arguments = {"own": {}, "once": {}, "unset": (), "lifted": {}} | change

    assert same(changed(before, **arguments), after)


@pytest.mark.parametrize(
    ("properties", "found"),
    [
        pytest.param(
            {"$browser": "x", "plan": "y"}, {"$browser": "x"}, id="known names only"
        ),
        pytest.param({"utm_source": None}, {"utm_source": None}, id="null is taken too"),
        pytest.param(
            {"$geoip_city_name": "Bonn"}, {"$geoip_city_name": "Bonn"}, id="places"
        ),
        pytest.param(
            {"$is_server": True, "$os": "Linux", "$os_version": "12", "gclid": "g"},
            {"gclid": "g"},
            id="a server's system is not the person's",
        ),
        pytest.param(
            {"$is_server": True, "$os": "Linux", "$os_name": "Debian"},
            {"$os_name": "Debian"},
            id="a server's name of its system is",
        ),
    ],
)
def test_what_is_lifted(properties, found):
    assert lifted(properties) == found


def person_and_event(store, project, name="ann"):
    found = rows(
        store,
        "SELECT p.properties, e.properties FROM persons p JOIN events e USING (person_key) "
        "WHERE e.project_id = ? AND e.distinct_id = ? ORDER BY e.created_at, e.timestamp",
        project.id,
        name,
    )
    return json.loads(found[-1][0]), json.loads(found[-1][1])


def test_an_event_keeps_what_it_set(store, project):
    event = captured("a", "ann", set={"x": 1}, set_once={"y": 2}, unset=["z"])
    store_events(store, project, [event])

    person, kept = person_and_event(store, project)
    assert person == {"x": 1, "y": 2}
    assert kept == {"$set": {"x": 1}, "$set_once": {"y": 2}, "$unset": ["z"]}


@pytest.mark.parametrize("name", ["$exception", "$$heatmap"])
def test_noisy_events_never_change_an_existing_person(store, project, name):
    store_events(store, project, [captured("a", "ann", set={"x": 1})])
    store_events(store, project, [captured(name, "ann", set={"x": 2})])
    store_events(store, project, [captured(name, "bob", set={"x": 3})])

    assert person_and_event(store, project)[0] == {"x": 1}
    assert person_and_event(store, project, "bob")[0] == {"x": 3}


def test_too_large_a_person_stays_as_it_was(store, project):
    store_events(store, project, [captured("a", "ann", set={"x": 1})])
    changes = store_events(store, project, [captured("b", "ann", set={"y": "é" * 300_000})])

    assert [one.type for one in changes.warnings] == ["person_properties_too_large"]
    assert person_and_event(store, project)[0] == {"x": 1}


NUMBERS = '{"big":12345678901234567890123,"whole":5.0,"tiny":1e-7,"int":5}'


def test_numbers_keep_their_digits(store, project):
    store_events(store, project, [captured("a", "ann", properties=json.loads(NUMBERS))])

    (text,) = rows(
        store, "SELECT properties::VARCHAR FROM events WHERE project_id = ?", project.id
    )[0]
    assert text == NUMBERS


def groupidentify(key, group_set, **more):
    properties = {"$group_type": "version", "$group_key": key, "$group_set": group_set}
    return captured("$groupidentify", "someone", properties=properties, **more)


def group(store, project, key):
    found = rows(
        store,
        "SELECT properties FROM groups WHERE project_id = ? AND key = ?",
        project.id,
        key,
    )
    return json.loads(found[0][0]) if found else None


def test_group_properties_are_replaced_key_by_key(store, project):
    store_events(store, project, [groupidentify("3", {"a": 1, "b": [1]}, set={"x": 1})])
    store_events(store, project, [groupidentify("3", {"b": [2], "c": None})])

    assert group(store, project, "3") == {"a": 1, "b": [2], "c": None}


def test_what_groupidentify_sets_on_people_is_discarded(store, project):
    store_events(store, project, [groupidentify("3", {"a": 1}, set={"x": 1})])

    assert person_and_event(store, project, "someone")[0] == {}


def test_a_property_under_the_union_rule_gains_values(store):
    project = a_project(union_properties={"version": ["python_versions"]})
    for version in ("3.12.0", "3.11.5", "3.12.0"):
        store_events(
            store, project, [groupidentify("3.0.0", {"python_versions": [version]})]
        )

    assert group(store, project, "3.0.0") == {"python_versions": ["3.12.0", "3.11.5"]}


@pytest.mark.parametrize("value", [["3.12.0"], None], ids=["a list", "null"])
def test_who_changes_a_group_by_hand_replaces_what_else_unites(store, value):
    project = a_project(union_properties={"version": ["python_versions"]})
    store_events(
        store, project, [groupidentify("3.0.0", {"python_versions": ["3.12.0", "oops"]})]
    )
    wish = {"do": "patch_group", "type": "version", "key": "3.0.0"}
    command(store, project, wish | {"set": {"python_versions": value}})

    assert group(store, project, "3.0.0") == {"python_versions": value}


@pytest.mark.parametrize(
    "properties",
    [
        {"$group_type": "version"},
        {"$group_key": "3"},
        {"$group_type": 5, "$group_key": "3"},
    ],
)
def test_groupidentify_without_type_or_key_is_only_an_event(store, project, properties):
    changes = store_events(
        store, project, [captured("$groupidentify", "x", properties=properties)]
    )

    assert (len(changes.events), changes.groups) == (1, [])


@given(st.lists(LISTS, max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_writers_does_not_change_a_union(writers, random):
    def after(order):
        properties = {}
        for values in order:
            properties = group_changed(properties, {"p": values}, union=["p"]) or properties
        return sorted(map(json.dumps, properties.get("p", [])))

    assert after(writers) == after(random.sample(writers, k=len(writers)))


@given(LISTS, LISTS)
def test_a_union_has_each_value_once_and_keeps_the_present_order(present, coming):
    once = united([], present)
    together = united(once, coming)

    assert together[: len(once)] == once
    assert united(together, coming) == together
