"""WHERE, GROUP BY, ORDER BY and the two LIMITs of one SELECT."""

from typing import Any

from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.query.expressions_parsing import source_text
from hedgerow.query.expressions_translation import Typed
from hedgerow.query.hogql_scope import Scope
from hedgerow.query.trees import Tree, number_literal

MOST_ROWS = 50_000
"""Rows of one answer."""

Items = list[tuple[str, Typed]]


def narrowed(node: exp.Select, scope: Scope) -> Tree | None:
    """Return what rows must fulfil: PREWHERE and WHERE."""
    clauses = [node.args.get(name) for name in ("prewhere", "where")]
    conditions = [
        _kept(scope.translation().kind_of(one.this, "bool")) for one in clauses if one
    ]
    return exp.and_(*conditions) if conditions else None


def _kept(condition: Tree) -> Tree:
    """Return a condition with plain equalities where that keeps the same rows.

    ``a = 'x'`` treats NULL as a value; as one of several conditions that must hold, it
    keeps the rows that a plain equality keeps, which the engine can look up faster.
    """
    if isinstance(condition, exp.Paren):
        return exp.paren(_kept(condition.this))
    if isinstance(condition, exp.And):
        return exp.and_(_kept(condition.this), _kept(condition.expression))
    if isinstance(condition, exp.NullSafeEQ):
        sides = (condition.this, condition.expression)
        if any(isinstance(one, exp.Placeholder | exp.Literal) for one in sides):
            return exp.EQ(this=sides[0], expression=sides[1])
    return condition


def grouping(node: exp.Select, scope: Scope, items: Items) -> exp.Group | None:
    """Return GROUP BY; a whole number is the column of that place."""
    clause = node.args.get("group")
    if clause is None:
        return None
    others = [
        name for name, value in clause.args.items() if value and name != "expressions"
    ]
    if others:
        raise InvalidQuery(
            f"GROUP BY … {others[0].upper()} is not possible.",
            hint="Group by columns; add the rest with UNION ALL.",
        )
    translation = scope.translation()
    keys = [
        _place(one, items) or translation.typed(one) for one in _flat(clause.expressions)
    ]
    return exp.Group(expressions=[_not_a_place(one.tree) for one in keys])


def _flat(nodes: list[Any]) -> list[Any]:
    return [
        inner
        for one in nodes
        for inner in (one.expressions if isinstance(one, exp.Tuple) else [one])
    ]


def ordering(clause: exp.Order | None, scope: Scope, items: Items) -> list[Tree]:
    """Return the keys of ORDER BY; what is missing comes last unless told otherwise."""
    return [ordered(one, scope, items) for one in (clause.expressions if clause else ())]


def ordered(node: Any, scope: Scope, items: Items = []) -> exp.Ordered:  # noqa: B006 - never changed
    """Return one key of an order."""
    if node.args.get("with_fill"):
        raise InvalidQuery("WITH FILL is not possible.", hint="Leave it out.")
    found = _place(node.this, items) or scope.translation(aggregates=True).typed(node.this)
    return exp.Ordered(
        this=_not_a_place(found.tree.copy()),
        desc=bool(node.args.get("desc")),
        nulls_first=bool(node.args.get("nulls_first")),
    )


def _place(node: Any, items: Items) -> Typed | None:
    if not isinstance(node, exp.Literal) or node.is_string or not items:
        return None
    if node.name.isdigit() and 1 <= int(node.name) <= len(items):
        return items[int(node.name) - 1][1]
    raise InvalidQuery(
        f"There is no column number {node.name}.", hint=f"Use 1 to {len(items)}."
    )


def _not_a_place(tree: Tree) -> Tree:
    """Return a key that the engine cannot take for the number of a column."""
    inner = tree
    while isinstance(inner, exp.Paren):
        inner = inner.this
    constant = isinstance(inner, exp.Literal | exp.Placeholder | exp.Neg | exp.Boolean)
    return exp.cast(tree, "text") if constant else tree.copy()


def limited_by(node: exp.Select, scope: Scope, tree: exp.Select, order: list[Tree]) -> None:
    """Put ``LIMIT 3 BY event`` into a query: the first rows of each."""
    limit = node.args.get("limit")
    if limit is None:
        return
    by = limit if limit.expressions else limit.args.get("this")
    if by is None:
        return
    translation = scope.translation(aggregates=True)
    keys = [_not_a_place(translation.typed(one).tree) for one in by.expressions]
    number = exp.Window(
        this=exp.RowNumber(),
        partition_by=keys,
        order=exp.Order(expressions=[one.copy() for one in order]) if order else None,
    )
    most = number_literal(whole_number(by.expression, "LIMIT BY"))
    tree.set("qualify", exp.Qualify(this=exp.LTE(this=number, expression=most)))


def whole(node: exp.Select, tree: exp.Select) -> None:
    """Put LIMIT and OFFSET into a query."""
    limit, offset = node.args.get("limit"), node.args.get("offset")
    if limit is not None and not limit.expressions:
        if not isinstance(limit, exp.Limit):
            raise InvalidQuery("FETCH is not possible.", hint="Write LIMIT.")
        most = whole_number(limit.expression, "LIMIT")
        options = limit.args.get("limit_options")
        if options is not None and options.args.get("with_ties"):
            _with_ties(tree, most)
        else:
            tree.set("limit", exp.Limit(expression=number_literal(most)))
    if offset is not None:
        if offset.expressions:
            raise InvalidQuery("OFFSET … BY is not possible.", hint="Leave it out.")
        skipped = whole_number(offset.expression, "OFFSET")
        tree.set("offset", exp.Offset(expression=number_literal(skipped)))


def _with_ties(tree: exp.Select, most: int) -> None:
    """Keep the rows that are equal to the last one as well."""
    order = tree.args.get("order")
    if order is None or tree.args.get("qualify"):
        raise InvalidQuery(
            "WITH TIES needs an ORDER BY, and no LIMIT BY.",
            hint="Add one, or leave it out.",
        )
    rank = exp.Window(this=exp.Anonymous(this="rank"), order=order.copy())
    tree.set(
        "qualify", exp.Qualify(this=exp.LTE(this=rank, expression=number_literal(most)))
    )


def whole_number(node: Any, what: str) -> int:
    """Return a constant number of rows. Raises InvalidQuery."""
    if isinstance(node, exp.Literal) and not node.is_string and node.name.isdigit():
        found = int(node.name)
        if found <= 2**62:
            return found
    raise InvalidQuery(
        f"{what} is {source_text(node)!r}.", hint="Write a whole number of rows."
    )
