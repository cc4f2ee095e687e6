"""A figure's table as a file: CSV for programs, XLSX for spreadsheets.

Figures leave as numbers, not as they are shown. Text that a spreadsheet would take for a
formula gets an apostrophe in CSV; in XLSX it is written as text, which nothing computes.
"""

import csv
import io
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from starlette.responses import Response

from hedgerow.web import rendering
from hedgerow.web.charts.spec import Cell, Table

FORMULA = ("=", "+", "-", "@", "\t", "\r")
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WORKBOOK = "hedgerow.web.workbook"
"""Loaded when the first sheet is asked for: few are, and a start need not wait for it."""


def wanted(kind: str) -> bool:
    """Return whether ``?as=…`` asks for a file."""
    return kind in KINDS


def reply(name: str, table: Table, kind: str) -> Response:
    """Return a table as a file of the kind that ``?as=…`` names."""
    media_type, write = KINDS[kind]
    safe = (
        "".join(c if c.isalnum() or c in "-_ " else "_" for c in name).strip() or "figures"
    )
    ascii_name = safe.encode("ascii", "replace").decode().replace("?", "_")
    return Response(
        write(table),
        media_type=media_type,
        headers={
            **rendering.HEADERS,
            "Content-Disposition": f'attachment; filename="{ascii_name}.{kind}"',
        },
    )


def _csv(table: Table) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([_unformulated(column.name) for column in table.columns])
    writer.writerows([[_unformulated(_value(cell)) for cell in row] for row in table.rows])
    return text.getvalue().encode("utf-8-sig")


def _unformulated(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value


def _xlsx(table: Table) -> bytes:
    book = import_module(WORKBOOK)
    rows = [[_value(cell) for cell in row] for row in table.rows]
    made: bytes = book.workbook([column.name for column in table.columns], rows)
    return made


def _value(cell: Cell) -> Any:
    return cell.text if cell.value is None else cell.value


KINDS: Mapping[str, tuple[str, Callable[[Table], bytes]]] = {
    "csv": ("text/csv; charset=utf-8", _csv),
    "xlsx": (SHEET, _xlsx),
}
