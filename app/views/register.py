"""Making an account oneself, and a link for a forgotten password.

Both are addresses that answer 404 unless the operator wants them: registration with
``ALLOW_SELF_REGISTER``, the link wherever mail is sent. With mail a new account is
confirmed by the link that lets its owner choose a password; without, the password is
chosen at once. What is answered never says whose address is known.
"""

from http import HTTPStatus

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from app.audit import Object, record
from app.errors import InvalidInput, NotFound, TimeTrackerError, said
from app.models.people import User
from app.people import accounts, sessions
from app.telemetry.send import identify_user, track_event
from app.views import context, forms, post
from app.views.addresses import password_link
from app.views.context import commit, db, now, settings
from app.views.pages import STATUS
from app.views.signin import begin_session, limits

blueprint = Blueprint("register", __name__)

REGISTERING, FORGETTING = "\0register", "\0forgot"
"""Names under which these acts count as tries of an address; nobody can have them."""


def is_open() -> bool:
    """Return whether people may make accounts themselves."""
    config = current_app.config
    local = config["ENABLE_LOCAL_LOGIN"] and config["AUTH_METHOD"] != "oidc"
    return bool(config["ALLOW_SELF_REGISTER"] and local)


def sends_links() -> bool:
    """Return whether a forgotten password can be replaced by mail."""
    config = current_app.config
    local = config["ENABLE_LOCAL_LOGIN"] and config["AUTH_METHOD"] != "oidc"
    return bool(local and post.works())


@blueprint.route("/register", methods=["GET", "POST"])
def register() -> str | Response | tuple[str, int]:
    """Make an account, if this installation lets anybody do so."""
    if not is_open():
        raise NotFound("There is nothing at this address.")
    if request.method == "GET":
        return _form(None)
    address = context.browser().address
    sessions.wait(db(), REGISTERING, address, now(), limits=limits())
    try:
        person = accounts.make(
            db(), _wanted(), settings(),
            least_password=current_app.config["PASSWORD_MIN_LENGTH"],
        )  # fmt: skip
    except TimeTrackerError as error:
        db().rollback()
        return _form(error), STATUS.get(error.code, 422)
    sessions.note_failure(db(), REGISTERING, address, now())
    record(db(), context.actor(), "user.registered", now(),
           on=Object(type="user", id=person.id, label=person.display_name))  # fmt: skip
    if post.works():
        token = accounts.make_link(db(), person, "password", now())
        commit()
        post.confirm(person, password_link(token))
        return render_template("mail_sent.html", address=person.email)
    begin_session(person, "local", keep=False)
    commit()
    identify_user(person)
    track_event(person.id, "auth.signup", {"signup_method": "local"})
    track_event(person.id, "auth.login", {"auth_method": "local", "is_first_login": True})
    return redirect(url_for("dashboard.today"), code=HTTPStatus.SEE_OTHER)


def _wanted() -> accounts.NewUser:
    """Return the account the form asks for; with mail its password comes later."""
    mails, form = post.works(), request.form
    address = accounts.checked_address(forms.text("email"))
    if mails and address is None:
        raise InvalidInput("A mail address is needed.", hint="It is confirmed by a mail.",
                           attr="email")  # fmt: skip
    domains = current_app.config["SELF_REGISTER_DOMAINS"]
    domain = (address or "").rpartition("@")[2].lower()
    if domains and domain not in {one.lower() for one in domains}:
        raise InvalidInput(
            said("Addresses at %(domain)r cannot register here.", domain=domain),
            hint=said("Use one at %(domains)s.", domains=", ".join(domains)),
            attr="email",
        )
    if not mails and form.get("password", "") != form.get("password_again", ""):
        raise InvalidInput("The two passwords differ.", attr="password_again")
    return accounts.NewUser(
        username=forms.text("username"),
        display_name=forms.text("display_name"),
        email=address,
        password=None if mails else form.get("password", ""),
        signup_method="local",
    )


def _form(error: TimeTrackerError | None) -> str:
    return render_template(
        "register.html", error=error, typed=forms.kept(), mails=post.works(),
        domains=current_app.config["SELF_REGISTER_DOMAINS"],
    )  # fmt: skip


@blueprint.route("/forgot", methods=["GET", "POST"])
def forgot() -> str:
    """Send a link for a new password to whoever has this name or address."""
    if not sends_links():
        raise NotFound("There is nothing at this address.")
    if request.method == "GET":
        return render_template("forgot.html")
    context.refuse_when_read_only()
    address = context.browser().address
    sessions.wait(db(), FORGETTING, address, now(), limits=limits())
    sessions.note_failure(db(), FORGETTING, address, now())
    person = _known(forms.text("who"))
    token = accounts.make_link(db(), person, "password", now()) if person else ""
    commit()
    if person is not None:
        post.reset(person, password_link(token))
    return render_template("mail_sent.html", address="")


def _known(said: str) -> User | None:
    """Return the one active local user of this name or address who can be written to."""
    found = accounts.by_name(db(), said)
    if found is None and said:
        query = select(User).where(func.lower(User.email) == said.lower(), User.is_active)
        same = db().scalars(query.limit(2)).all()
        found = same[0] if len(same) == 1 else None
    local = found is not None and found.is_active and found.auth_method == "local"
    return found if local and found is not None and found.email else None
