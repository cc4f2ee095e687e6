"""What reality does to a fleet: zones, merges, clones, wrong clocks, odd words, slow days."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from hedgerow.insights.answer import Asking, answer
from hedgerow.insights.cached import Cache
from tests.world import a_project, captured, context, load, store_events


def beat(who, at, version="1.0.0", **properties):
    stamp = at if "T" in at else f"{at}T10:00:00Z"
    properties = {"version": version, **properties}
    return {
        "event": "telemetry.health",
        "distinct_id": who,
        "timestamp": stamp,
        "properties": properties,
    }


def ask(store, project, figure, *, now=None, **params):
    query = {"kind": "FleetQuery", "figure": figure, "params": params}
    found = context(store, project, *([now] if now else []))
    told = answer(query, found, store, Asking())["results"]
    return json.loads(json.dumps(told, allow_nan=False))


@pytest.fixture
def asked(store):
    """Load events into a project of its own and ask one figure."""

    def asked(events, figure, *, settings=None, persons=(), zone="UTC", **params):
        project = a_project(timezone=zone, fleet=settings or {})
        load(store, project, persons=persons, events=events)
        return ask(store, project, figure, **params)

    return asked


def test_days_are_days_of_the_projects_zone(asked):
    late = [beat("a", "2026-03-01T23:30:00Z"), beat("a", "2026-03-02T21:30:00Z")]
    told = asked(
        late,
        "active_over_time",
        zone="Europe/Berlin",
        date_from="2026-03-01",
        date_to="2026-03-03",
    )

    assert told["daily"] == [0, 1, 0]


def test_a_day_of_25_hours_is_one_day(asked):
    long = [beat("a", "2025-10-25T22:10:00Z"), beat("b", "2025-10-26T22:50:00Z")]
    told = asked(
        long,
        "active_over_time",
        zone="Europe/Berlin",
        date_from="2025-10-25",
        date_to="2025-10-27",
    )

    assert told["daily"] == [0, 2, 0]


def test_merged_ids_are_one_installation(asked):
    persons = [{"distinct_ids": ["a", "b"], "properties": {}}]
    events = [
        beat("a", "2026-03-01"),
        beat("b", "2026-03-02", "2.0.0"),
        beat("c", "2026-03-02"),
    ]
    told = asked(events, "versions", persons=persons, as_of="2026-03-03")

    assert [(row["version"], row["count"]) for row in told["rows"]] == [
        ("1.0.0", 1),
        ("2.0.0", 1),
    ]


def test_the_latest_word_about_the_environment_counts(asked):
    persons = [{"distinct_ids": ["p"], "properties": {"environment": "testing"}}]
    events = [
        beat("a", "2026-03-01", environment="development"),
        beat("a", "2026-03-02", environment="production"),
        beat("b", "2026-03-01", environment="production"),
        beat("b", "2026-03-02", environment="testing"),
        beat("p", "2026-03-02"),
        beat("n", "2026-03-02"),
    ]
    project = {"as_of": "2026-03-03"}
    told = asked(events, "states", persons=persons, **project)
    every = asked(events, "states", persons=persons, environments="all", **project)
    some = asked(events, "states", persons=persons, environments=["testing"], **project)

    assert (told["reporting"], told["excluded_environment"]) == (2, 2)
    assert (every["reporting"], every["excluded_environment"]) == (4, 0)
    assert (some["reporting"], some["excluded_environment"]) == (2, 2)


def test_established_ones_reported_on_two_days(asked):
    events = [beat("a", "2026-03-01"), beat("a", "2026-03-05"), beat("b", "2026-03-05")]

    assert asked(events, "states", established=True, as_of="2026-03-06")["reporting"] == 1


def test_filters_read_the_latest_heartbeat_and_the_person(asked):
    persons = [{"distinct_ids": ["b"], "properties": {"plan": "pro"}}]
    events = [
        beat("a", "2026-03-01", platform="Linux"),
        beat("a", "2026-03-02", platform="Windows"),
        beat("b", "2026-03-02", platform="Linux"),
    ]
    linux = [{"key": "platform", "value": "Linux"}]
    pro = [{"key": "plan", "value": "pro", "type": "person"}]

    for where in (linux, pro):
        told = asked(
            events, "states", persons=persons, properties=where, as_of="2026-03-03"
        )
        assert told["reporting"] == 1


def test_a_heartbeat_from_the_future_takes_no_part_and_is_counted(store):
    project, arrived = a_project(), datetime(2026, 3, 10, 12, tzinfo=UTC)
    beats = [
        captured("telemetry.health", "a", timestamp=arrived, properties={"version": "1"}),
        captured(
            "telemetry.health",
            "b",
            timestamp=arrived + timedelta(hours=2),
            properties={"version": "1"},
        ),
    ]
    store_events(store, project, beats, received_at=arrived)
    told = ask(store, project, "states", as_of="2026-03-10")
    regular = ask(store, project, "regularity", as_of="2026-03-10")

    assert told["reporting"] == 1
    assert (regular["installations"], regular["late"]) == (1, 0)


def test_two_machines_with_one_id_are_suspected_and_can_be_left_out(asked):
    hosts = [("Linux", 8), ("Windows", 9), ("Linux", 10)]
    events = [
        beat("twin", f"2026-03-{day:02}T{hour:02}:00:00Z", platform=platform)
        for day in (1, 2)
        for platform, hour in hosts
    ]
    events += [
        beat("moved", f"2026-03-02T{hour:02}:00:00Z", v) for hour, v in ((1, "1"), (2, "2"))
    ]
    told = asked(events, "clones", as_of="2026-03-03")
    without = asked(events, "states", as_of="2026-03-03", exclude_clones=True)

    assert told["rows"] == [{"distinct_id": "twin", "days": 2, "signatures": 2}]
    assert without["reporting"] == 1


def test_downgrades_are_told_apart_from_rollbacks(asked):
    events = [
        beat("a", "2026-03-01", "1.0"),
        beat("a", "2026-03-02", "2.0"),
        beat("a", "2026-03-05", "1.0"),
        beat("b", "2026-03-01", "1.0"),
        beat("b", "2026-03-02", "2.0"),
        beat("b", "2026-03-10", "1.0"),
        beat("c", "2026-03-01", "main"),
        beat("c", "2026-03-02", "1.0"),
    ]
    told = asked(events, "downgrades", date_from="2026-03-01", date_to="2026-03-12")
    paths = asked(events, "paths", date_from="2026-03-01", date_to="2026-03-12")

    assert [(row["distinct_id"], row["rollback"]) for row in told["rows"]] == [
        ("a", True),
        ("b", False),
    ]
    assert paths["rollbacks"] == 1
    assert [(row["from"], row["to"], row["direction"]) for row in paths["rows"]] == [
        ("1.0", "2.0", "up"),
        ("2.0", "1.0", "down"),
        ("main", "1.0", "unknown"),
    ]


def test_releases_are_inferred_once_enough_run_them(asked):
    events = [
        beat(who, f"2026-03-0{day}", "2.0") for day, who in ((1, "a"), (2, "b"), (4, "c"))
    ]
    events += [beat("fork", "2026-03-01", "99.0"), beat("d", "2026-03-03", "3.0-rc1")]

    assert asked(events, "newest", as_of="2026-03-03")["version"] is None
    told = asked(events, "newest", as_of="2026-03-05")
    assert (told["version"], told["released_at"], told["source"]) == (
        "2.0",
        "2026-03-04",
        "inferred",
    )


def test_the_longest_series_decides_the_end_of_support(asked):
    events = [
        beat(f"i{n}", "2026-03-01", v)
        for n, v in enumerate(["2.8", "2.9.1", "3.0", "main"])
    ]
    eol = {"2": "2026-01-01", "2.9": "2026-04-01"}
    told = asked(events, "eol", settings={"eol": eol}, as_of="2026-03-02")

    assert (told["exposed"], told["share"], told["unknown"]) == (1, 0.25, 1)
    assert told["rows"] == [
        {"series": "2", "eol_at": "2026-01-01", "count": 1},
        {"series": "2.9", "eol_at": "2026-04-01", "count": 1},
    ]
    assert told["within_90_days"] == 1


def test_only_steps_within_the_own_line_count_where_that_is_asked(asked):
    events = [beat("a", "2026-03-01", "2.0"), beat("b", "2026-03-01", "2.1")]
    listed = [("2.0", "01"), ("2.1", "02"), ("3.0", "03"), ("3.1", "04")]
    settings = {
        "releases": [{"version": v, "released_at": f"2026-02-{d}"} for v, d in listed]
    }
    whole = asked(events, "behind", settings=settings, as_of="2026-03-01")
    line = asked(events, "behind", settings=settings, as_of="2026-03-01", within="major")

    assert [(row["releases_behind"], row["count"]) for row in whole["rows"]] == [
        (2, 1),
        (3, 1),
    ]
    assert [(row["releases_behind"], row["count"]) for row in line["rows"]] == [
        (0, 1),
        (1, 1),
    ]


@pytest.mark.parametrize(
    ("name", "key", "values", "rows"),
    [
        ("python_minor", "python_version", ["3.11.4", "3.11.9", "3.9"], ["3.11", "3.9"]),
        (
            "platform_series",
            "platform_release",
            ["6.1.0-13-amd64", "6.1.0", "10"],
            ["6.1", "10"],
        ),
        ("users_band", "users_band", ["100+", "2-5", "2-5"], ["2-5", "100+"]),
        ("tags", "tags", [["a", "b"], ["a", "b"], ""], ['["a","b"]']),
        ("platform", "platform", ["b", "a", None], ["a", "b"]),
    ],
)
def test_values_are_counted_as_they_are_read(asked, name, key, values, rows):
    events = [beat(f"i{n}", "2026-03-01", **{key: value}) for n, value in enumerate(values)]
    told = asked(events, "distribution", property=name, as_of="2026-03-02")

    assert [row["value"] for row in told["rows"]] == rows
    assert told["total"] == 3


def test_two_properties_make_a_table(asked):
    events = [
        beat("a", "2026-03-01", platform="Linux", auth_method="oidc"),
        beat("b", "2026-03-01", platform="Linux", auth_method="local"),
        beat("c", "2026-03-01", platform="Linux"),
    ]
    told = asked(
        events, "distribution", properties=["platform", "auth_method"], as_of="2026-03-02"
    )

    assert (told["rows"], told["columns"]) == (["Linux", None], ["local", "oidc", None])
    assert told["cells"] == [[1, 1, 1], [0, 0, 0]]


def test_survival_goes_by_the_month_of_the_first_report(asked):
    events = [beat("a", "2026-01-01"), beat("a", "2026-01-11"), beat("b", "2026-01-05")]
    events += [beat("b", f"2026-0{month}-05") for month in (2, 3)]
    told = asked(events, "survival", as_of="2026-03-10")

    (cohort,) = told["cohorts"]
    assert (cohort["cohort"], cohort["installations"], cohort["gone"]) == ("2026-01", 2, 1)
    assert cohort["curve"] == [{"day": 10, "at_risk": 2, "gone": 1, "remaining": 0.5}]
    assert cohort["remaining_at"] == {
        "30": 0.5,
        "60": None,
        "90": None,
        "180": None,
        "365": None,
    }


def test_errors_go_by_installation_and_day(asked):
    def error(who, at, **properties):
        return {**beat(who, at, None, **properties), "event": "error shown"}

    kind = {"feature_category": "error"}
    events = [beat(who, f"2026-03-0{day}") for who in "ab" for day in (1, 2)]
    events += [
        error("a", "2026-03-01", occurrences=3, **kind),
        error("a", "2026-03-02", **kind),
    ]
    events += [error("b", "2026-03-01", occurrences="many"), beat("c", "2026-03-01", "2.0")]
    told = asked(
        events, "errors", date_from="2026-03-01", date_to="2026-03-02", min_installations=1
    )

    first, second = told["rows"]
    assert (first["errors"], first["installation_days"], first["affected"]) == (4, 4, 1)
    assert first["rate"] == 1.0
    assert second["ci"] == pytest.approx([0, 3.688879])
    assert told["comparison"] | {"ratio": 0} == {
        "version": "2.0",
        "previous": "1.0.0",
        "ratio": 0,
        "ci": None,
        "z": None,
        "enough": False,
        "worse": False,
    }


def test_a_feature_counts_where_it_was_used_on_the_version_of_the_end(asked):
    def use(who, at):
        return {**beat(who, at, None), "event": "exported"}

    events = [
        beat("a", "2026-03-01"),
        use("a", "2026-03-01T11:00:00Z"),
        beat("a", "2026-03-02", "2.0"),
    ]
    events += [beat("b", "2026-03-01", "2.0"), use("b", "2026-03-01T11:00:00Z")]
    told = asked(
        events, "features", event="exported", date_from="2026-03-01", date_to="2026-03-02"
    )

    assert [
        (row["version"], row["installations"], row["used"]) for row in told["rows"]
    ] == [("2.0", 2, 1)]


def test_regularity_is_the_share_of_days_with_a_report(asked):
    events = [beat("a", f"2026-03-0{day}") for day in range(1, 6)]
    events += [beat("a", "2026-03-01T20:00:00Z", None), beat("b", "2026-03-04")]
    told = asked(events, "regularity", as_of="2026-03-05")

    assert (told["installations"], told["median"], told["share_90"]) == (2, 0.75, 0.5)
    assert told["heartbeats_per_day"] == {"1": 5, "2": 1, "3+": 0}
    assert told["without_version"] == 1


def test_the_day_so_far_is_projected_by_the_days_before(asked):
    events = [
        beat(who, f"2026-03-0{day}T{hour}:00:00Z")
        for day in (1, 2)
        for who, hour in (("a", "08"), ("b", "18"))
    ]
    events += [beat("a", "2026-03-03T08:00:00Z")]
    told = asked(events, "today", at="2026-03-03T12:00:00Z")

    assert told["so_far"] == 1
    assert told["expected_by_now"] == 0.5
    assert (told["projected"], told["low"], told["high"]) == (2, 2, 2)


def test_a_burst_of_new_ones_is_marked(asked):
    events = [beat(f"i{n}", "2026-03-05", platform="CI") for n in range(25)]
    events += [beat("b", "2026-03-05", "2.0"), beat("a", "2026-03-01")]
    told = asked(events, "flow", date_from="2026-03-01", date_to="2026-03-06")

    (burst,) = told["bursts"]
    assert (burst["day"], burst["new"], burst["usual"]) == ("2026-03-05", 26, 0.0)
    assert (burst["property"], burst["value"]) in {("version", "1.0.0"), ("platform", "CI")}
    assert burst["share"] == pytest.approx(25 / 26)


def test_a_settled_day_is_not_provisional_any_more(store):
    project = a_project()
    load(store, project, events=[beat("a", "2026-03-10")])
    for hours, provisional in ((47, True), (49, False)):
        now = datetime(2026, 3, 11, tzinfo=UTC) + timedelta(hours=hours)
        told = ask(store, project, "states", now=now, as_of="2026-03-10")
        assert told["provisional"] is provisional


def test_a_yanked_release_ends_the_watch_the_day_before(asked):
    events = [beat("a", "2026-03-01", "1.0"), beat("b", "2026-03-01", "1.0")]
    events += [beat("a", "2026-03-04", "2.0"), beat("b", "2026-03-06", "2.0")]
    listed = [{"version": "1.0", "released_at": "2026-01-01"}]
    listed += [{"version": "2.0", "released_at": "2026-03-02", "yanked_at": "2026-03-06"}]
    told = asked(
        events, "lag", settings={"releases": listed}, version="2.0", as_of="2026-03-10"
    )

    assert (told["eligible"], told["updated"], told["censored"]) == (2, 1, 1)
    assert told["quantiles"] == {"25": 2, "50": 2, "75": 2, "90": 2}


@pytest.mark.parametrize(
    ("settings", "names", "read"),
    [
        pytest.param({}, ("versions", "states", "flow"), "of_days", id="one by one"),
        pytest.param(
            {"releases": [{"version": "1.0", "released_at": "2026-03-01"}]},
            ("versions", "states", "newest"),
            "COUNT(*) AS n",
            id="added up",
        ),
    ],
)
def test_figures_of_one_day_read_the_fleet_once(store, settings, names, read):
    project = a_project(fleet=settings)
    load(store, project, events=[beat("a", "2026-03-10")])
    found, asked_texts = context(store, project), []

    class Counted:
        def __getattr__(self, name):
            return getattr(store, name)

        def run(self, statement, **more):
            asked_texts.append(statement.text)
            return store.run(statement, **more)

    rows = Cache(4)
    for name in names:
        query = {"kind": "FleetQuery", "figure": name, "params": {"as_of": "2026-03-10"}}
        answer(query, found, Counted(), Asking(cache=Cache(), rows=rows))

    assert len([text for text in asked_texts if read in text]) == 1
    load(store, project, events=[beat("b", "2026-03-10")])
    query = {"kind": "FleetQuery", "figure": "states", "params": {"as_of": "2026-03-10"}}
    told = answer(query, context(store, project), store, Asking(cache=Cache(), rows=rows))
    assert told["results"]["reporting"] == 2
