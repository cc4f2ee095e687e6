"""Administration, Users: somebody leaves for good, with a receipt.

First the page says what goes and what stays; recorded time always stays. Afterwards the
line of the audit trail is the receipt: the same figures, at an address of its own.
"""

from dataclasses import asdict
from http import HTTPStatus

from flask import current_app, redirect, render_template, url_for
from werkzeug.wrappers import Response

from app.audit import Object, record
from app.errors import NotFound, Unreachable, said
from app.models.people import User
from app.models.records import AuditLog
from app.people import directory
from app.telemetry import persons
from app.telemetry.reporter import EXTENSION, Reporter
from app.telemetry.send import track_event
from app.views import context
from app.views.context import commit, db, now
from app.views.timer import tell_stop
from app.views.users import blueprint, named, refuse_oneself, stop_timer

__all__ = ["blueprint"]

GONE = {"user.deleted", "user.anonymised"}


@blueprint.get("/<int:number>/delete")
def ask_delete(number: int) -> str:
    """Say what would go and what would stay."""
    context.demand("administer")
    person = directory.find(db(), number)
    return render_template(
        "user_delete.html",
        person=person,
        holds=directory.belongings(db(), person),
        subject=persons.subject(_reporter(), person.id),
        deletes_there=persons.can_delete(current_app.config),
        host=current_app.config["ANALYTICS_HOST"],
    )


@blueprint.post("/<int:number>/delete")
def delete(number: int) -> Response:
    """Delete an account, or anonymise it where time was recorded on it."""
    admin = context.demand("administer")
    person = directory.find(db(), number)
    refuse_oneself(person)
    entry = stop_timer(person)
    holds = directory.belongings(db(), person)
    action = "user.anonymised" if holds.hold else "user.deleted"
    if holds.hold:
        directory.anonymise(db(), person, now())
        target = named(person)
    else:
        directory.remove(db(), person)
        target = Object(type="user", id=number, label=f"User {number}")
    figures = {name: (count, None) for name, count in asdict(holds).items()}
    record(db(), context.actor(), action, now(), on=target, changes=figures)
    commit()
    if entry is not None and holds.hold:
        tell_stop(person, entry)
    track_event(admin.id, "admin.user_deleted", {})
    _forget_there(number, target)
    return redirect(url_for("users.receipt", number=number), code=HTTPStatus.SEE_OTHER)


def _reporter() -> Reporter:
    found: Reporter = current_app.extensions[EXTENSION]
    return found


def _forget_there(number: int, target: Object) -> None:
    """Ask the Hedgerow to forget the person, too, and keep its answer beside the receipt."""
    if not persons.can_delete(current_app.config):
        return
    try:
        said = persons.delete(_reporter(), number)
    except Unreachable as error:
        said = str(error)
    with context.database().writing() as writing:
        record(writing, context.actor(), "user.forgotten", now(), on=target,
               changes={"answer": (None, said)})  # fmt: skip


@blueprint.get("/<int:number>/receipt")
def receipt(number: int) -> str:
    """Show what went with somebody, what stayed, and who did it."""
    context.demand("administer")
    with context.database().reading() as fresh:  # the Hedgerow's answer came after ours
        lines = (
            fresh.query(AuditLog)
            .filter(AuditLog.object_type == "user", AuditLog.object_id == number)
            .order_by(AuditLog.id.desc())
        )
        gone = next((line for line in lines if line.action in GONE), None)
        told = next((line for line in lines if line.action == "user.forgotten"), None)
        if gone is None:
            raise NotFound(said("User number %(number)s was not deleted.", number=number))
        who = fresh.get(User, gone.actor_id) if gone.actor_id else None
    return render_template(
        "user_receipt.html",
        number=number,
        gone=gone,
        figures={name: pair[0] for name, pair in gone.changes.items()},
        who=who.display_name if who else "",
        answer=told.changes["answer"][1] if told else "",
        subject=persons.subject(_reporter(), number),
        host=current_app.config["ANALYTICS_HOST"],
    )
