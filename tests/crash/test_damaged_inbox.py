"""A damaged end of the inbox: what can be read is stored, what cannot is said, new is taken."""

import sqlite3

import pytest

from tests.crash.writer_child import EVENTS_EACH, PROJECT, opened, request
from tests.world import NOW, rows


def send(inbox, number):
    """Append one request, which becomes a group of its own, and return its position."""
    return inbox.append(PROJECT.id, "capture", NOW, b"{}", request(number)).result()


def damage_entries(path):
    """Change bytes in the last group, which SQLite does not notice."""
    with sqlite3.connect(path) as db:
        (held,) = db.execute("SELECT entries FROM groups ORDER BY first DESC").fetchone()
        harmed = held[:40] + bytes([held[40] ^ 1]) + held[41:]
        db.execute("UPDATE groups SET entries = ? WHERE entries = ?", (harmed, held))
    db.close()


def tear_log(path):
    """Cut off the end of SQLite's log, as a power cut does."""
    log = path.with_name(path.name + "-wal")
    log.write_bytes(log.read_bytes()[:-100])


@pytest.mark.parametrize(
    ("harm", "left", "damaged"),
    [
        pytest.param(damage_entries, 3, 1, id="flipped bits are found by the checksum"),
        pytest.param(tear_log, 3, 0, id="a torn log is cut off at the last whole write"),
    ],
)
def test_a_damaged_end_costs_only_itself(tmp_path, harm, left, damaged, caplog):
    inbox, store, _ = opened(tmp_path)
    for number in range(4):
        send(inbox, number)
    harmed = tmp_path / "harmed"
    harmed.mkdir()
    if harm is damage_entries:
        inbox.close()
    for one in tmp_path.glob("inbox.sqlite*"):
        (harmed / one.name).write_bytes(one.read_bytes())
    harm(harmed / "inbox.sqlite")
    inbox.close()
    store.close()

    inbox, store, writer = opened(harmed)
    writer.start()
    writer.flush(20)
    before = rows(store, "SELECT count(*) FROM events")[0][0]
    send(inbox, 99)
    writer.flush(20)
    state = writer.state(PROJECT.id)
    writer.stop()
    said = inbox.damaged(), "are damaged" in caplog.text
    inbox.close()
    store.close()

    assert before == left * EVENTS_EACH
    assert (state["written"], state["failure"]) == ((left + 1) * EVENTS_EACH, None)
    assert said == (damaged, damaged > 0)
