"""What was published of a fleet, and the cells behind the last publication."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

INT, TIME, JSON = sa.Integer(), sa.DateTime(timezone=True), sa.JSON()


def upgrade() -> None:
    op.create_table(
        "fleet_published",
        sa.Column(
            "project_id",
            INT,
            sa.ForeignKey("projects.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("page", JSON, nullable=False),
        sa.Column("cells", JSON, nullable=False),
        sa.Column("least", INT, nullable=False),
        sa.Column("published_at", TIME, nullable=False),
    )
    op.create_table(
        "fleet_publications",
        sa.Column("id", INT, primary_key=True),
        sa.Column(
            "project_id",
            INT,
            sa.ForeignKey("projects.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("page", JSON, nullable=False),
        sa.Column("published_at", TIME, nullable=False),
        sqlite_autoincrement=True,  # a number is never given twice
    )
    op.create_index(
        "ix_fleet_publications_project_id", "fleet_publications", ["project_id"]
    )
