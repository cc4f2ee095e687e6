"""Tables of people: who they are, how they sign in, what was tried."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from app.models.database import Base, Dated, Numbered, name_key, utc_seconds

ROLES = ("viewer", "user", "manager", "admin")
"""In rising order of what they may."""


class User(Numbered, Dated, Base):
    """Somebody who can sign in. Never deleted while entries exist."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("role IN ('viewer', 'user', 'manager', 'admin')", name="role"),
        CheckConstraint("auth_method IN ('local', 'oidc')", name="auth_method"),
        CheckConstraint("week_start IN (0, 1, 6)", name="week_start"),
        Index("uq_users_oidc", "oidc_issuer", "oidc_subject", unique=True),
    )

    username: Mapped[str] = mapped_column(String(150))
    username_key: Mapped[str] = mapped_column(String(300), unique=True)
    """``name_key`` of the name: Ann and ann are one."""
    display_name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str | None] = mapped_column(String(254))
    password_hash: Mapped[str | None] = mapped_column(String(300))
    role: Mapped[str] = mapped_column(String(10), default="user")
    auth_method: Mapped[str] = mapped_column(String(10), default="local")
    oidc_issuer: Mapped[str | None] = mapped_column(String(500))
    oidc_subject: Mapped[str | None] = mapped_column(String(255))
    signup_method: Mapped[str] = mapped_column(String(10), default="local")
    """``local``, ``admin``, ``oidc``, ``setup`` or ``import``."""
    timezone: Mapped[str] = mapped_column(String(64), default="UTC")
    locale: Mapped[str] = mapped_column(String(20), default="en")
    week_start: Mapped[int] = mapped_column(default=1)
    """0 Sunday, 1 Monday, 6 Saturday."""
    time_format: Mapped[int] = mapped_column(default=24)
    """12 or 24."""
    duration_format: Mapped[str] = mapped_column(String(10), default="h:mm")
    """``h:mm`` or ``decimal``."""
    weekly_target_minutes: Mapped[int | None]
    default_project_id: Mapped[int | None]
    """Not held by the database (users come before projects); one that is gone means none."""
    analytics_opt_out: Mapped[bool] = mapped_column(default=False)
    shortcuts_enabled: Mapped[bool] = mapped_column(default=True)
    theme: Mapped[str] = mapped_column(String(10), default="system")
    """``system``, ``light`` or ``dark``."""
    is_active: Mapped[bool] = mapped_column(default=True)
    first_login_at: Mapped[datetime | None]
    last_login_at: Mapped[datetime | None]
    last_seen_at: Mapped[datetime | None]
    """The last request of this person, to the minute: what a forgotten timer may end at."""

    @validates("username")
    def _keep_key(self, _key: str, value: str) -> str:
        self.username_key = name_key(value)
        return value

    @property
    def is_admin(self) -> bool:
        """Whether this person may do everything."""
        return self.role == "admin"


class UserSession(Base):
    """One browser that is signed in, or that has something to remember before it is."""

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of the cookie's value: the table alone lets nobody in."""
    user_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    auth_method: Mapped[str | None] = mapped_column(String(10))
    created_at: Mapped[datetime] = mapped_column(default=utc_seconds())
    signed_in_at: Mapped[datetime | None]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    keep: Mapped[bool] = mapped_column(default=False)
    """Whether the cookie outlives the browser's own session."""
    user_agent: Mapped[str] = mapped_column(String(200), default="")
    address: Mapped[str] = mapped_column(String(64), default="")

    user: Mapped[User | None] = relationship()


class LoginAttempt(Numbered, Base):
    """A refused sign-in, kept only as long as the limits look back."""

    __tablename__ = "login_attempts"
    __table_args__ = (
        Index("ix_login_attempts_account", "account_key", "address", "at"),
        Index("ix_login_attempts_address", "address", "at"),
    )

    at: Mapped[datetime]
    account_key: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the name as typed: a password typed into the name field is not kept."""
    address: Mapped[str] = mapped_column(String(64))


class OneTimeLink(Numbered, Dated, Base):
    """A link that works once: to set a password, or the first run."""

    __tablename__ = "one_time_links"

    user_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    purpose: Mapped[str] = mapped_column(String(20))
    """``setup``, ``password`` or ``confirm``."""
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class ApiToken(Numbered, Dated, Base):
    """A key for programs; shown once, kept as a hash."""

    __tablename__ = "api_tokens"
    __table_args__ = (
        Index(
            "ix_api_tokens_live",
            "user_id",
            sqlite_where=text("revoked_at IS NULL"),
            postgresql_where=text("revoked_at IS NULL"),
        ),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    prefix: Mapped[str] = mapped_column(String(12))
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[Any]] = mapped_column(default=list)
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()
