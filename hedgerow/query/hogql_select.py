"""SELECT, UNION and WITH → one query of ours over guarded tables.

Every part of a statement is looked at by name: a clause that is not in ``CLAUSES``, a kind
of join, a thing in FROM that is not known, is refused. Nothing is copied from what was
typed; what is built consists of our relations, placeholders and the table of functions, so
it can only read, and only the project's rows.
"""

from collections.abc import Mapping
from typing import Any

from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.query.expressions import has_aggregate
from hedgerow.query.expressions_parsing import source_text
from hedgerow.query.expressions_translation import Typed
from hedgerow.query.hogql_checks import check, others
from hedgerow.query.hogql_clauses import grouping, limited_by, narrowed, ordering, whole
from hedgerow.query.hogql_from import put_from, read_from
from hedgerow.query.hogql_nodes import nodes
from hedgerow.query.hogql_relations import (
    QueryRelation,
)
from hedgerow.query.hogql_scope import Alias, Scope, named_as
from hedgerow.query.hogql_writing import (
    DEEPEST,
    Common,
    Output,
    Selected,
    Writing,
    quoted,
    readable,
)

CLAUSES = frozenset(
    {
        "with_", "expressions", "distinct", "from_", "joins", "sample", "prewhere", "where",
        "group", "having", "windows", "order", "limit", "offset",
    }
)  # fmt: skip
_SETS = (exp.Union, exp.Except, exp.Intersect)


def query(node: Any, writing: Writing, common: Mapping[str, Common]) -> Selected:
    """Return a query translated. Raises InvalidQuery with what is not possible."""
    writing.depth += 1
    if writing.depth > DEEPEST:
        raise InvalidQuery(
            f"The query holds more than {DEEPEST} queries inside of each other.",
            hint="Write it with fewer.",
        )
    try:
        if isinstance(node, exp.Select):
            return _select(node, writing, common)
        if type(node) in _SETS:
            return _united(node, writing, common)
        if isinstance(node, exp.Subquery) and not others(node, {"this", "alias"}):
            return query(node.this, writing, common)
    finally:
        writing.depth -= 1
    raise InvalidQuery(
        f"{source_text(node)!r} is no query that only reads.", hint="Write a SELECT."
    )


def _select(node: exp.Select, writing: Writing, outer: Mapping[str, Common]) -> Selected:
    check(node, CLAUSES, "a SELECT")
    common, named = _with(node, writing, outer)
    scope = Scope(writing, common)
    scope.query = lambda inner: query(inner, writing, common)
    scope.by_node = nodes(scope)
    for place, (name, expression) in enumerate(named.items(), -len(named)):
        scope.aliases[name] = Alias(expression, place, has_aggregate(expression))
    read_from(node, scope)
    _put_names(node, scope)
    items = _items(node, scope)
    taken: set[str] = set()
    outputs = tuple(
        Output(name, readable(name, taken), found.kind) for name, found in items
    )
    columns = [
        exp.alias_(found.tree, output.column, quoted=True)
        for (_, found), output in zip(items, outputs, strict=True)
    ]
    tree = exp.Select(expressions=columns)
    _put_clauses(node, scope, tree, items)
    return Selected(put_from(tree, scope), outputs)


def _put_clauses(
    node: exp.Select, scope: Scope, tree: exp.Select, items: list[tuple[str, Typed]]
) -> None:
    """Put everything behind the columns into a SELECT."""
    if node.args.get("distinct"):
        tree.set("distinct", _distinct(node.args["distinct"], scope))
    where = narrowed(node, scope)
    if where is not None:
        tree.set("where", exp.Where(this=where))
    group = grouping(node, scope, items)
    if group is not None:
        tree.set("group", group)
    if node.args.get("having"):
        kept = scope.translation(aggregates=True).kind_of(node.args["having"].this, "bool")
        tree.set("having", exp.Having(this=kept))
    order = ordering(node.args.get("order"), scope, items)
    limited_by(node, scope, tree, order)
    if order:
        tree.set("order", exp.Order(expressions=order))
    whole(node, tree)


def _with(
    node: exp.Query, writing: Writing, outer: Mapping[str, Common]
) -> tuple[dict[str, Common], dict[str, Any]]:
    """Return the common tables and the named expressions of WITH."""
    common, named = dict(outer), dict[str, Any]()
    clause = node.args.get("with_")
    if clause is None:
        return common, named
    if clause.args.get("recursive"):
        raise InvalidQuery(
            "WITH RECURSIVE is not possible.", hint="Write it without RECURSIVE."
        )
    for one in clause.expressions:
        name = one.args["alias"].name
        if isinstance(one.this, exp.Query) and not one.args.get("scalar"):
            found = query(one.this, writing, common)
            common[name] = writing.put_common(found.tree, found.outputs)
        elif one.args.get("scalar"):
            named[name] = one.this
        else:
            raise InvalidQuery(
                f"WITH {name} is no query that only reads.", hint="Write a SELECT there."
            )
    return common, named


def _put_names(node: exp.Select, scope: Scope) -> None:
    """Put the aliases and windows that a SELECT names into its scope."""
    for place, item in enumerate(node.expressions):
        if not isinstance(item, exp.Alias):
            continue
        known = scope.aliases.get(item.alias)
        if known is not None and known.place >= 0:
            raise InvalidQuery(
                f"Two columns are called {item.alias!r}.",
                hint="Name one of them differently.",
            )
        scope.aliases[item.alias] = Alias(item.this, place, has_aggregate(item.this))
    for window in node.args.get("windows") or ():
        scope.windows[window.this.name] = window


def _items(node: exp.Select, scope: Scope) -> list[tuple[str, Typed]]:
    """Return the columns of a SELECT by their names."""
    items: list[tuple[str, Typed]] = []
    translation = scope.translation(aggregates=True)
    for place, item in enumerate(node.expressions):
        star = item.this if isinstance(item, exp.Column) else item
        if isinstance(star, exp.Star):
            table = item.table if isinstance(item, exp.Column) else None
            items += _star(star, table or None, scope)
            continue
        scope.place = place
        inner = item.this if isinstance(item, exp.Alias) else item
        alias = scope.aliases.get(item.alias) if isinstance(item, exp.Alias) else None
        if alias is not None:
            alias.open = True
        name = item.alias if isinstance(item, exp.Alias) else named_as(item)
        items.append((name, translation.typed(inner)))
        if alias is not None:
            alias.open = False
    scope.place = None
    return items


def _star(star: exp.Star, table: str | None, scope: Scope) -> list[tuple[str, Typed]]:
    found = scope.star(table)
    check(star, {"except_", "replace"}, "*")
    left_out = {one.name for one in star.args.get("except_") or ()}
    if unknown := left_out - {name for name, _ in found}:
        raise InvalidQuery(
            f"* holds no column {min(unknown)!r}.", hint="Leave it out of EXCEPT."
        )
    others = {one.alias: one.this for one in star.args.get("replace") or ()}
    translation = scope.translation(aggregates=True)
    return [
        (name, translation.typed(others[name]) if name in others else typed)
        for name, typed in found
        if name not in left_out
    ]


def _distinct(clause: exp.Distinct, scope: Scope) -> exp.Distinct:
    on = clause.args.get("on")
    if on is None:
        return exp.Distinct()
    translation = scope.translation(aggregates=True)
    keys = [translation.typed(one).tree for one in on.expressions]
    return exp.Distinct(on=exp.Tuple(expressions=keys))


def _united(node: Any, writing: Writing, outer: Mapping[str, Common]) -> Selected:
    """Return UNION, EXCEPT, INTERSECT; columns are called as in the first."""
    check(node, {"this", "expression", "distinct", "with_"}, type(node).__name__.upper())
    common, _ = _with(node, writing, outer)
    left, right = (query(one, writing, common) for one in (node.this, node.expression))
    if len(left.outputs) != len(right.outputs):
        raise InvalidQuery(
            f"One query has {len(left.outputs)} columns, the other {len(right.outputs)}.",
            hint="Give them the same number.",
        )
    kinds = [
        one.kind
        if other.kind in {"any", one.kind}
        else other.kind
        if one.kind == "any"
        else "text"
        for one, other in zip(left.outputs, right.outputs, strict=True)
    ]
    sides = [_as_kinds(one, kinds, writing) for one in (left, right)]
    outputs = tuple(
        Output(one.name, one.column, kind)
        for one, kind in zip(left.outputs, kinds, strict=True)
    )
    tree = type(node)(
        this=sides[0], expression=sides[1], distinct=bool(node.args.get("distinct"))
    )
    return Selected(tree, outputs)


def _as_kinds(side: Selected, kinds: list[str], writing: Writing) -> exp.Query:
    """Return a query with its columns as these kinds, in brackets."""
    relation = QueryRelation(side, (), writing)
    scope = Scope(writing, {})
    translation = scope.translation()
    columns = [
        exp.alias_(
            translation.converted(
                Typed(quoted(one.column, relation.alias), one.kind), kind
            ),
            one.column,
            quoted=True,
        )
        for one, kind in zip(side.outputs, kinds, strict=True)
    ]
    return exp.select(*columns).from_(relation.tree(()))
