"""Statements as people read them: formatted, with the values in their places.

Only for reading, and for running by hand; what runs keeps its placeholders.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlglot import exp

from hedgerow.model.ports import Statement, Value
from hedgerow.model.projects import QueryContext


def shown(statements: Iterable[Statement], context: QueryContext) -> str:
    """Return statements as SQL text, one after the other."""
    return ";\n\n".join(
        with_values(one).sql(dialect=context.engine, pretty=True) for one in statements
    )


def with_values(statement: Statement) -> exp.Expr:
    """Return a statement's tree with literals in the places of its placeholders."""

    def filled(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Placeholder) and node.name in statement.values:
            return _literal(statement.values[node.name])
        return node

    return statement.tree.copy().transform(filled)


def _literal(value: Value) -> exp.Expr:
    if isinstance(value, list):
        return exp.Array(expressions=[_literal(one) for one in value])
    if isinstance(value, datetime):
        text = exp.Literal.string(value.strftime("%Y-%m-%d %H:%M:%S.%f"))
        return exp.cast(text, "timestamp")
    return exp.convert(value)
