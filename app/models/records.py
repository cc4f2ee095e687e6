"""Tables of record: who did what, the installation, its consent, and what was sent."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.database import JSON_TEXT, Base, Numbered, utc_seconds


class AuditLog(Numbered, Base):
    """Who did what, when, old → new. Append only; removed only by age."""

    __tablename__ = "audit_log"
    __table_args__ = (
        Index("ix_audit_log_at", "at"),
        Index("ix_audit_log_object", "object_type", "object_id"),
        Index("ix_audit_log_actor", "actor_id", "at"),
    )

    at: Mapped[datetime]
    actor_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL")
    )
    via: Mapped[str] = mapped_column(String(10))
    """``web``, ``api``, ``system`` or ``cli``."""
    action: Mapped[str] = mapped_column(String(60))
    object_type: Mapped[str] = mapped_column(String(30), default="")
    object_id: Mapped[int | None]
    object_label: Mapped[str] = mapped_column(String(300), default="")
    changes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Field → [old, new]; descriptions of entries appear by name only."""
    ip: Mapped[str | None] = mapped_column(String(64))
    request_id: Mapped[str | None] = mapped_column(String(36))


class Installation(Base):
    """What this installation knows of itself: exactly one row, number 1.

    The fingerprint is SHA-256 over ``uuid`` and ``salt``; both also lie in the data
    folder, so that a copied volume or a restored clone is noticed.
    """

    __tablename__ = "installation"

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    uuid: Mapped[str] = mapped_column(String(32))
    """16 random bytes in hexadecimal."""
    salt: Mapped[str] = mapped_column(String(64))
    """32 random bytes in hexadecimal."""
    first_seen_at: Mapped[datetime]
    first_seen_platform: Mapped[str] = mapped_column(String(20))
    first_seen_python_version: Mapped[str] = mapped_column(String(20))
    first_seen_version: Mapped[str] = mapped_column(String(40))
    last_version: Mapped[str] = mapped_column(String(40))
    """The version last *started*; another one at the next start is an update."""
    health_minute: Mapped[int] = mapped_column(default=0)
    """Minute of the day (UTC) of the daily message: random, kept."""
    install_sent_at: Mapped[datetime | None]
    first_seen_sent_at: Mapped[datetime | None]
    health_sent_at: Mapped[datetime | None]
    health_date: Mapped[date | None]
    """The date of the last daily message: never sent twice, whatever the clock does."""
    pending_update: Mapped[dict[str, Any] | None] = mapped_column(JSON_TEXT)
    """``{"old": …, "new": …, "ordinal": …}`` until ``telemetry.update`` was sent once."""
    update_ordinal: Mapped[int] = mapped_column(default=0)
    groups_sent_at: Mapped[datetime | None]
    groups_sent: Mapped[dict[str, Any] | None] = mapped_column(JSON_TEXT)
    failing_days: Mapped[int] = mapped_column(default=0)
    copy_noticed_at: Mapped[datetime | None]


class Consent(Numbered, Base):
    """One answer to the consent question; the newest is the one in force."""

    __tablename__ = "consents"

    at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    layer: Mapped[str] = mapped_column(String(10))
    """``off``, ``base`` or ``detailed``."""
    version: Mapped[int]
    """``CONSENT_VERSION`` at that moment."""
    reason: Mapped[str] = mapped_column(String(20))
    """``wizard``, ``admin`` or ``configuration``."""


class TelemetryLog(Numbered, Base):
    """One message that reached the gate: what it was and what became of it."""

    __tablename__ = "telemetry_log"
    __table_args__ = (Index("ix_telemetry_log_at", "at"),)

    at: Mapped[datetime]
    sink: Mapped[str] = mapped_column(String(10))
    """``analytics`` or ``telemetry``."""
    event: Mapped[str] = mapped_column(String(100))
    payload: Mapped[str] = mapped_column(Text)
    """The exact JSON."""
    outcome: Mapped[str] = mapped_column(String(20))
    """``sent``, ``handed over``, ``failed``, ``dry run`` or ``not sent``."""
    detail: Mapped[str] = mapped_column(String(300), default="")
    took_ms: Mapped[int | None]


class IdempotencyKey(Numbered, Base):
    """An answer already given to a request that may come again."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (UniqueConstraint("user_id", "key"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(100))
    fingerprint: Mapped[str] = mapped_column(String(64), default="")
    """SHA-256 of method, path and body: the same key for another request is refused."""
    status: Mapped[int] = mapped_column(default=200)
    body: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_seconds(), index=True)


class Lease(Base):
    """Which process runs a job, until when."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    holder: Mapped[str] = mapped_column(String(100))
    expires_at: Mapped[datetime]
    last_run_at: Mapped[datetime | None]


class OutgoingMail(Numbered, Base):
    """A mail that waits, or what became of one; its text goes once it is sent."""

    __tablename__ = "mails"
    __table_args__ = (Index("ix_mails_due", "state", "due_at"),)

    at: Mapped[datetime]
    address: Mapped[str] = mapped_column(String(254))
    name: Mapped[str] = mapped_column(String(200))
    subject: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    """``waiting``, ``sent`` or ``failed``."""
    due_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(String(300), default="")
    """What the server said the last time."""
    done_at: Mapped[datetime | None]
