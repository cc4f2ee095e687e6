"""Questions: each on a cursor of its own, read-only, with a time limit and a way to stop.

So many run at a time, more wait their turn within their own time limit. Where memory falls
short while others run, a question is asked again when one of them has ended. One watchdog
thread looks at all of them twenty times a second and interrupts those that are over time
or that nobody waits for any more. An engine's message never reaches the asker with SQL in
it: it is turned into one of four deliberate errors.
"""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import duckdb

from hedgerow.errors import (
    HedgerowError,
    InvalidQuery,
    QueryCancelled,
    QueryTimedOut,
    QueryTooLarge,
    StoreUnavailable,
)
from hedgerow.model.ports import Cancel, Rows, Statement

MOST_ROWS = 1_000_000
"""Rows an answer may have; beyond, the question is refused rather than cut."""

LOOK_EVERY_S = 0.05
_VALUES = re.compile(r"'[^']*'|\"[^\"]*\"|\d+(?:\.\d+)?")
"""What an engine's message about rows can quote of them. A row can be looked at before it
is known whose it is, so none of it is told."""


class Running:
    """One question that is being answered."""

    def __init__(
        self, cursor: duckdb.DuckDBPyConnection, deadline: float, cancel: Cancel | None
    ) -> None:
        self.cursor = cursor
        self.deadline = deadline
        self.cancel = cancel
        self.stopped_by: type[HedgerowError] | None = None

    def look(self, now: float) -> None:
        """Interrupt it if its time is over or nobody waits for it."""
        if self.cancel is not None and self.cancel.is_set():
            self.stopped_by = QueryCancelled
        elif now >= self.deadline:
            self.stopped_by = QueryTimedOut
        if self.stopped_by is not None:
            self.cursor.interrupt()


class Questions:
    """Answers statements, so many at a time."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, *, at_once: int) -> None:
        self._connection: duckdb.DuckDBPyConnection | None = connection
        self._turns = threading.BoundedSemaphore(at_once)
        self._heavy = threading.BoundedSemaphore(1)
        self._lock = threading.Condition()
        self._running: set[Running] = set()
        self._closed = threading.Event()
        self._watchdog: threading.Thread | None = None

    def run(self, statement: Statement, *, timeout_s: float, cancel: Cancel | None) -> Rows:
        """Answer one statement; see ``ports.Reader.run``."""
        sql = statement.text or statement.tree.sql(dialect="duckdb")
        values = {name: _plain(value) for name, value in statement.values.items()}
        deadline = time.monotonic() + timeout_s
        with self._turn(self._turns, deadline, timeout_s, cancel):
            found = self._asked(sql, values, deadline, timeout_s, cancel)
        if found is not None:
            return found
        with self._turn(self._heavy, deadline, timeout_s, cancel):
            while found is None:
                with self._lock:
                    self._lock.wait(LOOK_EVERY_S)
                with self._turn(self._turns, deadline, timeout_s, cancel):
                    found = self._asked(sql, values, deadline, timeout_s, cancel)
        return found

    def _asked(
        self,
        sql: str,
        values: dict[str, Any],
        deadline: float,
        timeout_s: float,
        cancel: Cancel | None,
    ) -> Rows | None:
        """Answer; None: memory fell short while others took some, so ask again."""
        with self._watched(deadline, cancel) as one:
            try:
                return _answer(one.cursor, sql, values)
            except duckdb.OutOfMemoryException as error:
                if len(self._running) == 1:
                    raise refused(error, one, timeout_s) from error
                return None
            except duckdb.Error as error:
                raise refused(error, one, timeout_s) from error

    def close(self) -> None:
        """Stop what is running and take no more."""
        self._closed.set()
        with self._lock:
            for one in self._running:
                one.stopped_by = QueryCancelled
                one.cursor.interrupt()

    def pause(self) -> None:
        """Take no more for now, and return when nothing is running any longer."""
        with self._lock:
            self._connection = None
            for one in self._running:
                one.stopped_by = StoreUnavailable
                one.cursor.interrupt()
            self._lock.wait_for(lambda: not self._running)

    def resume(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Take questions again, on another connection."""
        with self._lock:
            self._connection = connection

    @contextmanager
    def _turn(
        self,
        turns: threading.Semaphore,
        deadline: float,
        timeout_s: float,
        cancel: Cancel | None,
    ) -> Iterator[None]:
        while not turns.acquire(timeout=LOOK_EVERY_S):
            if cancel is not None and cancel.is_set():
                raise QueryCancelled("The question was withdrawn.", hint="")
            if time.monotonic() >= deadline:
                raise _late(timeout_s)
        try:
            yield
        finally:
            turns.release()

    @contextmanager
    def _watched(self, deadline: float, cancel: Cancel | None) -> Iterator[Running]:
        if self._closed.is_set():
            raise StoreUnavailable(
                "The events database is closed.", hint="Ask again later."
            )
        with self._lock:
            if self._connection is None:
                raise _being_opened()
            one = Running(self._connection.cursor(), deadline, cancel)
            self._running.add(one)
            if self._watchdog is None:
                self._watchdog = threading.Thread(
                    target=self._watch, name="watchdog", daemon=True
                )
                self._watchdog.start()
        try:
            yield one
        finally:
            one.cursor.close()
            with self._lock:
                self._running.discard(one)
                self._lock.notify_all()

    def _watch(self) -> None:
        while not self._closed.wait(LOOK_EVERY_S):
            now = time.monotonic()
            with self._lock:
                for one in self._running:
                    one.look(now)


def _answer(cursor: duckdb.DuckDBPyConnection, sql: str, values: dict[str, Any]) -> Rows:
    cursor.execute("BEGIN TRANSACTION READ ONLY").fetchall()
    try:
        cursor.execute(sql, values)
        described = cursor.description or []
        rows = cursor.fetchmany(MOST_ROWS + 1)
    finally:
        _roll_back(cursor)
    if len(rows) > MOST_ROWS:
        raise QueryTooLarge(
            f"The answer has more than {MOST_ROWS:,} rows.",
            hint="Ask for a shorter period, a coarser interval or fewer values.",
        )
    return Rows(
        columns=tuple(str(one[0]) for one in described),
        types=tuple(str(one[1]) for one in described),
        rows=rows,
    )


def _roll_back(cursor: duckdb.DuckDBPyConnection) -> None:
    try:
        cursor.execute("ROLLBACK").fetchall()
    except duckdb.Error:  # it was interrupted, or over already
        return


def _plain(value: Any) -> Any:
    """Return a value as the tables have it: times are UTC without zone."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).replace(tzinfo=None)
    return value


def _being_opened() -> StoreUnavailable:
    return StoreUnavailable(
        "The events database is being opened again.", hint="Ask again in a moment."
    )


def _late(timeout_s: float) -> QueryTimedOut:
    return QueryTimedOut(
        f"The question took longer than {timeout_s:g} s and was stopped.",
        hint="Ask for a shorter period or fewer values, or raise HEDGEROW_QUERY_TIMEOUT_S.",
    )


def refused(error: duckdb.Error, one: Running, timeout_s: float) -> HedgerowError:
    """Return the deliberate error that an engine's error means to the asker."""
    if one.stopped_by is QueryCancelled:
        return QueryCancelled("The question was withdrawn.", hint="")
    if one.stopped_by is StoreUnavailable:
        return _being_opened()
    if one.stopped_by is QueryTimedOut or isinstance(error, duckdb.InterruptException):
        return _late(timeout_s)
    if isinstance(error, duckdb.OutOfMemoryException):
        return QueryTooLarge(
            "The question needs more memory than it may use.",
            hint="Ask for a shorter period or fewer values, or raise HEDGEROW_MEMORY_MIB.",
        )
    if isinstance(
        error, duckdb.IOException | duckdb.FatalException | duckdb.InternalException
    ):
        return StoreUnavailable(
            "The events database could not be read.",
            hint="See the log; free disk space or restore a backup if it says so.",
        )
    said = str(error).split("\n\nLINE", 1)[0].splitlines()[0]
    if not isinstance(error, duckdb.BinderException | duckdb.CatalogException):
        said = _VALUES.sub("…", said)
    return InvalidQuery(
        f"The question cannot be answered: {said}",
        hint="Check the types of what it compares and calculates.",
    )
