"""What a rate from an earlier day would change: how many entries, and how much money."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.models.entries import TimeEntry
from app.models.work import Project
from app.work import rates
from app.work.rates import NewRate, Subject

NEWEST = 2**62
"""Number of a rate that is not kept yet: of two from one day the later counts."""


@dataclass(frozen=True, kw_only=True)
class Moved:
    """What changes in the past, by exact times (reports may round)."""

    of: str = ""
    """The rate in question, in words: who agrees agrees to this one."""
    entries: int = 0
    money: Counter[str] = field(default_factory=Counter)
    """Currency → minor units more or, below 0, less."""


def by(session: Session, new: NewRate, currency: str, today: date) -> Moved:
    """Return what adding a rate changes before ``today``; nothing is added.

    ``currency`` is the installation's.
    """
    if new.valid_from >= today:
        return Moved()
    before = rates.every(session, currency)
    rates.check(session, new)
    after = rates.every(session, currency, rates.made(new, NEWEST))
    entries, money = 0, Counter[str]()
    for row in session.execute(_past(new, today)):
        subject = Subject(row.user_id, row.project_id, row.client_id, row.task_id)
        old, now = before.on(subject, row.local_date), after.on(subject, row.local_date)
        if old == now:
            continue
        entries += row.times
        if now is not None:
            money[now.currency] += row.times * rates.amount(row.seconds, now)
        if old is not None:
            money[old.currency] -= row.times * rates.amount(row.seconds, old)
    return Moved(of=repr(new), entries=entries, money=money)


def _past(new: NewRate, today: date) -> Select[*tuple[Any, ...]]:
    """Pick billable entries without a price of their own, equal ones counted together."""
    columns = (
        TimeEntry.user_id,
        TimeEntry.project_id,
        Project.client_id,
        TimeEntry.task_id,
        TimeEntry.local_date,
        TimeEntry.seconds,
    )
    query = select(*columns, func.count().label("times")).outerjoin(TimeEntry.project)
    query = query.where(
        TimeEntry.billable,
        TimeEntry.deleted_at.is_(None),
        TimeEntry.rate_override.is_(None),
        TimeEntry.seconds.is_not(None),
        TimeEntry.local_date >= new.valid_from,
        TimeEntry.local_date < today,
    )
    rated = {
        "user_id": TimeEntry.user_id,
        "project_id": TimeEntry.project_id,
        "client_id": Project.client_id,
        "task_id": TimeEntry.task_id,
    }
    for name in rates.NEEDS[new.scope]:  # what else the form was sent with says nothing
        query = query.where(rated[name] == getattr(new, name))
    return query.group_by(*columns)
