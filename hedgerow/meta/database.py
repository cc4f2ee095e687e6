"""Opening the metadata database, and bringing it up to date.

SQLite in the data folder unless an operator names a PostgreSQL. ``Metadata.reading`` and
``Metadata.writing`` each give a session for one piece of work; what is written commits
at the end of the ``with``, or not at all. A writer on SQLite takes its lock at once
(``BEGIN IMMEDIATE``), since a reader that turns writer half-way may find the door shut.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module, resources
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import Session

from hedgerow.errors import BadSetting, StoreUnavailable

FILE = "metadata.sqlite3"
"""Name of the database inside the data folder."""

VERSION_TABLE = "alembic_version"
UPGRADING = "hedgerow.meta.upgrading"
"""Loaded only when there is something to apply: most starts go without Alembic."""

BUSY_S = 10.0
"""Seconds a writer waits for another one (the command line beside a running server)."""


class Metadata:
    """An open metadata database; safe to use from several threads."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writer = engine.execution_options(writing=True)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session to look things up with; its rows stay readable afterwards."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Give a session whose changes commit together at the end, or not at all."""
        with Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    def answers(self) -> bool:
        """Return whether the database can be asked, for ``/_ready``."""
        try:
            with self.engine.connect() as connection:
                connection.exec_driver_sql("SELECT 1")
        except SQLAlchemyError:
            return False
        return True

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()


def open_metadata(folder: Path, database_url: str = "") -> Metadata:
    """Open the metadata of ``folder``, or those at ``database_url``, and migrate them.

    Raises BadSetting for a URL that cannot be used, StoreUnavailable when the database
    cannot be reached or is newer than this program.
    """
    url = _url(folder, database_url)
    try:
        engine = create_engine(url, **_options(url))
    except (NoSuchModuleError, ImportError) as error:
        raise BadSetting(
            f"No driver for the database {url.drivername!r} is installed.",
            hint="Use postgresql://… with the extra 'postgresql', or leave it empty.",
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    try:
        migrate(engine)
    except SQLAlchemyError as error:
        raise StoreUnavailable(
            f"The metadata database does not open: {str(error).splitlines()[0]}.",
            hint="Check that it runs, and HEDGEROW_DATABASE_URL.",
        ) from error
    return Metadata(engine)


def migrate(engine: Engine) -> None:
    """Apply every change of schema that is not in the database yet, all or none."""
    known = revisions()
    with engine.connect() as connection:
        found = _revision(connection)
        connection.rollback()
        if found == known[-1]:
            return
        if found and found not in known:
            raise StoreUnavailable(
                f"The metadata are of a later version ({found}) than this program "
                f"({known[-1]}).",
                hint="Start the newer Hedgerow, or restore a backup made by this one.",
            )
        import_module(UPGRADING).upgrade(connection)


def revisions() -> list[str]:
    """Return the changes of schema there are, in their order: files are named so."""
    versions = resources.files(__package__) / "migrations" / "versions"
    named = (one.name.partition("_")[0] for one in versions.iterdir())
    return sorted(name for name in named if name.isdigit())


def _revision(connection: Connection) -> str | None:
    """Return the last change applied to a database; None: none yet."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    asked = f"SELECT version_num FROM {VERSION_TABLE}"  # noqa: S608 - a name of Alembic's
    found: str | None = connection.exec_driver_sql(asked).scalar()
    return found


def _url(folder: Path, database_url: str) -> Any:
    if not database_url:
        folder.mkdir(parents=True, exist_ok=True)
        return make_url(f"sqlite:///{folder / FILE}")
    try:
        url = make_url(database_url)
    except ArgumentError as error:
        raise BadSetting(
            "HEDGEROW_DATABASE_URL cannot be read as a URL.",
            hint="Write postgresql://user:password@host/name, or leave it empty.",
        ) from error
    if url.drivername in {"postgres", "postgresql"}:
        return url.set(drivername="postgresql+psycopg")
    return url


def _options(url: Any) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": BUSY_S, "check_same_thread": False}}
    return {"pool_pre_ping": True, "pool_size": 10}


def _prepare_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, see _begin_sqlite
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # an account made is an account kept
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get("writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
