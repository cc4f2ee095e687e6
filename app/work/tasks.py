"""Tasks: parts of a project. Done ones vanish from pickers and stay in reports."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from app.errors import Conflict, InvalidInput, NotFound, Referenced
from app.models.database import name_key
from app.models.entries import TimeEntry
from app.models.people import User
from app.models.work import Project, Task
from app.work import projects

STATUSES = ("open", "in_progress", "done")


def every(session: Session, user: User, *, done: bool = False) -> list[Task]:
    """Return the tasks of projects this person sees, by project and name."""
    query = (
        select(Task)
        .join(Task.project)
        .where(projects.visible(user), Project.archived_at.is_(None))
        .options(joinedload(Task.project))
        .order_by(Project.name_key, Task.name_key)
    )
    state = Task.status == "done" if done else Task.status != "done"
    return list(session.scalars(query.where(state)))


def find(session: Session, user: User, number: int) -> Task:
    """Return a task of a project this person sees."""
    task = session.get(Task, number)
    if task is None:
        raise NotFound(f"There is no task number {number}.", attr="task")
    projects.find(session, user, task.project_id)
    return task


def make(
    session: Session,
    user: User,
    project_id: int | None,
    name: str,
    estimate: int | None = None,
) -> Task:
    """Add a task to a project; ``estimate`` is in minutes."""
    if project_id is None:
        raise InvalidInput("Say which project the task is of.", attr="project_id")
    project = projects.find(session, user, project_id)
    cleaned = projects.checked_name(name, "task")
    _refuse_same_name(session, project, cleaned, None)
    task = Task(project=project, name=cleaned, estimate_minutes=estimate)
    session.add(task)
    session.flush()
    return task


def change(session: Session, task: Task, name: str, estimate: int | None) -> list[str]:
    """Give a task another name or estimate (minutes); return the fields that changed."""
    cleaned = projects.checked_name(name, "task")
    _refuse_same_name(session, task.project, cleaned, task.id)
    wanted = {"name": cleaned, "estimate_minutes": estimate}
    changed = [key for key, value in wanted.items() if getattr(task, key) != value]
    for key in changed:
        setattr(task, key, wanted[key])
    session.flush()
    return changed


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
            f"{project.name!r} has a task {same.name!r} already.",
            hint="Take another name.",
            attr="name",
        )


def set_status(task: Task, status: str) -> str:
    """Give a task another status and return the one before."""
    if status not in STATUSES:
        raise InvalidInput(
            f"A task cannot be {status[:20]!r}.",
            hint=f"Use {', '.join(STATUSES)}.",
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
            f"{task.name!r} has {count:,} entries.", hint="Set it to done instead."
        )
    session.delete(task)
    session.flush()
