"""Who did what, old → new. Append only; removed only by age.

Callers hand over an ``Actor``, made once for a request or a job, and the fields that
changed. Descriptions of entries are never copied here: their field name is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from app.models.records import AuditLog

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
