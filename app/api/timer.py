"""The timer: ``/timer`` and what can be done with it."""

from typing import Any

from sqlalchemy import select

from app.api import kinds, shown
from app.api.call import Answer, Call
from app.api.shapes import Complaint, InvalidFields, Shape, may
from app.models.entries import TimeEntry
from app.models.work import Tag
from app.people import roles
from app.telemetry import told
from app.telemetry.context import coarse_minutes, local_moment
from app.tracking import timers
from app.tracking.timers import LONGEST_TEXT, About

MOST_TAGS = 50

ABOUT = {
    "project": may(kinds.ident("project"), null=True),
    "task": may(kinds.ident("task"), "One of the project's own.", null=True),
    "description": may(kinds.text(LONGEST_TEXT)),
    "billable": may(kinds.flag, "As the project says unless given.", null=True),
    "tags": may(kinds.list_of(kinds.ident("tag"), MOST_TAGS)),
}
START = Shape("TimerStart", ABOUT)
NOTHING = Shape("Nothing", {})


def about(call: Call, body: dict[str, Any], old: TimeEntry | None = None) -> About:
    """Return what a body says the time is spent on; the rest as ``old`` has it."""
    tags = body.get("tags")
    if tags is not None:
        _refuse_unknown_tags(call, tags)
    if "rate_override" in body:
        roles.demand(call.user, "rates.manage", call.settings)
    rate: dict[str, Any] = {
        "sets_rate": "rate_override" in body,
        "rate_override": body.get("rate_override"),
    }
    if old is None:
        return About(
            project_id=body.get("project"),
            task_id=body.get("task"),
            description=body.get("description", ""),
            billable=body.get("billable"),
            tag_ids=tags or (),
            **rate,
        )
    project = body.get("project", old.project_id)
    task = body.get("task", old.task_id if project == old.project_id else None)
    return About(
        project_id=project,
        task_id=task,
        description=body.get("description", old.description),
        billable=body.get("billable", old.billable),
        tag_ids=[tag.id for tag in old.tags] if tags is None else tags,
        **rate,
    )


def prices_shown(call: Call) -> bool:
    """Return whether this person is shown what time costs."""
    return roles.may(call.user, "rates.see", call.settings)


def _refuse_unknown_tags(call: Call, numbers: list[int]) -> None:
    found = set(call.session.scalars(select(Tag.id).where(Tag.id.in_(numbers))))
    if set(numbers) - found:
        raise InvalidFields([Complaint("tags", "One of these tags does not exist.")])


def _entry(call: Call, entry: TimeEntry) -> Answer:
    call.session.flush()
    call.session.refresh(entry)
    return Answer(
        body=shown.entry(entry, call.now, rates=prices_shown(call)),
        headers=shown.etag(entry),
    )


def read_timer(call: Call) -> Answer:
    """Return the running timer, going or paused; 204 where none runs."""
    entry = timers.running(call.session, call.user)
    if entry is None:
        return Answer(status=204)
    return _entry(call, entry)


def start_timer(call: Call) -> Answer:
    """Start a timer now; one that runs is stopped at the same instant."""
    done = timers.start(
        call.session,
        call.user,
        about(call, dict(call.body)),
        call.now,
        settings=call.settings,
        source="api",
    )
    for name, properties in told.started(call.user, done, "api", call.now):
        call.tell(name, properties)
    return _entry(call, done.entry)


def pause_timer(call: Call) -> Answer:
    """Begin a break; a timer that is paused already stays so."""
    entry = timers.pause(call.session, call.user, call.now)
    call.tell("timer.paused", local_moment(call.now, call.user.timezone))
    return _entry(call, entry)


def resume_timer(call: Call) -> Answer:
    """End the break."""
    entry, took = timers.resume(call.session, call.user, call.now)
    moment = local_moment(call.now, call.user.timezone)
    call.tell("timer.resumed", {**moment, "break_minutes": coarse_minutes(took)})
    return _entry(call, entry)


def stop_timer(call: Call) -> Answer:
    """End the timer now, or at the beginning of the break it is in.

    One stopped in the second it began has no length: it comes back as deleted.
    """
    done = timers.stop(
        call.session, call.user, call.now, settings=call.settings, stopped_by="api"
    )
    call.tell(*told.stopped(call.user, done.entry, call.now))
    return _entry(call, done.entry)


def discard_timer(call: Call) -> Answer:
    """Throw the timer away: into the trash."""
    done = timers.discard(call.session, call.user, call.now)
    call.tell(*told.discarded(call.user, done.entry, call.now))
    return _entry(call, done.entry)
