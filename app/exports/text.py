"""CSV and JSON, line by line.

A cell that a spreadsheet would run as a formula gets a leading apostrophe, which our own
importer takes off again. Nothing is held back: the first line leaves before the last
row is read, and the last line is whole or the download breaks off visibly.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.exports.columns import Cell, Kind, Sheet
from app.tracking.durations import decimal, exact

DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings that a spreadsheet takes for a formula, or that hide one."""

ROWS_AT_ONCE = 500


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How a CSV is written."""

    separator: str = ","
    decimal: str = "."
    bom: bool = False
    """A byte order mark first: some spreadsheets need it to read UTF-8."""
    raw: bool = False
    """No apostrophe before what looks like a formula."""


def safe(text: str) -> str:
    """Return text that no spreadsheet will run.

    An apostrophe that somebody typed is doubled where the importer would take it off.
    """
    if text.lstrip("'").startswith(DANGEROUS):
        return f"'{text}"
    return text


def _day(cell: Any) -> str:
    return str(cell.isoformat())


TWO = tuple(f"{number:02}" for number in range(60))
"""Numbers in two digits: a table is ten times as quick as to format each."""


def _moment(cell: Any) -> str:
    day = f"{cell.year:04}-{TWO[cell.month]}-{TWO[cell.day]}"
    return f"{day}T{TWO[cell.hour]}:{TWO[cell.minute]}:{TWO[cell.second]}Z"


def _clock(cell: Any) -> str:
    return f"{TWO[cell.hour]}:{TWO[cell.minute]}:{TWO[cell.second]}"


def _writers(dialect: Dialect) -> dict[Kind, Callable[[Any], str]]:
    """Return how a cell is written, for the kinds that the csv writer cannot do itself."""

    def point(text: str) -> str:
        return text if dialect.decimal == "." else text.replace(".", dialect.decimal)

    guard: dict[Kind, Callable[[Any], str]] = {} if dialect.raw else {"text": safe}
    return guard | {
        "flag": lambda cell: "yes" if cell else "no",
        "date": _day,
        "clock": _clock,
        "moment": _moment,
        "length": exact,
        "hours": lambda cell: point(decimal(cell)),
        "money": point,
        "percent": lambda cell: point(str(cell)),
    }


def csv_lines(sheet: Sheet, dialect: Dialect) -> Iterator[str]:
    """Yield the file in pieces of some rows; a header first."""
    writers = _writers(dialect)
    keys = [column.key for column in sheet.columns]
    written = [
        (place, writers[column.kind])
        for place, column in enumerate(sheet.columns)
        if column.kind in writers
    ]
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=dialect.separator, lineterminator="\r\n")
    if dialect.bom:
        buffer.write("\ufeff")
    guard: Callable[[str], str] = str if dialect.raw else safe
    writer.writerow([guard(column.heading) for column in sheet.columns])
    for number, row in enumerate(sheet.rows, start=1):
        cells: list[Any] = list(map(row.get, keys))
        for place, write in written:
            cell = cells[place]
            if cell is not None:
                cells[place] = write(cell)
        writer.writerow(cells)
        if number % ROWS_AT_ONCE == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def json_lines(sheet: Sheet) -> Iterator[str]:
    """Yield one JSON object: ``{"version": …, "results": [{…}, …]}``."""
    yield f'{{"version": "{sheet.version}", "results": ['
    for number, row in enumerate(sheet.rows):
        shown = {c.heading: _json(c.kind, row.get(c.key)) for c in sheet.columns}
        comma = ",\n" if number else "\n"
        yield comma + json.dumps(shown, ensure_ascii=False)
    yield "\n]}\n"


def _json(kind: Kind, cell: Cell) -> Any:
    if cell is None:
        return None
    if isinstance(cell, (date, datetime)):
        return cell.isoformat()
    if kind == "length" and isinstance(cell, int):
        return exact(cell)
    if kind == "hours" and isinstance(cell, int):
        return decimal(cell)
    return cell
