"""Which rate holds on a day; money in minor units.

The newest rate with ``valid_from`` on or before an entry's local date, of the first scope
that has one: project_user, task, project, client, user, default. An entry's own
``rate_override`` beats them all, in the currency that the rate would have had.
Currencies are never added.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from app.errors import InvalidInput, said
from app.models.people import User
from app.models.work import Client, Project, Rate, Task

SCOPES = ("project_user", "task", "project", "client", "user", "default")
"""In order of precedence."""


class Subject(NamedTuple):
    """What an entry is about, as far as rates go."""

    user_id: int
    project_id: int | None
    client_id: int | None
    task_id: int | None


class Price(NamedTuple):
    """An hourly rate."""

    amount: int
    """Minor units an hour."""
    currency: str


Key = tuple[str, int | None, int | None]
"""Scope and one or two references."""


class Rates:
    """All rates of an installation, ready to be asked."""

    def __init__(self, rates: Iterable[Rate | Row[Any]], currency: str) -> None:
        """Keep them by scope and day; ``currency`` is that of overrides without a rate."""
        self._currency = currency
        self._by_key: dict[Key, tuple[list[date], list[Price]]] = {}
        for rate in sorted(rates, key=lambda rate: (rate.valid_from, rate.id or 0)):
            days, prices = self._by_key.setdefault(_key_of(rate), ([], []))
            days.append(rate.valid_from)
            prices.append(Price(rate.amount, rate.currency))

    @property
    def scopes(self) -> set[str]:
        """Scopes that have a rate at all."""
        return {key[0] for key in self._by_key}

    @property
    def changes(self) -> list[date]:
        """Days on which a rate begins, in order."""
        return sorted({day for days, _ in self._by_key.values() for day in days})

    def said(self) -> str:
        """Return all of it as text: equal where every entry is worth the same."""
        return repr((self._currency, sorted(self._by_key.items(), key=repr)))

    def on(self, subject: Subject, day: date) -> Price | None:
        """Return the rate that holds; None where there is none."""
        for key in _keys(subject):
            days, prices = self._by_key.get(key, ((), ()))
            place = bisect_right(days, day)
            if place:
                return prices[place - 1]
        return None

    def of_entry(self, subject: Subject, day: date, override: int | None) -> Price | None:
        """Return the rate of an entry, its own first."""
        price = self.on(subject, day)
        if override is None:
            return price
        return Price(override, price.currency if price else self._currency)


def _keys(subject: Subject) -> Sequence[Key]:
    return (
        ("project_user", subject.project_id, subject.user_id),
        ("task", subject.task_id, None),
        ("project", subject.project_id, None),
        ("client", subject.client_id, None),
        ("user", subject.user_id, None),
        ("default", None, None),
    )


def _key_of(rate: Rate | Row[Any]) -> Key:
    match rate.scope:
        case "project_user":
            return rate.scope, rate.project_id, rate.user_id
        case "task":
            return rate.scope, rate.task_id, None
        case "project":
            return rate.scope, rate.project_id, None
        case "client":
            return rate.scope, rate.client_id, None
        case "user":
            return rate.scope, rate.user_id, None
        case _:
            return "default", None, None


def every(session: Session, currency: str, *more: Rate) -> Rates:
    """Load all rates, as plain rows: reports do so each time; ``more`` are as if kept."""
    columns = (
        Rate.id,
        Rate.scope,
        Rate.client_id,
        Rate.project_id,
        Rate.task_id,
        Rate.user_id,
        Rate.amount,
        Rate.currency,
        Rate.valid_from,
    )
    return Rates([*session.execute(select(*columns)), *more], currency)


def amount(seconds: int, price: Price) -> int:
    """Return seconds x rate / 3600 in minor units, half up."""
    return (2 * seconds * price.amount + 3600) // 7200


def amounts(lengths: Iterable[int], price: Price) -> int:
    """Return the sum of the amounts of several lengths, each half up by itself."""
    rate = 2 * price.amount
    return sum((seconds * rate + 3600) // 7200 for seconds in lengths)


@dataclass(frozen=True, kw_only=True)
class NewRate:
    """A rate to be added."""

    scope: str
    amount: int
    currency: str
    valid_from: date
    client_id: int | None = None
    project_id: int | None = None
    task_id: int | None = None
    user_id: int | None = None


NEEDS = {
    "default": (),
    "client": ("client_id",),
    "project": ("project_id",),
    "task": ("task_id",),
    "user": ("user_id",),
    "project_user": ("project_id", "user_id"),
}


REFERS: dict[str, type[Client | Project | Task | User]] = {
    "client_id": Client,
    "project_id": Project,
    "task_id": Task,
    "user_id": User,
}


def made(new: NewRate, number: int | None = None) -> Rate:
    """Return the rate, not kept anywhere yet."""
    named = {name: getattr(new, name) for name in NEEDS[new.scope]}
    return Rate(
        id=number,
        scope=new.scope,
        amount=new.amount,
        currency=new.currency,
        valid_from=new.valid_from,
        **named,
    )


def add(session: Session, new: NewRate) -> Rate:
    """Add a rate; rates of a client's projects must be in the client's currency."""
    check(session, new)
    rate = made(new)
    session.add(rate)
    session.flush()
    return rate


def change(
    session: Session, rate: Rate, *, amount: int, currency: str, valid_from: date
) -> None:
    """Change what a rate is and from when it holds; what it is for stays."""
    named = {name: getattr(rate, name) for name in NEEDS[rate.scope]}
    new = NewRate(
        scope=rate.scope, amount=amount, currency=currency, valid_from=valid_from, **named
    )
    check(session, new)
    rate.amount, rate.currency, rate.valid_from = amount, currency, valid_from
    session.flush()


def check(session: Session, new: NewRate) -> None:
    """Raise InvalidInput for a rate that cannot be."""
    if new.scope not in NEEDS:
        raise InvalidInput(
            said("There is no scope %(scope)r.", scope=new.scope),
            hint=said("Use %(scopes)s.", scopes=", ".join(SCOPES)),
            attr="scope",
        )
    for name in NEEDS[new.scope]:
        if getattr(new, name) is None:
            raise InvalidInput("Say what the rate is for.", attr=name)
    for name, table in REFERS.items():
        number = getattr(new, name) if name in NEEDS[new.scope] else None
        if number is not None and session.get(table, number) is None:
            raise InvalidInput(
                said("There is nothing of number %(number)s to rate.", number=number),
                attr=name,
            )
    code = new.currency
    if not (len(code) == 3 and code.isascii() and code.isalpha() and code.isupper()):
        raise InvalidInput(
            said("%(code)r is no currency.", code=code),
            hint="Use three letters: EUR.",
            attr="currency",
        )
    if new.amount < 0:
        raise InvalidInput("A rate is 0 or more.", attr="amount")
    _refuse_other_currency(session, new)


def _refuse_other_currency(session: Session, new: NewRate) -> None:
    """Raise InvalidInput where the client of what the rate is for is billed otherwise."""
    client: Client | None = None
    if "client_id" in NEEDS[new.scope]:
        client = session.get(Client, new.client_id)
    elif "project_id" in NEEDS[new.scope]:
        client = session.get_one(Project, new.project_id).client
    elif "task_id" in NEEDS[new.scope]:
        client = session.get_one(Task, new.task_id).project.client
    if client is not None and client.currency not in {None, new.currency}:
        raise InvalidInput(
            said(
                "%(name)r is billed in %(currency)s.",
                name=client.name,
                currency=client.currency,
            ),
            hint=said("Give the rate in %(currency)s.", currency=client.currency),
            attr="currency",
        )


def last_day(rate: Rate, others: Iterable[Rate]) -> date | None:
    """Return the last day a rate holds; None while it does."""
    later = [
        other.valid_from
        for other in others
        if _key_of(other) == _key_of(rate) and other.valid_from > rate.valid_from
    ]
    return min(later) - timedelta(days=1) if later else None
