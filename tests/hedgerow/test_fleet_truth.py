"""Figures of a simulated fleet: against what was decided of it, and against plain loops.

Two judges that know nothing of each other: ``Truth`` reads the lives that were planned,
``Plain`` loops over the events that were sent.
"""

import json
import math
import re
from datetime import date, timedelta
from statistics import median

import pytest

from hedgerow.insights.answer import Asking, answer
from hedgerow.model.versions import parse
from hedgerow.query.hogql_own import MARK
from hedgerow.simulate.story import events, story
from hedgerow.simulate.truth import ORDER, Truth
from tests.hedgerow.plain_figures import OFFSETS, Plain, place
from tests.world import NOW, a_project, context, load

SINCE = date(2026, 1, 20)
EOL = {"2": "2026-01-01", "2.9": "2026-04-01", "3.0": "2027-01-01"}
RECENT = ("3.0.0", "3.0.1", "3.1.0")


class Fleet:
    """One simulated fleet in the store, with both judges."""

    def __init__(self, store):
        told = story(installations=90, users=0, days=70, seed=37, until=NOW)
        made = [one for one in events(told) if one["event"] != "$groupidentify"]
        self.truth = Truth(told)
        releases = self.truth.releases()
        self.plain = Plain(
            made,
            [(one["version"], one["released_at"]) for one in releases],
            self.truth.as_of,
        )
        self.store = store
        self.project = a_project(fleet={"releases": releases, "eol": EOL})
        load(store, self.project, events=made)
        self.context = context(store, self.project)

    def ask(self, figure, **params):
        query = {"kind": "FleetQuery", "figure": figure, "params": params}
        told = answer(query, self.context, self.store, Asking())["results"]
        return json.loads(json.dumps(told, allow_nan=False))


@pytest.fixture(scope="module")
def fleet(store):
    return Fleet(store)


def by_place(rows, *values):
    """Return a figure's rows by their version's place."""
    return {place(row["version"]): tuple(row[one] for one in values) for row in rows}


def rounded_up(value):
    return math.floor(value + 0.5)


def test_the_fleet_does_everything_that_fleets_do(fleet):
    told = fleet.truth.told()

    assert all(told["states"].values())
    assert told["unordered"], told["unknown"]
    assert told["downgrades"], told["clones"]
    spelt = {one["properties"].get("version") for one in fleet.plain.events}
    assert {"3.1.0-rc.1", "3.2.0-dev", "unknown"} <= spelt
    assert spelt & {"v2.9.1", "3.0.0+deb12"}


def test_versions_are_put_down_in_their_order():
    keys = [parse(text).key for text in ORDER]

    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


def test_who_reports_is_silent_and_gone_is_as_planned(fleet):
    told, planned = fleet.ask("states"), fleet.truth.states(fleet.truth.as_of)

    counts = {name: len(people) for name, people in planned.items()}
    assert {name: told[name] for name in counts} == counts
    assert counts == fleet.plain.states()
    silent = {one["distinct_id"] for one in told["silent_installations"]}
    assert silent == set(planned["silent"])


def test_each_runs_the_version_it_was_meant_to(fleet):
    told, planned = fleet.ask("versions"), fleet.truth.versions(fleet.truth.as_of)

    named = {one["version"]: one["count"] for one in told["rows"]}
    assert named == {text: planned[text] for text in ORDER if text in planned}
    assert told["unknown"] == planned[None]
    assert told["total"] == sum(planned.values())
    by_hand = fleet.plain.versions()
    assert {place(text): count for text, count in planned.items()} == by_hand


@pytest.mark.parametrize("version", ["2.9.0", *RECENT])
def test_releases_spread_as_planned(fleet, version):
    told, planned = fleet.ask("adoption", version=version), fleet.truth.adoption(version)

    assert list(zip(told["on_or_above"], told["active"], strict=True)) == planned
    assert planned == fleet.plain.adoption(version)
    for percent, day in told["time_to"].items():
        reached = [
            i for i, (on, of) in enumerate(planned) if of and 100 * on >= int(percent) * of
        ]
        assert day == (reached[0] if reached else None)


@pytest.mark.parametrize("version", RECENT)
def test_updates_take_as_long_as_planned(fleet, version):
    told, planned = fleet.ask("lag", version=version), fleet.truth.lag(version)

    rows = [
        (row["day"], done)
        for row in told["curve"]
        for done, count in ((False, row["censored"]), (True, row["events"]))
        for _ in range(count)
    ]
    assert sorted(rows) == planned == fleet.plain.lag(version)
    assert told["eligible"] == len(planned)


def test_who_went_back_is_who_was_meant_to(fleet):
    told = fleet.ask("downgrades", date_from=SINCE.replace(day=1).isoformat())["rows"]

    rows = [(one["distinct_id"], one["day"], one["from"], one["to"]) for one in told]
    planned = [(who, str(day), old, new) for who, day, old, new in fleet.truth.downgrades()]
    assert rows == [one for one in planned if one[1] >= "2026-01-01"] != []
    by_hand = fleet.plain.downgrades(SINCE.replace(day=1))
    assert [
        (
            one["distinct_id"],
            one["day"],
            place(one["from"]),
            place(one["to"]),
            one["rollback"],
        )
        for one in told
    ] == by_hand


def test_copied_installations_are_found_and_no_others(fleet):
    told = fleet.ask("clones")["rows"]

    assert sorted(one["distinct_id"] for one in told) == fleet.truth.clones() != []
    rows = {one["distinct_id"]: (one["days"], one["signatures"]) for one in told}
    assert rows == fleet.plain.clones()


def test_changes_of_version_are_those_planned(fleet):
    told = fleet.ask("paths", date_from=SINCE.isoformat(), limit=1000)

    rows = {(place(row["from"]), place(row["to"])): row["count"] for row in told["rows"]}
    planned, by_hand = {}, {}
    for _, day, old, new in fleet.truth.steps():
        if day >= SINCE:
            pair = (place(old), place(new))
            planned[pair] = planned.get(pair, 0) + 1
    for _, _, old, new in fleet.plain.steps(SINCE):
        by_hand[old, new] = by_hand.get((old, new), 0) + 1
    assert rows == planned == by_hand
    soon = [one for one in fleet.plain.downgrades(SINCE) if one[-1]]
    assert told["rollbacks"] == len(soon)


def test_active_installations_are_counted_alike(fleet):
    told, by_hand = fleet.ask("active"), fleet.plain.active_figure(NOW)

    assert {name: told[name] for name in by_hand} == by_hand
    over_time = fleet.ask("active_over_time", date_from=SINCE.isoformat())
    for day, count in zip(over_time["days"], over_time["weekly"], strict=True):
        assert count == len(fleet.truth.active(date.fromisoformat(day), 7))


def test_who_comes_and_goes_is_counted_alike(fleet):
    told = fleet.ask("flow", date_from=SINCE.isoformat())

    for name, counts in fleet.plain.flow(SINCE).items():
        assert told[name] == counts, name


def test_stacks_are_counted_alike(fleet):
    monday = date(2026, 1, 26)
    told = fleet.ask(
        "versions_over_time",
        date_from=monday.isoformat(),
        interval="week",
        week_start=1,
        pre="separate",
        limit=50,
    )

    for at, begins in enumerate(told["days"]):
        rows = {
            place(row["version"]): row["data"][at]
            for row in told["rows"]
            if row["data"][at] and not row["version"].startswith("$")
        }
        by_hand = fleet.plain.week(date.fromisoformat(begins))
        named = {key: count for key, count in by_hand.items() if isinstance(key, tuple)}
        assert rows == named
        assert told["totals"][at] == by_hand.total()


def test_who_is_behind_is_counted_alike(fleet):
    told = fleet.ask("behind")
    by_releases, days, bands = fleet.plain.behind()

    rows = {row["releases_behind"]: row["count"] for row in told["rows"]}
    ahead = {"ahead": told["ahead"]} if told["ahead"] else {}
    assert rows | ahead == by_releases
    assert told["median_days_behind"] == days
    assert {row["days"]: row["count"] for row in told["bands"] if row["count"]} == bands
    assert told["newest"] == fleet.ask("newest")["version"] == "3.1.0"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("platform", lambda told: told["platform"]),
        ("deployment_method", lambda told: told["deployment_method"]),
        ("python_minor", lambda told: ".".join(told["python_version"].split(".")[:2])),
        ("platform_series", lambda told: ".".join(told["platform_release"].split(".")[:2])),
        ("users_band", lambda told: told["users_band"]),
        ("utc_offset", lambda told: OFFSETS[told["timezone"]]),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_they_run_on_is_counted_alike(fleet, name, value):
    told = fleet.ask("distribution", property=name)

    assert {row["value"]: row["count"] for row in told["rows"]} == fleet.plain.distribution(
        value
    )


def test_ends_of_support_are_counted_alike(fleet):
    told, by_hand = fleet.ask("eol"), fleet.plain.eol(EOL)

    assert {row["series"]: row["count"] for row in told["rows"]} == {
        series: by_hand[series] for series in EOL
    }
    assert told["exposed"] == by_hand["2"]
    assert told["within_90_days"] == by_hand["2.9"]
    assert told["unknown"] == by_hand["unknown"]


def test_how_long_they_stay_is_counted_alike(fleet):
    told, by_hand = fleet.ask("survival")["cohorts"], fleet.plain.survival()

    assert [one["cohort"] for one in told] == sorted(by_hand)
    for one in told:
        times = by_hand[one["cohort"]]
        assert one["installations"] == len(times)
        assert one["gone"] == sum(gone for _, gone in times)
        remaining = 1.0
        for row in one["curve"]:
            at_risk = sum(time >= row["day"] for time, _ in times)
            gone = sum(gone and time == row["day"] for time, gone in times)
            remaining *= 1 - gone / at_risk
            assert row["remaining"] == pytest.approx(remaining)


def test_errors_are_counted_alike(fleet):
    told = fleet.ask("errors", date_from=SINCE.isoformat())["rows"]

    rows = by_place(told, "installations", "installation_days", "errors", "affected")
    assert rows == fleet.plain.errors(SINCE)


def test_uses_of_a_feature_are_counted_alike(fleet):
    told = fleet.ask("features", event="error.unhandled", date_from=SINCE.isoformat())[
        "rows"
    ]

    by_hand = fleet.plain.features("error.unhandled", SINCE)
    assert by_place(told, "installations", "used") == by_hand


def test_regularity_is_counted_alike(fleet):
    told = fleet.ask("regularity")
    ratios, per_day, without = fleet.plain.regularity()

    assert told["installations"] == len(ratios)
    assert told["median"] == pytest.approx(median(ratios))
    assert told["share_90"] == pytest.approx(
        sum(one >= 0.9 for one in ratios) / len(ratios)
    )
    assert told["heartbeats_per_day"] == {name: per_day[name] for name in ("1", "2", "3+")}
    assert told["without_version"] == without


def test_the_day_so_far_is_counted_alike(fleet):
    told = fleet.ask("today")
    so_far, shares = fleet.plain.today(NOW)

    assert told["so_far"] == so_far
    usual = median(shares)
    assert told["expected_by_now"] == pytest.approx(usual)
    assert told["projected"] == rounded_up(so_far / usual)
    assert told["low"] == rounded_up(so_far / max(shares))
    assert told["high"] == rounded_up(so_far / min(shares))


def test_the_list_names_every_installation_with_its_state_and_version(fleet):
    told = fleet.ask("installations", limit=500)["rows"]
    day = fleet.truth.as_of

    states = {
        who: state for state, people in fleet.truth.states(day).items() for who in people
    }
    assert {one["distinct_id"]: one["state"] for one in told} == states
    for one in told:
        assert one["version"] == fleet.truth.version(one["distinct_id"], day)
        last = fleet.truth.last_beat(one["distinct_id"], day)
        assert one["last_heartbeat"][:10] == last.isoformat()
        assert last <= day < NOW.date() + timedelta(days=1)


def test_a_stack_by_day_may_look_back_so_that_weekends_make_no_teeth(fleet):
    told = fleet.ask("versions_over_time", date_from=SINCE.isoformat(), window_days=7)

    for at, day in enumerate(told["days"]):
        active = fleet.truth.active(date.fromisoformat(day), 7)
        assert told["totals"][at] == len(active)
        assert sum(row["data"][at] for row in told["rows"]) == len(active)
    raw = fleet.ask("versions_over_time", date_from=SINCE.isoformat())["totals"]
    assert all(one <= week for one, week in zip(raw, told["totals"], strict=True))
    assert raw != told["totals"]


SHOWN = {
    "active": {},
    "active_over_time": {},
    "states": {},
    "flow": {},
    "versions": {},
    "versions_over_time": {"window_days": 7},
    "newest": {},
    "adoption": {},
    "lag": {},
    "paths": {"source": "events"},
    "downgrades": {},
    "behind": {},
    "eol": {},
    "distribution": {"property": "platform"},
    "survival": {},
    "errors": {},
    "features": {"event": "error.unhandled"},
    "regularity": {},
    "clones": {},
    "today": {},
    "installations": {},
    "overview": {},
}


@pytest.mark.parametrize("figure", SHOWN)
def test_the_sql_that_a_figure_shows_can_be_asked_again(fleet, figure):
    query = {"kind": "FleetQuery", "figure": figure, "params": SHOWN[figure]}
    shown = answer(query, fleet.context, fleet.store, Asking())["hogql"]

    for statement in re.split(rf";\s*(?={MARK})", shown):
        again = {"kind": "HogQLQuery", "query": statement}
        told = answer(again, fleet.context, fleet.store, Asking())
        assert told["error"] is None
        assert told["columns"]
