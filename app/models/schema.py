"""Which version the schema has, and how it gets to the newest: Alembic, one history.

Only forwards: what goes wrong is undone by restoring the copy that ``upgrade`` makes
of a SQLite file, or the operator's own backup of a PostgreSQL database.
"""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from app.errors import SchemaTooNew
from app.models.database import Database

MIGRATIONS = Path(__file__).parent / "migrations"


def alembic_config(connection: Connection) -> AlembicConfig:
    """Return Alembic's configuration for one open connection."""
    config = AlembicConfig()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


@cache
def _known() -> tuple[str, ...]:
    """Return the revisions this program knows, newest first."""
    config = AlembicConfig()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    found = ScriptDirectory.from_config(config).walk_revisions()
    return tuple(script.revision for script in found)


def newest() -> str:
    """Return the revision this program was written for."""
    return _known()[0]


def current(database: Database) -> str | None:
    """Return the revision of the database; None where it is empty."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def refuse_newer(database: Database) -> None:
    """Raise where the database was written by a program newer than this one."""
    revision = current(database)
    if revision is None:
        return
    if revision not in _known():
        raise SchemaTooNew(
            f"The database is at revision {revision!r}, which this version does not know.",
            hint="Start the newer TimeTracker again, or restore a backup made with this one.",
        )


def migrate(database: Database) -> bool:
    """Bring the schema up to date in one transaction; return whether anything changed."""
    refuse_newer(database)
    if current(database) == newest():
        return False
    with database.engine.begin() as connection:
        command.upgrade(alembic_config(connection), "head")
    return True
