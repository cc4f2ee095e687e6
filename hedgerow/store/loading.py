"""Changes → rows: what the writer's one transaction executes.

``rows`` says how rows travel. Tables have no keys of their own: the writer is the only one who writes, and deletes what
it replaces.
"""

# ruff: noqa: S608 - names of our own tables and whole numbers; values are parameters

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import duckdb
import msgspec

from hedgerow.model.changes import Changes, OfProject
from hedgerow.model.event_columns import Events, as_columns, microseconds
from hedgerow.model.projects import HotColumn
from hedgerow.model.tables import (
    COHORT_PEOPLE,
    DISTINCT_IDS,
    EVENT_NAMES,
    EVENTS,
    GROUP_TYPES,
    GROUPS,
    HOT_COLUMNS,
    MERGES,
    PERSON_STATES,
    PERSONS,
    POSITION,
    PROPERTY_KINDS,
    SET_ASIDE,
    TOMBSTONES,
    WARNINGS,
    Table,
)
from hedgerow.store import erasing
from hedgerow.store.hot_columns import Planned, pointer, selected, statements
from hedgerow.store.rows import INCOMING, MANY_ROWS, in_memory, unnested

Hot = Mapping[tuple[str, str], HotColumn]
_encode = msgspec.json.Encoder().encode


def text(value: Any) -> str:
    """Return a JSON value as text."""
    return _encode(value).decode()


class Loader:
    """Executes changes on the writer's connection, inside its transaction."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def run(
        self, sql: str, values: Mapping[str, Any] | None = None
    ) -> list[tuple[Any, ...]]:
        """Execute one statement; every result is fetched, for DuckDB keeps it open else."""
        return self._connection.execute(sql, dict(values or {})).fetchall()

    def insert(
        self,
        table: Table,
        columns: Sequence[list[Any]],
        *,
        hot: Hot | None = None,
        keys: Iterable[str] | None = None,
    ) -> None:
        """Insert rows given as one list for each column of ``table``.

        ``hot`` fills the columns of those ``keys`` (None: of all) from the properties.
        """
        if not columns[0]:
            return
        own = [f'"{column.name}"' for column in table.columns]
        many = len(columns[0]) >= MANY_ROWS
        rows, values, held = (in_memory if many else unnested)(table, columns)
        wanted = _hot_of(table, hot or {}, keys)
        if wanted:
            pointers = [pointer(key) for key, _ in wanted]
            filled = [column for _, column in wanted]
            values["pointers"] = pointers
            rows = (
                f"SELECT {', '.join(own)}, {selected(filled, 'texts')} FROM (SELECT *, "
                f"json_extract_string(properties, $pointers::VARCHAR[]) AS texts FROM ({rows}))"
            )
            for hot_one in filled:
                own += [hot_one.text, *([hot_one.number] if hot_one.number else [])]
        insert = f"INSERT INTO {table.name} ({', '.join(own)}) {rows}"
        if held is None:
            self.run(insert, values)
            return
        self._connection.register(INCOMING, held)
        try:
            self.run(insert, values)
        finally:
            self._connection.unregister(INCOMING)

    def add_hot(self, new: Sequence[Planned]) -> None:
        """Add columns for properties first seen in this transaction."""
        for one in new:
            for statement in statements(one):
                self.run(statement)
        rows = [[one.table, one.key, one.column.text, one.column.number] for one in new]
        self.insert(HOT_COLUMNS, _turned(rows, 4))

    def load(
        self,
        changes: Changes,
        hot: Hot,
        event_keys: Iterable[str],
        counted: AbstractSet[OfProject],
    ) -> None:
        """Execute everything but the position.

        ``event_keys`` are the hot properties that the events have, ``counted`` the event
        names that have a count already.
        """
        self.people(changes, hot)
        self.insert(EVENTS, event_columns(changes.events), hot=hot, keys=event_keys)
        self.groups(changes, hot)
        self.names(changes, counted)
        self.notes(changes)
        for one in changes.erase:
            erasing.person(self.run, one)
        for project_id, moment in changes.delete_before:
            erasing.before(self.run, project_id, moment)
        for project_id, cohort_id in changes.forget_cohorts:
            erasing.cohort(self.run, project_id, cohort_id)
        for project_id in changes.delete_projects:
            erasing.project(self.run, project_id)

    def people(self, changes: Changes, hot: Hot) -> None:
        """Persons, their ids and states, and what moves from one to another."""
        if changes.changed_hands:
            ids = _turned([list(one) for one in changes.changed_hands], 2)
            self.run(
                f"DELETE FROM {DISTINCT_IDS.name} USING (SELECT unnest($p::INTEGER[]) AS p, "
                "unnest($i::VARCHAR[]) AS i) WHERE project_id = p AND distinct_id = i",
                {"p": ids[0], "i": ids[1]},
            )
        self.insert(DISTINCT_IDS, _turned([list(one) for one in changes.distinct_ids], 3))
        if changes.moved:
            erasing.move(self.run, changes.moved)
        replaced = [
            *changes.gone,
            *(one.key for one in changes.persons if one.key < changes.new_from),
        ]
        if replaced:
            self.run(
                f"DELETE FROM {PERSONS.name} WHERE person_key IN "
                "(SELECT unnest($k::BIGINT[]))",
                {"k": replaced},
            )
        texts = {one.id: one.properties for one in changes.states}
        persons = [
            [
                one.project_id,
                one.key,
                one.uuid,
                microseconds(one.created_at),
                one.is_identified,
                one.state,
                texts.get(one.state) or text(one.properties),
            ]
            for one in changes.persons
        ]
        self.insert(PERSONS, _turned(persons, 7), hot=hot)
        states = [
            [
                one.id,
                one.project_id,
                one.person_key,
                microseconds(one.at),
                one.event_uuid,
                one.properties,
            ]
            for one in changes.states
        ]
        self.insert(PERSON_STATES, _turned(states, 6))
        for project_id, distinct_id, key in changes.moved_ids:
            erasing.move_id(self.run, project_id, distinct_id, key)

    def groups(self, changes: Changes, hot: Hot) -> None:
        """Group types and groups."""
        types = [[p, one.name, one.index] for p, one in changes.group_types]
        self.insert(GROUP_TYPES, _turned(types, 3))
        rows = [
            [
                one.project_id,
                one.type,
                one.key,
                microseconds(one.created_at),
                microseconds(one.updated_at),
                text(one.properties),
            ]
            for one in changes.groups
        ]
        columns = _turned(rows, 6)
        if rows:
            self.run(
                f"DELETE FROM {GROUPS.name} g USING (SELECT unnest($p::INTEGER[]) AS p, "
                "unnest($t::VARCHAR[]) AS t, unnest($k::VARCHAR[]) AS k) w "
                "WHERE g.project_id = w.p AND g.type = w.t AND g.key = w.k",
                {"p": columns[0], "t": columns[1], "k": columns[2]},
            )
        self.insert(GROUPS, columns, hot=hot)

    def names(self, changes: Changes, counted: AbstractSet[OfProject]) -> None:
        """First and last sight of each event name, and how many there were."""
        old: list[list[Any]] = []
        new: list[list[Any]] = []
        for one in changes.counts:
            (old if (one.project_id, one.event) in counted else new).append(
                [
                    one.project_id,
                    one.event,
                    microseconds(one.first),
                    microseconds(one.last),
                    one.count,
                ]
            )
        self.insert(EVENT_NAMES, _turned(new, 5))
        if not old:
            return
        self.run(
            f"UPDATE {EVENT_NAMES.name} SET first_seen = least(first_seen, f), "
            "last_seen = greatest(last_seen, l), volume = volume + n FROM "
            "(SELECT unnest($p::INTEGER[]) AS p, unnest($e::VARCHAR[]) AS e, "
            "make_timestamp(unnest($f::BIGINT[])) AS f, "
            "make_timestamp(unnest($l::BIGINT[])) AS l, unnest($n::BIGINT[]) AS n) "
            "WHERE project_id = p AND event = e",
            dict(zip("pefln", _turned(old, 5), strict=True)),
        )

    def notes(self, changes: Changes) -> None:
        """Kinds, merges, warnings, what was set aside, tombstones, static cohorts."""
        kinds = [
            [one.project_id, one.scope, one.key, one.kind, microseconds(one.at)]
            for one in changes.kinds
        ]
        self.insert(PROPERTY_KINDS, _turned(kinds, 5))
        merges = [
            [
                one.project_id,
                microseconds(one.at),
                one.kind,
                one.event_uuid,
                one.source_key,
                one.source_uuid,
                text(one.source_distinct_ids),
                one.target_key,
            ]
            for one in changes.merges
        ]
        self.insert(MERGES, _turned(merges, 8))
        warnings = [
            [
                one.project_id,
                one.type,
                one.details,
                one.event_uuid,
                one.distinct_id,
                microseconds(one.at),
            ]
            for one in changes.warnings
        ]
        self.insert(WARNINGS, _turned(warnings, 6))
        aside = [
            [one.project_id, microseconds(one.at), one.reason, one.body]
            for one in changes.set_aside
        ]
        self.insert(SET_ASIDE, _turned(aside, 4))
        graves = [
            [one.project_id, one.distinct_id, microseconds(one.at), one.with_events]
            for one in changes.tombstones
        ]
        self.insert(TOMBSTONES, _turned(graves, 4))
        for one in changes.cohort_people:
            erasing.cohort_person(self.run, one)
        joining = [
            [one.project_id, one.cohort_id, one.person_key]
            for one in changes.cohort_people
            if one.member
        ]
        self.insert(COHORT_PEOPLE, _turned(joining, 3))

    def position(self, upto: int) -> None:
        """Note that everything up to a position of the inbox is stored."""
        self.run(f"UPDATE {POSITION.name} SET id = $upto", {"upto": upto})


def event_columns(events: Events) -> list[list[Any]]:
    """Return events as one list for each column of the table."""
    made = as_columns(events)
    return [
        made.project_ids,
        made.uuids,
        made.names,
        made.distinct_ids,
        made.happened_at,
        made.received_at,
        made.person_keys,
        made.person_states,
        made.personless,
        *made.groups,
        made.properties,
    ]


def _turned(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    """Return rows as columns."""
    return [list(column) for column in zip(*rows, strict=True)] or [[]] * width


def _hot_of(
    table: Table, hot: Hot, keys: Iterable[str] | None
) -> list[tuple[str, HotColumn]]:
    if keys is not None:
        return [(k, hot[table.name, k]) for k in keys if (table.name, k) in hot]
    return [(k, column) for (name, k), column in hot.items() if name == table.name]
