"""Everything this installation knows of one person, as one JSON document.

For the person themselves, whatever switches there are for exports. Secrets are left out:
password, hashes of tokens and sessions. Entries come with their names, tags and breaks,
those in the trash, too. The document is produced piece by piece, so that a person with a
hundred thousand entries costs no more memory than one with ten.
"""

import json
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from app.config import VERSION
from app.models.database import Base
from app.models.entries import Pin, TimeEntry
from app.models.people import ApiToken, User, UserSession
from app.models.records import AuditLog, Consent
from app.models.saved import ColumnSet, ImportBatch, ImportMapping, SavedFilter
from app.models.work import ProjectMember, Rate, Task

BATCH = 500
SECRET = {"password_hash", "username_key", "hash", "data"}
"""Columns that are nobody's business, or only ours."""

OWN = {
    "saved_filters": SavedFilter.user_id,
    "column_sets": ColumnSet.user_id,
    "pins": Pin.user_id,
    "project_memberships": ProjectMember.user_id,
    "tasks_assigned": Task.assignee_id,
    "rates": Rate.user_id,
    "imports": ImportBatch.user_id,
    "import_mappings": ImportMapping.user_id,
    "api_tokens": ApiToken.user_id,
    "sessions": UserSession.user_id,
    "consents_given": Consent.user_id,
    "audit_of_my_acts": AuditLog.actor_id,
}
"""Section of the document → the column that says whose a row is."""


def pieces(session: Session, user: User, at: datetime) -> Iterator[str]:
    """Yield the document; put together it is one JSON object."""
    head = {"made_at": at.isoformat(), "version": VERSION, "account": _plain(user)}
    yield _text(head)[:-1]  # the object stays open
    yield from _section("entries", _entries(session, user))
    for name, owner in OWN.items():
        table = owner.class_
        found = session.scalars(
            select(table).where(owner == user.id).execution_options(yield_per=BATCH)
        )
        left_out = {"id"} if table is UserSession else set()
        yield from _section(name, (_plain(row, left_out) for row in found))
    about = select(AuditLog).where(
        AuditLog.object_type == "user", AuditLog.object_id == user.id
    )
    yield from _section("audit_about_me", map(_plain, session.scalars(about)))
    yield "\n}\n"


def _section(name: str, rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    yield f",\n{json.dumps(name)}: ["
    between = "\n"
    for row in rows:
        yield between + _text(row)
        between = ",\n"
    yield "]"


def _entries(session: Session, user: User) -> Iterator[dict[str, Any]]:
    last = 0
    while True:
        query = (
            select(TimeEntry)
            .where(TimeEntry.user_id == user.id, TimeEntry.id > last)
            .options(
                joinedload(TimeEntry.project),
                joinedload(TimeEntry.task),
                selectinload(TimeEntry.tags),
                selectinload(TimeEntry.breaks),
            )
            .order_by(TimeEntry.id)
            .limit(BATCH)
        )
        found = list(session.scalars(query))
        for entry in found:
            yield {
                **_plain(entry),
                "project": entry.project.name if entry.project else None,
                "task": entry.task.name if entry.task else None,
                "tags": [tag.name for tag in entry.tags],
                "breaks": [_plain(one, {"entry_id"}) for one in entry.breaks],
            }
        if not found:
            return
        last = found[-1].id
        for entry in found:
            session.expunge(entry)


def _plain(row: Base, left_out: set[str] | None = None) -> dict[str, Any]:
    hidden = SECRET | (left_out or set())
    return {
        column.key: getattr(row, column.key)
        for column in row.__mapper__.column_attrs
        if column.key not in hidden
    }


def _text(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, default=_as_text)


def _as_text(value: Any) -> str:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    raise TypeError(f"{value!r} has no form in JSON.")
