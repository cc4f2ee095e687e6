"""What somebody is likely to want next: their own recent works, projects used of late."""

from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from app.errors import NotFound, said
from app.models.database import name_key
from app.models.entries import TimeEntry
from app.models.people import User
from app.models.work import Client, Project, Task
from app.tracking.recorded import with_details
from app.work import projects

AT_MOST = 8
LISTED = 60
"""Projects shown at once; the rest is found by typing."""


class Choice(NamedTuple):
    """A project to choose, with its open tasks."""

    project: Project
    tasks: list[Task]


def own_entry(session: Session, user: User, number: int) -> TimeEntry:
    """Return an entry of this person that is not in the trash."""
    query = select(TimeEntry).where(
        TimeEntry.id == number,
        TimeEntry.user_id == user.id,
        TimeEntry.deleted_at.is_(None),
    )
    entry = session.scalar(with_details(query))
    if entry is None:
        raise NotFound(
            said("There is no entry number %(number)s.", number=number),
            hint="It may be in the trash.",
        )
    return entry


def open_project(session: Session, user: User, number: int) -> Project | None:
    """Return a project that this person sees and that is not archived."""
    return session.scalar(
        select(Project).where(
            Project.id == number, Project.archived_at.is_(None), projects.visible(user)
        )
    )


def by_text(session: Session, user: User, typed: str) -> list[TimeEntry]:
    """Return recent works whose text contains what is typed, one entry each."""
    text = " ".join(typed.split())
    if not text:
        return []
    query = (
        select(TimeEntry)
        .where(
            TimeEntry.user_id == user.id,
            TimeEntry.deleted_at.is_(None),
            TimeEntry.description != "",
            func.lower(TimeEntry.description).contains(text.lower(), autoescape=True),
        )
        .order_by(TimeEntry.local_date.desc(), TimeEntry.id.desc())
        .limit(100)
    )
    seen: dict[tuple[str, int | None, int | None], TimeEntry] = {}
    for entry in session.scalars(with_details(query)):
        seen.setdefault((entry.description, entry.project_id, entry.task_id), entry)
    return list(seen.values())[:AT_MOST]


def to_choose(
    session: Session, user: User, typed: str = "", *, limit: int = LISTED
) -> list[Choice]:
    """Return projects to choose from: with text those found, else the latest used first."""
    latest = (
        select(TimeEntry.project_id, func.max(TimeEntry.id).label("latest"))
        .where(TimeEntry.user_id == user.id)
        .group_by(TimeEntry.project_id)
        .subquery()
    )
    query = (
        select(Project)
        .outerjoin(latest, latest.c.project_id == Project.id)
        .outerjoin(Project.client)
        .where(Project.archived_at.is_(None), projects.visible(user))
        .options(joinedload(Project.client))
        .order_by(func.coalesce(latest.c.latest, 0).desc(), Project.name_key)
        .limit(limit)
    )
    key = name_key(typed)
    if key:
        query = query.where(
            Project.name_key.contains(key, autoescape=True)
            | Client.name_key.contains(key, autoescape=True)
            | Project.tasks.any(Task.name_key.contains(key, autoescape=True))
        )
    found = list(session.scalars(query))
    tasks: dict[int, list[Task]] = {project.id: [] for project in found}
    open_tasks = (
        select(Task)
        .where(Task.project_id.in_(tasks), Task.status != "done")
        .order_by(Task.name_key)
    )
    for task in session.scalars(open_tasks):
        tasks[task.project_id].append(task)
    return [Choice(project, tasks[project.id]) for project in found]
