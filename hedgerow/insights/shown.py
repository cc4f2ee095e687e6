"""Statements as text: what the engine runs, and what people read.

A statement is written once, indented, with its placeholders; that text runs. People read the
same with the values in their places; it can be asked again as SQL.
"""

import re
from collections.abc import Iterable
from datetime import datetime

import msgspec
from sqlglot import exp

from hedgerow.model.ports import Statement, Value
from hedgerow.model.projects import Engine, QueryContext
from hedgerow.query.hogql_own import MARK

PLACES: dict[Engine, re.Pattern[str]] = {
    "duckdb": re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w+)"""),
    "clickhouse": re.compile(r"""'(?:[^'\\]|''|\\.)*'|"(?:[^"]|"")*"|\{(\w+): [^}]*\}"""),
}
"""A placeholder, its name in the group; or a quoted text, in which there is none."""


def written(statement: Statement, context: QueryContext) -> Statement:
    """Return a statement with its text, and without values that it has no place for.

    A constant that turned out to be a date, say, was bound as text before.
    """
    if statement.text:
        return statement
    text = statement.tree.sql(dialect=context.engine, pretty=True)
    names = {found[1] for found in PLACES[context.engine].finditer(text)}
    kept = {name: value for name, value in statement.values.items() if name in names}
    return msgspec.structs.replace(statement, values=kept, text=text)


def shown(statements: Iterable[Statement], context: QueryContext) -> str:
    """Return statements as people read them, one after the other.

    Each begins with ``MARK``: so it can be asked again as SQL (``query.hogql_own``).
    """
    texts = (_with_values(written(one, context), context) for one in statements)
    return ";\n\n".join(f"{MARK}\n{text}" for text in texts)


def _with_values(statement: Statement, context: QueryContext) -> str:
    def filled(found: re.Match[str]) -> str:
        name = found[1]
        if name is None or name not in statement.values:
            return found[0]
        return _literal(statement.values[name]).sql(dialect=context.engine)

    return PLACES[context.engine].sub(filled, statement.text)


def _literal(value: Value) -> exp.Expr:
    if isinstance(value, list):
        return exp.Array(expressions=[_literal(one) for one in value])
    if isinstance(value, datetime):
        text = exp.Literal.string(value.strftime("%Y-%m-%d %H:%M:%S.%f"))
        return exp.cast(text, "timestamp")
    return exp.convert(value)
