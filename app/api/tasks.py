"""Tasks: ``/tasks``. Archiving one sets it to done: it vanishes from pickers."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from app.api import kinds
from app.api.call import Answer, Call
from app.api.clients import NAME
from app.api.idents import word, word_or_none
from app.api.paging import PAGE, SINCE, Order, listed
from app.api.shapes import Field, Shape, given, may, need
from app.api.shown import iso
from app.audit import Object
from app.models.work import Project, Task
from app.work import projects, tasks
from app.work.tasks import TaskFields

STATUS = kinds.one_of(*tasks.STATUSES)
TASK = Shape(
    "Task",
    {
        "id": given(kinds.ident("task")),
        "project": given(kinds.ident("project")),
        "name": given(kinds.text(300)),
        "status": given(STATUS),
        "assignee": given(kinds.ident("user"), null=True),
        "estimate_minutes": given(kinds.whole(), null=True),
        "due_on": given(kinds.day, null=True),
        "created_at": given(kinds.instant),
        "updated_at": given(kinds.instant),
    },
)
_OPTIONAL = {
    "estimate_minutes": may(kinds.whole(1), null=True),
    "assignee": may(
        kinds.ident("user"), "Somebody who sees the project and records time.", null=True
    ),
    "due_on": may(kinds.day, null=True),
}
TASK_NEW = Shape(
    "TaskNew",
    {
        "project": need(kinds.ident("project")),
        "name": need(NAME),
        "status": may(STATUS, "`open` unless given."),
        **_OPTIONAL,
    },
)
TASK_CHANGE = Shape("TaskChange", {"name": may(NAME), "status": may(STATUS), **_OPTIONAL})
LISTED: dict[str, Field] = {
    **PAGE,
    **SINCE,
    "projects": may(kinds.list_of(kinds.ident("project"), 200)),
    "status": may(kinds.list_of(STATUS, 3)),
}


def _shown(task: Task) -> dict[str, Any]:
    return {
        "id": word("task", task.id),
        "project": word("project", task.project_id),
        "name": task.name,
        "status": task.status,
        "assignee": word_or_none("user", task.assignee_id),
        "estimate_minutes": task.estimate_minutes,
        "due_on": task.due_on.isoformat() if task.due_on else None,
        "created_at": iso(task.created_at),
        "updated_at": iso(task.updated_at),
    }


def _answer(call: Call, task: Task) -> Answer:
    call.session.flush()
    call.session.refresh(task)
    return Answer(body=_shown(task))


def _named(task: Task) -> Object:
    return Object(type="task", id=task.id, label=task.name)


def _found(call: Call) -> Task:
    return tasks.find(call.session, call.user, call.path["task"])


def list_tasks(call: Call) -> Answer:
    """List the tasks of projects one may see."""
    query = select(Task).join(Task.project).where(projects.visible(call.user))
    if call.query.get("projects"):
        query = query.where(Project.id.in_(call.query["projects"]))
    if call.query.get("status"):
        query = query.where(Task.status.in_(call.query["status"]))
    if "updated_since" in call.query:
        query = query.where(Task.updated_at >= call.query["updated_since"])
    return listed(call, query, Order((Task.id,)), _shown)


def read_task(call: Call) -> Answer:
    """Return one task."""
    return Answer(body=_shown(_found(call)))


def create_task(call: Call) -> Answer:
    """Add a task to a project."""
    body = call.body
    fields = _fields(body, TaskFields(name=""))
    task = tasks.make(call.session, call.user, body["project"], fields)
    tasks.set_status(task, body.get("status", task.status or "open"))
    call.note("task.created", _named(task))
    own = {
        "has_estimate": fields.estimate_minutes is not None,
        "assigned": fields.assignee_id is not None,
    }
    call.tell("task.created", own)
    return _answer(call, task)


def _fields(body: Mapping[str, Any], start: TaskFields) -> TaskFields:
    named = {"assignee": "assignee_id"}
    known = {"name", *_OPTIONAL}
    return replace(start, **{named.get(k, k): body[k] for k in known & set(body)})


def change_task(call: Call) -> Answer:
    """Change what is given of a task."""
    task = _found(call)
    fields = tasks.change(call.session, task, _fields(call.body, tasks.fields_of(task)))
    if fields:
        call.note("task.updated", _named(task), dict.fromkeys(fields, (None, None)))
        call.tell("task.updated", {"fields": fields})
    if "status" in call.body:
        _set_status(call, task, call.body["status"])
    return _answer(call, task)


def _set_status(call: Call, task: Task, status: str) -> None:
    before = tasks.set_status(task, status)
    if before != status:
        call.tell("task.status_changed", {"old_status": before, "new_status": status})


def archive_task(call: Call) -> Answer:
    """Set a task to done."""
    task = _found(call)
    _set_status(call, task, "done")
    return _answer(call, task)


def unarchive_task(call: Call) -> Answer:
    """Set a task that is done to open again."""
    task = _found(call)
    if task.status == "done":
        _set_status(call, task, "open")
    return _answer(call, task)


def delete_task(call: Call) -> Answer:
    """Remove a task nobody recorded time on."""
    task = _found(call)
    call.note("task.deleted", _named(task))
    tasks.delete(call.session, task)
    call.tell("task.deleted")
    return Answer()
