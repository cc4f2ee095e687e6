"""Question → rows and sums: screen, export and API ask here, so they agree.

Every entry is rounded by its project's rule (or the client's, or the installation's),
cut into local days, and added to its group. Sums are sums of entries; an entry with two
tags counts under both in "by tag" while the total counts it once. Amounts are computed
for each entry and added for each currency.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, joinedload

from app.models.entries import EntryBreak, TimeEntry, entry_tags
from app.models.people import User
from app.models.work import Project
from app.reports import filters, rows
from app.reports.filters import Question
from app.settings import Settings
from app.tracking import overlaps, rounding
from app.tracking.days import DAY, Segment, day_of, day_start, parts, zone
from app.tracking.recorded import REACH
from app.tracking.rounding import Rule
from app.work import rates
from app.work.rates import Price, Rates, Subject

Key = int | str | date | bool | None


@dataclass
class Sums:
    """What is added up for a group."""

    seconds: int = 0
    rounded: int = 0
    billable: int = 0
    """Rounded seconds that are billable."""
    entries: int = 0
    amounts: dict[str, int] = field(default_factory=dict)
    """Currency → minor units."""
    unpriced: int = 0
    """Billable seconds without a rate: a problem, not a 0."""
    running: bool = False


@dataclass
class Group:
    """One row of a summary, with the rows under it."""

    key: Key
    sums: Sums = field(default_factory=Sums)
    under: dict[Key, "Group"] = field(default_factory=dict)


@dataclass
class Answer:
    """All of a summary."""

    first: date
    last: date
    total: Sums
    groups: dict[Key, Group]
    buckets: dict[date, Sums]
    """First day of each step of time → sums."""


class Item(NamedTuple):
    """An entry as the report needs it."""

    id: int
    user_id: int
    project_id: int | None
    client_id: int | None
    task_id: int | None
    billable: bool
    kind: str
    day: date
    seconds: int | None
    start: datetime | None
    end: datetime | None
    zone: str
    rate_override: int | None


@dataclass(frozen=True, kw_only=True)
class Context:
    """What every entry of one report is seen with."""

    question: Question
    first: date
    last: date
    now: datetime
    rules: Mapping[int, Rule]
    """Project → rounding rule."""
    general: Rule
    prices: Rates
    breaks: Mapping[int, list[tuple[datetime, datetime | None]]]
    tags: Mapping[int, list[int]]
    week_start: int


def summary(
    session: Session, user: User, question: Question, now: datetime, settings: Settings
) -> Answer:
    """Return sums for every group of the question."""
    today = day_of(now, zone(question.zone or user.timezone))
    first, last = filters.days(question, today, user.week_start)
    picked = rows.condition(
        question, user, max(first, filters.EARLIEST + REACH) - REACH, last
    )
    general = Rule() if question.rounding == "exact" else rounding.of_installation(settings)
    seen = Context(
        question=question,
        first=first,
        last=last,
        now=now,
        rules={} if question.rounding == "exact" else _rules(session, general),
        general=general,
        prices=rates.every(session, settings.currency),
        breaks=_breaks(session, picked),
        tags=_tags(session, picked) if "tag" in question.group else {},
        week_start=user.week_start,
    )
    return _add_up(_items(session, picked), seen)


def _rules(session: Session, general: Rule) -> dict[int, Rule]:
    """Return the rounding rule of each project."""
    query = select(Project).options(joinedload(Project.client))
    return {
        project.id: rounding.in_force(general, project.client, project)
        for project in session.scalars(query)
    }


def _items(session: Session, picked: ColumnElement[bool]) -> Iterator[Item]:
    query = (
        select(
            TimeEntry.id,
            TimeEntry.user_id,
            TimeEntry.project_id,
            Project.client_id,
            TimeEntry.task_id,
            TimeEntry.billable,
            TimeEntry.kind,
            TimeEntry.local_date,
            TimeEntry.seconds,
            TimeEntry.started_at,
            TimeEntry.ended_at,
            TimeEntry.timezone,
            TimeEntry.rate_override,
        )
        .outerjoin(Project, TimeEntry.project_id == Project.id)
        .where(picked)
    )
    for row in session.execute(query).yield_per(5000):
        yield Item._make(row)


def _breaks(
    session: Session, picked: ColumnElement[bool]
) -> dict[int, list[tuple[datetime, datetime | None]]]:
    chosen = select(TimeEntry.id).where(picked)
    query = select(EntryBreak.entry_id, EntryBreak.started_at, EntryBreak.ended_at)
    found: dict[int, list[tuple[datetime, datetime | None]]] = {}
    for number, start, end in session.execute(query.where(EntryBreak.entry_id.in_(chosen))):
        found.setdefault(number, []).append((start, end))
    return found


def _tags(session: Session, picked: ColumnElement[bool]) -> dict[int, list[int]]:
    chosen = select(TimeEntry.id).where(picked)
    query = select(entry_tags).where(entry_tags.c.entry_id.in_(chosen))
    found: dict[int, list[int]] = {}
    for number, tag in session.execute(query):
        found.setdefault(number, []).append(tag)
    return found


def _add_up(items: Iterable[Item], seen: Context) -> Answer:
    answer = Answer(seen.first, seen.last, Sums(), {}, {})
    for item in items:
        price = _price(item, seen)
        for part in _days(item, price, seen):
            if seen.first <= part.day <= seen.last:
                for sums in _targets(answer, item, part.day, seen):
                    _add(sums, item, part, price)
    return answer


def _targets(answer: Answer, item: Item, day: date, seen: Context) -> list[Sums]:
    """Return every sum that this day of an entry belongs to."""
    begin = filters.begin(seen.question.unit, day, seen.week_start)
    targets = [answer.total, answer.buckets.setdefault(begin, Sums())]
    for path in _paths(item, day, seen):
        groups = answer.groups
        for key in path:
            group = groups.setdefault(key, Group(key))
            targets.append(group.sums)
            groups = group.under
    return targets


class Part(NamedTuple):
    """What of an entry falls on one day; parts add up to the entry's own figures."""

    day: date
    exact: int
    rounded: int
    earned: int
    """Minor units."""


def _price(item: Item, seen: Context) -> Price | None:
    if not item.billable:
        return None
    subject = Subject(item.user_id, item.project_id, item.client_id, item.task_id)
    return seen.prices.of_entry(subject, item.day, item.rate_override)


def _days(item: Item, price: Price | None, seen: Context) -> Iterator[Part]:
    pieces = _pieces(item, seen, fixed=bool(seen.question.zone))
    whole = sum(pieces.values())
    rule = seen.rules.get(item.project_id or 0, seen.general)
    if not rule.is_exact and rule.level == "entry":
        whole = rounding.rounded(whole, rule)
    looked = rounding.shared(whole, pieces)
    earned = rounding.shared(rates.amount(whole, price) if price else 0, pieces)
    for day, seconds in pieces.items():
        yield Part(day, seconds, looked[day], earned[day])


def _pieces(item: Item, seen: Context, *, fixed: bool) -> dict[date, int]:
    if item.start is None:
        return {item.day: item.seconds or 0}
    end = item.end or max(seen.now, item.start)
    where = zone(seen.question.zone or item.zone)
    day = day_of(item.start, where) if fixed else item.day
    if item.seconds is not None and end <= day_start(day + DAY, where):
        return {day: item.seconds}
    worked: list[Segment] = overlaps.worked(item.start, end, seen.breaks.get(item.id, []))
    return parts(worked, where) or {day: 0}


def _paths(item: Item, day: date, seen: Context) -> list[tuple[Key, ...]]:
    """Return where an entry belongs: one path, or one for each of its tags."""
    paths: list[tuple[Key, ...]] = [()]
    for name in seen.question.group:
        keys = _keys(name, item, day, seen)
        paths = [(*path, key) for path in paths for key in keys]
    return paths


def _keys(name: str, item: Item, day: date, seen: Context) -> list[Key]:
    match name:
        case "tag":
            return list(seen.tags.get(item.id, [])) or [None]
        case "user" | "project" | "client" | "task":
            key: int | None = getattr(item, f"{name}_id")
            return [key]
        case "billable":
            return [item.billable]
        case _:
            return [filters.begin(name, day, seen.week_start)]


def _add(sums: Sums, item: Item, part: Part, price: Price | None) -> None:
    sums.seconds += part.exact
    sums.rounded += part.rounded
    sums.entries += 1
    sums.running = sums.running or (item.end is None and item.kind == "timed")
    if not item.billable:
        return
    sums.billable += part.rounded
    if price is None:
        sums.unpriced += part.rounded
        return
    sums.amounts[price.currency] = sums.amounts.get(price.currency, 0) + part.earned
