"""The file of the inbox: one SQLite database, written by one thread.

Each row of ``groups`` is what one sync made durable: some requests in their order, packed,
with a checksum. ``damaged`` holds rows whose checksum failed, ``seen`` the last position
ever given, which outlives the rows.

SQLite itself repairs a torn tail of its log. A database that is damaged beyond that is
set aside, and what can be read of it is copied, from both ends, into a new one.
"""

import logging
import sqlite3
import threading
import time
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from hedgerow.model.ports import QueuedKind

log = logging.getLogger(__name__)

MIB = 1024 * 1024
_LARGEST_LOG = 256 * MIB
_MOST_FREE_PAGES = 16_384  # of 4 KiB
_QUICKLY_CHECKED = 256 * MIB

_SCHEMA = """
CREATE TABLE IF NOT EXISTS groups (
  first INTEGER PRIMARY KEY, last INTEGER NOT NULL, received_at REAL NOT NULL,
  size INTEGER NOT NULL, checksum INTEGER NOT NULL, entries BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS damaged (
  first INTEGER PRIMARY KEY, last INTEGER NOT NULL, received_at REAL NOT NULL,
  size INTEGER NOT NULL, checksum INTEGER NOT NULL, entries BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS seen (last INTEGER NOT NULL);
INSERT INTO seen SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM seen);
"""
_INSERT = "INSERT INTO groups VALUES (?, ?, ?, ?, ?, ?)"
_DELETE = "DELETE FROM groups WHERE last <= ? RETURNING size"
_SET_ASIDE = "INSERT OR IGNORE INTO damaged SELECT * FROM groups WHERE first = ?"
_COUNT_DAMAGED = "SELECT coalesce(sum(last - first + 1), 0) FROM damaged"
_STATE = """
SELECT count(*), max((SELECT max(last) FROM seen), coalesce(max(last), 0)), coalesce(sum(size), 0)
FROM groups"""
_AFTER = """
SELECT * FROM groups
WHERE first >= coalesce((SELECT max(first) FROM groups WHERE first <= :after), 0)
ORDER BY first"""
_SPANS = """
SELECT first, last, received_at FROM groups
WHERE first >= coalesce((SELECT max(first) FROM groups WHERE first <= :after), 0)
ORDER BY first"""
_NEXT = "SELECT * FROM groups WHERE first > ? ORDER BY first LIMIT 1"
_BEFORE = "SELECT * FROM groups WHERE first < ? ORDER BY first DESC LIMIT 1"


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A request as it is written."""

    project_id: int
    kind: QueuedKind
    received_at: float
    """Unix seconds."""

    hints: bytes
    body: bytes


class _Group(NamedTuple):
    """A row of ``groups``."""

    first: int
    last: int
    received_at: float
    size: int
    checksum: int
    entries: bytes

    def is_whole(self) -> bool:
        """Return whether the entries are those that were written."""
        return zlib.crc32(self.entries) == self.checksum


_ENTRIES = msgspec.msgpack.Decoder(list[Entry])

Connect = Callable[[Path], sqlite3.Connection]


def connected(path: Path) -> sqlite3.Connection:
    """Return a connection that syncs every commit and never checkpoints by itself."""
    db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA auto_vacuum = INCREMENTAL")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA wal_autocheckpoint = 0")
    db.execute(f"PRAGMA journal_size_limit = {_LARGEST_LOG}")
    return db


class InboxFile:
    """One connection for the writer's thread, one for all readers."""

    def __init__(self, path: Path, connect: Connect) -> None:
        self._path, self._connect = path, connect
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db: sqlite3.Connection | None = _opened(path, connect)
        self._readers = connect(path)
        self._reading = threading.Lock()
        self._damaged: set[int] = set()
        self.damaged: int
        """Requests that were acknowledged and cannot be read any more."""
        (self.damaged,) = self._readers.execute(_COUNT_DAMAGED).fetchone()
        self._writes = self._moved = 0
        self.forgotten = 0
        self.last: int
        """The last position ever given, as found on opening."""
        self.size: int
        """Bytes of the bodies in the file."""
        groups, self.last, self.size = self._readers.execute(_STATE).fetchone()
        if groups:
            log.info("%d groups with %d bytes wait in the inbox.", groups, self.size)

    def write(self, first: int, entries: list[Entry], forget_upto: int) -> None:
        """Write a group and sync; delete what may be forgotten. Raises sqlite3.Error."""
        db = self._db or self._connect(self._path)
        self._db = None  # a failed sync leaves the connection in doubt: then open anew
        try:
            if forget_upto > self.forgotten:
                gone = _written_and_deleted(db, first, entries, forget_upto)
            else:  # the usual case: one statement, which commits by itself
                db.execute(_INSERT, _group(first, entries))
                gone = 0
        except sqlite3.Error:
            with suppress(sqlite3.Error):
                db.close()
            raise
        self._db = db
        self._writes += 1
        self.forgotten = max(self.forgotten, forget_upto)
        self.size += sum(len(entry.body) for entry in entries) - gone

    def entries(self, after: int, limit_bytes: int) -> list[tuple[int, Entry]]:
        """Return positions and entries behind ``after``: whole groups, about so many bytes."""
        found: list[tuple[int, Entry]] = []
        with self._reading:
            cursor = self._readers.execute(_AFTER, {"after": after})
            for group in map(_Group._make, cursor):
                found += [one for one in self._unpacked(group) if one[0] > after]
                limit_bytes -= group.size
                if found and limit_bytes <= 0:
                    break
            cursor.close()  # an open one would keep the log from starting over
        return found

    def pending(self, after: int) -> tuple[int, float | None]:
        """Return how many entries follow ``after``, and when the oldest group began."""
        with self._reading:
            rows = self._readers.execute(_SPANS, {"after": after}).fetchall()
        spans = [(last - max(first - 1, after), since) for first, last, since in rows]
        behind = [(count, since) for count, since in spans if count > 0]
        return sum(count for count, _ in behind), behind[0][1] if behind else None

    def upkeep(self) -> None:
        """Move the log into the database; give freed pages back. Raises sqlite3.Error."""
        if self._moved == self._writes:
            return
        self._moved = self._writes
        log_bytes = self._path.with_name(f"{self._path.name}-wal").stat().st_size
        mode = "RESTART" if log_bytes > _LARGEST_LOG else "PASSIVE"
        db = self._connect(self._path)
        try:
            db.execute(f"PRAGMA wal_checkpoint({mode})").fetchall()
            (free_pages,) = db.execute("PRAGMA freelist_count").fetchone()
            if free_pages > _MOST_FREE_PAGES:
                db.execute(f"PRAGMA incremental_vacuum({_MOST_FREE_PAGES // 4})").fetchall()
        finally:
            db.close()

    def close(self) -> None:
        """Let go of the database; SQLite then moves the log into it."""
        with self._reading:
            self._readers.close()
        if self._db is not None:
            self._db.close()

    def _unpacked(self, group: _Group) -> Iterable[tuple[int, Entry]]:
        if group.is_whole():
            return enumerate(_ENTRIES.decode(group.entries), group.first)
        if group.first not in self._damaged:
            self._damaged.add(group.first)
            log.error(
                "Positions %d to %d of the inbox are damaged: set aside in its table "
                "'damaged', not read.",
                group.first,
                group.last,
            )
            self._readers.execute(_SET_ASIDE, (group.first,))
            (self.damaged,) = self._readers.execute(_COUNT_DAMAGED).fetchone()
        return ()


def _written_and_deleted(
    db: sqlite3.Connection, first: int, entries: list[Entry], upto: int
) -> int:
    """Write a group, if there is one, and delete up to a position; return its bytes."""
    db.execute("BEGIN IMMEDIATE")
    if entries:
        db.execute(_INSERT, _group(first, entries))
    db.execute("UPDATE seen SET last = max(last, ?)", (first - 1,))
    gone: int = sum(size for (size,) in db.execute(_DELETE, (upto,)))
    db.execute("COMMIT")
    return gone


def _group(first: int, entries: list[Entry]) -> _Group:
    packed = msgspec.msgpack.encode(entries)
    return _Group(
        first=first,
        last=first + len(entries) - 1,
        received_at=entries[0].received_at,
        size=sum(len(entry.body) for entry in entries),
        checksum=zlib.crc32(packed),
        entries=packed,
    )


def _opened(path: Path, connect: Connect) -> sqlite3.Connection:
    """Open the database; if it is damaged, save what can be read into a new one."""
    try:
        db = connect(path)
        db.executescript(_SCHEMA)
        _check(db, path.stat().st_size)
    except sqlite3.OperationalError:
        raise  # the disk's fault, not the file's
    except sqlite3.DatabaseError as error:
        return _rescued(path, connect, error)
    return db


def _check(db: sqlite3.Connection, size: int) -> None:
    """Raise DatabaseError if the database is damaged."""
    if size < _QUICKLY_CHECKED:
        (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
    db.execute(_STATE).fetchall()


def _rescued(path: Path, connect: Connect, error: Exception) -> sqlite3.Connection:
    """Set the damaged file aside, copy its readable groups, and say what was found."""
    aside = path.with_name(f"{path.name}.damaged-{time.time_ns()}")
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    groups = _readable(aside)
    last = max((group.last for group in groups), default=0)
    db = connect(path)
    db.executescript(_SCHEMA)
    db.executemany(_INSERT, groups)
    db.execute("UPDATE seen SET last = ?", (last,))
    log.error(
        "The inbox was damaged (%s): %d requests were saved, up to position %d. "
        "The damaged file is kept as %s.",
        error,
        sum(group.last - group.first + 1 for group in groups),
        last,
        aside,
    )
    return db


def _readable(path: Path) -> list[_Group]:
    """Return the whole groups of a damaged database, read from both ends."""
    found: dict[int, _Group] = {}
    for query, start in ((_NEXT, -1), (_BEFORE, 2**62)):
        position = start
        with suppress(sqlite3.DatabaseError):
            db = sqlite3.connect(path)
            while values := db.execute(query, (position,)).fetchone():
                group = _Group._make(values)
                position = group.first
                if position in found:
                    break
                if group.is_whole():
                    found[position] = group
    return [found[first] for first in sorted(found)]
