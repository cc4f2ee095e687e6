"""What happens to the files: upgrade, backup, restore, check.

An upgrade of a SQLite database first copies it into ``DATA_DIR/backups`` (the newest
``BACKUP_KEEP`` stay); if anything fails, the copy is put back and the error says so. A
PostgreSQL database is backed up by its own tools.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.errors import Conflict, NotFound
from app.models import Database, schema
from app.models.entries import TimeEntry
from app.models.people import User
from app.reports import slicing
from app.settings import Settings
from app.tracking import overlaps, timers
from app.tracking.recorded import with_details

BATCH = 1000


def file_of(database: Database) -> Path:
    """Return the SQLite file; Conflict where the database is a server."""
    if not database.on_sqlite or not database.url.database:
        raise Conflict(
            "This database is a server of its own.", hint="Use pg_dump and pg_restore."
        )
    return Path(database.url.database)


def backup(database: Database, target: Path) -> Path:
    """Copy the running database into ``target`` while others go on working."""
    source = file_of(database)
    if target.exists():
        raise Conflict(f"{target} exists already.", hint="Name a new file.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(source) as old, sqlite3.connect(target) as new:
        old.backup(new)
    old.close()
    new.close()
    return target


def restore(database: Database, source: Path) -> None:
    """Put a backup in place of the database; the program must not be serving."""
    target = file_of(database)
    if not source.exists():
        raise NotFound(f"There is no file {source}.", hint="Name a backup.")
    with sqlite3.connect(source) as opened:
        whole = opened.execute("PRAGMA integrity_check").fetchone()[0]
        known = opened.execute(
            "SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'"
        ).fetchone()[0]
    opened.close()
    if whole != "ok" or not known:
        raise Conflict(
            f"{source} is no whole TimeTracker database.", hint="Try another one."
        )
    database.close()
    for leftover in (f"{target}-wal", f"{target}-shm"):
        Path(leftover).unlink(missing_ok=True)
    shutil.copyfile(source, target)


def upgrade(database: Database, folder: Path, now: datetime, *, keep: int) -> str:
    """Bring the schema up to date and return in words what was done."""
    schema.refuse_newer(database)
    before = schema.current(database)
    if before == schema.newest():
        return "The database is up to date."
    copy = None
    if before is not None and database.on_sqlite:
        name = f"before-{schema.newest()}-{now:%Y%m%d-%H%M%S}.db"
        copy = backup(database, folder / "backups" / name)
    try:
        schema.migrate(database)
        problems = list(check(database))
    except Exception:
        if copy is not None:
            restore(database, copy)
        raise
    if copy is not None and keep:
        _prune(copy.parent, keep)
    done = f"The database went from {before or 'nothing'} to {schema.newest()}."
    return done + (f" {len(problems)} problems: run timetracker check." if problems else "")


def _prune(folder: Path, keep: int) -> None:
    for old in sorted(folder.glob("before-*.db"), reverse=True)[keep:]:
        old.unlink()


def check(database: Database) -> Iterator[str]:
    """Yield a sentence for everything that should not be: sums, breaks, orphans, files."""
    with database.reading() as session:
        if database.on_sqlite:
            found = session.execute(text("PRAGMA integrity_check")).scalar()
            if found != "ok":
                yield f"The database file is damaged: {found}"
            for table, row, parent, _ in session.execute(text("PRAGMA foreign_key_check")):
                yield f"Row {row} of {table} points to a row of {parent} that is gone."
        yield from _entries(session)
        anyone = session.scalar(select(User.id).limit(1)) is not None
        admins = select(User.id).where(User.role == "admin", User.is_active).limit(1)
        if anyone and session.scalar(admins) is None:  # before the first run is nobody
            yield "There is no active administrator: run timetracker user promote NAME."


def check_sums(database: Database, rules: Settings) -> Iterator[str]:
    """Yield a sentence for each kept sum that is not that of its entries."""
    with database.reading() as session:
        for person, first in slicing.differing(session, rules):
            whose = f"person {person} from {first} on" if person else f"all on {first}"
            yield f"What is kept as the sum of {whose} is wrong: run timetracker sums."


def _entries(session: Session) -> Iterator[str]:
    last = 0
    while True:
        query = with_details(select(TimeEntry).where(TimeEntry.id > last))
        found = list(session.scalars(query.order_by(TimeEntry.id).limit(BATCH)))
        for entry in found:
            yield from _entry(entry)
        if not found:
            return
        last = found[-1].id
        session.expunge_all()


def _entry(entry: TimeEntry) -> Iterator[str]:
    name = f"Entry {entry.id}"
    if entry.task is not None and entry.task.project_id != entry.project_id:
        yield f"{name}: its task belongs to another project."
    if entry.started_at is None or entry.ended_at is None:
        return
    worked = overlaps.length(timers.segments(entry, entry.ended_at))
    if entry.seconds != worked:
        yield f"{name}: it says {entry.seconds} seconds, its times say {worked}."
    for pause in entry.breaks:
        end = pause.ended_at or entry.ended_at
        if pause.started_at < entry.started_at or end > entry.ended_at:
            yield f"{name}: a break lies outside of it."
