"""From a question to a file: how many rows, which, and their bytes. Screens and API ask here.

Long datasets are read while they are written, in a session of their own; the others are
read before the first byte, so that an error is still an answer. How it went is told by
whoever asked: this layer knows nothing of telemetry.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Protocol

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.errors import Count, TooLarge, said
from app.exports import datasets, entries, text, workbook
from app.exports.columns import Row, Sheet
from app.exports.datasets import Words
from app.exports.paper import Paper
from app.models import Database
from app.models.people import User
from app.models.records import AuditLog
from app.reports import detail
from app.reports.seen import Seen

REPORTS = {"entries", "summary", "weekly", "billable"}
"""Datasets that answer a question; the others are plain tables."""

STREAMED = {"entries", "audit"}
"""Datasets whose rows are read while they are written."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A file that somebody asks for."""

    person: User
    dataset: str
    kind: str
    """``csv``, ``xlsx``, ``json`` or ``pdf``."""
    seen: Seen
    by: str
    """Rows of the weekly dataset."""
    words: Words = field(default_factory=Words)
    dialect: text.Dialect = field(default_factory=text.Dialect)
    paper: Paper = field(default_factory=Paper)

    @property
    def name(self) -> str:
        """Return the file's name: ``timetracker-entries-2025-10-01_2025-10-31.csv``."""
        days = ""
        if self.dataset in REPORTS:
            whole = self.seen.question.range == "all"
            days = "-all" if whole else f"-{self.seen.first}_{self.seen.last}"
        return f"timetracker-{self.dataset}{days}.{self.kind}"


class Told(Protocol):
    """What whoever asked wants to know of how it went."""

    def completed(self, rows: int) -> None:
        """Hear that the last byte was produced."""

    def failed(self, reason: str, error: Exception | None) -> None:
        """Hear that it was refused, as ``too_large``, or broke off."""


def counted(session: Session, wanted: Wanted, sheet: Sheet) -> tuple[Sheet, int]:
    """Return how many rows it will be; those of short datasets are read right away."""
    if wanted.dataset == "entries":
        return sheet, detail.count(session, detail.touching(session, wanted.seen))
    full = filled(session, wanted, sheet)  # asks whether this person may
    if wanted.dataset == "audit":
        return full, session.scalar(select(func.count(AuditLog.id))) or 0
    rows = list(full.rows)
    return replace(full, rows=rows), len(rows)


def filled(session: Session, wanted: Wanted, sheet: Sheet) -> Sheet:
    """Return the dataset with its rows, which are read as they are written."""
    seen = wanted.seen
    match wanted.dataset:
        case "entries":
            lines = detail.lines(session, seen, detail.touching(session, seen))
            made = entries.rows(lines, detail.names(session), dict(seen.clients))
            return replace(sheet, rows=made)
        case "summary":
            return datasets.summary(session, seen, sheet, wanted.words)
        case "weekly":
            return datasets.week(session, seen, sheet, wanted.by, wanted.words)
        case "billable":
            return datasets.to_bill(session, seen, sheet, wanted.words)
        case _:
            return datasets.table(session, wanted.person, wanted.dataset, sheet)


def refuse_too_many(number: int, most: int, told: Told) -> None:
    """Raise TooLarge where there are more rows than the installation gives; 0 is no limit."""
    if not most or number <= most:
        return
    told.failed("too_large", None)
    raise TooLarge(
        said(
            "This export has %(number)s rows; %(most)s are the most on this installation.",
            number=Count(number),
            most=Count(most),
        ),
        hint="Choose a shorter period or add a filter.",
    )


def written(
    database: Database, wanted: Wanted, sheet: Sheet, told: Told
) -> Iterator[bytes]:
    """Yield the file, then tell how it went; a file that breaks off looks broken."""
    number = 0

    def each(rows: Iterable[Row]) -> Iterator[Row]:
        nonlocal number
        for row in rows:
            number += 1
            yield row

    try:
        with database.reading() as session:
            long = wanted.dataset in STREAMED
            full = filled(session, wanted, sheet) if long else sheet
            yield from _pieces(wanted, replace(full, rows=each(full.rows)))
    except Exception as error:
        told.failed("error", error)
        raise
    told.completed(number)


def _pieces(wanted: Wanted, sheet: Sheet) -> Iterator[bytes]:
    writers: dict[str, Callable[[], Iterator[bytes]]] = {
        "csv": lambda: (p.encode() for p in text.csv_lines(sheet, wanted.dialect)),
        "json": lambda: (p.encode() for p in text.json_lines(sheet)),
        "xlsx": lambda: workbook.pieces(sheet),
        "pdf": lambda: _printed(sheet, wanted.paper),
    }
    yield from writers[wanted.kind]()


def _printed(sheet: Sheet, paper: Paper) -> Iterator[bytes]:
    """Yield a PDF; what writes it takes 40 MB, so it is loaded for the first one only."""
    yield from import_module("app.exports.document").pieces(sheet, paper)
