"""Downloads: ``/exports/{dataset}.{format}``, the same rows as from the screens.

CSV, XLSX and JSON; a PDF is for people and comes from the screens. Long datasets are
read while they are sent; a file that breaks off looks broken.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import Response, stream_with_context
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.api import kinds, reports
from app.api.call import Answer, Call
from app.api.shapes import Field, may
from app.audit import record
from app.errors import NotFound, TooLarge
from app.exports import columns, datasets, text, workbook
from app.exports import entries as entry_rows
from app.exports.columns import SUMMED, Row, Sheet
from app.models import Database
from app.models.records import AuditLog
from app.people import roles
from app.reports import detail, filters
from app.reports import seen as looking
from app.reports.filters import Question
from app.reports.seen import Seen
from app.telemetry.experiments import variant
from app.telemetry.send import track_event, track_failure

TYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}
DATASETS = (
    *("entries", "summary", "weekly", "billable"),
    *("clients", "projects", "tasks", "users", "audit"),
)
ASKED: dict[str, Field] = {
    **reports.ASKED,
    "sort": may(kinds.one_of(*filters.SORTS)),
    "by": may(kinds.one_of("user", "project"), "Rows of `weekly`."),
    "raw": may(kinds.flag, "No apostrophe before what a spreadsheet would run."),
}
START = Question(range="last_30_days")
"""What the list of entries shows when nothing is asked, and so every export."""

ANSWERING = {"entries", "summary", "weekly", "billable"}
STREAMED = {"entries", "audit"}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A file that a program asks for."""

    dataset: str
    kind: str
    seen: Seen
    by: str
    raw: bool
    config: Mapping[str, Any]


def export_dataset(call: Call) -> Answer:
    """Stream a dataset, narrowed by the question: `entries.csv`, `summary.xlsx` and so on.

    Datasets: entries, summary, weekly, billable, clients, projects, tasks, users, audit.
    Formats: csv, xlsx, json.
    """
    wanted = _wanted(call)
    shown = columns.default(wanted.dataset, money=call.may("rates.see"))
    sheet = Sheet(
        dataset=wanted.dataset,
        columns=shown,
        rows=(),
        title=f"TimeTracker · {wanted.dataset}",
        notes=_notes(wanted),
        sums=SUMMED if wanted.dataset == "entries" else frozenset(),
    )
    sheet, number = _counted(call.session, wanted, sheet)
    _refuse_too_many(call, wanted, number)
    if not call.config["READ_ONLY"]:
        with call.database.writing() as session:
            noted = {"dataset": (None, wanted.dataset), "rows": (None, number)}
            record(session, call.actor, "export", call.now, changes=noted)
    body = _told(wanted, sheet, call.database)
    made = Response(stream_with_context(body), mimetype=TYPES[wanted.kind])
    name = f"timetracker-{wanted.dataset}{_days(wanted)}.{wanted.kind}"
    made.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return Answer(stream=made)


def _wanted(call: Call) -> Wanted:
    dataset, kind = call.words["dataset"], call.words["format"]
    if dataset not in DATASETS or kind not in TYPES:
        raise NotFound(
            f"There is no export {f'{dataset}.{kind}'[:60]!r}.",
            hint=f"There are {', '.join(DATASETS)} as {', '.join(TYPES)}.",
        )
    if dataset in ANSWERING - {"entries"}:
        roles.demand(call.user, "reports.own", call.settings)
    given = {n: v for n, v in call.query.items() if n not in {"by", "raw"}}
    question = filters.parse(given, start=START)
    return Wanted(
        dataset=dataset,
        kind=kind,
        seen=looking.look(call.session, call.user, question, call.now, call.settings),
        by=call.query.get("by", "user"),
        raw=call.query.get("raw", False),
        config=call.config,
    )


def _notes(wanted: Wanted) -> list[str]:
    seen = wanted.seen
    if wanted.dataset not in ANSWERING:
        return []
    return [f"{seen.first} to {seen.last} · {seen.question.zone or 'zone of each entry'}"]


def _days(wanted: Wanted) -> str:
    if wanted.dataset not in ANSWERING:
        return ""
    if wanted.seen.question.range == "all":
        return "-all"
    return f"-{wanted.seen.first}_{wanted.seen.last}"


def _counted(session: Session, wanted: Wanted, sheet: Sheet) -> tuple[Sheet, int]:
    """Return how many rows it will be; those of short datasets are read right away."""
    if wanted.dataset == "entries":
        return sheet, detail.count(session, detail.touching(session, wanted.seen))
    filled = _filled(session, wanted, sheet)  # asks whether this person may
    if wanted.dataset == "audit":
        return filled, session.scalar(select(func.count(AuditLog.id))) or 0
    rows = list(filled.rows)
    return replace(filled, rows=rows), len(rows)


def _filled(session: Session, wanted: Wanted, sheet: Sheet) -> Sheet:
    """Return the dataset with its rows."""
    seen, said = wanted.seen, datasets.Words()
    match wanted.dataset:
        case "entries":
            lines = detail.lines(session, seen, detail.touching(session, seen))
            made = entry_rows.rows(lines, detail.names(session), dict(seen.clients))
            return replace(sheet, rows=made)
        case "summary":
            return datasets.summary(session, seen, sheet, said)
        case "weekly":
            return datasets.week(session, seen, sheet, wanted.by, said)
        case "billable":
            return datasets.to_bill(session, seen, sheet, said)
        case _:
            return datasets.table(session, seen.user, wanted.dataset, sheet)


def _refuse_too_many(call: Call, wanted: Wanted, number: int) -> None:
    most = call.config["EXPORT_MAX_ROWS"]
    if not most or number <= most:
        return
    track_event(call.user.id, "export.failed", {**_own(wanted), "reason": "too_large"})
    raise TooLarge(
        f"This export has {number:,} rows; {most:,} are the most on this installation.",
        hint="Choose a shorter period or add a filter.",
    )


def _own(wanted: Wanted) -> dict[str, Any]:
    return {
        "experiment_variant": variant(wanted.config, "export_dialog", wanted.seen.user.id),
        "export_type": wanted.kind,
        "dataset": wanted.dataset,
    }


def _told(wanted: Wanted, sheet: Sheet, database: Database) -> Iterator[bytes]:
    """Yield the file, then tell how it went."""
    began, number, written = time.monotonic(), wanted.seen.user.id, 0

    def counted(rows: Iterable[Row]) -> Iterator[Row]:
        nonlocal written
        for row in rows:
            written += 1
            yield row

    try:
        with database.reading() as session:
            long = wanted.dataset in STREAMED
            filled = _filled(session, wanted, sheet) if long else sheet
            yield from _pieces(wanted, replace(filled, rows=counted(filled.rows)))
    except Exception as error:
        track_failure("export", error, user_id=number, status_code=200)
        track_event(number, "export.failed", {**_own(wanted), "reason": "error"})
        raise
    took = round((time.monotonic() - began) * 1000)
    done = {"rows": written, "duration_ms": took, "column_set": "default"}
    track_event(number, "export.completed", {**_own(wanted), **done})


def _pieces(wanted: Wanted, sheet: Sheet) -> Iterator[bytes]:
    dialect = text.Dialect(raw=wanted.raw)
    writers: dict[str, Callable[[], Iterator[bytes]]] = {
        "csv": lambda: (piece.encode() for piece in text.csv_lines(sheet, dialect)),
        "json": lambda: (piece.encode() for piece in text.json_lines(sheet)),
        "xlsx": lambda: workbook.pieces(sheet),
    }
    yield from writers[wanted.kind]()
