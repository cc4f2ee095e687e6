"""What lets somebody in without a password: sessions, personal API keys, one-time links.

Of each only a hash is kept. Each can be revoked and then is worth nothing at once: every
use looks it up.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from hedgerow.errors import InvalidInput, NotFound
from hedgerow.meta import credentials
from hedgerow.meta.tables import ApiKey, OneTimeLink, User, WebSession

SESSION_FOR = timedelta(days=30)
"""A session ends this long after it was last used."""

LINK_FOR = timedelta(days=7)
"""A one-time link that nobody used ends then."""

SEEN_EVERY = timedelta(minutes=1)
"""How exactly "last used" is kept: writing it on every request would cost one each."""

OBJECTS = (
    "alert",
    "annotation",
    "cohort",
    "dashboard",
    "event",
    "event_definition",
    "experiment",
    "fleet",
    "group",
    "ingestion",
    "insight",
    "person",
    "project",
    "property_definition",
    "query",
    "subscription",
)
SCOPES = frozenset({f"{one}:{verb}" for one in OBJECTS for verb in ("read", "write")}) | {
    "*",
    "project:admin",
}
"""What a key may be allowed."""

Purpose = Literal["setup", "password"]


class KeyRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key as somebody wishes it."""

    label: str
    """1 to 100 characters: what it is for."""

    scopes: list[str]
    expires_at: datetime | None = None
    projects: list[int] | None = None
    """None: all that its user reaches, later ones too."""


def open_session(
    session: Session,
    user: User,
    *,
    now: datetime,
    address: str = "",
    agent: str = "",
    id_token: str | None = None,
) -> str:
    """Start a web session and return the text of its cookie.

    ``id_token`` is the provider's, where somebody signed in there.
    """
    token = credentials.link_token()
    session.execute(delete(WebSession).where(WebSession.expires_at < now))
    session.add(
        WebSession(
            token_hash=credentials.digest(token),
            user_id=user.id,
            created_at=now,
            last_seen_at=now,
            expires_at=now + SESSION_FOR,
            address=address,
            agent=agent[:300],
            id_token=id_token,
        )
    )
    return token


def session_of(
    session: Session, token: str, now: datetime
) -> tuple[WebSession, User] | None:
    """Return the session of a cookie and whose it is; None: sign in again."""
    found = session.execute(
        select(WebSession, User)
        .join(User, User.id == WebSession.user_id)
        .where(WebSession.token_hash == credentials.digest(token))
    ).one_or_none()
    if found is None:
        return None
    row, user = found
    return (row, user) if row.expires_at > now and user.is_active else None


def is_due(seen_at: datetime | None, now: datetime) -> bool:
    """Return whether "last used" should be written again (``touch``)."""
    return seen_at is None or now - seen_at >= SEEN_EVERY


def touch_session(session: Session, session_id: int, now: datetime) -> None:
    """Note that a session was used, which makes it last longer."""
    row = session.get(WebSession, session_id)
    if row is not None:
        row.last_seen_at, row.expires_at = now, now + SESSION_FOR


def sessions_of(session: Session, user_id: int) -> Sequence[WebSession]:
    """Return where somebody is signed in, last used first."""
    return session.scalars(
        select(WebSession)
        .where(WebSession.user_id == user_id)
        .order_by(WebSession.last_seen_at.desc())
    ).all()


def close_session(session: Session, session_id: int, user_id: int) -> None:
    """Sign out one browser of ``user_id``."""
    session.execute(
        delete(WebSession).where(WebSession.id == session_id, WebSession.user_id == user_id)
    )


def close_all(session: Session, user_id: int, *, but: int | None = None) -> None:
    """Sign somebody out everywhere, except in session ``but``."""
    session.execute(
        delete(WebSession).where(WebSession.user_id == user_id, WebSession.id != (but or 0))
    )


def make_key(
    session: Session, user: User, wish: KeyRequest, now: datetime
) -> tuple[ApiKey, str]:
    """Make a personal API key and return it with its text, which is never shown again.

    Raises InvalidInput for an unknown scope, an empty label or an expiry in the past.
    """
    if not 1 <= len(wish.label.strip()) <= 100:
        raise InvalidInput(
            f"The label {wish.label[:40]!r} has {len(wish.label)} characters.",
            hint="Say in 1 to 100 what the key is for.",
            attr="label",
        )
    unknown = [scope for scope in wish.scopes if scope not in SCOPES]
    if unknown or not wish.scopes:
        raise InvalidInput(
            f"There is no scope {unknown[0]!r}." if unknown else "A key needs a scope.",
            hint="Use '*', or an object and what to do, such as 'query:read'.",
            attr="scopes",
        )
    if wish.expires_at is not None and (
        wish.expires_at.tzinfo is None or wish.expires_at <= now
    ):
        raise InvalidInput(
            f"expires_at is {wish.expires_at.isoformat()!r}.",
            hint="Give a time to come, with its zone.",
            attr="expires_at",
        )
    text = credentials.api_key()
    row = ApiKey(
        user_id=user.id,
        label=wish.label.strip(),
        key_hash=credentials.digest(text),
        hint=text[-4:],
        scopes=wish.scopes,
        projects=wish.projects,
        created_at=now,
        expires_at=wish.expires_at,
    )
    session.add(row)
    session.flush()
    return row, text


def key_of(session: Session, text: str, now: datetime) -> tuple[ApiKey, User] | None:
    """Return the key with this text and whose it is; None: unknown, expired, or barred."""
    found = session.execute(
        select(ApiKey, User)
        .join(User, User.id == ApiKey.user_id)
        .where(ApiKey.key_hash == credentials.digest(text))
    ).one_or_none()
    if found is None:
        return None
    key, user = found
    expired = key.expires_at is not None and key.expires_at <= now
    return None if expired or not user.is_active else (key, user)


def touch_key(session: Session, key_id: int, now: datetime) -> None:
    """Note that a key was used."""
    row = session.get(ApiKey, key_id)
    if row is not None:
        row.last_used_at = now


def keys_of(session: Session, user_id: int) -> Sequence[ApiKey]:
    """Return somebody's keys, newest first."""
    return session.scalars(
        select(ApiKey).where(ApiKey.user_id == user_id).order_by(ApiKey.id.desc())
    ).all()


def revoke_key(session: Session, key_id: int, user_id: int) -> ApiKey:
    """Make a key of ``user_id`` worthless from now on, and return what it was."""
    row = session.get(ApiKey, key_id)
    if row is None or row.user_id != user_id:
        raise NotFound(f"There is no key {key_id}.", hint="Look at your list of keys.")
    session.delete(row)
    return row


def make_link(
    session: Session, purpose: Purpose, now: datetime, *, user_id: int | None = None
) -> str:
    """Return the token of a new one-time link; earlier ones of the same kind end."""
    session.execute(
        delete(OneTimeLink).where(
            OneTimeLink.purpose == purpose, OneTimeLink.user_id == user_id
        )
    )
    token = credentials.link_token()
    session.add(
        OneTimeLink(
            token_hash=credentials.digest(token),
            purpose=purpose,
            user_id=user_id,
            created_at=now,
            expires_at=now + LINK_FOR,
        )
    )
    return token


def link_of(
    session: Session, token: str, purpose: Purpose, now: datetime
) -> OneTimeLink | None:
    """Return a link that can still be used, without using it up."""
    return session.scalar(
        select(OneTimeLink).where(
            OneTimeLink.token_hash == credentials.digest(token),
            OneTimeLink.purpose == purpose,
            OneTimeLink.expires_at > now,
        )
    )


def use_link(session: Session, link: OneTimeLink) -> None:
    """Use a link up."""
    session.delete(link)
