"""How an account leaves by the API: deleted, or anonymised where time was recorded on it.

Recorded time always stays. The line of the audit trail is the receipt: what went and
what stayed, in figures. Where the analytics server is a Hedgerow and a key was given,
the person is deleted there, too; its answer is a line of the trail.
"""

from dataclasses import asdict
from functools import partial

from app import audit
from app.api.call import Answer, Call
from app.api.users import USER, named, refuse_oneself, shown, stop_timer
from app.audit import Object
from app.errors import Unreachable
from app.models.people import User
from app.people import directory
from app.telemetry import persons
from app.telemetry.reporter import EXTENSION, Reporter

__all__ = ["USER", "anonymise_user", "delete_user"]


def delete_user(call: Call) -> Answer:
    """Delete an account that holds no time.

    One that does is refused with what it holds: anonymise it, then its entries stay.
    """
    user = directory.find(call.session, call.path["user"])
    refuse_oneself(call, user)
    figures, number = _figures(call, user), user.id
    directory.remove(call.session, user)
    _gone(
        call,
        "user.deleted",
        Object(type="user", id=number, label=f"User {number}"),
        figures,
    )
    return Answer()


def anonymise_user(call: Call) -> Answer:
    """Take from an account what says who it was; its entries stay, nobody signs in again.

    An anonymised account is anonymised already: it comes back as it is.
    """
    user = directory.find(call.session, call.path["user"])
    if not directory.is_anonymous(user):
        refuse_oneself(call, user)
        stop_timer(call, user)
        figures = _figures(call, user)
        directory.anonymise(call.session, user, call.now)
        _gone(call, "user.anonymised", named(user), figures)
    return Answer(body=shown(user))


def _figures(call: Call, user: User) -> dict[str, tuple[int, None]]:
    holds = asdict(directory.belongings(call.session, user))
    return {name: (count, None) for name, count in holds.items()}


def _gone(
    call: Call, action: str, target: Object, figures: dict[str, tuple[int, None]]
) -> None:
    call.note(action, target, figures)
    call.tell("admin.user_deleted")
    if persons.can_delete(call.config):
        call.afterwards.append(partial(_forget_there, call, target))


def _forget_there(call: Call, target: Object) -> None:
    """Ask the Hedgerow to forget the person, too, and keep its answer."""
    reporter: Reporter = call.extensions[EXTENSION]
    try:
        answer = persons.delete(reporter, target.id or 0)
    except Unreachable as error:
        answer = str(error)
    changes = {"answer": (None, answer)}
    with call.database.writing() as writing:
        audit.record(
            writing, call.actor, "user.forgotten", call.now, on=target, changes=changes
        )
