"""Figures as files: the same numbers in CSV and XLSX, and no formula out of a name."""

import csv
import io

import openpyxl
import pytest

from hedgerow.web import files
from hedgerow.web.charts.spec import Cell, Column, Table

TABLE = Table(
    columns=[Column(name="Version"), Column(name="Count", number=True)],
    rows=[
        [Cell(text="3.0.0"), Cell(text="12.4k", value=12_431)],
        [Cell(text="=cmd|' /C calc'!A0"), Cell(text="37.5 %", value=0.375)],
        [Cell(text="@sum", value="@sum"), Cell(text="-", value=None)],
    ],
)


def sheet(body):
    (found,) = openpyxl.load_workbook(io.BytesIO(body)).worksheets
    return [[cell.value for cell in row] for row in found.iter_rows()], found


def test_both_files_hold_the_figures_themselves():
    text = files.reply("a", TABLE, "csv").body.decode("utf-8-sig")
    rows, _ = sheet(files.reply("a", TABLE, "xlsx").body)

    assert rows[0] == ["Version", "Count"]
    assert rows[1] == ["3.0.0", 12_431]
    assert rows[2][1] == 0.375
    assert [row[1] for row in csv.reader(io.StringIO(text))][:3] == [
        "Count",
        "12431",
        "0.375",
    ]


@pytest.mark.parametrize("row", [2, 3])
def test_nothing_in_a_file_is_computed(row):
    text = files.reply("a", TABLE, "csv").body.decode("utf-8-sig")
    _, found = sheet(files.reply("a", TABLE, "xlsx").body)

    assert list(csv.reader(io.StringIO(text)))[row][0].startswith("'")
    assert found.cell(row + 1, 1).data_type == "s"


def test_a_file_is_named_after_its_figure_without_anything_strange():
    head = files.reply('a/b"; é', TABLE, "xlsx").headers["content-disposition"]

    assert head == 'attachment; filename="a_b__ _.xlsx"'
