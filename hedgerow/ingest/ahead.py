"""One batch ahead: read, decoded and enriched while the store commits the one before.

The engine lets go of the interpreter while it works, so both get on at the same time. At
most one finished batch waits; with the one being made and the one being committed three
are in memory, each bounded by ``cutting``. What waits in the inbox makes a batch at once,
be it little, so a quiet server does not wait for a batch to fill.
"""

import logging
import threading

import msgspec

from hedgerow.ingest.cutting import batches
from hedgerow.ingest.planning import Planner, Prepared
from hedgerow.ingest.units import Unit
from hedgerow.model.ports import Inbox

LOG = logging.getLogger(__name__)
READ_BYTES = 4 * 1024 * 1024
LOOK_EVERY_S = 0.01
AFTER_TROUBLE_S = 1.0


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """A batch to be carried."""

    units: list[Unit]
    """None: positions up to ``upto`` were acknowledged and cannot be read any more."""

    upto: int
    prepared: Prepared | None = None
    """Captures only, and only if nothing went wrong on the way."""


class Ahead:
    """Reads the inbox in a thread of its own, from a position on."""

    def __init__(self, inbox: Inbox, planner: Planner, *, after: int) -> None:
        self._inbox = inbox
        self._planner = planner
        self._after = after
        self._change = threading.Condition()
        self._ready: Ready | None = None
        self._closed = False
        self._wake = threading.Event()
        self.failure: str | None = None
        """Why the inbox cannot be read at present."""

        self._thread = threading.Thread(target=self._read_all, name="reader", daemon=True)
        self._thread.start()

    def take(self, timeout_s: float) -> Ready | None:
        """Return the next batch; None if there is none within the time."""
        with self._change:
            self._change.wait_for(lambda: self._ready is not None, timeout_s)
            found, self._ready = self._ready, None
            self._change.notify_all()
        return found

    def wake(self) -> None:
        """Look into the inbox now."""
        self._wake.set()

    def close(self) -> None:
        """Stop reading; what was read and not taken is still in the inbox."""
        with self._change:
            self._closed = True
            self._change.notify_all()
        self._wake.set()
        self._thread.join()

    def _read_all(self) -> None:
        """Read until closed."""
        while not self._closed:
            try:
                found = self._read()
            except Exception as error:  # the inbox's disk; what is in it can wait
                if self.failure is None:
                    LOG.exception("The inbox cannot be read.")
                self.failure = f"The inbox cannot be read: {error!r}."
                self._wake.wait(AFTER_TROUBLE_S)
                continue
            self.failure = None
            if not found:
                self._wake.wait(LOOK_EVERY_S)
                self._wake.clear()

    def _read(self) -> bool:
        """Make batches of what waits; return whether there was anything."""
        last = self._inbox.last_position()
        if last <= self._after:
            return False
        queued = self._inbox.read(after=self._after, limit_bytes=READ_BYTES)
        if not queued:
            self._hand_over(Ready(units=[], upto=last))
        for units in batches(map(self._planner.unit, queued)):
            self._hand_over(self._prepared(units))
            if self._closed:
                break
        return True

    def _prepared(self, units: list[Unit]) -> Ready:
        prepared = None
        if units[0].queued.kind == "capture":
            try:
                prepared = self._planner.prepared(units)
            except Exception as error:  # noqa: BLE001 - it comes again when they are carried
                LOG.debug("A batch of %d units is not prepared: %r", len(units), error)
        return Ready(units=units, upto=units[-1].upto, prepared=prepared)

    def _hand_over(self, ready: Ready) -> None:
        """Let the batch wait until there is nothing before it."""
        with self._change:
            self._change.wait_for(lambda: self._ready is None or self._closed)
            self._ready = ready
            self._after = ready.upto
            self._change.notify_all()
