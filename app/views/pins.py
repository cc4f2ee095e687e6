"""Pins on the dashboard: put there from an entry's menu, started, moved, taken off."""

from http import HTTPStatus

from flask import Blueprint, redirect, url_for
from werkzeug.wrappers import Response

from app.languages import gettext as _
from app.tracking import once, pins, suggestions, timers
from app.views import forms
from app.views.context import commit, db, demand, now, settings
from app.views.entries import done
from app.views.pages import is_htmx
from app.views.timer import same_timer, told_start

blueprint = Blueprint("pins", __name__, url_prefix="/pins")


@blueprint.post("/entry/<int:number>")
def pin(number: int) -> Response:
    """Pin what an own entry is about."""
    person = demand("track")
    pins.pin(db(), person, suggestions.own_entry(db(), person, number))
    commit()
    return _done(_("Pinned to the dashboard"))


@blueprint.post("/<int:number>/start")
def start(number: int) -> Response:
    """Start a timer about what is pinned."""
    person = demand("track")
    pinned = pins.find(db(), person, number)
    if not once.first_time(db(), person, forms.text("key"), now()):
        return same_timer()
    about = pins.about(db(), person, pinned)
    started = timers.start(db(), person, about, now(), settings=settings())
    commit()
    return told_start(person, started, "dashboard")


@blueprint.post("/<int:number>/move")
def move(number: int) -> Response:
    """Let a pin change places with the one before it, or after it."""
    person = demand("track")
    pins.move(db(), person, number, up=forms.text("to") == "up")
    commit()
    return _done("")


@blueprint.post("/<int:number>/off")
def take_off(number: int) -> Response:
    """Forget a pin."""
    person = demand("track")
    pins.take_off(db(), person, number)
    commit()
    return _done(_("No longer pinned"))


def _done(said: str) -> Response:
    if said or is_htmx():
        return done(said)
    return redirect(url_for("dashboard.today"), code=HTTPStatus.SEE_OTHER)
