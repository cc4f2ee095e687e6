"""Persons and groups in a list: all of them, or those behind a figure (``ActorsQuery``).

The figure's own insight says who; here they are joined with what is known of them now,
searched, filtered, put in order and cut into pages. Somebody counted who is no person any
more is listed all the same, with empty properties, so that a number and its list agree.
"""

from collections.abc import Sequence
from typing import Any

from sqlglot import exp

from hedgerow.insights.actor_columns import group_wholes, person_wholes, rows_behind
from hedgerow.insights.behind import behind
from hedgerow.insights.columns import (
    Column,
    columns_of,
    grouped,
    order_of,
    ordered,
    page,
    told,
    trees,
    usual_order,
)
from hedgerow.insights.results import Behind, Run
from hedgerow.model import tables
from hedgerow.model.ports import Statement
from hedgerow.model.projects import QueryContext
from hedgerow.query import filters, membership
from hedgerow.query.definitions import ActorsQuery, PersonsNode
from hedgerow.query.group_source import Groups
from hedgerow.query.sources import Persons, table
from hedgerow.query.trees import Tree
from hedgerow.query.values import Values

USUAL = ["person", "id", "person.$delete"]

Asked = ActorsQuery | PersonsNode


def answered(query: Asked, context: QueryContext, run: Run) -> dict[str, Any]:
    """Return a page of persons, or groups, as rows of the columns asked for."""
    limit, offset = page(query.limit, query.offset)
    values = Values()
    source = query.source if isinstance(query, ActorsQuery) else None
    found = behind(source, context, values, run) if source is not None else None
    ids: dict[int, list[str]] = {}
    if found is not None and found.group_type_index is not None:
        statement, columns = _groups(query, found, context, values)
    else:
        statement, columns = _persons(query, found, (context, values), ids)
    rows = run(statement).rows
    shown = rows[:limit]
    keys = [row[-2] for row in shown if isinstance(row[-2], int)]
    if keys:
        ids |= _distinct_ids(keys, context, run)
    missing = sum(1 for row in shown if found is not None and row[-1] is None)
    return {
        "columns": [one.name for one in columns],
        "types": [one.type for one in columns],
        "results": [told(row, columns) for row in shown],
        "hasMore": len(rows) > limit,
        "missing_actors_count": missing,
        "limit": limit,
        "offset": offset,
    }


def _persons(
    query: Asked,
    found: Behind | None,
    place: tuple[QueryContext, Values],
    ids: dict[int, list[str]],
) -> tuple[Statement, list[Column]]:
    """Return the statement of a page of persons; its last columns are key and uuid."""
    context, values = place
    persons = Persons(context, values)
    columns = columns_of(query.select or USUAL, persons, person_wholes(persons, found, ids))
    sums = any(one.aggregated for one in columns)
    key = exp.column("actor", table="b") if found is not None else persons.person_key()
    hidden = [exp.null(), exp.null()] if sums else [key, persons.column("uuid")]
    shown = [*trees(columns), exp.alias_(hidden[0], "key"), exp.alias_(hidden[1], "known")]
    where = _conditions(query, persons, key)
    if found is None:
        tree = persons.select(*shown, where=where)
    else:
        actors = rows_behind(found, values, persons.dialect)
        tree = persons.beside(actors, *shown, where=where)
    order = order_of(query.order_by or (), columns, persons) or _usual(found, columns)
    if not sums:
        order += [persons.column("uuid"), key.copy()]
    return _paged(query, grouped(tree, columns), order, values), columns


def _groups(
    query: Asked, found: Behind, context: QueryContext, values: Values
) -> tuple[Statement, list[Column]]:
    """Return the statement of a page of groups; its last columns are nothing and key."""
    groups = Groups(context, values, found.group_type_index or 0)
    columns = columns_of(query.select or USUAL, groups, group_wholes(groups, found))
    shown = [
        *trees(columns),
        exp.alias_(exp.null(), "key"),
        exp.alias_(groups.column("key"), "known"),
    ]
    key = exp.column("actor", table="b")
    where = _filters(query, groups)
    if query.search:
        name = groups.property("group", "name").text
        part = values.bind(query.search)
        where.append(_any_contains([key, name], part, groups))
    actors = rows_behind(found, values, groups.dialect)
    tree = groups.beside(actors, *shown, where=where)
    order = order_of(query.order_by or (), columns, groups) or _usual(found, columns)
    return _paged(query, grouped(tree, columns), [*order, key.copy()], values), columns


def _paged(
    query: Asked, tree: exp.Select, order: Sequence[Tree], values: Values
) -> Statement:
    limit, offset = page(query.limit, query.offset)
    tree = tree.order_by(*order).limit(limit + 1).offset(offset)
    return Statement(tree=tree, values=values.by_name)


def _usual(found: Behind | None, columns: Sequence[Column]) -> list[Tree]:
    """Return the order if none is asked for: that of the figure, else §7's."""
    if found is None:
        return usual_order(columns, "created_at")
    if found.found is not None and found.order:
        return [ordered(exp.column("place", table="b"), descending=False)]
    return [ordered(exp.column(name, table="b"), descending=True) for name in found.order]


def _filters(query: Asked, source: Persons | Groups) -> list[Tree]:
    where = filters.conditions(query.properties, source)
    return where + filters.conditions(
        query.fixed_properties, source, path="fixedProperties"
    )


def _conditions(query: Asked, persons: Persons, key: Tree) -> list[Tree]:
    """Return what a person in the list fulfils."""
    where = _filters(query, persons)
    values = persons.values
    if query.search:
        part = values.bind(query.search)
        texts = [persons.property("person", name).text for name in ("email", "name")]
        texts.append(exp.cast(persons.column("uuid"), "text"))
        id_ = exp.column("distinct_id", table="d")
        ids = _ids(persons).where(persons.dialect.contains(id_, part.copy()))
        named = exp.In(this=key.copy(), query=ids.subquery())
        where.append(exp.or_(_any_contains(texts, part, persons), named))
    if isinstance(query, PersonsNode):
        if query.cohort is not None:
            where.append(membership.in_cohort(query.cohort, persons))
        if query.distinct_id is not None:
            wanted = exp.column("distinct_id", table="d").eq(values.bind(query.distinct_id))
            where.append(
                exp.In(this=key.copy(), query=_ids(persons).where(wanted).subquery())
            )
    return where


def _ids(persons: Persons) -> exp.Select:
    key = exp.column("person_key", table="d")
    return table(tables.DISTINCT_IDS.name, "d", persons.context, persons.values, key)


def _any_contains(texts: Sequence[Tree], part: Tree, source: Persons | Groups) -> Tree:
    return exp.or_(*(source.dialect.contains(text, part.copy()) for text in texts))


def _distinct_ids(
    keys: Sequence[int], context: QueryContext, run: Run
) -> dict[int, list[str]]:
    """Return the distinct ids of some persons, in the order of their names."""
    values = Values()
    columns = (exp.column("person_key", table="d"), exp.column("distinct_id", table="d"))
    bound = [values.bind(key) for key in dict.fromkeys(keys)]
    query = table(tables.DISTINCT_IDS.name, "d", context, values, *columns)
    query = query.where(exp.In(this=columns[0].copy(), expressions=bound))
    query = query.order_by(*(column.copy() for column in columns))
    found: dict[int, list[str]] = {}
    for key, id_ in run(Statement(tree=query, values=values.by_name)).rows:
        found.setdefault(key, []).append(id_)
    return found
