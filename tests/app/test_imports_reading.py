"""Files of other programs: recognised, decoded, and read row by row."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from app.errors import InvalidInput
from app.imports import reading, sources
from app.imports.reading import Meaning, Problem

FILES = Path(__file__).parent / "imports_files"


def opened(name):
    return reading.table((FILES / name).read_bytes())


def said(name, order="ymd", zone="Europe/Berlin"):
    """Return each row as it is understood, or its problem."""
    table = opened(name)
    found = sources.columns(sources.recognise(table.header), table.header)
    meaning = Meaning(columns=found, zone=zone, order=order)
    lines = []
    for row in table.rows():
        try:
            lines.append(reading.line(row, meaning))
        except Problem as problem:
            lines.append(problem)
    return lines


@pytest.mark.parametrize(
    ("name", "source", "encoding", "separator"),
    [
        ("toggl.csv", "toggl", "UTF-8", ","),
        ("clockify.csv", "clockify", "UTF-8", ","),
        ("kimai.csv", "kimai", "Windows-1252", ";"),
        ("own.csv", "generic", "UTF-8", ","),
    ],
)
def test_a_file_is_known_by_its_header(name, source, encoding, separator):
    table = opened(name)

    assert sources.recognise(table.header).key == source
    assert (table.encoding, table.separator) == (encoding, separator)


def at(*parts):
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "order", "start", "end"),
    [
        ("toggl.csv", "ymd", at(2025, 10, 1, 7), at(2025, 10, 1, 8, 30)),
        ("clockify.csv", "mdy", at(2025, 10, 3, 7), at(2025, 10, 3, 11, 15)),
        ("clockify.csv", "dmy", at(2025, 3, 10, 8), at(2025, 3, 10, 12, 15)),
        ("kimai.csv", "dmy", at(2025, 10, 14, 7), at(2025, 10, 14, 9, 30)),
    ],
)
def test_times_are_those_of_the_zone(name, order, start, end):
    first = said(name, order)[0]

    assert (first.start, first.end) == (start, end)


def test_a_row_has_all_that_the_file_says():
    first = said("toggl.csv")[0]

    assert (first.client, first.project, first.task) == ("Acme", "Website", "Draft")
    assert (first.description, first.tags) == ("Plan, then draw", ("deep", "paper"))
    assert first.billable is True


def test_an_end_without_a_date_may_lie_after_midnight():
    night = said("kimai.csv", "dmy")[1]

    assert (night.end - night.start).total_seconds() == 3 * 3600


def test_what_cannot_be_read_names_its_column():
    running, no_day = said("toggl.csv")[4], said("kimai.csv", "dmy")[2]

    assert (running.field, "running" in running.message) == ("end", True)
    assert (no_day.field, "32.10.2025" in no_day.message) == ("date", True)


@pytest.mark.parametrize(
    ("name", "orders"),
    [
        ("toggl.csv", {"ymd"}),
        ("clockify.csv", {"dmy", "mdy"}),
        ("kimai.csv", {"dmy"}),
    ],
)
def test_the_order_of_day_and_month_is_never_guessed(name, orders):
    table = opened(name)
    found = sources.columns(sources.recognise(table.header), table.header)

    assert reading.date_orders(found, table.rows()) == orders


def one(header, cells, order="ymd", zone="Europe/Berlin"):
    """Return what one row says under this header."""
    table = reading.table(f"{header}\n{cells}\n".encode())
    found = sources.columns(sources.GENERIC, table.header)
    row = next(table.rows())
    return reading.line(row, Meaning(columns=found, zone=zone, order=order))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1:30", 5400), ("01:30:15", 5415), ("1.5", 5400), ("1,5", 5400), ("2 h", 7200)],
)
def test_a_length_is_written_in_many_ways(text, seconds):
    found = one("date;duration", f"2025-06-05;{text}")

    assert (found.day, found.seconds, found.start) == (date(2025, 6, 5), seconds, None)


@pytest.mark.parametrize(
    ("clock", "hour"),
    [("9:05", 9), ("09:05:00", 9), ("9:05 AM", 9), ("9:05 pm", 21), ("12:05 AM", 0),
     ("12:05 p.m.", 12)],
)  # fmt: skip
def test_a_time_of_day_is_written_in_many_ways(clock, hour):
    found = one("date,start time,hours", f"2025-06-05,{clock},1", zone="UTC")

    assert found.start == at(2025, 6, 5, hour, 5)


@pytest.mark.parametrize(
    ("cells", "seconds"),
    [
        pytest.param("2025-10-26,02:30,02:45,0:15", 900, id="first 2:30"),
        pytest.param(
            "2025-10-26,02:30,02:45,1:15", 4500, id="from the first to the second"
        ),
        pytest.param("2025-10-26,01:30,03:30,3:00", 10800, id="over both"),
        pytest.param(
            "2025-03-30,01:30,03:30,1:00", 3600, id="over the hour that is missing"
        ),
    ],
)
def test_times_that_exist_twice_are_those_that_fit_the_duration(cells, seconds):
    found = one("date,start time,end time,duration", cells)

    assert (found.end - found.start).total_seconds() == seconds


def test_an_apostrophe_of_our_own_export_is_taken_off_and_no_other():
    assert one("date,hours,description", "2025-06-05,1,'=A1").description == "=A1"
    assert one("date,hours,description", "2025-06-05,1,'tis").description == "'tis"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"just text\nmore", id="no columns"),
        pytest.param(b"PK\x03\x04\x00\x00", id="a workbook"),
    ],
)
def test_what_is_no_csv_is_refused(content):
    with pytest.raises(InvalidInput):
        reading.table(content)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_encodings_are_found_out(encoding):
    table = reading.table("date,hours,description\n2025-06-05,1,Tür\n".encode(encoding))

    assert next(table.rows()).cells[2] == "Tür"


def test_a_line_is_counted_as_an_editor_counts_it():
    table = reading.table(b'a,b\n"x\ny",1\n\nz,2\n')

    assert [row.line for row in table.rows()] == [2, 5]
