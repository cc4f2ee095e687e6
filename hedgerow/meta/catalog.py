"""What people say about events and properties: words, marks, and corrected kinds.

Which events and properties there are, the store finds by itself. A row appears here only
when somebody describes, verifies, hides or corrects one.
"""

from collections.abc import Mapping
from typing import Any, get_args

from sqlalchemy import select
from sqlalchemy.orm import Session

from hedgerow.errors import InvalidInput
from hedgerow.meta.tables import EventDefinition, PropertyDefinition
from hedgerow.model.projects import PropertyKind, Scope

KINDS = get_args(PropertyKind)


def events(session: Session, project_id: int) -> dict[str, EventDefinition]:
    """Return what is said about events, by name."""
    found = session.scalars(
        select(EventDefinition).where(EventDefinition.project_id == project_id)
    )
    return {row.name: row for row in found}


def properties(
    session: Session, project_id: int
) -> dict[tuple[Scope, str], PropertyDefinition]:
    """Return what is said about properties, by scope and name."""
    found = session.scalars(
        select(PropertyDefinition).where(PropertyDefinition.project_id == project_id)
    )
    return {(row.scope, row.name): row for row in found}


def kinds(
    session: Session, project_id: int, found: Mapping[tuple[Scope, str], PropertyKind]
) -> dict[tuple[Scope, str], PropertyKind]:
    """Return the kind of each property: that people chose, else the one found."""
    chosen = {
        place: kind
        for place, row in properties(session, project_id).items()
        for kind in KINDS
        if kind == row.kind
    }
    return {**found, **chosen}


def describe_event(
    session: Session, project_id: int, name: str, fields: Mapping[str, Any]
) -> EventDefinition:
    """Say something about an event: ``description``, ``verified``, ``hidden``, ``tags``."""
    row = session.scalar(
        select(EventDefinition).where(
            EventDefinition.project_id == project_id, EventDefinition.name == name
        )
    )
    if row is None:
        row = EventDefinition(project_id=project_id, name=name, description="")
        session.add(row)
    for field, value in fields.items():
        setattr(row, field, value)
    session.flush()
    return row


def describe_property(
    session: Session, project_id: int, place: tuple[Scope, str], fields: Mapping[str, Any]
) -> PropertyDefinition:
    """Say something about a property, its ``kind`` included. Raises InvalidInput."""
    if fields.get("kind") not in {*KINDS, None}:
        raise InvalidInput(
            f"There is no property type {fields['kind']!r}.",
            hint=f"Use one of {', '.join(KINDS)}, or null for the one found.",
            attr="property_type",
        )
    scope, name = place
    row = session.scalar(
        select(PropertyDefinition).where(
            PropertyDefinition.project_id == project_id,
            PropertyDefinition.scope == scope,
            PropertyDefinition.name == name,
        )
    )
    if row is None:
        row = PropertyDefinition(
            project_id=project_id, scope=scope, name=name, description=""
        )
        session.add(row)
    for field, value in fields.items():
        setattr(row, field, value)
    session.flush()
    return row
