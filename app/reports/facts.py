"""Entries added up by the database: for all that lie on one day and are rounded alone.

Most entries begin and end on the same day. For those the database groups by what a
report is grouped by and by all that decides a price or a rule, and hands over the
lengths of each such group. Rounding and money are then computed here, entry for entry,
by the same functions as for any other entry, so that both ways give the same figures.

What the database cannot cut (entries across midnight, days in a fixed zone, rounding by
the day) goes through ``answer`` one entry at a time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, String, case, cast, extract, func, select
from sqlalchemy.orm import Session

from app.models.entries import TimeEntry, entry_tags
from app.reports import rows
from app.reports.seen import Seen, Worth
from app.tracking import rounding
from app.work import rates
from app.work.rates import Price, Subject

MOST_PERIODS = 40
"""Changes of rates within a range beyond which each day is priced by itself."""


Columns = dict[str, Any]
"""Name → what the database groups by."""


class Fact(NamedTuple):
    """What a group of like entries adds up to."""

    keys: tuple[Any, ...]
    """One for each name asked for; a day for day, week and month."""
    entries: int
    seconds: int
    rounded: int
    worth: Worth
    earned: int


@dataclass(frozen=True, kw_only=True)
class _Split:
    """What the entries are grouped by."""

    names: tuple[str, ...]
    columns: Columns
    periods: list[date]
    each: bool
    """Whether the single lengths are needed and not only their sum."""


def can(seen: Seen) -> bool:
    """Return whether the database can add up anything for this question."""
    return not seen.question.zone and not seen.by_day


def gather(
    session: Session,
    seen: Seen,
    names: Sequence[str],
    days: ColumnElement[bool] | None = None,
) -> Iterator[Fact]:
    """Yield the sums of all entries within one day, by these names; several per group.

    ``days`` leaves out some days of the range.
    """
    split = _split(seen, tuple(names))
    query = _query(seen, split)
    for row in session.execute(query if days is None else query.where(days)):
        yield _fact(row._mapping, seen, split)  # noqa: SLF001 - SQLAlchemy's documented name


def by_day(
    session: Session, seen: Seen, days: ColumnElement[bool] | None = None
) -> Iterator[tuple[date, bool, int]]:
    """Yield seconds by day and whether they are billable."""
    query = select(TimeEntry.local_date, TimeEntry.billable, func.sum(TimeEntry.seconds))
    query = query.where(_whole(seen) if days is None else _whole(seen) & days)
    query = query.group_by(TimeEntry.local_date, TimeEntry.billable)
    for day, billable, seconds in session.execute(query):
        yield day, billable, int(seconds or 0)


def _whole(seen: Seen) -> ColumnElement[bool]:
    begun = rows.condition(seen.question, seen.user, seen.first, seen.last)
    return TimeEntry.within_day.is_(True) & begun


def _split(seen: Seen, names: tuple[str, ...]) -> _Split:
    needed: Columns = {"billable": TimeEntry.billable}
    for name in names:
        needed |= _column(name)
    if seen.rules:
        needed |= _column("project")
    periods = _price_columns(seen, needed)
    each = not seen.is_exact or seen.prices is not None
    return _Split(names=names, columns=needed, periods=periods, each=each)


def _price_columns(seen: Seen, needed: Columns) -> list[date]:
    """Add what decides a price; return the days on which prices change in the range."""
    if seen.prices is None:
        return []
    scopes = seen.prices.scopes
    if scopes & {"project_user", "project", "client"}:
        needed |= _column("project")
    if "task" in scopes:
        needed |= _column("task")
    if scopes & {"project_user", "user"} or not seen.shows_money_of(0):
        needed |= _column("user")
    needed["override"] = TimeEntry.rate_override
    periods = [d for d in seen.prices.changes if seen.first < d <= seen.last]
    if len(periods) > MOST_PERIODS:
        needed |= _column("day")
    elif periods and "day" not in needed:
        whens = [(TimeEntry.local_date < d, n) for n, d in enumerate(periods)]
        needed["period"] = case(*whens, else_=len(periods))
    return periods


def _column(name: str) -> Columns:
    match name:
        case "client" | "project":
            return {"project": TimeEntry.project_id}
        case "user":
            return {"user": TimeEntry.user_id}
        case "task":
            return {"task": TimeEntry.task_id}
        case "tag":
            return {"tag": entry_tags.c.tag_id}
        case "billable" | "worth":
            return {"billable": TimeEntry.billable}
        case "month":
            year = extract("year", TimeEntry.local_date)
            return {"month": year * 12 + extract("month", TimeEntry.local_date) - 1}
        case _:
            return {"day": TimeEntry.local_date}


def _query(seen: Seen, split: _Split) -> Select[Any]:
    sums: list[ColumnElement[Any]] = [
        func.count().label("entries"),
        func.sum(TimeEntry.seconds).label("seconds"),
    ]
    if split.each:
        listed = func.aggregate_strings(cast(TimeEntry.seconds, String), ",")
        sums.append(listed.label("lengths"))
    columns = [column.label(name) for name, column in split.columns.items()]
    query = select(*columns, *sums).where(_whole(seen))
    if "tag" in split.columns:
        query = query.outerjoin(entry_tags, entry_tags.c.entry_id == TimeEntry.id)
    return query.group_by(*split.columns.values())


def _fact(row: Any, seen: Seen, split: _Split) -> Fact:
    project, day = row.get("project"), row.get("day")
    seconds, billable = int(row["seconds"]), bool(row["billable"])
    lengths = [int(text) for text in row["lengths"].split(",")] if split.each else []
    rule = seen.rule(project)
    if not rule.is_exact:
        lengths = list(map(partial(rounding.rounded_again, rule=rule), lengths))
    rounded = seconds if rule.is_exact else sum(lengths)
    priced = billable and seen.shows_money_of(row.get("user", 0))
    price = _price(row, seen, split) if priced else None
    client = seen.clients.get(project or 0)
    worth = Worth(billable, priced, price)
    month = int(row.get("month") or 0)  # PostgreSQL counts months in decimals
    begin = date(month // 12, month % 12 + 1, 1) if month else None
    keys = {**row, "client": client, "week": day, "month": begin, "worth": worth}
    return Fact(
        tuple(keys[name] for name in split.names),
        row["entries"],
        seconds,
        rounded,
        worth,
        rates.amounts(lengths, price) if price else 0,
    )


def _price(row: Any, seen: Seen, split: _Split) -> Price | None:
    if seen.prices is None:
        return None
    project = row.get("project")
    client = seen.clients.get(project or 0)
    subject = Subject(row.get("user", 0), project, client, row.get("task"))
    day = row.get("day")
    if day is None:
        number = row.get("period", len(split.periods))
        ended = number < len(split.periods)
        day = split.periods[number] - timedelta(days=1) if ended else seen.last
    return seen.prices.of_entry(subject, day, row["override"])
