"""Numbered changes of the schema, applied at start, each inside a transaction.

The first makes the tables of ``model.tables``. A later one is a function appended to
``MIGRATIONS``; numbers are positions and are never used again. A database that a newer
program wrote is refused, since half-understood data is worse than none.
"""

# ruff: noqa: S608 - names of our own tables and whole numbers; values are parameters

from collections.abc import Callable

import duckdb

from hedgerow.errors import StoreUnavailable
from hedgerow.model.tables import (
    ALL,
    COMPACTED,
    FLEET_CHANGES,
    FLEET_KEPT,
    FLEET_STRETCHES,
    FLEET_TOUCHED,
    POSITION,
    Kind,
    Table,
)

TYPES: dict[Kind, str] = {
    "int": "INTEGER",
    "long": "BIGINT",
    "text": "VARCHAR",
    "uuid": "UUID",
    "time": "TIMESTAMP",
    "bool": "BOOLEAN",
    "json": "JSON",
    "double": "DOUBLE",
}
VERSION_TABLE = (
    "CREATE TABLE IF NOT EXISTS schema_version (number INTEGER, applied_at TIMESTAMP)"
)

Migration = Callable[[duckdb.DuckDBPyConnection], None]


def create_table(table: Table) -> str:
    """Return the statement that makes a table."""
    columns = ", ".join(f'"{column.name}" {TYPES[column.kind]}' for column in table.columns)
    return f"CREATE TABLE {table.name} ({columns})"


def make_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """1: all tables, empty, and nothing taken from the inbox yet."""
    for table in ALL:
        connection.execute(create_table(table)).fetchall()
    connection.execute(f"INSERT INTO {POSITION.name} VALUES (0)").fetchall()


def make_fleets(connection: duckdb.DuckDBPyConnection) -> None:
    """2: what is kept of fleets; a new database has it already."""
    for table in (FLEET_STRETCHES, FLEET_CHANGES, FLEET_TOUCHED, FLEET_KEPT):
        made = create_table(table).replace("TABLE", "TABLE IF NOT EXISTS", 1)
        connection.execute(made).fetchall()


def make_compacted(connection: duckdb.DuckDBPyConnection) -> None:
    """3: which events lie in order; a new database has it already."""
    made = create_table(COMPACTED).replace("TABLE", "TABLE IF NOT EXISTS", 1)
    connection.execute(made).fetchall()


MIGRATIONS: tuple[Migration, ...] = (make_tables, make_fleets, make_compacted)


def migrate(connection: duckdb.DuckDBPyConnection) -> list[int]:
    """Bring a database up to date and return the numbers applied.

    Raises StoreUnavailable for a database of a newer program.
    """
    connection.execute(VERSION_TABLE).fetchall()
    found = connection.execute(
        "SELECT coalesce(max(number), 0) FROM schema_version"
    ).fetchone()
    present: int = found[0] if found else 0
    if present > len(MIGRATIONS):
        raise StoreUnavailable(
            f"The events database has schema {present}, this program knows "
            f"{len(MIGRATIONS)}.",
            hint="Start the newer Hedgerow that wrote it, or restore an older backup.",
        )
    for number in range(present + 1, len(MIGRATIONS) + 1):
        connection.execute("BEGIN").fetchall()
        MIGRATIONS[number - 1](connection)
        connection.execute(
            "INSERT INTO schema_version VALUES (?, now()::TIMESTAMP)", [number]
        ).fetchall()
        connection.execute("COMMIT").fetchall()
    return list(range(present + 1, len(MIGRATIONS) + 1))
