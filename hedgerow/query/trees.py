"""The few nodes of which all trees are made: calls and constants of our own.

What a query says never becomes a literal here; ``query.values`` binds it.
"""

from collections.abc import Container, Mapping
from functools import lru_cache

from sqlglot import exp, parse_one

Tree = exp.Expr
"""Any part of a statement."""


def call(name: str, *arguments: Tree) -> exp.Anonymous:
    """Return a function of the engine's by name."""
    return exp.Anonymous(this=name, expressions=list(arguments))


def text_literal(text: str) -> exp.Literal:
    """Return a constant of ours as a literal. Values of a query are bound instead."""
    return exp.Literal.string(text)


def number_literal(number: float) -> Tree:
    """Return a constant number of ours."""
    literal = exp.Literal.number(abs(number))
    return exp.Neg(this=literal) if number < 0 else literal


def template(text: str, **nodes: Tree) -> exp.Query:
    """Return a constant query of ours with nodes in the places of its ``:names``.

    A text is parsed once: parsing costs more than all the rest of making a statement.
    """
    tree = _parsed(text).copy()
    for place in list(tree.find_all(exp.Placeholder)):
        if place.name in nodes:
            place.replace(nodes[place.name].copy())
    return tree


def select(*columns: Tree | str) -> exp.Select:
    """Return a SELECT of columns, a text being a column's name.

    Unlike ``exp.select`` it takes nodes as they are: copies are most of the cost of a
    statement, so what is used twice is copied where it is used, and ``copy=False`` said.
    """
    return exp.Select(
        expressions=[exp.column(one) if isinstance(one, str) else one for one in columns]
    )


def with_parts(
    query: exp.Query, parts: Mapping[str, exp.Query], *, kept: Container[str] = ()
) -> exp.Query:
    """Return the query with its parts before it; those ``kept`` are computed just once."""
    for name, part in parts.items():
        once = True if name in kept else None
        query = query.with_(name, as_=part, materialized=once, copy=False)
    return query


@lru_cache(maxsize=256)
def _parsed(text: str) -> exp.Query:
    return parse_one(text, into=exp.Select)


def _interval(seconds: int) -> exp.Interval:
    return exp.Interval(this=exp.Literal.string(str(seconds)), unit=exp.var("SECOND"))


def moved(timestamp: Tree, seconds: int) -> Tree:
    """Return a time some seconds later, or earlier, by an interval."""
    if seconds == 0:
        return timestamp
    node = exp.Add if seconds > 0 else exp.Sub
    return exp.paren(node(this=timestamp, expression=_interval(abs(seconds))))


def case(condition: Tree, value: Tree, otherwise: Tree | None = None) -> exp.Case:
    """Return the value where a condition holds, else the other one or NULL."""
    return exp.Case(ifs=[exp.If(this=condition, true=value)], default=otherwise)
