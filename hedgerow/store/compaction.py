"""Settled events are put in order, so that a question about one event reads little.

Events lie in the order of their arrival: each stretch of the file holds a bit of every
event, and all of it is read whatever is asked. Ordered by (project, event, time) most of it
is passed over. So while nothing else is to be written, days that ended at least
``SETTLED`` ago are written anew in that order: whole days where one is large, else thirds
of a month, else months. Recent days stay as they came, and so does a database
that is too small to gain from it.

Each ``step`` moves about a row group and notes in the same transaction how far it came,
so a crash repeats a piece whole or not at all, and the writer never waits for more than one.
Questions see the same rows before and after. Events that come later for a stretch in order
lie behind it; when there are many, it is done again.
"""

# ruff: noqa: S608 - names of our own tables; values are parameters

import logging
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import duckdb
import msgspec

from hedgerow.model.changes import Compacted
from hedgerow.model.tables import COMPACTED, EVENTS

LOG = logging.getLogger(__name__)
ROW_GROUP = 122_880
"""Events that the engine passes over, or reads, together."""

PIECE_BYTES = 64 * 1024 * 1024
"""Properties in one piece; where events are large it is less than a row group, so that the
writer is back after about a second."""

LEAST_PIECE = 4_096
SETTLED = timedelta(days=2)
WORTH_IT = 2
"""Row groups; fewer gain nothing from their order."""

ENOUGH = 20
"""Row groups; a stretch of so many gains little from being part of a longer one."""

LATE = 0.1
"""Share of late events from which on a stretch is done again."""

LOOK_AGAIN = timedelta(minutes=10)
BY_EVENT = "(project_id, event, date_trunc('hour', timestamp))"

Run = Callable[[str, Mapping[str, Any]], list[tuple[Any, ...]]]
Cut = tuple[int, str, datetime]
"""Project, event and hour up to which, all three included, a stretch is in order."""


class Stretch(msgspec.Struct, frozen=True, order=True):
    """Days from ``first`` to the one before ``after``."""

    first: date
    after: date

    def holds(self, other: "Stretch") -> bool:
        """Whether another one lies in this."""
        return self.first <= other.first and other.after <= self.after


class Piece(msgspec.Struct, frozen=True):
    """What one step moves: all behind the cut before, up to ``upto``."""

    upto: Cut
    events: int


def stretches(day: date) -> list[Stretch]:
    """Return the day, the third of a month and the month that a day belongs to."""
    month = day.replace(day=1)
    after = (month + timedelta(days=32)).replace(day=1)
    third = min((day.day - 1) // 10, 2)
    first = month + timedelta(days=10 * third)
    ends = after if third == 2 else first + timedelta(days=10)
    return [
        Stretch(day, day + timedelta(days=1)),
        Stretch(first, ends),
        Stretch(month, after),
    ]


def due(
    days: Mapping[date, int],
    done: Mapping[Stretch, int],
    settled: date,
    *,
    row_group: int = ROW_GROUP,
) -> Stretch | None:
    """Return what is to be put in order next.

    ``days``: events of each day; ``done``: stretches in order, with their events then;
    ``settled``: the day from which on nothing is touched.
    """
    sizes: list[dict[Stretch, int]] = [{}, {}, {}]
    for day, events in days.items():
        for level, stretch in enumerate(stretches(day)):
            sizes[level][stretch] = sizes[level].get(stretch, 0) + events
    for of_level in sizes:
        for stretch, events in sorted(of_level.items()):
            if stretch.after <= settled and _is_due(stretch, events, done, row_group):
                return stretch
    return None


def _is_due(
    stretch: Stretch, events: int, done: Mapping[Stretch, int], row_group: int
) -> bool:
    worth_it = WORTH_IT * row_group
    if stretch in done:
        return events - done[stretch] > LATE * max(done[stretch], worth_it)
    if events < worth_it:
        return False
    return not any(
        other.holds(stretch) or (stretch.holds(other) and size >= ENOUGH * row_group)
        for other, size in done.items()
    )


class Compaction:
    """Puts events in order, a piece at a time; for the writer's thread, between batches."""

    def __init__(self, run: Run, *, row_group: int = ROW_GROUP) -> None:
        self._run, self._row_group = run, row_group
        self._most = row_group
        self._done: dict[Stretch, int] = {}
        self._under_way: Stretch | None = None
        self._cut: Cut | None = None
        self._pieces: list[Piece] = []
        self._look_from: datetime | None = None
        self._read()

    @property
    def events(self) -> int:
        """Return how many events were in order when last looked at."""
        return sum(self._done.values())

    @property
    def is_under_way(self) -> bool:
        """Return whether a stretch is half done.

        A checkpoint would then write once more the old rows between those deleted.
        """
        return bool(self._pieces)

    def step(self, now: datetime, *, look: bool = False) -> Compacted | None:
        """Move one piece; None: there is nothing to do. ``look`` for work without waiting.

        Raises duckdb.Error; then nothing has been moved.
        """
        now = now.replace(tzinfo=None)
        if not self._pieces and not self._plan(now, look=look):
            return None
        stretch, piece = self._under_way, self._pieces[0]
        if stretch is None:
            return None
        moved = 0
        try:
            self._run("BEGIN", {})
            if piece.events <= 3 * self._most:  # else one hour of one event: well as it is
                moved = self._move(stretch, piece)
            rest = self._pieces[1:]
            if rest:
                self._note(stretch, piece.upto)
            else:
                self._finish(stretch)
            self._run("COMMIT", {})
        except BaseException as error:
            self._give_up(error)
            raise
        self._pieces, self._cut = rest, piece.upto
        if not rest:
            self._read()
        return Compacted(moved=moved, left=sum(one.events for one in rest))

    def _give_up(self, error: BaseException) -> None:
        """Roll back; begin with smaller pieces the next time if memory was short."""
        if isinstance(error, duckdb.OutOfMemoryException):
            self._most = min(self._most, max(self._most // 2, LEAST_PIECE))
        self._pieces = []
        try:
            self._run("ROLLBACK", {})
        except duckdb.Error:
            LOG.debug("A piece was over before it could be rolled back.")

    def _read(self) -> None:
        """Read what is in order, and what is under way."""
        self._done, self._under_way, self._cut = {}, None, None
        for first, after, whole, events, *cut in self._run(
            f"SELECT first, after, whole, events, project_id, event, hour FROM "
            f"{COMPACTED.name}",
            {},
        ):
            stretch = Stretch(first.date(), after.date())
            if whole:
                self._done[stretch] = events
            else:
                self._under_way, self._cut = stretch, (cut[0], cut[1], cut[2])

    def _plan(self, now: datetime, *, look: bool) -> bool:
        """Find what is to be done; return whether there is anything."""
        if self._under_way is None:
            if self._look_from is not None and now < self._look_from and not look:
                return False
            settled = (now - SETTLED).date()
            counted = self._run(
                f"SELECT timestamp::DATE, count(*) FROM {EVENTS.name} "
                "WHERE timestamp < $settled AND timestamp > TIMESTAMP '1900-01-01' GROUP BY 1",
                {"settled": settled},
            )
            self._under_way = due(
                dict(counted), self._done, settled, row_group=self._row_group
            )
        if self._under_way is None:
            self._look_from = now + LOOK_AGAIN
            return False
        self._pieces = self._cut_up(self._under_way)
        if not self._pieces:  # all that was left of it has been deleted
            self._run(f"DELETE FROM {COMPACTED.name} WHERE NOT whole", {})
            self._read()
        return bool(self._pieces)

    def _cut_up(self, stretch: Stretch) -> list[Piece]:
        where, values = _behind(stretch, self._cut)
        each = self._run(
            "SELECT coalesce(avg(strlen(properties)), 0)::BIGINT FROM (SELECT properties "
            f"FROM {EVENTS.name} WHERE {where} LIMIT 1000)",
            values,
        )[0][0]
        most = min(self._most, max(PIECE_BYTES // max(each, 1), LEAST_PIECE))
        found = self._run(
            "SELECT arg_max(p, upto), arg_max(e, upto), arg_max(h, upto), sum(n)::BIGINT "
            "FROM (SELECT *, sum(n) OVER (ORDER BY p, e, h) AS upto FROM ("
            "SELECT project_id AS p, event AS e, date_trunc('hour', timestamp) AS h, "
            f"count(*) AS n FROM {EVENTS.name} WHERE {where} GROUP BY ALL)) "
            "GROUP BY (upto - 1) // $piece ORDER BY max(upto)",
            {**values, "piece": most},
        )
        return [Piece((p, e, h), n) for p, e, h, n in found]

    def _move(self, stretch: Stretch, piece: Piece) -> int:
        """Write the events of a piece anew, in order; return how many."""
        where, values = _behind(stretch, self._cut)
        project_id, event, hour = piece.upto
        where += f" AND project_id <= $p1 AND {BY_EVENT} <= ($p1, $e1, $h1::TIMESTAMP)"
        values |= {"p1": project_id, "e1": event, "h1": hour}
        if self._cut is not None and self._cut[0] == project_id:
            where += " AND event <= $e1"
        last = self._run(f"SELECT max(rowid) FROM {EVENTS.name}", {})[0][0]
        added = self._run(
            f"INSERT INTO {EVENTS.name} SELECT * FROM {EVENTS.name} WHERE {where} "
            "ORDER BY project_id, event, timestamp",
            values,
        )[0][0]
        gone = self._run(
            f"DELETE FROM {EVENTS.name} WHERE {where} AND rowid <= $last",
            {**values, "last": last},
        )[0][0]
        if added != gone:  # cannot be, as nobody else writes
            raise duckdb.InternalException(f"{added} events written anew, {gone} deleted.")
        return int(added)

    def _note(self, stretch: Stretch, cut: Cut) -> None:
        """Note up to where a stretch is in order."""
        self._run(f"DELETE FROM {COMPACTED.name} WHERE NOT whole", {})
        self._run(
            f"INSERT INTO {COMPACTED.name} VALUES ($first, $after, false, 0, $p, $e, $h)",
            {**_ends(stretch), "p": cut[0], "e": cut[1], "h": cut[2]},
        )

    def _finish(self, stretch: Stretch) -> None:
        """Note that a stretch is in order, and forget its parts."""
        ends = _ends(stretch)
        self._run(
            f"DELETE FROM {COMPACTED.name} WHERE first >= $first AND after <= $after", ends
        )
        self._run(
            f"INSERT INTO {COMPACTED.name} SELECT $first, $after, true, count(*), NULL, "
            f"NULL, NULL FROM {EVENTS.name} WHERE timestamp >= $first AND timestamp < $after",
            ends,
        )


def _ends(stretch: Stretch) -> dict[str, Any]:
    return {
        "first": datetime.combine(stretch.first, datetime.min.time()),
        "after": datetime.combine(stretch.after, datetime.min.time()),
    }


def _behind(stretch: Stretch, cut: Cut | None) -> tuple[str, dict[str, Any]]:
    """Return the condition of the events of a stretch behind a cut, with its values."""
    where = "timestamp >= $first AND timestamp < $after"
    if cut is None:
        return where, _ends(stretch)
    return (
        f"{where} AND project_id >= $p0 AND {BY_EVENT} > ($p0, $e0, $h0::TIMESTAMP)",
        {**_ends(stretch), "p0": cut[0], "e0": cut[1], "h0": cut[2]},
    )
