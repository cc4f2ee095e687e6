"""What the API does, asked of a whole house."""

import pytest

from tests.world import ndjson

EVENT = {"event": "sign up", "distinct_id": "ann", "properties": {"plan": "free"}}
TRENDS = {"kind": "TrendsQuery", "series": [{"kind": "EventsNode", "event": "sign up"}]}
FREE = {"type": "person", "key": "plan", "operator": "exact", "value": "free"}


def people(api, *lines):
    text = "\n".join(lines).encode()
    return api.call("POST", "/persons/import", content=text)


def test_a_project_is_made_changed_and_deleted(client, admin):
    made = client.post(
        "/api/projects",
        json={"name": "Shop", "group_types": ["company", "team"], "timezone": None},
        headers=admin.header,
    )
    assert made.status_code == 201
    address = f"/api/projects/{made.json()['id']}"
    assert made.json()["group_types"] == ["company", "team"]
    assert made.json()["timezone"] == "UTC"

    changed = client.patch(address, json={"week_start_day": 1}, headers=admin.header)
    assert (changed.json()["week_start_day"], changed.json()["name"]) == (1, "Shop")
    assert client.delete(address, headers=admin.header).status_code == 204
    assert client.get(address, headers=admin.header).status_code == 404


@pytest.mark.parametrize(
    ("fields", "attr"),
    [
        pytest.param({"name": " "}, "name", id="blank name"),
        pytest.param({"name": "x", "timezone": "Mars"}, "timezone", id="no such zone"),
        pytest.param({"name": "x", "week_start_day": 3}, "week_start_day", id="Wednesday"),
        pytest.param({"name": "x", "retention_days": 0}, "retention_days", id="no days"),
        pytest.param({"name": "x", "id": 7}, "id", id="its number"),
        pytest.param({"name": "x", "api_token": "y"}, "api_token", id="its token"),
        pytest.param({"name": "x", "group_types": ["a", "a"]}, "group_types", id="twice"),
        pytest.param(
            {"name": "x", "path_cleaning_filters": [{"regex": "(", "alias": "a"}]},
            "path_cleaning_filters[0].regex",
            id="an expression that cannot be read",
        ),
    ],
)
def test_a_field_of_a_project_that_cannot_be_is_named(client, admin, fields, attr):
    answer = client.post("/api/projects", json=fields, headers=admin.header)

    assert answer.status_code == 400
    assert answer.json()["attr"] == attr


def test_a_change_cannot_clear_what_must_be_there(api):
    assert api.refused("PATCH", "", {"name": None})["attr"] == "name"


def test_what_is_captured_can_be_asked_after_a_flush(api):
    api.capture(EVENT, EVENT)

    answer = api.post("/query", {"query": TRENDS}, status=200)

    assert answer["results"][0]["count"] == 2
    assert api.get("/ingestion")["written"] == 2


def test_a_field_of_a_query_that_nobody_knows_is_named(api):
    wrong = {**TRENDS, "colour": "red"}

    assert api.refused("POST", "/query", {"query": wrong})["attr"] == "colour"


def test_an_asynchronous_question_is_answered_later_and_kept(api):
    body = {"query": TRENDS, "refresh": "async", "client_query_id": "mine"}
    assert api.post("/query", body, status=200)["query_status"]["query_async"]

    status = {"complete": False}
    while not status["complete"]:
        status = api.get("/query/mine")["query_status"]

    assert status["results"]["results"][0]["count"] == 0
    api.call("DELETE", "/query/mine", status=204)
    api.refused("GET", "/query/other", status=404)


def test_a_line_makes_a_person_with_all_its_ids_and_a_bad_one_is_told(api):
    done = people(api, '{"distinct_ids": ["a", "b"], "properties": {"plan": "free"}}', "no")

    assert (done["created"], done["failed"], done["errors"][0]["line"]) == (1, 1, 2)
    found = api.get("/persons/b")
    assert found["distinct_ids"] == ["a", "b"]
    assert found["is_identified"]
    assert api.get(f"/persons/{found['id']}") == found
    api.refused("GET", "/persons/nobody", status=404)


def test_a_person_is_found_by_each_way_of_looking(api):
    people(
        api,
        '{"distinct_ids": ["a"], "properties": {"email": "ann@b.c", "plan": "free"}}',
        '{"distinct_ids": ["b"], "properties": {"email": "bob@b.c", "plan": "team"}}',
    )
    ways = [
        "search=ANN",
        "distinct_id=a",
        "email=ann@b.c",
        'properties=[{"key":"plan","type":"person","value":"free"}]',
    ]

    for way in ways:
        (found,) = api.get(f"/persons?{way}")["results"]
        assert (found["name"], found["distinct_ids"]) == ("ann@b.c", ["a"])
    assert len(api.get("/persons")["results"]) == 2


def test_a_person_is_changed_merged_split_and_deleted(api):
    people(api, '{"distinct_ids": ["a"]}', '{"distinct_ids": ["b"]}')
    changed = api.patch("/persons/a", {"properties": {"x": 1, "y": None}, "unset": ["z"]})
    assert changed["properties"] == {"x": 1, "y": None}

    merged = api.post("/persons/merge", {"target": "a", "sources": ["b"]}, status=200)
    assert merged["distinct_ids"] == ["a", "b"]
    api.post("/persons/a/split", {"main_distinct_id": "a"}, status=200)
    assert api.get("/persons/b")["properties"] == {}
    api.call("DELETE", "/persons/a?delete_events=true", status=204)
    api.refused("GET", "/persons/a", status=404)


def test_groups_are_listed_shown_and_changed(api):
    line = b'{"type": "company", "key": "acme", "properties": {"name": "Acme"}}'
    api.call("POST", "/groups/import", content=line)

    assert api.get("/groups_types")[0]["group_type"] == "company"
    assert len(api.get("/groups?group_type_index=0&search=ACM")["results"]) == 1
    assert api.get("/groups?group_type_index=0&search=zzz")["results"] == []
    where = "?group_type_index=0&group_key=acme"
    changed = api.patch(f"/groups{where}", {"properties": {"size": 3}})
    assert changed["group_properties"] == {"name": "Acme", "size": 3}
    assert api.get(f"/groups/find{where}") == changed
    assert api.refused("GET", "/groups?group_type_index=4")["attr"] == "group_type_index"


def test_groups_of_the_sixth_type_are_asked_for_by_name(api):
    types = ["one", "two", "three", "four", "five", "shelf"]
    lines = [{"type": name, "key": "k", "properties": {"of": name}} for name in types]
    api.call("POST", "/groups/import", content=ndjson(lines))
    api.post("/ingestion/flush", {}, status=200)
    assert [one["group_type_index"] for one in api.get("/groups_types")][-1] is None
    for asked, name in (("4", "five"), ("five", "five"), ("shelf", "shelf")):
        found = api.get(f"/groups?group_type_index={asked}")["results"]
        assert [one["group_properties"] for one in found] == [{"of": name}]
    one = api.get("/groups/find?group_type_index=shelf&group_key=k")
    assert (one["group_type"], one["group_type_index"]) == ("shelf", None)
    assert api.refused("GET", "/groups?group_type_index=5")["attr"] == "group_type_index"


def test_events_are_listed_found_and_written_out(api):
    api.capture({**EVENT, "timestamp": "2026-01-01T00:00:00Z"}, {**EVENT, "event": "buy"})
    (newest, oldest) = api.get("/events")["results"]

    assert (newest["event"], oldest["event"]) == ("buy", "sign up")
    assert newest["person"] is not None
    assert api.get(f"/events/{oldest['uuid']}") == oldest
    assert [e["event"] for e in api.get("/events?event=buy")["results"]] == ["buy"]
    assert api.get("/events?before=2025-01-01")["results"] == []
    header = api.key.header
    address = f"/api/projects/{api.id}/events/export"
    lines = api.client.get(address, headers=header).text.splitlines()
    table = api.client.get(f"{address}?format=csv", headers=header).text.splitlines()
    assert (len(lines), len(table)) == (2, 3)
    assert '"sign up"' in lines[0]
    refused = api.client.get(f"{address}?after=", headers=header)
    assert (refused.status_code, refused.json()["attr"]) == (400, "after")


def test_a_cohort_counts_lists_and_refuses(api):
    people(
        api,
        '{"distinct_ids": ["a"], "properties": {"plan": "free"}}',
        '{"distinct_ids": ["b"], "properties": {"plan": "team"}}',
    )
    filters = {"properties": {"type": "AND", "values": [FREE]}}
    made = api.post("/cohorts", {"name": "free", "filters": filters})

    assert made["count"] == 1
    (member,) = api.get(f"/cohorts/{made['id']}/persons")["results"]
    assert member["distinct_ids"] == ["a"]
    api.refused("POST", f"/cohorts/{made['id']}/add_persons", {"distinct_ids": ["b"]})
    api.patch(f"/cohorts/{made['id']}", {"deleted": True})
    api.refused("GET", f"/cohorts/{made['id']}", status=404)


def test_the_older_form_of_a_cohort_means_the_same(api):
    people(api, '{"distinct_ids": ["a"], "properties": {"plan": "free"}}')

    made = api.post("/cohorts", {"name": "o", "groups": [{"properties": {"plan": "free"}}]})

    assert made["count"] == 1


@pytest.mark.parametrize(
    ("fields", "attr"),
    [
        pytest.param({"query": {"kind": "ActorsQuery"}}, "query", id="a query"),
        pytest.param({"distinct_ids": ["a"]}, "is_static", id="a list"),
        pytest.param({"name": ""}, "name", id="no name"),
        pytest.param({"filters": {"x": 1}}, "filters.x", id="unknown field"),
    ],
)
def test_a_cohort_by_criteria_takes_criteria_only(api, fields, attr):
    said = api.refused("POST", "/cohorts", {"name": "c", **fields})

    assert said["attr"] == attr


@pytest.mark.parametrize(
    ("file", "added", "unknown"),
    [
        pytest.param("a\nb\nzzz\n", 2, 1, id="a column without a name"),
        pytest.param("n,distinct_id\n1,a\n2,\n", 1, 0, id="distinct_id"),
        pytest.param("email\nann@b.c\nno@b.c\n", 1, 1, id="email"),
    ],
)
def test_a_static_cohort_takes_a_file(api, file, added, unknown):
    people(
        api,
        '{"distinct_ids": ["a"], "properties": {"email": "ann@b.c"}}',
        '{"distinct_ids": ["b"]}',
    )
    made = api.post("/cohorts", {"name": "s", "is_static": True})

    done = api.call("POST", f"/cohorts/{made['id']}/upload", content=file.encode())

    assert done == {"added": added, "unknown": unknown}
    assert api.get(f"/cohorts/{made['id']}")["count"] == added


def test_a_static_cohort_made_of_ids_says_how_many_nobody_has(api):
    people(api, '{"distinct_ids": ["a"], "properties": {}}')
    body = {"name": "s", "is_static": True, "distinct_ids": ["a", "x", "y"]}
    made = api.post("/cohorts", body)

    assert (made["count"], made["unknown"]) == (1, 2)
    assert "unknown" not in api.get(f"/cohorts/{made['id']}")


def test_a_static_cohort_keeps_who_met_criteria_when_it_was_made(api):
    people(api, '{"distinct_ids": ["a"], "properties": {"plan": "free"}}')
    filters = {"properties": {"type": "AND", "values": [FREE]}}
    made = api.post("/cohorts", {"name": "s", "is_static": True, "filters": filters})
    people(api, '{"distinct_ids": ["b"], "properties": {"plan": "free"}}')

    assert api.get(f"/cohorts/{made['id']}")["count"] == 1


def test_an_insight_is_saved_answered_hidden_and_brought_back(api):
    api.capture(EVENT)
    made = api.post("/insights", {"name": "Sign ups", "query": TRENDS})

    shown = api.get(f"/insights/{made['short_id']}?refresh=blocking")
    assert shown["result"][0]["count"] == 1
    api.call("DELETE", f"/insights/{made['id']}", status=204)
    api.refused("GET", f"/insights/{made['id']}", status=404)
    assert api.patch(f"/insights/{made['id']}", {"deleted": False})["name"] == "Sign ups"
    api.refused("POST", "/insights", {"query": {"kind": "Nope"}})


def test_a_template_makes_a_dashboard_and_the_projects_rule(api):
    body = {"template": "installation-health"}

    made = api.post("/dashboards/from_template", body)

    assert len(made["tiles"]) == 5
    assert api.get()["union_properties"] == {"version": ["python_versions"]}


def test_tiles_are_added_moved_and_removed(api):
    board = api.post("/dashboards", {"name": "Mine"})
    tile = api.post(f"/dashboards/{board['id']}/tiles", {"text": "Hello"})
    place = {"x": 3, "y": 1, "w": 4, "h": 2}

    moved = api.patch(
        f"/dashboards/{board['id']}",
        {"tiles": [{"id": tile["id"], "layouts": {"sm": place}, "text": "Bye"}]},
    )
    assert (moved["tiles"][0]["layouts"], moved["tiles"][0]["text"]) == (
        {"sm": place},
        "Bye",
    )
    api.call("DELETE", f"/dashboards/{board['id']}/tiles/{tile['id']}", status=204)
    assert api.get(f"/dashboards/{board['id']}")["tiles"] == []


def test_people_say_what_a_property_is_and_it_holds_for_all_data(api):
    api.capture({**EVENT, "properties": {"size": "10"}})
    name = "/property_definitions/size"

    assert api.patch(name, {"property_type": "Numeric"})["property_type"] == "Numeric"
    listed = {p["name"]: p for p in api.get("/property_definitions")["results"]}
    assert listed["size"]["property_type"] == "Numeric"
    assert api.patch(name, {"property_type": None})["property_type"] == "String"
    said = api.patch("/event_definitions/sign up", {"verified": True})
    assert (said["volume"], said["verified"]) == (1, True)
    assert api.get("/property_values?key=size")[0]["name"] == "10"


def test_an_experiment_is_saved_and_answered(api):
    metric = {"metric_type": "mean", "source": {"kind": "EventsNode", "event": "buy"}}
    body = {
        "name": "Button",
        "variants": ["control", "test"],
        "start_date": "2026-01-01",
        "metrics": [metric],
    }
    made = api.post("/experiments", body)

    told = api.get(f"/experiments/{made['id']}/results")
    assert told["metrics"][0]["results"]["baseline"]["number_of_samples"] == 0
    by_number = {"kind": "ExperimentQuery", "experiment_id": made["id"], "metric": metric}
    assert api.post("/query", {"query": by_number}, status=200)["results"]
    api.refused("POST", "/experiments", {**body, "variants": ["one"]})


def test_health_readiness_and_figures_ask_for_no_key(client):
    assert client.get("/_health").json() == {"status": "ok"}
    assert client.get("/_ready").json()["wrong"] == {}
    assert "hedgerow_capture_events_total" in client.get("/metrics").text


def test_the_history_of_a_person_tells_each_change_and_the_event_that_made_it(api):
    api.capture(EVENT | {"$set": {"plan": "free"}})
    api.capture(EVENT | {"$set": {"plan": "team", "seats": 5}})

    told = api.get("/persons/ann/history")["results"]

    assert [(one["property"], one.get("before"), one["after"]) for one in told] == [
        ("plan", "free", "team"),
        ("seats", None, 5),
        ("plan", None, "free"),
    ]
    assert all(one["event_uuid"] for one in told)


def test_a_merge_can_be_looked_at_before_it_is_done(api):
    people(
        api,
        '{"distinct_ids": ["ann"], "properties": {"plan": "free"}}',
        '{"distinct_ids": ["bob"], "properties": {"plan": "team", "seats": 2}}',
    )

    asked = {"target": "ann", "sources": ["bob"], "preview": True}
    seen = api.post("/persons/merge", asked, status=200)

    assert seen["properties"] == {"plan": "free", "seats": 2}
    assert seen["distinct_ids"] == ["ann", "bob"]
    assert api.get("/persons/bob")["properties"] == {"plan": "team", "seats": 2}


def test_a_deletion_answers_with_a_receipt(api):
    api.capture(EVENT)

    receipt = api.post("/persons/ann/delete", {"delete_events": True}, status=200)

    assert "ann" in receipt["distinct_ids"]
    api.refused("GET", "/persons/ann", status=404)


def test_what_was_set_aside_is_shown_with_its_reason(api, house):
    house.inbox.append(api.id, "capture", house.clock(), b"{}", b"[broken").result()
    api.capture(EVENT)

    state = api.get("/ingestion")

    assert (state["written"], state["set_aside"], state["failure"]) == (1, 1, None)
    assert "no JSON" in state["set_aside_latest"][0]["reason"]
    assert (state["damaged"], state["lag_events"]) == (0, 0)


def test_while_the_inbox_is_full_the_state_says_so(api, house, monkeypatch):
    monkeypatch.setattr(house.inbox, "_max_bytes", 0)

    refused = api.client.post("/e/", json={**EVENT, "api_key": api.token})

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert "The inbox is full" in api.get("/ingestion")["failure"]
