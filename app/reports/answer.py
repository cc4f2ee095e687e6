"""Question → rows and sums: screen, export and API ask here, so they agree.

Every entry is rounded by its project's rule, cut into local days, and added to its
group. Sums are sums of entries; an entry with two tags counts under both in "by tag"
while the total counts it once. Amounts are computed for each entry and added for each
currency. What the database can add up it does (``facts``), the rest is done here.

Where time is rounded by the day, groups finer than a person's day on a project (task,
tag, billable) show exact time: the rounded figure stands where it is defined.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.models.entries import TimeEntry, entry_tags
from app.models.people import User
from app.reports import facts, filters, rows, sliced
from app.reports import seen as looking
from app.reports.facts import Fact
from app.reports.filters import Question
from app.reports.seen import Item, Part, Seen, Worth
from app.settings import Settings
from app.work.rates import Price

Key = int | str | date | bool | Worth | None

FINER = {"task", "tag", "billable", "worth"}
"""Groupings within a person's day on a project."""


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
class Bar:
    """What was worked in one step of time, exactly."""

    seconds: int = 0
    billable: int = 0


@dataclass
class Answer:
    """All of a summary."""

    first: date
    last: date
    total: Sums
    groups: dict[Key, Group]
    buckets: dict[date, Bar]
    """First day of each step of time → its bar."""


def summary(
    session: Session, user: User, question: Question, now: datetime, settings: Settings
) -> Answer:
    """Return sums for every group of the question, and bars over time."""
    seen = looking.look(session, user, question, now, settings)
    return grouped(session, seen, question.group, bars=True)


def grouped(
    session: Session, seen: Seen, names: tuple[str, ...], *, bars: bool = False
) -> Answer:
    """Return sums by any number of names, one level each; none gives the total alone."""
    answer = Answer(seen.first, seen.last, Sums(), {}, {})
    days = (seen.first, seen.last)
    slow = rows.reaching(seen.question, seen.user, *days)
    if facts.can(seen):
        slow = rows.across(seen.question, seen.user, *days)
        _add_facts(session, seen, names, answer)
        if bars:
            for day, billable, seconds in sliced.by_day(session, seen):
                _draw(answer, day, seen, seconds, billable=billable)
    _add_items(session, seen, names, answer, slow)
    return answer


def _add_facts(
    session: Session, seen: Seen, names: tuple[str, ...], answer: Answer
) -> None:
    for fact in sliced.gather(session, seen, names):
        path = [
            _folded(name, key, seen) for name, key in zip(names, fact.keys, strict=True)
        ]
        targets = _down(answer.groups, path)
        for sums in targets if "tag" in names else [answer.total, *targets]:
            _add_fact(sums, fact)
    if "tag" in names:
        for fact in sliced.gather(session, seen, ()):
            _add_fact(answer.total, fact)


def _folded(name: str, key: Key, seen: Seen) -> Key:
    if name in filters.UNITS and isinstance(key, date):
        return filters.begin(name, key, seen.user.week_start)
    return key


def _down(groups: dict[Key, Group], path: Iterable[Key]) -> list[Sums]:
    """Return the sums of each group along a path, made where they are not there yet."""
    targets = []
    for key in path:
        group = groups.get(key)
        if group is None:
            group = groups[key] = Group(key)
        targets.append(group.sums)
        groups = group.under
    return targets


def _add_fact(sums: Sums, fact: Fact) -> None:
    sums.seconds += fact.seconds
    sums.rounded += fact.rounded
    sums.entries += fact.entries
    if fact.worth.billable:
        sums.billable += fact.rounded
    if fact.worth.priced:
        _add_money(sums, fact.worth.price, fact.rounded, fact.earned)


def _add_money(sums: Sums, price: Price | None, rounded: int, earned: int) -> None:
    if price is None:
        sums.unpriced += rounded
    else:
        sums.amounts[price.currency] = sums.amounts.get(price.currency, 0) + earned


def _add_items(
    session: Session,
    seen: Seen,
    names: tuple[str, ...],
    answer: Answer,
    picked: ColumnElement[bool],
) -> None:
    seen = looking.with_breaks(session, seen, picked)
    tags = _tags(session, picked) if "tag" in names else {}
    for item in looking.items(session, picked):
        worth = looking.worth(item, seen)
        by_day = looking.is_by_day(seen.rule(item.project_id))
        runs = item.end is None and item.kind == "timed"
        counted: set[int] = set()
        for part in looking.divided(item, worth.price, seen):
            _draw(answer, part.day, seen, part.exact, billable=item.billable)
            _add(answer.total, part, worth, counted)
            answer.total.running = answer.total.running or runs
            for path in _paths(names, item, part.day, seen, tags):
                fine = False
                for name, sums in zip(names, _down(answer.groups, path), strict=True):
                    fine = fine or name in FINER
                    _add(sums, part, worth, counted, exact=fine and by_day)
                    sums.running = sums.running or runs


def _draw(answer: Answer, day: date, seen: Seen, seconds: int, *, billable: bool) -> None:
    begin = filters.begin(seen.question.unit, day, seen.user.week_start)
    bar = answer.buckets.setdefault(begin, Bar())
    bar.seconds += seconds
    bar.billable += seconds if billable else 0


def _tags(session: Session, picked: ColumnElement[bool]) -> dict[int, list[int]]:
    chosen = select(TimeEntry.id).where(picked)
    query = select(entry_tags).where(entry_tags.c.entry_id.in_(chosen))
    found: dict[int, list[int]] = {}
    for number, tag in session.execute(query):
        found.setdefault(number, []).append(tag)
    return found


def _paths(
    names: tuple[str, ...],
    item: Item,
    day: date,
    seen: Seen,
    tags: Mapping[int, list[int]],
) -> list[tuple[Key, ...]]:
    """Return where an entry belongs: one path, or one for each of its tags."""
    paths: list[tuple[Key, ...]] = [()]
    for name in names:
        keys = _keys(name, item, day, seen, tags)
        paths = [(*path, key) for path in paths for key in keys]
    return paths


def _keys(
    name: str, item: Item, day: date, seen: Seen, tags: Mapping[int, list[int]]
) -> list[Key]:
    match name:
        case "tag":
            return list(tags.get(item.id, [])) or [None]
        case "client":
            return [seen.clients.get(item.project_id or 0)]
        case "user" | "project" | "task":
            key: int | None = getattr(item, f"{name}_id")
            return [key]
        case "billable":
            return [item.billable]
        case "worth":
            return [looking.worth(item, seen)]
        case _:
            return [filters.begin(name, day, seen.user.week_start)]


def _add(
    sums: Sums, part: Part, worth: Worth, counted: set[int], *, exact: bool = False
) -> None:
    """Add a part; ``counted`` are the sums that have counted its entry already."""
    rounded = part.exact if exact else part.rounded
    sums.seconds += part.exact
    sums.rounded += rounded
    sums.billable += rounded if worth.billable else 0
    if id(sums) not in counted:
        counted.add(id(sums))
        sums.entries += 1
    if worth.priced:
        _add_money(sums, worth.price, part.rounded, part.earned)
