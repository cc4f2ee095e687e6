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

MOST_ROWS = 1000
"""Rows that a page shows; beyond, a finer level is left to the export."""


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


def ask(session: Session, seen: Seen, levels: tuple[str, ...] = LEVELS) -> Billable:
    """Return billable and other time by client, project, person and rate."""
    found = answer.grouped(session, seen, levels)
    return Billable(
        first=found.first, last=found.last, total=found.total, clients=found.groups
    )


def ask_for_page(session: Session, seen: Seen) -> tuple[Billable, int]:
    """Return the report and how many of its levels a page can show: 3, 2 or 1.

    People are left out where they, projects and clients are more than ``MOST_ROWS``;
    projects where even without people there are more.
    """
    report = ask(session, seen, ("client", "project", "worth"))
    projects = sum(len(client.under) for client in report.clients.values())
    if len(report.clients) + projects > MOST_ROWS:
        return report, 1
    whole = ask(session, seen)
    people = sum(
        len(project.under)
        for client in whole.clients.values()
        for project in client.under.values()
    )
    return (report, 2) if projects + people > MOST_ROWS else (whole, 3)


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
