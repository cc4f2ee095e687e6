"""Annotations: notes at moments, drawn as marks on charts."""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from hedgerow.api.callers import Caller
from hedgerow.api.endpoints import Listing, Page, listing
from hedgerow.errors import InvalidInput
from hedgerow.meta import boards, watches
from hedgerow.meta.tables import Annotation

LONGEST = 8192
"""Characters of a note."""


class NewAnnotation(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A note to be made; without a place it stands on every chart."""

    content: str
    date_marker: datetime
    """With its zone."""

    dashboard_id: int | None = None
    insight_id: int | None = None


class AnnotationFields(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What changes about a note."""

    content: str | UnsetType = UNSET
    date_marker: datetime | UnsetType = UNSET


class AnnotationAnswer(msgspec.Struct, kw_only=True):
    """A note as it is shown."""

    id: int
    content: str
    date_marker: datetime
    dashboard_id: int | None
    insight_id: int | None
    created_by: int | None
    created_at: datetime
    updated_at: datetime


def list_annotations(caller: Caller, _body: None, page: Page) -> Listing:
    """List notes, latest moment first."""
    with caller.parts.metadata.reading() as session:
        rows, total = watches.annotations(
            session, caller.project.id, limit=page.limit, offset=page.offset
        )
    return listing(caller.url, page, [_shown(row) for row in rows], total=total)


def create_annotation(
    caller: Caller, body: NewAnnotation, _params: None
) -> AnnotationAnswer:
    """Make a note at a moment."""
    _check(body.content, body.date_marker)
    project_id = caller.project.id
    with caller.parts.metadata.writing() as session:
        if body.dashboard_id is not None:
            boards.dashboard(session, project_id, body.dashboard_id)
        if body.insight_id is not None:
            boards.insight(session, project_id, body.insight_id)
        row = watches.annotate(
            session,
            project_id,
            body.content,
            body.date_marker,
            now=caller.now,
            places={"dashboard_id": body.dashboard_id, "insight_id": body.insight_id},
            created_by=caller.user.id,
        )
    return _shown(row)


def read_annotation(
    caller: Caller, _body: None, _params: None, *, annotation_id: int
) -> AnnotationAnswer:
    """Show a note."""
    with caller.parts.metadata.reading() as session:
        return _shown(watches.annotation(session, caller.project.id, annotation_id))


def change_annotation(
    caller: Caller, body: AnnotationFields, _params: None, *, annotation_id: int
) -> AnnotationAnswer:
    """Change a note's words or moment."""
    with caller.parts.metadata.writing() as session:
        row = watches.annotation(session, caller.project.id, annotation_id)
        if body.content is not UNSET:
            row.content = body.content
        if body.date_marker is not UNSET:
            row.date_marker = body.date_marker
        _check(row.content, row.date_marker)
        row.updated_at = caller.now
    return _shown(row)


def delete_annotation(
    caller: Caller, _body: None, _params: None, *, annotation_id: int
) -> None:
    """Delete a note."""
    with caller.parts.metadata.writing() as session:
        session.delete(watches.annotation(session, caller.project.id, annotation_id))


def _check(content: str, at: datetime) -> None:
    if not 1 <= len(content.strip()) <= LONGEST:
        raise InvalidInput(
            f"The note has {len(content)} characters.",
            hint=f"Use 1 to {LONGEST}.",
            attr="content",
        )
    if at.tzinfo is None:
        raise InvalidInput(
            f"date_marker is {at.isoformat()!r}.",
            hint="Give its zone, such as 2026-03-01T12:00:00Z.",
            attr="date_marker",
        )


def _shown(row: Annotation) -> AnnotationAnswer:
    names: Any = AnnotationAnswer.__struct_fields__
    return AnnotationAnswer(**{name: getattr(row, name) for name in names})
