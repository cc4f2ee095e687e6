"""Applying the changes of schema that a metadata database does not have yet.

A module of its own because of Alembic, which takes longer to load than all of a start's
other work on the metadata. ``database`` loads this one when there is something to apply.
"""

from importlib import resources
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection


def upgrade(connection: Connection) -> None:
    """Apply every change that is missing, all or none."""
    config = Config()
    config.set_main_option(
        "script_location", str(resources.files("hedgerow.meta") / "migrations")
    )
    scripts = ScriptDirectory.from_config(config)

    def steps(revision: Any, _: Any) -> Any:
        return scripts._upgrade_revs("head", revision)  # noqa: SLF001  Alembic's own commands do the same

    with EnvironmentContext(config, scripts, fn=steps, destination_rev="head"):
        config.attributes["connection"] = connection
        scripts.run_env()
    connection.commit()
