"""Recorded time."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON_TEXT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    _undo_steps()
    _pins()
    _time_entries()
    _entry_breaks()
    _entry_tags()


def _undo_steps() -> None:
    op.create_table(
        "undo_steps",
        sa.Column("user_id", BIG_ID, nullable=False),
        sa.Column("action", sa.String(length=30), nullable=False),
        sa.Column("before", JSON_TEXT, nullable=False),
        sa.Column("after", JSON_TEXT, nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("undone_at", sa.BigInteger(), nullable=True),
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_undo_steps_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_undo_steps")),
    )
    op.create_index(
        op.f("ix_undo_steps_expires_at"), "undo_steps", ["expires_at"], unique=False
    )
    op.create_index(op.f("ix_undo_steps_user_id"), "undo_steps", ["user_id"], unique=False)


def _pins() -> None:
    op.create_table(
        "pins",
        sa.Column("user_id", BIG_ID, nullable=False),
        sa.Column("project_id", BIG_ID, nullable=True),
        sa.Column("task_id", BIG_ID, nullable=True),
        sa.Column("description", sa.String(length=2000), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["projects.id"],
            name=op.f("fk_pins_project_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["task_id"], ["tasks.id"], name=op.f("fk_pins_task_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_pins_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pins")),
    )
    op.create_index(op.f("ix_pins_user_id"), "pins", ["user_id"], unique=False)


def _time_entries() -> None:
    op.create_table(
        "time_entries",
        sa.Column("user_id", BIG_ID, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=True),
        sa.Column("project_id", BIG_ID, nullable=True),
        sa.Column("task_id", BIG_ID, nullable=True),
        sa.Column("description", sa.String(length=2000), nullable=False),
        sa.Column("billable", sa.Boolean(), nullable=False),
        sa.Column("rate_override", sa.Integer(), nullable=True),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("stopped_by", sa.String(length=15), nullable=True),
        sa.Column("incomplete", sa.Boolean(), nullable=False),
        sa.Column("checked_at", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("import_batch_id", BIG_ID, nullable=True),
        sa.Column("created_by_id", BIG_ID, nullable=True),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'timed') = (started_at IS NOT NULL)",
            name=op.f("ck_time_entries_has_start"),
        ),
        sa.CheckConstraint(
            "kind = 'timed' OR ended_at IS NULL", name=op.f("ck_time_entries_has_end")
        ),
        sa.CheckConstraint(
            "kind = 'timed' OR seconds IS NOT NULL", name=op.f("ck_time_entries_length")
        ),
        sa.CheckConstraint(
            "kind IN ('timed', 'duration')", name=op.f("ck_time_entries_kind")
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) OR seconds IS NOT NULL", name=op.f("ck_time_entries_worked")
        ),
        sa.CheckConstraint(
            "ended_at IS NULL OR ended_at > started_at", name=op.f("ck_time_entries_order")
        ),
        sa.CheckConstraint(
            "seconds IS NULL OR seconds >= 0", name=op.f("ck_time_entries_seconds")
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["users.id"], name=op.f("fk_time_entries_created_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["import_batch_id"],
            ["import_batches.id"],
            name=op.f("fk_time_entries_import_batch_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_time_entries_project_id")
        ),
        sa.ForeignKeyConstraint(
            ["task_id"], ["tasks.id"], name=op.f("fk_time_entries_task_id")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_time_entries_user_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_time_entries")),
    )
    op.create_index("ix_time_entries_changed", "time_entries", ["updated_at"], unique=False)
    op.create_index(
        "ix_time_entries_date", "time_entries", ["local_date", "project_id"], unique=False
    )
    op.create_index(
        "ix_time_entries_day", "time_entries", ["user_id", "local_date"], unique=False
    )
    op.create_index(
        op.f("ix_time_entries_import_batch_id"),
        "time_entries",
        ["import_batch_id"],
        unique=False,
    )
    op.create_index(
        "ix_time_entries_project",
        "time_entries",
        ["project_id", "local_date"],
        unique=False,
    )
    op.create_index(
        "ix_time_entries_started", "time_entries", ["user_id", "started_at"], unique=False
    )
    op.create_index(
        op.f("ix_time_entries_task_id"), "time_entries", ["task_id"], unique=False
    )
    op.create_index(
        "ix_time_entries_trash",
        "time_entries",
        ["deleted_at"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NOT NULL"),
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )
    op.create_index(
        "one_running_timer",
        "time_entries",
        ["user_id"],
        unique=True,
        sqlite_where=sa.text("kind = 'timed' AND ended_at IS NULL AND deleted_at IS NULL"),
        postgresql_where=sa.text(
            "kind = 'timed' AND ended_at IS NULL AND deleted_at IS NULL"
        ),
    )


def _entry_breaks() -> None:
    op.create_table(
        "entry_breaks",
        sa.Column("entry_id", BIG_ID, nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("id", BIG_ID, nullable=False),
        sa.CheckConstraint(
            "ended_at IS NULL OR ended_at >= started_at", name=op.f("ck_entry_breaks_order")
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["time_entries.id"],
            name=op.f("fk_entry_breaks_entry_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry_breaks")),
    )
    op.create_index("ix_entry_breaks_entry", "entry_breaks", ["entry_id"], unique=False)
    op.create_index(
        "one_open_break",
        "entry_breaks",
        ["entry_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def _entry_tags() -> None:
    op.create_table(
        "entry_tags",
        sa.Column("entry_id", BIG_ID, nullable=False),
        sa.Column("tag_id", BIG_ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["time_entries.id"],
            name=op.f("fk_entry_tags_entry_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tag_id"], ["tags.id"], name=op.f("fk_entry_tags_tag_id")),
        sa.PrimaryKeyConstraint("entry_id", "tag_id", name=op.f("pk_entry_tags")),
    )
    op.create_index(op.f("ix_entry_tags_tag_id"), "entry_tags", ["tag_id"], unique=False)
