"""What can be billed: client → project → person → rate, and what stands in the way.

Currencies stand beside each other and are never added. Billable time without a rate is a
problem to solve, not a zero; time that is not billable is named, so that the whole is
the same as in every other report.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from app.reports import answer
from app.reports.answer import Group, Sums
from app.reports.seen import Seen, Worth

LEVELS = ("client", "project", "user", "worth")


@dataclass(frozen=True, kw_only=True)
class Billable:
    """All of the report."""

    first: date
    last: date
    total: Sums
    clients: dict[answer.Key, Group]


@dataclass(frozen=True, kw_only=True)
class Line:
    """One person's time on one project at one rate."""

    client_id: int | None
    project_id: int | None
    user_id: int
    worth: Worth
    sums: Sums


def ask(session: Session, seen: Seen) -> Billable:
    """Return billable and other time by client, project, person and rate."""
    found = answer.grouped(session, seen, LEVELS)
    return Billable(
        first=found.first, last=found.last, total=found.total, clients=found.groups
    )


def lines(report: Billable) -> Iterator[Line]:
    """Yield the finest rows, by client, project, person and rate."""
    for client in report.clients.values():
        for project in client.under.values():
            for person in project.under.values():
                for rate in person.under.values():
                    if isinstance(rate.key, Worth) and isinstance(person.key, int):
                        yield Line(
                            client_id=_number(client.key),
                            project_id=_number(project.key),
                            user_id=person.key,
                            worth=rate.key,
                            sums=rate.sums,
                        )


def _number(key: answer.Key) -> int | None:
    return key if isinstance(key, int) else None


def rates_of(group: Group) -> list[Worth]:
    """Return the different rates within a group, the highest first."""
    if isinstance(group.key, Worth):
        return [group.key] if group.key.price else []
    found = {rate for under in group.under.values() for rate in rates_of(under)}
    return sorted(found, key=lambda worth: -(worth.price.amount if worth.price else 0))


def unbillable(sums: Sums) -> int:
    """Return rounded seconds that are not billable."""
    return sums.rounded - sums.billable
