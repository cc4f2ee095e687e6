"""One task: name, who has it, until when, how long it may take, in one form."""

from datetime import date
from http import HTTPStatus

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.audit import Object, record
from app.errors import InvalidInput, TimeTrackerError, said
from app.languages import gettext as _
from app.models.work import Task
from app.telemetry.send import track_event
from app.tracking import durations
from app.views import context, forms
from app.views.context import commit, db, demand, now
from app.views.organise import task_pages as blueprint
from app.views.pages import STATUS
from app.work import tasks
from app.work.tasks import TaskFields

__all__ = ["blueprint"]


@blueprint.route("/<int:number>", methods=["GET", "POST"])
def edit(number: int) -> str | Response | tuple[str, int]:
    """Show a task's form, or keep what was typed."""
    person = demand("tasks.create")
    task = tasks.find(db(), person, number)
    if request.method == "GET":
        return _form(task, None)
    try:
        changed = tasks.change(db(), task, _typed())
    except TimeTrackerError as error:
        db().rollback()
        again = tasks.find(db(), person, number)
        return _form(again, error), STATUS.get(error.code, 422)
    target = Object(type="task", id=task.id, label=task.name)
    changes = dict.fromkeys(changed, (None, None))
    if changed:
        record(db(), context.actor(), "task.updated", now(), on=target, changes=changes)
    commit()
    if changed:
        track_event(person.id, "task.updated", {"fields": changed})
    context.say(_("Saved"))
    return redirect(url_for("tasks.index"), code=HTTPStatus.SEE_OTHER)


def _typed() -> TaskFields:
    estimate = forms.text("estimate")
    return TaskFields(
        name=forms.text("name"),
        estimate_minutes=durations.seconds(estimate) // 60 if estimate else None,
        assignee_id=forms.number_or_none("assignee"),
        due_on=_due(forms.text("due_on")),
    )


def _due(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InvalidInput(
            said("%(given)r is no day.", given=text[:20]),
            hint="Write 2025-10-31.",
            attr="due_on",
        ) from error


def _form(task: Task, error: TimeTrackerError | None) -> str:
    return render_template(
        "task_form.html",
        task=task,
        people=tasks.may_have(db(), task.project),
        error=error,
        typed=forms.kept() if error else {},
    )
