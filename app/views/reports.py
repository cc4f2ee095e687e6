"""Reports: the question as a form in the address, the answer as bars, ring and table."""

import time
from datetime import date
from typing import Any, NamedTuple

from flask import Blueprint, current_app, render_template, request
from sqlalchemy import select

from app.models.people import User
from app.models.work import Client, Project, Tag, Task
from app.people import roles
from app.reports import answer, filters
from app.reports.answer import Bar, Group, Sums
from app.reports.filters import Question
from app.telemetry.experiments import variant
from app.telemetry.send import track_event
from app.tracking import rounding
from app.views import context
from app.views.context import db, now, settings
from app.views.entries import LIST
from app.views.words import day as day_text
from app.views.words import gettext as _

blueprint = Blueprint("reports", __name__, url_prefix="/reports")

START = Question()
RANGE_WORDS = {"week", "month", "quarter", "year"}
SEEN_FOR_S = 600
"""The same question of the same person within ten minutes is told once."""


class Line(NamedTuple):
    """A row of the table."""

    key: Any
    name: str
    color: int
    sums: Sums
    query: dict[str, str]
    """What lists the entries behind it."""
    under: list["Line"]


@blueprint.get("")
def show() -> str:
    """Answer the question in the address."""
    began = time.monotonic()
    person = context.user()
    roles.demand(person, "reports.own", settings())
    given = {name: ",".join(request.args.getlist(name)) for name in request.args}
    question = filters.parse({k: v for k, v in given.items() if v != ""}, start=START)
    found = answer.summary(db(), person, question, now(), settings())
    lines = _lines(question, question.group, found.groups, found)
    rule = rounding.of_installation(settings())
    page = render_template(
        "reports.html",
        question=question,
        query=filters.as_query(question, start=START),
        export=filters.as_query(question, start=LIST),
        first=found.first,
        last=found.last,
        total=found.total,
        lines=lines,
        buckets=_buckets(found),
        rule=rule,
        is_rounded=found.total.rounded != found.total.seconds or not rule.is_exact,
        money=roles.may(person, "rates.see", settings()),
        groups=[(name, _group_name(name)) for name in filters.GROUPS + filters.UNITS],
        tagged=_more_than_total(question, lines, found.total),
    )
    took = round((time.monotonic() - began) * 1000)
    _tell(person, question, found, (len(lines), took))
    return page


def _group_name(name: str) -> str:
    names = {
        "client": _("Client"),
        "project": _("Project"),
        "task": _("Task"),
        "user": _("Person"),
        "tag": _("Tag"),
        "billable": _("Billable"),
        "day": _("Day"),
        "week": _("Week"),
        "month": _("Month"),
    }
    return names[name]


def _more_than_total(question: Question, lines: list[Line], total: Sums) -> bool:
    """Return whether "by tag" counts entries more than once."""
    return (
        "tag" in question.group and sum(line.sums.seconds for line in lines) > total.seconds
    )


def _lines(
    question: Question,
    names: tuple[str, ...],
    groups: dict[Any, Group],
    found: answer.Answer,
    base: dict[str, str] | None = None,
) -> list[Line]:
    name, rest = names[0], names[1:]
    known = _names(name, [key for key in groups if key is not None])
    made = []
    for key, group in groups.items():
        text, color = known.get(key, (_("None"), 0))
        query = {**(base or _base(question, found)), **_narrowed(name, key)}
        under = _lines(question, rest, group.under, found, query) if rest else []
        made.append(Line(key, text, color, group.sums, query, under))
    if name in filters.UNITS:
        return sorted(made, key=lambda line: line.key)
    return sorted(made, key=lambda line: (-line.sums.seconds, line.name))


def _base(question: Question, found: answer.Answer) -> dict[str, str]:
    query = filters.as_query(question, start=START)
    for name in ("group", "unit", "rounding"):
        query.pop(name, None)
    fixed = {"range": "custom", "first": str(found.first), "last": str(found.last)}
    return {**query, **fixed}


def _narrowed(name: str, key: Any) -> dict[str, str]:
    """Return the filter that lists the entries of one row."""
    match name:
        case "billable":
            return {"billable": "1" if key else "0"}
        case "day":
            return {"first": str(key), "last": str(key)}
        case "week" | "month":
            return {}
        case "tag" if key is None:
            return {}
        case _:
            return {f"{name}s": str(key or 0)}


def _names(name: str, keys: list[Any]) -> dict[Any, tuple[str, int]]:
    """Return for each key of a grouping its name and colour."""
    if name == "billable":
        return {True: (_("Billable"), 1), False: (_("Not billable"), 0)}
    if name in filters.UNITS:
        style = {"day": "EEE d MMM y", "week": "'W'ww, d MMM y", "month": "MMMM y"}[name]
        return {key: (day_text(key, style), 0) for key in keys}
    if name == "user":
        users = db().scalars(select(User).where(User.id.in_(keys)))
        return {person.id: (person.display_name, person.id % 10 + 1) for person in users}
    if name == "task":
        tasks = db().scalars(select(Task).where(Task.id.in_(keys)))
        return {task.id: (task.name, 0) for task in tasks}
    query = {
        "project": select(Project.id, Project.name, Project.color).where(
            Project.id.in_(keys)
        ),
        "client": select(Client.id, Client.name, Client.color).where(Client.id.in_(keys)),
        "tag": select(Tag.id, Tag.name, Tag.color).where(Tag.id.in_(keys)),
    }[name]
    return {number: (text, color) for number, text, color in db().execute(query)}


def _buckets(found: answer.Answer) -> list[tuple[date, Bar]]:
    return sorted(found.buckets.items())


def _tell(
    person: User, question: Question, found: answer.Answer, figures: tuple[int, int]
) -> None:
    """Report a question once in ten minutes."""
    seen = context.browser_session()
    mark = repr(sorted(filters.as_query(question, start=START).items()))
    last = seen.get("report", ["", 0])
    if last[0] == mark and now().timestamp() - last[1] < SEEN_FOR_S:
        return
    seen["report"] = [mark, now().timestamp()]
    word = question.range.partition("_")[2]
    if question.range in {"today", "yesterday"}:
        word = "today"
    own = {"experiment_variant": variant(current_app.config, "export_dialog", person.id)}
    track_event(
        person.id,
        "report.viewed",
        {
            **own,
            "report_type": "summary",
            "date_range": word if word in RANGE_WORDS or word == "today" else "custom",
            "range_days": min((found.last - found.first).days + 1, 100_000),
            "group_by": list(question.group),
            "rows": figures[0],
            "duration_ms": figures[1],
            "filters_used": question.filters_used,
        },
    )
