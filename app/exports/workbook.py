"""XLSX, a row at a time, in constant memory.

Dates and moments are dates, lengths are lengths (``[h]:mm:ss``), text is text and never a
formula or a link. The header stays in view, columns filter, totals stand below. A sheet
has an end: what goes beyond continues on a second one, and the first says so.
"""

import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from app.exports.columns import Cell, Column, Kind, Row, Sheet, Totals

MOST_ROWS = 1_048_575
"""Rows below the header that a sheet can hold."""

SECONDS_A_DAY = 86_400
CHUNK = 256 * 1024

FORMATS: dict[Kind, str] = {
    "date": "yyyy-mm-dd",
    "clock": "yyyy-mm-dd hh:mm:ss",
    "moment": "yyyy-mm-dd hh:mm:ss",
    "length": "[h]:mm:ss",
    "hours": "0.00",
    "money": "#,##0.00",
    "percent": "0.0",
}
WIDTHS: dict[Kind, int] = {
    "text": 28, "date": 11, "clock": 19, "moment": 19, "flag": 8, "number": 10, "money": 11,
}  # fmt: skip


def pieces(sheet: Sheet, *, most_rows: int = MOST_ROWS) -> Iterator[bytes]:
    """Yield the file; it is made beside and has no size limit but the disk."""
    with tempfile.TemporaryFile() as file:
        book = xlsxwriter.Workbook(file, {"constant_memory": True, "remove_timezone": True})
        with closing(book):
            _Writer(book, sheet, most_rows).write()
        file.seek(0)
        while chunk := file.read(CHUNK):
            yield chunk


class _Writer:
    """Writes one dataset into a workbook; begins another sheet where one is full."""

    def __init__(self, book: xlsxwriter.Workbook, sheet: Sheet, most_rows: int) -> None:
        self._book, self._sheet, self._most = book, sheet, most_rows
        self._formats = {kind: book.add_format({"num_format": text})
                         for kind, text in FORMATS.items()}  # fmt: skip
        self._strong = book.add_format({"bold": True, "bottom": 1})
        self._totals = Totals(sheet.sums)
        self._width = max(1, len(sheet.columns)) - 1

    def write(self) -> None:
        """Write all rows, then the totals."""
        page, number, line = self._begin(1), 1, 0
        for row in self._sheet.rows:
            if line == self._most:
                self._end(page, line, f"Continued on sheet {number + 1}.")
                number, line = number + 1, 0
                page = self._begin(number)
            line += 1
            self._put(page, line, row)
        self._end(page, line, "")
        if self._sheet.sums and line + 1 <= self._most:
            self._foot(page, line + 1)
        self._explain()

    def _begin(self, number: int) -> Worksheet:
        name = self._sheet.dataset.capitalize()
        page = self._book.add_worksheet(name if number == 1 else f"{name} {number}")
        page.freeze_panes(1, 0)
        for place, column in enumerate(self._sheet.columns):
            page.set_column(place, place, WIDTHS.get(column.kind, 13))
            page.write_string(0, place, column.heading, self._strong)
        return page

    def _end(self, page: Worksheet, line: int, text: str) -> None:
        page.autofilter(0, 0, line, self._width)
        if text:
            page.set_header(f"&L{text}")

    def _put(self, page: Worksheet, line: int, row: Row) -> None:
        for place, column in enumerate(self._sheet.columns):
            cell = row.get(column.key)
            if cell is None:
                continue
            self._cell(page, line, place, column.kind, cell)
        self._totals.add(row)

    def _cell(self, page: Worksheet, line: int, place: int, kind: Kind, cell: Cell) -> None:
        look: Format | None = self._formats.get(kind)
        match kind:
            case "text" | "word":
                page.write_string(line, place, str(cell)[:32_767])
            case "flag":
                page.write_boolean(line, place, bool(cell))
            case "date" | "clock" | "moment":
                page.write_datetime(line, place, _naive(cell), look)
            case "length":
                page.write_number(line, place, float(str(cell)) / SECONDS_A_DAY, look)
            case "hours":
                page.write_number(line, place, float(str(cell)) / 3600, look)
            case _:
                page.write_number(line, place, float(str(cell)), look)

    def _foot(self, page: Worksheet, line: int) -> None:
        for place, column in enumerate(self._sheet.columns):
            if column.key in self._totals.by_key:
                self._total(page, line, place, column)
            elif place == 0:
                page.write_string(line, place, "Total", self._strong)

    def _total(self, page: Worksheet, line: int, place: int, column: Column) -> None:
        value = float(self._totals.by_key[column.key])
        divisor = {"length": SECONDS_A_DAY, "hours": 3600}.get(column.kind, 1)
        text = FORMATS.get(column.kind, "0")
        look = self._book.add_format({"bold": True, "top": 1, "num_format": text})
        page.write_number(line, place, value / divisor, look)

    def _explain(self) -> None:
        """Say on a sheet of its own what the figures are of."""
        if not self._sheet.notes:
            return
        page = self._book.add_worksheet("About")
        page.set_column(0, 0, 90)
        for line, text in enumerate((self._sheet.title, *self._sheet.notes)):
            page.write_string(line, 0, text, self._strong if line == 0 else None)


def _naive(cell: Any) -> Any:
    return cell.replace(tzinfo=None) if isinstance(cell, datetime) else cell
