"""Rows become entries, about a thousand in each short transaction; and back.

How far an import got stands in the database with what it made, so it can be stopped,
goes on after a restart, and never makes a row twice. Undo takes back what nobody changed
since: those entries go to the trash; changed or locked ones stay and are counted. Clients,
projects, tasks and tags that the import made and nothing uses go too (``leftovers``).
"""

import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import islice
from pathlib import Path
from typing import Any

from babel import numbers
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.errors import Conflict, TimeTrackerError
from app.imports import batches, leftovers
from app.imports.batches import CHUNK
from app.imports.plan import Planned, Planner
from app.imports.reading import Row, Table
from app.models import Database
from app.models.database import utc_seconds
from app.models.entries import EntryBreak, TimeEntry
from app.models.people import User
from app.models.saved import ImportBatch, ImportRow
from app.settings import Settings, locked_through
from app.tracking import timers
from app.tracking.days import day_of, zone
from app.work.rates import Subject, every

UNDO_FOR = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class Ended:
    """An import that came to its end."""

    user_id: int
    source: str
    counts: dict[str, Any]
    failed: TimeTrackerError | None = None


def begin(batch: ImportBatch) -> None:
    """Let an import that was tried begin; the scheduler takes it from here."""
    if batch.state not in {"planned", "stopped"}:
        raise Conflict("This import cannot begin now.", hint="Try it first: see its page.")
    if batch.state == "planned":
        batch.counts = {
            "rows": batch.counts["rows"],
            "done": 0,
            "created": 0,
            "duplicate": 0,
            "error": 0,
            "took_ms": 0,
        }
    batch.state = "running"


def stop(batch: ImportBatch) -> None:
    """Interrupt an import; what was made stays, and it can go on."""
    if batch.state != "running":
        raise Conflict("This import is not running.", hint="Look at its page again.")
    batch.state = "stopped"


def waiting(session: Session) -> list[int]:
    """Return the imports that are to be worked on, the oldest first."""
    query = select(ImportBatch.id).where(ImportBatch.state == "running")
    return list(session.scalars(query.order_by(ImportBatch.id)))


def work(
    database: Database,
    number: int,
    now: datetime,
    settings: Settings,
    *,
    folder: Path,
    for_s: float = 10.0,
) -> Ended | None:
    """Go on with an import for some seconds; return how it ended, None if it did not."""
    until = time.monotonic() + for_s
    try:
        with database.reading() as session:
            batch = session.get_one(ImportBatch, number)
            feed = _Feed(batches.content(folder, batch), batch.counts["done"])
        while True:
            with database.writing() as session:
                batch = session.get_one(ImportBatch, number, with_for_update=True)
                if batch.state != "running":
                    return None
                ended = _chunk(session, batch, feed, now, settings)
            if ended is not None:
                batches.remove_file(folder, batch)
                return ended
            if time.monotonic() >= until:
                return None
    except TimeTrackerError as error:
        return _failed(database, number, error)


class _Feed:
    """The rows of a file after those dealt with, and how often each was met."""

    def __init__(self, table: Table, done: int) -> None:
        self.table, self.before = table, done
        self.rows = islice(table.rows(), done, None)
        self.seen: Counter[str] | None = None

    def give(self, judge: Planner) -> list[Row]:
        """Return the next rows; the judge learns which came before."""
        if self.seen is None:
            judge.pass_over(islice(self.table.rows(), self.before))
            self.seen = judge.seen
        judge.seen = self.seen
        return list(islice(self.rows, CHUNK))


def _failed(database: Database, number: int, error: TimeTrackerError) -> Ended:
    with database.writing() as session:
        batch = session.get_one(ImportBatch, number)
        batch.state = "failed"
        batch.counts = {**batch.counts, "failure": str(error)}
        return Ended(
            user_id=batch.user_id,
            source=batch.source,
            counts=dict(batch.counts),
            failed=error,
        )


def _chunk(
    session: Session, batch: ImportBatch, feed: _Feed, now: datetime, settings: Settings
) -> Ended | None:
    """Make the entries of the next rows and note how far it got; return how it ended."""
    began = time.monotonic()
    counts = dict(batch.counts)
    judge = batches.planner(session, batch, feed.table, now, settings)
    rows = feed.give(judge)
    planned = judge.plan(rows)
    writer = _Writer(session, batch, judge, settings)
    made = [(one, writer.entry(one)) for one in planned]
    session.add_all(entry for _, entry in made if entry is not None)
    session.flush()
    session.add_all(_kept(batch, one, entry) for one, entry in made)
    for one in planned:
        counts[one.outcome] += 1
    counts["done"] += len(rows)
    counts["took_ms"] += round((time.monotonic() - began) * 1000)
    batch.counts = counts
    batch.options = leftovers.noted(batch.options, judge.targets)
    if len(rows) == CHUNK:
        return None
    batch.state = "done"
    return Ended(user_id=batch.user_id, source=batch.source, counts=counts)


def _kept(batch: ImportBatch, one: Planned, entry: TimeEntry | None) -> ImportRow:
    return ImportRow(
        batch_id=batch.id,
        line=one.line,
        hash=one.hash,
        outcome=one.outcome,
        problem=one.problem or None,
        entry_id=entry.id if entry else None,
    )


class _Writer:
    """Makes entries of planned rows."""

    def __init__(
        self, session: Session, batch: ImportBatch, judge: Planner, settings: Settings
    ) -> None:
        self._batch, self._judge, self._settings = batch, judge, settings
        self._prices = every(session, settings.currency)

    def entry(self, one: Planned) -> TimeEntry | None:
        """Return the new entry of a row, None where it makes none."""
        said = one.said
        if one.outcome != "created" or said is None or one.day is None:
            return None
        project, task, tags = self._judge.targets.made(said)
        billable = said.billable
        if billable is None:
            billable = project.billable if project else False
        entry = TimeEntry(
            user_id=one.user_id,
            kind="duration" if said.start is None else "timed",
            started_at=said.start,
            ended_at=said.end,
            timezone=said.zone,
            local_date=one.day,
            seconds=one.seconds,
            project=project,
            task=task,
            tags=tags,
            description=said.description,
            billable=billable,
            source="import",
            import_batch_id=self._batch.id,
            created_by_id=self._judge.me.id,
            breaks=[EntryBreak(started_at=a, ended_at=b) for a, b in one.breaks],
            version=1,
        )
        entry.rate_override = self._rate(one, entry)
        entry.incomplete = timers.is_incomplete(entry, self._settings)
        return entry

    def _rate(self, one: Planned, entry: TimeEntry) -> int | None:
        """Return the file's rate in minor units, where that was asked for."""
        if not self._judge.answers.rates or one.said is None or not one.said.rate:
            return None
        try:
            major = Decimal(one.said.rate.replace(",", "."))
        except InvalidOperation:
            return None
        project = entry.project
        subject = Subject(
            one.user_id,
            project.id if project else None,
            project.client_id if project else None,
            entry.task.id if entry.task else None,
        )
        price = self._prices.on(subject, entry.local_date)
        currency = price.currency if price else self._settings.currency
        amount = int(major * 10 ** numbers.get_currency_precision(currency))
        return amount if 0 < amount < 2**31 else None


@dataclass(frozen=True, kw_only=True)
class Undone:
    """What an undo did."""

    removed: int
    changed: int
    """Entries that somebody changed since: they stay."""
    locked: int
    """Entries of days that are locked by now: they stay."""


def undo(
    database: Database, number: int, user: User, now: datetime, settings: Settings
) -> Undone:
    """Take back an import, some thousand entries in each transaction."""
    with database.writing() as session:
        batch = batches.find(session, user, number)
        if batch.state not in {"done", "stopped", "failed"}:
            raise Conflict("There is nothing to undo.", hint="Look at its page again.")
        if batch.created_at < now - UNDO_FOR:
            raise Conflict("An import can be undone for 30 days.", hint="Delete by hand.")
        batch.state, batch.undone_at = "undone", now
    today = day_of(now, zone(user.timezone))
    through = locked_through(settings, today)
    free = [
        TimeEntry.import_batch_id == number,
        TimeEntry.version == 1,
        TimeEntry.deleted_at.is_(None),
        *([TimeEntry.local_date > through] if through else []),
    ]
    removed = 0
    while True:
        with database.writing() as session:
            found = list(session.scalars(select(TimeEntry.id).where(*free).limit(CHUNK)))
            if not found:
                break
            _throw(session, found, now)
            removed += len(found)
    with database.writing() as session:
        kept = _note_kept(session, number, through_days=through is not None)
        batch = session.get_one(ImportBatch, number)
        gone = leftovers.remove(session, number, batch.options.get("made", {}))
        batch.counts = {**batch.counts, "removed": removed, **kept, "gone": gone}
    return Undone(removed=removed, changed=kept["changed"], locked=kept["locked"])


def _throw(session: Session, numbers_: list[int], now: datetime) -> None:
    session.execute(
        update(TimeEntry)
        .where(TimeEntry.id.in_(numbers_))
        .values(deleted_at=now, version=TimeEntry.version + 1, updated_at=utc_seconds())
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(ImportRow).where(ImportRow.entry_id.in_(numbers_)).values(outcome="undone")
    )


def _note_kept(session: Session, number: int, *, through_days: bool) -> dict[str, int]:
    """Say on each row whose entry stays why it does; return how many there are."""
    alive = [
        ImportRow.batch_id == number,
        ImportRow.outcome == "created",
        ImportRow.entry_id == TimeEntry.id,
        TimeEntry.deleted_at.is_(None),
    ]
    counted: dict[str, int] = {}
    reasons = {"changed": "Changed since: kept.", "locked": "Its day is locked: kept."}
    for name, reason in reasons.items():
        untouched = TimeEntry.version == 1
        which = untouched if name == "locked" else ~untouched
        rows = select(ImportRow.id).join(TimeEntry, ImportRow.entry_id == TimeEntry.id)
        chosen = rows.where(*alive, which)
        counted[name] = (
            session.scalar(select(func.count()).select_from(chosen.subquery())) or 0
        )
        if counted[name] and (name == "changed" or through_days):
            session.execute(
                update(ImportRow)
                .where(ImportRow.id.in_(chosen))
                .values(problem=reason)
                .execution_options(synchronize_session=False)
            )
    return counted
