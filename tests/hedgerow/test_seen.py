"""The filter of stored events: it may doubt a new one, it never passes over a stored one."""

from uuid import UUID

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgerow.store import seen as filters
from hedgerow.store.seen import Seen, bits_of_pass

EVENTS = "CREATE TABLE events (project_id BIGINT, uuid UUID)"


def some(first, count):
    return [
        (1 + i % 3, UUID(int=i * 0x9E3779B97F4A7C15)) for i in range(first, first + count)
    ]


@pytest.fixture
def connection():
    with duckdb.connect(":memory:") as made:
        made.execute(EVENTS)
        yield made


def store(connection, events):
    connection.executemany(
        "INSERT INTO events VALUES (?, ?)", [[p, str(u)] for p, u in events]
    )


@pytest.mark.parametrize("at_once", [10_000, 0], ids=["before", "meanwhile"])
def test_what_is_stored_is_never_taken_for_new(connection, at_once):
    old, new = some(0, 300), some(300, 300)
    store(connection, old)

    seen = Seen(connection, at_once=at_once)
    seen.may_hold(new)
    seen.add(new)
    before = seen.may_hold([*old, *new])
    seen.wait()

    assert set(before) >= {*old, *new}
    assert set(seen.may_hold([*old, *new])) == {*old, *new}
    assert seen.may_hold(some(900, 2_000)) == []


def test_until_there_is_a_filter_nothing_is_surely_new(connection):
    store(connection, some(0, 10))
    seen = Seen(connection, at_once=0)

    doubted = seen.may_hold(some(50, 10)) if seen._building.is_alive() else some(50, 10)

    assert doubted == some(50, 10)
    seen.close()


def test_it_grows_with_the_table_without_a_pause(connection, monkeypatch):
    monkeypatch.setattr(filters, "LEAST_BITS", 1 << 12)
    seen = Seen(connection, at_once=0)
    seen.wait()
    events = some(0, 2_000)
    for start in range(0, 2_000, 100):
        batch = events[start : start + 100]
        store(connection, batch)
        seen.add(batch)
        assert set(seen.may_hold(events[: start + 100])) == set(events[: start + 100])
    seen.wait()

    assert len(seen._bits) * 8 >= 2_000 * filters.BITS_PER_EVENT
    assert set(seen.may_hold(events)) == set(events)


def test_several_passes_make_the_same_filter_as_one(connection):
    store(connection, some(0, 1_000))
    whole = Seen(connection)

    assert Seen(connection, pass_bits=1 << 19)._bits == whole._bits


@pytest.mark.parametrize(
    ("memory_mib", "mib"), [(90, 4), (148, 8), (256, 16), (512, 32), (65_536, 32)]
)
def test_a_pass_takes_a_small_part_of_the_memory(memory_mib, mib):
    assert bits_of_pass(memory_mib) == mib * 1024 * 1024 * 8


def test_a_filter_that_cannot_be_built_leaves_look_ups(connection):
    store(connection, some(0, 10))
    seen = Seen(connection, at_once=0)
    seen.wait()
    connection.execute("DROP TABLE events")
    connection.execute("CREATE TABLE events (project_id BIGINT)")
    seen._bits, seen._words = bytearray(), memoryview(bytearray()).cast("Q")

    for _ in range(filters.TRIES + 2):
        seen.rebuild()
        seen.wait()

    assert seen.may_hold(some(0, 5)) == some(0, 5)


@given(st.lists(st.tuples(st.integers(1, 5), st.uuids()), max_size=50, unique=True))
def test_any_events_once_added_are_held(events):
    with duckdb.connect(":memory:") as connection:
        connection.execute(EVENTS)
        seen = Seen(connection)
        seen.add(events)

        assert set(seen.may_hold(events)) == set(events)
