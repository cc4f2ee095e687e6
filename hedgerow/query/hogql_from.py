"""FROM and JOIN: which relations a SELECT reads, and how they end up in ours.

``read_from`` puts them into a scope before anything else is translated; ``put_from`` shows
them afterwards, each with just the columns that were used.
"""

from difflib import get_close_matches
from typing import Any

from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.query.expressions_parsing import source_text
from hedgerow.query.hogql_checks import check
from hedgerow.query.hogql_relations import (
    ArrayRelation,
    QueryRelation,
    Relation,
    TableRelation,
)
from hedgerow.query.hogql_scope import Joined, Scope, named_as
from hedgerow.query.hogql_tables import ELSEWHERE, SYNONYMS, TABLES
from hedgerow.query.hogql_writing import subquery
from hedgerow.query.trees import Tree


def read_from(node: exp.Select, scope: Scope) -> None:
    """Put what is read from into a scope."""
    first = node.args.get("from_")
    if first is None and node.args.get("joins"):
        raise InvalidQuery("There is no FROM before the JOIN.", hint="Add one.")
    if first is not None:
        scope.relations.append(_relation(first.this, scope))
    for join in [*_joins_of(first), *(node.args.get("joins") or ())]:
        if join.args.get("kind") == "ARRAY":
            _unroll(join, scope)
        else:
            _join(join, scope)


def _joins_of(first: exp.From | None) -> list[exp.Join]:
    return list(first.this.args.get("joins") or ()) if first is not None else []


def _join(join: exp.Join, scope: Scope) -> None:
    check(join, {"this", "side", "kind", "on", "using", "global_"}, "a JOIN")
    side, kind = join.side.upper(), join.kind.upper()
    relation = _relation(join.this, scope)
    left = list(scope.relations)
    scope.relations.append(relation)
    if kind not in {"", "INNER", "OUTER", "CROSS"}:
        raise InvalidQuery(
            f"A {kind} JOIN is not possible.", hint="Use INNER, LEFT, RIGHT, FULL or CROSS."
        )
    on, using = join.args.get("on"), join.args.get("using")
    if on is None and not using:
        if kind == "CROSS" or not side:
            scope.joins.append(Joined(relation))
            return
        raise InvalidQuery("A JOIN has no condition.", hint="Add ON a = b.")
    if using:
        condition: Tree = exp.and_(*(_same(one.name, left, relation) for one in using))
    else:
        translation = scope.translation()
        translation.plain_equality = True
        condition = translation.kind_of(on, "bool")
    scope.joins.append(Joined(relation, side, condition))


def _same(name: str, left: list[Relation], right: Relation) -> Tree:
    """Return the condition of ``USING (name)``."""
    mine = next((value for one in left if (value := one.value([name]))), None)
    other = right.value([name])
    if mine is None or other is None:
        raise InvalidQuery(
            f"USING ({name}): one side has no such column.", hint="Write ON a = b."
        )
    return exp.EQ(this=mine.tree, expression=other.tree)


def _unroll(join: exp.Join, scope: Scope) -> None:
    """Put the elements of ``ARRAY JOIN`` into a scope."""
    arrays = []
    for one in [join.this, *(join.args.get("expressions") or ())]:
        node = one.this if isinstance(one, exp.Alias | exp.Table) else one
        if isinstance(one, exp.Table):
            node = exp.column(one.name)
        found = scope.translation().typed(node)
        if not found.kind.startswith("[") and found.kind != "any":
            raise InvalidQuery(
                f"{source_text(node)!r} is no array.", hint="ARRAY JOIN takes arrays."
            )
        arrays.append((one.alias or named_as(node), found))
    relation = ArrayRelation(arrays, scope.writing)
    scope.relations.append(relation)
    left = join.side.upper() == "LEFT"
    scope.joins.append(Joined(relation, "LEFT", exp.true()) if left else Joined(relation))


def _relation(node: Any, scope: Scope) -> Relation:
    writing = scope.writing
    if isinstance(node, exp.Final):
        node = node.this
    if isinstance(node, exp.Subquery):
        check(node, {"this", "alias", "joins", "sample"}, "FROM")
        names = (node.alias,) if node.alias else ()
        return QueryRelation(scope.query(node.this), names, writing)
    if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier):
        raise InvalidQuery(
            f"{source_text(node)!r} cannot be read from.",
            hint=f"Read from {', '.join(TABLES)} or a subquery.",
        )
    if node.db:
        raise _no_table(f"{node.db}.{node.name}")
    check(node, {"this", "alias", "joins", "sample", "final"}, "FROM")
    name = node.name
    names = (node.alias or name,)
    if name in scope.common:
        return QueryRelation(scope.common[name], names, writing)
    known = SYNONYMS.get(name, name)
    if known not in TABLES:
        raise _no_table(name)
    return TableRelation(known, names, writing)


def _no_table(name: str) -> InvalidQuery:
    if name in ELSEWHERE:
        return InvalidQuery(
            f"The table {name!r} of PostHog is not part of this product.",
            hint=f"Read from {', '.join(TABLES)}.",
        )
    near = get_close_matches(name, [*TABLES, *SYNONYMS], n=1, cutoff=0.6)
    hint = f"Did you mean {near[0]}?" if near else f"Read from {', '.join(TABLES)}."
    return InvalidQuery(f"There is no table {name!r}.", hint=hint)


def put_from(tree: exp.Select, scope: Scope) -> exp.Select:
    """Put the relations, with just the columns used, into a SELECT."""
    if not scope.relations:
        return tree
    used: dict[str, set[str]] = {}
    parts = [tree, *(one.on for one in scope.joins if one.on is not None)]
    arrays = [one.tree(()) for one in scope.relations if isinstance(one, ArrayRelation)]
    for part in [*parts, *arrays]:
        for column in part.find_all(exp.Column):
            used.setdefault(column.table, set()).add(column.name)

    def shown(relation: Relation) -> exp.Expr:
        return relation.tree(used.get(relation.alias, ()))

    if isinstance(scope.relations[0], ArrayRelation):  # arrayJoin without a FROM
        tree.set("from_", exp.From(this=subquery(exp.select("1"), scope.writing.name("r"))))
    else:
        tree.set("from_", exp.From(this=shown(scope.relations[0])))
    joins = [
        exp.Join(
            this=shown(one.relation),
            side=one.side or None,
            kind="CROSS" if one.on is None else None,
            on=one.on,
        )
        for one in scope.joins
    ]
    tree.set("joins", joins)
    return tree
