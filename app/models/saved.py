"""Tables of what people and the administrator keep: settings, filters, layouts, imports."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.database import JSON_TEXT, Base, Dated, Numbered
from app.models.people import User


class Setting(Dated, Base):
    """What an administrator chose at run time; the environment wins over it."""

    __tablename__ = "settings"

    key: Mapped[str] = mapped_column(String(60), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON_TEXT)


class SavedFilter(Numbered, Dated, Base):
    """A question with a name."""

    __tablename__ = "saved_filters"
    __table_args__ = (Index("ix_saved_filters_owner", "user_id", "scope", "position"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    scope: Mapped[str] = mapped_column(String(10))
    """``entries`` or ``reports``."""
    query: Mapped[dict[str, Any]]
    shared: Mapped[bool] = mapped_column(default=False)
    position: Mapped[int] = mapped_column(default=0)

    user: Mapped[User] = relationship()


class ColumnSet(Numbered, Dated, Base):
    """Which columns an export has, in which order and under which names."""

    __tablename__ = "column_sets"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str] = mapped_column(String(100))
    dataset: Mapped[str] = mapped_column(String(20))
    columns: Mapped[list[Any]]
    """``[{"key": "date", "title": "Day"}, …]``"""
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    shared: Mapped[bool] = mapped_column(default=False)

    user: Mapped[User] = relationship()


class ImportBatch(Numbered, Dated, Base):
    """One file that was read, and what became of it."""

    __tablename__ = "import_batches"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    source: Mapped[str] = mapped_column(String(20))
    file_name: Mapped[str] = mapped_column(String(255))
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(String(15))
    """``uploaded``, ``planned``, ``running``, ``stopped``, ``done``, ``failed``, ``undone``."""
    undone_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()


class ImportRow(Numbered, Base):
    """One line of an import: what it was and where it went."""

    __tablename__ = "import_rows"
    __table_args__ = (
        Index("ix_import_rows_batch", "batch_id", "line"),
        Index("ix_import_rows_hash", "hash"),
    )

    batch_id: Mapped[int] = mapped_column(
        ForeignKey("import_batches.id", ondelete="CASCADE")
    )
    line: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))
    outcome: Mapped[str] = mapped_column(String(20))
    """``created``, ``duplicate``, ``error`` or ``undone``."""
    problem: Mapped[str | None] = mapped_column(Text)
    entry_id: Mapped[int | None] = mapped_column(
        ForeignKey("time_entries.id", ondelete="SET NULL"), index=True
    )


class ImportMapping(Numbered, Dated, Base):
    """How the columns of a source were understood the last time."""

    __tablename__ = "import_mappings"
    __table_args__ = (Index("uq_import_mappings_source", "user_id", "source", unique=True),)

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    source: Mapped[str] = mapped_column(String(20))
    columns: Mapped[dict[str, Any]] = mapped_column(default=dict)
    answers: Mapped[dict[str, Any]] = mapped_column(default=dict)
