"""One batch ahead: read, decoded and enriched while the store commits the one before.

The engine lets go of the interpreter while it works, so both get on at the same time. At
most one finished batch waits; with the one being made and the one being committed three
are in memory, each bounded by ``cutting``. What waits in the inbox makes a batch at once,
be it little, so a quiet server does not wait for a batch to fill.
"""

import logging
import threading
from collections import deque
from collections.abc import Sequence
from itertools import takewhile

import msgspec

from hedgerow.errors import StoreUnavailable
from hedgerow.ingest.cutting import BATCH_BYTES, batches
from hedgerow.ingest.helping import WAITING, Helper, HelperLost, Job
from hedgerow.ingest.planning import Planner, Prepared
from hedgerow.ingest.units import Unit
from hedgerow.model.ports import Inbox, Queued

LOG = logging.getLogger(__name__)
READ_BYTES = 4 * 1024 * 1024
JOB_BYTES = 1024 * 1024
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

    def __init__(
        self,
        inbox: Inbox,
        planner: Planner,
        *,
        after: int,
        helper: Helper | None = None,
        batch_bytes: int = BATCH_BYTES,
    ) -> None:
        """``batch_bytes``: how much text makes a batch."""
        self._batch_bytes = batch_bytes
        self._inbox = inbox
        self._planner = planner
        self._after = after
        self._helper = helper
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
        if self._helper is not None:
            self._helper.interrupt()
        self._thread.join()
        if self._helper is not None:
            self._helper.stop()

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
                if self._helper is not None:
                    self._helper.rest()
                self._wake.wait(LOOK_EVERY_S)
                self._wake.clear()

    def _read(self) -> bool:
        """Make batches of what waits; return whether there was anything."""
        last = self._inbox.last_position()
        if last <= self._after:
            return False
        queued = self._inbox.read(
            after=self._after, limit_bytes=min(READ_BYTES, self._batch_bytes)
        )
        if not queued:
            self._hand_over(Ready(units=[], upto=last))
        captures = _captures(queued)
        for units in batches(map(self._planner.unit, queued), self._batch_bytes):
            if self._helper is not None and self._helper.is_there(_size(captures)):
                self._read_with(self._helper, captures)
                break
            self._hand_over(self._prepared(units))
            if self._closed:
                break
            captures = captures[len(units) :]
        return True

    def _read_with(self, helper: Helper, captures: list[Queued]) -> None:
        """Let the helper prepare what waits, until nothing does or something else comes."""
        asked: deque[list[Queued]] = deque()
        try:
            while not self._closed:
                while captures and len(asked) < WAITING:
                    ids = {one.project_id for one in captures}
                    projects = self._planner.projects(ids)
                    job = Job(
                        queued=captures, projects=projects, batch_bytes=self._batch_bytes
                    )
                    helper.ask(job)
                    asked.append(captures)
                    after = captures[-1].position
                    captures = _captures(
                        self._inbox.read(after=after, limit_bytes=JOB_BYTES)
                    )
                if not asked:
                    return
                self._take_answer(helper, asked.popleft())
        except HelperLost:
            if not self._closed:
                helper.lose()
        except StoreUnavailable:  # shows again where the events are carried
            helper.stop()
        if self._closed or asked:
            helper.stop()

    def _take_answer(self, helper: Helper, queued: list[Queued]) -> None:
        done = 0
        while (made := helper.answer()) is not None:
            part = queued[done : done + made.count]
            done += made.count
            units = [Unit(queued=one, request=None, upto=one.position) for one in part]
            self._hand_over(
                Ready(units=units, upto=part[-1].position, prepared=made.prepared)
            )

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


def _size(queued: list[Queued]) -> int:
    """Return the bytes of bodies as they lie in the inbox."""
    return sum(len(one.body) for one in queued)


def _captures(queued: Sequence[Queued]) -> list[Queued]:
    """Return the captures before anything else."""
    return list(takewhile(lambda one: one.kind == "capture", queued))
