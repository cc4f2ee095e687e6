"""A server killed without warning has kept every request that it acknowledged."""

import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime

import pytest

from hedgerow.inbox import SqliteInbox

pytestmark = pytest.mark.slow

WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from hedgerow.inbox import SqliteInbox

inbox = SqliteInbox(Path(sys.argv[1]))
forgets = sys.argv[2] == "forgets"
waiting, number = [], 0
while True:
    for _ in range(20):
        body = b"%d:" % number + b"x" * (number % 5000)
        waiting.append((number, inbox.append(1, "capture", datetime.now(UTC), b"{}", body)))
        number += 1
    while len(waiting) > 40:
        sent, kept = waiting.pop(0)
        print(sent, kept.result(), flush=True)
    if forgets and number % 500 == 0:
        inbox.forget(upto=inbox.last_position() - 200)
"""


@pytest.mark.parametrize("habit", ["keeps", "forgets"])
@pytest.mark.parametrize("after_s", [0.4, 0.7, 1.1])
def test_nothing_acknowledged_is_lost_when_the_server_is_killed(tmp_path, habit, after_s):
    path = tmp_path / "inbox.sqlite"
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, path, habit], stdout=subprocess.PIPE, text=True
    )
    killer = threading.Timer(after_s, os.kill, (writer.pid, signal.SIGKILL))
    first = writer.stdout.readline()
    killer.start()
    lines = [first, *writer.stdout]
    writer.wait()
    acknowledged = [tuple(map(int, line.split())) for line in lines if line.endswith("\n")]

    inbox = SqliteInbox(path)
    held = {q.position: q.body for q in inbox.read(after=0, limit_bytes=10**9)}
    oldest = min(held)
    (new,) = [inbox.append(1, "capture", datetime.now(UTC), b"{}", b"new").result(10)]
    inbox.close()

    kept = [(number, position) for number, position in acknowledged if position >= oldest]
    assert len(kept) >= (len(acknowledged) if habit == "keeps" else 100)
    for number, position in kept:
        assert held[position] == b"%d:" % number + b"x" * (number % 5000)
    assert new > max(held)
