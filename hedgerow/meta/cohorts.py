"""Cohorts as they are saved: definitions, sizes, and who refers to whom.

What a definition means is ``query.cohorts``'s business, and who is in one the store's.
Here: that references form no loop, that nothing in use is deleted, and that the
definition of a static cohort is not edited.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hedgerow.errors import InvalidInput, NotFound
from hedgerow.meta.tables import CohortRow, Insight, ProjectRow
from hedgerow.model.projects import Cohort

COHORT_TYPES = frozenset({"cohort", "static-cohort", "precalculated-cohort"})
NAME_MAX = 400


def plain(row: CohortRow) -> Cohort:
    """Return a row as the noun that questions know."""
    return Cohort(id=row.id, name=row.name, is_static=row.is_static, filters=row.filters)


def of_project(session: Session, project_id: int) -> dict[int, Cohort]:
    """Return all cohorts of a project by number, for a ``QueryContext``."""
    return {row.id: plain(row) for row in _rows(session, project_id)}


def listed(
    session: Session,
    project_id: int,
    *,
    search: str = "",
    limit: int = 100,
    offset: int = 0,
) -> tuple[Sequence[CohortRow], int]:
    """Return cohorts, newest first, and how many there are in all."""
    wanted = select(CohortRow).where(CohortRow.project_id == project_id, ~CohortRow.deleted)
    if search:
        wanted = wanted.where(CohortRow.name.icontains(search, autoescape=True))
    total = session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    newest = wanted.order_by(CohortRow.id.desc()).limit(limit).offset(offset)
    return session.scalars(newest).all(), total


def by_id(
    session: Session, project_id: int, cohort_id: int, *, deleted: bool = False
) -> CohortRow:
    """Return a cohort, a deleted one only if asked for. Raises NotFound."""
    row = session.get(CohortRow, cohort_id)
    if row is None or row.project_id != project_id or (row.deleted and not deleted):
        raise NotFound(
            f"There is no cohort {cohort_id} in this project.",
            hint="It may have been deleted.",
        )
    return row


def create(
    session: Session,
    project_id: int,
    name: str,
    filters: Mapping[str, Any],
    *,
    now: datetime,
    description: str = "",
    query: dict[str, Any] | None = None,
    created_by: int | None = None,
) -> CohortRow:
    """Save a cohort of whoever meets ``filters``, or else ``query``.

    The edge has checked what they mean. Raises InvalidInput for a loop.
    """
    row = CohortRow(
        project_id=project_id,
        name=_name(name),
        description=description,
        filters=dict(filters),
        query=query,
        created_by=created_by,
        created_at=now,
    )
    session.add(row)
    session.flush()
    _refuse_loops(session, row)
    return row


def change(session: Session, row: CohortRow, fields: Mapping[str, Any]) -> None:
    """Set what is given. New criteria make a new version, whose size is not known yet.

    Raises InvalidInput for a loop, for criteria of a static cohort, for a cohort in use
    that is to be deleted.
    """
    if row.is_static and fields.keys() & {"filters", "query"}:
        raise InvalidInput(
            f"Cohort {row.id} is static; its criteria cannot be edited.",
            hint="Add persons to it, or make a new cohort.",
            attr="filters",
        )
    if fields.get("deleted"):
        refuse_if_used(session, row)
    for name, value in fields.items():
        setattr(row, name, _name(value) if name == "name" else value)
    if "filters" in fields:
        row.version += 1
        row.count, row.last_calculation = None, None
        session.flush()
        _refuse_loops(session, row)


def counted(
    session: Session, row: CohortRow, count: int | None, now: datetime, *, failure: str = ""
) -> None:
    """Note the size found at ``now``, or why it could not be found."""
    if failure:
        row.errors_calculating += 1
        row.last_error_message = failure
        return
    row.count, row.last_calculation = count, now
    row.errors_calculating, row.last_error_message = 0, None
    session.flush()


def refuse_if_used(session: Session, row: CohortRow) -> None:
    """Raise InvalidInput, naming the users, when a cohort is used anywhere."""
    users = used_in(session, row)
    if users:
        raise InvalidInput(
            f"Cohort {row.name!r} is used by {', '.join(users)}.",
            hint="Take it out there first.",
            attr="deleted",
        )


def used_in(session: Session, row: CohortRow) -> list[str]:
    """Return, in words, which insights, cohorts and filters of the project name a cohort."""
    insights = session.scalars(
        select(Insight).where(Insight.project_id == row.project_id, ~Insight.deleted)
    )
    found = [
        f"insight {one.name or one.short_id!r}"
        for one in insights
        if row.id in references(one.query)
    ]
    found += [
        f"cohort {other.name!r}"
        for other in _rows(session, row.project_id)
        if other.id != row.id and row.id in references(other.filters)
    ]
    project = session.get(ProjectRow, row.project_id)
    if project is not None and row.id in references(project.test_account_filters):
        found.append("the filter of internal users")
    return found


def references(definition: Any) -> set[int]:
    """Return the numbers of the cohorts that a definition or a query names."""
    return set(_references(definition))


def _references(node: Any) -> Iterator[int]:
    if isinstance(node, list):
        for inner in node:
            yield from _references(inner)
    if not isinstance(node, dict):
        return
    if node.get("type") in COHORT_TYPES:
        yield from _numbers(node.get("value"))
    if node.get("breakdown_type") == "cohort":
        yield from _numbers(node.get("breakdown"))
    if node.get("type") == "cohort" and "property" in node:  # one of several breakdowns
        yield from _numbers(node["property"])
    for inner in node.values():
        yield from _references(inner)


def _numbers(value: Any) -> Iterator[int]:
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, int) or (isinstance(one, str) and one.isdecimal()):
            yield int(one)


def _refuse_loops(session: Session, changed: CohortRow) -> None:
    uses = {row.id: references(row.filters) for row in _rows(session, changed.project_id)}
    reached: set[int] = set()
    ahead = list(uses.get(changed.id, set()))
    while ahead:
        one = ahead.pop()
        if one == changed.id:
            raise InvalidInput(
                "Cohorts cannot reference other cohorts in a loop.",
                hint=f"Take cohort {changed.id} out of what {changed.name!r} refers to.",
                attr="filters",
            )
        if one not in reached:
            reached.add(one)
            ahead += uses.get(one, set())


def _rows(session: Session, project_id: int) -> Sequence[CohortRow]:
    return session.scalars(
        select(CohortRow).where(CohortRow.project_id == project_id, ~CohortRow.deleted)
    ).all()


def _name(name: str) -> str:
    if not 1 <= len(name.strip()) <= NAME_MAX:
        raise InvalidInput(
            f"The name {name[:40]!r} has {len(name.strip())} characters.",
            hint=f"Use 1 to {NAME_MAX}.",
            attr="name",
        )
    return name.strip()
