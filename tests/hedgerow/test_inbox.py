"""The inbox keeps what it has acknowledged: in order, once, through restarts and bad disks."""

import logging
import shutil
import sqlite3
import threading
from concurrent.futures import wait
from datetime import UTC, datetime, timedelta

import pytest

from hedgerow.errors import InboxUnavailable
from hedgerow.inbox import SqliteInbox
from hedgerow.inbox_file import connected

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
PATIENCE_S = 10


@pytest.fixture
def path(tmp_path):
    return tmp_path / "inbox.sqlite"


@pytest.fixture
def inbox(path):
    opened = SqliteInbox(path)
    yield opened
    opened.close()


def put(inbox, *bodies, project_id=7, at=NOW):
    futures = [inbox.append(project_id, "capture", at, b"{}", body) for body in bodies]
    return [future.result(PATIENCE_S) for future in futures]


def bodies(inbox, after=0, limit_bytes=10**9):
    return [queued.body for queued in inbox.read(after=after, limit_bytes=limit_bytes)]


def settled(inbox):
    """Make sure that an earlier ``forget`` has been carried out."""
    put(inbox, b"")


def test_what_was_put_in_is_read_in_order_with_all_it_came_with(inbox):
    assert put(inbox, b"one", b"two", b"three") == [1, 2, 3]

    first, *others = inbox.read(after=0, limit_bytes=1000)

    assert (first.position, first.project_id, first.kind) == (1, 7, "capture")
    assert (first.received_at, first.hints, first.body) == (NOW, b"{}", b"one")
    assert [(queued.position, queued.body) for queued in others] == [
        (2, b"two"),
        (3, b"three"),
    ]


@pytest.mark.parametrize(
    ("after", "limit_bytes", "read"),
    [
        pytest.param(0, 8, [b"aaaa", b"bbbb"], id="up to the limit"),
        pytest.param(0, 1, [b"aaaa"], id="one at least"),
        pytest.param(2, 100, [b"cccc"], id="behind a position inside a group"),
        pytest.param(3, 100, [], id="nothing behind the last"),
    ],
)
def test_reading_stops_at_the_limit_but_always_gets_on(inbox, after, limit_bytes, read):
    put(inbox, b"aaaa", b"bbbb", b"cccc")

    assert bodies(inbox, after, limit_bytes) == read


def test_pending_counts_what_follows_a_position(inbox):
    put(inbox, b"a", b"b", at=NOW)
    put(inbox, b"c", at=NOW + timedelta(minutes=1))

    assert (inbox.pending(after=0).count, inbox.pending(after=0).oldest) == (3, NOW)
    assert inbox.pending(after=2).oldest == NOW + timedelta(minutes=1)
    assert (inbox.pending(after=3).count, inbox.pending(after=3).oldest) == (0, None)


def test_a_position_is_never_used_again(path):
    inbox = SqliteInbox(path)
    put(inbox, b"a", b"b")
    inbox.forget(upto=2)
    settled(inbox)
    inbox.forget(upto=3)
    inbox.close()

    reopened = SqliteInbox(path)

    assert reopened.last_position() == 3
    assert put(reopened, b"new") == [4]
    reopened.close()


def test_a_lost_file_does_not_bring_positions_back(path):
    inbox = SqliteInbox(path, beyond=1000)

    assert put(inbox, b"a") == [1001]
    inbox.close()


def test_what_is_forgotten_frees_its_place(inbox):
    put(inbox, b"x" * 1000, b"y" * 500)
    put(inbox, b"z" * 10)
    assert inbox.size_bytes() == 1510

    inbox.forget(upto=2)
    settled(inbox)

    assert inbox.size_bytes() == 10
    assert bodies(inbox) == [b"z" * 10, b""]


def test_everything_is_there_after_a_restart(path):
    inbox = SqliteInbox(path)
    put(inbox, b"a", b"b")
    inbox.close()

    reopened = SqliteInbox(path)

    assert bodies(reopened) == [b"a", b"b"]
    assert reopened.size_bytes() == 2
    reopened.close()


def test_a_full_inbox_refuses_at_once_and_takes_again_when_emptied(path):
    inbox = SqliteInbox(path, max_bytes=100)
    put(inbox, b"x" * 90)

    with pytest.raises(InboxUnavailable, match="101 of 100 bytes"):
        inbox.append(7, "capture", NOW, b"{}", b"y" * 11)
    inbox.forget(upto=1)
    settled(inbox)

    assert put(inbox, b"y" * 11)
    inbox.close()


def test_closing_writes_what_waits_and_refuses_what_comes_later(path):
    inbox = SqliteInbox(path)
    futures = [inbox.append(7, "capture", NOW, b"{}", b"%d" % n) for n in range(50)]

    inbox.close()

    assert [future.result(0) for future in futures] == list(range(1, 51))
    with pytest.raises(InboxUnavailable, match="shutting down"):
        inbox.append(7, "capture", NOW, b"{}", b"late")


def test_many_threads_get_a_position_each(inbox):
    positions = []

    def put_some():
        positions.extend(put(inbox, *[b"x"] * 50))

    threads = [threading.Thread(target=put_some) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(positions) == list(range(1, 401))
    assert len(bodies(inbox)) == 400


class Disk:
    """A disk that can be told to fail at a statement, as a full or broken one does."""

    def __init__(self):
        self.fails_at = None

    def connect(self, path):
        disk = self

        class Connection(sqlite3.Connection):
            def execute(self, statement, *values):
                if disk.fails_at and statement.startswith(disk.fails_at):
                    raise sqlite3.OperationalError("database or disk is full")
                return super().execute(statement, *values)

        real = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, factory=Connection
        )
        real.execute("PRAGMA journal_mode = WAL")
        real.execute("PRAGMA synchronous = FULL")
        return real


@pytest.mark.parametrize("statement", ["INSERT", "PRAGMA journal_mode"])
def test_a_failing_disk_is_told_to_the_client_and_overcome(path, caplog, statement):
    disk = Disk()
    inbox = SqliteInbox(path, connect=disk.connect)
    put(inbox, b"before")

    disk.fails_at = "INSERT"
    with pytest.raises(InboxUnavailable, match="disk is full"):
        put(inbox, b"during")
    disk.fails_at = statement
    for _ in range(2):
        with pytest.raises(InboxUnavailable):
            put(inbox, b"still")
    failure = inbox.failure()
    disk.fails_at = None
    (position,) = put(inbox, b"after")

    assert failure == "database or disk is full"
    assert inbox.failure() is None
    assert position == inbox.last_position() == 5
    assert bodies(inbox) == [b"before", b"after"]
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    inbox.close()


def test_a_database_that_is_really_full_recovers(path):
    def limited(path):
        db = connected(path)
        db.execute("PRAGMA max_page_count = 60")
        return db

    inbox = SqliteInbox(path, connect=limited)
    big = b"x" * 10_000
    futures = [inbox.append(7, "capture", NOW, b"{}", big) for _ in range(100)]
    wait(futures, PATIENCE_S)
    assert "full" in str(futures[-1].exception())
    kept = inbox.last_position()
    inbox.forget(upto=kept)
    settled(inbox)

    assert put(inbox, b"x" * 10_000)
    inbox.close()


def test_a_torn_log_keeps_what_was_whole(path, tmp_path):
    inbox = SqliteInbox(path)
    put(inbox, b"first")
    put(inbox, b"second")
    log = path.with_name("inbox.sqlite-wal")
    torn = tmp_path / "torn" / "inbox.sqlite"
    torn.parent.mkdir()
    shutil.copy(path, torn)
    torn.with_name("inbox.sqlite-wal").write_bytes(log.read_bytes()[:-100])
    inbox.close()

    recovered = SqliteInbox(torn)

    assert bodies(recovered) == [b"first"]
    assert put(recovered, b"third")
    recovered.close()


def test_a_damaged_group_is_set_aside_and_the_others_are_read(path, caplog):
    inbox = SqliteInbox(path)
    for body in (b"one", b"two", b"three"):
        put(inbox, body)
    inbox.close()
    with sqlite3.connect(path) as db:
        db.execute("UPDATE groups SET entries = x'00' WHERE first = 2")

    reopened = SqliteInbox(path)

    assert [bodies(reopened) for _ in range(2)] == [[b"one", b"three"]] * 2
    assert caplog.messages == [
        "Positions 2 to 2 of the inbox are damaged: set aside in its table 'damaged', not read."
    ]
    reopened.close()
    assert sqlite3.connect(path).execute("SELECT first FROM damaged").fetchall() == [(2,)]


def _overwrite(path, start, count):
    with path.open("r+b") as file:
        file.seek(start)
        file.write(b"\xff" * count)


def test_a_damaged_database_is_rescued_as_far_as_it_can_be_read(path, caplog):
    inbox = SqliteInbox(path)
    for number in range(40):
        put(inbox, b"%d" % number * 500)
    inbox.close()
    _overwrite(path, path.stat().st_size // 2 // 4096 * 4096, 4096)

    with caplog.at_level(logging.ERROR):
        rescued = SqliteInbox(path)
    found = bodies(rescued)

    assert 10 < len(found) < 40
    assert f"{len(found)} requests were saved" in caplog.text
    assert put(rescued, b"new")[0] > max(
        q.position for q in rescued.read(after=0, limit_bytes=1)
    )
    assert list(path.parent.glob("inbox.sqlite.damaged-*"))
    rescued.close()


def test_a_file_that_is_no_database_is_set_aside(path, caplog):
    path.write_bytes(b"not a database at all" * 1000)

    inbox = SqliteInbox(path, beyond=5)

    assert put(inbox, b"a") == [6]
    assert "0 requests were saved" in caplog.text
    inbox.close()


def test_upkeep_moves_the_log_and_loses_nothing(inbox, path):
    put(inbox, *[b"x" * 10_000] * 20)
    before = path.stat().st_size

    inbox._file.upkeep()

    assert path.stat().st_size > before
    assert len(bodies(inbox)) == 20
