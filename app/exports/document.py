"""PDF on A4 or Letter, landscape: a header with range, zone and rounding, page n of m.

The typeface is the one of the screens where its files are there, so that names in Latin,
Greek and Cyrillic letters look right; a letter it lacks is shown as a box. A document
has an end: after the most rows a sentence says so and offers CSV.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from app.exports.columns import Cell, Column, Kind, Row, Sheet, Totals
from app.exports.paper import Paper
from app.tracking.durations import decimal, exact

logging.getLogger("fpdf").setLevel(logging.ERROR)  # it would name every missing letter
logging.getLogger("fontTools").setLevel(logging.ERROR)

SIZE, SMALL, LINE = 8, 7, 4.2
"""Points, points, millimetres."""

MOST_LINES = 3
"""Lines of text in one cell; what is longer ends with an ellipsis."""

WEIGHTS: dict[Kind, float] = {
    "text": 2.4, "clock": 1.0, "date": 1.2, "moment": 1.9, "flag": 0.8, "number": 0.9,
    "percent": 0.8, "money": 1.2,
}  # fmt: skip
LAST_LATIN = "\u00ff"
"""Beyond this letter one file of the typeface may not do."""

RIGHT = {"number", "seconds", "length", "hours", "money", "percent"}


class _Document(FPDF):
    """A document whose pages all have the header row and a number."""

    def __init__(self, sheet: Sheet, paper: Paper) -> None:
        super().__init__(orientation="landscape", format=paper.size)
        self.sheet = sheet
        self.face = _add_fonts(self, paper.fonts)
        self.set_auto_page_break(auto=False)
        self.set_margins(12, 12, 12)
        self.set_title(sheet.title)
        self.alias_nb_pages()
        weights = [_weight(column) for column in sheet.columns]
        self.widths = [self.epw * weight / sum(weights) for weight in weights]

    def header(self) -> None:
        """Print what the figures are of, and the names of the columns."""
        self.set_font(self.face, size=12 if self.page_no() == 1 else SIZE)
        self.line_of(self.sheet.title, 6)
        self.set_font(self.face, size=SMALL)
        if self.page_no() == 1:
            for note in self.sheet.notes:
                self.line_of(note, 4)
        self.ln(1.5)
        self.set_font(self.face, size=SMALL)
        headings = [c.heading.replace("_", " ") for c in self.sheet.columns]
        self.row_of(headings, self.sheet.columns)
        self.rule(0.3)
        self.set_font(self.face, size=SIZE)

    def footer(self) -> None:
        """Print the number of the page."""
        self.set_y(-10)
        self.set_font(self.face, size=SMALL)
        self.cell(w=0, text=f"Page {self.page_no()} of {{nb}}", align="R")

    def line_of(self, text: str, height: float) -> None:
        """Print one line over the whole width."""
        shown = self.printable(text)
        self.cell(w=0, h=height, text=shown, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def rule(self, thickness: float) -> None:
        """Draw a line below what was printed."""
        self.set_line_width(thickness)
        self.line(self.l_margin, self.get_y(), self.w - self.r_margin, self.get_y())
        self.ln(0.6)

    def printable(self, text: str) -> str:
        """Return text as the typeface can show it."""
        if self.face != "helvetica":
            return text
        return text.encode("latin-1", "replace").decode("latin-1")

    def row_of(self, cells: Sequence[str], columns: Sequence[Column]) -> None:
        """Print one row, as high as its longest cell."""
        folded = [
            self.folded(text, width - 2)
            for text, width in zip(cells, self.widths, strict=True)
        ]
        high = max(len(lines) for lines in folded)
        if self.get_y() + high * LINE > self.h - 14:
            self.add_page()
        top, left = self.get_y(), self.l_margin
        for lines, width, column in zip(folded, self.widths, columns, strict=True):
            for number, text in enumerate(lines):
                self.set_xy(left, top + number * LINE)
                align = "R" if column.kind in RIGHT else "L"
                self.cell(w=width, h=LINE, text=text, align=align)
            left += width
        self.set_xy(self.l_margin, top + high * LINE)

    def folded(self, text: str, width: float) -> list[str]:
        """Return text in lines that fit, the last one with an ellipsis if there is more."""
        text = self.printable(" ".join(text.split()))
        if self.get_string_width(text) <= width:
            return [text]
        lines: list[str] = []
        while text and len(lines) < MOST_LINES:
            taken = self.fitting(text, width)
            lines.append(text[:taken].rstrip())
            text = text[taken:].lstrip()
        if text:
            lines[-1] = lines[-1][:-3] + "..."
        return lines

    def fitting(self, text: str, width: float) -> int:
        """Return how many characters fit, ending between words where that is possible."""
        low, high = 1, min(len(text), 200)
        while low < high:
            middle = (low + high + 1) // 2
            if self.get_string_width(text[:middle]) <= width:
                low = middle
            else:
                high = middle - 1
        if low == len(text):
            return low
        space = text.rfind(" ", 0, low + 1)
        return space if space > 0 else low


def pieces(sheet: Sheet, paper: Paper) -> Iterator[bytes]:
    """Yield the document."""
    rows = list(islice(sheet.rows, paper.most_rows + 1))
    fonts = paper.fonts if _is_beyond_latin(sheet, rows) else paper.fonts[:1]
    document = _Document(sheet, replace(paper, fonts=fonts))
    document.add_page()
    totals = Totals(sheet.sums)
    for number, row in enumerate(rows):
        if number == paper.most_rows:
            _say_more(document, paper.most_rows)
            break
        document.row_of([_shown(c, row) for c in sheet.columns], sheet.columns)
        totals.add(row)
    else:
        if sheet.sums:
            document.rule(0.3)
            document.row_of(_foot(sheet, totals), sheet.columns)
    yield bytes(document.output())


def _is_beyond_latin(sheet: Sheet, rows: Sequence[Row]) -> bool:
    """Return whether other letters are needed; to read their files takes half a second."""
    cells = (row.get(column.key) for row in rows for column in sheet.columns)
    texts = (cell for cell in (*cells, sheet.title, *sheet.notes) if isinstance(cell, str))
    return any(not text.isascii() and max(text) > LAST_LATIN for text in texts)


def _say_more(document: _Document, most_rows: int) -> None:
    document.ln(2)
    document.line_of(
        f"Only the first {most_rows:,} rows are shown here, without totals. "
        "Export as CSV or XLSX to have all of them.",
        5,
    )


def _foot(sheet: Sheet, totals: Totals) -> list[str]:
    shown = []
    for place, column in enumerate(sheet.columns):
        value = totals.by_key.get(column.key)
        if value is None:
            shown.append("Total" if place == 0 else "")
        else:
            shown.append(
                _text(column.kind, str(value) if column.kind == "money" else int(value))
            )
    return shown


def _add_fonts(document: FPDF, files: Sequence[Path]) -> str:
    for number, file in enumerate(files):
        document.add_font(f"face{number}", fname=file)
    if not files:
        return "helvetica"
    document.set_fallback_fonts([f"face{number}" for number in range(1, len(files))])
    return "face0"


def _weight(column: Column) -> float:
    if column.key in {"description", "changes", "notes"}:
        return 4.0
    return WEIGHTS.get(column.kind, 1.1)


def _shown(column: Column, row: Row) -> str:
    cell = row.get(column.key)
    return "" if cell is None else _text(column.kind, cell)


def _text(kind: Kind, cell: Cell) -> str:
    value: Any = cell
    match kind:
        case "flag":
            return "yes" if value else "no"
        case "date":
            return str(value.isoformat())
        case "clock":
            return str(value.strftime("%H:%M"))
        case "moment":
            return str(value.strftime("%Y-%m-%d %H:%M"))
        case "seconds" | "length":
            return exact(value)
        case "hours":
            return decimal(value)
        case _:
            return str(value)
