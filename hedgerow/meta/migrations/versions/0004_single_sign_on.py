"""Who somebody is at the identity provider, and sign-ins there that are under way."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

TEXT = sa.Text()


def upgrade() -> None:
    op.add_column("users", sa.Column("oidc_issuer", TEXT))
    op.add_column("users", sa.Column("oidc_subject", TEXT))
    op.create_index(
        "users_by_subject", "users", ["oidc_issuer", "oidc_subject"], unique=True
    )
    op.add_column("web_sessions", sa.Column("id_token", TEXT))
    op.create_table(
        "sign_ins_begun",
        sa.Column("state_hash", TEXT, primary_key=True),
        sa.Column("browser_hash", TEXT, nullable=False),
        sa.Column("nonce", TEXT, nullable=False),
        sa.Column("verifier", TEXT, nullable=False),
        sa.Column("next", TEXT, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
