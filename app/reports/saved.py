"""Saved filters: questions with a name, own or shared.

What is kept is the question as an address carries it, so a relative range stays
relative. A shared filter can be used by everybody, changed only by its owner, and
copied. It shows each reader what that reader may see; it grants nothing.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.errors import InvalidInput, NotFound, said
from app.models.people import User
from app.models.saved import SavedFilter
from app.reports import filters
from app.reports.filters import Question

SCOPES = ("entries", "reports")
LONGEST_NAME = 100


def every(session: Session, user: User, scope: str) -> list[SavedFilter]:
    """Return the filters this person may use: own ones in their order, then shared ones."""
    query = select(SavedFilter).where(
        SavedFilter.scope == scope, or_(SavedFilter.user_id == user.id, SavedFilter.shared)
    )
    found = session.scalars(query.order_by(SavedFilter.position, SavedFilter.id))
    return sorted(found, key=lambda kept: kept.user_id != user.id)


def find(session: Session, user: User, number: int) -> SavedFilter:
    """Return a filter this person may use."""
    kept = session.get(SavedFilter, number)
    if kept is None or not (kept.shared or kept.user_id == user.id):
        raise NotFound(
            said("There is no saved filter number %(number)s.", number=number),
            hint="It may have been deleted, or is no longer shared.",
        )
    return kept


def own(session: Session, user: User, number: int) -> SavedFilter:
    """Return a filter of this person, to be changed."""
    kept = find(session, user, number)
    if kept.user_id != user.id:
        raise NotFound(
            said("The saved filter %(name)r belongs to somebody else.", name=kept.name),
            hint="Make a copy and change that.",
        )
    return kept


def question_of(kept: SavedFilter) -> tuple[str, Question]:
    """Return which report a filter is for, and the question it asks."""
    fields = {key: value for key, value in kept.query.items() if key != "report"}
    return str(kept.query.get("report", "summary")), filters.parse(fields)


def save(
    session: Session, user: User, name: str, *, scope: str, query: Mapping[str, Any]
) -> SavedFilter:
    """Keep a question under a name; one of the same name of this person is changed."""
    name = _checked(name)
    if scope not in SCOPES:
        raise InvalidInput(
            said("There is no scope %(scope)r.", scope=scope),
            hint=said("Use %(scopes)s.", scopes=" or ".join(SCOPES)),
            attr="scope",
        )
    filters.parse({key: value for key, value in query.items() if key != "report"})
    mine = [kept for kept in every(session, user, scope) if kept.user_id == user.id]
    kept = next((known for known in mine if known.name == name), None)
    if kept is None:
        place = max((known.position for known in mine), default=0) + 1
        kept = SavedFilter(user_id=user.id, name=name, scope=scope, position=place)
        session.add(kept)
    kept.query = dict(query)
    session.flush()
    return kept


def rename(kept: SavedFilter, name: str) -> None:
    """Give a filter another name."""
    kept.name = _checked(name)


def copy(session: Session, user: User, kept: SavedFilter) -> SavedFilter:
    """Make an own filter of a shared one; its owner's later changes do not reach it."""
    taken = {known.name for known in every(session, user, kept.scope)}
    name, number = kept.name, 2
    while name in taken:
        tail = f" {number}"
        name, number = kept.name[: LONGEST_NAME - len(tail)] + tail, number + 1
    return save(session, user, name, scope=kept.scope, query=kept.query)


def _checked(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_NAME:
        raise InvalidInput(
            said("A saved filter cannot be called %(name)r.", name=name[:40]),
            hint=said(
                "Give it a name of 1 to %(longest_name)s characters.",
                longest_name=LONGEST_NAME,
            ),
            attr="name",
        )
    return name
