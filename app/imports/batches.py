"""A file on its way: kept, understood, tried, and what is known about it.

The file lies under ``DATA_DIR/imports/<batch>`` until its entries are made or it is
given up. Who uploaded it is the only one who sees it; managers see all.
"""

import shutil
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import Conflict, Count, InvalidInput, NotFound, TooLarge, said
from app.imports import people, reading, sources
from app.imports.plan import Answers, Planned, Planner
from app.imports.reading import Meaning, Table
from app.imports.targets import Targets
from app.models.people import User
from app.models.saved import ImportBatch, ImportMapping
from app.people import roles
from app.settings import Settings
from app.tracking.days import zone

CHUNK = 1000
"""Rows looked at, and written, at once."""

SHOWN_ROWS, SHOWN_PROBLEMS = 50, 200
FORGOTTEN = timedelta(days=1)
"""A file that nobody went on with is removed after this."""

OPEN = ("uploaded", "planned")


def file_of(folder: Path, batch: ImportBatch) -> Path:
    """Return where the file of a batch lies."""
    return folder / "imports" / str(batch.id) / "file"


def upload(
    session: Session, user: User, name: str, content: bytes, *, folder: Path, most_rows: int
) -> ImportBatch:
    """Keep a file, recognised as far as its header says."""
    table = reading.table(content)
    count = sum(1 for _ in table.rows())
    if count == 0:
        raise InvalidInput("The file has no rows.", hint="Export it again.", attr="file")
    if count > most_rows:
        raise TooLarge(
            said("The file has %(count)s rows.", count=Count(count)),
            hint=said(
                "%(most)s are the most: divide it, or raise IMPORT_MAX_ROWS.",
                most=Count(most_rows),
            ),
        )
    batch = ImportBatch(
        user_id=user.id,
        source=sources.recognise(table.header).key,
        file_name=Path(name.replace("\\", "/")).name[-255:] or "file.csv",
        options={"encoding": table.encoding, "separator": table.separator},
        counts={"rows": count},
        state="uploaded",
    )
    session.add(batch)
    session.flush()
    path = file_of(folder, batch)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return batch


def find(session: Session, user: User, number: int) -> ImportBatch:
    """Return a batch this person may see."""
    batch = session.get(ImportBatch, number)
    others = roles.rank(user.role) >= roles.rank("manager")
    if batch is None or (batch.user_id != user.id and not others):
        raise NotFound("There is no such import.", hint="It may have been given up.")
    return batch


def every(session: Session, user: User) -> list[ImportBatch]:
    """Return the imports this person sees, the newest first."""
    query = select(ImportBatch).order_by(ImportBatch.id.desc()).limit(50)
    if roles.rank(user.role) < roles.rank("manager"):
        query = query.where(ImportBatch.user_id == user.id)
    return list(session.scalars(query))


def content(folder: Path, batch: ImportBatch) -> Table:
    """Return the file of a batch as text."""
    path = file_of(folder, batch)
    if not path.exists():
        raise Conflict("The file is gone.", hint="Upload it again.")
    return reading.table(path.read_bytes())


def give_up(session: Session, batch: ImportBatch, *, folder: Path) -> None:
    """Forget a file that made nothing."""
    if batch.state not in OPEN:
        raise Conflict("This import has begun already.", hint="Undo it instead.")
    remove_file(folder, batch)
    session.delete(batch)


def remove_file(folder: Path, batch: ImportBatch) -> None:
    """Remove the file of a batch that needs it no more."""
    shutil.rmtree(file_of(folder, batch).parent, ignore_errors=True)


def forget_old(session: Session, now: datetime, *, folder: Path) -> None:
    """Remove files that nobody went on with."""
    old = select(ImportBatch).where(
        ImportBatch.state.in_(OPEN), ImportBatch.updated_at < now - FORGOTTEN
    )
    for batch in session.scalars(old):
        give_up(session, batch, folder=folder)


def kept_mapping(session: Session, user: User, source: str) -> ImportMapping | None:
    """Return how this person understood a source the last time."""
    return session.scalar(
        select(ImportMapping).where(
            ImportMapping.user_id == user.id, ImportMapping.source == source
        )
    )


def keep_mapping(
    session: Session, user: User, source: str, header: list[str], options: dict[str, Any]
) -> None:
    """Remember the columns by name, and the answers, for the next file of this source."""
    kept = kept_mapping(session, user, source)
    if kept is None:
        kept = ImportMapping(user_id=user.id, source=source)
        session.add(kept)
    kept.columns = {name: header[place] for name, place in options["columns"].items()}
    kept.answers = {
        name: options[name]
        for name in ("zone", "create", "long", "rates")
        if name in options
    }


def answers(batch: ImportBatch, me: User, settings: Settings) -> Answers:
    """Return the decisions kept with a batch, cut to what its owner may decide."""
    options: Mapping[str, Any] = batch.options
    others = roles.may(me, "import.others", settings)
    return Answers(
        source=batch.source,
        meaning=Meaning(
            columns=dict(options["columns"]),
            zone=zone(options["zone"]).key,
            order=options["order"],
        ),
        users=people.allowed(me, options["users"], others=others),
        create=bool(options.get("create")),
        long_is_right=bool(options.get("long")),
        rates=bool(options.get("rates")) and roles.may(me, "rates.manage", settings),
    )


def planner(
    session: Session, batch: ImportBatch, table: Table, now: datetime, settings: Settings
) -> Planner:
    """Return what judges the rows of a batch."""
    me = session.get_one(User, batch.user_id)
    decided = answers(batch, me, settings)
    return Planner(
        session=session,
        me=me,
        answers=decided,
        settings=settings,
        now=now,
        targets=Targets(session, me, settings, decided.create),
        header=table.header,
    )


def dry_run(
    session: Session, batch: ImportBatch, table: Table, now: datetime, settings: Settings
) -> None:
    """Find out what would become of every row, and keep what is shown of it."""
    judge = planner(session, batch, table, now, settings)
    counts = {"rows": 0, "created": 0, "duplicate": 0, "error": 0, "seconds": 0}
    shown: list[dict[str, Any]] = []
    problems: list[dict[str, Any]] = []
    rows = table.rows()
    while chunk := list(islice(rows, CHUNK)):
        for one in judge.plan(chunk):
            counts["rows"] += 1
            counts[one.outcome] += 1
            counts["seconds"] += one.seconds
            if len(shown) < SHOWN_ROWS:
                shown.append(_shown(one))
            if one.outcome == "error" and len(problems) < SHOWN_PROBLEMS:
                problems.append({"line": one.line, "problem": one.problem})
    makes = {kind: sorted(found.values()) for kind, found in judge.targets.missing.items()}
    batch.counts = {
        **counts,
        "makes": {kind: len(found) for kind, found in makes.items()},
        "names": {kind: found[:20] for kind, found in makes.items()},
        "shown": shown,
        "problems": problems,
    }
    batch.state = "planned"


def _shown(one: Planned) -> dict[str, Any]:
    said = one.said
    return {
        "line": one.line,
        "outcome": one.outcome,
        "problem": one.problem,
        "day": one.day.isoformat() if one.day else "",
        "start": int(said.start.timestamp()) if said and said.start else None,
        "end": int(said.end.timestamp()) if said and said.end else None,
        "zone": said.zone if said else "",
        "seconds": one.seconds,
        "client": said.client if said else "",
        "project": said.project if said else "",
        "task": said.task if said else "",
        "description": said.description[:200] if said else "",
        "tags": list(said.tags) if said else [],
        "billable": bool(said and said.billable),
    }
