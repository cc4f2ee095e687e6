"""The session cookie: 32 random bytes, and a row in the database only when needed.

A visitor gets a cookie when a page has a form (its value makes the CSRF token); a row is
written when there is something to remember or somebody signs in. Flask's own
``SESSION_COOKIE_SECURE`` would take the word ``auto`` for true: here it means *over TLS*,
because a Secure cookie on a plain-HTTP home network is a sign-in that loops forever.
"""

import hashlib
import hmac
import re
from datetime import datetime, timedelta
from typing import Any

from flask import Flask, Request, Response, current_app, g
from flask.sessions import SessionInterface, SessionMixin

from app.models import Database
from app.models.people import User, UserSession
from app.people import sessions

_COOKIE = re.compile(r"[A-Za-z0-9_-]{43}")


class BrowserSession(dict[str, Any], SessionMixin):
    """What one browser has to remember; saved when it changed."""

    def __init__(self, cookie: str, row: UserSession | None, *, new: bool) -> None:
        super().__init__(row.data if row else {})
        self.cookie, self.row, self.new = cookie, row, new
        self.needed = False
        """Whether a form depends on the cookie, so that it must be sent."""
        self._before = dict(self)
        self.replaced: str | None = None

    @property
    def user_id(self) -> int | None:
        """Who is signed in."""
        return self.row.user_id if self.row else None

    @property
    def changed(self) -> bool:
        """Whether there is something new to keep."""
        return dict(self) != self._before

    def csrf_token(self) -> str:
        """Return the token that forms of this browser carry."""
        self.needed = True
        key = str(current_app.secret_key).encode()
        return hmac.new(key, f"csrf:{self.cookie}".encode(), hashlib.sha256).hexdigest()

    def sign_in(self, user: User, browser: sessions.Browser, now: datetime, lasts: timedelta,
                *, keep: bool) -> UserSession:  # fmt: skip
        """Take a new id, so that nobody who knew the old one comes along."""
        self.replaced = self.cookie
        self.cookie = sessions.new_id()
        self.row = sessions.open_session(user, self.cookie, browser, now, lasts=lasts)
        self.row.keep = keep
        self.new = True
        return self.row

    def sign_out(self) -> None:
        """Begin anew with nothing remembered."""
        self.clear()
        self.replaced, self.cookie, self.row = self.cookie, sessions.new_id(), None
        self._before = {}
        self.new = True


class DatabaseSessions(SessionInterface):
    """Flask's way to open and save sessions, with ours behind it."""

    def open_session(self, app: Flask, request: Request) -> BrowserSession:
        """Return the browser's session; an unknown or ended one counts as none."""
        cookie = request.cookies.get(self.get_cookie_name(app), "")
        if not _COOKIE.fullmatch(cookie):
            return BrowserSession(sessions.new_id(), None, new=True)
        database: Database = app.extensions["database"]
        idle = timedelta(hours=app.config["SESSION_IDLE_HOURS"])
        with database.reading() as session:
            row = sessions.find(session, cookie, app.extensions["clock"](), idle=idle)
            session.expunge_all()
        return BrowserSession(cookie, row, new=False)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Write what changed and send the cookie where the browser needs it."""
        if not isinstance(session, BrowserSession):
            return
        now = app.extensions["clock"]()
        self._write(app, session, now)
        if not session.new or not (session.needed or session.row or session.changed):
            return
        keep = bool(session.row and session.row.keep)
        response.set_cookie(
            self.get_cookie_name(app),
            session.cookie,
            expires=session.row.expires_at if keep and session.row else None,
            httponly=True,
            samesite="Lax",
            secure=self.get_cookie_secure(app),
            path=self.get_cookie_path(app),
        )
        response.headers.add("Vary", "Cookie")

    def _write(self, app: Flask, session: BrowserSession, now: datetime) -> None:
        row = session.row
        stale = row is not None and now - row.last_seen_at >= sessions.TOUCH_EVERY
        if not (session.changed or stale or session.replaced):
            return
        opened = g.pop("db", None)  # a request that failed still holds the write lock
        if opened is not None:
            opened.close()
        database: Database = app.extensions["database"]
        with database.writing() as write:
            if session.replaced:
                sessions.revoke(write, [sessions.row_id(session.replaced)])
            kept = write.get(UserSession, sessions.row_id(session.cookie))
            if kept is None and row is None and session.changed:
                lasts = timedelta(hours=1)  # before sign-in: long enough for a form
                kept = UserSession(
                    id=sessions.row_id(session.cookie), last_seen_at=now,
                    expires_at=now + lasts, data={},
                )  # fmt: skip
                write.add(kept)
                session.new = True
            if kept is None:
                return
            kept.data = dict(session)
            kept.last_seen_at = now
            if kept.user_id is not None:
                user = write.get(User, kept.user_id)
                if user is not None:
                    user.last_seen_at = now

    def get_cookie_name(self, app: Flask) -> str:
        """Return the configured name."""
        return str(app.config["SESSION_COOKIE_NAME"])

    def get_cookie_path(self, app: Flask) -> str:
        """Return the configured path, else that of the public address."""
        return str(app.config["SESSION_COOKIE_PATH"] or app.config["URL_PREFIX"] or "/")

    def get_cookie_secure(self, app: Flask) -> bool:
        """Return whether the cookie may travel over TLS only."""
        said = app.config["SESSION_COOKIE_SECURE"]
        return bool(g.get("is_secure")) if said == "auto" else said == "true"
