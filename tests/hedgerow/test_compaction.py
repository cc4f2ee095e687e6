"""Settled events are put in order; which events there are and who did them stays the same."""

import threading
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hedgerow.errors import FlushTimedOut, StoreUnavailable
from hedgerow.ingest.settling import Settling
from hedgerow.model.changes import Compacted
from hedgerow.store.compaction import ROW_GROUP, Stretch, due, stretches
from hedgerow.store.on_duckdb import DuckStore
from tests.world import a_project, load, rows

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
SETTLED = date(2026, 3, 13)
ORDER = "SELECT project_id, event, timestamp FROM events WHERE timestamp < '2026-03-13' ORDER BY rowid"
MARCH = Stretch(date(2026, 3, 1), date(2026, 4, 1))
FIRST_THIRD = Stretch(date(2026, 3, 1), date(2026, 3, 11))
SECOND = Stretch(date(2026, 3, 2), date(2026, 3, 3))


@pytest.fixture
def small():
    """A database that finds six events worth putting in order, a piece of one each."""
    opened = DuckStore(None, row_group=3)
    yield opened
    opened.close()


def all_rows(store):
    """Return every event with all its columns, and how often it is there."""
    return Counter(map(repr, rows(store, "SELECT * FROM events")))


def compacted(store, now=NOW):
    """Put everything in order that is due; return how many events were moved."""
    moved = 0
    while (done := store.compact(now, look=True)) is not None:
        moved += done.moved
    return moved


def days_of(number, *, day="2026-03-02", names="cab", **more):
    """Return events of one day whose names are not in order."""
    start = datetime.fromisoformat(f"{day}T00:00:00Z")
    return [
        {
            "event": names[n % len(names)],
            "distinct_id": f"p{n % 4}",
            "timestamp": start + timedelta(minutes=37 * n % 1440),
            **more,
        }
        for n in range(number)
    ]


@pytest.mark.parametrize(
    ("days", "done", "expected"),
    [
        pytest.param({}, {}, None, id="nothing there"),
        pytest.param({date(2026, 3, 2): 5}, {}, None, id="too few"),
        pytest.param({date(2026, 3, 2): 6}, {}, SECOND, id="a large day alone"),
        pytest.param({date(2026, 3, 13): 99}, {}, None, id="a recent day"),
        pytest.param({date(2026, 3, 12): 99}, {}, Stretch(date(2026, 3, 12), date(2026, 3, 13)), id="the last settled day"),
        pytest.param({date(2026, 3, d): 2 for d in (2, 4, 9)}, {}, FIRST_THIRD, id="a third of small days"),
        pytest.param({date(2026, 2, 2): 2, date(2026, 2, 13): 2, date(2026, 2, 27): 2}, {}, Stretch(date(2026, 2, 1), date(2026, 3, 1)), id="a month of small thirds"),
        pytest.param({date(2026, 3, d): 2 for d in (2, 12)}, {}, None, id="a month that is not over"),
        pytest.param({date(2026, 3, 2): 6}, {SECOND: 6, FIRST_THIRD: 6}, None, id="all in order"),
        pytest.param({date(2026, 3, 2): 6, date(2026, 3, 3): 1}, {SECOND: 6}, FIRST_THIRD, id="a day becomes part of its third"),
        pytest.param({date(2026, 3, 2): 60, date(2026, 3, 3): 1}, {SECOND: 60}, None, id="a day so large that its third gains nothing"),
        pytest.param({date(2026, 3, 2): 8}, {FIRST_THIRD: 6}, FIRST_THIRD, id="many late events"),
        pytest.param({date(2026, 3, 2): 66}, {FIRST_THIRD: 60}, None, id="few late events"),
        pytest.param({date(2026, 3, 2): 1}, {FIRST_THIRD: 60}, None, id="most were deleted"),
    ],
)  # fmt: skip
def test_what_is_due_is_large_settled_and_not_in_order(days, done, expected):
    assert due(days, done, SETTLED, row_group=3) == expected


@given(st.dates(date(1901, 1, 1), date(2200, 1, 1)))
def test_a_day_lies_in_its_third_and_that_in_its_month(day):
    own, third, month = stretches(day)
    neighbours = {stretches(month.first + timedelta(days=n))[1] for n in range(28)}

    assert own.first == day
    assert month.holds(third)
    assert third.holds(own)
    assert min(one.first for one in neighbours) == month.first
    assert max(one.after for one in neighbours) == month.after


an_event = st.fixed_dictionaries(
    {
        "event": st.sampled_from(["open", "close", "Ärger", "$pageview", ""]).filter(bool),
        "distinct_id": st.sampled_from(["ann", "bob", "cy"]),
        "timestamp": st.integers(0, 45 * 24 * 60).map(lambda n: NOW - timedelta(minutes=n)),
        "properties": st.dictionaries(
            st.sampled_from(["plan", "size", "a/b", "deep"]),
            st.none() | st.integers() | st.text(max_size=3) | st.lists(st.booleans()),
            max_size=3,
        ),
    }
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(an_event, min_size=1, max_size=60), st.lists(an_event, max_size=20),
    st.integers(1, 9),
)  # fmt: skip
def test_the_same_events_are_there_before_and_after(events, late, row_group):
    store = DuckStore(None, row_group=row_group)
    for some in (events, late):
        if some:
            load(store, a_project(), events=some)
        before = all_rows(store)
        compacted(store)

        assert all_rows(store) == before
        assert store.compact(NOW, look=True) is None
    store.close()


def test_a_stretch_lies_in_the_order_of_project_event_and_time(small):
    for project in (a_project(), a_project()):
        load(small, project, events=days_of(25) + days_of(5, day="2026-03-12"))

    assert compacted(small) > 0
    settled = rows(small, f"{ORDER}")
    day = [one for one in settled if one[2].day == 2]
    assert day == sorted(day)
    assert len(settled) == 60


def test_recent_events_stay_in_the_order_of_their_arrival(small):
    load(small, a_project(), events=days_of(30, day="2026-03-14"))
    before = rows(small, "SELECT uuid FROM events ORDER BY rowid")

    assert compacted(small) == 0
    assert rows(small, "SELECT uuid FROM events ORDER BY rowid") == before


def test_a_small_database_is_left_alone():
    store = DuckStore(None)
    load(store, a_project(), events=days_of(50))

    assert ROW_GROUP > 50
    assert compacted(store) == 0
    store.close()


def test_many_late_events_have_their_stretch_done_again(small):
    project = a_project()
    load(small, project, events=days_of(20))
    compacted(small)
    load(small, project, events=days_of(1))
    few = compacted(small)
    load(small, project, events=days_of(9))

    assert few == 0
    assert compacted(small) == 30
    assert rows(small, ORDER) == sorted(rows(small, ORDER))
    assert small.size().in_order == 30


def test_people_merge_after_their_events_are_in_order(small):
    project = a_project()
    load(small, project, events=days_of(20))
    compacted(small)
    load(
        small,
        project,
        events=[
            {
                "event": "$identify",
                "distinct_id": "p0",
                "timestamp": NOW,
                "properties": {"$anon_distinct_id": "p1"},
            }
        ],
    )

    keys = "SELECT count(DISTINCT person_key) FROM events"
    assert rows(small, keys) == [(3,)]
    assert rows(small, f"{keys} WHERE distinct_id IN ('p0', 'p1')") == [(1,)]


def test_what_is_stopped_half_way_is_taken_up_where_it_was(tmp_path):
    path = tmp_path / "events.duckdb"
    store = DuckStore(path, row_group=3)
    load(store, a_project(), events=days_of(24))
    before = all_rows(store)
    first = store.compact(NOW)
    store.close()

    store = DuckStore(path, row_group=3)
    half = all_rows(store)
    second = store.compact(NOW)
    whole = compacted(store)
    assert (half, all_rows(store)) == (before, before)
    assert rows(store, ORDER) == sorted(rows(store, ORDER))
    assert 0 < second.left < first.left
    assert whole > 0
    store.close()


def test_a_stretch_deleted_while_under_way_is_forgotten(small):
    project = a_project()
    load(small, project, events=days_of(24))
    small.compact(NOW)
    small._loader.run("DELETE FROM events")

    assert compacted(small) == 0
    assert rows(small, "SELECT count(*) FROM compacted WHERE NOT whole") == [(0,)]


def test_questions_see_the_same_events_all_along(small):
    load(small, a_project(), events=days_of(60))
    seen, over = set(), threading.Event()

    def ask():
        while not over.is_set():
            seen.add(rows(small, "SELECT count(*), count(DISTINCT uuid) FROM events")[0])

    asking = threading.Thread(target=ask)
    asking.start()
    moved = compacted(small)
    over.set()
    asking.join()

    assert moved >= 60
    assert seen == {(60, 60)}


class Moves:
    """A store with so much to put in order."""

    def __init__(self, *left):
        self.left, self.looks = list(left), []

    def compact(self, now, *, look=False):
        """Move one."""
        self.looks.append(look)
        told = self.left.pop(0)
        if isinstance(told, Exception):
            raise told
        return told


def test_nothing_is_moved_before_it_is_time_or_wished_for():
    store = Moves(None)
    Settling(store, lambda: NOW).step()
    assert store.looks == []


@pytest.mark.parametrize(
    "outcome",
    [
        pytest.param(Compacted(moved=3, left=4), id="a piece"),
        pytest.param(None, id="nothing to do"),
        pytest.param(StoreUnavailable("full", hint=""), id="a full disk"),
        pytest.param(MemoryError("small"), id="too little memory"),
    ],
)
def test_who_wishes_for_a_piece_is_told_what_it_came_to(outcome):
    store, over = Moves(outcome), threading.Event()
    settling = Settling(store, lambda: NOW)

    def move():
        while not over.wait(0.001):
            settling.step()

    moving = threading.Thread(target=move)
    moving.start()
    try:
        told = settling.now(30)
    except (StoreUnavailable, MemoryError) as error:
        told = error
    finally:
        over.set()
        moving.join()

    assert told == outcome
    assert store.looks == [True]


def test_a_writer_that_is_never_idle_is_said():
    store = Moves()
    settling = Settling(store)
    with pytest.raises(FlushTimedOut, match="never idle"):
        settling.now(0.01)
    settling.step()
    assert store.looks == []
