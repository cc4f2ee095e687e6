"""Entries and what they are spent on, as the API shows them."""

from datetime import UTC, datetime
from typing import Any

from app.api import kinds
from app.api.idents import word, word_or_none
from app.api.shapes import Shape, given, nested
from app.models.entries import TimeEntry
from app.tracking import timers
from app.tracking.timers import LONGEST_TEXT

BREAK = Shape(
    "Break",
    {
        "start": given(kinds.instant),
        "end": given(kinds.instant, "Null while the timer is paused.", null=True),
    },
)
ENTRY = Shape(
    "Entry",
    {
        "id": given(kinds.ident("entry")),
        "user": given(kinds.ident("user")),
        "kind": given(kinds.one_of("timed", "duration")),
        "start": given(kinds.instant, "Null where it is only a length.", null=True),
        "end": given(kinds.instant, "Null while it runs.", null=True),
        "timezone": given(kinds.text(64), "The zone it was recorded in."),
        "date": given(kinds.day, "Its day in that zone."),
        "seconds": given(kinds.whole(), "Worked, breaks taken off; so far while it runs."),
        "running": given(kinds.flag),
        "breaks": given(kinds.list_of(nested(BREAK), 10_000)),
        "project": given(kinds.ident("project"), null=True),
        "task": given(kinds.ident("task"), null=True),
        "client": given(kinds.ident("client"), null=True),
        "description": given(kinds.text(LONGEST_TEXT)),
        "tags": given(kinds.list_of(kinds.ident("tag"), 10_000)),
        "billable": given(kinds.flag),
        "rate_override": given(
            kinds.whole(),
            "Minor units an hour instead of the rates; null also where not shown.",
            null=True,
        ),
        "stopped_by": given(
            kinds.one_of("user", "replaced", "max_duration", "admin", "api"), null=True
        ),
        "checked_at": given(
            kinds.instant, "When somebody said that it is right as it is.", null=True
        ),
        "created_by": given(kinds.ident("user"), null=True),
        "source": given(kinds.one_of("timer", "manual", "week", "import", "api")),
        "incomplete": given(kinds.flag, "Something the installation asks for is missing."),
        "deleted": given(kinds.flag, "It is in the trash."),
        "version": given(kinds.whole(), "The same number is its `ETag`."),
        "created_at": given(kinds.instant),
        "updated_at": given(kinds.instant),
    },
)


def iso(moment: datetime | None) -> str | None:
    """Return a time in UTC as the API writes it."""
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def entry(one: TimeEntry, now: datetime, *, rates: bool) -> dict[str, Any]:
    """Return an entry as JSON; ``rates`` says whether prices are shown."""
    project = one.project
    return {
        "id": word("entry", one.id),
        "user": word("user", one.user_id),
        "kind": one.kind,
        "start": iso(one.started_at),
        "end": iso(one.ended_at),
        "timezone": one.timezone,
        "date": one.local_date.isoformat(),
        "seconds": timers.worked_seconds(one, one.deleted_at or now),
        "running": one.is_running,
        "breaks": [
            {"start": iso(b.started_at), "end": iso(b.ended_at)} for b in one.breaks
        ],
        "project": word_or_none("project", one.project_id),
        "task": word_or_none("task", one.task_id),
        "client": word_or_none("client", project.client_id if project else None),
        "description": one.description,
        "tags": [word("tag", tag.id) for tag in one.tags],
        "billable": one.billable,
        "rate_override": one.rate_override if rates else None,
        "stopped_by": one.stopped_by,
        "checked_at": iso(one.checked_at),
        "created_by": word_or_none("user", one.created_by_id),
        "source": one.source,
        "incomplete": one.incomplete,
        "deleted": one.deleted_at is not None,
        "version": one.version,
        "created_at": iso(one.created_at),
        "updated_at": iso(one.updated_at),
    }


def etag(one: TimeEntry) -> dict[str, str]:
    """Return the header that names this version of an entry."""
    return {"ETag": f'"{one.version}"'}
