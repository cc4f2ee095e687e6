"""The timesheet: rows are project and task, columns are days, cells are lengths.

A cell shows all worked time of its row on that day, timers included. Typing sets it: an
empty cell becomes a new entry, a cell of exactly one whole entry changes that one (a
timed one keeps its begin), a cell of several opens them instead.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlalchemy.orm import Session

from app.errors import Conflict
from app.models.entries import TimeEntry
from app.models.people import User
from app.models.work import Project, Task
from app.tracking import entries as editing
from app.tracking import recorded, trash
from app.tracking.days import week_days
from app.tracking.entries import Act, Done, Times
from app.tracking.recorded import Piece
from app.tracking.timers import About
from app.work import projects

RowKey = tuple[int | None, int | None]
"""Project and task."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One row on one day."""

    day: date
    pieces: Sequence[Piece] = ()

    @property
    def seconds(self) -> int:
        """Worked altogether."""
        return sum(piece.seconds for piece in self.pieces)

    @property
    def only(self) -> TimeEntry | None:
        """The one entry that lies wholly in this cell and can be typed over."""
        if len(self.pieces) != 1:
            return None
        entry, _, seconds = self.pieces[0]
        return entry if entry.seconds == seconds else None


@dataclass(frozen=True, kw_only=True)
class Row:
    """A project and task over the week."""

    project: Project | None
    task: Task | None
    cells: Sequence[Cell] = field(default_factory=list)

    @property
    def seconds(self) -> int:
        """Worked in this row all week."""
        return sum(cell.seconds for cell in self.cells)


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A week."""

    days: Sequence[date]
    rows: Sequence[Row]

    @property
    def totals(self) -> list[int]:
        """Seconds for each day."""
        return [
            sum(row.cells[n].seconds for row in self.rows) for n in range(len(self.days))
        ]


def sheet(
    session: Session, user: User, day: date, act: Act, *, extra: Sequence[RowKey] = ()
) -> Sheet:
    """Return the week that ``day`` is in; ``extra`` rows are shown even if empty."""
    days = week_days(day, user.week_start)
    found = recorded.of_days(session, user, days[0], days[-1])
    pieces = recorded.pieces(found, days[0], days[-1], act.now)
    by_row: dict[RowKey, dict[date, list[Piece]]] = {key: {} for key in extra}
    named: dict[RowKey, tuple[Project | None, Task | None]] = {}
    for piece in pieces:
        key = piece.entry.project_id, piece.entry.task_id
        named[key] = piece.entry.project, piece.entry.task
        by_row.setdefault(key, {}).setdefault(piece.day, []).append(piece)
    for key in extra:
        if key not in named:
            chosen = projects.choose(session, user, *key)
            named[key] = chosen.project, chosen.task
    rows = [
        Row(
            project=named[key][0],
            task=named[key][1],
            cells=[Cell(day=d, pieces=on.get(d, ())) for d in days],
        )
        for key, on in by_row.items()
    ]
    return Sheet(days=days, rows=sorted(rows, key=_order))


def _order(row: Row) -> tuple[bool, str, str]:
    return (
        row.project is None,
        row.project.name_key if row.project else "",
        row.task.name_key if row.task else "",
    )


def type_in(
    session: Session, user: User, key: RowKey, cell: tuple[date, int], act: Act
) -> Done | None:
    """Set a cell to a length in seconds; 0 clears it. None where it says so already."""
    day, seconds = cell
    found = recorded.of_days(session, user, day, day)
    there = [
        piece
        for piece in recorded.pieces(found, day, day, act.now)
        if (piece.entry.project_id, piece.entry.task_id) == key
    ]
    if not there:
        return _new(session, user, key, cell, act) if seconds else None
    entry = Cell(day=day, pieces=there).only
    if entry is None:
        raise Conflict(
            "This cell holds several entries, or one that runs or crosses midnight.",
            hint="Open the cell and change them one by one.",
        )
    if entry.seconds == seconds:
        return None
    if not seconds:
        return Done(entry=entry, step=trash.throw(session, [entry], act))
    return editing.retime(session, entry, _longer(entry, seconds), act)


def _new(
    session: Session, user: User, key: RowKey, cell: tuple[date, int], act: Act
) -> Done:
    about = About(project_id=key[0], task_id=key[1])
    times = Times(kind="duration", day=cell[0], seconds=cell[1])
    return editing.make(session, user, about, times, act)


def _longer(entry: TimeEntry, seconds: int) -> Times:
    """Return the entry's times with another length; a timed one keeps begin and breaks."""
    if entry.started_at is None or entry.ended_at is None:
        return Times(kind="duration", day=entry.local_date, seconds=seconds)
    change = timedelta(seconds=seconds - (entry.seconds or 0))
    end = entry.ended_at + change
    pauses = [
        (pause.started_at, pause.ended_at) for pause in entry.breaks if pause.ended_at
    ]
    if pauses and end <= max(finish for _, finish in pauses):
        raise Conflict(
            "A break of this entry would lie outside of it.",
            hint="Open the entry and change its breaks first.",
        )
    return Times(started_at=entry.started_at, ended_at=end, breaks=pauses)


def rows_of(session: Session, user: User, day: date, act: Act) -> list[RowKey]:
    """Return the rows of the week that ``day`` is in."""
    found = sheet(session, user, day, act)
    return [
        (row.project.id if row.project else None, row.task.id if row.task else None)
        for row in found.rows
        if row.project is None or row.project.archived_at is None
    ]


def copy_hours(session: Session, user: User, day: date, act: Act) -> list[Done]:
    """Copy last week's hours as lengths into the empty cells of this week."""
    this = sheet(session, user, day, act)
    last = sheet(session, user, this.days[0] - timedelta(days=1), act)
    taken = {
        ((row.project.id if row.project else None, row.task.id if row.task else None), n)
        for row in this.rows
        for n, cell in enumerate(row.cells)
        if cell.seconds
    }
    made = []
    for row in last.rows:
        if row.project is not None and row.project.archived_at is not None:
            continue
        key = row.project.id if row.project else None, row.task.id if row.task else None
        for n, cell in enumerate(row.cells):
            if cell.seconds and (key, n) not in taken:
                made.append(_new(session, user, key, (this.days[n], cell.seconds), act))
    return made
