"""ClickHouse's engine as a reader of the events database, filled from DuckDB's.

``Rival(folder)`` makes the tables of ``model.tables``; ``fill(store)`` copies the rows of all
of them; ``run`` answers statements written for ClickHouse, with their values as parameters.
One session a process: the engine allows no second one beside it.
"""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from chdb import session

from hedgerow.model import tables
from hedgerow.model.ports import Rows, Statement, Value
from hedgerow.query.dialects import CLICKHOUSE
from hedgerow.store.on_duckdb import DuckStore

KINDS = {
    "int": "Int64",
    "long": "Int64",
    "text": "String",
    "uuid": "UUID",
    "time": "DateTime64(6, 'UTC')",
    "bool": "Bool",
    "json": "String",
    "double": "Float64",
}
CERTAIN = {"project_id", "event", "timestamp", "properties"}
"""Columns that are never NULL, besides ``person_key`` of events and persons."""


class Rival:
    """An engine of its own below a folder."""

    def __init__(self, folder: Path) -> None:
        self._session = session.Session(str(folder / "rival"))
        for name, value in CLICKHOUSE.settings.items():
            self._session.query(f"SET {name} = {value!r}")
        for table in tables.ALL:
            columns = ", ".join(f"`{one.name}` {_kind(one)}" for one in table.columns)
            self._session.query(
                f"CREATE TABLE default.`{table.name}` ({columns}) ENGINE = Memory"
            )

    def fill(self, store: DuckStore) -> None:
        """Copy all rows of the events database."""
        cursor = store._connection.cursor()
        for table in tables.ALL:
            columns = ", ".join(_sent(one) for one in table.columns)
            names = [one.name for one in table.columns]
            rows = cursor.execute(f"SELECT {columns} FROM {table.name}").fetchall()
            lines = "\n".join(
                json.dumps(dict(zip(names, row, strict=True)), default=str) for row in rows
            )
            if not rows:
                continue
            self._session.query(
                f"INSERT INTO default.`{table.name}` FORMAT JSONEachRow {lines}"
            )

    def run(self, statement: Statement, **_: Any) -> Rows:
        """Answer one statement; the time it may take is not watched."""
        values = {name: _parameter(value) for name, value in statement.values.items()}
        told = json.loads(
            str(self._session.query(statement.text, "JSONCompact", params=values))
        )
        types = tuple(one["type"] for one in told["meta"])
        return Rows(
            columns=tuple(one["name"] for one in told["meta"]),
            types=types,
            rows=[
                tuple(_read(value, kind) for value, kind in zip(row, types, strict=True))
                for row in told["data"]
            ],
        )

    def version(self, project_id: int) -> int:
        """Return a constant: nothing changes here."""
        return 1

    def close(self) -> None:
        """Free the process for another session."""
        self._session.close()


def _kind(column: tables.Column) -> str:
    kind = KINDS[column.kind]
    return kind if column.name in CERTAIN else f"Nullable({kind})"


def _sent(column: tables.Column) -> str:
    text = column.kind in {"uuid", "json"}
    return f'"{column.name}"::VARCHAR AS "{column.name}"' if text else f'"{column.name}"'


def _parameter(value: Value) -> Any:
    """Return a value as parameters are read: texts with their escapes."""
    if isinstance(value, datetime):
        at = value.astimezone(UTC) if value.tzinfo else value
        return at.strftime("%Y-%m-%d %H:%M:%S.%f")
    if isinstance(value, list):
        return "[" + ",".join(_quoted(one) for one in value) + "]"
    if isinstance(value, str):
        return _escaped(value)
    return value


def _quoted(value: Any) -> str:
    if not isinstance(value, str):
        return str(value)
    inner = _escaped(value).replace("'", "\\'")
    return f"'{_escaped(inner)}'"


def _escaped(text: str) -> str:
    for plain, escape in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        text = text.replace(plain, escape)
    return text


def _read(value: Any, kind: str) -> Any:
    bare = kind.removeprefix("Nullable(").removesuffix(")")
    if value is None:
        return None
    if bare.startswith("DateTime"):
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if bare.startswith("Date") else value
