"""Killed while it puts events in order, a server has each of them once and goes on."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from hedgerow.store.on_duckdb import DuckStore
from tests.crash.compacting_child import NOW, ROW_GROUP
from tests.world import a_project, load, rows

CHILD = Path(__file__).with_name("compacting_child.py")
EVENTS = 600
EACH = "SELECT count(*), count(DISTINCT uuid), md5(string_agg(e, ';' ORDER BY e)) FROM (SELECT events::VARCHAR AS e, uuid FROM events)"


def killed_after(path, pieces):
    """Let a child move so many pieces, kill it in the next; return how many it moved."""
    command = [sys.executable, str(CHILD), str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        moved = [int(child.stdout.readline()) for _ in range(pieces)]
        child.kill()
        rest, _ = child.communicate()
    return sum(moved) + sum(int(one) for one in rest.split())


@pytest.mark.slow
def test_killed_in_the_middle_each_event_is_there_once(tmp_path):
    path = tmp_path / "events.duckdb"
    store = DuckStore(path, row_group=ROW_GROUP)
    load(
        store,
        a_project(),
        events=[
            {
                "event": "cab"[n % 3],
                "distinct_id": f"p{n % 5}",
                "timestamp": NOW - timedelta(days=9, minutes=7 * n % 1440),
                "properties": {"n": n},
            }
            for n in range(EVENTS)
        ],
    )
    before = rows(store, EACH)
    store.close()

    first, second = killed_after(path, 2), killed_after(path, 3)
    store = DuckStore(path, row_group=ROW_GROUP)
    between = rows(store, EACH)
    while store.compact(NOW, look=True) is not None:
        continue
    after = rows(store, EACH)
    in_order = rows(store, "SELECT event, timestamp FROM events ORDER BY rowid")
    store.close()

    assert before[0][:2] == (EVENTS, EVENTS)
    assert (between, after) == (before, before)
    assert first > 0 < second
    assert in_order == sorted(in_order)
