"""API tokens: made, found by their text, revoked.

A token is ``tt_`` and 40 characters, shown once. The table keeps its SHA-256 and its
first characters, so that people can tell their tokens apart and the table alone lets
nobody in. A token does what its scopes say and never more than its owner may.
"""

import hashlib
import secrets
import string
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.errors import InvalidInput, NotFound, said
from app.models.people import ApiToken, User

SCOPES = ("read", "time:write", "manage:write", "reports", "admin")
"""What a token may be for; a token has one or more of them."""

LETTERS = string.ascii_letters + string.digits
LENGTH = 40
SHOWN = 11
"""First characters kept to be recognised: ``tt_`` and eight more."""

TOUCH_EVERY = timedelta(minutes=1)
"""How exactly it is known when a token was last used: a write less for most requests."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """A new token, and the text that is shown this once."""

    token: ApiToken
    text: str


def make(
    session: Session,
    user: User,
    name: str,
    scopes: Collection[str],
    *,
    expires_at: datetime | None,
) -> Made:
    """Add a token of ``user``; None lets it live until it is revoked."""
    cleaned = " ".join(name.split())
    if not 1 <= len(cleaned) <= 100:
        raise InvalidInput(
            said("A token cannot be called %(cleaned)r.", cleaned=cleaned[:40]),
            hint="Say in 1 to 100 characters what it is for.",
            attr="name",
        )
    wanted = [scope for scope in SCOPES if scope in scopes]
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not wanted:
        what = said("It may do nothing.")
        if unknown:
            what = said("There is no scope %(scope)r.", scope=unknown[0])
        raise InvalidInput(
            what,
            hint=said("Choose of %(scopes)s.", scopes=", ".join(SCOPES)),
            attr="scopes",
        )
    if "admin" in wanted and not user.is_admin:
        raise InvalidInput(
            "Only administrators have tokens with the scope 'admin'.",
            hint="Leave it out.",
            attr="scopes",
        )
    text = "tt_" + "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
    token = ApiToken(
        user_id=user.id,
        name=cleaned,
        prefix=text[:SHOWN],
        hash=hashed(text),
        scopes=wanted,
        expires_at=expires_at,
    )
    session.add(token)
    session.flush()
    return Made(token=token, text=text)


def hashed(text: str) -> str:
    """Return under which hash a token is kept."""
    return hashlib.sha256(text.encode()).hexdigest()


def find(session: Session, text: str, now: datetime) -> ApiToken | None:
    """Return the living token of this text whose owner may sign in, else None."""
    query = select(ApiToken).where(ApiToken.hash == hashed(text))
    token = session.scalar(query.options(joinedload(ApiToken.user)))
    if token is None or token.revoked_at is not None or not token.user.is_active:
        return None
    if token.expires_at is not None and token.expires_at <= now:
        return None
    return token


def of_user(session: Session, user: User) -> list[ApiToken]:
    """Return this person's tokens that were not revoked, the newest first."""
    query = select(ApiToken).where(
        ApiToken.user_id == user.id, ApiToken.revoked_at.is_(None)
    )
    return list(session.scalars(query.order_by(ApiToken.id.desc())))


def revoke(session: Session, user: User, number: int, now: datetime) -> ApiToken:
    """End one of this person's own tokens."""
    token = session.get(ApiToken, number)
    if token is None or token.user_id != user.id or token.revoked_at is not None:
        raise NotFound(
            "There is no such token of yours.", hint="It may be revoked already."
        )
    token.revoked_at = now
    return token


def is_stale(token: ApiToken, now: datetime) -> bool:
    """Return whether it is time to note again when the token was used."""
    return token.last_used_at is None or now - token.last_used_at >= TOUCH_EVERY
