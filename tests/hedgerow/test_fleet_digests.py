"""What is kept beside the events of a fleet, against the events: always the same."""

import json
import threading
from collections import defaultdict
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlglot import parse_one

from hedgerow.insights.fleet.digest import digest
from hedgerow.insights.fleet.params import Params, asked
from hedgerow.insights.fleet.settings import settings_of
from hedgerow.model.ports import Statement
from hedgerow.store.digests_drawing import Drawing
from hedgerow.store.on_duckdb import DuckStore
from tests.world import NOW, a_project, command, context, load

BEAT = "telemetry.health"
NAMES = [BEAT, BEAT, BEAT, "telemetry.update", "telemetry.install", "opened"]
WHO = st.sampled_from(["a", "b", "c"])
VERSIONS = st.sampled_from(["1.0", "1.1", "v1.0", None])
EVENTS = st.fixed_dictionaries(
    {
        "event": st.sampled_from(NAMES),
        "distinct_id": WHO,
        "hours": st.integers(1, 70 * 24),
        "version": VERSIONS,
        "old_version": VERSIONS,
        "platform": st.sampled_from(["Linux", "Windows", None, ""]),
        "environment": st.sampled_from(["production", None]),
    }
)
STEPS = st.one_of(
    st.tuples(st.just("send"), st.lists(EVENTS, min_size=1, max_size=15)),
    st.tuples(st.just("send"), st.lists(EVENTS, min_size=1, max_size=15)),
    st.tuples(st.just("send_daily"), WHO, st.integers(1, 60), st.integers(2, 40)),
    st.tuples(st.just("merge"), WHO, WHO),
    st.tuples(st.just("split"), WHO),
    st.tuples(st.just("delete"), WHO),
    st.tuples(st.just("retain"), st.integers(20, 60)),
    st.tuples(st.just("move"), st.sampled_from(["UTC", "Europe/Berlin", "Asia/Tokyo"])),
)


STORE = DuckStore(None)


class World:
    """A project that things happen to."""

    def __init__(self):
        self.store, self.project = STORE, a_project()

    def send(self, events):
        told = [
            {
                "event": one["event"],
                "distinct_id": one["distinct_id"],
                "timestamp": NOW - timedelta(hours=one["hours"]),
                "properties": {n: one[n] for n in one if n not in {"hours", "event"}},
            }
            for one in events
        ]
        load(self.store, self.project, events=told)

    def send_daily(self, who, first, count):
        beats = [
            {
                "event": BEAT,
                "distinct_id": who,
                "hours": 24 * (first + day),
                "version": "1.0",
            }
            for day in range(count)
        ]
        self.send(beats)

    def merge(self, who, other):
        pair = {"target": self.person(who), "sources": [self.person(other)]}
        command(self.store, self.project, {"do": "merge", **pair})

    def split(self, who):
        command(self.store, self.project, {"do": "split", "person": self.person(who)})

    def delete(self, who):
        gone = {"person": self.person(who), "with_events": True}
        command(self.store, self.project, {"do": "delete_person", **gone})

    def retain(self, days):
        before = (NOW - timedelta(days=days, hours=5)).isoformat()
        command(self.store, self.project, {"do": "delete_events", "before": before})

    def move(self, zone):
        self.project = a_project(id=self.project.id, timezone=zone)

    def person(self, who):
        rows = self.rows(
            "SELECT p.uuid::VARCHAR FROM persons p JOIN distinct_ids d USING (person_key) "
            "WHERE d.distinct_id = $w AND d.project_id = $p",
            w=who,
            p=self.project.id,
        )
        return rows[0][0] if rows else None

    def rows(self, sql, *, kept=None, **values):
        tree = parse_one(sql, dialect="duckdb")
        found = Statement(tree=tree, text=sql, values=values, digest=kept)
        return self.store.run(found, timeout_s=30).rows

    def kept(self):
        question = asked(
            Params(), "states", settings_of({}), context(self.store, self.project)
        )
        stretches = self.rows(
            "SELECT person_key, first_day, last_day, beat, id, environment, platform "
            "FROM fleet_stretches WHERE project_id = $p ORDER BY ALL",
            p=self.project.id,
            kept=digest(question),
        )
        changes = self.rows(
            'SELECT person_key, "at", step, day, version FROM fleet_changes '
            "WHERE project_id = $p ORDER BY person_key, place",
            p=self.project.id,
        )
        return stretches, changes

    def plain(self):
        """The same, counted out of the events one by one."""
        found = self.rows(
            "SELECT person_key, event, epoch_us(timestamp), epoch_us(created_at), "
            "timestamp, distinct_id, properties::VARCHAR FROM events "
            "WHERE NOT personless AND project_id = $p",
            p=self.project.id,
        )
        people = defaultdict(list)
        for key, name, at, arrived, moment, who, properties in found:
            if name in NAMES[:-1] and not (name == BEAT and at > arrived + 3_600_000_000):
                told = json.loads(properties)
                local = moment.replace(tzinfo=ZoneInfo("UTC")).astimezone(
                    ZoneInfo(self.project.timezone)
                )
                day = (local.date() - NOW.date().replace(1970, 1, 1)).days
                people[key].append((at, arrived, day, name, who, told))
        stretches = [row for key in people for row in plain_stretches(key, people[key])]
        changes = [row for key in sorted(people) for row in plain_changes(key, people[key])]
        return stretches, changes


def plain_stretches(key, events):
    days = defaultdict(list)
    for event in sorted(events, key=lambda one: one[:2]):
        days[event[2]].append(event)
    rows = []
    for day in sorted(days):
        beats = [one for one in days[day] if one[3] == BEAT]
        environments = [e[5]["environment"] for e in days[day] if e[5].get("environment")]
        platforms = [e[5]["platform"] for e in beats if e[5].get("platform")]
        said = (
            bool(beats),
            min(one[4] for one in days[day]),
            environments[-1] if environments else None,
            platforms[-1] if platforms else None,
        )
        if rows and rows[-1][2] == day - 1 and rows[-1][3:] == said:
            rows[-1] = (key, rows[-1][1], day, *said)
        else:
            rows.append((key, day, day, *said))
    return rows


def plain_changes(key, events):
    observed = []
    for at, arrived, day, name, _, told in events:
        version = told.get("version")
        if name == "telemetry.update":
            observed.append((at, 0, arrived, told.get("old_version"), day))
            observed.append((at, 1, arrived, version, day))
        else:
            observed.append((at, 2, arrived, version, day))
    rows = []
    said = sorted(one for one in observed if one[3] is not None)
    for at, step, _, version, day in said:
        last = rows[-1] if rows else None
        if last is None or last[4] != version or (last[2] == 0 and step > 0):
            rows.append((key, at, step, day, version))
    return rows


@pytest.mark.slow
@given(st.lists(st.tuples(STEPS, st.booleans()), min_size=1, max_size=9))
@settings(max_examples=8, deadline=None, phases=[Phase.generate])
def test_what_is_kept_says_what_the_events_say_whatever_happens(steps):
    world = World()
    world.send([{"event": BEAT, "distinct_id": "a", "hours": 48, "version": "1.0"}])
    world.kept()
    for (name, *rest), asks in steps:
        getattr(world, name)(*rest)
        if asks:
            world.kept()
    stretches, changes = world.kept()
    by_hand = world.plain()
    assert stretches == sorted(by_hand[0], key=lambda row: row[:3])
    assert changes == by_hand[1]


def test_a_question_waits_while_another_one_has_the_fleet_drawn(monkeypatch):
    world = World()
    world.send_daily("a", 1, 40)
    month, others = Drawing.month, []

    def slowly(drawing, first, after):
        if not others:
            others.append(threading.Thread(target=lambda: seen.append(world.kept())))
            others[0].start()
            others[0].join(0.2)
            assert others[0].is_alive()
        month(drawing, first, after)

    seen = []
    monkeypatch.setattr(Drawing, "month", slowly)
    seen.append(world.kept())
    others[0].join()

    assert seen[0] == seen[1]
    assert seen[0][0] == sorted(world.plain()[0], key=lambda row: row[:3])


def test_what_comes_while_a_fleet_is_drawn_is_there_for_the_next_question(monkeypatch):
    world = World()
    world.send_daily("a", 1, 40)
    month, sent = Drawing.month, []

    def meanwhile(drawing, first, after):
        month(drawing, first, after)
        if not sent:
            sent.append(after)
            world.send_daily("b", 1, 50)

    monkeypatch.setattr(Drawing, "month", meanwhile)
    world.kept()

    assert world.kept()[0] == sorted(world.plain()[0], key=lambda row: row[:3])


def test_nothing_is_kept_of_who_was_deleted_with_the_events():
    world = World()
    world.send_daily("a", 1, 40)
    world.send_daily("b", 1, 40)
    world.kept()

    world.delete("a")

    for table in ("fleet_stretches", "fleet_changes"):
        sql = (
            f"SELECT DISTINCT distinct_id FROM {table} t LEFT JOIN distinct_ids d "
            "USING (person_key) WHERE t.project_id = $p"
        )
        assert world.rows(sql, p=world.project.id) == [("b",)]
