"""What decides how an entry is rounded and what it is worth, and a mark that names it all.

Sums that are kept say under which terms they were made: another rate, another rule of
rounding, and the mark is another one. Whose a project is belongs to them too, but is
left out of the mark: triggers note what a project that changes its client touches.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from app.models.work import Client, Project
from app.settings import Settings
from app.tracking import rounding
from app.tracking.rounding import Rule
from app.work import rates
from app.work.rates import Price, Rates, Subject

About = tuple[int, int | None, int | None, int | None]
"""Person, project, task and the entry's own rate: what decides a price besides the day."""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """The rules and rates of an installation at one moment."""

    general: Rule
    rules: Mapping[int, Rule]
    """Project → its rule where it deviates."""
    prices: Rates
    clients: Mapping[int, int | None]
    """Project → client."""
    mark: str
    changes: list[date] = field(default_factory=list)
    """Days on which a rate begins."""
    found: dict[tuple[About, int], Price | None] = field(default_factory=dict)
    """Prices that were looked up already."""

    def rule(self, project_id: int | None) -> Rule:
        """Return the rounding rule of a project."""
        return self.rules.get(project_id or 0, self.general)

    def price(self, about: About, day: date) -> Price | None:
        """Return what an hour of a billable entry is worth; None without a rate."""
        key = about, bisect_right(self.changes, day)
        if key not in self.found:
            user, project, task, override = about
            subject = Subject(user, project, self.clients.get(project or 0), task)
            self.found[key] = self.prices.of_entry(subject, day, override)
        return self.found[key]


def now_in_force(session: Session, settings: Settings) -> Terms:
    """Return the terms that hold, everybody's money included."""
    general = rounding.of_installation(settings)
    prices = rates.every(session, settings.currency)
    return Terms(
        general=general,
        rules=deviating(session, general),
        prices=prices,
        clients=clients(session),
        mark=mark(session, settings, prices),
        changes=prices.changes,
    )


def clients(session: Session) -> dict[int, int | None]:
    """Return whose each project is."""
    of_project = session.execute(select(Project.id, Project.client_id))
    return {row.id: row.client_id for row in of_project}


def deviating(session: Session, general: Rule) -> dict[int, Rule]:
    """Return the rule of each project that has another one than the installation."""
    query = (
        select(Project)
        .outerjoin(Project.client)
        .where(or_(*(_own(Client) + _own(Project))))
        .options(joinedload(Project.client))
    )
    return {
        project.id: rounding.in_force(general, project.client, project)
        for project in session.scalars(query)
    }


def mark(session: Session, settings: Settings, prices: Rates) -> str:
    """Return 32 characters that are the same only as long as all the terms are."""
    own = [
        [tuple(row) for row in session.execute(query)]
        for query in (_ruled(Client), _ruled(Project))
    ]
    said = repr((rounding.of_installation(settings), own, prices.said()))
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _ruled(table: type[Client | Project]) -> Any:
    return select(table.id, *_columns(table)).where(or_(*_own(table))).order_by(table.id)


def _own(table: type[Client | Project]) -> list[Any]:
    return [column.is_not(None) for column in _columns(table)]


def _columns(table: type[Client | Project]) -> tuple[Any, ...]:
    return (
        table.rounding_minutes,
        table.rounding_method,
        table.rounding_level,
        table.rounding_minimum,
    )
