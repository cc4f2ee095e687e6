"""What was done, and what was told."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON_TEXT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    _installation()
    _leases()
    _telemetry_log()
    _audit_log()
    _consents()
    _idempotency_keys()


def _installation() -> None:
    op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uuid", sa.String(length=32), nullable=False),
        sa.Column("salt", sa.String(length=64), nullable=False),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("first_seen_platform", sa.String(length=20), nullable=False),
        sa.Column("first_seen_python_version", sa.String(length=20), nullable=False),
        sa.Column("first_seen_version", sa.String(length=40), nullable=False),
        sa.Column("last_version", sa.String(length=40), nullable=False),
        sa.Column("health_minute", sa.Integer(), nullable=False),
        sa.Column("install_sent_at", sa.BigInteger(), nullable=True),
        sa.Column("first_seen_sent_at", sa.BigInteger(), nullable=True),
        sa.Column("health_sent_at", sa.BigInteger(), nullable=True),
        sa.Column("health_date", sa.Date(), nullable=True),
        sa.Column("pending_update", JSON_TEXT, nullable=True),
        sa.Column("update_ordinal", sa.Integer(), nullable=False),
        sa.Column("groups_sent_at", sa.BigInteger(), nullable=True),
        sa.Column("groups_sent", JSON_TEXT, nullable=True),
        sa.Column("failing_days", sa.Integer(), nullable=False),
        sa.Column("copy_noticed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )


def _leases() -> None:
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("holder", sa.String(length=100), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("last_run_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )


def _telemetry_log() -> None:
    op.create_table(
        "telemetry_log",
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("sink", sa.String(length=10), nullable=False),
        sa.Column("event", sa.String(length=100), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("detail", sa.String(length=300), nullable=False),
        sa.Column("took_ms", sa.Integer(), nullable=True),
        sa.Column("id", BIG_ID, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_telemetry_log")),
    )
    op.create_index("ix_telemetry_log_at", "telemetry_log", ["at"], unique=False)


def _audit_log() -> None:
    op.create_table(
        "audit_log",
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor_id", BIG_ID, nullable=True),
        sa.Column("via", sa.String(length=10), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("object_type", sa.String(length=30), nullable=False),
        sa.Column("object_id", sa.Integer(), nullable=True),
        sa.Column("object_label", sa.String(length=300), nullable=False),
        sa.Column("changes", JSON_TEXT, nullable=False),
        sa.Column("ip", sa.String(length=64), nullable=True),
        sa.Column("request_id", sa.String(length=36), nullable=True),
        sa.Column("id", BIG_ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_id"],
            ["users.id"],
            name=op.f("fk_audit_log_actor_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
    )
    op.create_index("ix_audit_log_actor", "audit_log", ["actor_id", "at"], unique=False)
    op.create_index("ix_audit_log_at", "audit_log", ["at"], unique=False)
    op.create_index(
        "ix_audit_log_object", "audit_log", ["object_type", "object_id"], unique=False
    )


def _consents() -> None:
    op.create_table(
        "consents",
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("user_id", BIG_ID, nullable=True),
        sa.Column("layer", sa.String(length=10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("id", BIG_ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_consents_user_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )


def _idempotency_keys() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("user_id", BIG_ID, nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("id", BIG_ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_idempotency_keys_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotency_keys")),
        sa.UniqueConstraint("user_id", "key", name=op.f("uq_idempotency_keys_user_id_key")),
    )
    op.create_index(
        op.f("ix_idempotency_keys_created_at"),
        "idempotency_keys",
        ["created_at"],
        unique=False,
    )
