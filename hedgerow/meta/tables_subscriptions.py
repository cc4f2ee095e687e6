"""The tables of subscriptions: what is mailed when, each time it was, and to whom."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from hedgerow.meta.outgoing import Outgoing
from hedgerow.meta.tables import AUTOINCREMENT, Row


class Subscription(Row):
    """An insight or a dashboard, and when it is mailed; exactly one of the two."""

    __tablename__ = "subscriptions"
    __table_args__ = AUTOINCREMENT

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(
        ForeignKey("projects.id", ondelete="CASCADE"), index=True
    )
    title: Mapped[str] = mapped_column(default="")
    insight_id: Mapped[int | None] = mapped_column(
        ForeignKey("insights.id", ondelete="CASCADE"), index=True
    )
    dashboard_id: Mapped[int | None] = mapped_column(
        ForeignKey("dashboards.id", ondelete="CASCADE"), index=True
    )
    emails: Mapped[list[Any]] = mapped_column(default=list)
    frequency: Mapped[str]  # daily, weekly, monthly, yearly
    interval: Mapped[int] = mapped_column(default=1)
    byweekday: Mapped[list[Any]] = mapped_column(default=list)
    bysetpos: Mapped[int | None]
    start_date: Mapped[datetime]
    until_date: Mapped[datetime | None]
    enabled: Mapped[bool] = mapped_column(default=True)
    next_delivery_date: Mapped[datetime | None] = mapped_column(index=True)
    """None: it has come to its end."""

    created_by: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL")
    )
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class SubscriptionDelivery(Row):
    """One time that a subscription was due."""

    __tablename__ = "subscription_deliveries"
    __table_args__ = (
        Index("subscription_deliveries_by_time", "subscription_id", "at"),
        AUTOINCREMENT,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    subscription_id: Mapped[int] = mapped_column(
        ForeignKey("subscriptions.id", ondelete="CASCADE")
    )
    at: Mapped[datetime]
    trouble: Mapped[str] = mapped_column(default="")  # figures missing from the mail


class SubscriptionMessage(Outgoing, Row):
    """A mail to one person; claimed before it leaves, so it leaves once."""

    __tablename__ = "subscription_messages"
    __table_args__ = (
        Index("subscription_messages_by_state", "state", "due_at"),
        AUTOINCREMENT,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    delivery_id: Mapped[int] = mapped_column(
        ForeignKey("subscription_deliveries.id", ondelete="CASCADE"), index=True
    )
