"""What left, or why not: kept in batches, shown on "Privacy & analytics", downloaded.

Messages reach the log from whichever thread sends; one background thread writes them
a few times a second, so that no request waits for it. What becomes of a message is
known later (the analytics client reports failures only), hence ``settle``. Only the
last ``KEPT`` messages of the last ``KEPT_FOR`` stay.
"""

import json
import logging
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.models.database import Database
from app.models.records import TelemetryLog

HANDED_OVER, SENT, FAILED, DRY_RUN, NOT_SENT = (
    "handed over",
    "sent",
    "failed",
    "dry run",
    "not sent",
)
KEPT = 500
KEPT_FOR = timedelta(days=30)
PAUSE_S = 0.4
"""Between two batches."""
WAITING = 2000
"""Entries that may wait for a slow database; the oldest go first."""

logger = logging.getLogger("app.telemetry")


class Entry(NamedTuple):
    """A message that reached a gate."""

    at: datetime
    sink: str
    message: Mapping[str, Any]
    outcome: str
    detail: str


class Fate(NamedTuple):
    """What became of a message that was handed over."""

    uuid: str
    outcome: str
    detail: str
    took_ms: int | None


class Log:
    """The telemetry log of one process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: deque[Entry | Fate] = deque(maxlen=WAITING)
        self._rows: OrderedDict[str, int] = OrderedDict()
        self._writing = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def add(
        self, sink: str, message: Mapping[str, Any], outcome: str, detail: str = ""
    ) -> None:
        """Keep a message as it is now; returns at once."""
        self._put(Entry(datetime.now(UTC), sink, message, outcome, detail))

    def settle(
        self, uuid: str, outcome: str, *, detail: str = "", took_ms: int | None = None
    ) -> None:
        """Say what became of a message that was handed over."""
        self._put(Fate(uuid, outcome, detail, took_ms))

    def _put(self, item: Entry | Fate) -> None:
        self._waiting.append(item)
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._run, name="telemetry log", daemon=True
                )
                self._thread.start()
        self._wake.set()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            time.sleep(PAUSE_S)  # let a batch gather
            try:
                self.flush()
            except SQLAlchemyError as error:
                logger.warning("The telemetry log cannot be written: %s", error.__class__)

    def flush(self) -> None:
        """Write what waits, now."""
        with self._writing:
            items = [self._waiting.popleft() for _ in range(len(self._waiting))]
            if not items:
                return
            with self._database.writing() as session:
                for item in items:
                    if isinstance(item, Entry):
                        self._insert(session, item)
                    else:
                        self._update(session, item)
                _purge(session, datetime.now(UTC))

    def _insert(self, session: Session, entry: Entry) -> None:
        row = TelemetryLog(
            at=entry.at,
            sink=entry.sink,
            event=str(entry.message.get("event", ""))[:100],
            payload=json.dumps(entry.message, ensure_ascii=False, default=str),
            outcome=entry.outcome,
            detail=entry.detail[:300],
        )
        session.add(row)
        session.flush()
        self._rows[str(entry.message.get("uuid"))] = row.id
        while len(self._rows) > WAITING:
            self._rows.popitem(last=False)

    def _update(self, session: Session, fate: Fate) -> None:
        number = self._rows.get(fate.uuid)
        if number is None:
            return
        session.execute(
            update(TelemetryLog)
            .where(TelemetryLog.id == number, TelemetryLog.outcome == HANDED_OVER)
            .values(outcome=fate.outcome, detail=fate.detail[:300], took_ms=fate.took_ms)
        )


def _purge(session: Session, now: datetime) -> None:
    last = session.scalar(select(func.max(TelemetryLog.id))) or 0
    session.execute(
        delete(TelemetryLog).where(
            (TelemetryLog.id <= last - KEPT) | (TelemetryLog.at < now - KEPT_FOR)
        )
    )


def rows(session: Session, *, outcome: str = "", limit: int = KEPT) -> list[TelemetryLog]:
    """Return logged messages, the newest first; ``outcome`` empty means any."""
    wanted = select(TelemetryLog).order_by(TelemetryLog.id.desc()).limit(limit)
    if outcome:
        wanted = wanted.where(TelemetryLog.outcome == outcome)
    return list(session.scalars(wanted))
