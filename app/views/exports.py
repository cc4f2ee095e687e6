"""Downloads: what is seen, as a file. Reported once the last byte was produced."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
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
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from app.audit import record
from app.errors import InvalidInput, NotAllowed, NotFound, TooLarge
from app.exports import columns, datasets, document, entries, text, workbook
from app.exports.columns import SUMMED, Row, Sheet
from app.models import Database
from app.models.people import User
from app.models.records import AuditLog
from app.people import roles
from app.reports import answer, detail, filters
from app.reports import seen as looking
from app.reports.seen import Seen
from app.telemetry.send import track_event, track_failure
from app.views import column_sets, context
from app.views.context import db, now, settings
from app.views.entries import LIST
from app.views.pages import is_htmx
from app.views.report_words import dataset_name, experiment, notes, own_variant
from app.views.words import gettext as _

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

STREAMED = {"entries", "audit"}
"""Datasets whose rows are read while they are written."""

REPORTS = {"entries", "summary", "weekly", "billable"}
"""Datasets that answer a question; the others are plain tables."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A file that somebody asks for."""

    person: User
    dataset: str
    kind: str
    seen: Seen
    dialect: text.Dialect
    paper: document.Paper
    by: str
    """Rows of the weekly dataset."""


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
        raise NotFound(f"There is no export as {kind!r}.", hint=f"Use {', '.join(TYPES)}.")
    if kind == "pdf" and not current_app.config["ENABLE_PDF_EXPORT"]:
        raise NotAllowed("Exports as PDF are disabled on this installation.")
    columns.known(dataset)
    wanted = _wanted(person, dataset, kind)
    sheet, number = _counted(wanted, _sheet(db(), wanted))
    _refuse_too_many(wanted, number)
    if not current_app.config["READ_ONLY"]:
        with context.database().writing() as session:
            told = {"dataset": (None, dataset), "rows": (None, number)}
            record(session, context.actor(), "export", now(), changes=told)
    body = _told(wanted, sheet)
    return Response(
        stream_with_context(body),
        mimetype=TYPES[kind],
        headers={"Content-Disposition": f'attachment; filename="{_name(wanted)}"'},
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
        dialect=text.Dialect(
            separator=_word("separator", SEPARATORS),
            decimal=_word("decimal", DECIMALS),
            bom=request.args.get("bom", "") == "1",
        ),
        paper=document.Paper(
            size=_word("paper", {paper: paper for paper in document.PAPERS}),
            most_rows=current_app.config["PDF_MAX_ROWS"],
            fonts=_fonts(),
        ),
        by=request.args.get("by", "user"),
    )


def _word(name: str, known: dict[str, str]) -> str:
    given = request.args.get(name, "") or next(iter(known))
    if given not in known:
        raise InvalidInput(
            f"{name} cannot be {given[:40]!r}.", hint=f"Use {', '.join(known)}.", attr=name
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


def _counted(wanted: Wanted, sheet: Sheet) -> tuple[Sheet, int]:
    """Return how many rows it will be; those of short datasets are read right away."""
    if wanted.dataset == "entries":
        return sheet, detail.count(db(), detail.touching(db(), wanted.seen))
    if wanted.dataset == "audit":
        filled = _filled(db(), wanted, sheet)  # asks whether this person may
        return filled, db().scalar(select(func.count(AuditLog.id))) or 0
    filled = _filled(db(), wanted, sheet)
    rows = list(filled.rows)
    return replace(filled, rows=rows), len(rows)


def _filled(session: Session, wanted: Wanted, sheet: Sheet) -> Sheet:
    """Return the dataset with its rows, which are read as they are written."""
    said = datasets.Words(
        none=_("None"), billable=_("Billable"), unbillable=_("Not billable")
    )
    seen = wanted.seen
    match wanted.dataset:
        case "entries":
            picked = detail.touching(session, seen)
            lines = detail.lines(session, seen, picked)
            made = entries.rows(lines, detail.names(session), dict(seen.clients))
            return replace(sheet, rows=made)
        case "summary":
            return datasets.summary(session, seen, sheet, said)
        case "weekly":
            return datasets.week(session, seen, sheet, wanted.by, said)
        case "billable":
            return datasets.to_bill(session, seen, sheet, said)
        case _:
            return datasets.table(session, wanted.person, wanted.dataset, sheet)


def _refuse_too_many(wanted: Wanted, number: int) -> None:
    most = current_app.config["EXPORT_MAX_ROWS"]
    if not most or number <= most:
        return
    _tell_failure(wanted, "too_large")
    raise TooLarge(
        f"This export has {number:,} rows; {most:,} are the most on this installation.",
        hint="Choose a shorter period or add a filter.",
    )


def _name(wanted: Wanted) -> str:
    """Return the name of the file: ``timetracker-entries-2025-10-01_2025-10-31.csv``."""
    seen = wanted.seen
    days = f"-{seen.first}_{seen.last}" if wanted.dataset in REPORTS else ""
    if wanted.dataset in REPORTS and seen.question.range == "all":
        days = "-all"
    return f"timetracker-{wanted.dataset}{days}.{wanted.kind}"


def _told(wanted: Wanted, sheet: Sheet) -> Iterator[bytes]:
    """Yield the file, then tell how it went; a file that breaks off looks broken."""
    database: Database = current_app.extensions["database"]
    began, written = time.monotonic(), 0

    def counted(rows: Any) -> Iterator[Row]:
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
        track_failure("export", error, user_id=wanted.person.id, status_code=200)
        _tell_failure(wanted, "error")
        raise
    track_event(
        wanted.person.id,
        "export.completed",
        {
            **experiment(),
            "export_type": wanted.kind,
            "dataset": wanted.dataset,
            "rows": written,
            "duration_ms": round((time.monotonic() - began) * 1000),
            "column_set": "custom" if sheet.custom else "default",
        },
    )


def _pieces(wanted: Wanted, sheet: Sheet) -> Iterator[bytes]:
    writers: dict[str, Callable[[], Iterator[bytes]]] = {
        "csv": lambda: (p.encode() for p in text.csv_lines(sheet, wanted.dialect)),
        "json": lambda: (p.encode() for p in text.json_lines(sheet)),
        "xlsx": lambda: workbook.pieces(sheet),
        "pdf": lambda: document.pieces(sheet, wanted.paper),
    }
    yield from writers[wanted.kind]()


def _tell_failure(wanted: Wanted, reason: str) -> None:
    own = {"export_type": wanted.kind, "dataset": wanted.dataset, "reason": reason}
    track_event(wanted.person.id, "export.failed", {**experiment(), **own})
