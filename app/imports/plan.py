"""What would become of each row: the rules, asked before anything is made.

The same planner makes the dry run and the commit, so that what was shown is what
happens. A row is known again by a hash of what it says; two truly equal rows of one file
differ by their ordinal, so both count, and the file imported again adds nothing.
"""

import hashlib
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.imports.people import NOBODY, name_of
from app.imports.reading import Line, Meaning, Problem, Row, line
from app.imports.targets import Targets
from app.models.people import User
from app.models.saved import ImportRow
from app.settings import Settings, locked_through
from app.tracking.days import DAY, Segment, day_of, day_start, zone
from app.tracking.entries import LONG, overlapping
from app.tracking.timers import LONGEST_TEXT

AT_ONCE = 500
"""Hashes looked up in one question."""

Outcome = Literal["created", "duplicate", "error"]


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What the person decided about a file."""

    source: str
    meaning: Meaning
    users: Mapping[str, int]
    """Name in the file → user; NOBODY leaves rows out."""
    create: bool = True
    """Make clients, projects, tasks and tags that are missing."""
    long_is_right: bool = False
    """Entries of more than a day are what they say."""
    rates: bool = False
    """Keep the file's rates on the entries."""


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A row, and what becomes of it."""

    line: int
    hash: str
    outcome: Outcome
    problem: str = ""
    said: Line | None = None
    user_id: int = 0
    day: date | None = None
    seconds: int = 0
    breaks: Sequence[Segment] = ()


@dataclass
class Planner:
    """Everything the rules need, kept over the rows of one file."""

    session: Session
    me: User
    answers: Answers
    settings: Settings
    now: datetime
    targets: Targets
    header: Sequence[str]
    seen: Counter[str] = field(default_factory=Counter)
    """How often each row was met: its ordinal."""
    taken: dict[int, list[Segment]] = field(default_factory=dict)
    """Worked time of rows before, by user, where overlaps are forbidden."""
    users: dict[int, User | None] = field(default_factory=dict)

    def plan(self, rows: Sequence[Row]) -> list[Planned]:
        """Return what becomes of these rows, in order."""
        planned = [self._one(row) for row in rows]
        known = self._known([one.hash for one in planned if one.outcome == "created"])
        return [
            Planned(line=one.line, hash=one.hash, outcome="duplicate",
                    problem="Imported before.")
            if one.hash in known and one.outcome == "created"
            else one
            for one in planned
        ]  # fmt: skip

    def _one(self, row: Row) -> Planned:
        name, user_id = self._owner(row)
        said = self._read(row)
        hashed = self._hash(self._mark(row, said, user_id))
        try:
            if isinstance(said, Problem):
                raise said
            return self._judged(row, said, name, user_id, hashed)
        except Problem as problem:
            return Planned(
                line=row.line, hash=hashed, outcome="error", problem=self._named(problem)
            )

    def _owner(self, row: Row) -> tuple[str, int]:
        name = name_of(row, self.answers.meaning.columns)
        return name, self.answers.users.get(name, NOBODY)

    def _read(self, row: Row) -> Line | Problem:
        try:
            return line(row, self.answers.meaning)
        except Problem as problem:
            return problem

    def pass_over(self, rows: Iterable[Row]) -> None:
        """Count rows that were dealt with before, so that equal ones get their ordinal."""
        for row in rows:
            self.seen[self._mark(row, self._read(row), self._owner(row)[1])] += 1

    def _named(self, problem: Problem) -> str:
        place = self.answers.meaning.columns.get(problem.field)
        named = place is not None and place < len(self.header)
        where = f"{self.header[place]}: " if named and place is not None else ""
        return where + problem.message

    def _mark(self, row: Row, said: Line | Problem, user_id: int) -> str:
        """Return what a row is known again by; one that cannot be read by its cells."""
        if isinstance(said, Problem):
            return "\x1f".join(cell.strip() for cell in row.cells)
        return "\x1f".join(
            str(part)
            for part in (
                self.answers.source,
                user_id,
                said.start,
                said.end or said.seconds,
                said.day,
                said.client,
                said.project,
                said.task,
                said.description,
            )
        )

    def _hash(self, mark: str) -> str:
        self.seen[mark] += 1
        whole = f"{mark}\x1f{self.seen[mark]}"
        return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()

    def _judged(
        self, row: Row, said: Line, name: str, user_id: int, hashed: str
    ) -> Planned:
        user = self._user(user_id, name)
        if len(said.description) > LONGEST_TEXT:
            much = f"{len(said.description):,} characters; {LONGEST_TEXT:,} are the most."
            raise Problem("description", much)
        seconds, breaks = self._worked(said)
        day = said.day or day_of(said.start or self.now, zone(said.zone))
        self._refuse_days(said, day)
        self.targets.check(said)
        forbids = self.settings.overlap_policy == "forbid"
        if said.start and said.end and forbids and not self._known([hashed]):
            self._refuse_overlap(user.id, said.start, said.end - _sum(breaks))
        return Planned(
            line=row.line,
            hash=hashed,
            outcome="created",
            said=said,
            user_id=user.id,
            day=day,
            seconds=seconds,
            breaks=breaks,
        )

    def _user(self, number: int, name: str) -> User:
        if number not in self.users:
            self.users[number] = self.session.get(User, number) if number else None
        user = self.users[number]
        if user is None:
            raise Problem("user", f"{name[:60]!r} is nobody here: left out.")
        if not user.is_active or user.role == "viewer":
            raise Problem("user", f"{user.display_name!r} records no time here.")
        return user

    def _worked(self, said: Line) -> tuple[int, list[Segment]]:
        """Return seconds worked and the break, which stands at the end."""
        kind = "duration" if said.start is None else "timed"
        if self.settings.entry_kinds not in {"both", kind}:
            words = "a length on a day" if kind == "duration" else "from and to"
            raise Problem("duration", f"Entries with {words} are not used here.")
        span = said.seconds or 0
        if said.start and said.end:
            span = int((said.end - said.start).total_seconds())
            if span < 0:
                raise Problem("end_time", "It ends before it begins.")
        if span <= 0 or said.break_seconds >= span:
            raise Problem("duration", "Its length is 0.")
        if span > LONG.total_seconds() and not self.answers.long_is_right:
            raise Problem("duration", "It is longer than 24 hours.")
        if not said.break_seconds or said.end is None:
            return span - (0 if said.start else said.break_seconds), []
        pause = said.end - timedelta(seconds=said.break_seconds), said.end
        return span - said.break_seconds, [pause]

    def _refuse_days(self, said: Line, day: date) -> None:
        through = locked_through(self.settings, day_of(self.now, zone(self.me.timezone)))
        if through is not None and day <= through:
            raise Problem("date", f"{day} is locked: the books are closed to {through}.")
        allowed = self.settings.allow_future
        if allowed == "yes":
            return
        where = zone(said.zone)
        today = day_of(self.now, where)
        limit = self.now if allowed == "no" else day_start(today + DAY, where)
        late = day > today if said.end is None else said.end > limit
        if late:
            raise Problem("date", f"{day} lies in the future.")

    def _refuse_overlap(self, user_id: int, start: datetime, end: datetime) -> None:
        """Raise where the time is taken, by an entry here or by a row before."""
        mine = self.taken.setdefault(user_id, [])
        place = bisect_left(mine, (start, end))
        near = mine[max(0, place - 1) : place + 1]
        in_file = any(a < end and start < b for a, b in near)
        if in_file or overlapping(self.session, None, user_id, [(start, end)], self.now):
            raise Problem("start", "Its time is taken by another entry.")
        insort(mine, (start, end))

    def _known(self, hashes: Sequence[str]) -> set[str]:
        """Return which of these rows were imported before and are still there."""
        found: set[str] = set()
        for begin in range(0, len(hashes), AT_ONCE):
            query = select(ImportRow.hash).where(
                ImportRow.hash.in_(hashes[begin : begin + AT_ONCE]),
                ImportRow.outcome == "created",
            )
            found |= set(self.session.scalars(query))
        return found


def _sum(breaks: Sequence[Segment]) -> timedelta:
    return sum((end - start for start, end in breaks), timedelta())
