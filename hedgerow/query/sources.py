"""Where rows come from: events, persons and groups, always bounded by project.

Nobody reaches a table of events or people but through here, so the project guard cannot
be forgotten. A source hands out expressions for what can be read of a row and notes which
other tables that needs; ``select`` then joins just those:

    events = Events(context, values, at_event=at_event_time(query.modifiers))
    plan = events.property("person", "plan")            # notes the join with persons
    query = events.select(plan.text.as_("plan"), since=range.lower, until=range.end)

Properties have columns of their own where the store made some (``HotColumn``), and are
read from JSON elsewhere; both give the same.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

import msgspec
from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.model import tables
from hedgerow.model.projects import PropertyKind, QueryContext
from hedgerow.query import sessions
from hedgerow.query.dialects import Dialect, dialect_of
from hedgerow.query.group_names import INDEXED, name_of
from hedgerow.query.trees import Tree, number_literal, select, text_literal
from hedgerow.query.values import Values

METADATA = frozenset(
    {"distinct_id", "event", "timestamp", "person_id", "uuid", "created_at"}
)
"""Columns of an event that can be named like properties; also ``$group_0`` … ``$group_4``."""

PERSON_COLUMNS = frozenset({"id", "created_at", "is_identified"})
"""Columns of a person that can be named."""

AT_EVENT = "person_id_override_properties_on_events"


class Property(msgspec.Struct, frozen=True, kw_only=True):
    """What can be read of one property, or column, of a row."""

    text: Tree
    """Value as text; NULL where missing or null."""

    number: Tree
    """Value as a double; NULL where it reads as no number."""

    instant: Tree
    """Value as a UTC time; NULL where unreadable."""

    kind: PropertyKind = "String"
    """How it is compared."""


class Source(Protocol):
    """Rows with properties: what filters, breakdowns and expressions need."""

    context: QueryContext
    values: Values
    dialect: Dialect
    own: str
    """The type of the rows' own properties: ``event`` or ``person``."""

    names: frozenset[str]
    """Columns that expressions may name."""

    def property(
        self, type_: str, key: str, group_type_index: int | None = None
    ) -> Property:
        """Return a property; ``type_`` is ``event``, ``person``, ``group``, ``event_metadata``.

        Raises InvalidQuery where these rows have no such thing.
        """
        ...

    def person_key(self) -> Tree:
        """Return the person's key."""
        ...


def at_event_time(modifiers: Mapping[str, Any] | None) -> bool:
    """Return whether person properties are those of the event's time, not of now."""
    return (modifiers or {}).get("personsOnEventsMode") == AT_EVENT


class Events:
    """The events of a project, alias ``e``, and what belongs to each of them."""

    own = "event"
    names = METADATA

    def __init__(
        self, context: QueryContext, values: Values, *, at_event: bool = False
    ) -> None:
        self.context, self.values = context, values
        self.dialect = dialect_of(context)
        self.project = values.bind(context.project.id)
        self.at_event = at_event
        self._joins: dict[str, tuple[exp.Query | exp.Table, Tree, str]] = {}

    def column(self, name: str) -> exp.Column:
        """Return a column of the events table."""
        return exp.column(name, table="e")

    def person_key(self) -> Tree:
        """Return whose event it is."""
        return self.column("person_key")

    def group_key(self, index: int) -> Tree:
        """Return the key of the event's group; NULL or empty where it has none."""
        if index < INDEXED:
            return self.column(f"group_{index}")
        name = group_type_name(self.context, index)
        return self.dialect.json_text(self.column("properties"), "$groups", name)

    def person_column(self, name: str) -> Tree:
        """Return a column of the event's person, as they are now."""
        self._join_persons()
        return exp.column(name, table="p")

    def property(
        self, type_: str, key: str, group_type_index: int | None = None
    ) -> Property:
        """Return a property of the event, its person or its group, or a column."""
        if type_ in {"event", "feature"}:
            return self._read("events", "e", "event", key)
        if type_ == "person":
            return self._person_property(key)
        if type_ == "group":
            return self._group_property(group_type_index or 0, key)
        if type_ == "event_metadata":
            return self._metadata(key)
        if type_ == "session":
            return self._session_property(key)
        raise InvalidQuery(
            f"Events have no properties of type {type_!r}.",
            hint="Use event, person, group, session or event_metadata.",
            attr="type",
        )

    def join(
        self, alias: str, query: exp.Query, on: Tree | None, *, side: str = ""
    ) -> None:
        """Join a subquery of another part; without ``on`` every row meets every row."""
        self._joins[alias] = (query.subquery(alias), on or exp.true(), side)

    def select(
        self,
        *columns: Tree,
        since: datetime | None,
        until: datetime | None,
        where: Iterable[Tree] = (),
    ) -> exp.Select:
        """Return a SELECT over the project's events from ``since`` to ``until``, inclusive."""
        conditions: list[Tree] = [self.column("project_id").eq(self.project.copy())]
        if since is not None:
            conditions.append(self.column("timestamp") >= self.values.bind(since))
        if until is not None:
            conditions.append(self.column("timestamp") <= self.values.bind(until))
        conditions += where
        query = select(*columns).from_(named_table(tables.EVENTS.name, "e"), copy=False)
        for joined, on, side in self._joins.values():
            condition = None if side == "cross" else on.copy()
            query.join(joined.copy(), on=condition, join_type=side or "inner", copy=False)
        return query.where(*conditions, copy=False)

    def _read(self, table: str, alias: str, scope: str, key: str) -> Property:
        return read(self, table, alias, scope=scope, key=key)

    def _person_property(self, key: str) -> Property:
        if not self.at_event:
            self._join_persons()
            return self._read("persons", "p", "person", key)
        if "s" not in self._joins:
            on = exp.and_(
                exp.column("project_id", table="s").eq(self.project.copy()),
                exp.column("id", table="s").eq(self.column("person_state")),
            )
            states = named_table(tables.PERSON_STATES.name, "s")
            self._joins["s"] = (states, on, "left")
        return self._read("person_states", "s", "person", key)

    def _group_property(self, index: int, key: str) -> Property:
        name = group_type_name(self.context, index)
        alias = self._join_groups(index)
        return self._read("groups", alias, f"group:{name}", key)

    def session_id(self) -> Tree:
        """Return the event's session; NULL or empty where it has none."""
        return self._read("events", "e", "event", sessions.ID).text

    def _session_property(self, key: str) -> Property:
        if key not in sessions.COLUMNS:
            raise InvalidQuery(
                f"Sessions have no property {key!r}.",
                hint=f"Use one of {', '.join(sorted(sessions.COLUMNS))}.",
                attr="key",
            )
        alias = f"session_{list(sessions.COLUMNS).index(key)}"
        if alias not in self._joins:
            on = exp.column("id", table=alias).eq(self.session_id())
            self.join(alias, self._sessions(key), on, side="left")
        found = exp.column("told", table=alias)
        kind = sessions.COLUMNS[key].kind
        if kind == "DateTime":
            return timed(self, found)
        if kind == "String":
            return plain(self, found)
        number = exp.cast(found, "double")
        text = self.dialect.text(number)
        return Property(text=text, number=number, instant=exp.null(), kind=kind)

    def _sessions(self, key: str) -> exp.Select:
        """Return every session of the project with one of its columns."""
        every = Events(self.context, self.values)
        told = sessions.value(
            key,
            lambda name: every.property("event", name).text,
            every.column("event"),
            every.column("timestamp"),
            self.dialect,
        )
        there = every.session_id().neq(text_literal(""))
        shown = [every.session_id().as_("id"), told.as_("told")]
        query = every.select(*shown, where=[there], since=None, until=None)
        return query.group_by(number_literal(1))

    def _metadata(self, key: str) -> Property:
        group = key.removeprefix("$")
        if group in {f"group_{index}" for index in range(5)}:
            return plain(self, self.column(group))
        if key in {"timestamp", "created_at"}:
            return timed(self, self.column(key))
        if key == "person_id":
            return plain(self, exp.cast(self.person_column("uuid"), "text"))
        if key == "uuid":
            return plain(self, exp.cast(self.column("uuid"), "text"))
        if key in {"event", "distinct_id"}:
            return plain(self, self.column(key))
        raise InvalidQuery(
            f"Events have no column {key!r}.",
            hint=f"Use one of {', '.join(sorted(METADATA))} or $group_0 to $group_4.",
            attr="key",
        )

    def _join_persons(self) -> None:
        on = exp.and_(
            exp.column("project_id", table="p").eq(self.project.copy()),
            exp.column("person_key", table="p").eq(self.column("person_key")),
        )
        self._joins.setdefault("p", (named_table(tables.PERSONS.name, "p"), on, "left"))

    def _join_groups(self, index: int) -> str:
        alias = f"g{index}"
        if alias not in self._joins:
            kind = self.values.bind(group_type_name(self.context, index))
            on = exp.and_(
                exp.column("project_id", table=alias).eq(self.project.copy()),
                exp.column("type", table=alias).eq(kind),
                exp.column("key", table=alias).eq(self.group_key(index)),
            )
            self._joins[alias] = (named_table(tables.GROUPS.name, alias), on, "left")
        return alias


class Persons:
    """The persons of a project as they are now, alias ``p``."""

    own = "person"
    names = PERSON_COLUMNS

    def __init__(self, context: QueryContext, values: Values) -> None:
        self.context, self.values = context, values
        self.dialect = dialect_of(context)
        self.project = values.bind(context.project.id)

    def column(self, name: str) -> exp.Column:
        """Return a column of the persons table."""
        return exp.column(name, table="p")

    def person_key(self) -> Tree:
        """Return the person's key."""
        return self.column("person_key")

    def property(
        self, type_: str, key: str, group_type_index: int | None = None
    ) -> Property:
        """Return a person's property or column; persons have no others."""
        if type_ == "event_metadata" and key in PERSON_COLUMNS:
            if key == "created_at":
                return timed(self, self.column(key))
            name = "uuid" if key == "id" else key
            return plain(self, exp.cast(self.column(name), "text"))
        if type_ != "person" or group_type_index is not None:
            raise InvalidQuery(
                f"Persons have no property {key!r} of type {type_!r}.",
                hint="Use filters of type person or cohort here.",
                attr="type",
            )
        return read(self, "persons", "p", scope="person", key=key)

    def beside(
        self, actors: exp.Query, *columns: Tree, where: Iterable[Tree] = ()
    ) -> exp.Select:
        """Return a SELECT over actors (``b``, column ``actor``) and the persons they are.

        An actor who is no person any more, or never was, stays: with NULLs.
        """
        on = exp.and_(
            self.column("project_id").eq(self.project.copy()),
            self.column("person_key").eq(exp.column("actor", table="b")),
        )
        query = exp.select(*columns).from_(actors.subquery("b"))
        query = query.join(named_table(tables.PERSONS.name, "p"), on=on, join_type="left")
        return query.where(*where)

    def select(self, *columns: Tree, where: Iterable[Tree] = ()) -> exp.Select:
        """Return a SELECT over the project's persons."""
        guard = self.column("project_id").eq(self.project.copy())
        return (
            exp.select(*columns)
            .from_(named_table(tables.PERSONS.name, "p"))
            .where(guard, *where)
        )


def table(
    name: str, alias: str, context: QueryContext, values: Values, *columns: Tree
) -> exp.Select:
    """Return a SELECT over the project's rows of another table, such as ``distinct_ids``."""
    guard = exp.column("project_id", table=alias).eq(values.bind(context.project.id))
    return exp.select(*columns).from_(named_table(name, alias)).where(guard)


def group_type_name(context: QueryContext, index: int) -> str:
    """Return the name of a group type; empty where the project has none of that index."""
    return name_of(context.group_types, index)


def read(source: Source, table_: str, alias: str, *, scope: str, key: str) -> Property:
    """Return a property of a table with a ``properties`` column."""
    dialect = source.dialect
    hot = source.context.columns.get((table_, key))
    if hot is not None:
        text: Tree = exp.column(hot.text, table=alias)
    else:
        text = dialect.json_text(exp.column("properties", table=alias), key)
    number = (
        exp.column(hot.number, table=alias)
        if hot is not None and hot.number is not None
        else dialect.number(text.copy())
    )
    return Property(
        text=text,
        number=number,
        instant=dialect.instant(text.copy(), source.context.project.timezone),
        kind=source.context.kinds.get((scope, key), "String"),
    )


def plain(source: Source, text: Tree) -> Property:
    """Return a column of text as a property."""
    zone = source.context.project.timezone
    return Property(
        text=text,
        number=source.dialect.number(text.copy()),
        instant=source.dialect.instant(text.copy(), zone),
    )


def timed(source: Source, time: Tree) -> Property:
    """Return a column of time as a property; its text is the project's wall clock."""
    zone = source.context.project.timezone
    return Property(
        text=exp.cast(source.dialect.local_time(time.copy(), zone), "text"),
        number=source.dialect.microseconds(time.copy()),
        instant=time,
        kind="DateTime",
    )


def named_table(name: str, alias: str) -> exp.Table:
    """Return a table under an alias. Whoever joins it adds the project's guard."""
    return exp.Table(
        this=exp.to_identifier(name), alias=exp.TableAlias(this=exp.to_identifier(alias))
    )
