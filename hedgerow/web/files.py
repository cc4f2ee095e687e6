"""A figure's table as a file: CSV for programs, XLSX for spreadsheets.

Figures leave as numbers, not as they are shown. Text that a spreadsheet would take for a
formula gets an apostrophe in CSV; in XLSX it is written as text, which nothing computes.
"""

import csv
import io
from collections.abc import Callable, Mapping
from typing import Any

import xlsxwriter
from starlette.responses import Response

from hedgerow.web import rendering
from hedgerow.web.charts.spec import Cell, Table

FORMULA = ("=", "+", "-", "@", "\t", "\r")
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WIDEST = 60
"""Characters of the widest column in a sheet."""


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
    out = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": True,
    }
    with xlsxwriter.Workbook(out, options) as book:
        sheet = book.add_worksheet("Figures")
        strong = book.add_format({"bold": True})
        names = [column.name for column in table.columns]
        sheet.write_row(0, 0, names, strong)
        for place, row in enumerate(table.rows, start=1):
            for column, cell in enumerate(row):
                _write(sheet, place, column, _value(cell))
        sheet.freeze_panes(1, 1)
        for column, name in enumerate(names):
            shown = [
                len(str(_value(row[column]))) for row in table.rows if column < len(row)
            ]
            sheet.set_column(column, column, min(max([len(name), *shown]) + 2, WIDEST))
    return out.getvalue()


def _write(sheet: Any, row: int, column: int, value: Any) -> None:
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, int | float):
        sheet.write_number(row, column, value)
    elif value is not None:
        sheet.write_string(row, column, str(value))


def _value(cell: Cell) -> Any:
    return cell.text if cell.value is None else cell.value


KINDS: Mapping[str, tuple[str, Callable[[Table], bytes]]] = {
    "csv": ("text/csv; charset=utf-8", _csv),
    "xlsx": (SHEET, _xlsx),
}
