"""Cohorts: define a set of persons. Who is in one: ``cohort_people``."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy.orm import Session

from hedgerow.api.callers import Caller
from hedgerow.api.cohort_people import People, put, size, snapshot
from hedgerow.api.endpoints import Listing, Search, listing
from hedgerow.errors import HedgerowError, InvalidInput
from hedgerow.meta import audit, cohorts
from hedgerow.meta.tables import CohortRow
from hedgerow.query.definitions_cohorts import Group, Leaf, check


class NewCohort(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A cohort to be made."""

    name: str
    description: str = ""
    filters: dict[str, Any] | None = None
    groups: list[dict[str, Any]] | None = None
    """The older form of ``filters``."""

    is_static: bool = False
    query: dict[str, Any] | None = None
    """Static only: those it answers now."""

    distinct_ids: list[str] | None = None
    person_ids: list[str] | None = None


class CohortFields(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What changes about a cohort."""

    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    filters: dict[str, Any] | UnsetType = UNSET
    groups: list[dict[str, Any]] | UnsetType = UNSET
    query: dict[str, Any] | UnsetType = UNSET
    deleted: bool | UnsetType = UNSET


class CohortAnswer(msgspec.Struct, kw_only=True):
    """A cohort as it is shown."""

    id: int
    name: str
    description: str
    filters: dict[str, Any]
    query: dict[str, Any] | None
    is_static: bool
    count: int | None
    is_calculating: bool
    version: int
    pending_version: int
    last_calculation: datetime | None
    computed_at: datetime | None
    errors_calculating: int
    last_error_message: str | None
    created_by: int | None
    created_at: datetime
    deleted: bool
    cohort_type: str
    unknown: int | UnsetType = UNSET
    """Said as a static one is made of ids: how many of them nobody has."""


def list_cohorts(caller: Caller, _body: None, page: Search) -> Listing:
    """List cohorts, newest first."""
    with caller.parts.metadata.reading() as session:
        rows, total = cohorts.listed(
            session,
            caller.project.id,
            search=page.search,
            limit=page.limit,
            offset=page.offset,
        )
    return listing(caller.url, page, [_shown(row) for row in rows], total=total)


def create_cohort(caller: Caller, body: NewCohort, _params: None) -> CohortAnswer:
    """Make a cohort: by criteria, or static from ids, criteria or a query as of now."""
    _refuse_mixed(body)
    filters = _checked(body.filters, body.groups)
    named = People(person_ids=body.person_ids or [], distinct_ids=body.distinct_ids or [])
    if body.is_static and (filters or body.query):
        named = snapshot(caller, filters, body.query)
    with caller.parts.metadata.writing() as session:
        row = cohorts.create(
            session,
            caller.project.id,
            body.name,
            {} if body.is_static else filters,
            now=caller.now,
            description=body.description,
            created_by=caller.user.id,
        )
        row.is_static = body.is_static
        _note(session, caller, "created", row, after=_plain(row))
    if named.person_ids or named.distinct_ids:
        unknown = put(caller, row.id, named).unknown
        return msgspec.structs.replace(_counted(caller, row), unknown=unknown)
    return _counted(caller, row)


def read_cohort(
    caller: Caller, _body: None, _params: None, *, cohort_id: int
) -> CohortAnswer:
    """Show a cohort with its size as of now."""
    with caller.parts.metadata.reading() as session:
        row = cohorts.by_id(session, caller.project.id, cohort_id)
    return _counted(caller, row)


def change_cohort(
    caller: Caller, body: CohortFields, _params: None, *, cohort_id: int
) -> CohortAnswer:
    """Change what is given; ``deleted: true`` removes it, unless it is used."""
    values = {name: getattr(body, name) for name in body.__struct_fields__}
    fields = {name: value for name, value in values.items() if value is not UNSET}
    if fields.keys() & {"filters", "groups"}:
        fields["filters"] = _checked(fields.get("filters"), fields.pop("groups", None))
    with caller.parts.metadata.writing() as session:
        row = cohorts.by_id(
            session, caller.project.id, cohort_id, deleted=fields.get("deleted") is False
        )
        if not row.is_static and "query" in fields:
            raise _only_static()
        before = _plain(row)
        cohorts.change(session, row, fields)
        _note(session, caller, "changed", row, before=before, after=_plain(row))
    return _shown(row) if row.deleted else _counted(caller, row)


def delete_cohort(caller: Caller, _body: None, _params: None, *, cohort_id: int) -> None:
    """Remove a cohort, unless it is used."""
    with caller.parts.metadata.writing() as session:
        row = cohorts.by_id(session, caller.project.id, cohort_id)
        cohorts.change(session, row, {"deleted": True})
        _note(session, caller, "deleted", row, before={"name": row.name})


def _refuse_mixed(body: NewCohort) -> None:
    if not body.is_static and body.query is not None:
        raise _only_static()
    if not body.is_static and (body.distinct_ids or body.person_ids):
        raise InvalidInput(
            "Only a static cohort is a list of persons.",
            hint="Set is_static to true, or give 'filters'.",
            attr="is_static",
        )
    if body.query is not None and (body.filters or body.groups):
        raise InvalidInput(
            "A cohort has a query or criteria, not both.",
            hint="Leave one of them out.",
            attr="query",
        )


def _only_static() -> InvalidInput:
    return InvalidInput(
        "Only a static cohort can be filled by a query.",
        hint="Set is_static to true, or give 'filters'.",
        attr="query",
    )


def _checked(filters: Any, groups: Any) -> dict[str, Any]:
    """Return criteria as they are kept, the older form turned into the present one."""
    criteria = check(filters, groups)
    if filters or not groups:
        kept: dict[str, Any] = filters or {}
        return kept
    return {"properties": _written(criteria.root)}


def _written(part: Group | Leaf) -> Any:
    if isinstance(part, Group):
        return {"type": part.type, "values": [_written(one) for one in part.parts]}
    plain: dict[str, Any] = msgspec.to_builtins(part)
    return {name: value for name, value in plain.items() if value is not None}


def _counted(caller: Caller, row: CohortRow) -> CohortAnswer:
    """Return a cohort with its size as of now, or with why that cannot be found."""
    count, failure = None, ""
    try:
        count = size(caller, row)
    except HedgerowError as error:
        failure = str(error)
    if count != row.count or failure:
        with caller.parts.metadata.writing() as session:
            row = session.merge(row)
            cohorts.counted(session, row, count, caller.now, failure=failure)
    return _shown(row)


def _shown(row: CohortRow) -> CohortAnswer:
    return CohortAnswer(
        id=row.id,
        name=row.name,
        description=row.description,
        filters=row.filters,
        query=row.query,
        is_static=row.is_static,
        count=row.count,
        is_calculating=False,
        version=row.version,
        pending_version=row.version,
        last_calculation=row.last_calculation,
        computed_at=row.last_calculation,
        errors_calculating=row.errors_calculating,
        last_error_message=row.last_error_message,
        created_by=row.created_by,
        created_at=row.created_at,
        deleted=row.deleted,
        cohort_type="static" if row.is_static else "dynamic",
    )


def _plain(row: CohortRow) -> dict[str, Any]:
    names = ("name", "description", "filters", "query", "deleted")
    return {name: getattr(row, name) for name in names}


def _note(
    session: Session,
    caller: Caller,
    action: str,
    row: CohortRow,
    **values: Mapping[str, Any],
) -> None:
    audit.note(
        session,
        caller.actor,
        action,
        ("cohort", row.id),
        project_id=row.project_id,
        **{name: dict(value) for name, value in values.items()},
    )
