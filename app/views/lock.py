"""Administration, Lock date: the books are closed up to a day.

Nothing on or before it can be made, changed or removed, except by an administrator who
gives a reason. The day may be fixed, or move with the calendar.
"""

from dataclasses import dataclass
from datetime import date
from http import HTTPStatus

from flask import Blueprint, current_app, redirect, render_template, url_for
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from app import settings as rules
from app.audit import Object, record
from app.errors import InvalidInput, TimeTrackerError, said
from app.languages import gettext as _
from app.models.entries import TimeEntry
from app.telemetry.send import track_event
from app.tracking.days import day_of, zone
from app.views import context, forms
from app.views.context import commit, db, now
from app.views.pages import STATUS
from app.views.words import day

blueprint = Blueprint("lock", __name__, url_prefix="/admin/lock")

MOST_DAYS = 3650


@dataclass(frozen=True)
class Lock:
    """The lock as the form has it."""

    kind: str
    """``none``, ``date``, ``days`` or ``month``."""
    date: str = ""
    days: str = "30"


def _today() -> date:
    return day_of(now(), zone(context.user().timezone))


@blueprint.get("")
def show() -> str:
    """Show up to which day the books are closed, and how much that is."""
    context.demand("administer")
    return _page(None)


def _page(error: TimeTrackerError | None) -> str:
    said = context.settings().lock_before
    through = rules.last_day_of(said, _today())
    locked = db().scalar(
        select(func.count(TimeEntry.id)).where(
            TimeEntry.deleted_at.is_(None), TimeEntry.local_date <= (through or date.min)
        )
    )
    return render_template(
        "lock.html",
        lock=_typed() if error else _read(said),
        through=through,
        locked=locked,
        fixed="LOCK_BEFORE" in current_app.config["SET_IN_ENVIRONMENT"],
        error=error,
        today=_today(),
        most=MOST_DAYS,
    )


def _read(said: str) -> Lock:
    if not said:
        return Lock("none")
    if said == "last-month":
        return Lock("month")
    if said.startswith("-"):
        return Lock("days", days=said[1:-1])
    return Lock("date", date=said)


def _typed() -> Lock:
    return Lock(forms.text("kind"), forms.text("date"), forms.text("days"))


@blueprint.post("")
def save() -> Response | tuple[str, int]:
    """Close the books up to another day, or open them."""
    admin = context.demand("administer")
    before = context.settings().lock_before
    try:
        said = _said()
        changed = rules.save(db(), current_app.config, {"LOCK_BEFORE": said})
    except TimeTrackerError as error:
        db().rollback()
        return _page(error), STATUS.get(error.code, 422)
    if changed:
        record(db(), context.actor(), "lock_date.changed", now(), on=Object(type="settings"),
               changes={"LOCK_BEFORE": (before, said)})  # fmt: skip
    commit()
    if changed:
        track_event(admin.id, "admin.lock_date_changed", {})
    through = rules.last_day_of(said, _today())
    closed = _("Closed up to %(day)s", day=day(through, "d MMM y")) if through else ""
    context.say(closed or _("Nothing is locked"))
    return redirect(url_for("lock.show"), code=HTTPStatus.SEE_OTHER)


def _said() -> str:
    """Return the form's lock as the variable has it."""
    kind = forms.text("kind")
    if kind == "none":
        return ""
    if kind == "month":
        return "last-month"
    if kind == "days":
        days = forms.number_or_none("days")
        if days is None or not 1 <= days <= MOST_DAYS:
            raise InvalidInput(
                said("%(text)r days cannot be used.", text=forms.text("days")),
                hint=said("Use 1 to %(most_days)s.", most_days=MOST_DAYS),
                attr="days",
            )
        return f"-{days}d"
    if kind != "date":
        raise InvalidInput(
            said("%(kind)r is no way to lock.", kind=kind), hint="Choose one of the four."
        )
    return _chosen(forms.text("date")).isoformat()


def _chosen(text: str) -> date:
    try:
        chosen = date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(
            said("%(text)r is no day.", text=text[:20]),
            hint="Write it like 2025-12-31.",
            attr="date",
        ) from error
    if chosen >= _today():
        raise InvalidInput(
            said("%(chosen)s cannot be locked: it is not over yet.", chosen=chosen),
            hint="Choose a day before today.",
            attr="date",
        )
    return chosen
