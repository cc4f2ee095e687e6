"""HogQL expressions in filters, breakdowns and math → our trees.

The text is parsed, and every node is translated through a list of what is allowed: a name
that is not a column, a function that is not in the table, a subquery, are refused by name.
Nothing of the author's text reaches the engine but constants, and those as placeholders.

A property has the kind of its definition. ``timestamp`` is an instant; the parts of it
(``toHour``) are those of the project's wall clock, and a text compared with it is a local
time. ``=`` and ``!=`` treat NULL as a value; everything else is three-valued.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.query.expressions_functions import is_aggregate
from hedgerow.query.expressions_nodes import BY_NODE
from hedgerow.query.expressions_parsing import parsed
from hedgerow.query.expressions_translation import Translation, Typed
from hedgerow.query.sources import Source
from hedgerow.query.trees import Tree

__all__ = [
    "Typed",
    "aggregate",
    "aggregated_condition",
    "as_number",
    "as_text",
    "column",
    "condition",
    "has_aggregate",
    "is_aggregated",
    "scalar",
    "written_in",
]


def _translation(source: Source, *, aggregates: bool = False) -> Translation:
    return Translation(source, BY_NODE, aggregates=aggregates)


@contextmanager
def written_in(attr: str) -> Iterator[None]:
    """Say which field of the query holds the expression that is refused inside."""
    try:
        yield
    except InvalidQuery as refused:
        refused.attr = attr
        raise


def condition(text: str, source: Source) -> Tree:
    """Return a boolean expression over single rows as a condition."""
    return exp.paren(_translation(source).kind_of(parsed(text), "bool"))


def scalar(text: str, source: Source) -> Typed:
    """Return an expression over single rows."""
    return _translation(source).typed(parsed(text))


def as_text(found: Typed, source: Source) -> Tree:
    """Return an expression's value as text, as breakdowns show it."""
    return _translation(source).converted(found, "text")


def as_number(found: Typed, source: Source) -> Tree:
    """Return an expression's value as a number; NULL where it reads as none."""
    return _translation(source).converted(found, "number")


def aggregate(text: str, source: Source) -> Tree:
    """Return an expression over the rows of a group as a number.

    Raises InvalidQuery where it holds no aggregate function.
    """
    tree = parsed(text)
    if not has_aggregate(tree):
        raise InvalidQuery(
            f"{text!r} sums nothing up.",
            hint="Use an aggregate function, such as avg(properties.price).",
            attr="math_hogql",
        )
    return _translation(source, aggregates=True).kind_of(tree, "number")


def column(text: str, source: Source) -> Typed:
    """Return an expression of a listing: over single rows, or an aggregate."""
    tree = parsed(text)
    return _translation(source, aggregates=has_aggregate(tree)).typed(tree)


def is_aggregated(text: str) -> bool:
    """Return whether an expression sums rows up."""
    return has_aggregate(parsed(text))


def aggregated_condition(text: str, source: Source) -> Tree:
    """Return a boolean expression over the rows of a group as a condition."""
    return exp.paren(_translation(source, aggregates=True).kind_of(parsed(text), "bool"))


def has_aggregate(tree: Tree) -> bool:
    """Return whether a parsed expression calls an aggregate function."""
    calls = tree.find_all(exp.AnonymousAggFunc, exp.CombinedAggFunc, exp.ParameterizedAgg)
    named = (one for one in tree.find_all(exp.Anonymous) if is_aggregate(one.name))
    return any(True for _ in calls) or any(True for _ in named)
