"""The metadata database: what people saved, and who they are.

Projects and keys, users and roles, dashboards and cohorts: small, precious, edited by
hand. Events and persons are elsewhere (``model.tables``). Everything here works alike on
SQLite and PostgreSQL: no type or clause that only one of them has.

Secrets never stand here in the clear: passwords are argon2 hashes, keys and links are
SHA-256 of 256 random bits. The one exception is a project's token, which every web page
that sends events shows to the world.

Rows are plain records without relations: who wants another row asks for it, so no
attribute access can turn into a query behind one's back.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Moment(TypeDecorator[datetime]):
    """A time in UTC: aware in Python, also where the engine forgets zones (SQLite)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002  the signature is SQLAlchemy's
    ) -> datetime | None:
        """Store in UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002  the signature is SQLAlchemy's
    ) -> datetime | None:
        """Read back with its zone."""
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


AUTOINCREMENT = {"sqlite_autoincrement": True}
"""A number is never given twice: what is left of a deleted project must not turn up in
the next one. (PostgreSQL does so anyway.)"""


class Row(DeclarativeBase):
    """All tables of the metadata."""

    __table_args__: Any = AUTOINCREMENT

    type_annotation_map = {  # noqa: RUF012  read by SQLAlchemy as it stands
        str: Text,
        datetime: Moment,
        dict[str, Any]: JSON(none_as_null=True),
        list[Any]: JSON(none_as_null=True),
    }


def _project_id() -> Mapped[int]:
    return mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)


def _user_id() -> Mapped[int]:
    return mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)


def _author_id() -> Mapped[int | None]:
    return mapped_column(ForeignKey("users.id", ondelete="SET NULL"))


class ProjectRow(Row):
    """A project; ``model.projects.Project`` is what the rest of the house sees."""

    __tablename__ = "projects"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    api_token: Mapped[str] = mapped_column(unique=True)
    timezone: Mapped[str] = mapped_column(default="UTC")
    week_start_day: Mapped[int] = mapped_column(default=0)
    test_account_filters: Mapped[list[Any]] = mapped_column(default=list)
    path_cleaning_filters: Mapped[list[Any]] = mapped_column(default=list)
    union_properties: Mapped[dict[str, Any]] = mapped_column(default=dict)
    person_display_properties: Mapped[list[Any]] = mapped_column(default=list)
    retention_days: Mapped[int | None]
    anonymize_ips: Mapped[bool] = mapped_column(default=False)
    privacy_rules: Mapped[list[Any]] = mapped_column(default=list)
    fleet: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]


class User(Row):
    """Somebody who signs in. (Somebody who is measured is a person, in the store.)"""

    __tablename__ = "users"
    __table_args__ = (
        Index("users_by_subject", "oidc_issuer", "oidc_subject", unique=True),
        AUTOINCREMENT,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)  # lower case
    name: Mapped[str] = mapped_column(default="")
    password_hash: Mapped[str | None]  # null: signs in elsewhere, or has yet to choose one
    is_admin: Mapped[bool] = mapped_column(default=False)  # of the whole server
    is_active: Mapped[bool] = mapped_column(default=True)
    oidc_issuer: Mapped[str | None]  # with the subject: who this is at the provider
    oidc_subject: Mapped[str | None]
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime | None]


class Membership(Row):
    """What a user may do in one project."""

    __tablename__ = "memberships"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    project_id: Mapped[int] = mapped_column(
        ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    role: Mapped[str]  # viewer, editor, admin, owner


class WebSession(Row):
    """One browser signed in."""

    __tablename__ = "web_sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[int] = _user_id()
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    address: Mapped[str] = mapped_column(default="")
    agent: Mapped[str] = mapped_column(default="")  # at most 300 characters
    id_token: Mapped[str | None]  # ends the provider's session; it lets nobody in


class ApiKey(Row):
    """A personal API key. Shown once; only its hash is kept."""

    __tablename__ = "api_keys"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = _user_id()
    label: Mapped[str]
    key_hash: Mapped[str] = mapped_column(unique=True)
    hint: Mapped[str]  # the last four characters, to tell keys apart
    scopes: Mapped[list[Any]]
    projects: Mapped[list[Any] | None]  # null: all that its user reaches, later ones too
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class LoginAttempt(Row):
    """A try to sign in: kept an hour, to slow guessing."""

    __tablename__ = "login_attempts"
    __table_args__ = (Index("login_attempts_by_time", "at"), AUTOINCREMENT)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    email: Mapped[str]
    address: Mapped[str]


class OneTimeLink(Row):
    """A link that lets somebody in once: first set-up, an invitation, a new password."""

    __tablename__ = "one_time_links"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    purpose: Mapped[str]  # setup, password
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class Insight(Row):
    """A saved question."""

    __tablename__ = "insights"

    id: Mapped[int] = mapped_column(primary_key=True)
    short_id: Mapped[str] = mapped_column(unique=True)  # eight letters, for addresses
    project_id: Mapped[int] = _project_id()
    name: Mapped[str] = mapped_column(default="")
    description: Mapped[str] = mapped_column(default="")
    query: Mapped[dict[str, Any]]
    favorited: Mapped[bool] = mapped_column(default=False)
    tags: Mapped[list[Any]] = mapped_column(default=list)
    created_by: Mapped[int | None] = _author_id()
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deleted: Mapped[bool] = mapped_column(default=False)


class Dashboard(Row):
    """Tiles on a grid, with a range and filters that hold for all of them."""

    __tablename__ = "dashboards"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = _project_id()
    name: Mapped[str] = mapped_column(default="")
    description: Mapped[str] = mapped_column(default="")
    pinned: Mapped[bool] = mapped_column(default=False)
    tags: Mapped[list[Any]] = mapped_column(default=list)
    filters: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """``date_from``, ``date_to``, ``properties``: each is left out where a tile decides."""

    template: Mapped[str | None]
    created_by: Mapped[int | None] = _author_id()
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    last_opened_at: Mapped[datetime | None]
    deleted: Mapped[bool] = mapped_column(default=False)


class Tile(Row):
    """A place on a dashboard: an insight, or a text in Markdown."""

    __tablename__ = "tiles"

    id: Mapped[int] = mapped_column(primary_key=True)
    dashboard_id: Mapped[int] = mapped_column(
        ForeignKey("dashboards.id", ondelete="CASCADE"), index=True
    )
    insight_id: Mapped[int | None] = mapped_column(
        ForeignKey("insights.id", ondelete="CASCADE"), index=True
    )
    text: Mapped[str | None]
    layout: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """``x``, ``y``, ``w``, ``h`` on twelve columns; a row is 40 px or so."""

    color: Mapped[str | None]


class DashboardShare(Row):
    """A link that shows a dashboard to whoever has it."""

    __tablename__ = "dashboard_shares"

    id: Mapped[int] = mapped_column(primary_key=True)
    dashboard_id: Mapped[int] = mapped_column(
        ForeignKey("dashboards.id", ondelete="CASCADE"), index=True
    )
    token_hash: Mapped[str] = mapped_column(unique=True)
    hint: Mapped[str]
    password_hash: Mapped[str | None]
    expires_at: Mapped[datetime | None]
    created_by: Mapped[int | None] = _author_id()
    created_at: Mapped[datetime]


class CohortRow(Row):
    """A named set of persons; ``model.projects.Cohort`` is what questions see."""

    __tablename__ = "cohorts"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = _project_id()
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    filters: Mapped[dict[str, Any]] = mapped_column(default=dict)
    query: Mapped[dict[str, Any] | None]
    is_static: Mapped[bool] = mapped_column(default=False)
    count: Mapped[int | None]
    version: Mapped[int] = mapped_column(default=1)
    last_calculation: Mapped[datetime | None]
    errors_calculating: Mapped[int] = mapped_column(default=0)
    last_error_message: Mapped[str | None]
    created_by: Mapped[int | None] = _author_id()
    created_at: Mapped[datetime]
    deleted: Mapped[bool] = mapped_column(default=False)


class Experiment(Row):
    """Variants compared: the definition of ``insights-retention-cohorts`` §8.1."""

    __tablename__ = "experiments"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = _project_id()
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    definition: Mapped[dict[str, Any]]
    archived: Mapped[bool] = mapped_column(default=False)
    created_by: Mapped[int | None] = _author_id()
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deleted: Mapped[bool] = mapped_column(default=False)


class EventDefinition(Row):
    """What people say about an event name."""

    __tablename__ = "event_definitions"
    __table_args__ = (UniqueConstraint("project_id", "name"), AUTOINCREMENT)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = _project_id()
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    verified: Mapped[bool] = mapped_column(default=False)
    hidden: Mapped[bool] = mapped_column(default=False)
    tags: Mapped[list[Any]] = mapped_column(default=list)


class PropertyDefinition(Row):
    """What people say about a property; ``kind`` overrules the kind found by itself."""

    __tablename__ = "property_definitions"
    __table_args__ = (UniqueConstraint("project_id", "scope", "name"), AUTOINCREMENT)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = _project_id()
    scope: Mapped[str]  # event, person, group:<type name>
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    verified: Mapped[bool] = mapped_column(default=False)
    hidden: Mapped[bool] = mapped_column(default=False)
    tags: Mapped[list[Any]] = mapped_column(default=list)
    kind: Mapped[str | None]  # String, Numeric, Boolean, DateTime; null: as found


class Annotation(Row):
    """A note at a moment, drawn as a mark on charts."""

    __tablename__ = "annotations"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = _project_id()
    content: Mapped[str]
    date_marker: Mapped[datetime]
    dashboard_id: Mapped[int | None] = mapped_column(
        ForeignKey("dashboards.id", ondelete="CASCADE")
    )
    insight_id: Mapped[int | None] = mapped_column(
        ForeignKey("insights.id", ondelete="CASCADE")
    )
    created_by: Mapped[int | None] = _author_id()
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class AuditEntry(Row):
    """Who changed what, old and new. Appended to, never changed."""

    __tablename__ = "audit_log"
    __table_args__ = (Index("audit_log_by_project", "project_id", "at"), AUTOINCREMENT)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    project_id: Mapped[int | None]  # no foreign key: it outlives the project
    user_id: Mapped[int | None]
    who: Mapped[str]  # the e-mail at that time, or "command line"
    action: Mapped[str]  # created, changed, deleted, …
    subject: Mapped[str]  # dashboard, cohort, key, …
    subject_id: Mapped[str]
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]
