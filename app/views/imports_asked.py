"""The questions about an imported file: proposed answers, and those that came back."""

from typing import Any

from flask import request
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import InvalidInput, said
from app.imports import batches, people, reading, sources
from app.imports.reading import Table
from app.imports.sources import FIELDS, SOURCES
from app.languages import gettext as _
from app.models.people import User
from app.models.saved import ImportBatch
from app.people import roles
from app.settings import Settings
from app.tracking.days import zone
from app.views import forms

SAMPLES = 3
ORDERS = ("ymd", "dmy", "mdy")


def field_words() -> dict[str, str]:
    """Return what each field is called."""
    return {
        "user": _("Person"),
        "email": _("Person's mail address"),
        "client": _("Client"),
        "project": _("Project"),
        "task": _("Task"),
        "description": _("Description"),
        "tags": _("Tags"),
        "billable": _("Billable"),
        "date": _("Date (of the start)"),
        "start_time": _("Start time"),
        "end_date": _("End date"),
        "end_time": _("End time"),
        "start": _("Start: date and time"),
        "end": _("End: date and time"),
        "duration": _("Duration (1:30 or hours)"),
        "seconds": _("Duration in seconds"),
        "break": _("Break (1:30 or hours)"),
        "break_seconds": _("Break in seconds"),
        "timezone": _("Time zone"),
        "rate": _("Hourly rate"),
    }


def ask(
    session: Session, me: User, batch: ImportBatch, table: Table, settings: Settings
) -> dict[str, Any]:
    """Return what the form of questions shows: what was said before, else proposals."""
    source = SOURCES[batch.source]
    kept = batches.kept_mapping(session, me, source.key)
    said: dict[str, Any] = {**(kept.answers if kept else {}), **batch.options}
    found = said.get("columns") or _found(table, batch, kept.columns if kept else {})
    others = roles.may(me, "import.others", settings)
    names = people.names(table, found)
    orders = reading.date_orders(found, table.rows())
    proposed = people.proposed(session, me, names, others=others)
    return {
        "table": table,
        "sources": [(one.key, one.title) for one in SOURCES.values()],
        "columns": found,
        "samples": _samples(table),
        "fields": [(name, word) for name, word in field_words().items() if name in FIELDS],
        "zone": said.get("zone") or me.timezone,
        "orders": orders,
        "order": said.get("order", ""),
        "names": names.most_common(people.MOST_NAMES),
        "users": {**proposed, **said.get("users", {})},
        "people": _people(session) if others else [me],
        "create": said.get("create", True),
        "long": said.get("long", False),
        "rates": said.get("rates", False),
        "sees_rates": "rate" in found and roles.may(me, "rates.manage", settings),
    }


def _found(table: Table, batch: ImportBatch, kept: dict[str, str]) -> sources.Columns:
    """Return the columns as the last time, where they are all there; else by name."""
    header = list(table.header)
    if kept and set(kept.values()) <= set(header):
        return {name: header.index(title) for name, title in kept.items()}
    return sources.columns(SOURCES[batch.source], table.header)


def _samples(table: Table) -> list[str]:
    """Return for each column what its first cells hold."""
    rows = [row.cells for row, _n in zip(table.rows(), range(SAMPLES), strict=False)]
    return [
        " · ".join(row[place][:30] for row in rows if place < len(row) and row[place])
        for place in range(len(table.header))
    ]


def _people(session: Session) -> list[User]:
    query = select(User).where(User.is_active, User.role != "viewer")
    return list(session.scalars(query.order_by(User.username_key)))


def answered(batch: ImportBatch, table: Table) -> dict[str, Any]:
    """Return the answers of the form, or raise InvalidInput naming what is missing."""
    chosen = forms.text("source")
    if chosen in SOURCES and chosen != batch.source:
        batch.source = chosen
        batch.options = {k: v for k, v in batch.options.items() if k != "columns"}
        found = sources.columns(SOURCES[chosen], table.header)
    else:
        found = _columns(table)
    if request.form.get("again"):
        return {}
    lacking = sources.missing(found)
    if lacking:
        raise InvalidInput(
            "No column says when the time was spent.",
            hint="Choose a start and an end, or a date and a duration.",
            attr="columns",
        )
    return {
        "columns": found,
        "zone": zone(forms.text("zone")).key,
        "order": _order(found, table),
        "users": _users(),
        "create": forms.ticked("create"),
        "long": forms.ticked("long"),
        "rates": forms.ticked("rates"),
    }


def _columns(table: Table) -> sources.Columns:
    found: sources.Columns = {}
    for place in range(len(table.header)):
        name = forms.text(f"column-{place}")
        if name and name in found:
            both = f"{table.header[found[name]]!r} and {table.header[place]!r}"
            raise InvalidInput(
                said(
                    "%(both)s are both %(field_words)r.",
                    both=both,
                    field_words=field_words()[name],
                ),
                hint="Choose one of them.",
                attr="columns",
            )
        if name in FIELDS:
            found[name] = place
    return found


def _order(found: sources.Columns, table: Table) -> str:
    """Return the order of day and month: what the dates say, else what was answered."""
    fitting = reading.date_orders(found, table.rows())
    if len(fitting) == 1:
        return next(iter(fitting))
    chosen = forms.text("order")
    if len(fitting) == len(ORDERS):
        return "ymd"  # no date at all that could be read in two ways
    if not fitting:
        raise InvalidInput(
            "The dates are written in different orders of day and month.",
            hint="Write all of them alike.",
            attr="order",
        )
    if chosen not in fitting:
        raise InvalidInput(
            "The file does not say whether the day or the month comes first.",
            hint="Choose one.",
            attr="order",
        )
    return chosen


def _users() -> dict[str, int]:
    names = request.form.getlist("name")
    numbers = request.form.getlist("user")
    return {
        name: int(number) if number.isdecimal() and len(number) < 16 else people.NOBODY
        for name, number in zip(names, numbers, strict=False)
    }
