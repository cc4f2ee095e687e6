"""Downloads: what is seen, as a file. Reported once the last byte was produced."""

import time
from pathlib import Path
from typing import Any

from flask import (
    Blueprint,
    Response,
    current_app,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from app.audit import record
from app.errors import InvalidInput, NotAllowed, NotFound, said
from app.exports import columns, datasets, files, text
from app.exports.columns import SUMMED, Sheet
from app.exports.files import REPORTS, Wanted
from app.exports.paper import PAPERS, Paper
from app.languages import gettext as _
from app.models import Database
from app.models.people import User
from app.people import roles
from app.reports import answer, filters
from app.reports import seen as looking
from app.telemetry.send import track_event, track_failure
from app.views import column_sets, context
from app.views.context import db, now, settings
from app.views.entries import LIST
from app.views.pages import is_htmx
from app.views.report_words import dataset_name, experiment, notes, own_variant

blueprint = Blueprint("exports", __name__, url_prefix="/export")

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
    "json": "application/json",
}
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t"}
DECIMALS = {"point": ".", "comma": ","}
OPTIONS = ("columns", "separator", "decimal", "bom", "paper", "by", "dataset", "kind")
"""What an address says besides the question."""


class _Told:
    """Reports how an export went."""

    def __init__(self, wanted: Wanted, *, custom: bool) -> None:
        self._person = wanted.person.id
        self._own = {"export_type": wanted.kind, "dataset": wanted.dataset}
        self._set = "custom" if custom else "default"
        self._began = time.monotonic()

    def completed(self, rows: int) -> None:
        took = round((time.monotonic() - self._began) * 1000)
        done = {"rows": rows, "duration_ms": took, "column_set": self._set}
        track_event(self._person, "export.completed", {**experiment(), **self._own, **done})

    def failed(self, reason: str, error: Exception | None) -> None:
        if error is not None:
            track_failure("export", error, user_id=self._person, status_code=200)
        failed = {**experiment(), **self._own, "reason": reason}
        track_event(self._person, "export.failed", failed)


@blueprint.app_context_processor
def _words() -> dict[str, Any]:
    """Give templates what decides how an export is offered."""
    return {"export_variant": own_variant, "export_kinds": kinds}


def kinds() -> list[tuple[str, str]]:
    """Return the formats this installation offers, with what each is good for."""
    offered = [
        ("csv", _("CSV, for spreadsheets")),
        ("xlsx", _("Excel, with totals")),
        ("pdf", _("PDF, to print")),
        ("json", _("JSON, for programs")),
    ]
    pdf = current_app.config["ENABLE_PDF_EXPORT"]
    return [(kind, name) for kind, name in offered if kind != "pdf" or pdf]


@blueprint.get("/options")
def options() -> str:
    """Ask for format, columns and the rest before the download."""
    person = _allowed()
    dataset = request.args.get("dataset", "entries")
    shown = columns.default(dataset, money=_money())
    return render_template(
        "_export_form.html" if is_htmx() else "export_form.html",
        dataset=dataset,
        choosable=dataset in column_sets.CHOOSABLE,
        query={k: v for k, v in request.args.items() if k not in {"dataset", "page"}},
        sets=column_sets.offered(person, dataset),
        columns=shown,
        decimal=_decimal_of_locale(person),
    )


@blueprint.get("/download")
def download() -> AnyResponse:
    """Lead to the file the form asks for."""
    given = {k: v for k, v in request.args.items() if v != ""}
    dataset, kind = given.pop("dataset", "entries"), given.pop("kind", "csv")
    return redirect(url_for("exports.give", dataset=dataset, kind=kind, **given))  # type: ignore[arg-type]  # words of an address are text


@blueprint.get("/<dataset>.<kind>")
def give(dataset: str, kind: str) -> Response:
    """Stream a dataset as the question in the address narrows it."""
    person = _allowed()
    if kind not in TYPES:
        raise NotFound(
            said("There is no export as %(kind)r.", kind=kind),
            hint=said("Use %(types)s.", types=", ".join(TYPES)),
        )
    if kind == "pdf" and not current_app.config["ENABLE_PDF_EXPORT"]:
        raise NotAllowed("Exports as PDF are disabled on this installation.")
    columns.known(dataset)
    wanted = _wanted(person, dataset, kind)
    sheet = _sheet(db(), wanted)
    told = _Told(wanted, custom=sheet.custom)
    sheet, number = files.counted(db(), wanted, sheet)
    files.refuse_too_many(number, current_app.config["EXPORT_MAX_ROWS"], told)
    if not current_app.config["READ_ONLY"]:
        with context.database().writing() as session:
            noted = {"dataset": (None, dataset), "rows": (None, number)}
            record(session, context.actor(), "export", now(), changes=noted)
    database: Database = current_app.extensions["database"]
    body = files.written(database, wanted, sheet, told)
    return Response(
        stream_with_context(body),
        mimetype=TYPES[kind],
        headers={"Content-Disposition": f'attachment; filename="{wanted.name}"'},
    )


def _allowed() -> User:
    person = context.user()
    if not current_app.config["ENABLE_EXPORTS"]:
        raise NotAllowed("Exports are disabled on this installation.")
    return person


def _money() -> bool:
    return roles.may(context.user(), "rates.see", settings())


def _decimal_of_locale(person: User) -> str:
    """Return which decimal sign people of this language expect."""
    return "point" if person.locale.startswith("en") else "comma"


def _wanted(person: User, dataset: str, kind: str) -> Wanted:
    if dataset in REPORTS - {"entries"}:
        roles.demand(person, "reports.own", settings())
    asked = {
        name: ",".join(request.args.getlist(name))
        for name in request.args
        if name not in {*OPTIONS, "page"}
    }
    question = filters.parse({k: v for k, v in asked.items() if v != ""}, start=LIST)
    return Wanted(
        person=person,
        dataset=dataset,
        kind=kind,
        seen=looking.look(db(), person, question, now(), settings()),
        words=datasets.Words(
            none=_("None"), billable=_("Billable"), unbillable=_("Not billable")
        ),
        dialect=text.Dialect(
            separator=_word("separator", SEPARATORS),
            decimal=_word("decimal", DECIMALS),
            bom=request.args.get("bom", "") == "1",
        ),
        paper=Paper(
            size=_word("paper", {paper: paper for paper in PAPERS}),
            most_rows=current_app.config["PDF_MAX_ROWS"],
            fonts=_fonts(),
        ),
        by=request.args.get("by", "user"),
    )


def _word(name: str, known: dict[str, str]) -> str:
    given = request.args.get(name, "") or next(iter(known))
    if given not in known:
        raise InvalidInput(
            said("%(name)s cannot be %(given)r.", name=name, given=given[:40]),
            hint=said("Use %(known)s.", known=", ".join(known)),
            attr=name,
        )
    return known[given]


def _fonts() -> tuple[Path, ...]:
    """Return the files of the typeface of the screens, Latin letters first."""
    folder = Path(current_app.static_folder or "")
    found = sorted(folder.glob("inter-*-wght-normal-*.woff2"))
    return tuple(
        sorted(found, key=lambda file: not file.name.startswith("inter-latin-wght"))
    )


def _sheet(session: Session, wanted: Wanted) -> Sheet:
    """Return the dataset without its rows: what is said above it and its columns."""
    dataset, money = wanted.dataset, _money()
    number = request.args.get("columns", "")
    printed = wanted.kind == "pdf"
    if number:
        listed = column_sets.find(session, wanted.person, dataset, number).columns
        shown = columns.chosen(dataset, listed, money=money)
    else:
        shown = columns.default(dataset, money=money, printed=printed)
    total: dict[str, int] = {}
    if dataset == "entries" and money and wanted.kind in {"xlsx", "pdf"}:
        total = answer.grouped(session, wanted.seen, ()).total.amounts
    about = notes(wanted.seen, sorted(total.items())) if dataset in REPORTS else []
    one_currency = frozenset({"amount"} if len(total) == 1 else ())
    return Sheet(
        dataset=dataset,
        columns=shown,
        rows=(),
        title=f"TimeTracker · {dataset_name(dataset)}",
        notes=about,
        custom=bool(number),
        sums=SUMMED | one_currency if dataset == "entries" else frozenset(),
    )
