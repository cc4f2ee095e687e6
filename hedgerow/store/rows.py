"""How rows travel to the engine, given as one list of values for each column.

A few go as one list parameter for each column and are unnested by the engine; many as
columns in memory (``arrow``), which costs more to set up and less for each row. Both ways
give the same rows, and no value ever stands in the text of a statement.
"""

# ruff: noqa: S608 - names of our own columns; values are parameters or in memory

from collections.abc import Sequence
from typing import Any

from hedgerow.model.tables import Kind, Table
from hedgerow.store import arrow

AS_PARAMETER: dict[Kind, tuple[str, str]] = {
    "int": ("INTEGER[]", "{}"),
    "long": ("BIGINT[]", "{}"),
    "text": ("VARCHAR[]", "{}"),
    "uuid": ("VARCHAR[]", "{}::UUID"),
    "time": ("BIGINT[]", "make_timestamp({})"),
    "bool": ("BOOLEAN[]", "{}"),
    "json": ("VARCHAR[]", "{}::JSON"),
    "double": ("DOUBLE[]", "{}"),
}
"""Kind of a column to the type of its list, and the expression of one value."""

IN_MEMORY: dict[Kind, tuple[arrow.Kind, str]] = {
    "int": ("int", "{}"),
    "long": ("long", "{}"),
    "text": ("text", "{}"),
    "uuid": ("text", "{}::UUID"),
    "time": ("long", "make_timestamp({})"),
    "bool": ("byte", "{}::BOOLEAN"),
    "json": ("text", "{}::JSON"),
    "double": ("double", "{}"),
}
"""Kind of a column to its kind in memory, and the expression of one value."""

MANY_ROWS = 500
"""From here on columns in memory are faster than list parameters."""

INCOMING = "incoming"
"""The name of rows in memory, for the statement that reads them."""

Source = tuple[str, dict[str, Any], arrow.Columns | None]
"""A SELECT of rows, its values, and what must be registered as ``INCOMING``."""


def unnested(table: Table, columns: Sequence[list[Any]]) -> Source:
    """Return rows as list parameters; a value that all rows share goes once."""
    selected, values = [], {}
    for place, (column, given) in enumerate(zip(table.columns, columns, strict=True)):
        kind, form = AS_PARAMETER[column.kind]
        if place and _alike(given):
            values[f"c{place}"] = given[0]
            one = f"$c{place}::{kind.removesuffix('[]')}"
        else:
            values[f"c{place}"] = given
            one = f"unnest($c{place}::{kind})"
        selected.append(f'{form.format(one)} AS "{column.name}"')
    return f"SELECT {', '.join(selected)}", values, None


def in_memory(table: Table, columns: Sequence[list[Any]]) -> Source:
    """Return rows as columns in memory; a value that all rows share goes once."""
    selected, values, held = [], {}, []
    for place, (column, given) in enumerate(zip(table.columns, columns, strict=True)):
        name = f"c{place}"
        kind, form = IN_MEMORY[column.kind]
        if place and _alike(given):
            values[name] = given[0]
            parameter, form = AS_PARAMETER[column.kind]
            one = f"${name}::{parameter.removesuffix('[]')}"
        else:
            held.append(arrow.Column(name, kind, given))
            one = name
        selected.append(f'{form.format(one)} AS "{column.name}"')
    return f"SELECT {', '.join(selected)} FROM {INCOMING}", values, arrow.Columns(held)


def _alike(values: list[Any]) -> bool:
    """Whether all values are the same: then one goes to the engine instead of a list."""
    first = values[0]
    return bool(first == values[-1] and values.count(first) == len(values))
