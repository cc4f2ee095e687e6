"""A dashboard drawn on A4: for each tile its title, its chart and the figures in rows.

The typeface is the one of the screens. Its files hold different letters; all but the Latin
one are read only where a text needs them, for that takes half a second.
"""

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from hedgerow.web import document_charts as drawn
from hedgerow.web.charts.spec import Cell, Column, Table
from hedgerow.web.printing import Block, Sheet

logging.getLogger("fpdf").setLevel(logging.ERROR)  # it would name every missing letter
logging.getLogger("fontTools").setLevel(logging.ERROR)

INK, DIM, HAIR = (32, 38, 34), (96, 104, 98), (214, 218, 212)
BODY, SMALL, ROW = 9, 8, 5.0
"""Points, points, millimetres."""

MOST_ROWS, MOST_COLUMNS = 25, 7
LAST_LATIN = "\u00ff"
LATIN = "inter-latin-wght"


class Document(FPDF):
    """Pages that all say which dashboard they are of, and their number."""

    def __init__(self, sheet: Sheet, fonts: Sequence[Path]) -> None:
        super().__init__(orientation="portrait", format="a4")
        self.sheet = sheet
        for number, file in enumerate(fonts):
            self.add_font(f"face{number}", fname=file)
        self.set_fallback_fonts([f"face{number}" for number in range(1, len(fonts))])
        self.set_margins(16, 16, 16)
        self.set_auto_page_break(auto=False)
        self.set_title(sheet.title)
        self.alias_nb_pages()
        self.add_page()

    def footer(self) -> None:
        """Print the dashboard's name and the number of the page."""
        self.set_y(-12)
        self.ink(SMALL, DIM)
        self.cell(w=self.epw / 2, text=self.fitted(self.sheet.title, self.epw / 2))
        self.cell(w=self.epw / 2, text=f"{self.page_no()} of {{nb}}", align="R")

    def ink(self, size: float, colour: tuple[int, int, int] = INK) -> None:
        """Write in this size (points) and colour from here on."""
        self.set_font("face0", size=size)
        self.set_text_color(*colour)

    def room(self, height: float) -> None:
        """Go to a new page unless this many millimetres are left."""
        if self.get_y() + height > self.h - 18:
            self.add_page()

    def lines(self, text: str, height: float) -> None:
        """Print a text over the whole width, in as many lines as it takes."""
        for paragraph in text.splitlines() or [""]:
            self.room(height)
            self.multi_cell(
                w=self.epw,
                h=height,
                text=paragraph,
                align="L",
                new_x=XPos.LMARGIN,
                new_y=YPos.NEXT,
            )

    def fitted(self, text: str, width: float) -> str:
        """Return a text on one line, cut with an ellipsis where it is too long."""
        text = " ".join(text.split())
        if self.get_string_width(text) <= width - 2:
            return text
        while text and self.get_string_width(text + "…") > width - 2:
            text = text[:-1]
        return text + "…"


def document(sheet: Sheet, fonts: Sequence[Path]) -> bytes:
    """Return the PDF. ``fonts``: the files of the typeface, for different letters."""
    latin_first = sorted(fonts, key=lambda file: not file.name.startswith(LATIN))
    beyond = any(max(text, default="") > LAST_LATIN for text in _names(sheet))
    paper = Document(sheet, latin_first if beyond else latin_first[:1])
    paper.ink(18)
    paper.lines(sheet.title, 8)
    paper.ink(BODY, DIM)
    for note in sheet.notes:
        paper.lines(note, 4.6)
    for block in sheet.blocks:
        paper.ln(7)
        _put(paper, block)
    return bytes(paper.output())


def _names(sheet: Sheet) -> Iterable[str]:
    """Yield the texts that people or programs wrote; ours keep to Latin letters."""
    yield sheet.title
    yield from sheet.notes
    for block in sheet.blocks:
        yield block.title
        yield block.text
        if block.chart is not None:
            yield from block.notes[:1]
            table = block.chart.table
            yield from (column.name for column in table.columns)
            yield from (row[0].text for row in table.rows if row)


def _put(paper: Document, block: Block) -> None:
    paper.room(28 if block.chart is None else 100)
    if block.title:
        paper.ink(12)
        paper.lines(block.title, 6)
    paper.ink(SMALL, DIM)
    for note in block.notes:
        paper.lines(note, 4.2)
    if block.text:
        paper.ink(BODY)
        paper.lines(_plain(block.text), 5)
    if block.chart is None:
        return
    paper.ln(2)
    if block.chart.kind == "nothing":
        paper.ink(BODY)
        paper.lines(f"{block.chart.what} {block.chart.why}", 5)
        return
    drawn.draw(paper, block.chart)
    _table(paper, block.chart.table)


def _plain(markdown: str) -> str:
    """Return a text without the marks that make headings and bold words."""
    return "\n".join(line.lstrip("# ") for line in markdown.replace("**", "").splitlines())


def _table(paper: Document, table: Table) -> None:
    columns = table.columns[:MOST_COLUMNS]
    if not columns:
        return
    weights = [1.0 if column.number else 2.2 for column in columns]
    widths = [paper.epw * weight / sum(weights) for weight in weights]
    paper.ln(2)
    paper.ink(SMALL, DIM)
    _row(paper, [Cell(text=column.name) for column in columns], columns, widths)
    paper.ink(SMALL)
    for row in table.rows[:MOST_ROWS]:
        _row(paper, row[:MOST_COLUMNS], columns, widths)
    left = len(table.rows) - MOST_ROWS
    across = len(table.columns) - MOST_COLUMNS
    rest = [f"{left:,} more rows"] if left > 0 else []
    rest += [f"{across:,} more columns"] if across > 0 else []
    if rest:
        paper.ln(1)
        paper.ink(SMALL, DIM)
        paper.lines(f"{' and '.join(rest)}: the tile's CSV and XLSX hold them all.", 4.2)


def _row(
    paper: Document, cells: Sequence[Cell], columns: Sequence[Column], widths: list[float]
) -> None:
    paper.room(ROW)
    for cell, column, width in zip(cells, columns, widths, strict=False):
        text = paper.fitted(cell.text, width)
        paper.cell(w=width, h=ROW, text=text, align="R" if column.number else "L")
    paper.set_xy(paper.l_margin, paper.get_y() + ROW)
    paper.set_draw_color(*HAIR)
    paper.set_line_width(0.1)
    paper.line(paper.l_margin, paper.get_y(), paper.w - paper.r_margin, paper.get_y())
