"""Who did what, old → new. Append only; removed only by age.

Callers hand over an ``Actor``, made once for a request or a job, and the fields that
changed. Descriptions of entries are never copied here: their field name is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from app.models.people import User
from app.models.records import AuditLog

PER_PAGE = 100

HIDDEN = {
    *("description", "notes", "password", "password_hash"),
    *("username", "display_name", "email"),  # who was anonymised is not named here either
}
"""Fields whose change is noted by name only."""


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who acts, from where."""

    user_id: int | None
    via: str = "web"
    """``web``, ``api``, ``system`` or ``cli``."""
    ip: str | None = None
    """None where the installation keeps no addresses."""
    request_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Object:
    """What was acted on."""

    type: str = ""
    id: int | None = None
    label: str = ""


def record(
    session: Session,
    actor: Actor,
    action: str,
    at: datetime,
    *,
    on: Object | None = None,
    changes: Mapping[str, tuple[Any, Any]] | None = None,
) -> None:
    """Add one line to the trail; it commits or rolls back with what it describes."""
    target = on or Object()
    session.add(
        AuditLog(
            at=at,
            actor_id=actor.user_id,
            via=actor.via,
            action=action,
            object_type=target.type,
            object_id=target.id,
            object_label=target.label[:300],
            changes={key: _shown(key, pair) for key, pair in (changes or {}).items()},
            ip=actor.ip,
            request_id=actor.request_id,
        )
    )


def _shown(key: str, pair: tuple[Any, Any]) -> list[Any]:
    if key in HIDDEN:
        return []
    return [
        value.isoformat() if isinstance(value, (date, datetime)) else value
        for value in pair
    ]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Which lines of the trail to read."""

    actor_id: int | None = None
    about: str = ""
    """The first word of the action: ``user``, ``auth``, ``settings``, …"""
    text: str = ""
    """Part of what the object is called, or of the action."""
    since: datetime | None = None
    until: datetime | None = None
    """Before this moment."""
    before: int | None = None
    """Only lines with a smaller number: the next page."""


def read(session: Session, asked: Asked, *, most: int = PER_PAGE) -> list[AuditLog]:
    """Return lines of the trail, the newest first."""
    query = select(AuditLog).where(*_conditions(asked)).order_by(AuditLog.id.desc())
    return list(session.scalars(query.limit(most)))


def _conditions(asked: Asked) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if asked.actor_id is not None:
        found.append(AuditLog.actor_id == asked.actor_id)
    if asked.about:
        found.append(AuditLog.action.startswith(f"{asked.about}.", autoescape=True))
    if asked.text.strip():
        text = asked.text.strip().lower()
        found.append(
            func.lower(AuditLog.object_label).contains(text, autoescape=True)
            | AuditLog.action.contains(text, autoescape=True)
        )
    if asked.since is not None:
        found.append(AuditLog.at >= asked.since)
    if asked.until is not None:
        found.append(AuditLog.at < asked.until)
    if asked.before is not None:
        found.append(AuditLog.id < asked.before)
    return found


def subjects(session: Session) -> list[str]:
    """Return the first words of the actions that the trail has."""
    found = session.scalars(select(AuditLog.action).distinct())
    return sorted({action.partition(".")[0] for action in found})


def actors(session: Session) -> list[User]:
    """Return everybody who stands in the trail as an actor, by name."""
    known = select(AuditLog.actor_id).distinct()
    query = select(User).where(User.id.in_(known)).order_by(User.username_key)
    return list(session.scalars(query))


def purge(session: Session, now: datetime, *, days: int) -> int:
    """Remove lines older than ``days`` and return how many; 0 keeps them for ever."""
    if not days:
        return 0
    old = AuditLog.at < now - timedelta(days=days)
    count = session.scalar(select(func.count(AuditLog.id)).where(old)) or 0
    session.execute(delete(AuditLog).where(old))
    return count
