"""The tables that SQL may name, and what can be read of a row of each.

``TABLES`` is the whole list: whatever else stands in a FROM is refused. Each is made of a
source (``sources``), which holds the guard of the project, so no text of an author's can
lift it. What a name of a row stands for is told by ``look``; a table reads only the columns
that were asked for.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec
from sqlglot import exp

from hedgerow.model import tables
from hedgerow.query import cohorts
from hedgerow.query.expressions_nodes import KINDS, named_value, of_property
from hedgerow.query.expressions_translation import Typed
from hedgerow.query.hogql_writing import Writing, subquery
from hedgerow.query.sources import (
    Events,
    Persons,
    Property,
    at_event_time,
    named_table,
    plain,
    read,
    table,
    timed,
)
from hedgerow.query.trees import Tree, number_literal, text_literal


class Rows(Protocol):
    """The rows of one table."""

    def look(self, path: list[str]) -> Typed | None:
        """Return what a dotted name of a row stands for; None: nothing."""
        ...

    def select(self, columns: list[Tree]) -> exp.Query:
        """Return the project's rows with these columns."""
        ...


OWN_NAMES = {
    "$session_id": "$session_id",
    "session.id": "$session_id",
    "$window_id": "$window_id",
}
"""Properties of events that PostHog has columns for."""


class EventRows:
    """``events``: also reads the person, the groups and the session of each."""

    def __init__(self, writing: Writing) -> None:
        at_event = at_event_time(writing.query.modifiers)
        self.source = Events(writing.context, writing.values, at_event=at_event)

    def look(self, path: list[str]) -> Typed | None:
        """Return a column, a property, or those of what belongs to the event."""
        source = self.source
        if path[:2] in (["pdi", "person"], ["pdi", "person_id"]):
            path = path[1:]
        name = ".".join(path)
        if name in {"person_id", "person.id"}:
            return _person_id(source, source.person_column("uuid"))
        if name in {"properties", "person.properties"}:
            column = source.column if len(path) == 1 else source.person_column
            return Typed(column("properties"), "json")
        if name == "person.is_identified":
            return Typed(source.person_column("is_identified"), "bool")
        if name == "elements_chain":
            chain = source.property("event", "$elements_chain").text
            return Typed(exp.Coalesce(this=chain, expressions=[text_literal("")]), "text")
        if name in OWN_NAMES:
            return of_property(source.property("event", OWN_NAMES[name]))
        return named_value(source, path)

    def select(self, columns: list[Tree]) -> exp.Query:
        """Return the project's events, whenever they happened."""
        return self.source.select(*columns, since=None, until=None)


class PersonRows:
    """``persons`` as they are now; with ``pdi.distinct_id`` a row for each of their ids."""

    def __init__(self, writing: Writing) -> None:
        self.source = Persons(writing.context, writing.values)

    def look(self, path: list[str]) -> Typed | None:
        """Return a column, a property, or a distinct id."""
        source = self.source
        match path:
            case ["id"]:
                uuid = exp.cast(source.column("uuid"), "text")
                return Typed(uuid, "text", key=source.person_key())
            case ["properties"]:
                return Typed(source.column("properties"), "json")
            case ["is_identified"]:
                return Typed(source.column("is_identified"), "bool")
            case ["pdi", "distinct_id"]:
                return Typed(exp.column("distinct_id", table="d"), "text")
            case _:
                return named_value(source, path)

    def select(self, columns: list[Tree]) -> exp.Query:
        """Return the project's persons."""
        query = self.source.select(*columns)
        if not any(
            one.table == "d" for tree in columns for one in tree.find_all(exp.Column)
        ):
            return query
        on = exp.and_(
            exp.column("project_id", table="d").eq(self.source.project.copy()),
            exp.column("person_key", table="d").eq(self.source.person_key()),
        )
        return query.join(named_table(tables.DISTINCT_IDS.name, "d"), on=on)


class DistinctIdRows:
    """``person_distinct_ids``: every distinct id ever seen, and whose it is."""

    def __init__(self, writing: Writing) -> None:
        self._writing = writing
        self._persons = Persons(writing.context, writing.values)

    def look(self, path: list[str]) -> Typed | None:
        """Return the id, or the person's."""
        match path:
            case ["distinct_id"]:
                return Typed(exp.column("distinct_id", table="d"), "text")
            case ["person_id"] | ["person", "id"]:
                key = exp.column("person_key", table="d")
                return _person_id(self._persons, self._persons.column("uuid"), key)
            case ["person", *rest]:
                return named_value(self._persons, rest)
            case _:
                return None

    def select(self, columns: list[Tree]) -> exp.Query:
        """Return the project's distinct ids beside their persons."""
        writing, persons = self._writing, self._persons
        on = exp.and_(
            persons.column("project_id").eq(persons.project.copy()),
            persons.column("person_key").eq(exp.column("person_key", table="d")),
        )
        name = tables.DISTINCT_IDS.name
        query = table(name, "d", writing.context, writing.values, *columns)
        return query.join(named_table(tables.PERSONS.name, "p"), on=on, join_type="left")


class GroupRows:
    """``groups`` of all types; ``index`` is the type's."""

    own = "group"
    names: frozenset[str] = frozenset()

    def __init__(self, writing: Writing) -> None:
        self._writing = writing
        self.context, self.values = writing.context, writing.values
        self.dialect = writing.dialect

    def person_key(self) -> Tree:
        """Return nothing: groups are no persons."""
        return exp.null()

    def property(
        self,
        type_: str,  # noqa: ARG002 - a source's signature
        key: str,
        group_type_index: int | None = None,  # noqa: ARG002 - a source's signature
    ) -> Property:
        """Return a property; one whose kind differs between types is text."""
        scopes = [f"group:{one.name}" for one in self.context.group_types]
        kinds = {self.context.kinds.get((scope, key), "String") for scope in scopes}
        known = next((one for one in scopes if (one, key) in self.context.kinds), "")
        found = read(self, "groups", "g", scope=known, key=key)
        named = {kind for kind in kinds if kind != "String"}
        kind = named.pop() if len(named) == 1 else "String"
        return msgspec.structs.replace(found, kind=kind)

    def look(self, path: list[str]) -> Typed | None:
        """Return a column or a property."""
        match path:
            case ["properties"]:
                return Typed(exp.column("properties", table="g"), "json")
            case ["properties", key]:
                return of_property(self.property("group", key))
            case ["key"]:
                return of_property(plain(self, exp.column("key", table="g")))
            case ["created_at" | "updated_at" as name]:
                return of_property(timed(self, exp.column(name, table="g")))
            case ["index"]:
                return Typed(self._index(), "number")
            case _:
                return None

    def select(self, columns: list[Tree]) -> exp.Query:
        """Return the project's groups."""
        return table(tables.GROUPS.name, "g", self.context, self.values, *columns)

    def _index(self) -> Tree:
        kind = exp.column("type", table="g")
        ifs = [
            exp.If(
                this=kind.copy().eq(self.values.bind(one.name)),
                true=number_literal(one.index),
            )
            for one in self.context.group_types
            if one.index is not None
        ]
        return exp.Case(ifs=ifs) if ifs else exp.null()


class CohortRows:
    """``cohort_people``: who is, now, in which cohort."""

    def __init__(self, writing: Writing, *, only_static: bool = False) -> None:
        self._writing, self._only_static = writing, only_static
        self._persons = Persons(writing.context, writing.values)

    def look(self, path: list[str]) -> Typed | None:
        """Return the person's id or the cohort's."""
        match path:
            case ["person_id"] | ["person", "id"]:
                key = exp.column("person_key", table="m")
                return _person_id(self._persons, self._persons.column("uuid"), key)
            case ["cohort_id"]:
                return Typed(exp.column("cohort_id", table="m"), "number")
            case ["person", *rest]:
                return named_value(self._persons, rest)
            case _:
                return None

    def select(self, columns: list[Tree]) -> exp.Query:
        """Return the members of each cohort of the project."""
        persons, writing = self._persons, self._writing
        listed: list[exp.Query] = []
        for number, cohort in sorted(writing.context.cohorts.items()):
            if cohort.is_static or not self._only_static:
                members = cohorts.members(cohort, writing.context, writing.values)
                key = exp.column("person_key", table="k")
                which = exp.alias_(number_literal(number), "cohort_id")
                listed.append(exp.select(key, which).from_(subquery(members, "k")))
        if not listed:
            none = exp.select(
                exp.alias_(exp.cast(exp.null(), "bigint"), "person_key"),
                exp.alias_(exp.cast(exp.null(), "bigint"), "cohort_id"),
            )
            listed = [none.where(exp.false())]
        whole = listed[0] if len(listed) == 1 else exp.union(*listed, distinct=False)
        on = exp.and_(
            persons.column("project_id").eq(persons.project.copy()),
            persons.column("person_key").eq(exp.column("person_key", table="m")),
        )
        query = exp.select(*columns).from_(subquery(whole, "m"))
        return query.join(named_table(tables.PERSONS.name, "p"), on=on, join_type="left")


def _person_id(source: Events | Persons, uuid: Tree, key: Tree | None = None) -> Typed:
    """Return a person's id: never NULL, since what has no person has an id of its own."""
    key = source.person_key() if key is None else key
    made = source.dialect.function("uuidOfKey", [key.copy()])
    text = exp.Coalesce(this=exp.cast(uuid, "text"), expressions=[made])
    return Typed(text, KINDS["String"], key=key)


class Known(msgspec.Struct, frozen=True):
    """A table as its page tells it."""

    make: Callable[[Writing], Rows]
    star: tuple[str, ...]
    """What ``*`` stands for."""

    more: tuple[str, ...] = ()
    """What else can be named."""


TABLES: Mapping[str, Known] = {
    "events": Known(
        EventRows,
        (
            "uuid",
            "event",
            "properties",
            "timestamp",
            "distinct_id",
            "elements_chain",
            "created_at",
            "person_id",
            *(f"$group_{index}" for index in range(5)),
        ),
        (
            "properties.<key>",
            "person.id",
            "person.created_at",
            "person.is_identified",
            "person.properties",
            "person.properties.<key>",
            *(f"group_{index}.properties.<key>" for index in range(5)),
            "$session_id",
            "$window_id",
        ),
    ),
    "persons": Known(
        PersonRows,
        ("id", "created_at", "properties", "is_identified"),
        ("properties.<key>", "pdi.distinct_id"),
    ),
    "person_distinct_ids": Known(
        DistinctIdRows, ("distinct_id", "person_id"), ("person.properties.<key>",)
    ),
    "groups": Known(
        GroupRows,
        ("index", "key", "created_at", "updated_at", "properties"),
        ("properties.<key>",),
    ),
    "cohort_people": Known(
        CohortRows, ("person_id", "cohort_id"), ("person.properties.<key>",)
    ),
    "static_cohort_people": Known(
        lambda writing: CohortRows(writing, only_static=True),
        ("person_id", "cohort_id"),
        ("person.properties.<key>",),
    ),
}
"""Every table there is."""

SYNONYMS = {
    "raw_events": "events",
    "raw_persons": "persons",
    "raw_groups": "groups",
    "pdi": "person_distinct_ids",
    "raw_cohort_people": "cohort_people",
}
ELSEWHERE = frozenset(
    {"sessions", "raw_sessions", "session_replay_events", "logs", "heatmaps"}
)
"""Tables of PostHog's that this product has no data for."""
