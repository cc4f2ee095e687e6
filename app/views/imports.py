"""Imports: a file is uploaded, understood, tried, made into entries, and taken back.

Each import has a page of its own that always shows where it stands, so that it can be
left and found again. The scheduler makes the entries; the page asks how far it got.
"""

import csv
import io
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

from flask import (
    Blueprint,
    Response,
    current_app,
    redirect,
    render_template,
    request,
    url_for,
)
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from app.audit import Object, record
from app.errors import NotAllowed, TimeTrackerError, TooLarge, said
from app.exports.text import safe
from app.imports import batches, commit
from app.languages import gettext as _
from app.models.people import User
from app.models.saved import ImportBatch, ImportRow
from app.telemetry.reporter import EXTENSION
from app.telemetry.send import track_event
from app.views import context, imports_asked
from app.views.context import db, demand, now, settings
from app.views.pages import STATUS, is_htmx

blueprint = Blueprint("imports", __name__, url_prefix="/import")


@blueprint.before_request
def _is_on() -> None:
    if not current_app.config["ENABLE_IMPORTS"]:
        raise NotAllowed("Imports are disabled on this installation.")
    demand("import.own")


def _folder() -> Path:
    return Path(current_app.config["DATA_DIR"])


def _list(error: TimeTrackerError | None = None) -> str:
    person = context.user()
    return render_template(
        "imports.html",
        listed=batches.every(db(), person),
        most_mb=min(
            current_app.config["IMPORT_MAX_MB"], current_app.config["MAX_UPLOAD_MB"]
        ),
        most_rows=current_app.config["IMPORT_MAX_ROWS"],
        error=error,
    )


@blueprint.get("")
def index() -> str:
    """List imports, with the way to begin one."""
    return _list()


@blueprint.post("")
def upload() -> AnyResponse | tuple[str, int]:
    """Take a file and say what it is."""
    person = context.user()
    try:
        batch = _uploaded(person)
    except TimeTrackerError as error:
        db().rollback()
        _told_failure("generic", "detect")
        return _list(error), STATUS.get(error.code, 422)
    context.commit()
    return _to(batch)


def _uploaded(person: User) -> ImportBatch:
    sent = request.files.get("file")
    most = current_app.config["IMPORT_MAX_MB"] * 1_000_000
    content = sent.stream.read(most + 1) if sent is not None else b""
    if len(content) > most:
        raise TooLarge(
            said("The file is larger than %(value)s MB.", value=most // 1000000),
            hint="Divide it, or ask an administrator to raise IMPORT_MAX_MB.",
        )
    batches.forget_old(db(), now(), folder=_folder())
    return batches.upload(
        db(),
        person,
        (sent.filename if sent is not None else "") or "file.csv",
        content,
        folder=_folder(),
        most_rows=current_app.config["IMPORT_MAX_ROWS"],
    )


def _to(batch: ImportBatch) -> Response:
    target = url_for("imports.show", number=batch.id)
    if is_htmx():
        response = Response()
        response.headers["HX-Redirect"] = target
        return response
    return redirect(target, code=HTTPStatus.SEE_OTHER)  # type: ignore[return-value]  # Flask's own response class


def _batch(number: int) -> ImportBatch:
    return batches.find(db(), context.user(), number)


@blueprint.get("/<int:number>")
def show(number: int) -> str:
    """Show where an import stands."""
    batch = _batch(number)
    if batch.state == "uploaded" or request.args.get("change"):
        return _questions(batch)
    template = "_import_state.html" if is_htmx() else "import.html"
    return render_template(template, batch=batch, **_owner(batch))


def _owner(batch: ImportBatch) -> dict[str, Any]:
    return {
        "mine": batch.user_id == context.user().id,
        "can_undo": batch.state in {"done", "stopped", "failed"}
        and batch.created_at >= now() - commit.UNDO_FOR,
    }


def _questions(batch: ImportBatch, error: TimeTrackerError | None = None) -> str:
    table = batches.content(_folder(), batch)
    asked = imports_asked.ask(db(), context.user(), batch, table, settings())
    return render_template("import_questions.html", batch=batch, error=error, **asked)


@blueprint.post("/<int:number>/plan")
def plan(number: int) -> AnyResponse | tuple[str, int] | str:
    """Try the file with these answers: what would be made, and what would not."""
    person = context.user()
    batch = _batch(number)
    table = batches.content(_folder(), batch)
    stage = "map"
    try:
        options = imports_asked.answered(batch, table)
        if request.form.get("again"):  # another source was chosen: ask anew
            context.commit()
            return _questions(batch)
        batch.options = {**batch.options, **options}
        stage = "dry_run"
        batches.dry_run(db(), batch, table, now(), settings())
        batches.keep_mapping(db(), person, batch.source, list(table.header), batch.options)
    except TimeTrackerError as error:
        source = batch.source
        db().rollback()
        _told_failure(source, stage)
        return _questions(_batch(number), error), STATUS.get(error.code, 422)
    context.commit()
    return _to(batch)


@blueprint.post("/<int:number>/<any(commit, stop, discard, undo):do>")
def act(number: int, do: str) -> AnyResponse:
    """Begin or go on, interrupt, give up, or take back an import."""
    batch = _batch(number)
    if do == "discard":
        batches.give_up(db(), batch, folder=_folder())
        context.commit()
        context.say(_("The file is removed; nothing was made of it"))
        return redirect(url_for("imports.index"), code=HTTPStatus.SEE_OTHER)
    if do == "undo":
        return _undone(batch)
    if do == "stop":
        commit.stop(batch)
    else:
        commit.begin(batch)
        _noted("import.begun", batch)
    context.commit()
    current_app.extensions[EXTENSION].wake.set()
    return _to(batch)


def _undone(batch: ImportBatch) -> AnyResponse:
    person, source = context.user(), batch.source
    _noted("import.undone", batch)
    context.commit()
    context.close()  # the undo has transactions of its own
    commit.undo(context.database(), batch.id, person, now(), settings())
    track_event(person.id, "import.undone", {"source": source})
    return _to(batch)


def _noted(action: str, batch: ImportBatch) -> None:
    target = Object(type="import", id=batch.id, label=batch.file_name)
    rows = {"rows": (None, batch.counts.get("rows"))}
    record(db(), context.actor(), action, now(), on=target, changes=rows)


def _told_failure(source: str, stage: str) -> None:
    track_event(context.user().id, "import.failed", {"source": source, "stage": stage})


@blueprint.get("/<int:number>/report.csv")
def report(number: int) -> Response:
    """Return what became of every row, as a file."""
    batch = _batch(number)
    query = select(ImportRow).where(ImportRow.batch_id == batch.id).order_by(ImportRow.line)
    database = context.database()

    def lines() -> Iterator[str]:
        with database.reading() as session:
            yield "line,outcome,problem,entry\r\n"
            for row in session.scalars(query).yield_per(1000):
                buffer = io.StringIO()
                cells = [row.line, row.outcome, safe(row.problem or ""), row.entry_id or ""]
                csv.writer(buffer).writerow(cells)
                yield buffer.getvalue()

    name = f"timetracker-import-{batch.id}.csv"
    return Response(
        lines(),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
