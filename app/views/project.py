"""One project: how much was worked on it, by whom, on what, and who belongs to it.

The figures are those of the reports, asked with the same question, so each leads to the
entries it is made of. Who may see only their own time sees only that here.
"""

from dataclasses import dataclass, replace
from http import HTTPStatus

from flask import redirect, render_template, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from app.audit import record
from app.languages import gettext as _
from app.models.entries import TimeEntry
from app.models.people import User
from app.models.work import Project
from app.people import roles
from app.people.roles import led_by, rank
from app.reports import answer, detail, rows
from app.reports import seen as looking
from app.reports.answer import Sums
from app.reports.filters import Question
from app.reports.named import in_order, label
from app.telemetry.send import track_event
from app.tracking.recorded import with_details
from app.views import context, forms
from app.views.context import commit, db, now, settings
from app.views.projects import blueprint, named
from app.work import members, projects

__all__ = ["blueprint"]

LATEST = 10
WEEKS = "last_90_days"


@dataclass(frozen=True)
class Figures:
    """What was worked on a project, as far as this person may see it."""

    total: Sums
    people: list[tuple[str | None, int, Sums]]
    """Name, number, sums."""
    tasks: list[tuple[str | None, int, Sums]]
    weeks: list[tuple[object, int]]
    """First day and exact seconds of each week of the last 90 days."""
    latest: list[TimeEntry]
    everybody: bool


@blueprint.get("/<int:number>")
def show(number: int) -> str:
    """Show one project."""
    person = context.user()
    project = projects.find(db(), person, number)
    tracks = roles.may(person, "reports.own", settings())
    manages = rank(person.role) >= rank("manager") or project.id in led_by(db(), person)
    return render_template(
        "project.html",
        project=project,
        figures=_figures(person, project) if tracks else None,
        members=members.every(db(), project),
        others=members.others(db(), project) if manages else [],
        manages=manages,
    )


def _figures(person: User, project: Project) -> Figures:
    question = Question(range="all", projects=(project.id,), group=("user",))
    seen = looking.look(db(), person, question, now(), settings())
    names = detail.names(db())
    found = {name: answer.grouped(db(), seen, (name,)) for name in ("user", "task")}
    recent = looking.look(db(), person, replace(question, range=WEEKS), now(), settings())
    weeks = answer.grouped(db(), recent, ("week",))
    query = select(TimeEntry).where(rows.condition(question, person, seen.first, seen.last))
    latest = with_details(query).order_by(TimeEntry.local_date.desc(), TimeEntry.id.desc())

    def lines(name: str) -> list[tuple[str | None, int, Sums]]:
        return [
            (label(name, group.key, names).text, int(str(group.key or 0)), group.sums)
            for group in in_order(name, found[name].groups, names)
        ]

    everybody = rank(person.role) >= rank("manager") or project.id in led_by(db(), person)
    return Figures(
        total=found["user"].total,
        people=lines("user"),
        tasks=lines("task"),
        weeks=[(g.key, g.sums.seconds) for g in in_order("week", weeks.groups, names)],
        latest=list(db().scalars(latest.limit(LATEST))),
        everybody=everybody,
    )


def _managed(number: int) -> tuple[User, Project]:
    """Return who asks and a project they may change the members of."""
    person = context.demand("track")
    project = projects.find(db(), person, number)
    projects.refuse_others(db(), person, project)
    return person, project


@blueprint.post("/<int:number>/members")
def put_member(number: int) -> Response:
    """Take somebody in, or make them lead or plain member."""
    person, project = _managed(number)
    lead = forms.ticked("lead")
    member = members.put(db(), project, forms.number_or_none("user_id"), lead=lead)
    name = member.user.display_name
    return _changed(
        person, project, "project.member", (None, f"{member.user_id} {'lead' if lead else ''}".strip()),
        _("%(name)s leads this project", name=name) if lead else _("%(name)s is a member", name=name),
    )  # fmt: skip


@blueprint.post("/<int:number>/members/<int:user>/remove")
def remove_member(number: int, user: int) -> Response:
    """Take somebody out."""
    person, project = _managed(number)
    gone = members.remove(db(), project, user)
    return _changed(
        person, project, "project.member", (str(user), None),
        _("%(name)s is no member any more", name=gone.display_name),
    )  # fmt: skip


def _changed(
    person: User, project: Project, action: str, change: tuple[object, object], said: str
) -> Response:
    record(db(), context.actor(), action, now(), on=named(project),
           changes={"member": change})  # fmt: skip
    commit()
    track_event(person.id, "project.updated", {"fields": ["members"]})
    context.say(said)
    still = project.id in led_by(db(), person) or project.visibility == "all"
    if still or rank(person.role) >= rank("manager"):
        target = url_for("projects.show", number=project.id)
    else:
        target = url_for("projects.index")
    return redirect(target, code=HTTPStatus.SEE_OTHER)
