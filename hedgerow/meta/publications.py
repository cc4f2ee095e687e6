"""What was published of a fleet, and the cells that were behind it (``fleet`` §4.4)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hedgerow.meta.tables_fleet import FleetPublication, FleetPublished


def last(session: Session, project_id: int) -> FleetPublished | None:
    """Return what was published last, with the cells."""
    return session.get(FleetPublished, project_id)


def page(session: Session, project_id: int) -> dict[str, Any] | None:
    """Return the page that was published last, without the cells."""
    wanted = select(FleetPublished.page).where(FleetPublished.project_id == project_id)
    return session.scalars(wanted).first()


def keep(
    session: Session,
    project_id: int,
    page: dict[str, Any],
    cells: dict[str, Any],
    *,
    least: int,
    at: datetime,
) -> None:
    """Keep a page that was published, and the cells behind it in place of those before."""
    session.merge(
        FleetPublished(
            project_id=project_id, page=page, cells=cells, least=least, published_at=at
        )
    )
    session.add(FleetPublication(project_id=project_id, page=page, published_at=at))


def pages(session: Session, project_id: int) -> Sequence[dict[str, Any]]:
    """Return every page that was ever published, oldest first."""
    wanted = select(FleetPublication.page).where(FleetPublication.project_id == project_id)
    return session.scalars(wanted.order_by(FleetPublication.id)).all()


def latest(session: Session, project_id: int, limit: int) -> list[dict[str, Any]]:
    """Return the last pages that were published, oldest first."""
    wanted = select(FleetPublication.page).where(FleetPublication.project_id == project_id)
    found = session.scalars(wanted.order_by(FleetPublication.id.desc()).limit(limit))
    return list(reversed(found.all()))
