"""The fleet over HTTP: settings, releases, figures, the people behind them, CSV."""

import csv
import io

import pytest

BEATS = [
    ("ann", "2025-03-01T10:00:00Z", "2.9.0", "Linux"),
    ("ann", "2025-03-20T10:00:00Z", "3.0.0", "Linux"),
    ("bob", "2025-03-20T10:00:00Z", "2.9.0", "Windows"),
    ("cat", "2025-03-01T10:00:00Z", "2.8.0", "Linux"),
]
RELEASES = [
    {"version": "2.8.0", "released_at": "2025-01-01"},
    {"version": "2.9.0", "released_at": "2025-02-01"},
    {"version": "3.0.0", "released_at": "2025-03-10"},
]


def beat(who, at, version, platform):
    properties = {"version": version, "platform": platform}
    return {
        "event": "telemetry.health",
        "distinct_id": who,
        "timestamp": at,
        "properties": properties,
    }


@pytest.fixture
def fleet(api):
    """A project with three installations and three releases."""
    api.capture(*(beat(*one) for one in BEATS))
    api.patch("/fleet/settings", {"releases": RELEASES})
    return api


def test_settings_are_the_guides_until_they_are_changed(api):
    told = api.get("/fleet/settings")

    assert told["heartbeat_event"] == "telemetry.health"
    assert (told["silent_after_days"], told["gone_after_days"]) == (7, 30)
    assert {one["field"] for one in told["warnings"]} >= {"heartbeat_event"}


def test_a_longer_interval_moves_the_limits_along(api):
    told = api.patch("/fleet/settings", {"heartbeat_interval_hours": 168})

    assert (told["silent_after_days"], told["gone_after_days"]) == (21, 70)


@pytest.mark.parametrize(
    ("change", "attr"),
    [
        ({"heartbeat": "x"}, "heartbeat"),
        ({"eol": {"two": "2025-01-01"}}, "eol"),
        ({"eol": {"2": "soon"}}, "eol.2"),
        ({"releases": [{"version": "1", "released_at": "x"}]}, "releases[0].released_at"),
        ({"gone_after_days": 3}, "gone_after_days"),
        ({"public": {"k": 4}}, "public.k"),
        ({"public": {"tables": ["version", "environment"]}}, "public.tables"),
        ({"public": {"tables": ["version", "version"]}}, "public.tables"),
        ({"public": {"cross": ["version"]}}, "public.cross"),
        ({"public": {"enabled": True}}, "public.slug"),
        ({"quorum": {"share": 2}}, "quorum"),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(api, change, attr):
    told = api.refused("PATCH", "/fleet/settings", change)

    assert told["attr"] == attr


def test_releases_are_added_changed_yanked_and_removed(api):
    api.post("/fleet/releases", {"version": "3.1.0", "released_at": "2025-04-01"})
    api.post("/fleet/releases", {"version": "v3.1", "released_at": "2025-04-02"})
    api.post("/fleet/releases", {"version": "3.2.0", "released_at": "2025-05-01"})
    api.patch("/fleet/releases/3.2.0", {"yanked_at": "2025-05-03"})
    api.call("DELETE", "/fleet/releases/v3.1", status=204)

    (left,) = api.get("/fleet/releases")["results"]
    assert (left["version"], left["yanked_at"]) == ("3.2.0", "2025-05-03")
    assert api.refused("DELETE", "/fleet/releases/9", status=404)["code"] == "not_found"


def test_a_code_hosts_list_and_a_table_can_be_imported(api):
    host = [
        {"tag_name": "v1.0", "published_at": "2025-01-01T09:00:00Z", "prerelease": False},
        {
            "tag_name": "v1.1-rc1",
            "published_at": "2025-02-01T09:00:00Z",
            "prerelease": True,
        },
        {"tag_name": "v1.1", "published_at": None, "draft": True},
        {"tag_name": "v1.2", "published_at": "soon"},
    ]
    told = api.post("/fleet/releases/import", host, status=200)
    table = b"version,released_at\n1.0,2025-01-02\n1.3,2025-03-01\n"
    again = api.call("POST", "/fleet/releases/import", content=table)

    assert (told["added"], told["changed"]) == (2, 0)
    assert [one["version"] for one in told["skipped"]] == ["v1.1", "v1.2"]
    assert (again["added"], again["changed"], again["skipped"]) == (1, 1, [])


def test_versions_are_put_in_order(api):
    asked = {"versions": ["3.0", "latest", None, "2.10", "2.9", "3.0.0"]}

    assert api.post("/fleet/versions/order", asked, status=200) == {
        "ordered": [["2.9"], ["2.10"], ["3.0", "3.0.0"]],
        "unordered": ["latest"],
        "missing": [None],
    }


def test_before_the_first_heartbeat_the_answer_says_what_is_awaited(api):
    told = api.refused("GET", "/fleet/versions", status=404)

    assert told["code"] == "fleet_not_configured"
    assert "telemetry.health" in told["detail"]


def test_a_figure_has_an_address_and_shows_its_sql(fleet):
    told = fleet.get("/fleet/versions?as_of=2025-03-22")

    rows = [(one["version"], one["count"]) for one in told["results"]["rows"]]
    assert rows == [("2.8.0", 1), ("2.9.0", 1), ("3.0.0", 1)]
    assert "fleet_stretches" in told["hogql"]
    assert told["results"]["source"] == "list"


def test_the_overview_holds_what_the_screen_needs(fleet):
    told = fleet.get("/fleet/overview?as_of=2025-03-22")["results"]

    assert told["newest"]["version"] == "3.0.0"
    assert told["states"]["reporting"] == 2
    assert told["adoption"]["share"][-1] == 0.5
    assert told["active"]["last_24h"] == told["today"]["so_far"] == 0


def test_a_figure_comes_as_csv(client, fleet):
    address = f"/api/projects/{fleet.id}/fleet/behind?as_of=2025-03-22&format=csv"
    answer = client.get(address, headers=fleet.key.header)

    assert answer.headers["content-type"].startswith("text/csv")
    assert list(csv.reader(io.StringIO(answer.text))) == [
        ["releases_behind", "count"],
        ["0", "1"],
        ["1", "1"],
        ["2", "1"],
    ]


@pytest.mark.parametrize(
    ("query", "attr"),
    [
        ("versions?colour=red", "colour"),
        ("versions?version=3", "params.version"),
        ("distribution", "params.property"),
        ("versions?window_days=0", "params.window_days"),
        ("flow?date_from=2025-03-05&date_to=2025-03-01", "params.date_from"),
        ("versions?properties=[{]", "properties"),
        ("versions?fold=patch", "params.fold"),
    ],
)
def test_a_parameter_that_is_not_understood_is_refused_by_name(fleet, query, attr):
    assert fleet.refused("GET", f"/fleet/{query}")["attr"] == attr


def test_a_version_that_is_no_release_is_not_found(fleet):
    told = fleet.refused(
        "GET", "/fleet/adoption?version=3.0.0&as_of=2025-03-01", status=404
    )

    assert told["code"] == "unknown_release"


def test_installations_are_listed_by_state_version_and_property(fleet):
    address = "/fleet/installations?as_of=2025-03-22"
    all_ = fleet.get(address)["results"]
    old = fleet.get(f"{address}&version_lt=3.0")["results"]
    linux = '[{"key":"platform","value":"Linux"}]'
    silent = fleet.get(f"{address}&state=silent&properties={linux}")["results"]

    assert [one["distinct_id"] for one in all_["rows"]] == ["ann", "bob", "cat"]
    assert [one["distinct_id"] for one in old["rows"]] == ["bob", "cat"]
    assert [one["distinct_id"] for one in silent["rows"]] == ["cat"]
    assert all_["rows"][0] | {"person_id": ""} == {
        "distinct_id": "ann",
        "person_id": "",
        "state": "reporting",
        "version": "3.0.0",
        "releases_behind": 0,
        "platform": "Linux",
        "deployment_method": None,
        "first_seen": "2025-03-01",
        "last_heartbeat": "2025-03-20",
    }
    assert fleet.get(f"/persons/{all_['rows'][0]['person_id']}")["distinct_ids"] == ["ann"]


@pytest.mark.parametrize(
    ("figure", "row", "people"),
    [
        ("versions", {"version": "2.9.0"}, ["bob"]),
        ("behind", {"releases_behind": 2}, ["cat"]),
        ("states", {"state": "silent"}, ["cat"]),
        ("paths", {"from": "2.9.0", "to": "3.0.0"}, ["ann"]),
        ("versions", {}, ["ann", "bob", "cat"]),
        ("active", {"window": "weekly"}, ["ann", "bob"]),
    ],
)
def test_the_installations_behind_a_row_can_be_listed(fleet, figure, row, people):
    params = (
        {"at": "2025-03-22T12:00:00Z"} if figure == "active" else {"as_of": "2025-03-22"}
    )
    source = {"kind": "FleetQuery", "figure": figure, "params": params}
    query = {
        "kind": "ActorsQuery",
        "source": {"kind": "FleetActorsQuery", "source": source, "row": row},
        "select": ["actor"],
    }

    told = fleet.post("/query", {"query": query}, status=200)["results"]

    assert sorted(one for (who,) in told for one in who["distinct_ids"]) == people


def test_a_row_that_a_figure_does_not_have_is_refused(fleet):
    source = {"kind": "FleetQuery", "figure": "states", "params": {"as_of": "2025-03-22"}}
    actors = {"kind": "FleetActorsQuery", "source": source, "row": {"colour": "red"}}

    told = fleet.refused(
        "POST", "/query", {"query": {"kind": "ActorsQuery", "source": actors}}
    )

    assert told["attr"] == "row.colour"


def test_events_are_listed_and_exported_by_version(client, fleet):
    newer = '[{"key":"version","operator":"version_gte","value":"2.9"}]'
    listed = fleet.get(f"/events?properties={newer}")["results"]
    address = f"/api/projects/{fleet.id}/events/export?properties={newer}"
    exported = client.get(address, headers=fleet.key.header).text.splitlines()

    assert len(listed) == len(exported) == 3


def test_a_cohort_by_version_has_a_size_from_its_first_moment(api):
    api.capture(
        *(
            {
                **beat(who, "2025-03-01T10:00:00Z", version, "Linux"),
                "$set": {"runs": version},
            }
            for who, version in (("ann", "2.9"), ("bob", "2.10"), ("cat", "main"))
        )
    )
    leaf = {"type": "person", "key": "runs", "operator": "version_gte", "value": "2.10"}
    filters = {"properties": {"type": "AND", "values": [leaf]}}
    made = api.post("/cohorts", {"name": "Newer", "filters": filters})
    members = api.get(f"/cohorts/{made['id']}/persons")["results"]

    assert made["count"] == 1
    assert [one["distinct_ids"] for one in members] == [["bob"]]


def test_on_the_first_day_the_heartbeat_counts_as_seen(api, house):
    api.capture(beat("ann", house.clock().isoformat(), "3.0.0", "Linux"))

    api.get("/fleet/versions")
    assert api.get("/fleet/versions?as_of=today")["results"]["total"] == 1
