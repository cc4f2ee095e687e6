"""Today: what was done, what can be continued with one click, what should be looked at."""

from datetime import date
from typing import NamedTuple

from flask import Blueprint, render_template
from sqlalchemy import select

from app.models.entries import TimeEntry
from app.models.people import User
from app.tracking import forgotten, pins, recorded, timers
from app.tracking.days import day_of, week_days, zone
from app.tracking.recorded import with_details
from app.views import context
from app.views.context import db, now, settings

blueprint = Blueprint("dashboard", __name__)

TO_CHECK = 20
"""Most entries the to-check list shows."""


class Bar(NamedTuple):
    """One day of the week's bars."""

    day: date
    seconds: int
    target: int


class Doubt(NamedTuple):
    """An entry that should be looked at, and why."""

    entry: TimeEntry
    why: str


@blueprint.get("/")
def today() -> str:
    """Show the day so far."""
    person = context.user()
    day = day_of(now(), zone(person.timezone))
    week = week_days(day, person.week_start)
    entries = recorded.of_days(db(), person, week[0], week[-1])
    pieces = recorded.pieces(entries, week[0], week[-1], now())
    sums = recorded.totals(pieces)
    of_today = [piece for piece in reversed(pieces) if piece.day == day]
    return render_template(
        "dashboard.html",
        day=day,
        pieces=of_today,
        total=sums.get(day, 0),
        bars=_bars(person, week, sums),
        week_total=sum(sums.values()),
        pinned=pins.listed(db(), person),
        recent=recorded.recent(db(), person),
        doubts=doubts(person),
    )


def _bars(person: User, week: list[date], sums: dict[date, int]) -> list[Bar]:
    target = (person.weekly_target_minutes or 0) * 60
    worked = [day for day in week if day.isoweekday() <= 5]
    return [Bar(day, sums.get(day, 0), target // 5 if day in worked else 0) for day in week]


def doubts(person: User) -> list[Doubt]:
    """Return this person's entries that something is odd about, newest first."""
    query = (
        select(TimeEntry)
        .where(
            TimeEntry.user_id == person.id,
            TimeEntry.deleted_at.is_(None),
            TimeEntry.checked_at.is_(None),
            TimeEntry.incomplete | (TimeEntry.stopped_by == "max_duration"),
        )
        .order_by(TimeEntry.local_date.desc(), TimeEntry.id.desc())
        .limit(TO_CHECK)
    )
    found = [
        Doubt(entry, "incomplete" if entry.incomplete else "stopped")
        for entry in db().scalars(with_details(query))
    ]
    running = timers.running(db(), person)
    if running is not None and forgotten.to_ask(running, now(), settings()):
        found.insert(0, Doubt(running, "long"))
    return found
