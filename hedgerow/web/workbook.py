"""A table as a workbook, for spreadsheets: one sheet, its head in bold and always in view."""

import io
from collections.abc import Sequence
from typing import Any

import xlsxwriter

WIDEST = 60
"""Characters of the widest column in a sheet."""


def workbook(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """Return an XLSX file of one sheet; text is never taken for a formula."""
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
        sheet.write_row(0, 0, names, strong)
        for place, row in enumerate(rows, start=1):
            for column, value in enumerate(row):
                _write(sheet, place, column, value)
        sheet.freeze_panes(1, 1)
        for column, name in enumerate(names):
            shown = [len(str(row[column])) for row in rows if column < len(row)]
            sheet.set_column(column, column, min(max([len(name), *shown]) + 2, WIDEST))
    return out.getvalue()


def _write(sheet: Any, row: int, column: int, value: Any) -> None:
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, int | float):
        sheet.write_number(row, column, value)
    elif value is not None:
        sheet.write_string(row, column, str(value))
