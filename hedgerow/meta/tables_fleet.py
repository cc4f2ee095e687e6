"""The tables of what was published of a fleet."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from hedgerow.meta.tables import AUTOINCREMENT, Row


class FleetPublished(Row):
    """What a fleet's public page says now, and each installation's cell behind it."""

    __tablename__ = "fleet_published"

    project_id: Mapped[int] = mapped_column(
        ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True
    )
    page: Mapped[dict[str, Any]]
    cells: Mapped[dict[str, Any]]  # private: table to person key to cell
    least: Mapped[int]  # k of that day
    published_at: Mapped[datetime]


class FleetPublication(Row):
    """A page as it was published: appended to, never changed, and it holds nobody."""

    __tablename__ = "fleet_publications"
    __table_args__ = (AUTOINCREMENT,)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(
        ForeignKey("projects.id", ondelete="CASCADE"), index=True
    )
    page: Mapped[dict[str, Any]]
    published_at: Mapped[datetime]
