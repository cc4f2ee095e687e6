"""Mailing what is subscribed to: note what is due, ask for its figures, send each once.

The figures are asked for before a mail is claimed, so that a process that dies over a
long question sends it after its start.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from hedgerow.alerts import mail
from hedgerow.alerts.webhooks import NotDelivered
from hedgerow.errors import HedgerowError
from hedgerow.meta import outgoing, subscriptions
from hedgerow.meta.database import Metadata
from hedgerow.meta.subscriptions import Letter
from hedgerow.meta.tables_subscriptions import Subscription, SubscriptionMessage
from hedgerow.model.projects import Project
from hedgerow.settings import Settings

LOG = logging.getLogger(__name__)


class Write(Protocol):
    """Writes what is mailed."""

    def __call__(self, row: Subscription) -> Letter:
        """Raises HedgerowError where there is nothing to show any more."""
        ...


def note_due(
    metadata: Metadata, project_of: Callable[[int], Project | None], now: datetime
) -> int:
    """Put down the mails of all that is due, and return how many subscriptions were."""
    with metadata.reading() as session:
        rows = subscriptions.due(session, now)
    for row in rows:
        project = project_of(row.project_id)
        if project is not None:
            with metadata.writing() as session:
                subscriptions.record(session, project, row, now)
    return len(rows)


def send_waiting(
    metadata: Metadata, settings: Settings, write: Write, clock: Callable[[], datetime]
) -> int:
    """Send the mails that are due and return how many left."""
    sent = 0
    letters: dict[int, Letter] = {}
    while True:
        with metadata.reading() as session:
            found = subscriptions.waiting(session, clock())
        if found is None:
            return sent
        number, message = found.delivery.id, found.message
        try:
            letter = letters[number] = letters.get(number) or write(found.row)
        except HedgerowError as error:
            LOG.warning("Subscription %d has nothing to send: %s", found.row.id, error)
            with metadata.writing() as session:
                subscriptions.give_up(session, number, str(error))
            continue
        with metadata.writing() as session:
            claimed = subscriptions.claim(session, message.id, letter.trouble)
        if not claimed:
            continue
        why = _sent(settings, message.target, letter)
        sent += not why
        with metadata.writing() as session:
            outgoing.settle(session, SubscriptionMessage, message.id, why, clock())


def try_out(
    settings: Settings, row: Subscription, write: Write, to: str
) -> list[tuple[str, str]]:
    """Mail it now to ``to`` alone; return the address with why it failed, or nothing."""
    try:
        letter = write(row)
    except HedgerowError as error:
        return [(to, str(error))]
    return [(to, _sent(settings, to, letter))]


def _sent(settings: Settings, to: str, letter: Letter) -> str:
    """Send a letter and return why it did not arrive; empty: it did."""
    try:
        mail.send(settings, to, letter.subject, letter.text, html=letter.html)
    except NotDelivered as failure:
        LOG.warning("A subscription was not mailed: %s", failure)
        return str(failure)
    return ""
