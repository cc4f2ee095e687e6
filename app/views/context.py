"""What a view needs of its request: the database session, who asks, the rules, the time.

One database session a request. A request that changes something opens it for writing;
``commit`` ends that, and what is read afterwards to render the answer waits for nobody.
Events are told after ``commit``.
"""

from datetime import UTC, datetime
from typing import cast

from flask import current_app, g, request, session
from sqlalchemy.orm import Session

from app import settings as run_time
from app.audit import Actor
from app.errors import NotSignedIn, ReadOnly
from app.models import Database
from app.models.people import User
from app.people import roles
from app.people.sessions import Browser
from app.settings import Settings
from app.views.cookies import BrowserSession

SAFE = {"GET", "HEAD", "OPTIONS"}


def system_clock() -> datetime:
    """Return the server's time: the only clock of the web application."""
    return datetime.now(UTC)


def database() -> Database:
    """Return the database of this application."""
    return cast("Database", current_app.extensions["database"])


def db() -> Session:
    """Return the session of this request; it is closed when the request ends."""
    if "db" not in g:
        g.db = database().session(writes=request.method not in SAFE)
    return cast("Session", g.db)


def commit() -> None:
    """Commit; reading on to render the answer holds no lock."""
    db().commit()
    db().bind = database().engine


def close(_error: BaseException | None = None) -> None:
    """Give the session back, undoing what was not committed."""
    opened: Session | None = g.pop("db", None)
    if opened is not None:
        opened.close()


def now() -> datetime:
    """Return the moment of this request: one for all of it."""
    if "now" not in g:
        g.now = current_app.extensions["clock"]()
    return cast("datetime", g.now)


def browser_session() -> BrowserSession:
    """Return the session of this browser."""
    return cast("BrowserSession", session._get_current_object())  # type: ignore[attr-defined]  # noqa: SLF001 - Werkzeug's documented way to the object


def user_or_none() -> User | None:
    """Return who is signed in."""
    if "user" not in g:
        number = browser_session().user_id
        g.user = db().get(User, number) if number is not None else None
    return cast("User | None", g.user)


def user() -> User:
    """Return who is signed in, or raise NotSignedIn."""
    person = user_or_none()
    if person is None or not person.is_active:
        raise NotSignedIn("Nobody is signed in.", hint="Sign in first.")
    return person


def settings() -> Settings:
    """Return the rules in force."""
    if "settings" not in g:
        g.settings = run_time.in_force(db(), current_app.config)
    return cast("Settings", g.settings)


def demand(act: roles.Act) -> User:
    """Return who is signed in if they may do this, else raise NotAllowed."""
    person = user()
    roles.demand(person, act, settings())
    return person


def refuse_when_read_only() -> None:
    """Raise ReadOnly where this installation cannot be changed at the moment."""
    if current_app.config["READ_ONLY"]:
        raise ReadOnly(
            "This installation is read-only at the moment.",
            hint="Everything can be looked at; changes come back later.",
        )


def actor() -> Actor:
    """Return who acts, for the audit trail."""
    person = user_or_none()
    keeps = current_app.config["AUDIT_STORE_IP"]
    return Actor(
        user_id=person.id if person else None,
        ip=request.remote_addr if keeps else None,
        request_id=g.get("request_id"),
    )


def browser() -> Browser:
    """Return where this request comes from."""
    return Browser(
        address=request.remote_addr or "", user_agent=request.headers.get("User-Agent", "")
    )


def say(text: str, *, undo: str | None = None, kind: str = "good") -> None:
    """Let the next page say something short; ``undo`` is the address that takes it back."""
    browser_session()["toast"] = {"text": text, "undo": undo, "kind": kind}
