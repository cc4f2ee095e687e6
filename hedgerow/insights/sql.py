"""SQL typed by a person, answered as PostHog answers a ``HogQLQuery``.

What may be asked and what it becomes is ``query.hogql``'s business; here the rows are told:
lists of JSON values, times with the project's offset, ClickHouse's names for the types.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from hedgerow.insights.columns import MOST_ROWS, plain
from hedgerow.insights.results import Run
from hedgerow.model.ports import Rows, Statement
from hedgerow.model.projects import QueryContext
from hedgerow.query.definitions import HogQLQuery
from hedgerow.query.hogql import compiled
from hedgerow.query.hogql_writing import Output

TYPES = {
    "text": "String",
    "json": "String",
    "bool": "Bool",
    "date": "Date",
    "tuple": "Tuple",
}
"""ClickHouse's names by kind; numbers and what is not known by the engine's type."""

ENGINE_TYPES = {
    "BIGINT": "Int64",
    "INTEGER": "Int32",
    "SMALLINT": "Int16",
    "TINYINT": "Int8",
    "HUGEINT": "Int64",
    "UBIGINT": "UInt64",
    "DOUBLE": "Float64",
    "FLOAT": "Float32",
    "BOOLEAN": "Bool",
    "VARCHAR": "String",
    "JSON": "String",
    "UUID": "UUID",
    "DATE": "Date",
    "TIMESTAMP": "DateTime64(6, 'UTC')",
}


def statements(query: HogQLQuery, context: QueryContext) -> list[Statement]:
    """Return the one statement. Raises InvalidQuery."""
    return [compiled(query, context).statement]


def result(query: HogQLQuery, context: QueryContext, answers: list[Rows]) -> dict[str, Any]:
    """Return rows with the names and types of their columns."""
    known, answer = compiled(query, context), answers[0]
    zone = ZoneInfo(context.project.timezone)
    outputs = known.outputs or tuple(Output(name, name, "any") for name in answer.columns)
    kinds = [one.kind for one in outputs]
    types = answer.types or ("",) * len(kinds)
    return {
        "columns": [one.name for one in outputs],
        "types": [
            [one.name, type_name(one.kind, engine, context.project.timezone)]
            for one, engine in zip(outputs, types, strict=True)
        ],
        "results": [_row(row, kinds, zone) for row in answer.rows[: known.limit]],
        "hasMore": len(answer.rows) > known.limit,
        "limit": known.limit,
        "offset": known.offset,
        "hogql": known.text,
        "query": query.query,
        "explain": None,
        "metadata": None,
        "modifiers": dict(query.modifiers or {}),
    }


def answered(
    query: HogQLQuery, context: QueryContext, run: Run
) -> tuple[list[str], list[list[Any]]]:
    """Return columns and rows, as many as may be, to those who go on with them."""
    whole = msgspec.structs.replace(query, limit=query.limit or MOST_ROWS)
    told = result(whole, context, [run(one) for one in statements(whole, context)])
    return told["columns"], told["results"]


def type_name(kind: str, engine: str, zone: str) -> str:
    """Return ClickHouse's name for a column's type."""
    if kind.startswith("["):
        return f"Array({type_name(kind[1:-1], engine.removesuffix('[]'), zone)})"
    if kind == "instant":
        return f"DateTime64(6, '{zone}')"
    if kind.startswith("time"):
        return f"DateTime('{kind.partition('@')[2] or zone}')"
    if kind in TYPES:
        return TYPES[kind]
    if engine.endswith("[]"):
        return f"Array({type_name('any', engine.removesuffix('[]'), zone)})"
    return ENGINE_TYPES.get(engine, "Decimal" if engine.startswith("DECIMAL") else "String")


def _row(row: Sequence[Any], kinds: Sequence[str], zone: ZoneInfo) -> list[Any]:
    return [_told(value, kind, zone) for value, kind in zip(row, kinds, strict=True)]


def _told(value: Any, kind: str, zone: ZoneInfo) -> Any:
    """Return a value of the engine's as JSON has it."""
    if isinstance(value, list | tuple):
        inner = kind[1:-1] if kind.startswith("[") else "any"
        return [_told(one, inner, zone) for one in value]
    if isinstance(value, Mapping):
        return {str(key): _told(one, "any", zone) for key, one in value.items()}
    if isinstance(value, datetime) and kind == "date":
        return value.date().isoformat()
    if isinstance(value, datetime) and kind.startswith("time"):
        named = kind.partition("@")[2]
        return plain(value, ZoneInfo(named) if named else zone, local=True)
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    return plain(value, zone)
