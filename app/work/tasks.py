"""Tasks: parts of a project. Done ones vanish from pickers and stay in reports."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from app.errors import Conflict, Count, InvalidInput, NotFound, Referenced, said
from app.models.database import name_key
from app.models.entries import TimeEntry
from app.models.people import User
from app.models.work import Project, ProjectMember, Task
from app.work import projects

STATUSES = ("open", "in_progress", "done")


@dataclass(frozen=True, kw_only=True)
class TaskFields:
    """What a form or the API says of a task."""

    name: str
    estimate_minutes: int | None = None
    assignee_id: int | None = None
    due_on: date | None = None


def fields_of(task: Task) -> TaskFields:
    """Return what a task says now."""
    return TaskFields(
        name=task.name,
        estimate_minutes=task.estimate_minutes,
        assignee_id=task.assignee_id,
        due_on=task.due_on,
    )


def every(session: Session, user: User, *, done: bool = False) -> list[Task]:
    """Return the tasks of projects this person sees, by project and name."""
    query = (
        select(Task)
        .join(Task.project)
        .where(projects.visible(user), Project.archived_at.is_(None))
        .options(joinedload(Task.project), joinedload(Task.assignee))
        .order_by(Project.name_key, Task.name_key)
    )
    state = Task.status == "done" if done else Task.status != "done"
    return list(session.scalars(query.where(state)))


def find(session: Session, user: User, number: int) -> Task:
    """Return a task of a project this person sees."""
    task = session.get(Task, number)
    if task is None:
        raise NotFound(
            said("There is no task number %(number)s.", number=number), attr="task"
        )
    projects.find(session, user, task.project_id)
    return task


def make(session: Session, user: User, project_id: int | None, fields: TaskFields) -> Task:
    """Add a task to a project."""
    if project_id is None:
        raise InvalidInput("Say which project the task is of.", attr="project_id")
    project = projects.find(session, user, project_id)
    cleaned = projects.checked_name(fields.name)
    _refuse_same_name(session, project, cleaned, None)
    _refuse_stranger(session, project, fields.assignee_id)
    task = Task(
        project=project,
        name=cleaned,
        estimate_minutes=fields.estimate_minutes,
        assignee_id=fields.assignee_id,
        due_on=fields.due_on,
    )
    session.add(task)
    session.flush()
    return task


def change(session: Session, task: Task, fields: TaskFields) -> list[str]:
    """Set what is said of a task; return the catalogue's names of what changed."""
    cleaned = projects.checked_name(fields.name)
    _refuse_same_name(session, task.project, cleaned, task.id)
    if fields.assignee_id != task.assignee_id:  # whoever has it may keep it
        _refuse_stranger(session, task.project, fields.assignee_id)
    wanted = {
        "name": cleaned,
        "estimate_minutes": fields.estimate_minutes,
        "assignee_id": fields.assignee_id,
        "due_on": fields.due_on,
    }
    changed = [key for key, value in wanted.items() if getattr(task, key) != value]
    for key in changed:
        setattr(task, key, wanted[key])
    session.flush()
    return [key.removesuffix("_id") for key in changed]


def may_have(session: Session, project: Project) -> list[User]:
    """Return who a task of this project may be given to, by name."""
    query = select(User).where(User.is_active, User.role != "viewer")
    if project.visibility != "all":
        members = select(ProjectMember.user_id).where(
            ProjectMember.project_id == project.id
        )
        query = query.where(User.id.in_(members) | User.role.in_(("manager", "admin")))
    return list(session.scalars(query.order_by(User.username_key)))


def _refuse_stranger(session: Session, project: Project, number: int | None) -> None:
    """Raise InvalidInput for an assignee who could not work on the project."""
    if number is None:
        return
    if number not in {person.id for person in may_have(session, project)}:
        raise InvalidInput(
            said("Nobody of number %(n)s works on %(name)r.", n=number, name=project.name),
            hint="Choose somebody who sees the project and records time.",
            attr="assignee",
        )


def _refuse_same_name(
    session: Session, project: Project, name: str, but: int | None
) -> None:
    same = session.scalar(
        select(Task).where(
            Task.project_id == project.id,
            Task.name_key == name_key(name),
            Task.id != (but or 0),
        )
    )
    if same is not None:
        raise Conflict(
            said(
                "%(name)r has a task %(name2)r already.", name=project.name, name2=same.name
            ),
            hint="Take another name.",
            attr="name",
        )


def set_status(task: Task, status: str) -> str:
    """Give a task another status and return the one before."""
    if status not in STATUSES:
        raise InvalidInput(
            said("A task cannot be %(status)r.", status=status[:20]),
            hint=said("Use %(statuses)s.", statuses=", ".join(STATUSES)),
            attr="status",
        )
    before, task.status = task.status, status
    return before


def delete(session: Session, task: Task) -> None:
    """Remove a task nobody recorded time on."""
    query = select(func.count(TimeEntry.id)).where(TimeEntry.task_id == task.id)
    count = session.scalar(query)
    if count:
        raise Referenced(
            said("%(name)r has entries: %(n)s.", name=task.name, n=Count(count)),
            hint="Set it to done instead.",
        )
    session.delete(task)
    session.flush()
