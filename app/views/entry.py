"""One entry: its form, its menu, and what can be done with it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from flask import make_response, render_template, request
from werkzeug.wrappers import Response

from app.errors import Changed, InvalidInput, TimeTrackerError
from app.models.entries import TimeEntry
from app.models.people import User
from app.telemetry import told
from app.telemetry.send import track_event
from app.tracking import durations, edits, trash
from app.tracking import entries as editing
from app.tracking.entries import Done
from app.views import context, entry_forms, entry_rate, forms
from app.views.context import commit, db, demand, now, settings
from app.views.entries import act, audit, blueprint, done
from app.views.pages import STATUS, is_htmx
from app.views.timer import about_from_form
from app.work import projects
from app.work import tags as tagging

__all__ = ["blueprint", "tell_created"]

ORIGINS = {"form", "week", "calendar", "duplicate"}


def _form(
    entry: TimeEntry | None, fields: dict[str, Any], error: TimeTrackerError | None = None
) -> str:
    person = context.user()
    number = forms.number_or_none("project_id", request.values)
    task = forms.number_or_none("task_id", request.values)
    if request.method == "GET" and entry is not None:
        number, task = entry.project_id, entry.task_id
    chosen = projects.choose(db(), person, number, task)
    return render_template(
        "_entry_form.html" if is_htmx() else "entry_form.html",
        entry=entry,
        fields=fields,
        error=error,
        project=chosen.project,
        task=chosen.task,
        tags=tagging.every(db()),
        kinds=settings().entry_kinds,
        origin=request.values.get("origin", "form"),
        theirs=entry if isinstance(error, Changed) else None,
    )


def _price(entry: TimeEntry) -> dict[str, str]:
    return entry_rate.shown(entry) if entry_rate.may_set() else {}


def _refused(entry: TimeEntry | None, error: TimeTrackerError) -> Response:
    """Show the form again, with what is wrong beside the field."""
    db().rollback()
    number = entry.id if entry else None
    fresh = editing.find(db(), context.user(), number) if number else None
    fields = entry_forms.typed()
    if fresh is not None and "rate" in request.form:
        fields |= {**_price(fresh), "rate": forms.text("rate")}
    if isinstance(error, Changed) and fresh is not None:
        fields["version"] = fresh.version  # saving again chooses one's own version
    response = make_response(_form(fresh, fields, error), STATUS.get(error.code, 422))
    if is_htmx():
        response.status_code = HTTPStatus.OK  # htmx shows only what succeeded
    return response


@blueprint.route("/new", methods=["GET", "POST"])
def create() -> str | Response:
    """Make an entry by hand."""
    person = demand("track")
    if request.method == "GET":
        return _form(None, entry_forms.proposed(person, settings()))
    try:
        read = entry_forms.times(person)
        made = editing.make(db(), person, about_from_form(), read.times, act(person))
    except TimeTrackerError as error:
        return _refused(None, error)
    audit("entry.created", [made.entry])
    commit()
    tell_created(person, made, forms.text("origin"))
    return done(_said("Entry added", made, read.notice), undo=made.step.id)


def tell_created(person: User, made: Done, origin: str) -> None:
    """Report an entry made without the timer."""
    known = origin if origin in ORIGINS else "form"
    track_event(person.id, *told.created(person, made, known, now()))


def _said(text: str, made: Done, notice: str = "") -> str:
    parts = [text]
    if made.overlapping:
        shared = sum(seconds for _, seconds in made.overlapping)
        parts.append(f"{durations.prose(shared)} overlap with other entries")
    if notice:
        parts.append(notice)
    return " · ".join(parts)


@blueprint.route("/<int:number>", methods=["GET", "POST"])
def edit(number: int) -> str | Response:
    """Change an entry."""
    person = demand("track")
    entry = editing.find(db(), person, number)
    if request.method == "GET":
        return _form(entry, {**entry_forms.shown(entry), **_price(entry)})
    try:
        read = entry_forms.times(person, entry)
        version = forms.number_or_none("version")
        about = entry_rate.put(about_from_form(), entry)
        changed = editing.change(
            db(), entry, about, read.times, act(person), version=version
        )
    except TimeTrackerError as error:
        return _refused(entry, error)
    audit("entry.changed", [entry], changed.fields)
    commit()
    _tell_changed(person, changed.fields)
    return done(_said("Entry saved", changed, read.notice), undo=changed.step.id)


def _tell_changed(person: User, fields: Sequence[str]) -> None:
    told = [name for name in fields if name != "kind"]
    if fields:
        track_event(person.id, "time_entry.updated", {"fields": told, "bulk_count": 1})


@blueprint.get("/<int:number>/menu")
def menu(number: int) -> str:
    """Return what can be done with an entry."""
    person = demand("track")
    entry = editing.find(db(), person, number)
    return render_template(
        "_entry_menu.html", entry=entry, midnight=edits.midnight_in(entry)
    )


@blueprint.post("/<int:number>/duplicate")
def duplicate(number: int) -> Response:
    """Add the same once more."""
    person = demand("track")
    made = editing.duplicate(db(), editing.find(db(), person, number), act(person))
    audit("entry.created", [made.entry])
    commit()
    tell_created(person, made, "duplicate")
    return done(_said("Entry duplicated", made), undo=made.step.id)


@blueprint.post("/<int:number>/delete")
def delete(number: int) -> Response:
    """Put an entry into the trash."""
    person = demand("track")
    entry = editing.find(db(), person, number)
    step = trash.throw(db(), [entry], act(person))
    audit("entry.deleted", [entry])
    commit()
    track_event(person.id, "time_entry.deleted", {"bulk_count": 1})
    return done("Entry deleted", undo=step.id)


@blueprint.route("/<int:number>/split", methods=["GET", "POST"])
def split(number: int) -> str | Response:
    """Cut an entry in two, at a time or at midnight."""
    person = demand("track")
    entry = editing.find(db(), person, number)
    if request.method == "GET":
        return _split_form(entry, None)
    try:
        at = edits.midnight_in(entry) if forms.ticked("midnight") else None
        if at is None:
            at = entry_forms.inside(entry, forms.text("at"))
        step = edits.split(db(), entry, at, act(person))
    except TimeTrackerError as error:
        db().rollback()
        return _split_form(editing.find(db(), person, number), error)
    audit("entry.changed", [entry], ["ended_at"])
    commit()
    _tell_changed(person, ["ended_at"])
    return done("Entry split in two", undo=step.id)


def _split_form(entry: TimeEntry, error: TimeTrackerError | None) -> str:
    page = "_split_form.html" if is_htmx() else "split_form.html"
    return render_template(page, entry=entry, error=error)


@blueprint.post("/<int:number>/shorten/<int:other>")
def shorten(number: int, other: int) -> Response:
    """End the earlier of two overlapping entries where the later begins."""
    person = demand("track")
    pair = editing.several(db(), person, [number, other])
    step = edits.shorten_earlier(db(), pair[0], pair[1], act(person))
    audit("entry.changed", pair, ["ended_at"])
    commit()
    _tell_changed(person, ["ended_at"])
    return done("The earlier entry was shortened", undo=step.id)


@blueprint.post("/<int:number>/checked")
def checked(number: int) -> Response:
    """Take an entry off the to-check list."""
    person = demand("track")
    entry = editing.find(db(), person, number)
    entry.checked_at = now()
    entry.touch()
    commit()
    return done("Noted: it is right as it is")


@blueprint.post("/<int:number>/times")
def move(number: int) -> Response:
    """Move or resize an entry on the time line: its new begin and end in UTC seconds."""
    person = demand("track")
    entry = editing.find(db(), person, number)
    changed = edits.move(
        db(), entry, _instant("started_at"), _instant("ended_at"), act(person)
    )
    audit("entry.changed", [entry], changed.fields)
    commit()
    _tell_changed(person, changed.fields)
    return done(_said("Entry moved", changed), undo=changed.step.id)


@blueprint.post("/<int:number>/length")
def resize(number: int) -> Response:
    """Give an entry the length that was typed in a list; its beginning stays."""
    person = demand("track")
    entry = editing.find(db(), person, number)
    changed = edits.resize(
        db(), entry, durations.seconds(forms.text("duration")), act(person)
    )
    audit("entry.changed", [entry], changed.fields)
    commit()
    _tell_changed(person, changed.fields)
    return done(_said("Entry saved", changed), undo=changed.step.id)


def _instant(name: str) -> datetime:
    seconds = forms.number_or_none(name)
    if seconds is None:
        raise InvalidInput("Say from when to when.", attr=name)
    return datetime.fromtimestamp(seconds, UTC)
