"""Signing in: how often it may be tried, and the sessions that follow.

All of it is kept in the database, so that several processes agree. A session's cookie
holds 32 random bytes; the table holds their SHA-256. It ends after ``idle`` without a
request, or at ``expires_at`` whatever happens, or when it is revoked.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.errors import AccountRefused, TooManyTries, said
from app.models.database import name_key
from app.models.people import LoginAttempt, OneTimeLink, User, UserSession
from app.people import accounts

FAILURES_LAST = timedelta(days=1)
"""How long a refused sign-in is remembered; the limits look back less far."""

LINKS_LAST = timedelta(days=30)
"""How long an expired link stays, so that what happened can still be looked up."""

TOUCH_EVERY = timedelta(minutes=1)
"""How exactly it is known when somebody was last seen: a write less for most requests."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How often sign-in may fail before it waits: times within seconds."""

    account: tuple[int, int] = (5, 900)
    address: tuple[int, int] = (30, 900)


@dataclass(frozen=True, kw_only=True)
class Browser:
    """Where a request came from."""

    address: str = ""
    user_agent: str = ""


def check_password(session: Session, username: str, password: str) -> User:
    """Return the user, or raise AccountRefused; the message is the same for every reason.

    The caller asks ``wait`` first and ``note_failure`` afterwards.
    """
    user = accounts.by_name(session, username)
    fits = accounts.password_fits(user, password)
    reason = None
    if user is None:
        reason = "unknown_user"
    elif user.password_hash is None:
        reason = "no_local_password"
    elif not fits:
        reason = "wrong_password"
    elif not user.is_active:
        reason = "disabled"
    if user is None or reason is not None:
        raise AccountRefused(
            "User name or password is not right.",
            reason=reason or "unknown_user",
            hint="Check both and try again.",
        )
    return user


def _account(username: str) -> str:
    return hashlib.sha256(name_key(username).encode()).hexdigest()


def wait(
    session: Session, username: str, address: str, now: datetime, *, limits: Limits
) -> None:
    """Raise TooManyTries where this account or address failed too often of late."""
    for (times, within), condition in (
        (
            limits.account,
            (LoginAttempt.account_key == _account(username))
            & (LoginAttempt.address == address),
        ),
        (limits.address, LoginAttempt.address == address),
    ):
        since = now - timedelta(seconds=within)
        query = select(func.count(), func.max(LoginAttempt.at)).where(
            condition, LoginAttempt.at > since
        )
        count, latest = session.execute(query).one()
        if count < times or latest is None:
            continue
        pause = min(within, 30 * 2 ** (count - times))  # 30 s, 1 min, 2 min, …
        remaining = int((latest + timedelta(seconds=pause) - now).total_seconds())
        if remaining > 0:
            raise TooManyTries(
                "There were too many tries.",
                hint=said(
                    "Wait %(in_words)s and try again.", in_words=_in_words(remaining)
                ),
                retry_after_s=remaining,
            )


def _in_words(remaining: int) -> str:
    return f"{remaining} seconds" if remaining < 90 else f"{-(-remaining // 60)} minutes"


def note_failure(session: Session, username: str, address: str, now: datetime) -> None:
    """Remember a refused sign-in, and forget those of yesterday."""
    session.add(LoginAttempt(at=now, account_key=_account(username), address=address))
    session.execute(delete(LoginAttempt).where(LoginAttempt.at < now - FAILURES_LAST))


def forgive(session: Session, username: str, address: str) -> None:
    """Forget the failures of an account from an address: it has just signed in."""
    session.execute(
        delete(LoginAttempt).where(
            LoginAttempt.account_key == _account(username), LoginAttempt.address == address
        )
    )


def forgive_everywhere(session: Session, username: str) -> None:
    """Forget all failures of an account: an administrator let it try again."""
    session.execute(
        delete(LoginAttempt).where(LoginAttempt.account_key == _account(username))
    )


def waiting(
    session: Session, usernames: Sequence[str], now: datetime, *, limits: Limits
) -> set[str]:
    """Return which of these accounts failed so often of late that some address waits."""
    times, within = limits.account
    keys = {_account(name): name for name in usernames}
    query = (
        select(LoginAttempt.account_key)
        .where(
            LoginAttempt.account_key.in_(keys),
            LoginAttempt.at > now - timedelta(seconds=within),
        )
        .group_by(LoginAttempt.account_key, LoginAttempt.address)
        .having(func.count() >= times)
    )
    return {keys[key] for key in session.scalars(query)}


def new_id() -> str:
    """Return the value of a new session cookie."""
    return secrets.token_urlsafe(32)


def row_id(cookie: str) -> str:
    """Return under which id the session of this cookie is kept."""
    return hashlib.sha256(cookie.encode()).hexdigest()


def find(
    session: Session, cookie: str, now: datetime, *, idle: timedelta
) -> UserSession | None:
    """Return the living session of this cookie, with its user."""
    row = session.get(UserSession, row_id(cookie))
    if row is None or row.expires_at <= now or row.last_seen_at + idle <= now:
        return None
    if row.user is not None and not row.user.is_active:
        return None
    return row


def open_session(
    user: User, cookie: str, browser: Browser, now: datetime, *, lasts: timedelta
) -> UserSession:
    """Return a new session of ``user`` that ends after ``lasts`` whatever happens."""
    return UserSession(
        id=row_id(cookie),
        user_id=user.id,
        data={},
        created_at=now,
        signed_in_at=now,
        last_seen_at=now,
        expires_at=now + lasts,
        user_agent=browser.user_agent[:200],
        address=browser.address[:64],
    )


def signed_in(user: User, now: datetime) -> bool:
    """Note the sign-in on the user; return whether it was the first."""
    first = user.first_login_at is None
    if first:
        user.first_login_at = now
    user.last_login_at = now
    return first


def revoke(session: Session, row_ids: list[str]) -> None:
    """End these sessions."""
    session.execute(delete(UserSession).where(UserSession.id.in_(row_ids)))


def revoke_others(session: Session, user: User, keep: str | None) -> None:
    """End all sessions of ``user`` but the one with id ``keep``."""
    query = delete(UserSession).where(UserSession.user_id == user.id)
    if keep is not None:
        query = query.where(UserSession.id != keep)
    session.execute(query)


def purge(session: Session, now: datetime, *, idle: timedelta) -> None:
    """Remove sessions, links and noted failures that have ended by themselves."""
    session.execute(delete(LoginAttempt).where(LoginAttempt.at < now - FAILURES_LAST))
    session.execute(delete(OneTimeLink).where(OneTimeLink.expires_at <= now - LINKS_LAST))
    session.execute(
        delete(UserSession).where(
            (UserSession.expires_at <= now) | (UserSession.last_seen_at <= now - idle)
        )
    )
