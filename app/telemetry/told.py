"""What is told of timers and entries, whoever asked: screens, the API, jobs.

Coarse on purpose: durations in steps of five minutes, no texts, no ids, no amounts.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from app.models.entries import TimeEntry
from app.models.people import User
from app.telemetry.context import coarse_minutes, local_moment
from app.tracking.days import day_of, zone
from app.tracking.entries import Done
from app.tracking.timers import Started

Told = tuple[str, dict[str, Any]]
"""Name and properties of an event."""

MOST_BREAKS, MOST_DAYS = 20, 366


def started(person: User, done: Started, origin: str, now: datetime) -> list[Told]:
    """Return what a start tells: the timer it replaced first."""
    entry, old = done.entry, done.replaced
    properties = {
        **local_moment(now, person.timezone),
        "has_project": entry.project_id is not None,
        "has_task": entry.task_id is not None,
        "has_description": bool(entry.description),
        "billable": entry.billable,
        "origin": origin,
        "replaced_running": old is not None,
    }
    before = [stopped(person, old, now)] if old is not None else []
    return [*before, ("timer.started", properties)]


def stopped(person: User, entry: TimeEntry, now: datetime) -> Told:
    """Return what a stop tells; one in the second it began threw the timer away."""
    if entry.deleted_at is not None:
        return discarded(person, entry, now)
    where = zone(entry.timezone)
    start, end = entry.started_at, entry.ended_at
    crossed = bool(
        start and end and day_of(start, where) != day_of(end - timedelta(seconds=1), where)
    )
    return "timer.stopped", {
        **local_moment(now, person.timezone),
        "duration_minutes": coarse_minutes(entry.seconds or 0),
        "breaks": min(len(entry.breaks), MOST_BREAKS),
        "stopped_by": entry.stopped_by,
        "crossed_midnight": crossed,
        "has_project": entry.project_id is not None,
    }


def discarded(person: User, entry: TimeEntry, now: datetime) -> Told:
    """Return what throwing a running timer away tells."""
    ran = entry.deleted_at or now
    length = (ran - entry.started_at).total_seconds() if entry.started_at else 0
    moment: Mapping[str, int] = local_moment(now, person.timezone)
    return "timer.discarded", {**moment, "duration_minutes": coarse_minutes(length)}


def created(person: User, done: Done, origin: str, now: datetime) -> Told:
    """Return what an entry made without the timer tells."""
    today = day_of(now, zone(person.timezone))
    return "time_entry.created", {
        "entry_kind": done.entry.kind,
        "origin": origin,
        "days_back": min(max((today - done.entry.local_date).days, 0), MOST_DAYS),
        "overlap_warned": bool(done.overlapping),
    }
