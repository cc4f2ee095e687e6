"""Every dataset but entries, as rows: the same figures in the same order as on screen.

Reports grow columns at their end that depend on the answer: one amount for each
currency, one length for each day of the week.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from app.errors import NotAllowed, said
from app.exports.columns import SUMMED, Cell, Column, Row, Sheet, in_major
from app.exports.entries import digits_of
from app.models.entries import TimeEntry
from app.models.people import User
from app.models.records import AuditLog
from app.models.work import Client, Project, Task
from app.people.roles import rank
from app.reports import answer, billable, detail, named, rows, weekly
from app.reports.answer import Group, Sums
from app.reports.seen import Seen
from app.work import projects


@dataclass(frozen=True, kw_only=True)
class Words:
    """What the reader's language says for what has no name."""

    none: str = "None"
    billable: str = "Billable"
    unbillable: str = "Not billable"
    total: str = "total"


def summary(session: Session, seen: Seen, sheet: Sheet, words: Words) -> Sheet:
    """Return the groups of the question; with two levels a row for each of the second."""
    found = answer.grouped(session, seen, seen.question.group)
    names = detail.names(session)
    money = [f"amount_{currency}" for currency in sorted(found.total.amounts)]
    columns = [*sheet.columns, *(Column(key=key, kind="money") for key in money)]

    def made() -> Iterator[Row]:
        for path in _paths(seen.question.group, found.groups, names):
            texts = [
                _called(n, g, names, words)
                for n, g in zip(seen.question.group, path, strict=False)
            ]
            yield _summed(texts, path[-1].sums, found.total)

    double_counted = "tag" in seen.question.group
    sums: frozenset[str] = frozenset() if double_counted else SUMMED | frozenset(money)
    return replace(sheet, columns=columns, rows=made(), sums=sums)


def _paths(
    names: tuple[str, ...], groups: dict[answer.Key, Group], known: detail.Names
) -> Iterator[list[Group]]:
    for group in named.in_order(names[0], groups, known):
        if len(names) == 1:
            yield [group]
        for path in _paths(names[1:], group.under, known) if names[1:] else ():
            yield [group, *path]


def _called(name: str, group: Group, known: detail.Names, words: Words) -> str:
    if isinstance(group.key, date):
        return group.key.isoformat()
    if name == "billable":
        return words.billable if group.key else words.unbillable
    return named.label(name, group.key, known).text or words.none


def _summed(texts: list[str], sums: Sums, total: Sums) -> Row:
    share = round(100 * sums.seconds / total.seconds, 1) if total.seconds else 0.0
    money = {
        f"amount_{currency}": in_major(minor, digits_of(currency))
        for currency, minor in sums.amounts.items()
    }
    return {
        "group": texts[0],
        "subgroup": texts[1] if len(texts) > 1 else None,
        "entries": sums.entries,
        "duration_seconds": sums.seconds,
        "duration_hms": sums.seconds,
        "duration_hours": sums.seconds,
        "rounded_seconds": sums.rounded,
        "billable_seconds": sums.billable,
        "share": share,
        "unpriced_seconds": sums.unpriced,
        **money,
    }


def week(session: Session, seen: Seen, sheet: Sheet, by: str, words: Words) -> Sheet:
    """Return people or projects x days."""
    found = weekly.ask(session, seen, by)
    names = detail.names(session)
    days = [Column(key=day.isoformat(), kind="length") for day in found.days]
    more = [*days, Column(key="total", kind="length")]
    targets = weekly.targets(session, found)
    if by == "user":
        more += [Column(key=key, kind="length") for key in ("target", "difference")]

    def made() -> Iterator[Row]:
        for row in weekly.in_order(found, names):
            cells: dict[str, Cell] = {day.isoformat(): row.on(day) for day in found.days}
            target = targets.get(row.key or 0)
            yield {
                "name": named.label(by, row.key, names).text or words.none,
                **cells,
                "total": row.total.rounded,
                "target": target,
                "difference": None if target is None else row.total.rounded - target,
            }

    sums = frozenset(c.key for c in more if c.key not in {"target", "difference"})
    return replace(sheet, columns=[*sheet.columns, *more], rows=made(), sums=sums)


def to_bill(session: Session, seen: Seen, sheet: Sheet, words: Words) -> Sheet:
    """Return one row for each client, project, person and rate."""
    report = billable.ask(session, seen)
    names = detail.names(session)
    currencies = report.total.amounts
    summed = SUMMED | frozenset({"amount"} if len(currencies) == 1 else ())

    def made() -> Iterator[Row]:
        for path in _paths(billable.LEVELS, report.clients, names):
            client, project, person = (
                named.label(n, g.key, names).text or words.none
                for n, g in zip(billable.LEVELS, path[:3], strict=False)
            )
            yield {"client": client, "project": project, "user": person, **_worth(path[3])}

    return replace(sheet, rows=made(), sums=summed)


def _worth(group: Group) -> dict[str, Cell]:
    sums, price = group.sums, getattr(group.key, "price", None)
    digits = digits_of(price.currency) if price else 2
    return {
        "billable_seconds": sums.billable,
        "billable_hms": sums.billable,
        "billable_hours": sums.billable,
        "rate": in_major(price.amount, digits) if price else None,
        "amount": in_major(sums.amounts.get(price.currency), digits) if price else None,
        "currency": price.currency if price else None,
        "unpriced_seconds": sums.unpriced,
        "unbillable_seconds": billable.unbillable(sums),
    }


def table(session: Session, user: User, dataset: str, sheet: Sheet) -> Sheet:
    """Return one of the plain tables; users and audit are the administrator's."""
    if dataset in {"users", "audit"} and rank(user.role) < rank("admin"):
        raise NotAllowed(
            said("The export of %(dataset)s is for administrators.", dataset=dataset),
            hint="Ask an administrator of this installation.",
        )
    sources = {
        "clients": _clients,
        "projects": _projects,
        "tasks": _tasks,
        "users": _users,
        "audit": _audit,
    }
    return replace(sheet, rows=sources[dataset](session, user))


def _clients(session: Session, user: User) -> Iterator[Row]:
    del user
    for client in session.scalars(select(Client).order_by(Client.name_key, Client.id)):
        yield {
            **_fields(client, "id name number currency notes created_at"),
            "active": client.archived_at is None,
        }


def _fields(thing: object, names: str) -> dict[str, Any]:
    return {name: getattr(thing, name) for name in names.split()}


def _worked(user: User, column: Any) -> Any:
    """Return the seconds of everybody's entries this person may see, as a subquery."""
    query = select(column.label("number"), func.sum(TimeEntry.seconds).label("seconds"))
    query = query.where(TimeEntry.deleted_at.is_(None), rows.seen_by(user))
    return query.group_by(column).subquery()


def _projects(session: Session, user: User) -> Iterator[Row]:
    worked = _worked(user, TimeEntry.project_id)
    query = (
        select(Project, Client.name, worked.c.seconds)
        .outerjoin(Client, Project.client_id == Client.id)
        .outerjoin(worked, worked.c.number == Project.id)
        .where(projects.visible(user))
        .order_by(Project.name_key, Project.id)
    )
    for project, client, seconds in session.execute(query):
        yield {
            **_fields(project, "id name code billable visibility created_at"),
            **_lengths(project.estimate_minutes, seconds),
            "client": client,
            "active": project.archived_at is None,
        }


def _lengths(estimate_minutes: int | None, seconds: int | None) -> dict[str, Cell]:
    estimate = None if estimate_minutes is None else estimate_minutes * 60
    return {
        "estimate_seconds": estimate,
        "estimate_hours": estimate,
        "duration_seconds": int(seconds or 0),
        "duration_hours": int(seconds or 0),
    }


def _tasks(session: Session, user: User) -> Iterator[Row]:
    worked, assignee = _worked(user, TimeEntry.task_id), aliased(User)
    query = (
        select(Task, Project.name, Client.name, assignee.display_name, worked.c.seconds)
        .join(Project, Task.project_id == Project.id)
        .outerjoin(Client, Project.client_id == Client.id)
        .outerjoin(assignee, Task.assignee_id == assignee.id)
        .outerjoin(worked, worked.c.number == Task.id)
        .where(projects.visible(user))
        .order_by(Project.name_key, Task.name_key, Task.id)
    )
    for task, project, client, person, seconds in session.execute(query):
        yield {
            **_fields(task, "id name status due_on created_at"),
            **_lengths(task.estimate_minutes, seconds),
            "client": client,
            "project": project,
            "assignee": person,
        }


def _users(session: Session, user: User) -> Iterator[Row]:
    del user
    names = "id username email role auth_method timezone first_login_at last_login_at created_at"
    for person in session.scalars(select(User).order_by(User.username_key, User.id)):
        yield {
            **_fields(person, names),
            "name": person.display_name,
            "active": person.is_active,
        }


def _audit(session: Session, user: User) -> Iterator[Row]:
    del user
    query = (
        select(AuditLog, User.display_name)
        .outerjoin(User, AuditLog.actor_id == User.id)
        .order_by(AuditLog.id.desc())
        .execution_options(yield_per=1000)
    )
    for line, actor in session.execute(query):
        yield {
            **_fields(
                line, "id at via action object_type object_id object_label ip request_id"
            ),
            "actor": actor,
            "changes": json.dumps(line.changes, ensure_ascii=False)
            if line.changes
            else None,
        }
        session.expunge(line)
