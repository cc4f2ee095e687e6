"""Administration, Users: who has an account, made, changed and let go.

A new user gets a link that works once, to choose a password; so does somebody who forgot
theirs. The link is shown once, on the page that answers the form, and kept as a hash.
What happens to the account is told in the name of the administrator; who it happened to
is never named in an event.
"""

from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.audit import Object, record
from app.errors import Conflict, InvalidInput, TimeTrackerError, said
from app.languages import gettext as _
from app.models.entries import TimeEntry
from app.models.people import ROLES, User
from app.people import accounts, directory, sessions
from app.people.directory import Changes, Wanted
from app.telemetry.send import identify_user, track_event
from app.tracking import timers
from app.views import context, forms, post
from app.views.addresses import password_link
from app.views.context import commit, db, now, settings
from app.views.pages import STATUS
from app.views.signin import limits
from app.views.timer import tell_stop

Page = str | Response | tuple[str, int]

blueprint = Blueprint("users", __name__, url_prefix="/admin/users")


def named(person: User) -> Object:
    """Return a user as the audit trail calls them."""
    return Object(type="user", id=person.id, label=person.display_name)


@blueprint.get("")
def index() -> str:
    """List the accounts: search, role, state, page."""
    context.demand("administer")
    asked = request.args
    wanted = Wanted(
        text=asked.get("q", ""),
        role=asked.get("role", "") if asked.get("role") in ROLES else "",
        state=asked.get("state", "")
        if asked.get("state") in directory.STATES
        else "active",
        start=max(0, forms.number_or_none("from", asked) or 0),
    )
    found, total = directory.listed(db(), wanted)
    names = [person.username for person in found]
    return render_template(
        "users.html",
        listed=found,
        total=total,
        wanted=wanted,
        per_page=directory.PER_PAGE,
        roles=ROLES,
        waiting=sessions.waiting(db(), names, now(), limits=limits()),
    )


@blueprint.route("/new", methods=["GET", "POST"])
def invite() -> Page:
    """Make an account and show the link with which its owner chooses a password."""
    admin = context.demand("administer")
    if request.method == "GET":
        return _new(None)
    try:
        new = accounts.NewUser(
            username=forms.text("username"),
            display_name=forms.text("display_name"),
            email=forms.text("email"),
            role=forms.text("role", "user"),
        )
        person = accounts.make(db(), new, settings())
    except TimeTrackerError as error:
        db().rollback()
        return _new(error), STATUS.get(error.code, 422)
    token = accounts.make_link(db(), person, "password", now())
    record(db(), context.actor(), "user.created", now(), on=named(person),
           changes={"role": (None, person.role)})  # fmt: skip
    commit()
    track_event(admin.id, "admin.user_created", {"role": person.role})
    return _link(person, token, made=True)


def _new(error: TimeTrackerError | None) -> str:
    return render_template("user_new.html", error=error, typed=forms.kept(), roles=ROLES)


def _link(person: User, token: str, *, made: bool) -> str:
    """Show a link that nobody will see again, and send it where mail is set up."""
    link = password_link(token)
    sent = (post.invite if made else post.reset)(person, link)
    return render_template("user_link.html", person=person, link=link, made=made, sent=sent)


@blueprint.get("/<int:number>")
def show(number: int) -> str:
    """Show one account."""
    context.demand("administer")
    return _one(directory.find(db(), number), None)


def _one(person: User, error: TimeTrackerError | None) -> str:
    return render_template(
        "user.html",
        person=person,
        error=error,
        typed=forms.kept() if error else {},
        roles=ROLES,
        anonymous=directory.is_anonymous(person),
        holds=directory.belongings(db(), person),
        waits=bool(sessions.waiting(db(), [person.username], now(), limits=limits())),
        me=context.user().id,
    )


@blueprint.post("/<int:number>")
def change(number: int) -> Page:
    """Keep names, address and role."""
    admin = context.demand("administer")
    person = directory.find(db(), number)
    wanted = Changes(
        username=forms.text("username"),
        display_name=forms.text("display_name"),
        email=forms.text("email"),
    )
    try:
        _refuse_anonymous(person)
        changed = directory.change(db(), person, wanted)
        before = accounts.change_role(db(), person, forms.text("role", person.role))
    except TimeTrackerError as error:
        db().rollback()
        return _one(directory.find(db(), number), error), STATUS.get(error.code, 422)
    if changed:
        record(db(), context.actor(), "user.updated", now(), on=named(person),
               changes=changed)  # fmt: skip
    if before != person.role:
        record(db(), context.actor(), "user.role", now(), on=named(person),
               changes={"role": (before, person.role)})  # fmt: skip
    commit()
    if changed:
        track_event(admin.id, "admin.user_updated", {"fields": sorted(changed)})
    if before != person.role:
        told = {"old_role": before, "new_role": person.role, "by": "admin"}
        track_event(admin.id, "admin.user_role_changed", told)
        identify_user(person, logged_in=False)
    return _again(number, _("Saved"))


def _refuse_anonymous(person: User) -> None:
    if directory.is_anonymous(person):
        raise InvalidInput(
            said("%(display_name)r was anonymised.", display_name=person.display_name),
            hint="Make a new account instead.",
        )


def _again(number: int, said: str) -> Response:
    context.say(said)
    return redirect(url_for("users.show", number=number), code=HTTPStatus.SEE_OTHER)


@blueprint.post("/<int:number>/link")
def link(number: int) -> Page:
    """Make a new link to choose a password; earlier ones end."""
    context.demand("administer")
    person = directory.find(db(), number)
    _refuse_anonymous(person)
    if not person.is_active:
        raise Conflict(
            said("%(display_name)r cannot sign in.", display_name=person.display_name),
            hint="Reactivate the account first.",
        )
    token = accounts.make_link(db(), person, "password", now())
    sessions.forgive_everywhere(db(), person.username)
    record(db(), context.actor(), "user.link", now(), on=named(person))
    commit()
    return _link(person, token, made=False)


@blueprint.post("/<int:number>/deactivate")
def deactivate(number: int) -> Response:
    """Keep somebody from signing in; a timer of theirs that runs is stopped now."""
    admin = context.demand("administer")
    person = directory.find(db(), number)
    refuse_oneself(person)
    accounts.deactivate(db(), person)
    entry = stop_timer(person)
    sessions.revoke_others(db(), person, None)
    record(db(), context.actor(), "user.deactivated", now(), on=named(person),
           changes={"is_active": (True, False)})  # fmt: skip
    commit()
    if entry is not None:
        tell_stop(person, entry)
    track_event(admin.id, "admin.user_deactivated", {})
    return _again(number, _("%(name)s can no longer sign in", name=person.display_name))


def stop_timer(person: User) -> TimeEntry | None:
    """Stop the timer of somebody who cannot do it any more; return its entry."""
    if timers.running(db(), person) is None:
        return None
    stopped = timers.stop(db(), person, now(), settings=settings(), stopped_by="admin")
    return stopped.entry


def refuse_oneself(person: User) -> None:
    """Raise Conflict where an administrator is about to lock themselves out."""
    if person.id == context.user().id:
        raise Conflict(
            "You cannot do this to your own account.", hint="Ask another administrator."
        )


@blueprint.post("/<int:number>/reactivate")
def reactivate(number: int) -> Response:
    """Let somebody sign in again."""
    admin = context.demand("administer")
    person = directory.find(db(), number)
    directory.reactivate(person)
    record(db(), context.actor(), "user.reactivated", now(), on=named(person),
           changes={"is_active": (False, True)})  # fmt: skip
    commit()
    track_event(admin.id, "admin.user_updated", {"fields": ["is_active"]})
    return _again(number, _("%(name)s can sign in again", name=person.display_name))


@blueprint.post("/<int:number>/sessions")
def end_sessions(number: int) -> Response:
    """Sign somebody out everywhere."""
    context.demand("administer")
    person = directory.find(db(), number)
    row = context.browser_session().row
    keep = row.id if row and person.id == context.user().id else None
    sessions.revoke_others(db(), person, keep)
    record(db(), context.actor(), "user.sessions", now(), on=named(person))
    commit()
    return _again(number, _("All sessions have ended"))


@blueprint.post("/<int:number>/unlock")
def unlock(number: int) -> Response:
    """Forget refused sign-ins, so that this person need not wait."""
    context.demand("administer")
    person = directory.find(db(), number)
    sessions.forgive_everywhere(db(), person.username)
    record(db(), context.actor(), "user.unlocked", now(), on=named(person))
    commit()
    return _again(number, _("%(name)s may try again at once", name=person.display_name))
