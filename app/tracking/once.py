"""A request that comes twice counts once.

A form carries a random key, made with the page. The first request with it leaves the
key behind; the second, from a double click or a retry, finds it and changes nothing.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.models.entries import UndoStep
from app.models.people import User
from app.models.records import IdempotencyKey

LASTS = timedelta(hours=24)
LONGEST_KEY = 100


def first_time(session: Session, user: User, key: str, now: datetime) -> bool:
    """Return whether this person's key is new, and remember it; no key is always new."""
    key = key[:LONGEST_KEY]
    if not key:
        return True
    session.execute(select(User.id).where(User.id == user.id).with_for_update())
    found = session.scalar(
        select(IdempotencyKey.id).where(
            IdempotencyKey.user_id == user.id,
            IdempotencyKey.key == key,
            IdempotencyKey.created_at > now - LASTS,
        )
    )
    if found is not None:
        return False
    session.execute(
        delete(IdempotencyKey).where(
            IdempotencyKey.user_id == user.id, IdempotencyKey.key == key
        )
    )
    session.add(IdempotencyKey(user_id=user.id, key=key, created_at=now))
    session.flush()
    return True


def forget_old(session: Session, now: datetime) -> None:
    """Remove keys and undo steps that no longer matter."""
    session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at <= now - LASTS))
    session.execute(delete(UndoStep).where(UndoStep.expires_at <= now))
