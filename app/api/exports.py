"""Downloads: ``/exports/{dataset}.{format}``, the same rows as from the screens.

CSV, XLSX and JSON; a PDF is for people and comes from the screens. Long datasets are
read while they are sent; a file that breaks off looks broken.
"""

import time
from collections.abc import Mapping
from typing import Any

from flask import Response, stream_with_context

from app.api import kinds, reports
from app.api.call import Answer, Call
from app.api.shapes import Field, may
from app.audit import record
from app.errors import NotFound
from app.exports import columns, files, text
from app.exports.columns import SUMMED, Sheet
from app.exports.files import REPORTS, Wanted
from app.people import roles
from app.reports import filters
from app.reports import seen as looking
from app.reports.filters import Question
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


class _Told:
    """Reports how an export went."""

    def __init__(self, wanted: Wanted, config: Mapping[str, Any]) -> None:
        self._person = wanted.person.id
        self._own = {
            "experiment_variant": variant(config, "export_dialog", self._person),
            "export_type": wanted.kind,
            "dataset": wanted.dataset,
        }
        self._began = time.monotonic()

    def completed(self, rows: int) -> None:
        took = round((time.monotonic() - self._began) * 1000)
        done = {"rows": rows, "duration_ms": took, "column_set": "default"}
        track_event(self._person, "export.completed", {**self._own, **done})

    def failed(self, reason: str, error: Exception | None) -> None:
        if error is not None:
            track_failure("export", error, user_id=self._person, status_code=200)
        track_event(self._person, "export.failed", {**self._own, "reason": reason})


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
    told = _Told(wanted, call.config)
    sheet, number = files.counted(call.session, wanted, sheet)
    files.refuse_too_many(number, call.config["EXPORT_MAX_ROWS"], told)
    if not call.config["READ_ONLY"]:
        with call.database.writing() as session:
            noted = {"dataset": (None, wanted.dataset), "rows": (None, number)}
            record(session, call.actor, "export", call.now, changes=noted)
    body = files.written(call.database, wanted, sheet, told)
    made = Response(stream_with_context(body), mimetype=TYPES[wanted.kind])
    made.headers["Content-Disposition"] = f'attachment; filename="{wanted.name}"'
    return Answer(stream=made)


def _wanted(call: Call) -> Wanted:
    dataset, kind = call.words["dataset"], call.words["format"]
    if dataset not in DATASETS or kind not in TYPES:
        raise NotFound(
            f"There is no export {f'{dataset}.{kind}'[:60]!r}.",
            hint=f"There are {', '.join(DATASETS)} as {', '.join(TYPES)}.",
        )
    if dataset in REPORTS - {"entries"}:
        roles.demand(call.user, "reports.own", call.settings)
    given = {n: v for n, v in call.query.items() if n not in {"by", "raw"}}
    question = filters.parse(given, start=START)
    return Wanted(
        person=call.user,
        dataset=dataset,
        kind=kind,
        seen=looking.look(call.session, call.user, question, call.now, call.settings),
        by=call.query.get("by", "user"),
        dialect=text.Dialect(raw=call.query.get("raw", False)),
    )


def _notes(wanted: Wanted) -> list[str]:
    seen = wanted.seen
    if wanted.dataset not in REPORTS:
        return []
    return [f"{seen.first} to {seen.last} · {seen.question.zone or 'zone of each entry'}"]
