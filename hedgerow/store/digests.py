"""Fleets in short: stretches of days and changes of version, kept beside the events.

A fleet's figures would have to read every heartbeat there ever was. So two tables hold what
matters of them: ``fleet_stretches``, the runs of days on which an installation reported the
same, and ``fleet_changes``, the moments at which its version changed. Both say exactly what
the events say, and are brought up to date when somebody asks:

- The writer notes, in the transaction of the events themselves, which installations have
  something new and from which day on (``note``). Merges, splits, deletions and retention
  touch the whole of those concerned.
- Before a question that needs the tables, what was touched is drawn anew from the events
  from that day on, joined to what is kept of the days before (``bring``).

Tables of a project nobody asked about do not exist, and cost nothing. Other settings, or
another time zone, draw everything anew, month by month, so that memory stays bounded; if
that is interrupted, it begins again.
"""

# ruff: noqa: S608 - names of our own tables; values are parameters

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import duckdb
import msgspec

from hedgerow.model.changes import Changes
from hedgerow.model.event_columns import as_columns
from hedgerow.model.ports import Digest
from hedgerow.model.tables import FLEET_CHANGES, FLEET_KEPT, FLEET_STRETCHES, FLEET_TOUCHED
from hedgerow.store.digests_drawing import Drawing

LOG = logging.getLogger(__name__)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
A_DAY_US = 24 * 3600 * 1_000_000
FORGET_WITHIN_S = 30.0
EVER = -10_000_000
"""A day before all others."""

Run = Callable[[str, Mapping[str, Any]], list[tuple[Any, ...]]]


class Digests:
    """The tables of all fleets of one database; ``writing`` is held while committing."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, writing: threading.Lock
    ) -> None:
        self._connection, self._writing = connection, writing
        self._bringing = threading.Lock()
        self._events: dict[int, frozenset[str]] = {}
        self._current: dict[int, str] = {}
        """Project to the settings under which nothing is left to be done."""

        self._noted: set[int] = set()
        """Projects of which something was noted since their drawing began."""
        found = connection.execute(f"SELECT project_id, events FROM {FLEET_KEPT.name}")
        for project_id, events in found.fetchall():
            self._events[project_id] = frozenset(msgspec.json.decode(events))

    # The writer's thread, in its transaction

    def note(self, run: Run, changes: Changes) -> set[int]:
        """Note what a batch touches, before it is stored; return the projects."""
        if not self._events:
            return set()
        events, kept = as_columns(changes.events), self._events
        told = zip(
            events.project_ids,
            events.names,
            events.person_keys,
            events.happened_at,
            strict=True,
        )
        rows = {
            (project_id, key, at // A_DAY_US - 1)
            for project_id, name, key, at in told
            if project_id in kept and name in kept[project_id]
        }
        keys = {*changes.moved, *changes.moved.values()}
        keys.update(one.person_key for one in changes.erase if one.with_events)
        rows |= {(project_id, key, EVER) for project_id in kept for key in keys}
        rows |= {(p, key, EVER) for p, _, key in changes.moved_ids if p in self._events}
        if rows:
            projects, people, days = (list(column) for column in zip(*rows, strict=True))
            run(
                f"INSERT INTO {FLEET_TOUCHED.name} SELECT unnest($p::INTEGER[]), "
                "unnest($k::BIGINT[]), unnest($d::BIGINT[])",
                {"p": projects, "k": people, "d": days},
            )
        self._note_rare(run, changes)
        touched = {project_id for project_id, _, _ in rows} | set(changes.delete_projects)
        touched |= {p for p, _ in changes.delete_before} | {
            p for p, _, _ in changes.moved_ids
        }
        return touched & self._events.keys()

    def _note_rare(self, run: Run, changes: Changes) -> None:
        for project_id, distinct_id, _ in changes.moved_ids:
            run(
                f"INSERT INTO {FLEET_TOUCHED.name} SELECT DISTINCT project_id, person_key, "
                "$d::BIGINT FROM events WHERE project_id = $p AND distinct_id = $i",
                {"p": project_id, "i": distinct_id, "d": EVER},
            )
        for project_id, moment in changes.delete_before:
            run(
                f"INSERT INTO {FLEET_TOUCHED.name} SELECT DISTINCT project_id, person_key, "
                f"$e::BIGINT FROM {FLEET_STRETCHES.name} WHERE project_id = $p "
                "AND first_day <= $d",
                {"p": project_id, "e": EVER, "d": (moment - EPOCH).days + 1},
            )

    def noted(self, projects: set[int]) -> None:
        """Take what was noted for true: it has been committed."""
        for project_id in projects:
            self._noted.add(project_id)
            self._current.pop(project_id, None)

    def forget(self, people: set[int]) -> None:
        """Forget people at once, whose events have just been deleted.

        What is being drawn at this moment is waited for, as it may still tell of them; if
        that takes too long, the next question forgets them, since they are noted.
        """
        if not people or not self._events:
            return
        later = "What is kept of %d people goes with the next question."
        if not self._bringing.acquire(timeout=FORGET_WITHIN_S):
            LOG.warning(later, len(people))
            return
        values = {"k": sorted(people)}
        try:
            with self._connection.cursor() as cursor, self._transaction(cursor):
                for table in (FLEET_STRETCHES, FLEET_CHANGES):
                    gone = f"DELETE FROM {table.name} WHERE person_key IN "
                    cursor.execute(gone + "(SELECT unnest($k))", values).fetchall()
        except duckdb.Error:  # the deletion itself is done, and must not be done again
            LOG.warning(later, len(people), exc_info=True)
        finally:
            self._bringing.release()

    # Whoever asks

    def bring(self, digest: Digest) -> None:
        """Bring a fleet's tables up to date."""
        if self._current.get(digest.project_id) == digest.settings:
            return
        with self._bringing:
            if self._current.get(digest.project_id) == digest.settings:
                return
            self._noted.discard(digest.project_id)
            with self._connection.cursor() as cursor:
                self._begin(cursor, digest)
                self._draw(cursor, digest)
            self._current[digest.project_id] = digest.settings
            if digest.project_id in self._noted:  # while it was drawn: it may be missing
                self._current.pop(digest.project_id, None)

    def _begin(self, cursor: duckdb.DuckDBPyConnection, digest: Digest) -> None:
        """Have the writer note what is new from here on; drop rows of other settings."""
        values = {"p": digest.project_id}
        wanted = f"SELECT settings, whole FROM {FLEET_KEPT.name} WHERE project_id = $p"
        if cursor.execute(wanted, values).fetchall() == [(digest.settings, True)]:
            return
        names = msgspec.json.encode(sorted(digest.events)).decode()
        row = {**values, "s": digest.settings, "e": names}
        with self._writing:
            cursor.execute("BEGIN").fetchall()
            for table in (FLEET_STRETCHES, FLEET_CHANGES, FLEET_TOUCHED, FLEET_KEPT):
                dropped = f"DELETE FROM {table.name} WHERE project_id = $p"
                cursor.execute(dropped, values).fetchall()
            kept = f"INSERT INTO {FLEET_KEPT.name} VALUES ($p, $s, $e::JSON, false)"
            cursor.execute(kept, row).fetchall()
            cursor.execute("COMMIT").fetchall()
            self._events[digest.project_id] = digest.events

    def _draw(self, cursor: duckdb.DuckDBPyConnection, digest: Digest) -> None:
        """Draw what is missing: all of it, or what was touched."""
        drawing = Drawing(cursor, digest)
        values = {"p": digest.project_id}
        wanted = f"SELECT whole FROM {FLEET_KEPT.name} WHERE project_id = $p"
        if drawing.run(wanted, values) != [(True,)]:
            for first, after in drawing.months():
                with self._transaction(cursor):
                    drawing.month(first, after)
        with self._transaction(cursor):
            done = f"UPDATE {FLEET_KEPT.name} SET whole = true WHERE project_id = $p"
            drawing.run(f"{done} AND NOT whole", values)
            drawing.touched()

    @contextmanager
    def _transaction(self, cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
        cursor.execute("BEGIN").fetchall()
        try:
            yield
            with self._writing:  # a backup copies the file while nobody commits
                cursor.execute("COMMIT").fetchall()
        except BaseException:
            try:
                cursor.execute("ROLLBACK").fetchall()
            except duckdb.Error:  # it is over already
                LOG.debug("A drawing was over before it could be rolled back.")
            raise
