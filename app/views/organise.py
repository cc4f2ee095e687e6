"""Clients, tasks, tags and rates: short lists with a form on top."""

from dataclasses import replace
from datetime import date
from http import HTTPStatus
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from app.audit import Object, record
from app.errors import InvalidInput, NotFound, TimeTrackerError, said
from app.models.people import User
from app.models.work import Project, Rate, Task
from app.telemetry.send import track_event
from app.tracking import durations
from app.tracking.days import day_of, zone
from app.views import context, forms
from app.views.context import commit, db, demand, now, settings
from app.views.pages import STATUS
from app.work import clients, moving, projects, rates, tags, tasks
from app.work.clients import ClientFields
from app.work.tasks import TaskFields

Page = str | tuple[str, int]

client_pages = Blueprint("clients", __name__, url_prefix="/clients")
task_pages = Blueprint("tasks", __name__, url_prefix="/tasks")
tag_pages = Blueprint("tags", __name__, url_prefix="/tags")
rate_pages = Blueprint("rates", __name__, url_prefix="/admin/rates")


def _again(endpoint: str, said: str) -> Response:
    context.say(said)
    return redirect(url_for(endpoint), code=HTTPStatus.SEE_OTHER)


def _noted(action: str, kind: str, thing: Any) -> None:
    target = Object(type=kind, id=thing.id, label=getattr(thing, "name", kind))
    record(db(), context.actor(), action, now(), on=target)


def _status(error: TimeTrackerError) -> int:
    db().rollback()
    return STATUS.get(error.code, 422)


def _clients(error: TimeTrackerError | None = None) -> str:
    context.user()
    archived = request.args.get("archived") == "1"
    query = select(Project.client_id, func.count(Project.id)).group_by(Project.client_id)
    counts = {row[0]: row[1] for row in db().execute(query)}
    return render_template(
        "clients.html",
        listed=clients.every(db(), archived=archived),
        counts=counts,
        archived=archived,
        error=error,
        typed=forms.kept(),
    )


@client_pages.get("")
def index() -> str:
    """List the clients."""
    return _clients()


@client_pages.post("")
def save_client() -> Response | Page:
    """Make a client, or change the one whose number is sent."""
    person = demand("work.create")
    number = forms.number_or_none("id")
    try:
        old = clients.find(db(), number) if number else None
        start = clients.fields_of(old) if old else ClientFields(name="")
        fields = replace(start, name=forms.text("name"), currency=forms.text("currency"))
        client, changed = clients.save(db(), old, fields)
    except TimeTrackerError as error:
        status = _status(error)
        return _clients(error), status
    _noted("client.updated" if old else "client.created", "client", client)
    commit()
    if old is None:
        track_event(person.id, "client.created", {"has_rate": False})
    elif changed:
        track_event(person.id, "client.updated", {"fields": changed})
    return _again("clients.index", f"{client.name} saved")


@client_pages.post("/<int:number>/<string:do>")
def act_on_client(number: int, do: str) -> Response:
    """Archive, restore or delete a client."""
    person = demand("work.create")
    client = clients.find(db(), number)
    if do == "archive":
        clients.archive(client, now())
    elif do == "restore":
        clients.restore(db(), client)
    elif do == "delete":
        _noted("client.deleted", "client", client)
        clients.delete(db(), client)
    else:
        raise NotFound(said("A client cannot be %(do)r.", do=do[:20]))
    commit()
    if do in {"archive", "delete"}:
        track_event(person.id, f"client.{do.rstrip('e')}ed", {})
    return _again("clients.index", f"{client.name}: done")


def _tasks(error: TimeTrackerError | None = None) -> str:
    person = context.user()
    done = request.args.get("done") == "1"
    return render_template(
        "tasks.html",
        listed=tasks.every(db(), person, done=done),
        projects=projects.every(db(), person),
        done=done,
        error=error,
        typed=forms.kept(),
    )


@task_pages.get("", endpoint="index")
def list_tasks() -> str:
    """List the tasks."""
    return _tasks()


@task_pages.post("")
def make_task() -> Response | Page:
    """Add a task."""
    person = demand("tasks.create")
    try:
        text = forms.text("estimate")
        estimate = durations.seconds(text) // 60 if text else None
        number = forms.number_or_none("project_id")
        fields = TaskFields(name=forms.text("name"), estimate_minutes=estimate)
        task = tasks.make(db(), person, number, fields)
    except TimeTrackerError as error:
        status = _status(error)
        return _tasks(error), status
    _noted("task.created", "task", task)
    commit()
    own = {"has_estimate": task.estimate_minutes is not None, "assigned": False}
    track_event(person.id, "task.created", own)
    return _again("tasks.index", f"{task.name} added")


@task_pages.post("/<int:number>/status")
def set_status(number: int) -> Response:
    """Give a task another status."""
    person = demand("tasks.create")
    task = tasks.find(db(), person, number)
    before = tasks.set_status(task, forms.text("status"))
    commit()
    own = {"old_status": before, "new_status": task.status}
    track_event(person.id, "task.status_changed", own)
    return _again("tasks.index", f"{task.name}: {task.status.replace('_', ' ')}")


@task_pages.post("/<int:number>/delete")
def delete_task(number: int) -> Response:
    """Remove a task without time."""
    person = demand("tasks.create")
    task = tasks.find(db(), person, number)
    _noted("task.deleted", "task", task)
    tasks.delete(db(), task)
    commit()
    track_event(person.id, "task.deleted", {})
    return _again("tasks.index", f"{task.name} deleted")


def _tags(error: TimeTrackerError | None = None) -> str:
    context.user()
    archived = request.args.get("archived") == "1"
    return render_template(
        "tags.html",
        listed=tags.every(db(), archived=archived),
        counts=tags.uses(db()),
        archived=archived,
        error=error,
        typed=forms.kept(),
    )


@tag_pages.get("", endpoint="index")
def list_tags() -> str:
    """List the tags."""
    return _tags()


@tag_pages.post("")
def save_tag() -> Response | Page:
    """Make a tag, or rename the one whose number is sent."""
    demand("work.create")
    number = forms.number_or_none("id")
    try:
        if number:
            tag = tags.find(db(), number)
            tags.rename(db(), tag, forms.text("name"))
        else:
            tag = tags.make(db(), forms.text("name"))
    except TimeTrackerError as error:
        status = _status(error)
        return _tags(error), status
    commit()
    return _again("tags.index", f"{tag.name} saved")


@tag_pages.post("/<int:number>/<string:do>")
def act_on_tag(number: int, do: str) -> Response:
    """Archive, restore, delete a tag, or merge it into another."""
    demand("work.create")
    tag = tags.find(db(), number)
    name = tag.name
    if do == "archive":
        tags.archive(tag, now())
    elif do == "restore":
        tags.restore(tag)
    elif do == "delete":
        tags.remove(db(), tag)
    elif do == "merge":
        into = tags.find(db(), forms.number_or_none("into") or 0)
        tags.merge(db(), [tag, into], into)
    else:
        raise NotFound(said("A tag cannot be %(do)r.", do=do[:20]))
    commit()
    return _again("tags.index", f"{name}: done")


def _rates(error: TimeTrackerError | None = None, moved: moving.Moved | None = None) -> str:
    person = demand("rates.manage")
    found = list(db().scalars(select(Rate).order_by(Rate.scope, Rate.valid_from.desc())))
    today = day_of(now(), zone(person.timezone))
    return render_template(
        "rates.html",
        listed=[(rate, _subject(rate), rates.last_day(rate, found)) for rate in found],
        projects=projects.every(db(), person),
        tasks=tasks.every(db(), person),
        clients=clients.every(db()),
        users=list(
            db().scalars(select(User).where(User.is_active).order_by(User.username_key))
        ),
        today=today,
        currency=settings().currency,
        moved=moved,
        error=error,
        typed=forms.kept(),
    )


def _subject(rate: Rate) -> str:
    """Return in words what a rate is for."""
    parts = []
    if rate.client_id:
        parts.append(clients.find(db(), rate.client_id).name)
    if rate.project_id:
        parts.append(db().get_one(Project, rate.project_id).name)
    if rate.task_id:
        task = db().get_one(Task, rate.task_id)
        parts += [task.project.name, task.name]
    if rate.user_id:
        parts.append(db().get_one(User, rate.user_id).display_name)
    return " · ".join(parts)


@rate_pages.get("", endpoint="index")
def list_rates() -> str:
    """List the rates with the days they hold."""
    return _rates()


@rate_pages.post("")
def add_rate() -> Response | Page:
    """Add a rate; an earlier one ends the day before."""
    person = demand("rates.manage")
    try:
        new = _new_rate()
        today = day_of(now(), zone(person.timezone))
        moved = moving.by(db(), new, settings().currency, today)
        if moved.entries and forms.text("confirm") != moved.of:
            return _rates(moved=moved)
        rate = rates.add(db(), new)
    except TimeTrackerError as error:
        status = _status(error)
        return _rates(error), status
    target = Object(type="rate", id=rate.id, label=rate.scope)
    amount = (None, f"{rate.amount} {rate.currency} from {rate.valid_from}")
    record(
        db(), context.actor(), "rate.created", now(), on=target, changes={"amount": amount}
    )
    commit()
    return _again("rates.index", "Rate added")


def _new_rate() -> rates.NewRate:
    currency = (forms.text("currency") or settings().currency).upper()
    try:
        day = date.fromisoformat(forms.text("valid_from"))
    except ValueError as error:
        raise InvalidInput(
            said("%(given)r is no day.", given=forms.text("valid_from")[:20]),
            hint="Write 2025-10-31.",
            attr="valid_from",
        ) from error
    return rates.NewRate(
        scope=forms.text("scope", "default"),
        amount=forms.rate("amount", currency),
        currency=currency,
        valid_from=day,
        client_id=forms.number_or_none("client_id"),
        project_id=forms.number_or_none("project_id"),
        task_id=forms.number_or_none("task_id"),
        user_id=forms.number_or_none("user_id"),
    )


@rate_pages.post("/<int:number>/delete")
def delete_rate(number: int) -> Response:
    """Remove a rate."""
    demand("rates.manage")
    rate = db().get(Rate, number)
    if rate is None:
        raise NotFound(said("There is no rate number %(number)s.", number=number))
    target = Object(type="rate", id=rate.id, label=rate.scope)
    gone = (f"{rate.amount} {rate.currency} from {rate.valid_from}", None)
    record(
        db(), context.actor(), "rate.deleted", now(), on=target, changes={"amount": gone}
    )
    db().delete(rate)
    commit()
    return _again("rates.index", "Rate deleted")
