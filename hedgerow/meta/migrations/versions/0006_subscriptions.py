"""Subscriptions, each time they were due, and the mails."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

INT, TEXT, BOOL = sa.Integer(), sa.Text(), sa.Boolean()
TIME, JSON = sa.DateTime(timezone=True), sa.JSON()


def upgrade() -> None:
    _subscriptions()
    op.create_table(
        "subscription_deliveries",
        sa.Column("id", INT, primary_key=True),
        sa.Column(
            "subscription_id",
            INT,
            sa.ForeignKey("subscriptions.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("at", TIME, nullable=False),
        sa.Column("trouble", TEXT, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "subscription_deliveries_by_time",
        "subscription_deliveries",
        ["subscription_id", "at"],
    )
    op.create_table(
        "subscription_messages",
        sa.Column("id", INT, primary_key=True),
        sa.Column(
            "delivery_id",
            INT,
            sa.ForeignKey("subscription_deliveries.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("target", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("tries", INT, nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("error", TEXT, nullable=False),
        sqlite_autoincrement=True,
    )
    of_delivery = "ix_subscription_messages_delivery_id"
    op.create_index(of_delivery, "subscription_messages", ["delivery_id"])
    by_state = "subscription_messages_by_state"
    op.create_index(by_state, "subscription_messages", ["state", "due_at"])


def _subscriptions() -> None:
    op.create_table(
        "subscriptions",
        sa.Column("id", INT, primary_key=True),
        sa.Column(
            "project_id",
            INT,
            sa.ForeignKey("projects.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("insight_id", INT, sa.ForeignKey("insights.id", ondelete="CASCADE")),
        sa.Column("dashboard_id", INT, sa.ForeignKey("dashboards.id", ondelete="CASCADE")),
        sa.Column("emails", JSON, nullable=False),
        sa.Column("frequency", TEXT, nullable=False),
        sa.Column("interval", INT, nullable=False),
        sa.Column("byweekday", JSON, nullable=False),
        sa.Column("bysetpos", INT),
        sa.Column("start_date", TIME, nullable=False),
        sa.Column("until_date", TIME),
        sa.Column("enabled", BOOL, nullable=False),
        sa.Column("next_delivery_date", TIME),
        sa.Column("created_by", INT, sa.ForeignKey("users.id", ondelete="SET NULL")),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sqlite_autoincrement=True,
    )
    for column in ("project_id", "insight_id", "dashboard_id", "next_delivery_date"):
        op.create_index(f"ix_subscriptions_{column}", "subscriptions", [column])
