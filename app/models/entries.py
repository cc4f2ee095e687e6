"""Tables of recorded time."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    CheckConstraint,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    String,
    Table,
    and_,
    event,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.database import Base, BigId, Dated, Numbered
from app.models.people import User
from app.models.work import Project, Tag, Task

RUNNING = "kind = 'timed' AND ended_at IS NULL AND deleted_at IS NULL"
"""The condition that makes an entry somebody's running timer."""

entry_tags = Table(
    "entry_tags",
    Base.metadata,
    Column(
        "entry_id",
        BigId,
        ForeignKey("time_entries.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("tag_id", BigId, ForeignKey("tags.id"), primary_key=True, index=True),
)


class TimeEntry(Numbered, Dated, Base):
    """Time somebody spent: with clock times (``timed``) or a length on a day (``duration``).

    A timed entry without ``ended_at`` is the running timer; each person has at most one,
    and the index ``one_running_timer`` is what makes sure.
    """

    __tablename__ = "time_entries"
    __table_args__ = (
        CheckConstraint("kind IN ('timed', 'duration')", name="kind"),
        CheckConstraint("(kind = 'timed') = (started_at IS NOT NULL)", name="has_start"),
        CheckConstraint("kind = 'timed' OR ended_at IS NULL", name="has_end"),
        CheckConstraint("ended_at IS NULL OR ended_at > started_at", name="order"),
        CheckConstraint("seconds IS NULL OR seconds >= 0", name="seconds"),
        CheckConstraint("kind = 'timed' OR seconds IS NOT NULL", name="length"),
        CheckConstraint("(ended_at IS NULL) OR seconds IS NOT NULL", name="worked"),
        Index(
            "one_running_timer",
            "user_id",
            unique=True,
            sqlite_where=text(RUNNING),
            postgresql_where=text(RUNNING),
        ),
        Index("ix_time_entries_day", "user_id", "local_date"),
        Index("ix_time_entries_started", "user_id", "started_at"),
        Index("ix_time_entries_listed", "local_date", "started_at"),
        Index(
            "ix_time_entries_reported",  # all that a summary reads, so that it reads no more
            "local_date",
            "project_id",
            "user_id",
            "billable",
            "seconds",
            "task_id",
            "rate_override",
            "within_day",
            "deleted_at",
        ),
        Index(
            "ix_time_entries_across",
            "local_date",
            sqlite_where=text("within_day = 0"),
            postgresql_where=text("NOT within_day"),
        ),
        Index("ix_time_entries_project", "project_id", "local_date"),
        Index("ix_time_entries_changed", "updated_at"),
        Index(
            "ix_time_entries_trash",
            "deleted_at",
            sqlite_where=text("deleted_at IS NOT NULL"),
            postgresql_where=text("deleted_at IS NOT NULL"),
        ),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    kind: Mapped[str] = mapped_column(String(10), default="timed")
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    timezone: Mapped[str] = mapped_column(String(64))
    """The zone in which it was recorded; its days are days there."""
    local_date: Mapped[date]
    """The day it begins on, in that zone."""
    seconds: Mapped[int | None]
    """Worked: the span without breaks. Null while the timer runs."""
    within_day: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether all of it certainly lies on ``local_date``: reports add such up in the
    database and cut only the others at midnight. Kept by ``_note_day``."""
    project_id: Mapped[int | None] = mapped_column(ForeignKey("projects.id"))
    task_id: Mapped[int | None] = mapped_column(ForeignKey("tasks.id"), index=True)
    description: Mapped[str] = mapped_column(String(2000), default="")
    billable: Mapped[bool] = mapped_column(default=False)
    rate_override: Mapped[int | None]
    """Minor units an hour, in the currency that the rate would have had."""
    source: Mapped[str] = mapped_column(String(10), default="timer")
    """``timer``, ``manual``, ``week``, ``import`` or ``api``."""
    stopped_by: Mapped[str | None] = mapped_column(String(15))
    """``user``, ``replaced``, ``max_duration``, ``admin`` or ``api``."""
    incomplete: Mapped[bool] = mapped_column(default=False)
    """Something the installation asks for is missing."""
    checked_at: Mapped[datetime | None]
    """When its owner said that what looked odd about it is right."""
    version: Mapped[int] = mapped_column(default=1)
    """Rises with every change; a form that was filled in for an older one is refused."""
    import_batch_id: Mapped[int | None] = mapped_column(
        ForeignKey("import_batches.id", ondelete="SET NULL"), index=True
    )
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    deleted_at: Mapped[datetime | None]

    __mapper_args__ = {  # noqa: RUF012 - SQLAlchemy's own form
        "version_id_col": version,
        "version_id_generator": False,  # tags and breaks count as changes too: see touch()
    }

    user: Mapped[User] = relationship(foreign_keys=[user_id])
    project: Mapped[Project | None] = relationship()
    task: Mapped[Task | None] = relationship()
    tags: Mapped[list[Tag]] = relationship(secondary=entry_tags, order_by=Tag.name_key)
    breaks: Mapped[list["EntryBreak"]] = relationship(
        back_populates="entry",
        cascade="all, delete-orphan",
        order_by="EntryBreak.started_at",
    )

    def touch(self) -> None:
        """Note that the entry, its tags or its breaks changed."""
        self.version = (self.version or 0) + 1

    @classmethod
    def is_running_now(cls) -> ColumnElement[bool]:
        """Return the condition that picks running timers: that of ``one_running_timer``."""
        return and_(cls.kind == "timed", cls.ended_at.is_(None), cls.deleted_at.is_(None))

    @property
    def is_running(self) -> bool:
        """Whether this is its owner's timer, going or paused."""
        return self.kind == "timed" and self.ended_at is None and self.deleted_at is None


@event.listens_for(TimeEntry, "before_insert")
@event.listens_for(TimeEntry, "before_update")
def _note_day(_mapper: Any, _connection: Any, entry: TimeEntry) -> None:
    """Note whether the entry lies on one day; False where clocks changed meanwhile."""
    if entry.kind == "duration":
        entry.within_day = True
    elif entry.started_at is None or entry.ended_at is None:
        entry.within_day = False
    else:
        where = ZoneInfo(entry.timezone)
        begin = entry.started_at.astimezone(where)
        end = (entry.ended_at - timedelta(seconds=1)).astimezone(where)
        same_day = begin.date() == end.date() == entry.local_date
        entry.within_day = same_day and begin.utcoffset() == end.utcoffset()


class EntryBreak(Numbered, Base):
    """A pause inside an entry; the open one is a timer that is paused now."""

    __tablename__ = "entry_breaks"
    __table_args__ = (
        CheckConstraint("ended_at IS NULL OR ended_at >= started_at", name="order"),
        Index(
            "one_open_break",
            "entry_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_entry_breaks_entry", "entry_id"),
    )

    entry_id: Mapped[int] = mapped_column(ForeignKey("time_entries.id", ondelete="CASCADE"))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    entry: Mapped[TimeEntry] = relationship(back_populates="breaks")


class Pin(Numbered, Dated, Base):
    """Something its owner starts often: at most ten on the dashboard."""

    __tablename__ = "pins"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    project_id: Mapped[int | None] = mapped_column(
        ForeignKey("projects.id", ondelete="CASCADE")
    )
    task_id: Mapped[int | None] = mapped_column(ForeignKey("tasks.id", ondelete="SET NULL"))
    description: Mapped[str] = mapped_column(String(2000), default="")
    position: Mapped[int] = mapped_column(default=0)

    project: Mapped[Project | None] = relationship()
    task: Mapped[Task | None] = relationship()


class UndoStep(Numbered, Dated, Base):
    """What an act changed, kept for an hour so that it can be taken back."""

    __tablename__ = "undo_steps"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    action: Mapped[str] = mapped_column(String(30))
    before: Mapped[dict[str, Any]]
    """Entry number → its fields before the act, or null where there was none."""
    after: Mapped[dict[str, Any]]
    """Entry number → its version after the act: a later change refuses the undo."""
    expires_at: Mapped[datetime] = mapped_column(index=True)
    undone_at: Mapped[datetime | None]
