"""Figures against the same counted by hand, over fleets that do all that fleets do."""

import json

import pytest

from hedgerow.insights.answer import Asking, answer
from hedgerow.model.versions import parse
from tests.hedgerow.plain_fleet import DAYS, RELEASES, Plain, a_fleet, iso
from tests.world import a_project, context, load

UNTIL = DAYS - 1
SETTINGS = {
    "releases": [
        {"version": version, "released_at": iso(day)} for version, day in RELEASES.items()
    ]
}


class Asked:
    """One fleet in the store, and the same as plain values."""

    def __init__(self, store, seed):
        self.events = a_fleet(seed)
        self.plain = Plain(self.events)
        self.store, self.project = store, a_project(fleet=SETTINGS)
        load(store, self.project, events=self.events)

    def figure(self, name, **params):
        query = {"kind": "FleetQuery", "figure": name, "params": params}
        found = context(self.store, self.project)
        told = answer(query, found, self.store, Asking())["results"]
        return json.loads(json.dumps(told, allow_nan=False))


@pytest.fixture(scope="module", params=range(2), ids=lambda seed: f"fleet{seed}")
def fleet(request, store):
    return Asked(store, request.param)


def test_active_installations_are_those_with_a_heartbeat_in_the_window(fleet):
    told = fleet.figure("active_over_time", date_from=iso(0), date_to=iso(UNTIL))

    for name, window in {"daily": 1, "weekly": 7, "monthly": 30}.items():
        by_hand = [len(fleet.plain.active(day, window)) for day in range(DAYS)]
        assert told[name] == by_hand, name


def test_everybody_is_in_one_state_and_the_flow_adds_up(fleet):
    told = fleet.figure("flow", date_from=iso(0), date_to=iso(UNTIL))
    rows = fleet.plain.flow(0, UNTIL)

    for name in ("new", "returned", "went_silent", "went_gone"):
        assert told[name] == [row[name] for row in rows], name
    states = fleet.plain.states(UNTIL)
    now = fleet.figure("states", as_of=iso(UNTIL))
    assert {name: now[name] for name in states} == states
    assert told["reporting"][-1] == states["reporting"]
    steps = zip(told["reporting"], told["reporting"][1:], told["net"][1:], strict=False)
    assert all(before + net == after for before, after, net in steps)


@pytest.mark.parametrize("day", [25, UNTIL])
def test_each_installation_counts_once_at_its_version(fleet, day):
    told = fleet.figure("versions", as_of=iso(day), window_days=14)
    counts = fleet.plain.versions(day, 14)

    assert told["unknown"] == counts.pop(None, 0)
    assert told["unordered"] == counts.pop("", 0)
    rows = [(parse(row["version"]).key, row["count"]) for row in told["rows"]]
    assert rows == sorted(counts.items())
    assert told["total"] == sum(counts.values()) + told["unknown"] + told["unordered"]


@pytest.mark.parametrize("limit", [1, 2, 12])
def test_a_stack_adds_up_to_its_totals_whatever_is_folded(fleet, limit):
    told = fleet.figure(
        "versions_over_time",
        date_from=iso(0),
        date_to=iso(UNTIL),
        interval="week",
        limit=limit,
    )

    for place, total in enumerate(told["totals"]):
        assert sum(row["data"][place] for row in told["rows"]) == total
    named = [row for row in told["rows"] if not row["version"].startswith("$")]
    assert len(named) <= limit


@pytest.mark.parametrize("version", ["1.1.0", "1.2.0"])
def test_adoption_counts_who_is_on_a_release_or_above(fleet, version):
    told = fleet.figure("adoption", version=version, as_of=iso(UNTIL))

    counted = list(zip(told["on_or_above"], told["active"], strict=True))
    assert counted == fleet.plain.adoption(version, UNTIL)


@pytest.mark.parametrize("version", ["1.1.0", "1.2.0"])
def test_lag_follows_each_installation_until_it_updates_or_is_last_seen(fleet, version):
    told = fleet.figure("lag", version=version, as_of=iso(UNTIL))
    times = fleet.plain.lag(version, UNTIL)

    rows = [
        (row["day"], updated)
        for row in told["curve"]
        for updated, count in ((False, row["censored"]), (True, row["events"]))
        for _ in range(count)
    ]
    assert sorted(rows) == times
    remaining = 1.0
    for row in told["curve"]:
        at_risk = sum(time >= row["day"] for time, _ in times)
        gone = sum(time == row["day"] and updated for time, updated in times)
        remaining *= 1 - gone / at_risk
        assert row["remaining"] == pytest.approx(remaining)


def test_paths_are_the_changes_from_each_version_to_the_next(fleet):
    told = fleet.figure("paths", date_from=iso(10), date_to=iso(UNTIL), limit=1000)

    rows = {
        tuple(parse(row[side]).key or row[side] for side in ("from", "to")): row["count"]
        for row in told["rows"]
    }
    assert rows == fleet.plain.transitions(10, UNTIL)


def test_what_comes_after_a_day_and_in_which_order_it_arrived_changes_nothing(fleet, store):
    early = [one for one in reversed(fleet.events) if one["timestamp"][:10] <= iso(30)]
    other = a_project(fleet=SETTINGS)
    load(store, other, events=early)
    twice = Asked.__new__(Asked)
    twice.store, twice.project = store, other

    for name in ("versions", "states"):
        assert twice.figure(name, as_of=iso(30)) == fleet.figure(name, as_of=iso(30))


NEEDED = {
    "distribution": {"property": "platform"},
    "features": {"event": "x"},
    "public_table": {"property": "platform"},
    "public_cross": {"properties": ["platform", "version"]},
}
FIGURES = [
    "active",
    "active_over_time",
    "states",
    "flow",
    "versions",
    "versions_over_time",
    "newest",
    "adoption",
    "lag",
    "paths",
    "downgrades",
    "behind",
    "eol",
    "distribution",
    "survival",
    "errors",
    "features",
    "regularity",
    "clones",
    "today",
    "installations",
    "overview",
    "public_table",
    "public_cross",
]
KINDS = {
    "nothing": [],
    "odd and silent": [("a", "latest", "2026-03-01"), ("b", None, "2026-03-01")],
}


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.replace(" ", "_"))
def small(request, store):
    """A fleet of which there is little to say."""
    project = a_project(fleet={"eol": {"1": "2026-03-01"}})
    events = [
        {
            "event": "telemetry.health",
            "distinct_id": who,
            "timestamp": f"{day}T10:00:00Z",
            "properties": {"version": version},
        }
        for who, version, day in KINDS[request.param]
    ]
    load(store, project, events=events)
    asked = Asked.__new__(Asked)
    asked.store, asked.project = store, project
    return asked


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_answers_about_any_fleet(small, name):
    told = small.figure(name, **NEEDED.get(name, {}))

    assert told["timezone"] == "UTC"
    assert isinstance(told["provisional"], bool)


@pytest.mark.parametrize(
    ("figure", "params"),
    [
        ("states", {}),
        ("versions", {"fold": "minor"}),
        ("versions", {"established": True, "window_days": 5}),
        ("behind", {}),
        ("survival", {}),
        ("active_over_time", {"established": True}),
        ("versions_over_time", {}),
        ("versions_over_time", {"interval": "week"}),
        ("versions_over_time", {"interval": "month", "date_from": iso(3)}),
        ("adoption", {"version": "1.1.0"}),
        ("distribution", {"property": "platform"}),
    ],
    ids=str,
)
def test_sums_of_the_database_are_those_of_looking_at_each(fleet, figure, params):
    asked = {"as_of": iso(UNTIL), **params}

    assert fleet.figure(figure, **asked) == fleet.figure(
        figure, **asked, exclude_clones=True
    )
