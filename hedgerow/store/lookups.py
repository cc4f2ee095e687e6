"""What is stored of what a batch mentions: the reading half of the writer.

Small things (kinds, group types, tombstones) are kept in memory, which the writer alone
changes, after each commit. Persons and groups are looked up in the tables, by one join for
the whole batch.
"""

# ruff: noqa: S608 - names of our own tables and whole numbers; values are parameters

from collections.abc import Iterable
from datetime import UTC
from typing import Any

import duckdb
import msgspec

from hedgerow.model.changes import (
    Changes,
    EventCount,
    EventsOf,
    Known,
    OfProject,
    Tombstone,
    Wanted,
)
from hedgerow.model.people import Group, GroupType, Person
from hedgerow.model.projects import HotColumn, PropertyKind, Scope
from hedgerow.model.tables import (
    DISTINCT_IDS,
    EVENT_NAMES,
    EVENTS,
    GROUP_TYPES,
    GROUPS,
    HOT_COLUMNS,
    PERSON_STATES,
    PERSONS,
    PROPERTY_KINDS,
    TOMBSTONES,
)
from hedgerow.store.recent import LARGE, Recent
from hedgerow.store.seen import Seen

Rows = list[tuple[Any, ...]]
_decode = msgspec.json.Decoder(dict[str, Any]).decode
_PERSON = "project_id, person_key, uuid, created_at, is_identified, state, properties"


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
            for each in (self.kinds, self.group_types, self.counts):
                each.pop(project_id, None)
            for whose in [one for one in self.tombstones if one[0] == project_id]:
                del self.tombstones[whose]
            self.names = {one for one in self.names if one[0] != project_id}

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


class Lookups:
    """Answers ``Store.known`` on the writer's connection."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, memory: Memory, seen: Seen
    ) -> None:
        self._connection = connection
        self._memory = memory
        self._seen = seen
        self._recent = Recent()

    def take(self, changes: Changes) -> None:
        """Take over what has been committed."""
        self._recent.take(changes)

    def known(self, wanted: Wanted) -> Known:
        """Return what is stored of what a batch mentions."""
        memory = self._memory
        keys = self._keys(wanted.distinct_ids | wanted.whole)
        persons = self._persons(set(keys.values()))
        named = self._named(wanted.persons)
        persons |= named
        whole = {keys[one] for one in wanted.whole if one in keys} | named.keys()
        ids = self._ids(whole)
        for key, owned in ids.items():
            if key in persons:
                project_id = persons[key].project_id
                keys |= {(project_id, distinct_id): key for distinct_id in owned}
        return Known(
            keys=keys,
            persons=persons,
            ids=ids,
            groups=self._groups(wanted),
            group_types={
                one: memory.group_types[one]
                for one in wanted.projects
                if one in memory.group_types
            },
            kinds={
                one: memory.kinds[one] for one in wanted.projects if one in memory.kinds
            },
            tombstones={
                one: memory.tombstones[one]
                for one in wanted.distinct_ids | wanted.whole
                if one in memory.tombstones
            }
            if memory.tombstones
            else {},
            events=self._stored(wanted.events),
            counted={one: self._count(one) for one in wanted.counted},
            next_key=memory.next_key,
            next_state=memory.next_state,
        )

    def _run(self, sql: str, values: dict[str, Any]) -> Rows:
        return self._connection.execute(sql, values).fetchall()

    def _keys(self, whose: Iterable[OfProject]) -> dict[OfProject, int]:
        recent = self._recent.keys
        known = {one: recent[one] for one in whose if one in recent}
        pairs = [one for one in whose if one not in known]
        if not pairs:
            return known
        found = self._run(
            "SELECT project_id, distinct_id, person_key "
            f"FROM {DISTINCT_IDS.name} JOIN (SELECT unnest($p::INTEGER[]) AS p, "
            "unnest($i::VARCHAR[]) AS i) ON project_id = p AND distinct_id = i",
            {"p": [p for p, _ in pairs], "i": [i for _, i in pairs]},
        )
        stored = {(project_id, distinct_id): key for project_id, distinct_id, key in found}
        recent |= stored
        return known | stored

    def _persons(self, keys: set[int]) -> dict[int, Person]:
        recent = self._recent.persons
        persons = {key: one for key in keys if (one := recent.get(key)) is not None}
        lacking = [key for key in keys if key not in recent]
        if not lacking:
            return persons
        found = self._run(
            f"SELECT {_PERSON} FROM {PERSONS.name} "
            "WHERE person_key IN (SELECT unnest($k::BIGINT[]))",
            {"k": lacking},
        )
        stored = {row[1]: person_of(row) for row in found}
        large = {row[1] for row in found if len(row[-1]) > LARGE}
        recent |= {key: stored.get(key) for key in lacking if key not in large}
        return persons | stored

    def _named(self, whose: Iterable[OfProject]) -> dict[int, Person]:
        pairs = list(whose)
        if not pairs:
            return {}
        found = self._run(
            f"SELECT {_PERSON} FROM {PERSONS.name} JOIN (SELECT unnest($p::INTEGER[]) AS p, "
            "unnest($u::VARCHAR[])::UUID AS u) ON project_id = p AND uuid = u",
            {"p": [p for p, _ in pairs], "u": [u for _, u in pairs]},
        )
        return {row[1]: person_of(row) for row in found}

    def _ids(self, keys: set[int]) -> dict[int, tuple[str, ...]]:
        if not keys:
            return {}
        found = self._run(
            f"SELECT person_key, distinct_id FROM {DISTINCT_IDS.name} WHERE person_key IN "
            "(SELECT unnest($k::BIGINT[])) ORDER BY rowid",
            {"k": list(keys)},
        )
        ids: dict[int, tuple[str, ...]] = dict.fromkeys(keys, ())
        for key, distinct_id in found:
            ids[key] = (*ids[key], distinct_id)
        return ids

    def _groups(self, wanted: Wanted) -> dict[tuple[int, str, str], Group]:
        if not wanted.groups:
            return {}
        rows = list(wanted.groups)
        found = self._run(
            "SELECT project_id, type, key, created_at, updated_at, properties FROM "
            f"{GROUPS.name} JOIN (SELECT unnest($p::INTEGER[]) AS p, unnest($t::VARCHAR[]) "
            "AS t, unnest($k::VARCHAR[]) AS k) w ON project_id = p AND type = t AND key = k",
            {
                "p": [one[0] for one in rows],
                "t": [one[1] for one in rows],
                "k": [one[2] for one in rows],
            },
        )
        return {
            (project_id, type_, key): Group(
                project_id=project_id,
                type=type_,
                key=key,
                created_at=created_at.replace(tzinfo=UTC),
                updated_at=updated_at.replace(tzinfo=UTC),
                properties=_decode(properties),
            )
            for project_id, type_, key, created_at, updated_at, properties in found
        }

    def _count(self, wanted: EventsOf) -> int:
        """Return how many events those are."""
        conditions = ["project_id = $p"]
        values: dict[str, Any] = {"p": wanted.project_id}
        if wanted.person is not None:
            conditions.append(
                f"person_key IN (SELECT person_key FROM {PERSONS.name} "
                "WHERE project_id = $p AND uuid::VARCHAR = $u)"
            )
            values |= {"u": wanted.person}
        if wanted.before is not None:
            conditions.append("timestamp < $t")
            values |= {"t": wanted.before.replace(tzinfo=None)}
        found = self._run(
            f"SELECT count(*) FROM {EVENTS.name} WHERE {' AND '.join(conditions)}", values
        )
        return int(found[0][0])

    def _stored(self, events: list[OfProject]) -> set[OfProject]:
        doubtful = self._seen.may_hold(events)
        if not doubtful:
            return set()
        found = self._run(
            f"SELECT project_id, uuid::VARCHAR FROM {EVENTS.name} JOIN (SELECT DISTINCT "
            "unnest($p::INTEGER[]) AS p, unnest($u::VARCHAR[])::UUID AS u) "
            "ON project_id = p AND uuid = u",
            {"p": [p for p, _ in doubtful], "u": [u for _, u in doubtful]},
        )
        return set(found)


def person_of(row: tuple[Any, ...]) -> Person:
    """Return a person from a row of ``_PERSON``."""
    project_id, key, uuid, created_at, is_identified, state, properties = row
    return Person(
        key=key,
        project_id=project_id,
        uuid=str(uuid),
        created_at=created_at.replace(tzinfo=UTC),
        is_identified=is_identified,
        state=state,
        properties=_decode(properties),
    )
