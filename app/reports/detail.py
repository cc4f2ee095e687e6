"""Entries one by one, with what a report shows of each: time, rounded time, rate, amount.

These are the lines that every sum is a sum of. An entry that reaches over the first or
the last day of the range counts with its part inside; begin and end stay those of the
whole. Lines come as plain values, not as objects of the session, so that a million of
them need neither much time nor memory.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.orm import Session

from app.models.entries import TimeEntry, entry_tags
from app.models.people import User
from app.models.work import Client, Project, Tag, Task
from app.reports import rows
from app.reports import seen as looking
from app.reports.seen import Item, Seen, Worth
from app.tracking import rounding
from app.tracking.days import DAY
from app.work import rates

BATCH = 2000
"""Entries whose tags and breaks are read at once."""

FAR = 5000
"""Entries from which on a page is looked for by its day."""

WIDTH = len(looking.COLUMNS)


class Named(NamedTuple):
    """A project or client as a line shows it."""

    name: str
    color: int = 0


@dataclass(frozen=True, kw_only=True)
class Names:
    """What the numbers in lines stand for."""

    users: Mapping[int, str]
    projects: Mapping[int, Named]
    clients: Mapping[int, Named]
    tasks: Mapping[int, str]
    tags: Mapping[int, str]


class Line(NamedTuple):
    """An entry as a report shows it."""

    item: Item
    description: str
    source: str
    incomplete: bool
    created_at: datetime
    updated_at: datetime
    tags: list[int]
    exact: int
    """Seconds in the range."""
    rounded: int
    break_seconds: int
    """Of the whole entry."""
    rate: int | None
    """Minor units an hour; None where there is none or it may not be seen."""
    amount: int | None
    currency: str | None
    unpriced: bool
    """Billable, but without a rate."""
    partly: bool
    """Whether some of it lies outside the range."""

    @property
    def is_running(self) -> bool:
        """Whether it still goes on."""
        return self.item.end is None and self.item.kind == "timed"


def names(session: Session) -> Names:
    """Return all names; some thousand of them are loaded in milliseconds."""
    return Names(
        users=_pairs(session, User.id, User.display_name),
        projects=_colored(session, Project),
        clients=_colored(session, Client),
        tasks=_pairs(session, Task.id, Task.name),
        tags=_pairs(session, Tag.id, Tag.name),
    )


def _pairs(session: Session, number: Any, name: Any) -> dict[int, str]:
    return {row[0]: row[1] for row in session.execute(select(number, name))}


def _colored(session: Session, table: type[Project | Client]) -> dict[int, Named]:
    found = session.execute(select(table.id, table.name, table.color))
    return {number: Named(name, color) for number, name, color in found}


def touching(session: Session, seen: Seen) -> ColumnElement[bool]:
    """Return what picks exactly the entries that have time in the range.

    Only what begins near an edge of the range has to be looked at one by one.
    """
    near = 2 if seen.question.zone else 0
    sure_first, sure_last = seen.first + near * DAY, seen.last - near * DAY
    narrowed = rows.narrowed(seen.question, seen.user)
    sure: ColumnElement[bool] = false()
    if sure_first <= sure_last:
        sure = TimeEntry.local_date.between(sure_first, sure_last)
    maybe = rows.reaching if near else rows.across
    unsure = ~sure & maybe(seen.question, seen.user, seen.first, seen.last)
    seen = looking.with_breaks(session, seen, unsure)
    inside = {
        item.id: item.day
        for item in looking.items(session, unsure)
        if looking.divided(item, None, seen)
    }
    if not inside:
        return and_(sure, narrowed)
    days = [sure_first, sure_last, *inside.values()]
    around = TimeEntry.local_date.between(min(days), max(days))  # what an index can pick
    return and_(around, or_(sure, TimeEntry.id.in_(inside)), narrowed)


def count(session: Session, picked: ColumnElement[bool]) -> int:
    """Return how many entries these are."""
    return session.scalar(select(func.count()).select_from(TimeEntry).where(picked)) or 0


def turned_to(
    session: Session, seen: Seen, picked: ColumnElement[bool], page: int, size: int
) -> tuple[int, Iterator[Line]]:
    """Return how many entries these are and the lines of one page, counted from 1.

    In order of days a late page is found by counting each day: to skip as many rows one
    by one would take seconds in a million.
    """
    offset = (page - 1) * size
    if seen.question.sort not in {"date", "-date"} or offset < FAR:
        found = lines(session, seen, picked, limit=size, offset=offset)
        return count(session, picked), found
    day = TimeEntry.local_date
    each = session.execute(select(day, func.count()).where(picked).group_by(day)).all()
    downwards = seen.question.sort == "-date"
    before = 0
    for first, number in sorted(each, key=lambda one: one[0], reverse=downwards):
        if before + number > offset:
            onwards = day <= first if downwards else day >= first
            left = offset - before
            found = lines(session, seen, picked & onwards, limit=size, offset=left)
            return sum(number for _, number in each), found
        before += number
    return before, iter(())


def lines(
    session: Session,
    seen: Seen,
    picked: ColumnElement[bool],
    *,
    limit: int | None = None,
    offset: int = 0,
) -> Iterator[Line]:
    """Yield lines in the order asked for, a batch at a time."""
    more = (
        TimeEntry.description,
        TimeEntry.source,
        TimeEntry.incomplete,
        TimeEntry.created_at,
        TimeEntry.updated_at,
    )
    entries = rows.ordered(select(TimeEntry).where(picked), seen.question.sort)
    plain: Any = entries.with_only_columns(
        *looking.COLUMNS, *more, maintain_column_froms=True
    )
    query: Select[Any] = plain.limit(limit).offset(offset or None)
    found = session.execute(query.execution_options(yield_per=BATCH))
    prices = _Prices(seen)
    while batch := list(islice(found, BATCH)):
        read = [(Item._make(row[:WIDTH]), row[WIDTH:]) for row in batch]
        numbers = [item.id for item, _ in read]
        tags = _tags(session, numbers)
        cut = [item.id for item, _ in read if not item.within_day or seen.question.zone]
        several = looking.with_breaks(session, seen, TimeEntry.id.in_(cut))
        for item, more in read:
            part = _part(item, prices.of(item), several)
            yield _line(item, more, tags.get(item.id, []), part)


def _tags(session: Session, numbers: list[int]) -> dict[int, list[int]]:
    query = (
        select(entry_tags.c.entry_id, Tag.id)
        .join(Tag, Tag.id == entry_tags.c.tag_id)
        .where(entry_tags.c.entry_id.in_(numbers))
        .order_by(Tag.name_key)
    )
    found: dict[int, list[int]] = {}
    for number, tag in session.execute(query):
        found.setdefault(number, []).append(tag)
    return found


class _Prices:
    """Looks up what an hour of an entry is worth, like ones once."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._changes = seen.prices.changes if seen.prices else []
        self._found: dict[tuple[int | bool | None, ...], Worth] = {}

    def of(self, item: Item) -> Worth:
        key = (
            item.user_id,
            item.project_id,
            item.task_id,
            item.billable,
            item.rate_override,
            bisect_right(self._changes, item.day),
        )
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = looking.worth(item, self._seen)
        return found


class _Part(NamedTuple):
    """What of an entry lies in the range, and what of it is worked at all."""

    worth: Worth
    exact: int
    rounded: int
    earned: int
    everything: int
    paused: int


def _part(item: Item, worth: Worth, seen: Seen) -> _Part:
    rule = seen.rule(item.project_id)
    if item.within_day and not seen.question.zone and not looking.is_by_day(rule):
        worked = everything = item.seconds or 0
        if not seen.first <= item.day <= seen.last:
            worked = 0
        rounded = rounding.rounded_again(worked, rule)
        earned = rates.amount(rounded, worth.price) if worth.price else 0
    else:
        found = looking.divided(item, worth.price, seen)
        worked = sum(part.exact for part in found)
        rounded = sum(part.rounded for part in found)
        earned = sum(part.earned for part in found)
        everything = sum(looking.pieces(item, seen).values())
    paused = 0
    if item.start is not None:
        end = item.end or max(seen.now, item.start)
        paused = int((end - item.start).total_seconds()) - everything
    return _Part(worth, worked, rounded, earned, everything, paused)


def _line(item: Item, more: Any, tags: list[int], part: _Part) -> Line:
    description, source, incomplete, created_at, updated_at = more
    worth = part.worth
    price = worth.price
    return Line(
        item,
        description,
        source,
        incomplete,
        created_at,
        updated_at,
        tags,
        part.exact,
        part.rounded,
        part.paused,
        price.amount if price else None,
        part.earned if price else None,
        price.currency if price else None,
        worth.priced and price is None,
        part.exact != part.everything,
    )
