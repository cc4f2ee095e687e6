"""Insights, dashboards, cohorts and what people say about their data."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

INT, TEXT, BOOL = sa.Integer(), sa.Text(), sa.Boolean()
TIME, JSON = sa.DateTime(timezone=True), sa.JSON()


def upgrade() -> None:
    _insights()
    _dashboards()
    _tiles()
    _dashboard_shares()
    _cohorts()
    _experiments()
    _event_definitions()
    _property_definitions()
    _annotations()


def _insights() -> None:
    op.create_table(
        "insights",
        sa.Column("id", INT, primary_key=True),
        sa.Column("short_id", TEXT, nullable=False, unique=True),
        sa.Column(
            "project_id",
            INT,
            sa.ForeignKey("projects.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("query", JSON, nullable=False),
        sa.Column("favorited", BOOL, nullable=False),
        sa.Column("tags", JSON, nullable=False),
        sa.Column("created_by", INT, sa.ForeignKey("users.id", ondelete="SET NULL")),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("deleted", BOOL, nullable=False),
        sqlite_autoincrement=True,  # a number is never given twice
    )
    op.create_index("ix_insights_project_id", "insights", ["project_id"])


def _dashboards() -> None:
    op.create_table(
        "dashboards",
        sa.Column("id", INT, primary_key=True),
        sa.Column(
            "project_id",
            INT,
            sa.ForeignKey("projects.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("pinned", BOOL, nullable=False),
        sa.Column("tags", JSON, nullable=False),
        sa.Column("filters", JSON, nullable=False),
        sa.Column("template", TEXT),
        sa.Column("created_by", INT, sa.ForeignKey("users.id", ondelete="SET NULL")),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("last_opened_at", TIME),
        sa.Column("deleted", BOOL, nullable=False),
        sqlite_autoincrement=True,  # a number is never given twice
    )
    op.create_index("ix_dashboards_project_id", "dashboards", ["project_id"])


def _tiles() -> None:
    op.create_table(
        "tiles",
        sa.Column("id", INT, primary_key=True),
        sa.Column(
            "dashboard_id",
            INT,
            sa.ForeignKey("dashboards.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("insight_id", INT, sa.ForeignKey("insights.id", ondelete="CASCADE")),
        sa.Column("text", TEXT),
        sa.Column("layout", JSON, nullable=False),
        sa.Column("color", TEXT),
        sqlite_autoincrement=True,  # a number is never given twice
    )
    op.create_index("ix_tiles_dashboard_id", "tiles", ["dashboard_id"])
    op.create_index("ix_tiles_insight_id", "tiles", ["insight_id"])


def _dashboard_shares() -> None:
    op.create_table(
        "dashboard_shares",
        sa.Column("id", INT, primary_key=True),
        sa.Column(
            "dashboard_id",
            INT,
            sa.ForeignKey("dashboards.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("token_hash", TEXT, nullable=False, unique=True),
        sa.Column("hint", TEXT, nullable=False),
        sa.Column("password_hash", TEXT),
        sa.Column("expires_at", TIME),
        sa.Column("created_by", INT, sa.ForeignKey("users.id", ondelete="SET NULL")),
        sa.Column("created_at", TIME, nullable=False),
        sqlite_autoincrement=True,  # a number is never given twice
    )
    op.create_index(
        "ix_dashboard_shares_dashboard_id", "dashboard_shares", ["dashboard_id"]
    )


def _cohorts() -> None:
    op.create_table(
        "cohorts",
        sa.Column("id", INT, primary_key=True),
        sa.Column(
            "project_id",
            INT,
            sa.ForeignKey("projects.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("filters", JSON, nullable=False),
        sa.Column("query", JSON),
        sa.Column("is_static", BOOL, nullable=False),
        sa.Column("count", INT),
        sa.Column("version", INT, nullable=False),
        sa.Column("last_calculation", TIME),
        sa.Column("errors_calculating", INT, nullable=False),
        sa.Column("last_error_message", TEXT),
        sa.Column("created_by", INT, sa.ForeignKey("users.id", ondelete="SET NULL")),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("deleted", BOOL, nullable=False),
        sqlite_autoincrement=True,  # a number is never given twice
    )
    op.create_index("ix_cohorts_project_id", "cohorts", ["project_id"])


def _experiments() -> None:
    op.create_table(
        "experiments",
        sa.Column("id", INT, primary_key=True),
        sa.Column(
            "project_id",
            INT,
            sa.ForeignKey("projects.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("definition", JSON, nullable=False),
        sa.Column("archived", BOOL, nullable=False),
        sa.Column("created_by", INT, sa.ForeignKey("users.id", ondelete="SET NULL")),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("deleted", BOOL, nullable=False),
        sqlite_autoincrement=True,  # a number is never given twice
    )
    op.create_index("ix_experiments_project_id", "experiments", ["project_id"])


def _event_definitions() -> None:
    op.create_table(
        "event_definitions",
        sa.Column("id", INT, primary_key=True),
        sa.Column(
            "project_id",
            INT,
            sa.ForeignKey("projects.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("verified", BOOL, nullable=False),
        sa.Column("hidden", BOOL, nullable=False),
        sa.Column("tags", JSON, nullable=False),
        sa.UniqueConstraint("project_id", "name"),
        sqlite_autoincrement=True,  # a number is never given twice
    )
    op.create_index("ix_event_definitions_project_id", "event_definitions", ["project_id"])


def _property_definitions() -> None:
    op.create_table(
        "property_definitions",
        sa.Column("id", INT, primary_key=True),
        sa.Column(
            "project_id",
            INT,
            sa.ForeignKey("projects.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("scope", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("verified", BOOL, nullable=False),
        sa.Column("hidden", BOOL, nullable=False),
        sa.Column("tags", JSON, nullable=False),
        sa.Column("kind", TEXT),
        sa.UniqueConstraint("project_id", "scope", "name"),
        sqlite_autoincrement=True,  # a number is never given twice
    )
    op.create_index(
        "ix_property_definitions_project_id", "property_definitions", ["project_id"]
    )


def _annotations() -> None:
    op.create_table(
        "annotations",
        sa.Column("id", INT, primary_key=True),
        sa.Column(
            "project_id",
            INT,
            sa.ForeignKey("projects.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("content", TEXT, nullable=False),
        sa.Column("date_marker", TIME, nullable=False),
        sa.Column("dashboard_id", INT, sa.ForeignKey("dashboards.id", ondelete="CASCADE")),
        sa.Column("insight_id", INT, sa.ForeignKey("insights.id", ondelete="CASCADE")),
        sa.Column("created_by", INT, sa.ForeignKey("users.id", ondelete="SET NULL")),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sqlite_autoincrement=True,  # a number is never given twice
    )
    op.create_index("ix_annotations_project_id", "annotations", ["project_id"])
