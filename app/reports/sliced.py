"""Facts from sums that are kept, and from entries only where those do not hold.

A year of everybody is twelve months of each person, already added up. What changed since
then, the days at the edges of the range that are no whole month, and questions that the
sums do not know (a text, a tag, a source) are read from the entries, so that the answer
is always that of this moment.

First is read which slices do not hold; then all others from their sums, whatever happens
to them meanwhile. So no slice is missed or counted twice while a job adds up.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.orm import Session

from app.models.entries import TimeEntry
from app.models.sums import DAY, EVERYBODY, TAG, WORK, Slice, SliceChange, SliceSum
from app.models.work import Project
from app.reports import facts, rows
from app.reports.facts import Fact
from app.reports.filters import Question, begin
from app.reports.seen import Seen, Worth
from app.tracking.days import DAY as ONE_DAY
from app.work.rates import Price

KNOWS = {
    DAY: {"day", "week", "month", "billable"},
    WORK: {"client", "project", "task", "user", "billable", "month", "worth"},
    TAG: {"tag", "user", "billable", "month"},
}
"""Grain → what can be grouped by in it; in the order in which they are preferred."""

MOST_OUTDATED = 100
"""Days or months that do not hold beyond which the entries alone are read."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Where the facts of a question are read."""

    grain: str
    kept: ColumnElement[bool]
    """Picks the slices."""
    rest: ColumnElement[bool] | None
    """Picks the days whose entries are read; None: no day."""


def gather(session: Session, seen: Seen, names: Sequence[str]) -> Iterator[Fact]:
    """Yield the sums of all entries within one day, by these names; several per group."""
    plan = _plan(session, seen, set(names))
    if plan is None:
        yield from facts.gather(session, seen, names)
        return
    for row in session.execute(_query(seen, names, plan)):
        yield _fact(row, seen, names)
    if plan.rest is not None:
        yield from facts.gather(session, seen, names, plan.rest)


def by_day(session: Session, seen: Seen) -> Iterator[tuple[date, bool, int]]:
    """Yield seconds by day and whether they are billable."""
    plan = _plan(session, seen, {"day"})
    if plan is None or plan.grain != DAY:
        yield from facts.by_day(session, seen)
        return
    seconds = func.sum(SliceSum.seconds)
    query = select(Slice.begins, SliceSum.billable, seconds).join(Slice)
    query = query.where(plan.kept).group_by(Slice.begins, SliceSum.billable)
    for day, billable, added in session.execute(query):
        yield day, billable, int(added)
    if plan.rest is not None:
        yield from facts.by_day(session, seen, plan.rest)


def _plan(session: Session, seen: Seen, names: set[str]) -> Plan | None:
    """Return what is read where; None where the entries alone can tell."""
    grain = _grain(seen, names)
    if grain is None:
        return None
    first, last = seen.first, seen.last
    if grain != DAY:
        first = begin("month", first + 30 * ONE_DAY if first.day > 1 else first, 1)
        first = first if first >= seen.first else _following(first)
        last = begin("month", last + ONE_DAY, 1) - ONE_DAY
    if first > last:
        return None
    outdated = _outdated(session, seen, (first, last), by_day=grain == DAY)
    if len(outdated) > MOST_OUTDATED:
        return None
    everybody = Slice.person == EVERYBODY if grain == DAY else Slice.person != EVERYBODY
    kept = and_(
        everybody,
        Slice.begins.between(first, last),
        Slice.begins.not_in(outdated),
        SliceSum.grain == grain,
        *_narrowed(seen.question),
    )
    return Plan(grain=grain, kept=kept, rest=_rest(seen, (first, last), outdated, grain))


def _grain(seen: Seen, names: set[str]) -> str | None:
    asked = seen.question
    if not seen.mark or not facts.can(seen):
        return None
    if asked.text or asked.sources or asked.tags or asked.incomplete is not None:
        return None
    by_work = bool(asked.projects or asked.clients or asked.tasks or not asked.archived)
    for grain, known in KNOWS.items():
        narrow = by_work or bool(asked.users) if grain == DAY else by_work
        if names <= known and not (narrow and grain != WORK):
            return grain
    return None


def _following(month: date) -> date:
    return (month.replace(day=28) + 4 * ONE_DAY).replace(day=1)


def _outdated(
    session: Session, seen: Seen, days: tuple[date, date], *, by_day: bool
) -> list[date]:
    """Return first days of what changed since it was added up, or was by other terms."""
    found: set[date] = set()
    for table, more in (
        (SliceChange, ()),
        (Slice, (Slice.made_under != seen.mark,)),
    ):
        its = table.person == EVERYBODY if by_day else table.person != EVERYBODY
        query = select(table.begins).where(its, table.begins.between(*days), *more)
        found |= set(session.scalars(query.distinct()))
    return sorted(found)


def _rest(
    seen: Seen, kept: tuple[date, date], outdated: list[date], grain: str
) -> ColumnElement[bool] | None:
    day = TimeEntry.local_date
    if grain == DAY:
        return day.in_(outdated) if outdated else None
    picked: list[ColumnElement[bool]] = []
    picked += [day.between(first, _following(first) - ONE_DAY) for first in outdated]
    if seen.first < kept[0]:
        picked.append(day < kept[0])
    if seen.last > kept[1]:
        picked.append(day > kept[1])
    return or_(false(), *picked) if picked else None


def _narrowed(asked: Question) -> Iterator[ColumnElement[bool]]:
    if asked.users:
        yield Slice.person.in_(asked.users)
    if asked.billable is not None:
        yield SliceSum.billable.is_(asked.billable)
    yield from rows.by_work(asked, SliceSum.project_id, SliceSum.task_id)
    if not asked.archived:
        away = select(Project.id).where(Project.archived_at.is_not(None))
        yield or_(SliceSum.project_id.is_(None), SliceSum.project_id.not_in(away))


COLUMNS: dict[str, Any] = {
    "client": SliceSum.project_id,
    "project": SliceSum.project_id,
    "task": SliceSum.task_id,
    "tag": SliceSum.tag_id,
    "user": Slice.person,
    "worth": SliceSum.rate,
    "billable": SliceSum.billable,
    "day": Slice.begins,
    "week": Slice.begins,
    "month": Slice.begins,
}


def _query(seen: Seen, names: Sequence[str], plan: Plan) -> Select[Any]:
    """Return the question for billable, currency, sums, and a column for each name."""
    earned = SliceSum.earned
    if seen.question.rounding == "exact":
        earned = SliceSum.earned_exactly
    keys = [COLUMNS[name] for name in names]
    sums = [
        func.sum(column)
        for column in (SliceSum.entries, SliceSum.seconds, SliceSum.rounded, earned)
    ]
    query: Any = select(SliceSum.billable, SliceSum.currency, *sums, *keys)
    query = query.join(Slice, Slice.id == SliceSum.slice_id).where(plan.kept)
    found: Select[Any] = query.group_by(SliceSum.billable, SliceSum.currency, *keys)
    return found


def _fact(row: Any, seen: Seen, names: Sequence[str]) -> Fact:
    billable, currency, entries, seconds, rounded, earned, *found = row
    rate = found[names.index("worth")] if "worth" in names else None
    priced = billable and seen.prices is not None
    price = Price(rate or 0, currency) if priced and currency else None
    worth = Worth(billable, priced, price)
    keys = tuple(
        _key(name, key, seen, worth) for name, key in zip(names, found, strict=True)
    )
    exactly = seen.question.rounding == "exact"
    return Fact(
        keys,
        int(entries),
        int(seconds),
        int(seconds if exactly else rounded),
        worth,
        int(earned) if price else 0,
    )


def _key(name: str, key: Any, seen: Seen, worth: Worth) -> Any:
    match name:
        case "client":
            return seen.clients.get(key or 0)
        case "worth":
            return worth
        case "month":
            return key.replace(day=1)
        case _:
            return key
