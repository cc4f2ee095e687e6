"""Making a dashboard from a template, with everything that goes with it."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from hedgerow.errors import NotFound
from hedgerow.meta import boards, cohorts, projects
from hedgerow.meta.tables import CohortRow, Dashboard, Insight
from hedgerow.meta.template_parts import Saved, SavedCohort, Template
from hedgerow.meta.templates import TEMPLATES


def template(key: str) -> Template:
    """Return a template by its key. Raises NotFound."""
    found = TEMPLATES.get(key)
    if found is None:
        raise NotFound(
            f"There is no template {key!r}.", hint=f"Use one of {', '.join(TEMPLATES)}."
        )
    return found


def install(
    session: Session,
    project_id: int,
    wanted: Template,
    *,
    now: datetime,
    created_by: int | None = None,
) -> Dashboard:
    """Make the template's dashboard; its insights and cohorts unless they are there.

    The project's rules may change too, so the edge refreshes its directory afterwards.
    """
    place = _Place(session, project_id, {"now": now, "created_by": created_by})
    numbers = {one.name: _cohort(place, one) for one in wanted.cohorts}
    _unite(place, wanted)
    held = set(
        session.scalars(
            select(Insight.name).where(Insight.project_id == project_id, ~Insight.deleted)
        )
    )
    for extra in wanted.insights:
        if extra.name not in held:
            _insight(place, extra, numbers)
    made = boards.create_dashboard(
        session,
        project_id,
        wanted.name,
        description=wanted.description,
        template=wanted.key,
        **place.made,
    )
    for tile in wanted.tiles:
        shown = _insight(place, tile, numbers)
        boards.add_tile(session, made.id, insight_id=shown.id, layout=tile.layout)
    return made


class _Place(NamedTuple):
    """Where things are made, and by whom and when (``now``, ``created_by``)."""

    session: Session
    project_id: int
    made: dict[str, Any]


def _unite(place: _Place, wanted: Template) -> None:
    row = projects.by_id(place.session, place.project_id)
    rules = {kind: list(names) for kind, names in row.union_properties.items()}
    for kind, names in wanted.union_properties.items():
        held = rules.setdefault(kind, [])
        held += [name for name in names if name not in held]
    row.union_properties = rules


def _cohort(place: _Place, wanted: SavedCohort) -> int:
    held = place.session.scalars(
        select(CohortRow.id).where(
            CohortRow.project_id == place.project_id,
            CohortRow.name == wanted.name,
            ~CohortRow.deleted,
        )
    ).first()
    if held is not None:
        return held
    made = cohorts.create(
        place.session,
        place.project_id,
        wanted.name,
        wanted.filters,
        description=wanted.description,
        **place.made,
    )
    return made.id


def _insight(place: _Place, wanted: Saved, numbers: dict[str, int]) -> Insight:
    return boards.create_insight(
        place.session,
        place.project_id,
        _numbered(wanted.query, numbers),
        name=wanted.name,
        description=wanted.description,
        **place.made,
    )


def _numbered(node: Any, numbers: dict[str, int]) -> Any:
    """Return a query with the cohorts' numbers in place of their names."""
    if isinstance(node, dict):
        if set(node) == {"$cohort"}:
            return numbers[node["$cohort"]]
        return {name: _numbered(inner, numbers) for name, inner in node.items()}
    if isinstance(node, list):
        return [_numbered(inner, numbers) for inner in node]
    return node
