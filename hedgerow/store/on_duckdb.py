"""The events database on DuckDB: one file, one writer, many readers.

Questions run on cursors of the one connection and see a snapshot, so they never wait for
the writer. The writer's methods (``Store``) are for its one thread; those of ``Reader`` for
any. A second process cannot open the file while this one has it. A fatal error, such as a
checkpoint on a full disk, ends the connection; ``mend`` opens the file again, with
everything that was committed.
"""

# ruff: noqa: S608 - names of our own tables and whole numbers; values are parameters

import logging
import shutil
import threading
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import duckdb

from hedgerow.errors import StoreUnavailable
from hedgerow.model.changes import Aside, Changes, Compacted, Known, StoreSize, Wanted
from hedgerow.model.event_columns import as_columns
from hedgerow.model.people import GroupType
from hedgerow.model.ports import Cancel, Digest, Rows, Statement
from hedgerow.model.projects import HotColumn, PropertyKind, Scope
from hedgerow.model.tables import EVENTS, PERSONS, POSITION
from hedgerow.store import erasing
from hedgerow.store.compaction import ROW_GROUP, Compaction
from hedgerow.store.digests import Digests
from hedgerow.store.engine import FATAL, REFUSES_VALUES, opened, unavailable
from hedgerow.store.hot_columns import planned
from hedgerow.store.loading import Loader
from hedgerow.store.lookups import Lookups
from hedgerow.store.memory import Memory
from hedgerow.store.migrations import migrate
from hedgerow.store.reading import Questions
from hedgerow.store.seen import MOST_BITS, Seen, bits_of_pass

LOG = logging.getLogger(__name__)
MIB = 1024 * 1024
WORTH_A_CHECKPOINT = 64 * MIB
"""Bytes of write-ahead log from which the writer moves it into the file; with a small
engine fewer, since what is in the log is in memory too."""


class DuckStore:
    """Reader and Store on one DuckDB file; ``path`` None keeps all in memory.

    Raises StoreUnavailable if the file cannot be opened, is in use or is of a newer
    program.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        memory_mib: int = 512,
        at_once: int = 4,
        temporary: Path | None = None,
        filter_bytes: int = MOST_BITS // 8,
        row_group: int = ROW_GROUP,
    ) -> None:
        """``row_group``: events that the engine reads together; a test takes fewer."""
        self._path = path
        self._limits = memory_mib, temporary
        self._filter_bits, self._row_group = filter_bytes * 8, row_group
        self._worth_a_checkpoint = min(WORTH_A_CHECKPOINT, memory_mib * MIB // 4)
        self._is_lost = False
        self._writing = threading.Lock()
        self._commits = 0
        self._versions: dict[int, int] = {}
        self._open()
        self._questions = Questions(self._connection, at_once=at_once)

    def _open(self) -> None:
        """Open the file and read what is kept in memory."""
        self._connection = opened(self._path, *self._limits)
        try:
            applied = migrate(self._connection)
            self._memory = Memory(self._connection)
            self._seen = Seen(
                self._connection,
                most_bits=self._filter_bits,
                pass_bits=bits_of_pass(self._limits[0]),
            )
            self._loader = Loader(self._connection)
            self._digests = Digests(self._connection, self._writing)
            self._compaction = Compaction(self._loader.run, row_group=self._row_group)
            self._lookups = Lookups(self._connection, self._memory, self._seen)
            self._position: int = self._loader.run(f"SELECT id FROM {POSITION.name}")[0][0]
        except duckdb.Error as error:
            self._connection.close()
            raise unavailable(error) from error
        if applied and self._path is not None:
            LOG.info("Events database %s brought to schema %d.", self._path, applied[-1])

    # Reader

    def run(
        self, statement: Statement, *, timeout_s: float, cancel: Cancel | None = None
    ) -> Rows:
        """Answer one statement; see ``ports.Reader``."""
        if statement.digest is not None:
            self._bring(statement.digest)
        try:
            return self._questions.run(statement, timeout_s=timeout_s, cancel=cancel)
        except StoreUnavailable as error:
            self._is_lost = self._is_lost or isinstance(error.__cause__, FATAL)
            raise

    def _bring(self, digest: Digest) -> None:
        """Bring what is kept beside the events up to date."""
        try:
            self._digests.bring(digest)
        except duckdb.Error as error:
            raise unavailable(error) from error

    def version(self, project_id: int) -> int:
        """Return a number that changes when the project's data do."""
        return self._versions.get(project_id, 0)

    def kinds(self, project_id: int) -> Mapping[tuple[Scope, str], PropertyKind]:
        """Return the kind of each property's first value."""
        return self._memory.kinds.get(project_id, {})

    def columns(self) -> Mapping[tuple[str, str], HotColumn]:
        """Return which properties have columns of their own."""
        return self._memory.hot

    def group_types(self, project_id: int) -> tuple[GroupType, ...]:
        """Return the project's group types in the order of their first sight."""
        return self._memory.group_types.get(project_id, ())

    def first_event_at(self, project_id: int) -> datetime | None:
        """Return the time of the project's first event, UTC."""
        found = self._memory.counts.get(project_id)
        return found.first if found else None

    def size(self) -> StoreSize:
        """Return how much is kept."""
        try:
            with self._connection.cursor() as cursor:
                counts = [
                    cursor.execute(f"SELECT count(*) FROM {table.name}").fetchall()[0][0]
                    for table in (EVENTS, PERSONS)
                ]
        except duckdb.Error as error:
            raise self._trouble(error) from error
        hot: dict[str, int] = {}
        for table_name, _ in self._memory.hot:
            hot[table_name] = hot.get(table_name, 0) + 1
        files = [] if self._path is None else [self._path, self._wal()]
        return StoreSize(
            events=counts[0],
            persons=counts[1],
            file_bytes=sum(one.stat().st_size for one in files if one.exists()),
            hot_columns=hot,
            in_order=self._compaction.events,
        )

    # Store: the writer's thread only

    def position(self) -> int:
        """Return the inbox position up to which everything is stored."""
        return self._position

    def known(self, wanted: Wanted) -> Known:
        """Return what is stored of what a batch mentions."""
        try:
            return self._lookups.known(wanted)
        except duckdb.Error as error:
            raise self._trouble(error) from error

    def commit(self, changes: Changes, *, upto: int) -> None:
        """Store all changes and the position, or nothing; see ``changes.Store``."""
        new = planned(self._memory.hot, changes.kinds)
        hot = self._memory.hot | {(one.table, one.key): one.column for one in new}
        with self._writing:
            try:
                self._loader.run("BEGIN")
                self._loader.add_hot(new)
                noted = self._digests.note(self._loader.run, changes)
                self._loader.load(
                    changes, hot, _event_keys(hot, changes), self._memory.names
                )
                self._loader.position(upto)
                self._loader.run("COMMIT")
            except BaseException as error:
                self._roll_back()
                if not isinstance(error, duckdb.Error) or isinstance(error, REFUSES_VALUES):
                    raise
                raise self._trouble(error) from error
        self._digests.noted(noted)
        self._digests.forget({one.person_key for one in changes.erase if one.with_events})
        self._memory.hot = hot
        self._after(changes, upto)

    def _after(self, changes: Changes, upto: int) -> None:
        """Bring what is kept in memory up to date with what has been committed."""
        self._position = upto
        self._memory.take(changes)
        self._lookups.take(changes)
        events = as_columns(changes.events)
        self._seen.add(zip(events.project_ids, events.uuids, strict=True))
        if changes.delete_before or any(one.with_events for one in changes.erase):
            self._memory.recount(self._connection)
        touched = touched_projects(changes)
        if touched:
            self._commits += 1
            self._versions |= dict.fromkeys(touched, self._commits)

    def _roll_back(self) -> None:
        try:
            self._loader.run("ROLLBACK")
        except FATAL:
            self._is_lost = True
        except duckdb.Error:  # the engine did so already
            return

    def _trouble(self, error: duckdb.Error) -> Exception:
        """Note whether an error was fatal, and return what it means to the writer."""
        if isinstance(error, duckdb.OutOfMemoryException):
            return MemoryError(str(error).splitlines()[0])
        self._is_lost = self._is_lost or isinstance(error, FATAL)
        return unavailable(error)

    def mend(self) -> None:
        """Open the file again if a fatal error has ended the connection.

        Raises StoreUnavailable while that cannot be done; then it may be tried again.
        """
        if not self._is_lost or self._path is None:
            return
        with self._writing:
            self._questions.pause()
            self._seen.close()
            self._connection.close()
            self._open()
            self._questions.resume(self._connection)
            self._is_lost = False
        self._commits += 1  # the last commit may have arrived after all
        self._versions = dict.fromkeys(self._memory.counts, self._commits)
        LOG.warning("The events database has been opened again after a fatal error.")

    def written(self, project_id: int) -> int:
        """Return how many events of a project are stored."""
        found = self._memory.counts.get(project_id)
        return found.count if found else 0

    def aside(self, project_id: int) -> Aside:
        """Return what could not be stored of a project, with the reasons."""
        return self._memory.aside.get(project_id, Aside())

    def last_event_at(self, project_id: int) -> datetime | None:
        """Return when the latest of a project's events happened, UTC."""
        found = self._memory.counts.get(project_id)
        return found.last if found else None

    def checkpoint(self, *, idle: bool) -> None:
        """Move the write-ahead log into the file: a large one, or any while idle."""
        idle = idle and not self._compaction.is_under_way
        wal = self._wal()
        if self._path is None or not wal.exists():
            return
        size = wal.stat().st_size
        if size >= self._worth_a_checkpoint or (idle and size):
            with self._writing:
                try:
                    self._loader.run("CHECKPOINT")
                except duckdb.TransactionException:  # a reader is on an old snapshot
                    LOG.debug("Checkpoint put off: questions are running.")
                except duckdb.Error as error:
                    raise self._trouble(error) from error

    def compact(self, now: datetime, *, look: bool = False) -> Compacted | None:
        """Put the next piece of settled events in order; see ``changes.Store``."""
        with self._writing:
            try:
                return self._compaction.step(now, look=look)
            except duckdb.Error as error:
                raise self._trouble(error) from error

    # Care

    def settle(self) -> None:
        """Return when what is done in the background since the start is done."""
        self._seen.wait()

    def backup(self, target: Path) -> int:
        """Copy the database, consistent, to ``target`` while running; return its bytes."""
        if self._path is None:
            raise StoreUnavailable("A database in memory has no file to copy.", hint="")
        with self._writing:  # no commit while the file is being copied
            self._loader.run("FORCE CHECKPOINT")
            shutil.copyfile(self._path, target)
        return int(target.stat().st_size)

    def close(self) -> None:
        """Stop all questions and close the file."""
        self._questions.close()
        with self._writing:
            self._seen.close()
            self._connection.close()

    def recount(self, project_id: int) -> None:
        """Count a project's events by name anew."""
        erasing.recount(self._loader.run, project_id)

    def _wal(self) -> Path:
        return Path(f"{self._path}.wal")


def _event_keys(hot: Mapping[tuple[str, str], HotColumn], changes: Changes) -> list[str]:
    """Return the properties to be read for their columns: those that there are."""
    present = changes.event_keys
    return [
        key
        for table, key in hot
        if table == EVENTS.name and (present is None or key in present)
    ]


def touched_projects(changes: Changes) -> set[int]:
    """Return the projects whose answers may differ after changes."""
    touched = {one.project_id for one in changes.counts}
    touched.update(one.project_id for one in changes.persons)
    touched.update(one.project_id for one in changes.groups)
    touched.update(one.project_id for one in changes.kinds)
    touched.update(one.project_id for one in changes.erase)
    touched.update(one.project_id for one in changes.cohort_people)
    touched.update(project_id for project_id, _ in changes.delete_before)
    touched.update(project_id for project_id, _, _ in changes.distinct_ids)
    touched.update(project_id for project_id, _ in changes.group_types)
    touched.update(project_id for project_id, _ in changes.forget_cohorts)
    touched.update(changes.delete_projects)
    return touched
