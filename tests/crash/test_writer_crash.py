"""Killed at any moment, the writer loses nothing acknowledged and doubles nothing."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.crash.writer_child import EVENTS_EACH, opened
from tests.world import rows

CHILD = Path(__file__).with_name("writer_child.py")
LIVES = 6


def acknowledged_in_one_life(folder, first, lives_s):
    """Let a child work, kill it, and return the numbers it had acknowledged."""
    with subprocess.Popen(
        [sys.executable, str(CHILD), str(folder), str(first)],
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        time.sleep(lives_s)
        child.kill()
        said, _ = child.communicate()
    lines = said.splitlines(keepends=True)
    return [int(line) for line in lines if line.endswith("\n")]


@pytest.mark.slow
def test_killed_at_random_moments_nothing_is_lost_and_nothing_doubled(tmp_path):
    dice = random.Random(7)
    acknowledged: list[int] = []
    for _ in range(LIVES):
        first = (acknowledged[-1] if acknowledged else 0) + 1
        acknowledged += acknowledged_in_one_life(tmp_path, first, dice.uniform(0.8, 2.0))
    inbox, store, writer = opened(tmp_path)
    writer.start()
    writer.flush(60)
    writer.stop()

    stored = rows(store, "SELECT count(*), count(DISTINCT uuid) FROM events")[0]
    complete = rows(
        store,
        "SELECT number FROM (SELECT (properties ->> 'number')::INT AS number, count(*) AS n "
        "FROM events GROUP BY 1) WHERE n = ?",
        EVENTS_EACH,
    )
    people = rows(
        store,
        "SELECT count(*) FROM (SELECT DISTINCT e.distinct_id, e.person_key FROM events e)",
    )[0][0]
    owners = rows(
        store,
        "SELECT count(*) FROM distinct_ids d LEFT JOIN persons p USING (person_key) "
        "WHERE p.person_key IS NULL",
    )[0][0]
    inbox.close()
    store.close()

    assert len(acknowledged) > LIVES
    assert stored[0] == stored[1]
    assert set(acknowledged) <= {number for (number,) in complete}
    assert people == 7
    assert owners == 0
