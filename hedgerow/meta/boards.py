"""Saved insights, and dashboards that show them.

Deleting hides: the row stays, so that "undo" gives back exactly what was there. A tile
shows an insight or a text; an insight may stand on several dashboards and is one thing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, func, or_, select
from sqlalchemy.orm import Session

from hedgerow.errors import InvalidInput, NotFound
from hedgerow.meta import credentials
from hedgerow.meta.tables import Dashboard, Insight, Tile

COLUMNS = 12
"""Width of a dashboard's grid."""

TILE_SIZE = {"w": 6, "h": 5}
"""Width in columns and height in rows of a tile nobody has sized."""

NAME_MAX = 400


def insights(
    session: Session,
    project_id: int,
    *,
    search: str = "",
    limit: int = 100,
    offset: int = 0,
) -> tuple[Sequence[Insight], int]:
    """Return saved insights, last changed first, and how many there are in all."""
    wanted = select(Insight).where(Insight.project_id == project_id, ~Insight.deleted)
    if search:
        wanted = wanted.where(_holds(search, Insight.name, Insight.description))
    newest = wanted.order_by(Insight.updated_at.desc(), Insight.id.desc())
    return session.scalars(newest.limit(limit).offset(offset)).all(), _count(
        session, wanted
    )


def insight(
    session: Session, project_id: int, insight_id: int, *, deleted: bool = False
) -> Insight:
    """Return a saved insight, a deleted one only if asked for. Raises NotFound."""
    row = session.get(Insight, insight_id)
    if row is None or row.project_id != project_id or (row.deleted and not deleted):
        raise NotFound(
            f"There is no insight {insight_id} in this project.",
            hint="It may have been deleted.",
        )
    return row


def insight_of_short_id(session: Session, project_id: int, short_id: str) -> Insight:
    """Return the insight with this address. Raises NotFound."""
    row = session.scalar(
        select(Insight).where(
            Insight.project_id == project_id,
            Insight.short_id == short_id,
            ~Insight.deleted,
        )
    )
    if row is None:
        raise NotFound(
            f"There is no insight {short_id!r} in this project.",
            hint="It may have been deleted.",
        )
    return row


def create_insight(
    session: Session,
    project_id: int,
    query: dict[str, Any],
    *,
    now: datetime,
    name: str = "",
    description: str = "",
    tags: Sequence[str] = (),
    created_by: int | None = None,
) -> Insight:
    """Save a question. The edge has checked that ``query`` can be asked."""
    row = Insight(
        short_id=credentials.short_id(),
        project_id=project_id,
        name=_name(name),
        description=description,
        query=query,
        tags=list(tags),
        created_by=created_by,
        created_at=now,
        updated_at=now,
    )
    session.add(row)
    session.flush()
    return row


def change(row: Insight | Dashboard, fields: Mapping[str, Any], now: datetime) -> None:
    """Set what is given on an insight or a dashboard; ``deleted`` may be set back too."""
    for name, value in fields.items():
        setattr(row, name, _name(value) if name == "name" else value)
    row.updated_at = now


def dashboards(
    session: Session,
    project_id: int,
    *,
    search: str = "",
    limit: int = 100,
    offset: int = 0,
) -> tuple[Sequence[Dashboard], int]:
    """Return dashboards, pinned ones first, then by name, and how many there are in all."""
    wanted = select(Dashboard).where(Dashboard.project_id == project_id, ~Dashboard.deleted)
    if search:
        wanted = wanted.where(_holds(search, Dashboard.name, Dashboard.description))
    ordered = wanted.order_by(Dashboard.pinned.desc(), Dashboard.name, Dashboard.id)
    return session.scalars(ordered.limit(limit).offset(offset)).all(), _count(
        session, wanted
    )


def dashboard(
    session: Session, project_id: int, dashboard_id: int, *, deleted: bool = False
) -> Dashboard:
    """Return a dashboard, a deleted one only if asked for. Raises NotFound."""
    row = session.get(Dashboard, dashboard_id)
    if row is None or row.project_id != project_id or (row.deleted and not deleted):
        raise NotFound(
            f"There is no dashboard {dashboard_id} in this project.",
            hint="It may have been deleted.",
        )
    return row


def create_dashboard(
    session: Session,
    project_id: int,
    name: str,
    *,
    now: datetime,
    description: str = "",
    filters: Mapping[str, Any] | None = None,
    template: str | None = None,
    created_by: int | None = None,
) -> Dashboard:
    """Make an empty dashboard. ``template``: which one it is made from, if any."""
    row = Dashboard(
        project_id=project_id,
        name=_name(name),
        description=description,
        filters=dict(filters or {}),
        template=template,
        created_by=created_by,
        created_at=now,
        updated_at=now,
    )
    session.add(row)
    session.flush()
    return row


def duplicate(
    session: Session, original: Dashboard, *, now: datetime, created_by: int | None = None
) -> Dashboard:
    """Copy a dashboard with its tiles; the insights on them are the same ones."""
    copy = create_dashboard(
        session,
        original.project_id,
        f"{original.name} (copy)"[:NAME_MAX],
        now=now,
        description=original.description,
        filters=original.filters,
        created_by=created_by,
    )
    copy.tags = list(original.tags)
    for tile, _ in tiles(session, original.id):
        session.add(
            Tile(
                dashboard_id=copy.id,
                insight_id=tile.insight_id,
                text=tile.text,
                layout=dict(tile.layout),
                color=tile.color,
            )
        )
    session.flush()
    return copy


def tiles(session: Session, dashboard_id: int) -> list[tuple[Tile, Insight | None]]:
    """Return the tiles as one reads them, each with its insight; None: a text.

    Tiles of deleted insights are left out: they come back when the insight does.
    """
    found = session.execute(
        select(Tile, Insight)
        .outerjoin(Insight, Insight.id == Tile.insight_id)
        .where(
            Tile.dashboard_id == dashboard_id,
            or_(Tile.insight_id.is_(None), ~Insight.deleted),
        )
    )
    pairs = [(tile, shown) for tile, shown in found]
    return sorted(pairs, key=lambda pair: (*_corner(pair[0].layout), pair[0].id))


def tile(session: Session, dashboard_id: int, tile_id: int) -> Tile:
    """Return one tile of a dashboard. Raises NotFound."""
    row = session.get(Tile, tile_id)
    if row is None or row.dashboard_id != dashboard_id:
        raise NotFound(
            f"There is no tile {tile_id} on this dashboard.",
            hint="It may have been removed.",
        )
    return row


def add_tile(
    session: Session,
    dashboard_id: int,
    *,
    insight_id: int | None = None,
    text: str | None = None,
    layout: Mapping[str, int] | None = None,
    color: str | None = None,
) -> Tile:
    """Put an insight or a text on a dashboard: at ``layout``, or in the next free place."""
    if (insight_id is None) == (text is None):
        raise InvalidInput(
            "A tile shows either an insight or a text.",
            hint="Give one of 'insight' and 'text'.",
            attr="tiles",
        )
    taken = [other.layout for other, _ in tiles(session, dashboard_id)]
    row = Tile(
        dashboard_id=dashboard_id,
        insight_id=insight_id,
        text=text,
        layout=checked_layout(layout) if layout else free_place(taken),
        color=color,
    )
    session.add(row)
    session.flush()
    return row


def remove_tile(session: Session, dashboard_id: int, tile_id: int) -> None:
    """Take a tile off a dashboard; its insight stays saved."""
    session.delete(tile(session, dashboard_id, tile_id))


def lay_out(
    session: Session, dashboard_id: int, places: Mapping[int, Mapping[str, int]]
) -> None:
    """Move and size tiles, by their numbers. Raises NotFound, InvalidInput."""
    for tile_id, layout in places.items():
        tile(session, dashboard_id, tile_id).layout = checked_layout(layout)


def dashboards_of(session: Session, insight_id: int) -> list[int]:
    """Return the numbers of the dashboards an insight stands on."""
    found = session.scalars(
        select(Tile.dashboard_id)
        .join(Dashboard, Dashboard.id == Tile.dashboard_id)
        .where(Tile.insight_id == insight_id, ~Dashboard.deleted)
        .distinct()
    )
    return sorted(found)


def place_on(session: Session, row: Insight, dashboard_ids: Sequence[int]) -> None:
    """Let an insight stand on exactly these dashboards of its project."""
    for dashboard_id in dashboard_ids:
        dashboard(session, row.project_id, dashboard_id)
    held = set(dashboards_of(session, row.id))
    session.execute(
        delete(Tile).where(
            Tile.insight_id == row.id, Tile.dashboard_id.in_(held - set(dashboard_ids))
        )
    )
    for dashboard_id in [one for one in dashboard_ids if one not in held]:
        add_tile(session, dashboard_id, insight_id=row.id)


def checked_layout(layout: Mapping[str, int]) -> dict[str, int]:
    """Return a place on the grid, or raise InvalidInput when it is off the grid."""
    sides = {side: layout.get(side) for side in ("x", "y", "w", "h")}
    fits = all(isinstance(side, int) and 0 <= side <= 10_000 for side in sides.values())
    place = {side: int(value or 0) for side, value in sides.items()}
    if not fits or place["w"] < 1 or place["h"] < 1 or place["x"] + place["w"] > COLUMNS:
        raise InvalidInput(
            f"The layout {dict(layout)!r} does not fit the grid.",
            hint=f"Give x, y, w, h in whole cells, x + w at most {COLUMNS}.",
            attr="layout",
        )
    return place


def free_place(taken: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """Return where the next tile goes: right of the last row's tiles, or below them."""
    if not taken:
        return {"x": 0, "y": 0, **TILE_SIZE}
    last = max(taken, key=_corner)
    right = last.get("x", 0) + last.get("w", COLUMNS)
    if right + TILE_SIZE["w"] <= COLUMNS:
        return {"x": right, "y": last.get("y", 0), **TILE_SIZE}
    bottom = max(one.get("y", 0) + one.get("h", 1) for one in taken)
    return {"x": 0, "y": bottom, **TILE_SIZE}


def _corner(layout: Mapping[str, int]) -> tuple[int, int]:
    return layout.get("y", 0), layout.get("x", 0)


def _name(name: str) -> str:
    if len(name) > NAME_MAX:
        raise InvalidInput(
            f"The name has {len(name)} characters.",
            hint=f"Use at most {NAME_MAX}.",
            attr="name",
        )
    return name.strip()


def _holds(search: str, *columns: Any) -> Any:
    return or_(*(column.icontains(search, autoescape=True) for column in columns))


def _count(session: Session, wanted: Select[Any]) -> int:
    return session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
