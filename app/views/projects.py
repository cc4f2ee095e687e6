"""Projects: listed, made, changed, archived, deleted."""

from http import HTTPStatus

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from app.audit import Object, record
from app.errors import TimeTrackerError
from app.models.entries import TimeEntry
from app.models.work import Client, Project
from app.telemetry.send import track_event
from app.tracking import durations
from app.tracking.days import day_of, zone
from app.views import context, forms, rounding
from app.views.context import commit, db, demand, now
from app.views.pages import STATUS, is_htmx
from app.work import projects
from app.work.projects import ProjectFields

blueprint = Blueprint("projects", __name__, url_prefix="/projects")


@blueprint.get("")
def index() -> str:
    """List the projects this person sees."""
    person = context.user()
    archived = request.args.get("archived") == "1"
    text = request.args.get("q", "")
    found = projects.every(db(), person, archived=archived, text=text)
    return render_template(
        "projects.html", listed=found, sums=_sums(found), archived=archived, text=text
    )


def _sums(found: list[Project]) -> dict[int, tuple[int, int]]:
    """Return for each project seconds altogether and this month."""
    person = context.user()
    month = day_of(now(), zone(person.timezone)).replace(day=1)
    query = (
        select(
            TimeEntry.project_id,
            func.coalesce(func.sum(TimeEntry.seconds), 0),
            func.coalesce(
                func.sum(TimeEntry.seconds).filter(TimeEntry.local_date >= month), 0
            ),
        )
        .where(
            TimeEntry.deleted_at.is_(None),
            TimeEntry.project_id.in_(project.id for project in found),
        )
        .group_by(TimeEntry.project_id)
    )
    return {
        number: (whole or 0, part or 0)
        for number, whole, part in db().execute(query)
        if number is not None
    }


def _fields() -> ProjectFields:
    estimate = forms.text("estimate")
    return ProjectFields(
        name=forms.text("name"),
        client_id=forms.number_or_none("client_id"),
        code=forms.text("code"),
        color=forms.number_or_none("color"),
        billable=forms.ticked("billable"),
        estimate_minutes=durations.seconds(estimate) // 60 if estimate else None,
        notes=forms.text("notes"),
        visibility=forms.text("visibility", "all"),
        require_task=forms.ticked("require_task"),
        rounding=rounding.typed(),
    )


def _form(project: Project | None, error: TimeTrackerError | None) -> str:
    clients = db().scalars(
        select(Client).where(Client.archived_at.is_(None)).order_by(Client.name_key)
    )
    return render_template(
        "project_form.html",
        project=project,
        clients=list(clients),
        error=error,
        typed=forms.kept() if request.method == "POST" else {},
    )


def _done(target: str) -> Response:
    if is_htmx():
        response = make_response("")
        response.headers["HX-Redirect"] = target
        return response
    return redirect(target, code=HTTPStatus.SEE_OTHER)


def named(project: Project) -> Object:
    """Return a project as the audit trail calls it."""
    return Object(type="project", id=project.id, label=project.name)


@blueprint.route("/new", methods=["GET", "POST"])
def create() -> str | Response | tuple[str, int]:
    """Make a project."""
    person = demand("work.create")
    if request.method == "GET":
        return _form(None, None)
    try:
        project = projects.make(db(), person, _fields())
    except TimeTrackerError as error:
        db().rollback()
        return _form(None, error), STATUS.get(error.code, 422)
    record(db(), context.actor(), "project.created", now(), on=named(project))
    commit()
    track_event(
        person.id,
        "project.created",
        {
            "billable": project.billable,
            "has_client": project.client_id is not None,
            "has_estimate": project.estimate_minutes is not None,
        },
    )
    context.say(f"Project {project.name} created")
    return _done(url_for("projects.index"))


@blueprint.route("/<int:number>/edit", methods=["GET", "POST"])
def edit(number: int) -> str | Response | tuple[str, int]:
    """Change a project."""
    person = demand("work.create")
    project = projects.find(db(), person, number)
    projects.refuse_others(db(), person, project)
    if request.method == "GET":
        return _form(project, None)
    try:
        changed = projects.change(db(), project, _fields())
        db().flush()
    except TimeTrackerError as error:
        db().rollback()
        return _form(projects.find(db(), person, number), error), STATUS.get(
            error.code, 422
        )
    record(db(), context.actor(), "project.updated", now(), on=named(project),
           changes=dict.fromkeys(changed, (None, None)))  # fmt: skip
    commit()
    if changed:
        fields = ["client" if name == "client_id" else name for name in changed]
        track_event(person.id, "project.updated", {"fields": fields})
    return _done(url_for("projects.index"))


@blueprint.post("/<int:number>/archive")
def archive(number: int) -> Response:
    """Put a project away."""
    person = demand("work.create")
    project = projects.find(db(), person, number)
    projects.refuse_others(db(), person, project)
    projects.archive(project, now())
    record(db(), context.actor(), "project.archived", now(), on=named(project))
    commit()
    track_event(person.id, "project.archived", {})
    context.say(f"{project.name} archived")
    return _done(url_for("projects.index"))


@blueprint.post("/<int:number>/restore")
def restore(number: int) -> Response:
    """Bring an archived project back."""
    person = demand("work.create")
    project = projects.find(db(), person, number)
    projects.refuse_others(db(), person, project)
    projects.restore(project)
    record(db(), context.actor(), "project.unarchived", now(), on=named(project))
    commit()
    track_event(person.id, "project.unarchived", {})
    return _done(url_for("projects.index"))


@blueprint.post("/<int:number>/delete")
def delete(number: int) -> Response:
    """Remove a project nobody recorded time on."""
    person = demand("work.create")
    project = projects.find(db(), person, number)
    projects.refuse_others(db(), person, project)
    record(db(), context.actor(), "project.deleted", now(), on=named(project))
    projects.delete(db(), project)
    commit()
    track_event(person.id, "project.deleted", {"had_entries": False})
    context.say(f"{project.name} deleted")
    return _done(url_for("projects.index"))
