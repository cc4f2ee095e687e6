"""What every entry of one report is seen with: days, rounding, rate, and who looks.

An entry is rounded by its project's rule (or the client's, or the installation's) and
cut into local days. At level ``entry`` it is rounded as a whole and its days share the
result; at level ``day`` all entries of a person, project and day are rounded together
and share that. Either way the parts of all entries add up to what is shown above them.

Money is shown to those who may see rates: managers everybody's, others their own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.models.entries import EntryBreak, TimeEntry
from app.models.people import User
from app.people import roles
from app.people.roles import rank
from app.reports import filters, rows, terms
from app.reports.filters import Question
from app.settings import Settings
from app.tracking import overlaps, rounding
from app.tracking.days import DAY, Segment, day_of, day_start, parts, zone
from app.tracking.rounding import Rule
from app.work import rates
from app.work.rates import Price, Rates, Subject

LONG = timedelta(days=27)
"""Ranges from which on sums that are kept are asked: less is read in no time."""

Bucket = tuple[int, int | None, date]
"""Person, project and day: what is rounded together at level ``day``."""


class Item(NamedTuple):
    """An entry as a report needs it."""

    id: int
    user_id: int
    project_id: int | None
    task_id: int | None
    billable: bool
    kind: str
    day: date
    seconds: int | None
    start: datetime | None
    end: datetime | None
    zone: str
    rate_override: int | None
    within_day: bool


class Part(NamedTuple):
    """What of an entry falls on one day; parts add up to the entry's own figures."""

    day: date
    exact: int
    rounded: int
    earned: int
    """Minor units."""


class Worth(NamedTuple):
    """What an entry is worth an hour."""

    billable: bool
    priced: bool
    """Whether its money is shown at all."""
    price: Price | None
    """None where it is not billable, has no rate or may not be shown."""


COLUMNS = (
    TimeEntry.id,
    TimeEntry.user_id,
    TimeEntry.project_id,
    TimeEntry.task_id,
    TimeEntry.billable,
    TimeEntry.kind,
    TimeEntry.local_date,
    TimeEntry.seconds,
    TimeEntry.started_at,
    TimeEntry.ended_at,
    TimeEntry.timezone,
    TimeEntry.rate_override,
    TimeEntry.within_day,
)
"""What an Item is read from, in its order."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Who asks what, and the rules that hold."""

    question: Question
    user: User
    first: date
    last: date
    now: datetime
    general: Rule
    """Rule where neither client nor project has one."""
    rules: Mapping[int, Rule]
    """Project → its rule where it deviates."""
    prices: Rates | None
    """None where the one who looks may see no money at all."""
    clients: Mapping[int, int | None]
    """Project → client."""
    mark: str = ""
    """Of the terms that hold, where sums that are kept may answer; else empty."""
    breaks: Mapping[int, list[tuple[datetime, datetime | None]]] = field(
        default_factory=dict
    )
    """Entry → its breaks, of those that are cut into days."""
    shares: Mapping[int, Mapping[date, int]] = field(default_factory=dict)
    """Entry → day → its share of what is rounded by the day."""

    @property
    def by_day(self) -> bool:
        """Whether anything is rounded by the day."""
        return any(is_by_day(rule) for rule in (self.general, *self.rules.values()))

    @property
    def is_exact(self) -> bool:
        """Whether nothing is rounded."""
        return self.general.is_exact and all(r.is_exact for r in self.rules.values())

    def rule(self, project_id: int | None) -> Rule:
        """Return the rounding rule of a project."""
        return self.rules.get(project_id or 0, self.general)

    def shows_money_of(self, user_id: int) -> bool:
        """Return whether amounts of this person's time may be shown."""
        if self.prices is None:
            return False
        return rank(self.user.role) >= rank("manager") or user_id == self.user.id


def is_by_day(rule: Rule) -> bool:
    """Return whether a rule rounds whole days instead of entries."""
    return rule.level == "day" and not rule.is_exact


def look(
    session: Session, user: User, question: Question, now: datetime, settings: Settings
) -> Seen:
    """Return what the entries of a question are seen with."""
    today = day_of(now, zone(question.zone or user.timezone))
    first, last = filters.days(question, today, user.week_start)
    exact = question.rounding == "exact"
    general = Rule() if exact else rounding.of_installation(settings)
    money = roles.may(user, "rates.see", settings)
    prices = rates.every(session, settings.currency) if money else None
    long = last - first >= LONG and rank(user.role) >= rank("manager")
    seen = Seen(
        question=question,
        user=user,
        first=first,
        last=last,
        now=now,
        general=general,
        rules={} if exact else terms.deviating(session, general),
        prices=prices,
        clients=terms.clients(session),
        mark=terms.mark(session, settings, prices) if long and prices else "",
    )
    if not seen.by_day:
        return seen
    seen = with_breaks(session, seen, rows.reaching(question, user, first, last))
    return replace(seen, shares=_shares(session, seen))


def items(session: Session, picked: ColumnElement[bool]) -> Iterator[Item]:
    """Yield entries as a report needs them."""
    query = select(*COLUMNS).where(picked).execution_options(yield_per=5000)
    for row in session.execute(query):
        yield Item._make(row)


def with_breaks(session: Session, seen: Seen, picked: ColumnElement[bool]) -> Seen:
    """Return ``seen`` with the breaks of these entries."""
    chosen = EntryBreak.entry_id.in_(select(TimeEntry.id).where(picked))
    query = select(EntryBreak.entry_id, EntryBreak.started_at, EntryBreak.ended_at)
    found: dict[int, list[tuple[datetime, datetime | None]]] = {}
    for number, start, end in session.execute(query.where(chosen)):
        found.setdefault(number, []).append((start, end))
    return replace(seen, breaks=found)


def _shares(session: Session, seen: Seen) -> dict[int, dict[date, int]]:
    """Round each person's day on a project and divide it among its entries."""
    reaching = rows.reaching(seen.question, seen.user, seen.first, seen.last)
    buckets: dict[Bucket, dict[int, int]] = {}
    for item in items(session, reaching):
        if is_by_day(seen.rule(item.project_id)):
            for day, seconds in pieces(item, seen).items():
                bucket = (item.user_id, item.project_id, day)
                buckets.setdefault(bucket, {})[item.id] = seconds
    found: dict[int, dict[date, int]] = {}
    for (_, project, day), each in buckets.items():
        whole = rounding.rounded(sum(each.values()), seen.rule(project))
        for number, share in rounding.shared(whole, each).items():
            found.setdefault(number, {})[day] = share
    return found


def price(item: Item, seen: Seen) -> Price | None:
    """Return the hourly rate of an entry; None where it is not billable or has none."""
    if not item.billable or seen.prices is None or not seen.shows_money_of(item.user_id):
        return None
    client = seen.clients.get(item.project_id or 0)
    subject = Subject(item.user_id, item.project_id, client, item.task_id)
    return seen.prices.of_entry(subject, item.day, item.rate_override)


def worth(item: Item, seen: Seen) -> Worth:
    """Return what an entry is worth an hour."""
    priced = item.billable and seen.shows_money_of(item.user_id)
    return Worth(item.billable, priced, price(item, seen))


def pieces(item: Item, seen: Seen) -> dict[date, int]:
    """Return seconds for each local day of an entry, also those outside the range."""
    fixed = seen.question.zone
    if item.start is None or (item.within_day and not fixed):
        return {item.day: item.seconds or 0}
    end = item.end or max(seen.now, item.start)
    where = zone(fixed or item.zone)
    day = day_of(item.start, where) if fixed else item.day
    if item.seconds is not None and end <= day_start(day + DAY, where):
        return {day: item.seconds}
    worked: list[Segment] = overlaps.worked(item.start, end, seen.breaks.get(item.id, []))
    return parts(worked, where) or {day: 0}


def divided(item: Item, its_price: Price | None, seen: Seen) -> list[Part]:
    """Return the parts of an entry that lie in the range."""
    exact = pieces(item, seen)
    rule = seen.rule(item.project_id)
    if is_by_day(rule):
        looked = {day: seen.shares.get(item.id, {}).get(day, 0) for day in exact}
        earned = {
            d: rates.amount(s, its_price) if its_price else 0 for d, s in looked.items()
        }
    else:
        whole = rounding.rounded(sum(exact.values()), rule)
        looked = rounding.shared(whole, exact)
        money = rates.amount(whole, its_price) if its_price else 0
        earned = rounding.shared(money, exact)
    return [
        Part(day, seconds, looked[day], earned[day])
        for day, seconds in exact.items()
        if seen.first <= day <= seen.last
    ]
