"""Clients and projects: made, changed, archived, and who sees which.

A project is visible to everybody or to its members only; managers and administrators
see all. What somebody may not see is not there: ``NotFound``.
"""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, or_, select, true
from sqlalchemy.orm import Session, joinedload

from app.errors import Conflict, Count, InvalidInput, NotAllowed, NotFound, Referenced, said
from app.models.database import name_key
from app.models.entries import TimeEntry
from app.models.people import User
from app.models.work import AS_ABOVE, Client, OwnRounding, Project, ProjectMember, Task
from app.people.roles import led_by, rank
from app.work.rounded import checked

LONGEST_NAME = 300
HUES = 10


@dataclass(frozen=True, kw_only=True)
class ProjectFields:
    """What a form or the API says of a project."""

    name: str
    client_id: int | None = None
    code: str | None = None
    color: int | None = None
    billable: bool = True
    estimate_minutes: int | None = None
    notes: str | None = None
    visibility: str = "all"
    require_task: bool = False
    rounding: OwnRounding = AS_ABOVE


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What somebody is working on, checked: the task is of the project, all is visible."""

    project: Project | None = None
    task: Task | None = None


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A project in a list, with what was worked on it."""

    project: Project
    seconds: int = 0
    month_seconds: int = 0
    tasks: int = 0
    members: list[User] = field(default_factory=list)


def visible(user: User) -> ColumnElement[bool]:
    """Return the condition that picks the projects this person may see."""
    if rank(user.role) >= rank("manager"):
        return true()
    member = exists().where(
        ProjectMember.project_id == Project.id, ProjectMember.user_id == user.id
    )
    return or_(Project.visibility == "all", member)


def find(session: Session, user: User, project_id: int) -> Project:
    """Return a project this person may see, archived or not."""
    project = session.scalar(
        select(Project)
        .where(Project.id == project_id, visible(user))
        .options(joinedload(Project.client))
    )
    if project is None:
        raise NotFound(
            said("There is no project number %(project_id)s.", project_id=project_id),
            hint="It may have been deleted, or you are not a member.",
            attr="project",
        )
    return project


def every(
    session: Session, user: User, *, archived: bool = False, text: str = ""
) -> list[Project]:
    """Return the projects this person sees, by client and name."""
    query = (
        select(Project)
        .outerjoin(Project.client)
        .where(visible(user))
        .options(joinedload(Project.client))
        .order_by(func.coalesce(Client.name_key, ""), Project.name_key)
    )
    if archived:
        query = query.where(Project.archived_at.is_not(None))
    else:
        query = query.where(Project.archived_at.is_(None))
    if text.strip():
        query = query.where(
            Project.name_key.contains(name_key(text), autoescape=True)
            | Client.name_key.contains(name_key(text), autoescape=True)
        )
    return list(session.scalars(query))


def choose(
    session: Session, user: User, project_id: int | None, task_id: int | None = None
) -> Chosen:
    """Return project and task for an entry, or say what does not go together."""
    if project_id is None:
        if task_id is None:
            return Chosen()
        task = session.get(Task, task_id)
        if task is None:
            raise NotFound(
                said("There is no task number %(task_id)s.", task_id=task_id), attr="task"
            )
        return Chosen(project=find(session, user, task.project_id), task=task)
    project = find(session, user, project_id)
    if task_id is None:
        return Chosen(project=project)
    task = session.get(Task, task_id)
    if task is None or task.project_id != project.id:
        raise InvalidInput(
            said(
                "Task number %(task_id)s is not one of %(name)r.",
                task_id=task_id,
                name=project.name,
            ),
            hint="Choose one of its own tasks, or none.",
            attr="task",
        )
    return Chosen(project=project, task=task)


def make(session: Session, user: User, fields: ProjectFields) -> Project:
    """Add a project; its maker leads it."""
    project = Project(
        color=fields.color or _next_hue(session), visibility=fields.visibility
    )
    change(session, project, fields)
    session.add(project)
    session.flush()
    session.add(ProjectMember(project_id=project.id, user_id=user.id, is_lead=True))
    session.flush()
    return project


def change(session: Session, project: Project, fields: ProjectFields) -> list[str]:
    """Set the fields of a project and return the names of those that changed."""
    name = checked_name(fields.name)
    _refuse_same_name(session, project, name, fields.client_id)
    if fields.client_id is not None and session.get(Client, fields.client_id) is None:
        raise NotFound(
            said("There is no client number %(client_id)s.", client_id=fields.client_id),
            attr="client",
        )
    if fields.visibility not in {"all", "members"}:
        raise InvalidInput(
            said(
                "A project cannot be visible to %(visibility)r.",
                visibility=fields.visibility,
            ),
            hint="Choose everyone, or members only.",
            attr="visibility",
        )
    wanted = {
        "name": name,
        "client_id": fields.client_id,
        "code": (fields.code or "").strip()[:50] or None,
        "color": fields.color or project.color,
        "billable": fields.billable,
        "estimate_minutes": fields.estimate_minutes,
        "notes": (fields.notes or "").strip() or None,
        "visibility": fields.visibility,
        "require_task": fields.require_task,
        "rounding": checked(fields.rounding),
    }
    changed = [key for key, value in wanted.items() if getattr(project, key) != value]
    for key in changed:
        setattr(project, key, wanted[key])
    return changed


def checked_name(name: str) -> str:
    """Return the name without blanks around it, or refuse it."""
    cleaned = " ".join(name.split())
    if not 1 <= len(cleaned) <= LONGEST_NAME:
        raise InvalidInput(
            said("It cannot be called %(name)r.", name=cleaned[:40]),
            hint=said("Use 1 to %(longest)s characters.", longest=LONGEST_NAME),
            attr="name",
        )
    return cleaned


def _refuse_same_name(
    session: Session, project: Project, name: str, client_id: int | None
) -> None:
    same = session.scalar(
        select(Project).where(
            Project.name_key == name_key(name),
            Project.client_id == client_id
            if client_id is not None
            else Project.client_id.is_(None),
            Project.id != (project.id or 0),
        )
    )
    if same is None:
        return
    called = f"{same.client.name} · {same.name}" if same.client else same.name
    if same.archived_at is not None:
        raise Conflict(
            said("There is an archived project called %(name)r.", name=called),
            hint="Restore that one, or take another name.",
            attr="name",
        )
    raise Conflict(
        said("There is a project called %(name)r already.", name=called),
        hint="Take another name.",
        attr="name",
    )


def _next_hue(session: Session) -> int:
    """Return the hue after that of the newest project, so that neighbours differ."""
    latest = session.scalar(select(Project.color).order_by(Project.id.desc()).limit(1))
    return (latest or 0) % HUES + 1


def refuse_others(session: Session, user: User, project: Project) -> None:
    """Raise NotAllowed unless this person manages projects or leads this one."""
    if rank(user.role) >= rank("manager") or project.id in led_by(session, user):
        return
    raise NotAllowed(
        said("%(name)r is led by somebody else.", name=project.name),
        hint="Ask its lead or a manager.",
    )


def archive(project: Project, now: datetime) -> None:
    """Put a project away: it vanishes from pickers and stays in reports."""
    if project.archived_at is None:
        project.archived_at = now


def restore(project: Project) -> None:
    """Bring an archived project back."""
    project.archived_at = None


def delete(session: Session, project: Project) -> None:
    """Remove a project nobody recorded time on; otherwise say how much, and offer archive."""
    count = session.scalar(
        select(func.count())
        .select_from(TimeEntry)
        .where(TimeEntry.project_id == project.id)
    )
    if count:
        raise Referenced(
            said(
                "%(name)r cannot be deleted. It holds entries: %(n)s.",
                name=project.name,
                n=Count(count),
            ),
            hint="Archive it instead; its time stays in reports.",
        )
    session.delete(project)
    session.flush()
