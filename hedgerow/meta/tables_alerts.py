"""The tables of alerts: what is watched, what each look came to, and who was told.

The secret that signs a webhook stands in the clear, since signing needs it. It proves to
the receiver that a call is ours and opens nothing here.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from hedgerow.meta.outgoing import Outgoing
from hedgerow.meta.tables import AUTOINCREMENT, Row


class Alert(Row):
    """One alert: on an insight, or one of the fleet's ready-made ones."""

    __tablename__ = "alerts"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(
        ForeignKey("projects.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str]
    insight_id: Mapped[int | None] = mapped_column(
        ForeignKey("insights.id", ondelete="CASCADE"), index=True
    )
    fleet_rule: Mapped[str | None]  # of ``ready_alerts.READY``; then there is no insight
    definition: Mapped[dict[str, Any]]  # ``alert_rules.Rule``; empty for the fleet's
    calculation_interval: Mapped[str]  # hourly, daily, weekly, monthly
    enabled: Mapped[bool] = mapped_column(default=True)
    emails: Mapped[list[Any]] = mapped_column(default=list)
    webhook_url: Mapped[str] = mapped_column(default="")
    webhook_secret: Mapped[str] = mapped_column(default="")
    snoozed_until: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(default="Not firing")  # …, Firing, Errored
    last_text: Mapped[str] = mapped_column(default="")
    last_checked_at: Mapped[datetime | None]
    next_check_at: Mapped[datetime] = mapped_column(index=True)
    created_by: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL")
    )
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class AlertCheck(Row):
    """What a look came to."""

    __tablename__ = "alert_checks"
    __table_args__ = (Index("alert_checks_by_alert", "alert_id", "at"), AUTOINCREMENT)

    id: Mapped[int] = mapped_column(primary_key=True)
    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    state: Mapped[str]
    value: Mapped[float | None]
    text: Mapped[str]


class AlertMessage(Outgoing, Row):
    """Somebody to be told of a check; claimed before it leaves, so it leaves once."""

    __tablename__ = "alert_messages"
    __table_args__ = (Index("alert_messages_by_state", "state", "due_at"), AUTOINCREMENT)

    id: Mapped[int] = mapped_column(primary_key=True)
    check_id: Mapped[int] = mapped_column(
        ForeignKey("alert_checks.id", ondelete="CASCADE"), index=True
    )
    channel: Mapped[str]  # mail, webhook
