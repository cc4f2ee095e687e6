"""The panel that adds a filter: type a few letters, choose what fits.

Every choice is a link to the same report with one filter more, so that the panel works
by keyboard, and the address always says what is shown.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

from flask import Blueprint, render_template, request
from sqlalchemy import func, select

from app.errors import NotFound, said
from app.languages import gettext as _
from app.models.database import name_key
from app.models.people import User
from app.models.work import Client, Project, Tag, Task
from app.people import roles
from app.reports.filters import NONE, SOURCES, Question
from app.views import context
from app.views.context import db, settings
from app.views.reports_asked import REPORTS, address, asked, changed, source_name
from app.work import projects

blueprint = Blueprint("report_filters", __name__, url_prefix="/reports/filter")

MOST = 8
"""Choices of one kind that are shown; more letters narrow them."""


class Choice(NamedTuple):
    """One filter that can be added."""

    text: str
    detail: str
    address: str


@blueprint.get("/<report>")
def panel(report: str) -> str:
    """Return what fits the letters typed so far."""
    person = context.user()
    if report not in REPORTS:
        raise NotFound(said("There is no report %(report)r.", report=report))
    question, text = asked(report), request.args.get("q", "").strip()
    template = "_report_choices.html" if "q" in request.args else "_report_panel.html"
    return render_template(
        template,
        report=report,
        query={k: v for k, v in request.args.items() if k != "q"},
        groups=list(_groups(person, report, question, text)),
    )


def _groups(
    person: User, report: str, question: Question, text: str
) -> Iterable[tuple[str, list[Choice]]]:
    """Yield heading and choices; empty ones are left out."""
    found = [
        (_("Projects"), _add(report, question, "projects", _projects(person, text))),
        (_("Clients"), _add(report, question, "clients", _named(Client, text))),
        (_("Tasks"), _add(report, question, "tasks", _tasks(person, text))),
        (_("Tags"), _add(report, question, "tags", _named(Tag, text))),
        (_("People"), _add(report, question, "users", _people(person, report, text))),
        (_("More"), _more(report, question, text)),
    ]
    return [(heading, choices) for heading, choices in found if choices]


Rows = list[tuple[int, str, str]]
"""Number, name, what it belongs to."""


def _projects(person: User, text: str) -> Rows:
    query = (
        select(Project.id, Project.name, Client.name)
        .outerjoin(Client, Project.client_id == Client.id)
        .where(projects.visible(person), Project.name_key.contains(name_key(text)))
        .order_by(Project.archived_at.is_not(None), Project.name_key)
        .limit(MOST)
    )
    found = [(number, name, client or "") for number, name, client in db().execute(query)]
    none = _("No project")
    return [(NONE, none, ""), *found] if text.casefold() in none.casefold() else found


def _named(table: Any, text: str) -> Rows:
    query = select(table.id, table.name).where(table.name_key.contains(name_key(text)))
    query = query.order_by(table.archived_at.is_not(None), table.name_key).limit(MOST)
    return [(number, name, "") for number, name in db().execute(query)]


def _tasks(person: User, text: str) -> Rows:
    if not text:
        return []
    query = (
        select(Task.id, Task.name, Project.name)
        .join(Project, Task.project_id == Project.id)
        .where(projects.visible(person), Task.name_key.contains(name_key(text)))
        .order_by(Task.name_key)
        .limit(MOST)
    )
    return [(number, name, project) for number, name, project in db().execute(query)]


def _people(person: User, report: str, text: str) -> Rows:
    """Return others only to those who may report on others."""
    leads = bool(roles.led_by(db(), person))
    if report == "user" or not (leads or roles.may(person, "reports.all", settings())):
        return []
    fits = func.lower(User.display_name).contains(text.lower(), autoescape=True)
    query = select(User.id, User.display_name).where(fits | User.username_key.contains(
        name_key(text), autoescape=True
    ))  # fmt: skip
    query = query.order_by(User.display_name).limit(MOST)
    return [(number, name, "") for number, name in db().execute(query)]


def _add(report: str, question: Question, field: str, rows: Rows) -> list[Choice]:
    chosen: tuple[int, ...] = getattr(question, field)
    return [
        Choice(name, of, address(report, changed(question, field, (*chosen, number))))
        for number, name, of in rows
        if number not in chosen
    ]


def _more(report: str, question: Question, text: str) -> list[Choice]:
    person = context.user()
    offers = [
        (_("Only billable"), replace(question, billable=True)),
        (_("Only not billable"), replace(question, billable=False)),
        (_("Only incomplete"), replace(question, incomplete=True)),
        (_("Without archived projects"), replace(question, archived=False)),
        (
            _("All days in %(zone)s", zone=person.timezone),
            replace(question, zone=person.timezone),
        ),
    ]
    if question.tags:
        offers += [
            (_("With all of the tags"), replace(question, tag_mode="all")),
            (_("With none of the tags"), replace(question, tag_mode="none")),
        ]
    if text:
        offers += [
            (
                _("Source: %(name)s", name=source_name(source)),
                replace(question, sources=(*question.sources, source)),
            )
            for source in SOURCES
            if source not in question.sources
        ]
    return [
        Choice(name, "", address(report, other))
        for name, other in offers
        if other != question and text.casefold() in name.casefold()
    ]
