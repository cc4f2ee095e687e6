"""What the installation tells, when it is due: sent one by one, marked one by one.

Runs on the scheduler's thread, under a lease of the database. A crash between sending
and marking repeats a message with the same uuid, which makes it one event. Where the
sink does not answer, the next try is an hour later; days that were missed are not made
up for.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import NamedTuple

from app.config import VERSION
from app.models.records import Installation
from app.telemetry import installation, messages
from app.telemetry.log import FAILED
from app.telemetry.messages import Facts, Message
from app.telemetry.reporter import Reporter
from app.telemetry.sinks import TELEMETRY

AGAIN = timedelta(hours=1)
"""After a sink did not answer."""

MANY_DAYS = 3
"""Failing days in a row that raise a line in the log."""


class Step(NamedTuple):
    """Messages that go together, and what to note once they went."""

    messages: list[Message]
    mark: Callable[[Installation], None]


def steps(
    row: Installation, told: Facts, now: datetime, started_at: datetime
) -> list[Step]:
    """Return what is due, in the order of sending."""
    due = []
    health_is_due = installation.health_is_due(row, now, started_at)
    if health_is_due and installation.groups_are_due(row, told, now):
        due.append(Step(messages.group_messages(told, now), _groups(told, now)))
    if row.install_sent_at is None:
        due.append(Step([messages.install(told, now)], _stamp("install_sent_at", now)))
    if health_is_due:
        both = [messages.health(told, now), messages.heartbeat(told, now)]
        due.append(Step(both, _health(now)))
    if row.first_seen_sent_at is None:
        seen = [messages.first_seen(told, now)]
        due.append(Step(seen, _stamp("first_seen_sent_at", now)))
    if row.pending_update:
        update = [messages.update(told, now, row.pending_update)]
        due.append(Step(update, _stamp("pending_update", None)))
    return due


def _stamp(column: str, value: datetime | None) -> Callable[[Installation], None]:
    return lambda row: setattr(row, column, value)


def _groups(told: Facts, now: datetime) -> Callable[[Installation], None]:
    def mark(row: Installation) -> None:
        row.groups_sent_at, row.groups_sent = now, messages.group_properties(told)

    return mark


def _health(now: datetime) -> Callable[[Installation], None]:
    def mark(row: Installation) -> None:
        row.health_sent_at, row.health_date, row.failing_days = now, now.date(), 0

    return mark


def due(reporter: Reporter, now: datetime) -> list[Step]:
    """Return what this installation should tell now, as far as it may."""
    if not reporter.reports_to(TELEMETRY) or reporter.watch.glance().layer == "off":
        return []
    if reporter.retry_at is not None and now < reporter.retry_at:
        return []
    with reporter.database.reading() as session:
        row = session.get(Installation, 1)
        if row is None or row.copy_noticed_at is not None:
            return []
        told = installation.facts(session, reporter.config, VERSION)
        return steps(row, told, now, reporter.started_at)


def tell(reporter: Reporter, now: datetime) -> int:
    """Send what is due; return how many messages went."""
    sent = 0
    for step in due(reporter, now):
        for message in step.messages:
            if not _went(reporter, message):
                _note_failure(reporter, now)
                return sent
            sent += 1
        with reporter.database.writing() as session:
            step.mark(session.get_one(Installation, 1))
    reporter.retry_at = None
    return sent


def _went(reporter: Reporter, message: Message) -> bool:
    """Send one message; in a dry run it went as far as it ever will."""
    return reporter.send(message) or bool(reporter.config["TELEMETRY_DRY_RUN"])


def _note_failure(reporter: Reporter, now: datetime) -> None:
    """Try again later; count the days without an answer."""
    reporter.retry_at = now + AGAIN
    with reporter.database.writing() as session:
        row = session.get_one(Installation, 1)
        if reporter.failed_on == now.date():
            return
        reporter.failed_on = now.date()
        row.failing_days += 1
        if row.failing_days == MANY_DAYS:
            remark = {"event": "telemetry.health", "note": _remark(row.health_date)}
            reporter.log.add(TELEMETRY, remark, FAILED, "no answer on three days in a row")


def _remark(last: date | None) -> str:
    return f"The last message that was taken: {last.isoformat() if last else 'none yet'}."


def empty_outbox(reporter: Reporter) -> int:
    """Send what requests left for the telemetry sink; return how many there were."""
    count = 0
    while reporter.outbox:
        reporter.send(reporter.outbox.popleft())
        count += 1
    return count
