"""The header's timer, on every page.

Every act answers with the timer as it is then, so a second click, another tab or an old
page see the truth. Without scripts the same forms work by plain redirects. Tabs tell one
another over a broadcast channel; other devices are told by ``live``, or ask
``/timer?seen=…`` every two seconds and get an empty answer as long as nothing changed.
"""

import secrets
from datetime import date, timedelta
from http import HTTPStatus
from typing import Any

from flask import (
    Blueprint,
    Response,
    g,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from app.errors import InvalidInput, NotFound
from app.models.entries import TimeEntry
from app.models.people import User
from app.telemetry import told
from app.telemetry.context import coarse_minutes, local_moment
from app.telemetry.send import track_event
from app.tracking import durations, once, recorded, suggestions, timers
from app.tracking.days import day_of, week_days, zone
from app.tracking.timers import About
from app.views import context, forms
from app.views.context import commit, db, demand, now, settings
from app.views.pages import is_htmx, toast
from app.views.signin import back

blueprint = Blueprint("timer", __name__, url_prefix="/timer")

ORIGINS = {"header", "dashboard", "palette", "shortcut", "entry", "week"}


def header(person: User) -> dict[str, Any]:
    """Return what ``_timer.html`` needs to show this person's timer."""
    if "timer_header" in g:
        return dict(g.timer_header)
    entry = timers.running(db(), person)
    today = day_of(now(), zone(person.timezone))
    worked_today, worked_week = _totals(person, today)
    paused = timers.open_break(entry) if entry else None
    worked = timers.worked_seconds(entry, now()) if entry else 0
    long_s = settings().long_timer_hours * 3600
    found = {
        "entry": entry,
        "paused": paused is not None,
        "worked": worked,
        "long": bool(entry and long_s and worked >= long_s),
        "seen": stamp(entry),
        "key": secrets.token_urlsafe(12),
        "today": worked_today,
        "week": worked_week,
        "target_week": (person.weekly_target_minutes or 0) * 60,
        "project": entry.project if entry else _default_project(person),
        "task": entry.task if entry else None,
    }
    g.timer_header = found
    return dict(found)


def _default_project(person: User) -> Any:
    if person.default_project_id is None:
        return None
    return suggestions.open_project(db(), person, person.default_project_id)


def _totals(person: User, today: date) -> tuple[int, int]:
    week = week_days(today, person.week_start)
    entries = recorded.of_days(db(), person, week[0], week[-1])
    sums = recorded.totals(recorded.pieces(entries, week[0], week[-1], now()))
    return sums.get(today, 0), sum(sums.values())


def stamp(entry: TimeEntry | None) -> str:
    """Return a word that changes whenever the timer does."""
    return "none" if entry is None else f"{entry.id}.{entry.version}"


def _answer(*, message: str = "", undo: int | None = None) -> AnyResponse:
    """Return the timer as it is now, with something to say about what happened."""
    g.pop("timer_header", None)
    if not is_htmx():
        if message:
            taken_back = url_for("entries.undo", step=undo) if undo else None
            context.say(message, undo=taken_back)
        return redirect(back(url_for("dashboard.today")), code=HTTPStatus.SEE_OTHER)
    page = render_template("_timer.html", timer=header(context.user()))
    return toast(make_response(page), message, undo=undo)


@blueprint.get("")
def show() -> AnyResponse:
    """Return the timer; 204 where ``seen`` says that it is known."""
    person = context.user()
    if request.args.get("seen") == stamp(timers.running(db(), person)):
        return Response(status=HTTPStatus.NO_CONTENT)
    return make_response(render_template("_timer.html", timer=header(person)))


def about_from_form() -> About:
    """Return what the form says the time is spent on."""
    billable = request.form.get("billable", "")
    return About(
        project_id=forms.number_or_none("project_id"),
        task_id=forms.number_or_none("task_id"),
        description=forms.text("description"),
        billable=None if billable == "" else billable == "1",
        tag_ids=forms.numbers("tag_id"),
    )


@blueprint.post("/start")
def start() -> AnyResponse:
    """Start a timer; one that runs is stopped at the same instant."""
    person = demand("track")
    if not once.first_time(db(), person, forms.text("key"), now()):
        return _answer()
    started = timers.start(db(), person, about_from_form(), now(), settings=settings())
    commit()
    return told_start(person, started, forms.text("origin"))


def same_timer() -> AnyResponse:
    """Answer a request that came twice: the timer as it is."""
    return _answer()


def told_start(person: User, started: timers.Started, origin: str) -> AnyResponse:
    """Report a start and answer with the timer and what was stopped for it."""
    old, entry = started.replaced, started.entry
    known = origin if origin in ORIGINS else "header"
    for name, properties in told.started(person, started, known, now()):
        track_event(person.id, name, properties)
    step = started.step.id if started.step else None
    if old is None:
        return _answer(message="")
    if old.deleted_at is not None:
        return _answer(message=f"Started {title(entry)}", undo=step)
    return _answer(
        message=f"Stopped {title(old)} {durations.prose(old.seconds or 0)}", undo=step
    )


def title(entry: TimeEntry) -> str:
    """Return what an entry is called in a sentence."""
    if entry.description:
        return entry.description[:60]
    return entry.project.name[:60] if entry.project else "the timer"


def _moment(person: User) -> dict[str, int]:
    return local_moment(now(), person.timezone)


def tell_stop(person: User, entry: TimeEntry) -> None:
    """Report that somebody's timer ended, or was discarded for want of length."""
    track_event(person.id, *told.stopped(person, entry, now()))


@blueprint.post("/stop")
def stop() -> AnyResponse:
    """Stop the timer; an old page whose timer has ended already just sees that."""
    person = demand("track")
    if timers.running(db(), person) is None:
        return _answer(message="No timer was running any more.")
    stopped = timers.stop(db(), person, now(), settings=settings())
    commit()
    entry = stopped.entry
    tell_stop(person, entry)
    if stopped.discarded:
        return _answer(
            message="Stopped in the second it began: nothing to keep.", undo=stopped.step.id
        )
    said = f"Stopped {title(entry)} {durations.prose(entry.seconds or 0)}"
    if entry.incomplete:
        said += " · something is missing, see Dashboard"
    return _answer(message=said, undo=stopped.step.id)


@blueprint.post("/pause")
def pause() -> AnyResponse:
    """Begin a break."""
    person = demand("track")
    timers.pause(db(), person, now())
    commit()
    track_event(person.id, "timer.paused", _moment(person))
    return _answer()


@blueprint.post("/resume")
def resume() -> AnyResponse:
    """End the break."""
    person = demand("track")
    _, took = timers.resume(db(), person, now())
    commit()
    track_event(
        person.id,
        "timer.resumed",
        {**_moment(person), "break_minutes": coarse_minutes(took)},
    )
    return _answer()


@blueprint.post("/discard")
def discard() -> AnyResponse:
    """Throw the running timer away."""
    person = demand("track")
    thrown = timers.discard(db(), person, now())
    commit()
    track_event(person.id, *told.discarded(person, thrown.entry, now()))
    return _answer(message="Timer discarded", undo=thrown.step.id)


@blueprint.post("/describe")
def describe() -> AnyResponse:
    """Say what the running timer is about; nothing where none runs."""
    person = demand("track")
    entry = timers.running(db(), person)
    if entry is None:
        return _answer()
    about = about_from_form()
    tags = [tag.id for tag in entry.tags]
    kept = About(
        project_id=about.project_id,
        task_id=about.task_id,
        description=about.description,
        billable=None if about.project_id != entry.project_id else entry.billable,
        tag_ids=tags,
    )
    if timers.describe(db(), person, entry, kept, settings()):
        entry.incomplete = False
        entry.touch()
    commit()
    return _answer()


@blueprint.post("/began")
def began() -> AnyResponse:
    """Correct when the running timer began."""
    person = demand("track")
    where = zone(person.timezone)
    said = forms.text("began")
    if not said:
        raise InvalidInput("Say when the timer began.", hint="For example 9:30 or -15.")
    at = durations.moment(said, day_of(now(), where), where, now()).instant
    if at > now() and not said.startswith("-"):
        at = durations.moment(
            said, day_of(now(), where) - timedelta(days=1), where, now()
        ).instant  # a time later than now was yesterday's
    timers.move_start(db(), person, at, now())
    commit()
    return _answer(message="Start corrected")


@blueprint.post("/continue/<int:number>")
def continue_(number: int) -> AnyResponse:
    """Start a new timer about the same as an earlier entry."""
    person = demand("track")
    if not once.first_time(db(), person, forms.text("key"), now()):
        return _answer()
    entry = suggestions.own_entry(db(), person, number)
    started = timers.continue_(db(), person, entry, now(), settings=settings())
    commit()
    return told_start(person, started, forms.text("origin") or "entry")


@blueprint.post("/last")
def last() -> AnyResponse:
    """Start a new timer about the same as what was worked on last."""
    person = demand("track")
    if not once.first_time(db(), person, forms.text("key"), now()):
        return _answer()
    latest = recorded.recent(db(), person, limit=1)
    if not latest:
        raise NotFound("There is nothing to continue yet.", hint="Start a timer first.")
    started = timers.continue_(db(), person, latest[0], now(), settings=settings())
    commit()
    return told_start(person, started, "shortcut")


@blueprint.get("/suggest")
def suggest() -> str:
    """Return the person's own recent works whose text begins like what is typed."""
    person = context.user()
    found = suggestions.by_text(db(), person, request.args.get("description", ""))
    return render_template("_suggestions.html", found=found)


@blueprint.get("/projects")
def pick() -> str:
    """Return the projects and tasks to choose from, those used of late first."""
    person = context.user()
    found = suggestions.to_choose(db(), person, request.args.get("q", ""))
    return render_template("_project_options.html", found=found)
