"""What the store keeps in memory because it is small and asked for all the time.

Kinds, group types, tombstones, counts, which properties have columns, and the latest of
what was set aside. Read when the database is opened; afterwards the writer, the only one
who changes the tables, hands over each change once it has been committed.
"""

# ruff: noqa: S608 - names of our own tables and whole numbers; values are parameters

from collections.abc import Iterable
from datetime import UTC
from typing import Any

import duckdb
import msgspec

from hedgerow.model.changes import (
    Aside,
    Changes,
    EventCount,
    OfProject,
    SetAside,
    Tombstone,
)
from hedgerow.model.people import GroupType
from hedgerow.model.projects import HotColumn, PropertyKind, Scope
from hedgerow.model.tables import (
    DISTINCT_IDS,
    EVENT_NAMES,
    EVENTS,
    GROUP_TYPES,
    HOT_COLUMNS,
    PERSON_STATES,
    PROPERTY_KINDS,
    SET_ASIDE,
    TOMBSTONES,
)

Rows = list[tuple[Any, ...]]
LATEST = 20
"""So many things set aside are shown of each project, and so many characters of each:"""

SHOWN = 400


class Memory:
    """What is small enough to be kept in memory; replaced, never changed in place."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        def rows(sql: str) -> Rows:
            return connection.execute(sql).fetchall()

        self.kinds: dict[int, dict[tuple[Scope, str], PropertyKind]] = {}
        for p, scope, key, kind in rows(
            f"SELECT project_id, scope, key, kind FROM {PROPERTY_KINDS.name}"
        ):
            self.kinds.setdefault(p, {})[scope, key] = kind
        self.group_types: dict[int, tuple[GroupType, ...]] = {}
        for p, name, index in rows(
            f'SELECT project_id, name, "index" FROM {GROUP_TYPES.name} ORDER BY rowid'
        ):
            one = GroupType(name=name, index=index)
            self.group_types[p] = (*self.group_types.get(p, ()), one)
        self.tombstones: dict[OfProject, Tombstone] = {}
        for p, distinct_id, at, with_events in rows(
            f'SELECT project_id, distinct_id, "at", with_events FROM {TOMBSTONES.name}'
        ):
            self._bury(
                Tombstone(
                    project_id=p,
                    distinct_id=distinct_id,
                    at=at.replace(tzinfo=UTC),
                    with_events=with_events,
                )
            )
        self.hot: dict[tuple[str, str], HotColumn] = {
            (table, key): HotColumn(text=text, number=number)
            for table, key, text, number in rows(
                f"SELECT table_name, key, text_column, number_column FROM {HOT_COLUMNS.name}"
            )
        }
        self.aside: dict[int, Aside] = {}
        for p, number in rows(
            f"SELECT project_id, count(*) FROM {SET_ASIDE.name} GROUP BY 1"
        ):
            self.aside[p] = Aside(count=number)
        for p, at, reason, body in rows(
            f'SELECT project_id, "at", reason, left(body, {SHOWN}) FROM {SET_ASIDE.name} '
            f"QUALIFY row_number() OVER (PARTITION BY project_id ORDER BY rowid DESC) <= {LATEST} "
            "ORDER BY rowid"
        ):
            one_aside = SetAside(
                project_id=p, at=at.replace(tzinfo=UTC), reason=reason, body=body
            )
            self.aside[p] = added(self.aside[p], one_aside, more=0)
        self.counts: dict[int, EventCount] = {}
        self.names: set[OfProject] = set()
        """Project and name of the events that are counted in the table."""
        self.recount(connection)
        (self.next_key,) = rows(
            "SELECT 1 + greatest(coalesce((SELECT max(person_key) FROM "
            f"{DISTINCT_IDS.name}), 0), coalesce((SELECT max(person_key) FROM "
            f"{EVENTS.name}), 0))"
        )[0]
        (self.next_state,) = rows(
            f"SELECT 1 + coalesce(max(id), 0) FROM {PERSON_STATES.name}"
        )[0]

    def take(self, changes: Changes) -> None:
        """Take over what has been committed."""
        self.next_key = max(self.next_key, changes.next_key)
        self.next_state = max(self.next_state, changes.next_state)
        for first in changes.kinds:
            present = self.kinds.get(first.project_id, {})
            self.kinds[first.project_id] = present | {(first.scope, first.key): first.kind}
        for project_id, one in changes.group_types:
            self.group_types[project_id] = (*self.group_types.get(project_id, ()), one)
        for grave in changes.tombstones:
            self._bury(grave)
        self._put_aside(changes.set_aside)
        self.names.update((one.project_id, one.event) for one in changes.counts)
        for one_name in changes.counts:
            present_count = self.counts.get(one_name.project_id)
            self.counts[one_name.project_id] = (
                one_name
                if present_count is None
                else EventCount(
                    project_id=one_name.project_id,
                    event="",
                    first=min(present_count.first, one_name.first),
                    last=max(present_count.last, one_name.last),
                    count=present_count.count + one_name.count,
                )
            )
        for project_id in changes.delete_projects:
            for each in (self.kinds, self.group_types, self.counts, self.aside):
                each.pop(project_id, None)
            for whose in [one for one in self.tombstones if one[0] == project_id]:
                del self.tombstones[whose]
            self.names = {one for one in self.names if one[0] != project_id}

    def _put_aside(self, new: Iterable[SetAside]) -> None:
        for one in new:
            present = self.aside.get(one.project_id, Aside())
            self.aside[one.project_id] = added(present, one, more=1)

    def recount(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Read anew how many events there are: some have been deleted."""
        self.counts = counts(connection)
        self.names = set(
            connection.execute(
                f"SELECT project_id, event FROM {EVENT_NAMES.name}"
            ).fetchall()
        )

    def _bury(self, grave: Tombstone) -> None:
        whose = (grave.project_id, grave.distinct_id)
        present = self.tombstones.get(whose)
        if present is None or present.at <= grave.at:
            self.tombstones[whose] = grave


def added(present: Aside, one: SetAside, *, more: int) -> Aside:
    """Return what is known to be set aside with one more in the list."""
    shown = msgspec.structs.replace(one, body=one.body[:SHOWN])
    latest = (*present.latest, shown)[-LATEST:]
    return Aside(count=present.count + more, latest=latest)


def counts(connection: duckdb.DuckDBPyConnection) -> dict[int, EventCount]:
    """Return how many events each project has, and when the first and last happened."""
    found = connection.execute(
        f"SELECT project_id, min(first_seen), max(last_seen), sum(volume)::BIGINT "
        f"FROM {EVENT_NAMES.name} GROUP BY 1"
    ).fetchall()
    return {
        project_id: EventCount(
            project_id=project_id,
            event="",
            first=first.replace(tzinfo=UTC),
            last=last.replace(tzinfo=UTC),
            count=count,
        )
        for project_id, first, last, count in found
    }
