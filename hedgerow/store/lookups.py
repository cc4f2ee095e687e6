"""What is stored of what a batch mentions: the reading half of the writer.

Small things come from ``memory``. Persons and groups are looked up in the tables, by one
join for the whole batch.
"""

# ruff: noqa: S608 - names of our own tables and whole numbers; values are parameters

from collections.abc import Iterable
from datetime import UTC
from typing import Any

import duckdb
import msgspec

from hedgerow.model.changes import (
    Changes,
    EventsOf,
    Known,
    OfProject,
    Wanted,
)
from hedgerow.model.people import Group, Person
from hedgerow.model.tables import (
    DISTINCT_IDS,
    EVENTS,
    GROUPS,
    PERSONS,
)
from hedgerow.store.memory import Memory
from hedgerow.store.recent import LARGE, Recent
from hedgerow.store.seen import Seen

Rows = list[tuple[Any, ...]]
_decode = msgspec.json.Decoder(dict[str, Any]).decode
_PERSON = "project_id, person_key, uuid, created_at, is_identified, state, properties"


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
            events=self._stored(wanted.events, wanted.marks),
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

    def _stored(self, events: list[OfProject], marks: bytes) -> set[OfProject]:
        doubtful = self._seen.may_hold(events, marks)
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
