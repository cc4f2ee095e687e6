"""Saved filters in their menu: keep, use, share, copy, rename, delete.

A link of the menu leads through ``use``, so that applying is told once, and on to the
report or the list with the question in its address.
"""

from http import HTTPStatus
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.errors import NotFound, said
from app.languages import gettext as _
from app.models.saved import SavedFilter
from app.people import roles
from app.reports import filters
from app.reports import saved as keeping
from app.telemetry.send import track_event
from app.views import context, forms
from app.views.context import commit, db, settings
from app.views.entries import LIST
from app.views.reports_asked import ENDPOINTS, NOT_ASKED, REPORTS, STARTS, address

blueprint = Blueprint("saved", __name__, url_prefix="/saved")


@blueprint.get("/menu")
def menu() -> str:
    """Return own and shared filters, and the form that keeps the present question."""
    person = context.user()
    report = request.args.get("report", "summary")
    scope = "entries" if report == "entries" else "reports"
    query = {k: v for k, v in request.args.items() if k not in NOT_ASKED}
    return render_template(
        "_saved_menu.html",
        report=report,
        query=query,
        listed=keeping.every(db(), person, scope),
    )


@blueprint.get("")
def index() -> str:
    """List all filters this person may use."""
    person = context.user()
    both = [(scope, keeping.every(db(), person, scope)) for scope in keeping.SCOPES]
    return render_template("saved.html", both=both)


@blueprint.get("/<int:number>")
def use(number: int) -> Response:
    """Lead to what the filter asks, today."""
    person = context.user()
    kept = keeping.find(db(), person, number)
    report, question = keeping.question_of(kept)
    _tell(kept, "applied")
    if kept.scope == "entries":
        fields: dict[str, Any] = dict(filters.as_query(question, start=LIST))
        return redirect(url_for("entries.index", **fields))
    if roles.may(person, "reports.own", settings()):
        return redirect(address(report, question))
    return redirect(url_for(ENDPOINTS[report], saved=kept.id))  # see reports_shown.look


@blueprint.post("/keep")
def keep() -> Response:
    """Keep the question that the form carries."""
    person = context.user()
    context.refuse_when_read_only()
    report = forms.text("report")
    if report not in (*REPORTS, "entries"):
        raise NotFound(said("There is no report %(report)r.", report=report[:30]))
    start = LIST if report == "entries" else STARTS[report]
    asked = {
        name: value
        for name, value in request.form.items()
        if name not in {"csrf_token", "name", "report"} and value
    }
    question = filters.parse(asked, start=start)
    query = {**filters.as_query(question), "report": report}
    scope = "entries" if report == "entries" else "reports"
    before = {known.id for known in keeping.every(db(), person, scope)}
    kept = keeping.save(db(), person, forms.text("name"), scope=scope, query=query)
    commit()
    _tell(kept, "updated" if kept.id in before else "created")
    context.say(_("Filter saved"))
    return redirect(url_for("saved.use", number=kept.id), code=HTTPStatus.SEE_OTHER)


@blueprint.post("/<int:number>/change")
def change(number: int) -> Response:
    """Rename a filter, share it, or keep it to oneself again."""
    context.refuse_when_read_only()
    kept = keeping.own(db(), context.user(), number)
    if "name" in request.form:
        keeping.rename(kept, forms.text("name"))
    if "shared" in request.form:
        kept.shared = forms.ticked("shared")
    commit()
    _tell(kept, "updated")
    return redirect(url_for("saved.index"), code=HTTPStatus.SEE_OTHER)


@blueprint.post("/<int:number>/copy")
def copy(number: int) -> Response:
    """Make an own filter of a shared one."""
    context.refuse_when_read_only()
    person = context.user()
    kept = keeping.copy(db(), person, keeping.find(db(), person, number))
    commit()
    _tell(kept, "created")
    context.say(_("Copied"))
    return redirect(url_for("saved.index"), code=HTTPStatus.SEE_OTHER)


@blueprint.post("/<int:number>/delete")
def delete(number: int) -> Response:
    """Delete a filter; the entries it found stay what they are."""
    context.refuse_when_read_only()
    kept = keeping.own(db(), context.user(), number)
    db().delete(kept)
    commit()
    _tell(kept, "deleted")
    context.say(_("Filter deleted"))
    return redirect(url_for("saved.index"), code=HTTPStatus.SEE_OTHER)


def _tell(kept: SavedFilter, what: str) -> None:
    own = {"scope": kept.scope, "shared": kept.shared}
    track_event(context.user().id, f"saved_filter.{what}", own)
