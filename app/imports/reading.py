"""Bytes → rows → what they mean. Pure: no disk, no clock.

Encoding and separator are found out and shown. A cell that cannot be read is a
``Problem`` that names row and column; the other rows are read all the same.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from app.errors import InvalidInput, said
from app.imports.sources import Columns
from app.tracking.days import at_local, zone

SEPARATORS = (",", ";", "\t", "|")
GUARDED = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings before which our own export puts an apostrophe."""

YES = {"yes", "true", "1", "y", "ja", "oui", "si", "sí", "x", "billable"}


class Problem(ValueError):
    """A cell that cannot be taken."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field, self.message = field, message


class Row(NamedTuple):
    """One record of the file."""

    line: int
    """Where it begins; the header is line 1."""
    cells: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Table:
    """A file as text."""

    encoding: str
    separator: str
    header: Sequence[str]
    text: str

    def rows(self) -> Iterator[Row]:
        """Yield the records after the header; blank lines are none."""
        reader = csv.reader(io.StringIO(self.text, newline=""), delimiter=self.separator)
        before = 0
        try:
            for number, cells in enumerate(reader):
                line, before = before + 1, reader.line_num
                if number and any(cell.strip() for cell in cells):
                    yield Row(line, cells)
        except csv.Error as error:
            raise InvalidInput(
                said(
                    "Line %(line_num)s is no CSV (%(error)s).",
                    line_num=reader.line_num,
                    error=error,
                ),
                hint="Export the file again.",
                attr="file",
            ) from error


def table(content: bytes) -> Table:
    """Return the file as text, or raise InvalidInput for what is none."""
    encoding, text = _decoded(content)
    first = text.lstrip("\ufeff").split("\n", 1)[0]
    separator = max(SEPARATORS, key=first.count)
    made = Table(encoding=encoding, separator=separator, header=(), text=text)
    header = next(csv.reader(io.StringIO(text, newline=""), delimiter=separator), [])
    if len(header) < 2:
        raise InvalidInput(
            "This file has no columns.",
            hint="Export it as CSV, with a line of column names first.",
            attr="file",
        )
    names = [name.strip() or f"({place})" for place, name in enumerate(header, start=1)]
    return Table(encoding=encoding, separator=separator, header=names, text=made.text)


def _decoded(content: bytes) -> tuple[str, str]:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16", content.decode("utf-16", errors="replace").lstrip("\ufeff")
    if b"\0" in content[:1000]:
        raise InvalidInput(
            "This is no text file.",
            hint="Export it as CSV; a workbook has to be saved as CSV first.",
            attr="file",
        )
    try:
        return "UTF-8", content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "Windows-1252", content.decode("cp1252", errors="replace")


def date_orders(found: Columns, rows: Iterator[Row]) -> set[str]:
    """Return the orders of day and month that fit every date: of ``ymd``, ``dmy``, ``mdy``.

    Two of them mean that the file alone does not say; none, that dates are mixed.
    """
    orders = {"ymd", "dmy", "mdy"}
    places = [found[name] for name in ("date", "end_date", "start", "end") if name in found]
    for row in rows:
        for place in places:
            text = row.cells[place].strip() if place < len(row.cells) else ""
            parts = re.match(r"(\d{1,4})([-./])(\d{1,2})\2(\d{1,4})", text)
            if parts is not None:
                orders &= _orders_of(parts)
    return orders


def _orders_of(parts: re.Match[str]) -> set[str]:
    first, second = parts[1], int(parts[3])
    if len(first) == 4:
        return {"ymd"}
    fitting = {"dmy"} if parts[2] == "." else {"dmy", "mdy"}  # dots: day first, everywhere
    if int(first) > 12:
        fitting &= {"dmy"}
    if second > 12:
        fitting &= {"mdy"}
    return fitting


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """How a file is to be understood."""

    columns: Columns
    zone: str
    """Of times that name none."""
    order: str = "ymd"


@dataclass(frozen=True, kw_only=True)
class Line:
    """What one row says."""

    user: str
    email: str
    client: str
    project: str
    task: str
    description: str
    tags: tuple[str, ...]
    billable: bool | None
    start: datetime | None
    end: datetime | None
    day: date | None
    seconds: int | None
    """Of a length without clock times."""
    break_seconds: int
    zone: str
    rate: str


def line(row: Row, meaning: Meaning) -> Line:
    """Return what a row says, or raise Problem naming the field."""
    cells = _Cells(row.cells, meaning.columns)
    where = _zone(cells, meaning)
    start, end, day, seconds = _when(cells, meaning, zone(where))
    return Line(
        user=cells.text("user"),
        email=cells.text("email"),
        client=cells.text("client"),
        project=cells.text("project"),
        task=cells.text("task"),
        description=cells.text("description", keep_lines=True),
        tags=_tags(cells.text("tags")),
        billable=_flag(cells.text("billable")),
        start=start,
        end=end,
        day=day,
        seconds=seconds,
        break_seconds=_break(cells),
        zone=where,
        rate=cells.text("rate"),
    )


def unguarded(cell: str) -> str:
    """Return a cell without the apostrophe that our own export put before it."""
    bare = cell.lstrip("'")
    return cell[1:] if bare != cell and bare.startswith(GUARDED) else cell


class _Cells:
    """The cells of a row, by what they mean."""

    def __init__(self, cells: Sequence[str], columns: Mapping[str, int]) -> None:
        self._cells, self._columns = cells, columns

    def text(self, field: str, *, keep_lines: bool = False) -> str:
        place = self._columns.get(field, -1)
        found = self._cells[place] if 0 <= place < len(self._cells) else ""
        found = unguarded(found).replace("\0", "")
        return found.strip() if keep_lines else " ".join(found.split())


def _zone(cells: _Cells, meaning: Meaning) -> str:
    named = cells.text("timezone")
    if not named:
        return meaning.zone
    if named not in available_timezones():
        raise Problem("timezone", f"There is no time zone {named[:40]!r}.")
    return named


def _when(
    cells: _Cells, meaning: Meaning, where: ZoneInfo
) -> tuple[datetime | None, datetime | None, date | None, int | None]:
    """Return begin and end, or day and length."""
    length = _length(cells)
    begin = _moment(cells, ("start", "date", "start_time"), meaning)
    if begin is None:
        day = _day("date", cells.text("date"), meaning.order)
        if length is None:
            raise Problem("duration", "Neither an end nor a duration is given.")
        return None, None, day, length
    finish = _moment(cells, ("end", "end_date", "end_time"), meaning, begin)
    if finish is None:
        if length is None:
            raise Problem("end", "It has no end: it was still running.")
        start = _settled(begin, where, 0)
        return start, start + timedelta(seconds=length), None, None
    start, end = _fitting(begin, finish, where, length)
    return start, end, None, None


def _moment(
    cells: _Cells,
    fields: tuple[str, str, str],
    meaning: Meaning,
    begin: datetime | None = None,
) -> datetime | None:
    """Return a time, local unless it names an offset; None where the row has none."""
    whole, day_field, time_field = fields
    text = cells.text(whole)
    if text and re.search(r"\d[-./]\d", text):
        return _whole(whole, text, meaning.order)
    clock = cells.text(time_field) or text
    if not clock:
        return None
    shown = _clock(time_field, clock)
    day_text = cells.text(day_field)
    if day_text or begin is None:
        return datetime.combine(_day(day_field, day_text, meaning.order), shown)
    finish = datetime.combine(begin.date(), shown)
    return finish if finish > begin else finish + timedelta(days=1)  # past midnight


def _whole(field: str, text: str, order: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        day, _, clock = text.partition(" ")
        return datetime.combine(_day(field, day, order), _clock(field, clock))


def _day(field: str, text: str, order: str) -> date:
    parts = re.fullmatch(r"(\d{1,4})[-./](\d{1,2})[-./](\d{1,4})\.?", text)
    if parts is None:
        raise Problem(
            field, f"{text[:40]!r} is no date." if text else "The date is missing."
        )
    numbers = [int(part) for part in parts.groups()]
    if order == "ymd" or len(parts[1]) == 4:
        year, month, day = numbers
    else:
        year = numbers[2] if numbers[2] > 99 else 2000 + numbers[2]
        month, day = (
            (numbers[1], numbers[0]) if order == "dmy" else (numbers[0], numbers[1])
        )
    try:
        found = date(year, month, day)
    except ValueError as error:
        raise Problem(field, f"{text!r} is no day of any calendar.") from error
    if not 1970 < found.year < 9998:
        raise Problem(field, f"The year of {text!r} cannot be right.")
    return found


def _clock(field: str, text: str) -> time:
    parts = re.fullmatch(
        r"(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?\s*([AaPp])?\.?[Mm]?\.?", text.strip()
    )
    if parts is None:
        raise Problem(field, f"{text[:40]!r} is no time of day.")
    hour, minute, second = int(parts[1]), int(parts[2]), int(parts[3] or 0)
    if parts[4]:
        hour = hour % 12 + (12 if parts[4].lower() == "p" else 0)
    try:
        return time(hour, minute, second)
    except ValueError as error:
        raise Problem(field, f"{text[:40]!r} is no time of day.") from error


def _settled(moment: datetime, where: ZoneInfo, fold: int) -> datetime:
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    return at_local(moment.date(), moment.time(), where, fold=fold).instant


def _fitting(
    begin: datetime, finish: datetime, where: ZoneInfo, length: int | None
) -> tuple[datetime, datetime]:
    """Return both as instants; of times that exist twice those that fit the duration."""
    ways = [
        (_settled(begin, where, first), _settled(finish, where, second))
        for first, second in ((0, 0), (0, 1), (1, 1))
    ]
    return next(
        (way for way in ways if (way[1] - way[0]).total_seconds() == length), ways[0]
    )


def _length(cells: _Cells) -> int | None:
    seconds = cells.text("seconds")
    if seconds:
        if not re.fullmatch(r"\d{1,9}", seconds):
            raise Problem("seconds", f"{seconds[:40]!r} is no number of seconds.")
        return int(seconds)
    text = cells.text("duration")
    return _duration("duration", text) if text else None


def _duration(field: str, text: str) -> int:
    """Return seconds of ``1:30:00``, ``1:30`` or of hours as ``1.5``."""
    parts = re.fullmatch(r"(\d{1,5}):(\d{2})(?::(\d{2}))?", text)
    if parts is not None:
        return int(parts[1]) * 3600 + int(parts[2]) * 60 + int(parts[3] or 0)
    hours = re.fullmatch(r"(\d{1,5})(?:[.,](\d{1,6}))?\s*h?", text)
    if hours is None:
        raise Problem(field, f"{text[:40]!r} is no duration.")
    return round(float(f"{hours[1]}.{hours[2] or 0}") * 3600)


def _break(cells: _Cells) -> int:
    seconds = cells.text("break_seconds")
    if seconds.isdecimal() and len(seconds) < 10:
        return int(seconds)
    text = cells.text("break")
    return _duration("break", text) if text else 0


def _tags(text: str) -> tuple[str, ...]:
    found = (part.strip() for part in text.split(","))
    return tuple(dict.fromkeys(part for part in found if part))


def _flag(text: str) -> bool | None:
    return text.lower() in YES if text else None
