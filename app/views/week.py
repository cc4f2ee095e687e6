"""The week: a timesheet to type into, by keyboard alone if one likes."""

from datetime import date, timedelta
from http import HTTPStatus
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.errors import InvalidInput, said
from app.models.people import User
from app.telemetry.send import track_event
from app.tracking import durations, undo, weeks
from app.tracking.days import day_of, week_days, week_number, zone
from app.tracking.entries import Act
from app.views import context, forms
from app.views.context import commit, db, demand, now, settings
from app.views.entry import tell_created
from app.views.pages import is_htmx, toast

blueprint = Blueprint("week", __name__, url_prefix="/week")


def _act(person: User) -> Act:
    return Act(user=person, now=now(), settings=settings(), source="week")


def _read(text: str, today: date) -> date:
    try:
        return date.fromisoformat(text) if text else today
    except ValueError as error:
        raise InvalidInput(
            said("%(text)r is no day.", text=text[:20]), hint="Use 2025-10-31."
        ) from error


@blueprint.get("")
@blueprint.get("/<string:text>")
def show(text: str = "") -> str | Response:
    """Show the week a day is in."""
    person = context.user()
    today = day_of(now(), zone(person.timezone))
    return render_template("week.html", **_shown(person, _read(text, today), today))


def _shown(person: User, day: date, today: date) -> dict[str, Any]:
    days = week_days(day, person.week_start)
    extra = _remembered(days[0])
    found = weeks.sheet(db(), person, day, _act(person), extra=extra)
    totals = found.totals
    target = (person.weekly_target_minutes or 0) * 60
    return {
        "sheet": found,
        "totals": totals,
        "total": sum(totals),
        "today": today,
        "day": day,
        "number": week_number(day, person.week_start),
        "target": target,
        "daily": target // 5,
        "earlier": days[0] - timedelta(days=7),
        "later": days[0] + timedelta(days=7),
        "empty_last": not weeks.rows_of(
            db(), person, days[0] - timedelta(days=1), _act(person)
        ),
    }


def _remembered(first: date) -> list[weeks.RowKey]:
    """Return the rows somebody added to this week that hold no time yet."""
    kept = context.browser_session().get("week_rows", {}).get(first.isoformat(), [])
    return [(project, task) for project, task in kept]


def _remember(first: date, keys: list[weeks.RowKey]) -> None:
    session = context.browser_session()
    kept = dict(session.get("week_rows", {}))
    old = [tuple(key) for key in kept.get(first.isoformat(), [])]
    merged = dict.fromkeys([*old, *keys])
    kept[first.isoformat()] = [list(key) for key in merged]
    session["week_rows"] = dict(list(kept.items())[-6:])  # some weeks are enough


@blueprint.post("/cell")
def cell() -> Response:
    """Set one cell; answers with the whole grid as it is then."""
    person = demand("track")
    day = _read(forms.text("day"), now().date())
    text = forms.text("duration")
    seconds = durations.seconds(text) if text else 0
    key = forms.number_or_none("project_id"), forms.number_or_none("task_id")
    done = weeks.type_in(db(), person, key, (day, seconds), _act(person))
    _remember(week_days(day, person.week_start)[0], [key])
    commit()
    if done is None:
        return _grid(person, day, "")
    if done.entry.version == 1:
        tell_created(person, done, "week")
    elif done.entry.deleted_at is not None:
        track_event(person.id, "time_entry.deleted", {"bulk_count": 1})
    else:
        own = {"fields": list(done.fields), "bulk_count": 1}
        track_event(person.id, "time_entry.updated", own)
    said = durations.prose(seconds) if seconds else "Cleared"
    return _grid(person, day, said, undo=done.step.id)


def _grid(person: User, day: date, said: str, *, undo: int | None = None) -> Response:
    if not is_htmx():
        return redirect(url_for("week.show", text=day), code=HTTPStatus.SEE_OTHER)
    today = day_of(now(), zone(person.timezone))
    response = make_response(
        render_template("_week_grid.html", **_shown(person, day, today))
    )
    if said:
        response = toast(response, said, undo=undo)
        response.headers["HX-Trigger"] = response.headers["HX-Trigger"].replace(
            '"changed"', '"counted"'
        )  # the grid is here already; only the header has to look anew
    return response


@blueprint.post("/row")
def add_row() -> Response:
    """Show a row for a project and task."""
    person = demand("track")
    day = _read(forms.text("day"), now().date())
    key = forms.number_or_none("project_id"), forms.number_or_none("task_id")
    _remember(week_days(day, person.week_start)[0], [key])
    return _grid(person, day, "")


@blueprint.post("/copy")
def copy() -> Response:
    """Copy last week: its rows, or rows and hours."""
    person = demand("track")
    day = _read(forms.text("day"), now().date())
    first = week_days(day, person.week_start)[0]
    if request.form.get("hours") != "1":
        keys = weeks.rows_of(db(), person, first - timedelta(days=1), _act(person))
        _remember(first, keys)
        return _grid(person, day, "")
    made = weeks.copy_hours(db(), person, day, _act(person))
    step = None
    if made:
        step = undo.keep(
            db(), person, "week.copy", dict.fromkeys(done.entry.id for done in made), now()
        )
    commit()
    for done in made:
        tell_created(person, done, "week")
    said = f"{len(made)} entries copied" if made else "There was nothing to copy"
    return _grid(person, day, said, undo=step.id if step else None)
