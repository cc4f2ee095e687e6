"""Telling people: the words of a message, and sending what waits, each once."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from hedgerow.alerts import mail, webhooks
from hedgerow.alerts.webhooks import NotDelivered
from hedgerow.meta import alerts, outgoing
from hedgerow.meta.alerts import Leaving
from hedgerow.meta.database import Metadata
from hedgerow.meta.tables_alerts import Alert, AlertMessage
from hedgerow.settings import Settings

LOG = logging.getLogger(__name__)

SAYS = {
    alerts.FIRING: "fires",
    alerts.QUIET: "is back to normal",
    alerts.ERRORED: "could not be checked",
    "Test": "is being tried out",
}


def send_waiting(
    metadata: Metadata, settings: Settings, base: str, clock: Callable[[], datetime]
) -> int:
    """Send the messages that are due and return how many left.

    ``base`` is the address people find this server at.
    """
    sent = 0
    while (one := _next(metadata, clock())) is not None:
        alert, check, message = one.alert, one.check, one.message
        told = _told(alert, check.state, check.text, check.at, base)
        told |= {"id": message.id, "value": check.value}
        error = ""
        try:
            _send(settings, alert, message.channel, message.target, told, clock())
            sent += 1
        except NotDelivered as failure:
            error = str(failure)
            LOG.warning("Alert %d was not told to all: %s", alert.id, error)
        with metadata.writing() as session:
            outgoing.settle(session, AlertMessage, message.id, error, clock())
    return sent


def _next(metadata: Metadata, now: datetime) -> Leaving | None:
    with metadata.writing() as session:
        return alerts.claim(session, now)


def try_out(
    metadata: Metadata, settings: Settings, alert: Alert, base: str, now: datetime
) -> list[tuple[str, str]]:
    """Send a test to all who would be told; return each target with why it failed."""
    text = alert.last_text or "It has not been looked at yet."
    told = {**_told(alert, "Test", text, now, base), "id": 0, "value": None}
    with metadata.reading() as session:
        targets = alerts.targets(session, alert)
    found = []
    for channel, target in targets:
        try:
            _send(settings, alert, channel, target, told, now)
            found.append((target, ""))
        except NotDelivered as failure:
            found.append((target, str(failure)))
    return found


def _told(alert: Alert, state: str, text: str, at: datetime, base: str) -> dict[str, Any]:
    return {
        "alert": {"id": alert.id, "name": alert.name},
        "project_id": alert.project_id,
        "state": state,
        "text": text,
        "at": at.isoformat(),
        "url": f"{base}/p/{alert.project_id}/alerts/{alert.id}",
    }


def _send(
    settings: Settings,
    alert: Alert,
    channel: str,
    target: str,
    told: dict[str, Any],
    now: datetime,
) -> None:
    if channel == "webhook":
        private = settings.alert_private_networks
        webhooks.call(target, alert.webhook_secret, told, now, private=private)
        return
    subject = f"[Hedgerow] {alert.name} {SAYS[told['state']]}"
    text = f"{told['text']}\n\n{told['url']}\n"
    mail.send(settings, target, subject, text)
