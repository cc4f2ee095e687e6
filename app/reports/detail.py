"""Entries one by one, with what a report shows of each: time, rounded time, rate, amount.

These are the lines that every sum is a sum of. An entry that reaches over the first or
the last day of the range counts with its part inside; begin and end stay those of the
whole. Lines come as plain values, not as objects of the session, so that a million of
them need neither much time nor memory.
"""

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
from app.reports.seen import Item, Seen
from app.tracking.days import DAY
from app.tracking.overlaps import length

BATCH = 2000
"""Entries whose tags and breaks are read at once."""


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
    inside = [
        item.id
        for item in looking.items(session, unsure)
        if looking.divided(item, None, seen)
    ]
    return and_(or_(sure, TimeEntry.id.in_(inside)), narrowed)


def count(session: Session, picked: ColumnElement[bool]) -> int:
    """Return how many entries these are."""
    return session.scalar(select(func.count()).select_from(TimeEntry).where(picked)) or 0


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
    while batch := list(islice(found, BATCH)):
        numbers: list[int] = [row[0] for row in batch]
        tags = _tags(session, numbers)
        several = looking.with_breaks(session, seen, TimeEntry.id.in_(numbers))
        for row in batch:
            item = Item._make(row[: len(looking.COLUMNS)])
            yield _line(item, row[len(looking.COLUMNS) :], tags.get(item.id, []), several)


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


def _line(item: Item, more: Any, tags: list[int], seen: Seen) -> Line:
    price = looking.price(item, seen)
    found = looking.divided(item, price, seen)
    exact = sum(part.exact for part in found)
    everything = sum(looking.pieces(item, seen).values())
    missing = item.billable and seen.shows_money_of(item.user_id) and price is None
    description, source, incomplete, created_at, updated_at = more
    return Line(
        item,
        description,
        source,
        incomplete,
        created_at,
        updated_at,
        tags,
        exact,
        sum(part.rounded for part in found),
        _paused(item, everything, seen),
        price.amount if price else None,
        sum(part.earned for part in found) if price else None,
        price.currency if price else None,
        missing,
        exact != everything,
    )


def _paused(item: Item, worked: int, seen: Seen) -> int:
    if item.start is None:
        return 0
    return length([(item.start, item.end or max(seen.now, item.start))]) - worked
