"""The founding guide's queries, cohorts and widgets, asked of what the real SDK sent."""

from datetime import UTC, datetime, timedelta

import pytest
from posthog import Posthog

from tests.contract.server import serving

pytestmark = pytest.mark.slow
FLEET = {  # fingerprint → version, old version (an update), platform, deployment
    "a" * 64: ("3.0.0", "2.9.0", "Linux", "docker"),
    "b" * 64: ("3.0.0", "2.9.0", "Linux", "docker"),
    "c" * 64: ("3.1.0", "2.9.0", "Windows", "native"),
    "d" * 64: ("2.9.0", "2.8.0", "Darwin", "native"),
}
PEOPLE = {"1": ("admin", "oidc"), "2": ("user", "local"), "3": ("admin", "local")}
NOW = datetime.now(UTC)


def report_of_an_installation(client, fingerprint, version, before, platform, deployment):
    about = {
        "version": version,
        "app_version": version,
        "platform": platform,
        "deployment_method": deployment,
        "$set": {"current_version": version, "deployment_method": deployment},
        "$set_once": {"first_seen_version": before},
    }
    groups = {"version": version, "platform": platform}
    client.group_identify(
        "version",
        version,
        {"version_number": version, "python_versions": [f"3.12.{ord(fingerprint[0]) % 2}"]},
        distinct_id=fingerprint,
    )
    for name, more in (
        ("telemetry.install", {}),
        ("telemetry.update", {"old_version": before, "new_version": version}),
        ("telemetry.health", {}),
    ):
        client.capture(
            name, distinct_id=fingerprint, properties={**about, **more}, groups=groups
        )


def day_of_a_person(client, number, role, method):
    known = {"role": role, "is_admin": role == "admin", "auth_method": method}
    client.capture("$identify", distinct_id=number, properties={"$set": known})
    client.capture("auth.login", distinct_id=number, properties={"auth_method": method})
    for i in range(int(number)):
        hour = NOW.replace(hour=0, minute=30) + timedelta(hours=i)
        client.capture("timer.started", distinct_id=number, timestamp=min(hour, NOW))
    if role == "admin":
        client.capture("project.created", distinct_id=number, properties={})
        shape = {"export_type": "csv", "rows": 100, "experiment_variant": "b"}
        client.capture("export.csv", distinct_id=number, properties=shape)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("guide") / "data") as running:
        for template in ("installation-health", "user-engagement"):
            running.call("POST", "dashboards/from_template", {"template": template})
        client = Posthog(running.made["project_token"], host=running.url)
        for fingerprint, shape in FLEET.items():
            report_of_an_installation(client, fingerprint, *shape)
        for number, (role, method) in PEOPLE.items():
            day_of_a_person(client, number, role, method)
        client.shutdown()
        running.call("POST", "ingestion/flush", {})
        yield running


def saved(server, name):
    """Return the question of a saved insight of the templates."""
    listed = server.call("GET", "insights?limit=200")["results"]
    (found,) = [one for one in listed if one["name"] == name]
    return server.ask(found["query"])


def by_value(results):
    return {
        row["breakdown_value"]: row.get("aggregated_value", 0) or row["count"]
        for row in results
    }


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("Active installations by version", {"3.0.0": 2, "3.1.0": 1, "2.9.0": 1}),
        ("New installations over time", {"docker": 2, "native": 2}),
        ("Update adoption", {"3.0.0": 2, "3.1.0": 1}),
        ("Login methods", {"local": 2, "oidc": 1}),
    ],
)
def test_a_query_of_the_guide_by_value(server, name, answer):
    assert by_value(saved(server, name)) == answer


def test_feature_usage_by_role_counts_the_projects_of_admins(server):
    assert sum(row["count"] for row in saved(server, "Feature usage by role")) == 2


def test_timer_usage_patterns_count_by_hour_of_day(server):
    hours = by_value(saved(server, "Timer usage patterns"))

    assert sum(hours.values()) == 6
    assert set(hours) <= {str(hour) for hour in range(24)}


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("Docker Users on Latest Version", {"a" * 64, "b" * 64}),
        ("Admins Using OIDC", {"1"}),
    ],
)
def test_a_cohort_of_the_guide_has_its_members(server, name, members):
    listed = server.call("GET", "cohorts?limit=100")["results"]
    (cohort,) = [one for one in listed if one["name"] == name]
    persons = server.call("GET", f"cohorts/{cohort['id']}/persons")["results"]

    assert {one for person in persons for one in person["distinct_ids"]} == members


WIDGETS = {
    "Installation Health": [
        "Active Installations",
        "Version Distribution",
        "Platform Distribution",
        "Update Timeline",
        "Error Rate",
    ],
    "User Engagement": [
        "Daily Active Users",
        "Feature Usage",
        "Auth Method Split",
        "Timer Usage",
        "Export Activity",
    ],
}


@pytest.mark.parametrize(("name", "widgets"), WIDGETS.items())
def test_a_dashboard_of_the_guide_has_its_five_widgets(server, name, widgets):
    listed = server.call("GET", "dashboards")["results"]
    (found,) = [one for one in listed if one["name"] == name]
    tiles = server.call("GET", f"dashboards/{found['id']}")["tiles"]

    assert [tile["insight"]["name"] for tile in tiles] == widgets


def test_the_widgets_of_installation_health(server):
    assert saved(server, "Active Installations")[0]["aggregated_value"] == 4
    assert by_value(saved(server, "Version Distribution")) == {
        "3.0.0": 2,
        "3.1.0": 1,
        "2.9.0": 1,
    }
    platforms = {"Linux": 2, "Windows": 1, "Darwin": 1}
    assert by_value(saved(server, "Platform Distribution")) == platforms
    assert saved(server, "Update Timeline")[0]["count"] == 4


def test_the_widgets_of_user_engagement(server):
    assert saved(server, "Daily Active Users")[0]["data"][-1] == 3
    assert by_value(saved(server, "Auth Method Split")) == {"local": 2, "oidc": 1}
    assert saved(server, "Timer Usage")[0]["count"] == 6
    activity = by_value(saved(server, "Export Activity"))
    assert max(activity.values()) == 2


def test_a_version_group_unites_the_python_versions_of_its_installations(server):
    types = {
        one["group_type"]: one["group_type_index"]
        for one in server.call("GET", "groups_types")
    }
    index = types["version"]
    listed = server.call("GET", f"groups?group_type_index={index}&group_key=3.0.0")[
        "results"
    ]
    (group,) = [one for one in listed if one["group_key"] == "3.0.0"]

    assert sorted(group["group_properties"]["python_versions"]) == ["3.12.0", "3.12.1"]


def test_all_events_of_installations_running_a_version_are_one_group_filter(server):
    version = {
        "key": "version_number",
        "type": "group",
        "group_type_index": 0,
        "value": "3.0.0",
    }
    trend = {
        "kind": "TrendsQuery",
        "series": [{"kind": "EventsNode", "event": None}],
        "properties": [version],
    }

    assert server.ask(trend)[0]["count"] == 6
