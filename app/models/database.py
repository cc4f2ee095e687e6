"""Where tables come from and how a session is opened.

SQLite (WAL, foreign keys on) unless the address says ``postgresql://``, which means
psycopg 3. Instants are stored as whole UTC seconds and are aware ``datetime`` in
Python; fractions of a second are cut off.

A request or job asks ``Database`` for one session: ``reading()`` never writes,
``writing()`` commits at its end or rolls all of it back. On SQLite a writing session
takes the write lock at its first statement, so that a rule may read, think and write
without another writer coming between.
"""

import json
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Connection,
    Date,
    Dialect,
    Engine,
    Integer,
    MetaData,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.types import TypeDecorator

from app.config import Config

BUSY_TIMEOUT_MS = 10_000
"""How long a writer waits for another one before it gives up."""

Json = dict[str, Any] | list[Any]


class Instant(TypeDecorator[datetime]):
    """A moment as whole seconds since 1970 in UTC; aware ``datetime`` in Python."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Return seconds; a naive time is a mistake of ours and refused."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} names no zone. Store aware times only.")
        return int(value.timestamp())

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Return the aware time in UTC."""
        del dialect
        return None if value is None else datetime.fromtimestamp(value, UTC)


class utc_seconds(GenericFunction[datetime]):  # noqa: N801 - a SQL function is named like one
    """The database's own clock, as :class:`Instant`."""

    type = Instant()
    inherit_cache = True


@compiles(utc_seconds, "sqlite")
def _seconds_on_sqlite(element: utc_seconds, compiler: SQLCompiler, **_: Any) -> str:
    del element, compiler
    return "CAST(strftime('%s', 'now') AS INTEGER)"


@compiles(utc_seconds, "postgresql")
def _seconds_on_postgresql(element: utc_seconds, compiler: SQLCompiler, **_: Any) -> str:
    del element, compiler
    return "CAST(floor(extract(epoch FROM clock_timestamp())) AS BIGINT)"


BigId = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only where the type is INTEGER."""

JSON_TEXT = JSON().with_variant(JSONB, "postgresql")


class Base(DeclarativeBase):
    """Base of all tables; gives constraints stable names, which migrations need."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own name and form
        datetime: Instant,
        date: Date,
        dict[str, Any]: JSON_TEXT,
        list[Any]: JSON_TEXT,
    }


class Numbered:
    """A table whose rows have a number."""

    id: Mapped[int] = mapped_column(BigId, primary_key=True)


class Dated:
    """A table that knows when a row was made and last changed, by the database's clock."""

    created_at: Mapped[datetime] = mapped_column(default=utc_seconds())
    updated_at: Mapped[datetime] = mapped_column(
        default=utc_seconds(), onupdate=utc_seconds()
    )


def name_key(name: str) -> str:
    """Return the form under which two names are the same: case and composition aside."""
    return unicodedata.normalize("NFKC", name).casefold().strip()


class Database:
    """The one engine of a process, and its sessions."""

    def __init__(self, url: str) -> None:
        """Open ``url`` (``sqlite:///…`` or ``postgresql://…``); no statement runs yet."""
        self.url = make_url(url)
        self.on_sqlite = self.url.get_backend_name() == "sqlite"
        if self.on_sqlite and self.url.database and self.url.database != ":memory:":
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
        self.engine = create_engine(
            self.url,
            pool_pre_ping=not self.on_sqlite,
            json_serializer=lambda value: json.dumps(value, ensure_ascii=False),
        )
        if self.on_sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        self._writer: Engine = self.engine.execution_options(sqlite_begin="BEGIN IMMEDIATE")

    def session(self, *, writes: bool) -> Session:
        """Return a new session; the caller commits or closes it."""
        engine = self._writer if writes else self.engine
        return Session(engine, expire_on_commit=False)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session that is closed at the end and never commits."""
        with self.session(writes=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Give a session that commits at the end, or rolls back if anything is raised."""
        with self.session(writes=True) as session, session.begin():
            yield session

    def close(self) -> None:
        """Give all connections back; the database may be used again afterwards."""
        self.engine.dispose()


def open_database(config: Config) -> Database:
    """Return the database that the configuration names: SQLite in its folder by default."""
    folder = Path(config.DATA_DIR).resolve()
    return Database(config.DATABASE_URL or f"sqlite:///{folder}/timetracker.db")


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    """Let SQLAlchemy's BEGIN count, keep references whole, let readers read on."""
    connection.isolation_level = None  # the driver's own BEGIN would come too late
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "cache_size=-4000",  # KiB, of each connection: the system keeps the file itself
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    begin = connection.get_execution_options().get("sqlite_begin", "BEGIN")
    connection.exec_driver_sql(str(begin))
