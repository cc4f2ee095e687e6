"""Tables of what time is spent on: clients, projects, tasks, tags, and rates."""

from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from app.models.database import Base, Dated, Numbered, name_key
from app.models.people import User

_ACTIVE = text("archived_at IS NULL")


class Archivable:
    """Something that can be put away and brought back."""

    archived_at: Mapped[datetime | None]


class OwnRounding(NamedTuple):
    """What something says about rounding; None leaves it to the level above."""

    minutes: int | None = None
    method: str | None = None
    level: str | None = None
    minimum: int | None = None


AS_ABOVE = OwnRounding()
"""Nothing of one's own."""


class Rounded:
    """Own rounding rules; all four are null where the level above decides."""

    rounding_minutes: Mapped[int | None]
    """0, 1, 5, 6, 10, 12, 15, 30 or 60; 0 = exact."""
    rounding_method: Mapped[str | None] = mapped_column(String(10))
    """``nearest``, ``up`` or ``down``."""
    rounding_level: Mapped[str | None] = mapped_column(String(10))
    """``entry`` or ``day``."""
    rounding_minimum: Mapped[int | None]
    """Minutes that an entry over 0 counts at least."""

    @property
    def rounding(self) -> OwnRounding:
        """All four together."""
        return OwnRounding(
            self.rounding_minutes,
            self.rounding_method,
            self.rounding_level,
            self.rounding_minimum,
        )

    @rounding.setter
    def rounding(self, own: OwnRounding) -> None:
        self.rounding_minutes, self.rounding_method = own.minutes, own.method
        self.rounding_level, self.rounding_minimum = own.level, own.minimum


class Client(Numbered, Dated, Archivable, Rounded, Base):
    """Somebody work is done for."""

    __tablename__ = "clients"
    __table_args__ = (
        Index(
            "uq_clients_active_name",
            "name_key",
            unique=True,
            sqlite_where=_ACTIVE,
            postgresql_where=_ACTIVE,
        ),
    )

    name: Mapped[str] = mapped_column(String(300))
    name_key: Mapped[str] = mapped_column(String(600))
    number: Mapped[str | None] = mapped_column(String(50))
    currency: Mapped[str | None] = mapped_column(String(3))
    notes: Mapped[str | None] = mapped_column(Text)
    color: Mapped[int] = mapped_column(default=1)
    """1 to 10: a hue of the palette."""

    projects: Mapped[list["Project"]] = relationship(back_populates="client")

    @validates("name")
    def _keep_key(self, _key: str, value: str) -> str:
        self.name_key = name_key(value)
        return value


class Project(Numbered, Dated, Archivable, Rounded, Base):
    """A piece of work that entries belong to."""

    __tablename__ = "projects"
    __table_args__ = (
        CheckConstraint("visibility IN ('all', 'members')", name="visibility"),
        Index("uq_projects_client_name", "client_id", "name_key", unique=True),
        Index(
            "uq_projects_name_without_client",
            "name_key",
            unique=True,
            sqlite_where=text("client_id IS NULL"),
            postgresql_where=text("client_id IS NULL"),
        ),
    )

    client_id: Mapped[int | None] = mapped_column(ForeignKey("clients.id"), index=True)
    name: Mapped[str] = mapped_column(String(300))
    name_key: Mapped[str] = mapped_column(String(600))
    code: Mapped[str | None] = mapped_column(String(50))
    color: Mapped[int] = mapped_column(default=1)
    billable: Mapped[bool] = mapped_column(default=True)
    """What a new entry of the project starts with."""
    estimate_minutes: Mapped[int | None]
    notes: Mapped[str | None] = mapped_column(Text)
    visibility: Mapped[str] = mapped_column(String(10), default="all")
    require_task: Mapped[bool] = mapped_column(default=False)

    client: Mapped[Client | None] = relationship(back_populates="projects")
    members: Mapped[list["ProjectMember"]] = relationship(
        back_populates="project", cascade="all, delete-orphan"
    )
    tasks: Mapped[list["Task"]] = relationship(
        back_populates="project", cascade="all, delete-orphan"
    )

    @validates("name")
    def _keep_key(self, _key: str, value: str) -> str:
        self.name_key = name_key(value)
        return value


class ProjectMember(Base):
    """Somebody who works on a project; a lead also sees and edits its entries."""

    __tablename__ = "project_members"

    project_id: Mapped[int] = mapped_column(
        ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    is_lead: Mapped[bool] = mapped_column(default=False)

    project: Mapped[Project] = relationship(back_populates="members")
    user: Mapped[User] = relationship()


class Task(Numbered, Dated, Base):
    """A part of a project. Done ones vanish from pickers and stay in reports."""

    __tablename__ = "tasks"
    __table_args__ = (
        CheckConstraint("status IN ('open', 'in_progress', 'done')", name="status"),
        Index("uq_tasks_name_in_project", "project_id", "name_key", unique=True),
    )

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(300))
    name_key: Mapped[str] = mapped_column(String(600))
    status: Mapped[str] = mapped_column(String(20), default="open")
    assignee_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    estimate_minutes: Mapped[int | None]
    due_on: Mapped[date | None]

    project: Mapped[Project] = relationship(back_populates="tasks")
    assignee: Mapped[User | None] = relationship()

    @validates("name")
    def _keep_key(self, _key: str, value: str) -> str:
        self.name_key = name_key(value)
        return value


class Tag(Numbered, Dated, Archivable, Base):
    """A word that many entries share."""

    __tablename__ = "tags"

    name: Mapped[str] = mapped_column(String(100))
    name_key: Mapped[str] = mapped_column(String(300), unique=True)
    color: Mapped[int] = mapped_column(default=1)

    @validates("name")
    def _keep_key(self, _key: str, value: str) -> str:
        self.name_key = name_key(value)
        return value


class Rate(Numbered, Dated, Base):
    """An hourly rate and the day from which it holds."""

    __tablename__ = "rates"
    __table_args__ = (
        CheckConstraint(
            "scope IN ('default', 'client', 'project', 'task', 'user', 'project_user')",
            name="scope",
        ),
        CheckConstraint("amount >= 0", name="amount"),
        Index("ix_rates_scope", "scope", "valid_from"),
    )

    scope: Mapped[str] = mapped_column(String(15))
    client_id: Mapped[int | None] = mapped_column(
        ForeignKey("clients.id", ondelete="CASCADE")
    )
    project_id: Mapped[int | None] = mapped_column(
        ForeignKey("projects.id", ondelete="CASCADE")
    )
    task_id: Mapped[int | None] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    amount: Mapped[int]
    """Minor units an hour: 9500 is 95.00."""
    currency: Mapped[str] = mapped_column(String(3))
    valid_from: Mapped[date]
