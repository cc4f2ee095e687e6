"""Saved insights: a question with a name, and its answer on request."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy.orm import Session

from hedgerow.api.callers import Caller
from hedgerow.api.endpoints import Listing, Search, listing
from hedgerow.api.query import Refresh, answered
from hedgerow.errors import InvalidInput
from hedgerow.meta import audit, boards
from hedgerow.meta.tables import Insight
from hedgerow.query.definitions import decode


class InsightFields(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What may be said about an insight: in a change, what is given."""

    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    query: dict[str, Any] | UnsetType = UNSET
    favorited: bool | UnsetType = UNSET
    tags: list[str] | UnsetType = UNSET
    dashboards: list[int] | UnsetType = UNSET
    """Numbers of the dashboards it stands on; the others lose its tile."""

    deleted: bool | UnsetType = UNSET
    """True hides it, false brings it back."""


class WithAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether to answer the question too."""

    refresh: Refresh | None = None


class InsightSearch(Search, frozen=True, forbid_unknown_fields=True):
    """Which insights."""

    short_id: str | None = None


class InsightAnswer(msgspec.Struct, kw_only=True):
    """An insight as it is shown."""

    id: int
    short_id: str
    name: str
    description: str
    query: dict[str, Any]
    favorited: bool
    tags: list[str]
    dashboards: list[int]
    created_by: int | None
    created_at: datetime
    updated_at: datetime
    deleted: bool
    result: Any = None
    """What the question answers, if that was asked for with ``refresh``."""

    last_refresh: str | None = None
    is_cached: bool | None = None


def list_insights(caller: Caller, _body: None, page: InsightSearch) -> Listing:
    """List saved insights, last changed first."""
    with caller.parts.metadata.reading() as session:
        if page.short_id is not None:
            found = boards.insight_of_short_id(session, caller.project.id, page.short_id)
            rows, total = [found], 1
        else:
            listed, total = boards.insights(
                session,
                caller.project.id,
                search=page.search,
                limit=page.limit,
                offset=page.offset,
            )
            rows = list(listed)
        shown = [insight_answer(session, row) for row in rows]
    return listing(caller.url, page, shown, total=total)


def create_insight(caller: Caller, body: InsightFields, _params: None) -> InsightAnswer:
    """Save a question."""
    if body.query is UNSET:
        raise InvalidInput("An insight needs a query.", hint="Give 'query'.", attr="query")
    query = checked_query(body.query)
    fields = _given(body)
    on = fields.pop("dashboards", [])
    with caller.parts.metadata.writing() as session:
        row = boards.create_insight(
            session,
            caller.project.id,
            query,
            now=caller.now,
            name=fields.pop("name", ""),
            created_by=caller.user.id,
        )
        boards.change(row, {**fields, "query": query}, caller.now)
        boards.place_on(session, row, on)
        _note(session, caller, "created", row, after=_plain(row))
        return insight_answer(session, row)


def read_insight(
    caller: Caller, _body: None, params: WithAnswer, *, insight_id: str
) -> InsightAnswer:
    """Show an insight; with ``refresh`` also what it answers."""
    with caller.parts.metadata.reading() as session:
        shown = insight_answer(session, _found(session, caller, insight_id))
    if params.refresh is not None:
        answer = answered(caller, shown.query, params.refresh)
        shown.result = answer.get("results")
        shown.last_refresh = answer.get("last_refresh")
        shown.is_cached = answer.get("is_cached")
    return shown


def change_insight(
    caller: Caller, body: InsightFields, _params: None, *, insight_id: str
) -> InsightAnswer:
    """Change what is given and leave the rest."""
    fields = _given(body)
    if "query" in fields:
        fields["query"] = checked_query(fields["query"])
    on = fields.pop("dashboards", None)
    with caller.parts.metadata.writing() as session:
        row = _found(session, caller, insight_id, deleted=fields.get("deleted") is False)
        before = _plain(row)
        boards.change(row, fields, caller.now)
        if on is not None:
            boards.place_on(session, row, on)
        _note(session, caller, "changed", row, before=before, after=_plain(row))
        return insight_answer(session, row)


def delete_insight(caller: Caller, _body: None, _params: None, *, insight_id: str) -> None:
    """Hide an insight and its tiles; ``PATCH {"deleted": false}`` brings it back."""
    with caller.parts.metadata.writing() as session:
        row = _found(session, caller, insight_id)
        boards.change(row, {"deleted": True}, caller.now)
        _note(session, caller, "deleted", row, before={"name": row.name})


def insight_answer(session: Session, row: Insight) -> InsightAnswer:
    """Return an insight as it is shown, without its answer."""
    return InsightAnswer(
        id=row.id,
        short_id=row.short_id,
        name=row.name,
        description=row.description,
        query=row.query,
        favorited=row.favorited,
        tags=row.tags,
        dashboards=boards.dashboards_of(session, row.id),
        created_by=row.created_by,
        created_at=row.created_at,
        updated_at=row.updated_at,
        deleted=row.deleted,
    )


def checked_query(query: Any) -> dict[str, Any]:
    """Return a query that can be asked. Raises InvalidQuery."""
    decode(query)
    checked: dict[str, Any] = query
    return checked


def _found(
    session: Session, caller: Caller, insight_id: str, *, deleted: bool = False
) -> Insight:
    if insight_id.isdecimal() and len(insight_id) < 8:
        return boards.insight(session, caller.project.id, int(insight_id), deleted=deleted)
    return boards.insight_of_short_id(session, caller.project.id, insight_id)


def _given(body: InsightFields) -> dict[str, Any]:
    values = {name: getattr(body, name) for name in body.__struct_fields__}
    return {name: value for name, value in values.items() if value is not UNSET}


def _plain(row: Insight) -> dict[str, Any]:
    names = ("name", "description", "query", "favorited", "tags", "deleted")
    return {name: getattr(row, name) for name in names}


def _note(
    session: Session,
    caller: Caller,
    action: Literal["created", "changed", "deleted"],
    row: Insight,
    **values: Mapping[str, Any],
) -> None:
    audit.note(
        session,
        caller.actor,
        action,
        ("insight", row.id),
        project_id=row.project_id,
        **{name: dict(value) for name, value in values.items()},
    )
