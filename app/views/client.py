"""One client: name, number, currency, colour, notes and rounding in one form."""

from http import HTTPStatus

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.audit import Object, record
from app.errors import TimeTrackerError
from app.languages import gettext as _
from app.models.work import Client
from app.telemetry.send import track_event
from app.views import context, forms, rounding
from app.views.context import commit, db, demand, now
from app.views.organise import client_pages as blueprint
from app.views.pages import STATUS
from app.work import clients
from app.work.clients import ClientFields

__all__ = ["blueprint"]


@blueprint.route("/<int:number>", methods=["GET", "POST"])
def edit(number: int) -> str | Response | tuple[str, int]:
    """Show a client's form, or keep what was typed."""
    person = demand("work.create")
    client = clients.find(db(), number)
    if request.method == "GET":
        return _form(client, None)
    try:
        client, changed = clients.save(db(), client, _typed())
    except TimeTrackerError as error:
        db().rollback()
        return _form(clients.find(db(), number), error), STATUS.get(error.code, 422)
    target = Object(type="client", id=client.id, label=client.name)
    changes = dict.fromkeys(changed, (None, None))
    if changed:
        record(db(), context.actor(), "client.updated", now(), on=target, changes=changes)
    commit()
    if changed:
        track_event(person.id, "client.updated", {"fields": changed})
    context.say(_("Saved"))
    return redirect(url_for("clients.index"), code=HTTPStatus.SEE_OTHER)


def _typed() -> ClientFields:
    return ClientFields(
        name=forms.text("name"),
        currency=forms.text("currency"),
        number=forms.text("number"),
        notes=forms.text("notes"),
        color=forms.number_or_none("color"),
        rounding=rounding.typed(),
    )


def _form(client: Client, error: TimeTrackerError | None) -> str:
    return render_template(
        "client_form.html",
        client=client,
        error=error,
        typed=forms.kept() if error else {},
    )
