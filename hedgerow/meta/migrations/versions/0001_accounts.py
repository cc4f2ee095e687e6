"""Projects, users, keys and what lets them in."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

INT, TEXT, BOOL = sa.Integer(), sa.Text(), sa.Boolean()
TIME, JSON = sa.DateTime(timezone=True), sa.JSON()


def upgrade() -> None:
    _projects()
    _users()
    _memberships()
    _web_sessions()
    _api_keys()
    _login_attempts()
    _one_time_links()
    _audit_log()


def _projects() -> None:
    op.create_table(
        "projects",
        sa.Column("id", INT, primary_key=True),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("api_token", TEXT, nullable=False, unique=True),
        sa.Column("timezone", TEXT, nullable=False),
        sa.Column("week_start_day", INT, nullable=False),
        sa.Column("test_account_filters", JSON, nullable=False),
        sa.Column("path_cleaning_filters", JSON, nullable=False),
        sa.Column("union_properties", JSON, nullable=False),
        sa.Column("person_display_properties", JSON, nullable=False),
        sa.Column("retention_days", INT),
        sa.Column("anonymize_ips", BOOL, nullable=False),
        sa.Column("privacy_rules", JSON, nullable=False),
        sa.Column("fleet", JSON, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sqlite_autoincrement=True,  # a number is never given twice
    )


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("id", INT, primary_key=True),
        sa.Column("email", TEXT, nullable=False, unique=True),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("password_hash", TEXT),
        sa.Column("is_admin", BOOL, nullable=False),
        sa.Column("is_active", BOOL, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("last_seen_at", TIME),
        sqlite_autoincrement=True,  # a number is never given twice
    )


def _memberships() -> None:
    op.create_table(
        "memberships",
        sa.Column(
            "user_id", INT, sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column(
            "project_id",
            INT,
            sa.ForeignKey("projects.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("role", TEXT, nullable=False),
    )
    op.create_index("ix_memberships_project_id", "memberships", ["project_id"])


def _web_sessions() -> None:
    op.create_table(
        "web_sessions",
        sa.Column("id", INT, primary_key=True),
        sa.Column("token_hash", TEXT, nullable=False, unique=True),
        sa.Column(
            "user_id", INT, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("last_seen_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("address", TEXT, nullable=False),
        sa.Column("agent", TEXT, nullable=False),
        sqlite_autoincrement=True,  # a number is never given twice
    )
    op.create_index("ix_web_sessions_user_id", "web_sessions", ["user_id"])


def _api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", INT, primary_key=True),
        sa.Column(
            "user_id", INT, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("label", TEXT, nullable=False),
        sa.Column("key_hash", TEXT, nullable=False, unique=True),
        sa.Column("hint", TEXT, nullable=False),
        sa.Column("scopes", JSON, nullable=False),
        sa.Column("projects", JSON),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME),
        sa.Column("last_used_at", TIME),
        sqlite_autoincrement=True,  # a number is never given twice
    )
    op.create_index("ix_api_keys_user_id", "api_keys", ["user_id"])


def _login_attempts() -> None:
    op.create_table(
        "login_attempts",
        sa.Column("id", INT, primary_key=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("email", TEXT, nullable=False),
        sa.Column("address", TEXT, nullable=False),
        sqlite_autoincrement=True,  # a number is never given twice
    )
    op.create_index("login_attempts_by_time", "login_attempts", ["at"])


def _one_time_links() -> None:
    op.create_table(
        "one_time_links",
        sa.Column("id", INT, primary_key=True),
        sa.Column("token_hash", TEXT, nullable=False, unique=True),
        sa.Column("purpose", TEXT, nullable=False),
        sa.Column("user_id", INT, sa.ForeignKey("users.id", ondelete="CASCADE")),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sqlite_autoincrement=True,  # a number is never given twice
    )


def _audit_log() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", INT, primary_key=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("project_id", INT),
        sa.Column("user_id", INT),
        sa.Column("who", TEXT, nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("subject_id", TEXT, nullable=False),
        sa.Column("before", JSON),
        sa.Column("after", JSON),
        sqlite_autoincrement=True,  # a number is never given twice
    )
    op.create_index("audit_log_by_project", "audit_log", ["project_id", "at"])
