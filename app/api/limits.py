"""How often a token may ask, and a request that comes twice.

The rate is counted in memory: one process serves (``timetracker serve``), and a write
for every read would cost more than it protects. Keys of repeated requests are kept in
the database in the same transaction as what they did, so that a request is done once
even where the answer was lost.
"""

import hashlib
import json
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.errors import Conflict, TooManyTries
from app.models.people import User
from app.models.records import IdempotencyKey

MINUTE = timedelta(minutes=1)
KEPT = timedelta(hours=24)
LONGEST_KEY = 255
MOST_TOKENS = 10_000


class Rate:
    """Requests of the last minute, by token."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: dict[int, deque[datetime]] = {}

    def count(self, token: int, now: datetime, *, most: int) -> int:
        """Count a request and return how many are left, or raise TooManyTries."""
        with self._lock:
            if len(self._asked) > MOST_TOKENS:
                self._asked.clear()
            times = self._asked.setdefault(token, deque())
            while times and now - times[0] >= MINUTE:
                times.popleft()
            if len(times) >= most:
                wait = times[0] + MINUTE - now
                raise TooManyTries(
                    f"This token asked {len(times):,} times within a minute.",
                    hint=f"{most:,} are the most; wait and go on.",
                    retry_after_s=max(1, -(-int(wait.total_seconds() * 1000) // 1000)),
                )
            times.append(now)
            return most - len(times)


@dataclass(frozen=True)
class Kept:
    """An answer given before."""

    status: int
    body: Any
    headers: Mapping[str, str]


def fingerprint(method: str, path: str, body: bytes) -> str:
    """Return what makes two requests the same."""
    return hashlib.sha256(f"{method} {path}\n".encode() + body).hexdigest()


def _name(key: str) -> str:
    return "api:" + hashlib.sha256(key.encode()).hexdigest()


def before(session: Session, user: User, key: str, same: str, now: datetime) -> Kept | None:
    """Return the answer already given to this key, or None where it is new.

    The same key with another request is a Conflict. Requests of one person wait for one
    another, so that two with one key do not both count as the first.
    """
    session.execute(select(User.id).where(User.id == user.id).with_for_update())
    found = session.scalar(
        select(IdempotencyKey).where(
            IdempotencyKey.user_id == user.id,
            IdempotencyKey.key == _name(key),
            IdempotencyKey.created_at > now - KEPT,
        )
    )
    if found is None:
        return None
    if found.fingerprint != same:
        raise Conflict(
            "This Idempotency-Key was used for another request.",
            hint="Take a new key for every new request.",
            attr="Idempotency-Key",
        )
    kept = json.loads(found.body)
    return Kept(found.status, kept["body"], kept["headers"])


def keep(
    session: Session, user: User, key: str, same: str, answer: Kept, now: datetime
) -> None:
    """Keep an answer under its key for a day."""
    old = delete(IdempotencyKey).where(
        IdempotencyKey.user_id == user.id, IdempotencyKey.key == _name(key)
    )
    session.execute(old)
    session.add(
        IdempotencyKey(
            user_id=user.id,
            key=_name(key),
            fingerprint=same,
            status=answer.status,
            body=json.dumps({"body": answer.body, "headers": dict(answer.headers)}),
            created_at=now,
        )
    )
