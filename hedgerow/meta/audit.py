"""Who changed what: one entry for each change somebody made, old and new.

Entries are appended in the transaction of the change itself, so there is neither a
change without its entry nor an entry without its change.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from hedgerow.meta.tables import AuditEntry, User

COMMAND_LINE = "command line"


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Who makes a change, and when."""

    user_id: int | None
    who: str
    """The e-mail address, or ``command line``."""

    at: datetime
    """UTC."""


def actor(user: User | None, now: datetime) -> Actor:
    """Return ``user`` as the maker of a change; None: somebody at the command line."""
    if user is None:
        return Actor(user_id=None, who=COMMAND_LINE, at=now)
    return Actor(user_id=user.id, who=user.email, at=now)


def note(
    session: Session,
    by: Actor,
    action: str,
    subject: tuple[str, Any],
    *,
    project_id: int | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Append an entry: ``by`` did ``action`` to ``subject``, a kind and a number.

    Of ``before`` and ``after`` only what differs is kept.
    """
    old, new = before or {}, after or {}
    same = {name for name in old.keys() & new.keys() if old[name] == new[name]}
    session.add(
        AuditEntry(
            at=by.at,
            user_id=by.user_id,
            who=by.who,
            project_id=project_id,
            action=action,
            subject=subject[0],
            subject_id=str(subject[1]),
            before=_plain(old, same) if before is not None else None,
            after=_plain(new, same) if after is not None else None,
        )
    )


def entries(
    session: Session,
    project_id: int | None,
    *,
    and_server: bool = False,
    limit: int = 100,
    offset: int = 0,
) -> Sequence[AuditEntry]:
    """Return the newest entries of a project first; None: those of the server itself.

    ``and_server``: those of the server among them.
    """
    of = AuditEntry.project_id == project_id
    return session.scalars(
        select(AuditEntry)
        .where(or_(of, AuditEntry.project_id.is_(None)) if and_server else of)
        .order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
        .limit(limit)
        .offset(offset)
    ).all()


def _plain(values: dict[str, Any], without: set[str]) -> dict[str, Any]:
    kept = {name: value for name, value in values.items() if name not in without}
    plain: dict[str, Any] = msgspec.to_builtins(kept)
    return plain
