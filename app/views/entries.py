"""Entries as a list: narrowed by the URL, a page at a time; and taking acts back."""

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, NamedTuple

from flask import Blueprint, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.audit import Object, record
from app.errors import InvalidInput
from app.models.entries import TimeEntry
from app.models.people import User
from app.reports import filters, rows
from app.reports.filters import Question
from app.telemetry.send import track_event
from app.tracking import edits, timers, trash
from app.tracking import entries as editing
from app.tracking import undo as undoing
from app.tracking.days import day_of, zone
from app.tracking.edits import Bulk
from app.tracking.entries import Act
from app.views import context, forms
from app.views.context import commit, db, demand, now, settings
from app.views.pages import is_htmx, toast
from app.views.signin import back
from app.views.timer import header
from app.work import tags as tagging

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


def act(person: User) -> Act:
    """Return who acts by which rules."""
    reason = forms.text("unlock_reason") if request.method == "POST" else ""
    return Act(user=person, now=now(), settings=settings(), unlock_reason=reason)


def done(text: str, *, undo: int | None = None) -> Response:
    """Answer an act on entries: a toast with undo, and the page behind looks anew."""
    if not is_htmx():
        context.say(text, undo=url_for("entries.undo", step=undo) if undo else None)
        return redirect(back(url_for("entries.index")), code=HTTPStatus.SEE_OTHER)
    response = toast(make_response(""), text, undo=undo)
    response.headers["HX-Reswap"] = "none"
    said = json.loads(response.headers["HX-Trigger"])
    response.headers["HX-Trigger"] = json.dumps({**said, "done": {}})
    return response


def audit(action: str, entries: Sequence[TimeEntry], fields: Sequence[str] = ()) -> None:
    """Note changes of other people's entries, and of locked days with their reason."""
    person, reason = context.user(), forms.text("unlock_reason")
    for entry in entries:
        if entry.user_id == person.id and not reason:
            continue
        changes: dict[str, tuple[Any, Any]] = dict.fromkeys(fields, (None, None))
        if reason:
            changes["unlock_reason"] = (None, reason)
        target = Object(type="entry", id=entry.id, label=entry.user.display_name)
        record(db(), context.actor(), action, now(), on=target, changes=changes)


@blueprint.post("/bulk")
def bulk() -> Response:
    """Change, merge or delete all chosen entries."""
    person = demand("track")
    chosen = editing.several(db(), person, forms.numbers("entry"))
    what = forms.text("do")
    if what == "delete":
        step = trash.throw(db(), chosen, act(person))
        audit("entry.deleted", chosen)
        commit()
        track_event(person.id, "time_entry.deleted", {"bulk_count": len(chosen)})
        return done(_counted(len(chosen), "deleted"), undo=step.id)
    if what == "merge":
        step = edits.merge(db(), chosen, act(person))
        fields = ["breaks", "ended_at", "seconds"]
    else:
        wanted, fields = _wanted()
        step = edits.bulk(db(), chosen, wanted, act(person))
    audit("entry.changed", chosen, fields)
    commit()
    own = {"fields": fields, "bulk_count": len(chosen)}
    track_event(person.id, "time_entry.updated", own)
    word = "merged" if what == "merge" else "changed"
    return done(_counted(len(chosen), word), undo=step.id)


def _counted(number: int, word: str) -> str:
    return f"1 entry {word}" if number == 1 else f"{number} entries {word}"


def _wanted() -> tuple[Bulk, list[str]]:
    """Return what the bulk form asks for, and the fields that are touched by it."""
    project = forms.number_or_none("project_id")
    billable, text = forms.text("billable"), forms.text("description")
    shift = forms.number_or_none("shift") or 0
    wanted = Bulk(
        project_id=project,
        task_id=forms.number_or_none("task_id"),
        no_project=forms.ticked("no_project"),
        billable=None if billable == "" else billable == "1",
        description=text or None,
        add_tags=forms.numbers("add_tag"),
        remove_tags=forms.numbers("remove_tag"),
        shift_minutes=shift,
    )
    touched = {
        "project": project is not None or wanted.no_project,
        "task": wanted.task_id is not None,
        "billable": wanted.billable is not None,
        "description": wanted.description is not None,
        "tags": bool(wanted.add_tags or wanted.remove_tags),
        "started_at": bool(shift),
        "ended_at": bool(shift),
    }
    fields = [name for name, is_touched in touched.items() if is_touched]
    if not fields:
        raise InvalidInput("Nothing was chosen to change.", hint="Fill in a field first.")
    return wanted, fields


@blueprint.get("/bulk")
def bulk_form() -> str:
    """Return the form that changes the chosen entries."""
    demand("track")
    chosen = [int(n) for n in request.args.getlist("entry") if n.isdecimal()]
    return render_template("_bulk_form.html", chosen=chosen, tags=tagging.every(db()))


@blueprint.get("/trash")
def thrown() -> str:
    """List what was deleted."""
    person = context.user()
    found = trash.in_trash(db(), person)
    return render_template(
        "trash.html",
        listed=[Listed(e, timers.worked_seconds(e, e.deleted_at or now())) for e in found],
    )


@blueprint.post("/trash/restore")
def take_out() -> Response:
    """Bring entries back."""
    person = demand("track")
    chosen = editing.several(db(), person, forms.numbers("entry"), deleted=True)
    step = trash.take_out(db(), chosen, act(person))
    audit("entry.restored", chosen)
    commit()
    track_event(person.id, "time_entry.restored", {"bulk_count": len(chosen)})
    return done(_counted(len(chosen), "restored"), undo=step.id)
