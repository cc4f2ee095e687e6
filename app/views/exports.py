"""Downloads: what is seen, as a file. Reported once the last byte was produced."""

import time
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, current_app, stream_with_context

from app.audit import record
from app.errors import NotAllowed, NotFound
from app.exports import columns, text
from app.exports.columns import Columns, Line
from app.models import Database
from app.models.people import User
from app.people import roles
from app.reports import filters, rows
from app.telemetry.experiments import variant
from app.telemetry.send import track_event, track_failure
from app.tracking.days import day_of, zone
from app.views import context
from app.views.context import db, now, settings
from app.views.entries import asked

blueprint = Blueprint("exports", __name__, url_prefix="/export")

TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
EXPERIMENT = "export_dialog"


@blueprint.get("/entries.<kind>")
def entries(kind: str) -> Response:
    """Stream the entries a question is about."""
    person = context.user()
    if not current_app.config["ENABLE_EXPORTS"]:
        raise NotAllowed("Exports are disabled on this installation.")
    if kind not in TYPES:
        raise NotFound(f"There is no export as {kind!r}.", hint="Use csv or json.")
    question = asked()
    today = day_of(now(), zone(person.timezone))
    first, last = filters.days(question, today, person.week_start)
    picked = rows.condition(question, person, first, last)
    shown = columns.default(money=roles.may(person, "rates.see", settings()))
    if not current_app.config["READ_ONLY"]:
        number = rows.count(db(), picked)[0]
        with context.database().writing() as session:
            record(
                session,
                context.actor(),
                "export",
                now(),
                changes={"dataset": (None, "entries"), "rows": (None, number)},
            )
    body = _told(person, kind, picked, question.sort, shown)
    name = f"timetracker-entries-{first}_{last}.{kind}"
    return Response(
        stream_with_context(body),
        mimetype=TYPES[kind],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _told(
    person: User, kind: str, picked: Any, sort: str, shown: Columns
) -> Iterator[bytes]:
    """Yield the file, then tell how it went; a file that breaks off looks broken."""
    database: Database = current_app.extensions["database"]
    began, written = time.monotonic(), 0
    moment = now()

    def lines() -> Iterator[Line]:
        nonlocal written
        with database.reading() as session:
            for entry in rows.stream(session, picked, sort):
                yield Line(entry=entry, now=moment)
                written += 1

    own = {"experiment_variant": variant(current_app.config, EXPERIMENT, person.id)}
    try:
        if kind == "csv":
            pieces = text.csv_lines(lines(), shown, text.Dialect())
        else:
            pieces = text.json_lines(lines(), shown)
        for piece in pieces:
            yield piece.encode()
    except Exception as error:
        track_failure("export", error, user_id=person.id, status_code=200)
        track_event(
            person.id,
            "export.failed",
            {**own, "export_type": kind, "dataset": "entries", "reason": "error"},
        )
        raise
    track_event(
        person.id,
        "export.completed",
        {
            **own,
            "export_type": kind,
            "dataset": "entries",
            "rows": written,
            "duration_ms": round((time.monotonic() - began) * 1000),
            "column_set": "custom" if shown.custom else "default",
        },
    )
