"""Single events, newest first, or a table made of them (``EventsQuery``).

Times are not truncated here: the last 24 hours are these hours. Both ends are exclusive.
Pages do not overlap, since the uuid is the last key of every order.
"""

from datetime import timedelta
from typing import Any

from sqlglot import exp

from hedgerow.insights.columns import (
    Column,
    columns_of,
    decoded,
    grouped,
    moment_text,
    order_of,
    ordered,
    page,
    told,
    trees,
    usual_order,
)
from hedgerow.insights.listings import display_name
from hedgerow.insights.results import Run
from hedgerow.model.ports import Statement
from hedgerow.model.projects import QueryContext
from hedgerow.query import expressions, filters
from hedgerow.query.dates import moment
from hedgerow.query.definitions import EventsQuery
from hedgerow.query.sources import Events, at_event_time
from hedgerow.query.trees import Tree
from hedgerow.query.values import Values

AHEAD = timedelta(seconds=5)
"""How far after now events are listed: clocks differ."""

INSTANT = timedelta(microseconds=1)


def answered(query: EventsQuery, context: QueryContext, run: Run) -> dict[str, Any]:
    """Return a page of events as rows of the columns asked for."""
    limit, offset = page(query.limit, query.offset)
    events = Events(context, Values(), at_event=at_event_time(query.modifiers))
    columns = columns_of(query.select or ["*"], events, _wholes(events))
    rows = run(_statement(query, events, columns)).rows
    return {
        "columns": [one.name for one in columns],
        "types": [one.type for one in columns],
        "results": [told(row, columns) for row in rows[:limit]],
        "hasMore": len(rows) > limit,
        "limit": limit,
        "offset": offset,
    }


def _statement(query: EventsQuery, events: Events, columns: list[Column]) -> Statement:
    limit, offset = page(query.limit, query.offset)
    where, having = _conditions(query, events)
    sums = any(one.aggregated for one in columns)
    order = order_of(query.order_by or (), columns, events) or usual_order(
        columns, "timestamp"
    )
    if not query.order_by and not sums and [one.text for one in columns] == ["*"]:
        order = [ordered(events.column("timestamp"), descending=True)]
    if not sums:
        order.append(events.column("uuid"))
    after, before = _bounds(query, events.context)
    tree = events.select(
        *trees(columns),
        since=None if after is None else after + INSTANT,
        until=before - INSTANT,
        where=where,
    )
    tree = grouped(tree, columns)
    if having:
        tree = tree.having(*having)
    tree = tree.order_by(*order).limit(limit + 1).offset(offset)
    return Statement(tree=tree, values=events.values.by_name)


def _bounds(query: EventsQuery, context: QueryContext) -> tuple[Any, Any]:
    """Return both ends, exclusive; None: no limit."""
    before = context.now + AHEAD
    if query.before:
        before = moment(query.before, context, "before").at
    if query.after == "all":
        return None, before
    return moment(query.after or "-24h", context, "after").at, before


def _conditions(query: EventsQuery, events: Events) -> tuple[list[Tree], list[Tree]]:
    """Return what rows, and what groups of rows, must fulfil."""
    where = filters.conditions(
        query.properties, events, test_accounts=query.filter_test_accounts
    )
    where += filters.conditions(query.fixed_properties, events, path="fixedProperties")
    names = [*(query.events or ()), *([query.event] if query.event else ())]
    if names:
        bound = [events.values.bind(name) for name in dict.fromkeys(names)]
        where.append(exp.In(this=events.column("event"), expressions=bound))
    if query.person_id:
        person = events.property("event_metadata", "person_id").text
        where.append(person.eq(events.values.bind(query.person_id.lower())))
    having = []
    for text in query.where or ():
        if expressions.is_aggregated(text):
            having.append(expressions.aggregated_condition(text, events))
        else:
            where.append(expressions.condition(text, events))
    return where, having


def _wholes(events: Events) -> dict[str, Any]:
    return {
        "*": lambda: _whole_event(events),
        "person": lambda: _whole_person(events),
        "person_display_name": lambda: _display_name(events),
    }


def _whole_event(events: Events) -> Column:
    context = events.context
    names = ("event", "properties", "timestamp", "distinct_id", "created_at", "personless")

    def shape(parts: Any) -> dict[str, Any]:
        uuid, event, properties, timestamp, distinct_id, created_at, personless = parts
        return {
            "uuid": uuid,
            "event": event,
            "properties": decoded(properties),
            "timestamp": moment_text(timestamp, context),
            "team_id": context.project.id,
            "distinct_id": distinct_id,
            "elements_chain": "",
            "created_at": moment_text(created_at, context),
            "person_mode": "propertyless" if personless else "full",
        }

    parts = (
        exp.cast(events.column("uuid"), "text"),
        *(events.column(one) for one in names),
    )
    return Column(text="*", name="*", parts=parts, shape=shape, type="Tuple")


def _person_parts(events: Events) -> tuple[Tree, ...]:
    return (
        exp.cast(events.person_column("uuid"), "text"),
        events.person_column("created_at"),
        events.person_column("properties"),
        events.column("distinct_id"),
    )


def _whole_person(events: Events) -> Column:
    def shape(parts: Any) -> dict[str, Any]:
        uuid, created_at, properties, distinct_id = parts
        return {
            "uuid": uuid,
            "created_at": moment_text(created_at, events.context),
            "properties": decoded(properties),
            "distinct_id": distinct_id,
        }

    return Column(
        text="person", name="person", parts=_person_parts(events), shape=shape, type="Tuple"
    )


def _display_name(events: Events) -> Column:
    def shape(parts: Any) -> dict[str, Any]:
        uuid, _, properties, distinct_id = parts
        name = display_name(decoded(properties), [distinct_id], events.context.project)
        return {"display_name": name, "id": uuid, "distinct_id": distinct_id}

    name = "person_display_name"
    return Column(
        text=name, name=name, parts=_person_parts(events), shape=shape, type="Tuple"
    )
