"""Projects: ``/projects``. What somebody may not see is not there."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from app.api import kinds, rounding
from app.api.call import Answer, Call
from app.api.clients import LISTED as ARCHIVABLE
from app.api.clients import NAME, narrowed
from app.api.idents import word, word_or_none
from app.api.paging import Order, listed
from app.api.shapes import Field, Shape, given, may, need
from app.api.shown import iso
from app.audit import Object
from app.models.work import Project
from app.work import projects
from app.work.projects import HUES, ProjectFields

PROJECT = Shape(
    "Project",
    {
        "id": given(kinds.ident("project")),
        "name": given(kinds.text(300)),
        "client": given(kinds.ident("client"), null=True),
        "code": given(kinds.text(50), null=True),
        "color": given(kinds.whole(1, HUES), "A hue of the palette."),
        "billable": given(kinds.flag, "What new entries begin with."),
        "estimate_minutes": given(kinds.whole(), null=True),
        "notes": given(kinds.text(100_000), null=True),
        "visibility": given(kinds.one_of("all", "members")),
        "require_task": given(kinds.flag),
        "rounding": rounding.SHOWN,
        "archived": given(kinds.flag),
        "created_at": given(kinds.instant),
        "updated_at": given(kinds.instant),
    },
)
_OPTIONAL = {
    "client": may(kinds.ident("client"), null=True),
    "code": may(kinds.text(50), null=True),
    "color": may(kinds.whole(1, HUES)),
    "billable": may(kinds.flag),
    "estimate_minutes": may(kinds.whole(1), null=True),
    "notes": may(kinds.text(10_000), null=True),
    "visibility": may(kinds.one_of("all", "members")),
    "require_task": may(kinds.flag),
    "rounding": rounding.SET,
}
PROJECT_NEW = Shape("ProjectNew", {"name": need(NAME), **_OPTIONAL})
PROJECT_CHANGE = Shape("ProjectChange", {"name": may(NAME), **_OPTIONAL})
LISTED: dict[str, Field] = {
    **ARCHIVABLE,
    "clients": may(kinds.list_of(kinds.ident("client"), 200)),
}


def _shown(project: Project) -> dict[str, Any]:
    return {
        "id": word("project", project.id),
        "name": project.name,
        "client": word_or_none("client", project.client_id),
        "code": project.code,
        "color": project.color,
        "billable": project.billable,
        "estimate_minutes": project.estimate_minutes,
        "notes": project.notes,
        "visibility": project.visibility,
        "require_task": project.require_task,
        "rounding": rounding.shown(project),
        "archived": project.archived_at is not None,
        "created_at": iso(project.created_at),
        "updated_at": iso(project.updated_at),
    }


def _answer(call: Call, project: Project) -> Answer:
    call.session.flush()
    call.session.refresh(project)
    return Answer(body=_shown(project))


def _named(project: Project) -> Object:
    return Object(type="project", id=project.id, label=project.name)


def _found(call: Call, *, to_change: bool = False) -> Project:
    project = projects.find(call.session, call.user, call.path["project"])
    if to_change:
        projects.refuse_others(call.session, call.user, project)
    return project


def _fields(body: Mapping[str, Any], start: ProjectFields) -> ProjectFields:
    values = {("client_id" if k == "client" else k): v for k, v in body.items()}
    return replace(start, **{**values, **rounding.taken(body)})


def list_projects(call: Call) -> Answer:
    """List the projects one may see."""
    query = narrowed(call, select(Project).where(projects.visible(call.user)), Project)
    chosen = call.query.get("clients")
    if chosen:
        query = query.where(Project.client_id.in_(chosen))
    return listed(call, query, Order((Project.id,)), _shown)


def read_project(call: Call) -> Answer:
    """Return one project."""
    return Answer(body=_shown(_found(call)))


def create_project(call: Call) -> Answer:
    """Add a project; its maker leads it."""
    fields = _fields(call.body, ProjectFields(name=""))
    project = projects.make(call.session, call.user, fields)
    call.note("project.created", _named(project))
    call.tell(
        "project.created",
        {
            "billable": project.billable,
            "has_client": project.client_id is not None,
            "has_estimate": project.estimate_minutes is not None,
        },
    )
    return _answer(call, project)


def change_project(call: Call) -> Answer:
    """Change what is given of a project."""
    project = _found(call, to_change=True)
    names = ProjectFields.__dataclass_fields__
    now = ProjectFields(**{name: getattr(project, name) for name in names})
    changed = projects.change(call.session, project, _fields(call.body, now))
    if changed:
        call.note("project.updated", _named(project), dict.fromkeys(changed, (None, None)))
        fields = ["client" if name == "client_id" else name for name in changed]
        call.tell("project.updated", {"fields": fields})
    return _answer(call, project)


def archive_project(call: Call) -> Answer:
    """Put a project away: it vanishes from pickers and stays in reports."""
    project = _found(call, to_change=True)
    projects.archive(project, call.now)
    call.note("project.archived", _named(project))
    call.tell("project.archived")
    return _answer(call, project)


def unarchive_project(call: Call) -> Answer:
    """Bring an archived project back."""
    project = _found(call, to_change=True)
    projects.restore(project)
    call.note("project.unarchived", _named(project))
    call.tell("project.unarchived")
    return _answer(call, project)


def delete_project(call: Call) -> Answer:
    """Remove a project nobody recorded time on."""
    project = _found(call, to_change=True)
    call.note("project.deleted", _named(project))
    projects.delete(call.session, project)
    call.tell("project.deleted", {"had_entries": False})
    return Answer()
