"""Signing in and out with a password, and setting one by a one-time link.

Refusals look and take the same for known and unknown names. Redirects after sign-in go
to our own paths only.
"""

from datetime import timedelta
from urllib.parse import urlsplit

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app import demo
from app.audit import Object, record
from app.errors import AccountRefused, InvalidInput, NotFound, TooManyTries
from app.models.people import User
from app.people import accounts, sessions
from app.telemetry.context import coarse_minutes
from app.telemetry.send import identify_user, track_event
from app.tracking import forgotten, timers
from app.views import context
from app.views.context import browser_session, commit, db, now

blueprint = Blueprint("signin", __name__)

HINT = "oidc_hint"
"""Where the browser's session keeps the id_token that ends the provider's session."""


def own_path(target: str | None) -> str:
    """Return ``target`` if it is a path of ours, else the first page."""
    home = url_for("dashboard.today")
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return home
    parts = urlsplit(target)
    safe = not parts.scheme and not parts.netloc and "\\" not in target
    return target if safe else home


def back(otherwise: str) -> str:
    """Return the page of ours that this request came from."""
    here = request.host_url.rstrip("/")
    referrer = request.referrer or ""
    return own_path(referrer.removeprefix(here)) if referrer.startswith(here) else otherwise


def begin_session(person: User, auth_method: str, *, keep: bool) -> bool:
    """Sign ``person`` in at this browser; return whether it was the first time.

    The row is added to the request's session: the caller commits.
    """
    _remember_last_seen(person)
    first = sessions.signed_in(person, now())
    config = current_app.config
    row = browser_session().sign_in(
        person,
        context.browser(),
        now(),
        timedelta(days=config["SESSION_MAX_DAYS"]),
        keep=keep,
    )
    row.auth_method = auth_method
    db().add(row)
    db().flush()
    return first


def _remember_last_seen(person: User) -> None:
    """Keep when this person was last here, where a forgotten timer will ask about it."""
    entry = timers.running(db(), person)
    seen = person.last_seen_at
    if entry and seen and forgotten.to_ask(entry, now(), context.settings()):
        browser_session()["last_seen"] = {"entry": entry.id, "at": int(seen.timestamp())}


def limits() -> sessions.Limits:
    """Return how often signing in may fail here."""
    config = current_app.config
    return sessions.Limits(
        account=tuple(config["LOGIN_RATE_ACCOUNT"]),
        address=tuple(config["LOGIN_RATE_ADDRESS"]),
    )


def local_form_is_offered() -> bool:
    """Return whether the form with user name and password is shown."""
    config = current_app.config
    if not config["ENABLE_LOCAL_LOGIN"] or config["AUTH_METHOD"] == "oidc":
        return request.values.get("local") == "1" and bool(config["OIDC_KEEP_ADMINS"])
    return True


@blueprint.route("/login", methods=["GET", "POST"])
def sign_in() -> str | Response | tuple[str, int]:
    """Ask for user name and password."""
    if request.method == "GET":
        if context.user_or_none() is not None:
            return redirect(own_path(request.args.get("next")))
        return _form(None)
    if not local_form_is_offered():
        raise NotFound("Signing in with a password is switched off here.")
    name, password = request.form.get("username", ""), request.form.get("password", "")
    try:
        person = _checked(name, password)
    except (AccountRefused, TooManyTries) as error:
        return _refused(name, error)
    first = begin_session(person, "local", keep=request.form.get("keep") == "1")
    sessions.forgive(db(), name, context.browser().address)
    record(
        db(),
        context.actor(),
        "auth.login",
        now(),
        on=Object(type="user", id=person.id, label=person.display_name),
    )
    commit()
    identify_user(person)
    track_event(person.id, "auth.login", {"auth_method": "local", "is_first_login": first})
    return redirect(own_path(request.form.get("next")))


def _checked(name: str, password: str) -> User:
    """Return who signs in; checks the password before the write lock is taken."""
    config = current_app.config
    with context.database().reading() as session:
        sessions.wait(session, name, context.browser().address, now(), limits=limits())
        found = sessions.check_password(session, name, password)
        fresh = found.password_hash
    if _only_for_admins() and found.username not in config["OIDC_KEEP_ADMINS"]:
        raise AccountRefused(
            "User name or password is not right.", reason="disabled", hint="Check both."
        )
    person = db().get_one(User, found.id)
    person.password_hash = fresh  # made anew where the parameters have risen
    return person


def _only_for_admins() -> bool:
    config = current_app.config
    return not config["ENABLE_LOCAL_LOGIN"] or config["AUTH_METHOD"] == "oidc"


def _refused(name: str, error: AccountRefused | TooManyTries) -> tuple[str, int]:
    reason = error.reason if isinstance(error, AccountRefused) else "rate_limited"
    if isinstance(error, AccountRefused):
        sessions.note_failure(db(), name, context.browser().address, now())
        record(
            db(), context.actor(), "auth.refused", now(), changes={"reason": (None, reason)}
        )
        commit()
    track_event(None, "auth.login_failed", {"auth_method": "local", "reason": reason})
    status = 401 if isinstance(error, AccountRefused) else 429
    return _form(error), status


def _form(error: AccountRefused | TooManyTries | None) -> str:
    config = current_app.config
    return render_template(
        "signin.html",
        error=error,
        local=local_form_is_offered(),
        username=request.form.get("username", ""),
        next=request.values.get("next", ""),
        oidc=config["OIDC_NAME"]
        if config["ENABLE_OIDC"] and config["AUTH_METHOD"] != "local"
        else None,
        keep_days=config["SESSION_MAX_DAYS"],
        demo=demo if config["DEMO_MODE"] else None,
    )


@blueprint.post("/logout")
def sign_out() -> Response:
    """End this session."""
    person, row = context.user(), browser_session().row
    method = (row.auth_method if row else None) or "local"
    began = row.signed_in_at if row else None
    lasted = (now() - began).total_seconds() if began else 0
    hint = browser_session().get(HINT)
    record(db(), context.actor(), "auth.logout", now())
    commit()
    browser_session().sign_out()
    track_event(
        person.id,
        "auth.logout",
        {"auth_method": method, "session_minutes": coarse_minutes(lasted, most=100_000)},
    )
    if method == "oidc" and current_app.config["OIDC_LOGOUT"]:
        browser_session()[HINT] = hint
        return redirect(url_for("oidc.ended"))
    return redirect(url_for("signin.sign_in"))


@blueprint.route("/password/<token>", methods=["GET", "POST"])
def password(token: str) -> str | Response | tuple[str, int]:
    """Let somebody with a one-time link choose a password."""
    link = accounts.open_link(db(), token, "password", now())
    person = db().get_one(User, link.user_id)
    if request.method == "GET":
        return render_template("password.html", person=person, token=token, wrong=None)
    wrong = None
    try:
        if request.form.get("password", "") != request.form.get("password_again", ""):
            raise InvalidInput("The two passwords differ.", attr="password_again")  # noqa: TRY301 - one place shows what is wrong
        least = current_app.config["PASSWORD_MIN_LENGTH"]
        accounts.set_password(person, request.form.get("password", ""), least=least)
    except InvalidInput as error:
        wrong = error
    if wrong is not None:
        db().rollback()
        page = render_template("password.html", person=person, token=token, wrong=wrong)
        return page, 422
    confirmed = person.signup_method == "local" and person.first_login_at is None
    link.used_at = now()
    sessions.revoke_others(db(), person, None)
    record(db(), context.actor(), "auth.password_reset", now(),
           on=Object(type="user", id=person.id, label=person.display_name))  # fmt: skip
    commit()
    if confirmed:
        track_event(person.id, "auth.signup", {"signup_method": "local"})
    else:
        track_event(person.id, "auth.password_reset", {})
    return redirect(url_for("signin.sign_in"))
