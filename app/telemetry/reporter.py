"""All of one process that reports: clients, gate, log, and what waits to be sent.

``create_app`` makes one with ``install`` and keeps it in ``app.extensions``. Requests
hand events to the analytics client, which sends by itself. What goes to the telemetry
sink is sent where waiting hurts nobody: on the scheduler's thread (``app.jobs``), which
empties the ``outbox``.
"""

import atexit
import threading
import time
from collections import deque
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from flask import Flask, current_app, has_app_context
from posthog import Posthog

from app.config import VERSION
from app.models.database import Database
from app.models.records import Installation
from app.telemetry import consent, installation, sinks
from app.telemetry.failures import Hourly
from app.telemetry.gate import Gate
from app.telemetry.log import FAILED, SENT, Log
from app.telemetry.messages import Message
from app.telemetry.sinks import ANALYTICS, TELEMETRY, Clients, Sink

EXTENSION = "reporter"


class Reporter:
    """What reports for one process."""

    def __init__(self, config: Mapping[str, Any], database: Database) -> None:
        """Take the live configuration: a switch patched later counts at once."""
        self.config, self.database = config, database
        self.started_at = datetime.now(UTC)
        self.log = Log(database)
        self.watch = consent.Watch(config, database)
        self.hourly = Hourly()
        self.outbox: deque[Message] = deque(maxlen=sinks.QUEUE)
        self.wake = threading.Event()
        """Set when the scheduler has something to do before its next round."""
        self.retry_at: datetime | None = None
        """Until then the telemetry sink, which did not answer, is left alone."""
        self.failed_on: date | None = None
        self._clients = Clients(self._client)
        self._fingerprint: str | None = None

    def start(self) -> None:
        """Make sure of the fingerprint, note an update and consent by configuration.

        A read-only installation tells nothing and is not written to.
        """
        if self.config["READ_ONLY"]:
            return
        with self.database.writing() as session:
            now = datetime.now(UTC)
            folder = self.config["DATA_DIR"]
            row = installation.ensure(session, folder, VERSION, now)
            consent.note_configuration(session, self.config, now)
            self._fingerprint = installation.fingerprint(row)
        self.watch.forget()

    @property
    def fingerprint(self) -> str:
        """The id of this installation."""
        if self._fingerprint is None:
            with self.database.reading() as session:
                row = session.get_one(Installation, 1)
                self._fingerprint = installation.fingerprint(row)
        return self._fingerprint

    def forget_answers(self) -> None:
        """Look anew at consent and fingerprint, after either was changed."""
        self._fingerprint = None
        self.watch.forget()
        self.wake.set()

    def _client(self, at: Sink, name: str) -> Posthog:
        gate = Gate(name, self.config, self.watch, self.log)
        return sinks.client(at, name, before_send=gate, on_error=self._failed)

    def _failed(self, error: Exception, batch: list[dict[str, Any]]) -> None:
        """Note that the analytics client gave a batch up."""
        for message in batch:
            self.log.settle(str(message.get("uuid")), FAILED, detail=str(error))

    def reports_to(self, name: str) -> bool:
        """Whether a sink is configured."""
        return sinks.sink(self.config, name) is not None

    def tell(self, message: Message) -> None:
        """Hand a message to the analytics client, which sends it a moment later."""
        to = self._clients.get(self.config, ANALYTICS)
        if to is not None:
            sinks.deliver(to, message)

    def post(self, message: Message) -> None:
        """Leave a message for the scheduler to send to the telemetry sink."""
        self.outbox.append(message)
        self.wake.set()

    def send(self, message: Message) -> bool:
        """Send to the telemetry sink now, waiting for the answer; say whether it took it."""
        to = self._clients.get(self.config, TELEMETRY)
        if to is None:
            return False
        began = time.monotonic()
        uuid = sinks.deliver(to, message)
        took_ms = round((time.monotonic() - began) * 1000)
        if uuid is not None:
            self.log.settle(uuid, SENT, took_ms=took_ms)
        elif message.uuid is not None:
            reason = "no answer, or refused"
            self.log.settle(message.uuid, FAILED, detail=reason, took_ms=took_ms)
        return uuid is not None

    def flush(self) -> None:
        """Let what is queued go, for a moment, and write the log."""
        self._clients.flush()
        self.log.flush()

    def close(self) -> None:
        """End: flush for a moment, let the clients' threads go."""
        self._clients.close()
        self.log.flush()


def install(app: Flask, database: Database) -> Reporter:
    """Give an application its reporter; the schema must be there already."""
    reporter = Reporter(app.config, database)
    reporter.start()
    app.extensions[EXTENSION] = reporter
    atexit.register(reporter.close)
    return reporter


def of_app() -> Reporter | None:
    """Return the reporter of the current application, if there is one."""
    if not has_app_context():
        return None
    found = current_app.extensions.get(EXTENSION)
    return found if isinstance(found, Reporter) else None
