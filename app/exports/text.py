"""CSV and JSON, line by line.

A cell that a spreadsheet would run as a formula gets a leading apostrophe, which our own
importer takes off again. Nothing is held back: the first line leaves before the last
entry is read, and the last line is whole or the download breaks off visibly.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.exports.columns import TEXT, Cell, Columns, Line, values

DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings that a spreadsheet takes for a formula, or that hide one."""

LINES_AT_ONCE = 200


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
    """Return text that no spreadsheet will run."""
    return f"'{text}" if text.startswith(DANGEROUS) else text


def written(key: str, cell: Cell, dialect: Dialect) -> str:
    """Return a cell as CSV shows it."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, datetime):
        if key in {"start", "end"}:
            return cell.strftime("%H:%M:%S")
        return cell.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(cell, date):
        return cell.isoformat()
    text = str(cell)
    if key in TEXT:
        return text if dialect.raw else safe(text)
    if key in {"rate", "amount", "duration_hours"}:
        return text.replace(".", dialect.decimal)
    return text


def csv_lines(lines: Iterable[Line], columns: Columns, dialect: Dialect) -> Iterator[str]:
    """Yield the file in pieces of some lines; a header first."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=dialect.separator, lineterminator="\r\n")
    if dialect.bom:
        buffer.write("\ufeff")
    writer.writerow(columns.titles.values())
    for number, line in enumerate(lines, start=1):
        cells = values(line)
        writer.writerow([written(key, cells[key], dialect) for key in columns.titles])
        if number % LINES_AT_ONCE == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def json_lines(lines: Iterable[Line], columns: Columns) -> Iterator[str]:
    """Yield one JSON object: ``{"version": …, "results": [{…}, …]}``."""
    yield '{"version": "entries-v1", "results": ['
    for number, line in enumerate(lines):
        cells = values(line)
        shown = {title: _json(cells[key]) for key, title in columns.titles.items()}
        comma = ",\n" if number else "\n"
        yield comma + json.dumps(shown, ensure_ascii=False)
    yield "\n]}\n"


def _json(cell: Cell) -> Any:
    if isinstance(cell, (date, datetime)):
        return cell.isoformat()
    return cell
