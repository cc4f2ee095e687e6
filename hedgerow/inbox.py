"""The durable queue between capture and the store: what is in it is never lost.

Capture answers 200 when its request is on disk here, so this file decides how fast that
is. One thread writes. It takes whatever has come in while it was busy, writes it as
*one* row of a SQLite database in WAL mode, and syncs once for all of it: the sync is the
batching window, no timer is needed. A group is one row rather than many because each
statement would hand the interpreter's lock to and fro.

Positions count up from 1 and are never used again, not after a deletion, a restart or a
failed write. ``forget`` only leaves a note; the next write deletes on the way.

SQLite's own checkpoints would stop the writer in the middle of a commit, so they are off;
``upkeep`` does them from a thread of its own, and gives space back to the disk.

A torn tail after a power cut is cut off by SQLite itself (its log has checksums). Each
row carries one too: a row that was damaged later is set aside, said and skipped.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec

from hedgerow.errors import InboxUnavailable
from hedgerow.inbox_file import Entry, InboxFile, connected
from hedgerow.model.ports import Queued, QueuedKind

log = logging.getLogger(__name__)

MIB = 1024 * 1024
_MOST_WAITING = 64 * MIB
_GROUPS = 4
"""So many groups make up what may wait; one is written as one row."""

_UPKEEP_EVERY_S = 1.0


class Pending(msgspec.Struct, frozen=True):
    """How far the reader is behind."""

    count: int
    """Requests, not events."""

    oldest: datetime | None
    """When the oldest of them arrived, UTC; None if there is none."""


Outcome = int | InboxUnavailable
"""The position of what is on disk, of several the first; or why it may not be there."""

Told = Callable[[Outcome], None]
"""Called once, from the inbox's thread; must not raise nor take long."""


class _Waiting(msgspec.Struct, gc=False):
    entries: list[Entry]
    size: int
    told: Told


class SqliteInbox:
    """Implements ``model.ports.Inbox``; safe to use from several threads."""

    def __init__(
        self,
        path: Path,
        *,
        max_bytes: int = 4096 * MIB,
        most_waiting: int = _MOST_WAITING,
        beyond: int = 0,
        connect: Callable[[Path], sqlite3.Connection] = connected,
    ) -> None:
        """Open or create the inbox at ``path`` and say what was found.

        ``max_bytes`` is the size from which ``append`` refuses, ``most_waiting`` the
        bytes that may wait for a slow disk, in memory. ``beyond`` is a position
        already known elsewhere (that of the store): new ones come after it even if the
        file was lost. ``connect`` opens the database; tests make it fail.
        """
        self._file = InboxFile(path, connect)
        self._max_bytes, self._most_waiting = max_bytes, most_waiting
        self._change = threading.Condition()
        self._waiting: list[_Waiting] = []
        self._waiting_bytes = 0
        self._last = max(self._file.last, beyond)
        self._acknowledged = self._last
        self._forget_upto = 0
        self._closing = False
        self._closed = threading.Event()
        self._failure: str | None = None
        self._writer = threading.Thread(target=self._write, name="inbox", daemon=True)
        self._upkeep = threading.Thread(
            target=self._keep_up, name="inbox-upkeep", daemon=True
        )
        self._writer.start()
        self._upkeep.start()

    def append(
        self,
        project_id: int,
        kind: QueuedKind,
        received_at: datetime,
        hints: bytes,
        body: bytes,
    ) -> "Future[int]":
        """Take one request; the future gives its position once it is on disk.

        Raises InboxUnavailable at once when full, and by the future when it could not
        be written. It may then be there all the same, or not: the client sends it again.
        """
        kept: Future[int] = Future()
        entry = Entry(project_id, kind, received_at.timestamp(), hints, body)
        self.put([entry], partial(_settle, kept))
        return kept

    def put(self, entries: list[Entry], told: Told) -> None:
        """Take some requests, for positions in a row, and tell what came of them.

        Raises InboxUnavailable at once when full; then nothing more is told.
        """
        size = sum(len(entry.body) for entry in entries)
        with self._change:
            self.refuse_if_full(size)
            self._waiting.append(_Waiting(entries, size, told))
            self._waiting_bytes += size
            if len(self._waiting) == 1:
                self._change.notify()

    def refuse_if_full(self, more: int) -> None:
        """Raise InboxUnavailable if there is no room for ``more`` bytes."""
        if self._closing:
            raise InboxUnavailable("Hedgerow is shutting down.", hint="Send it again soon.")
        size = self._file.size + self._waiting_bytes + more
        if size > self._max_bytes:
            raise InboxUnavailable(
                f"The inbox is full: {size} of {self._max_bytes} bytes.",
                hint="Send it again later; see HEDGEROW_INBOX_MAX_MIB if this stays so.",
            )
        if self._waiting and self._waiting_bytes + more > self._most_waiting:
            raise InboxUnavailable("The disk is too slow.", hint="Send it again later.")

    def read(self, *, after: int, limit_bytes: int) -> Sequence[Queued]:
        """Return what follows ``after``, oldest first, at least one if there is any."""
        found: list[Queued] = []
        size = 0
        for position, entry in self._file.entries(after, limit_bytes):
            if found and size + len(entry.body) > limit_bytes:
                break
            size += len(entry.body)
            found.append(_queued(position, entry))
        return found

    def forget(self, *, upto: int) -> None:
        """Drop what has been stored; done with the next write, or when nothing waits."""
        with self._change:
            self._forget_upto = max(self._forget_upto, upto)
            self._change.notify()

    def last_position(self) -> int:
        """Return the position of the newest entry acknowledged; 0: none ever."""
        return self._acknowledged

    def size_bytes(self) -> int:
        """Return how much is in the inbox, in bytes as it came."""
        return self._file.size

    def pending(self, *, after: int) -> Pending:
        """Return how many requests follow ``after``, and since when the oldest waits."""
        count, oldest = self._file.pending(after)
        return Pending(
            count, None if oldest is None else datetime.fromtimestamp(oldest, UTC)
        )

    def failure(self) -> str | None:
        """Return why the last write failed; None: it did not."""
        return self._failure

    def trouble(self) -> str | None:
        """Return in a sentence why requests are refused; None: they are taken."""
        if self._failure is not None:
            return f"The inbox cannot be written: {self._failure}. Capture answers 503."
        size = self._file.size + self._waiting_bytes
        if size >= self._max_bytes:
            return f"The inbox is full: {size} of {self._max_bytes} bytes. Capture answers 503."
        return None

    def damaged(self) -> int:
        """Return how many acknowledged requests cannot be read any more."""
        return self._file.damaged

    def close(self) -> None:
        """Write what waits, then let go of the file. Appending afterwards is refused."""
        with self._change:
            self._closing = True
            self._change.notify()
        self._closed.set()
        self._writer.join()
        self._upkeep.join()
        self._file.close()

    def _write(self) -> None:
        """Write group after group until closed; the only place that writes."""
        while True:
            with self._change:
                while not (self._waiting or self._closing or self._can_forget()):
                    self._change.wait()
                group, forget_upto = self._next_group(), self._forget_upto
                if not group and self._closing:
                    return
            self._commit(group, forget_upto)

    def _can_forget(self) -> bool:
        return self._forget_upto > self._file.forgotten

    def _next_group(self) -> list[_Waiting]:
        """Take what waits, up to the size of a group."""
        size = 0
        for count, one in enumerate(self._waiting):
            size += one.size
            if size > self._most_waiting // _GROUPS and count:
                break
        else:
            count = len(self._waiting)
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        self._waiting_bytes -= sum(one.size for one in group)
        return group

    def _commit(self, group: list[_Waiting], forget_upto: int) -> None:
        first = self._last + 1
        entries = [entry for one in group for entry in one.entries]
        self._last += len(entries)  # also if it fails: it may be on disk all the same
        try:
            self._file.write(first, entries, forget_upto)
        except (sqlite3.Error, OSError) as error:
            self._fail(group, error)
            return
        if self._failure is not None:
            log.warning("The inbox can be written again, after: %s.", self._failure)
            self._failure = None
        self._acknowledged = self._last
        for one in group:
            one.told(first)
            first += len(one.entries)

    def _fail(self, group: list[_Waiting], error: Exception) -> None:
        if str(error) != self._failure:
            log.error("The inbox cannot be written: %s. Capture answers 503.", error)
        self._failure = str(error)
        unavailable = InboxUnavailable(
            f"The inbox cannot be written: {error}.", hint="Send it again later."
        )
        for one in group:
            one.told(unavailable)
        if not group:
            time.sleep(_UPKEEP_EVERY_S)  # only forgetting failed: no client sets the pace

    def _keep_up(self) -> None:
        """Move the log into the database now and then, away from the commits."""
        while not self._closed.wait(_UPKEEP_EVERY_S):
            try:
                self._file.upkeep()
            except (sqlite3.Error, OSError) as error:
                log.warning("The inbox's log could not be moved: %s.", error)


def _settle(kept: "Future[int]", outcome: Outcome) -> None:
    if isinstance(outcome, InboxUnavailable):
        kept.set_exception(outcome)
    else:
        kept.set_result(outcome)


def _queued(position: int, entry: Entry) -> Queued:
    return Queued(
        position=position,
        project_id=entry.project_id,
        kind=entry.kind,
        received_at=datetime.fromtimestamp(entry.received_at, UTC),
        hints=entry.hints,
        body=entry.body,
    )
