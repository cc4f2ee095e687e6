"""What reports read: whether an entry lies on one day, and indexes that hold all they add up."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BATCH = 10_000


def upgrade() -> None:
    op.add_column(
        "time_entries",
        sa.Column("within_day", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    _fill()
    op.drop_index("ix_time_entries_date", "time_entries")
    op.create_index("ix_time_entries_listed", "time_entries", ["local_date", "started_at"])
    op.create_index(
        "ix_time_entries_reported",
        "time_entries",
        [
            "local_date",
            "project_id",
            "user_id",
            "billable",
            "seconds",
            "task_id",
            "rate_override",
            "within_day",
            "deleted_at",
        ],
    )
    op.create_index(
        "ix_time_entries_across",
        "time_entries",
        ["local_date"],
        sqlite_where=sa.text("within_day = 0"),
        postgresql_where=sa.text("NOT within_day"),
    )


def _fill() -> None:
    """Say of every entry that is there whether it lies on one day."""
    connection = op.get_bind()
    connection.execute(
        sa.text("UPDATE time_entries SET within_day = :yes WHERE kind = 'duration'"),
        {"yes": True},
    )
    found = connection.execute(
        sa.text(
            "SELECT id, started_at, ended_at, timezone, local_date FROM time_entries"
            " WHERE kind = 'timed' AND ended_at IS NOT NULL"
        )
    ).all()
    inside = [{"number": row.id, "yes": True} for row in found if _is_within(row)]
    for start in range(0, len(inside), BATCH):
        connection.execute(
            sa.text("UPDATE time_entries SET within_day = :yes WHERE id = :number"),
            inside[start : start + BATCH],
        )


def _is_within(row: sa.Row[Any]) -> bool:
    where = ZoneInfo(row.timezone)
    begin = datetime.fromtimestamp(row.started_at, UTC).astimezone(where)
    end = datetime.fromtimestamp(row.ended_at - 1, UTC).astimezone(where)
    day = (
        row.local_date
        if isinstance(row.local_date, date)
        else date.fromisoformat(row.local_date)
    )
    return begin.date() == end.date() == day and begin.utcoffset() == end.utcoffset()
