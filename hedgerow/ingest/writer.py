"""The only mover: from the inbox to the store, in order, each thing exactly once.

One thread takes what was acknowledged, a batch at a time (``ahead`` has read it), has it
planned and commits it; events, people and the inbox position go in one transaction, so a
crash at any line repeats a batch whole or not at all. What goes wrong has one of two
answers:

- The store cannot be written (disk full, file locked): everything stays in the inbox and
  is tried again, ever more slowly up to ``LONGEST_WAIT_S``; one line in the log says why.
- Something in a batch cannot be stored: the batch is cut in halves until one event stands
  alone; that one is set aside with its reason, everything else is stored.
"""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Protocol

from hedgerow.errors import (
    Conflict,
    FlushTimedOut,
    HedgerowError,
    InvalidInput,
    NotFound,
    StoreUnavailable,
)
from hedgerow.ingest.ahead import Ahead, Ready
from hedgerow.ingest.batch import Timings
from hedgerow.ingest.cutting import BATCH_BYTES
from hedgerow.ingest.drafts import Place
from hedgerow.ingest.helping import Helper
from hedgerow.ingest.planning import Decode, Planner, Prepared, ProjectOf
from hedgerow.ingest.progress import Progress
from hedgerow.ingest.settling import Settling
from hedgerow.ingest.units import Unit, halves, set_aside
from hedgerow.model.changes import Changes, Store
from hedgerow.model.ports import Inbox

LOG = logging.getLogger(__name__)
TAKE_S = 0.05
IDLE_AFTER_S = 2.0
FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 5.0
TIDY_AGAIN_S = 30.0
"""After a fatal error the file must be opened again, which is not done in vain often."""

NOTHING: Mapping[int, int] = MappingProxyType({})


class Pending(Protocol):
    """How far the reader of an inbox is behind."""

    @property
    def count(self) -> int:
        """Requests."""
        ...

    @property
    def oldest(self) -> datetime | None:
        """When the oldest arrived, UTC."""
        ...


class Queue(Inbox, Protocol):
    """An inbox that says how much waits in it."""

    def pending(self, *, after: int) -> Pending:
        """Return how many requests follow ``after``, and since when the oldest waits."""
        ...


class Writer:
    """Moves everything from the inbox to the store; safe to ask from several threads."""

    def __init__(
        self,
        inbox: Queue,
        store: Store,
        *,
        decode: Decode,
        project_of_id: ProjectOf,
        place: Place | None = None,
        helper: Helper | None = None,
        batch_bytes: int = BATCH_BYTES,
    ) -> None:
        """``helper`` must decode and place as ``decode`` and ``place`` do."""
        self._inbox = inbox
        self._helper, self._batch_bytes = helper, batch_bytes
        self._store = store
        self.timings: Timings = defaultdict(float)
        """Seconds spent in each step since the start, by its name."""

        self._planner = Planner(
            decode=decode, project_of_id=project_of_id, place=place, timings=self.timings
        )
        self._progress = Progress(store.position())
        self.settling = Settling(store)
        self._ahead: Ahead | None = None
        self._retry = threading.Event()
        self._stopping = False
        self._drain_until = self._tidy_from = 0.0
        self._untidy: str | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to move, from where the store is."""
        after = self._store.position()
        waiting = self._inbox.pending(after=after).count
        if waiting:
            LOG.info(
                "Taking up after position %d: %d requests acknowledged before wait.",
                after,
                waiting,
            )
        self._ahead = Ahead(
            self._inbox,
            self._planner,
            after=after,
            helper=self._helper,
            batch_bytes=self._batch_bytes,
        )
        self._thread = threading.Thread(
            target=self._move_all, args=(self._ahead,), name="writer", daemon=True
        )
        self._thread.start()

    def stop(self, *, drain: bool = True, timeout_s: float = 4.0) -> None:
        """Stop moving; with ``drain`` only when all is stored, or the time is over."""
        self._drain_until = time.monotonic() + (timeout_s if drain else 0.0)
        self._stopping = True
        self.wake()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._ahead is not None:
            self._ahead.close()
            self._ahead = None

    def wake(self) -> None:
        """Look into the inbox now: somebody waits for what is in it."""
        self._retry.set()
        if self._ahead is not None:
            self._ahead.wake()

    def wait_for(self, position: int, timeout_s: float) -> None:
        """Return when everything up to a position of the inbox can be queried.

        Raises FlushTimedOut.
        """
        self.wake()
        if not self._progress.wait_for(position, timeout_s):
            raise FlushTimedOut(
                f"Not everything was written within {timeout_s:g} s.",
                hint=self._failure() or "Ask again, with a longer timeout_s.",
            )

    def flush(self, timeout_s: float) -> None:
        """Return when all that was acknowledged before can be queried."""
        self.wait_for(self._inbox.last_position(), timeout_s)

    def outcome(self, position: int, timeout_s: float) -> Mapping[str, Any]:
        """Return what an import or a command came to, once it can be queried.

        Raises what the command was refused with, or FlushTimedOut.
        """
        self.wait_for(position, timeout_s)
        found = self._progress.outcome(position)
        if "error" in found:
            raise _refusal(found)
        return found

    def state(self, project_id: int) -> Mapping[str, Any]:
        """Return how far a project's events are; what waits is counted over all projects.

        The inbox knows requests, so ``lag_events`` and ``accepted`` are estimates while
        something waits, and exact when nothing does.
        """
        pending = self._inbox.pending(after=self._store.position())
        waiting = round(pending.count * self._progress.events_each)
        lag_ms = 0.0
        if pending.oldest is not None:
            lag_ms = (datetime.now(UTC) - pending.oldest).total_seconds() * 1000
        written = self._store.written(project_id)
        rejected = self._progress.rejected[project_id]
        last = self._store.last_event_at(project_id)
        aside = self._store.aside(project_id)
        return {
            "accepted": written + rejected + waiting,
            "written": written,
            "lag_events": waiting,
            "lag_ms": max(0, round(lag_ms)),
            "rejected": rejected,
            "last_event_at": None if last is None else last.isoformat(),
            "failure": self._failure(),
            "set_aside": aside.count,
            "set_aside_latest": [
                {"at": one.at.isoformat(), "reason": one.reason, "body": one.body}
                for one in reversed(aside.latest)
            ],
        }

    def _failure(self) -> str | None:
        """Return why nothing gets on at present; None: all is well."""
        ahead = self._ahead
        return self._progress.failure or (ahead.failure if ahead else None) or self._untidy

    def _move_all(self, ahead: Ahead) -> None:
        """Move until stopped."""
        idle_since = time.monotonic()
        while not self._is_over():
            ready = ahead.take(TAKE_S)
            if ready is not None:
                self._persist(ready)
                idle_since = time.monotonic()
            elif self._stopping and self._has_all():
                return
            elif time.monotonic() - idle_since > IDLE_AFTER_S:
                self._rest()
                idle_since = time.monotonic()
            elif not self._stopping:
                self.settling.step()

    def _is_over(self) -> bool:
        return self._stopping and time.monotonic() >= self._drain_until

    def _has_all(self) -> bool:
        return self._store.position() >= self._inbox.last_position()

    def _persist(self, ready: Ready) -> None:
        """Carry a batch, trying again while the store cannot be written."""
        wait_s = FIRST_WAIT_S
        prepared = ready.prepared
        while True:
            try:
                self._store.mend()
                if ready.units:
                    self._carry_rest(ready.units, prepared)
                elif ready.upto > self._store.position():
                    self._commit(Changes(), ready.upto)
            except StoreUnavailable as error:
                self._progress.failed(str(error))
            except Exception as error:  # the outer loop: whatever it is, nothing is lost
                LOG.exception("A batch could be neither stored nor set aside.")
                self._progress.failed(repr(error))
            else:
                self._progress.recovered()
                self._tidy(idle=False)
                return
            prepared = None  # it can be planned once
            self._retry.clear()
            self._retry.wait(wait_s)
            if self._is_over():
                return
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    def _rest(self) -> None:
        """Use the time while nothing waits."""
        try:
            self._store.mend()
        except StoreUnavailable as error:
            self._progress.failed(str(error))
        else:
            self._progress.recovered()
            self._tidy(idle=True)

    def _tidy(self, *, idle: bool) -> None:
        """Let the store move its log; after a failure, not again for a while."""
        now = time.monotonic()
        if now < self._tidy_from:
            return
        try:
            self._store.checkpoint(idle=idle)
        except StoreUnavailable as error:
            if self._untidy is None:
                LOG.warning("The log of the events database stays long: %s", error)
            self._untidy = str(error)
            self._tidy_from = now + TIDY_AGAIN_S
        else:
            self._untidy = None

    def _carry_rest(self, units: list[Unit], prepared: Prepared | None) -> None:
        """Carry those units that are not stored yet."""
        left = [one for one in units if one.upto > self._store.position()]
        if left:
            self._carry(left, prepared if len(left) == len(units) else None)

    def _carry(self, units: list[Unit], prepared: Prepared | None = None) -> None:
        """Plan and commit units; cut out what cannot be stored."""
        try:
            self._store_units(units, prepared)
        except StoreUnavailable:
            raise
        except Exception as error:  # the outer loop: whatever it is, go on
            parts = halves([self._planner.read(one) for one in units])
            if parts is None and isinstance(error, MemoryError):
                raise StoreUnavailable(
                    f"The events database has too little memory: {error}",
                    hint="Nothing is lost; raise HEDGEROW_MEMORY_MIB if this stays so.",
                ) from error
            if parts is None:
                self._put_aside(self._planner.read(units[0]), error)
                return
            LOG.debug("A batch of %d units is cut in halves: %r", len(units), error)
            for part in parts:
                self._carry(part)

    def _store_units(self, units: list[Unit], prepared: Prepared | None) -> None:
        upto = units[-1].upto
        if units[0].queued.kind != "capture":
            self._commit(self._planner.asked(units[0], self._store.known), upto)
            return
        prepared = prepared or self._planner.prepared(units)
        changes = self._planner.planned(prepared, self._store.known)
        self._progress.carried(len(units), prepared.events)
        self._commit(changes, upto, rejected=prepared.unknown)

    def _commit(
        self, changes: Changes, upto: int, *, rejected: Mapping[int, int] = NOTHING
    ) -> None:
        started = time.perf_counter()
        self._store.commit(changes, upto=upto)
        self.timings["commit"] += time.perf_counter() - started
        self._inbox.forget(upto=upto)
        self._progress.wrote(upto, changes.outcomes, rejected)

    def _put_aside(self, unit: Unit, error: Exception) -> None:
        """Keep what cannot be stored, with the reason, and go on."""
        reason = str(error) if isinstance(error, HedgerowError) else f"{error!r}"
        LOG.error(
            "Set aside one %s of project %d (position %d): %s",
            "event" if unit.request else unit.queued.kind,
            unit.queued.project_id,
            unit.queued.position,
            reason,
            exc_info=error,
        )
        refused = {"error": "invalid_input", "what": reason, "hint": "It was set aside."}
        aside = Changes(
            set_aside=[set_aside(unit, reason)],
            outcomes={} if unit.request else {unit.queued.position: refused},
        )
        self._commit(aside, unit.upto, rejected={unit.queued.project_id: unit.size})


def _refusal(found: Mapping[str, Any]) -> HedgerowError:
    kinds: dict[str, type[HedgerowError]] = {"not_found": NotFound, "conflict": Conflict}
    kind = kinds.get(found["error"], InvalidInput)
    return kind(found["what"], hint=found.get("hint") or "", attr=found.get("attr"))
