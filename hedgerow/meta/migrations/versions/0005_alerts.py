"""Alerts, what each look came to, and who was told."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

INT, TEXT, BOOL = sa.Integer(), sa.Text(), sa.Boolean()
TIME, JSON = sa.DateTime(timezone=True), sa.JSON()


def upgrade() -> None:
    _alerts()
    op.create_table(
        "alert_checks",
        sa.Column("id", INT, primary_key=True),
        sa.Column(
            "alert_id", INT, sa.ForeignKey("alerts.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("at", TIME, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("value", sa.Double()),
        sa.Column("text", TEXT, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("alert_checks_by_alert", "alert_checks", ["alert_id", "at"])
    op.create_table(
        "alert_messages",
        sa.Column("id", INT, primary_key=True),
        sa.Column(
            "check_id",
            INT,
            sa.ForeignKey("alert_checks.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("channel", TEXT, nullable=False),
        sa.Column("target", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("tries", INT, nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("error", TEXT, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alert_messages_check_id", "alert_messages", ["check_id"])
    op.create_index("alert_messages_by_state", "alert_messages", ["state", "due_at"])


def _alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", INT, primary_key=True),
        sa.Column(
            "project_id",
            INT,
            sa.ForeignKey("projects.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("insight_id", INT, sa.ForeignKey("insights.id", ondelete="CASCADE")),
        sa.Column("fleet_rule", TEXT),
        sa.Column("definition", JSON, nullable=False),
        sa.Column("calculation_interval", TEXT, nullable=False),
        sa.Column("enabled", BOOL, nullable=False),
        sa.Column("emails", JSON, nullable=False),
        sa.Column("webhook_url", TEXT, nullable=False),
        sa.Column("webhook_secret", TEXT, nullable=False),
        sa.Column("snoozed_until", TIME),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("last_text", TEXT, nullable=False),
        sa.Column("last_checked_at", TIME),
        sa.Column("next_check_at", TIME, nullable=False),
        sa.Column("created_by", INT, sa.ForeignKey("users.id", ondelete="SET NULL")),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alerts_project_id", "alerts", ["project_id"])
    op.create_index("ix_alerts_insight_id", "alerts", ["insight_id"])
    op.create_index("ix_alerts_next_check_at", "alerts", ["next_check_at"])
