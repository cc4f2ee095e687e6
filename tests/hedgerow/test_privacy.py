"""A project's rules of privacy hold before anything is stored."""

import json

import pytest

from tests.world import a_project, captured, import_persons, rows, store_events


def whole_store(store, project):
    """Return every text the store has of a project, in one."""
    tables = ("events", "persons", "person_states", "groups", "ingestion_warnings")
    return json.dumps(
        [
            rows(store, f"SELECT * FROM {table} WHERE project_id = ?", project.id)
            for table in tables
        ],
        default=str,
    )


def rule(action, **more):
    return {"property": "email", "action": action} | more


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        pytest.param(rule("drop"), None, id="drop"),
        pytest.param(rule("shorten", length=3), "can", id="shorten"),
        pytest.param(rule("shorten"), "c", id="shorten to one"),
        pytest.param(rule("blur"), None, id="a rule not understood drops"),
    ],
)
def test_a_rule_holds_wherever_the_property_stands(store, given, kept):
    project = a_project(privacy_rules=[given])
    secret = "canary@example.org"
    store_events(
        store,
        project,
        [captured("a", "ann", properties={"email": secret}, set={"email": secret}),
         captured("b", "bob", set_once={"email": secret}),
         captured("$groupidentify", "x", properties={
             "$group_type": "c", "$group_key": "k", "$group_set": {"email": secret}})],
    )  # fmt: skip
    import_persons(
        store, project, [{"distinct_ids": ["cat"], "properties": {"email": secret}}]
    )

    assert secret not in whole_store(store, project)
    found = rows(
        store,
        "SELECT DISTINCT json_extract_string(properties, '/email') FROM persons "
        "WHERE project_id = ? AND properties::VARCHAR <> '{}'",
        project.id,
    )
    assert found == ([(kept,)] if kept else [])


def test_hashed_values_stay_equal_and_differ_between_projects(store):
    hashes = []
    for project in (
        a_project(privacy_rules=[rule("hash")]),
        a_project(privacy_rules=[rule("hash")]),
    ):
        events = [
            captured("a", name, properties={"email": "a@b.c"}) for name in ("ann", "bob")
        ]
        store_events(store, project, events)
        hashes.append(
            rows(
                store,
                "SELECT DISTINCT json_extract_string(properties, '/email') FROM events "
                "WHERE project_id = ?",
                project.id,
            )
        )

    assert [len(one) for one in hashes] == [1, 1]
    assert hashes[0] != hashes[1]


@pytest.mark.parametrize("action", ["drop", "hash", "shorten"])
def test_a_rule_holds_for_the_first_value_too(store, action):
    name, secret = "$current_url", "https://secret.example"
    project = a_project(privacy_rules=[{"property": name, "action": action}])
    first = {"$initial_current_url": secret}
    events = [
        captured("a", "ann", properties={name: secret}),
        captured("a", "bob", set=first, set_once=first),
    ]
    store_events(store, project, events)

    assert secret not in whole_store(store, project)


def test_no_ip_address_is_kept_where_they_are_anonymized(store):
    project = a_project(anonymize_ips=True)
    address = {"$ip": "192.0.2.77"}
    event = captured("a", "ann", properties=address, set=address, set_once=address)
    store_events(store, project, [event], place=lambda _: {"$geoip_city_name": "Bonn"})

    text = whole_store(store, project)
    assert "192.0.2.77" not in text
    assert "Bonn" in text
