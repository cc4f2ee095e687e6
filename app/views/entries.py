"""Entries as a list: narrowed by the URL, a page at a time; and taking acts back."""

from http import HTTPStatus
from typing import NamedTuple

from flask import Blueprint, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.models.entries import TimeEntry
from app.reports import filters, rows
from app.reports.filters import Question
from app.tracking import timers
from app.tracking import undo as undoing
from app.tracking.days import day_of, zone
from app.views import context
from app.views.context import commit, db, now
from app.views.pages import is_htmx, toast
from app.views.timer import header

blueprint = Blueprint("entries", __name__, url_prefix="/entries")

PAGE = 50
LIST = Question(range="last_30_days")
"""What the list shows when nothing is asked."""


class Listed(NamedTuple):
    """An entry with its worked seconds."""

    entry: TimeEntry
    seconds: int


def asked() -> Question:
    """Return the question in the URL."""
    given = {
        name: ",".join(request.args.getlist(name))
        for name in request.args
        if name != "page"
    }
    return filters.parse({k: v for k, v in given.items() if v != ""}, start=LIST)


@blueprint.get("")
def index() -> str:
    """List entries."""
    person = context.user()
    question = asked()
    today = day_of(now(), zone(person.timezone))
    first, last = filters.days(question, today, person.week_start)
    picked = rows.condition(question, person, first, last)
    number, seconds = rows.count(db(), picked)
    page = max(1, request.args.get("page", 1, type=int))
    found = rows.page(db(), picked, question.sort, limit=PAGE, offset=(page - 1) * PAGE)
    return render_template(
        "entries.html",
        question=question,
        query=filters.as_query(question, start=LIST),
        first=first,
        last=last,
        listed=[Listed(entry, timers.worked_seconds(entry, now())) for entry in found],
        number=number,
        seconds=seconds,
        page=page,
        pages=max(1, -(-number // PAGE)),
        everyone=len({entry.user_id for entry in found}) > 1,
    )


@blueprint.post("/undo/<int:step>")
def undo(step: int) -> Response:
    """Take an act back."""
    person = context.user()
    undoing.take_back(db(), person, step, now())
    commit()
    g.pop("timer_header", None)
    if not is_htmx():
        return redirect(url_for("dashboard.today"), code=HTTPStatus.SEE_OTHER)
    return toast(
        make_response(render_template("_timer.html", timer=header(person))), "Undone"
    )
