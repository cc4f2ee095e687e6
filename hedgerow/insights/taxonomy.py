"""Names and values for autocomplete: events seen, properties seen, values they have.

Values are those of the last 30 days for events, and of now for persons and groups, the
most frequent first.
"""

from datetime import timedelta
from typing import Any

from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.insights.columns import moment_text, page
from hedgerow.insights.results import Run
from hedgerow.model import tables
from hedgerow.model.ports import Statement
from hedgerow.model.projects import QueryContext
from hedgerow.query import filters
from hedgerow.query.definitions import (
    EventNamesQuery,
    PropertyNamesQuery,
    PropertyValuesQuery,
)
from hedgerow.query.dialects import dialect_of
from hedgerow.query.sources import Events, Persons, Property, group_type_name, read, table
from hedgerow.query.trees import Tree, number_literal
from hedgerow.query.values import Values

RECENT = timedelta(days=30)


def event_names(query: EventNamesQuery, context: QueryContext, run: Run) -> dict[str, Any]:
    """Return event names with their volume, most frequent first."""
    values = Values()
    names = ("event", "volume", "first_seen", "last_seen")
    columns = [exp.column(name, table="n") for name in names]
    tree = table(tables.EVENT_NAMES.name, "n", context, values, *columns)
    if query.search:
        part = values.bind(query.search)
        tree = tree.where(dialect_of(context).contains(columns[0].copy(), part))
    order = (exp.Ordered(this=columns[1].copy(), desc=True), columns[0].copy())
    rows, more = _page(query, tree.order_by(*order), values, run)
    found = [
        {
            "name": name,
            "volume": volume,
            "first_seen": moment_text(first, context),
            "last_seen": moment_text(last, context),
        }
        for name, volume, first, last in rows
    ]
    return {"results": found, "hasMore": more}


def property_names(
    query: PropertyNamesQuery, context: QueryContext, run: Run
) -> dict[str, Any]:
    """Return property names with their kinds, in the order of their names."""
    values = Values()
    names = ("key", "kind")
    columns = [exp.column(name, table="k") for name in names]
    tree = table(tables.PROPERTY_KINDS.name, "k", context, values, *columns)
    scope = _scope(query, context)
    tree = tree.where(exp.column("scope", table="k").eq(values.bind(scope)))
    if query.search:
        part = values.bind(query.search)
        tree = tree.where(dialect_of(context).contains(columns[0].copy(), part))
    if query.event is not None:
        seen = _keys_of_event(query.event, context, values)
        tree = tree.where(exp.In(this=columns[0].copy(), query=seen.subquery()))
    rows, more = _page(query, tree.order_by(columns[0].copy()), values, run)
    kinds = context.kinds
    found = [{"name": key, "type": kinds.get((scope, key), kind)} for key, kind in rows]
    return {"results": found, "hasMore": more}


def _scope(query: PropertyNamesQuery | PropertyValuesQuery, context: QueryContext) -> str:
    if query.type != "group":
        return query.type or "event"
    if query.group_type_index is None:
        raise InvalidQuery(
            "Which group type? The query has no 'group_type_index'.",
            hint="Add it, 0 to 4.",
            attr="group_type_index",
        )
    return f"group:{group_type_name(context, query.group_type_index)}"


def _keys_of_event(name: str, context: QueryContext, values: Values) -> exp.Select:
    """Return the property names on recent events of one name."""
    events = Events(context, values)
    keys = dialect_of(context).json_keys(events.column("properties"))
    return events.select(
        exp.alias_(keys, "key"),
        where=[events.column("event").eq(values.bind(name))],
        since=context.now - RECENT,
        until=None,
    ).distinct()


def property_values(
    query: PropertyValuesQuery, context: QueryContext, run: Run
) -> dict[str, Any]:
    """Return the most frequent values of a property, as text."""
    values = Values()
    text, tree = _values_of(query, context, values)
    tree = tree.where(exp.not_(exp.Is(this=text.copy(), expression=exp.null())))
    if query.search:
        part = values.bind(query.search)
        tree = tree.where(dialect_of(context).contains(text.copy(), part))
    limit, _ = page(query.limit, 0)
    count = exp.Ordered(this=exp.column("count"), desc=True)
    tree = tree.group_by(number_literal(1)).order_by(count, exp.column("value"))
    rows = run(Statement(tree=tree.limit(limit + 1), values=values.by_name)).rows
    found = [{"name": value, "count": number} for value, number in rows[:limit]]
    return {"results": found, "hasMore": len(rows) > limit}


def _values_of(
    query: PropertyValuesQuery, context: QueryContext, values: Values
) -> tuple[Tree, exp.Select]:
    """Return the property's text and a SELECT that counts its values."""
    if query.type == "person":
        persons = Persons(context, values)
        text = persons.property("person", query.key).text
        where = filters.conditions(query.properties, persons)
        return text, persons.select(*_counted(text), where=where)
    if query.type == "group":
        found = _of_group(query, context, values)
        name = _scope(query, context).removeprefix("group:")
        tree = table(tables.GROUPS.name, "g", context, values, *_counted(found.text))
        of_type = exp.column("type", table="g").eq(values.bind(name))
        return found.text, tree.where(of_type)
    events = Events(context, values)
    text = events.property("event", query.key).text
    where = filters.conditions(query.properties, events)
    if query.event is not None:
        where.append(events.column("event").eq(values.bind(query.event)))
    since = context.now - RECENT
    return text, events.select(*_counted(text), where=where, since=since, until=None)


def _of_group(
    query: PropertyValuesQuery, context: QueryContext, values: Values
) -> Property:
    source = Persons(context, values)
    return read(source, "groups", "g", scope=_scope(query, context), key=query.key)


def _counted(text: Tree) -> tuple[Tree, Tree]:
    count = exp.Count(this=exp.Star())
    return exp.alias_(text.copy(), "value"), exp.alias_(count, "count")


def _page(
    query: EventNamesQuery | PropertyNamesQuery, tree: exp.Select, values: Values, run: Run
) -> tuple[list[tuple[Any, ...]], bool]:
    limit, offset = page(query.limit, query.offset)
    tree = tree.limit(limit + 1).offset(offset)
    rows = run(Statement(tree=tree, values=values.by_name)).rows
    return rows[:limit], len(rows) > limit
