"""The only mover: from the inbox to the store, in order, each thing exactly once.

One thread reads what was acknowledged, has it planned and commits it; events, people and
the inbox position go in one transaction, so a crash at any line repeats a batch whole or
not at all. What goes wrong has one of two answers:

- The store cannot be written (disk full, file locked): everything stays in the inbox and
  is tried again, ever more slowly up to ``LONGEST_WAIT_S``; one line in the log says why.
- Something in a batch cannot be stored: the batch is cut in halves until one event stands
  alone; that one is set aside with its reason, everything else is stored.
"""

import logging
import threading
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from hedgerow.errors import (
    Conflict,
    FlushTimedOut,
    HedgerowError,
    InvalidInput,
    NotFound,
    StoreUnavailable,
)
from hedgerow.ingest import commands, imports
from hedgerow.ingest.batch import Timings, plan, prepare
from hedgerow.ingest.drafts import Arrived, Place
from hedgerow.ingest.units import Unit, halves, set_aside
from hedgerow.model.changes import Changes, Store
from hedgerow.model.events import CapturedRequest
from hedgerow.model.ports import Inbox, Queued
from hedgerow.model.projects import Project

LOG = logging.getLogger(__name__)
BATCH_EVENTS = 4000
"""Events a commit holds under load; a large request may bring more."""

READ_BYTES = 4 * 1024 * 1024
LOOK_EVERY_S = 0.01
IDLE_AFTER_S = 2.0
FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 5.0
OUTCOMES_KEPT = 10_000

Decode = Callable[[Queued], CapturedRequest]
ProjectOf = Callable[[int], Project | None]


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
    ) -> None:
        self._inbox = inbox
        self._store = store
        self._decode = decode
        self._project_of_id = project_of_id
        self._place = place
        self._written = threading.Condition()
        self._outcomes: OrderedDict[int, Mapping[str, Any]] = OrderedDict()
        self._wake = threading.Event()
        self._stopping = False
        self._drain_until = 0.0
        self._thread: threading.Thread | None = None
        self._failure: str | None = None
        self._rejected: defaultdict[int, int] = defaultdict(int)
        self._unknown: Mapping[int, int] = {}
        self._requests = self._events = 0
        self.timings: Timings = defaultdict(float)
        """Seconds spent in each step since the start, by its name."""

    def start(self) -> None:
        """Begin to move, from where the store is."""
        waiting = self._inbox.pending(after=self._store.position()).count
        if waiting:
            LOG.info(
                "Taking up after position %d: %d requests acknowledged before wait.",
                self._store.position(),
                waiting,
            )
        self._thread = threading.Thread(target=self._move_all, name="writer", daemon=True)
        self._thread.start()

    def stop(self, *, drain: bool = True, timeout_s: float = 4.0) -> None:
        """Stop moving; with ``drain`` only when all is stored, or the time is over."""
        self._drain_until = time.monotonic() + (timeout_s if drain else 0.0)
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def wake(self) -> None:
        """Look into the inbox now: somebody waits for what is in it."""
        self._wake.set()

    def wait_for(self, position: int, timeout_s: float) -> None:
        """Return when everything up to a position of the inbox can be queried.

        Raises FlushTimedOut.
        """
        self.wake()
        with self._written:
            if not self._written.wait_for(
                lambda: self._store.position() >= position, timeout_s
            ):
                raise FlushTimedOut(
                    f"Not everything was written within {timeout_s:g} s.",
                    hint=self._failure or "Ask again, with a longer timeout_s.",
                )

    def flush(self, timeout_s: float) -> None:
        """Return when all that was acknowledged before can be queried."""
        self.wait_for(self._inbox.last_position(), timeout_s)

    def outcome(self, position: int, timeout_s: float) -> Mapping[str, Any]:
        """Return what an import or a command came to, once it can be queried.

        Raises what the command was refused with, or FlushTimedOut.
        """
        self.wait_for(position, timeout_s)
        with self._written:
            found = self._outcomes.pop(position, {})
        if "error" in found:
            raise _refusal(found)
        return found

    def state(self, project_id: int) -> Mapping[str, Any]:
        """Return how far a project's events are; what waits is counted over all projects.

        The inbox knows requests, so ``lag_events`` and ``accepted`` are estimates while
        something waits, and exact when nothing does.
        """
        pending = self._inbox.pending(after=self._store.position())
        each = max(1.0, self._events / self._requests) if self._requests else 1.0
        waiting = round(pending.count * each)
        lag_ms = 0.0
        if pending.oldest is not None:
            lag_ms = (datetime.now(UTC) - pending.oldest).total_seconds() * 1000
        written, rejected = self._store.written(project_id), self._rejected[project_id]
        last = self._store.last_event_at(project_id)
        return {
            "accepted": written + rejected + waiting,
            "written": written,
            "lag_events": waiting,
            "lag_ms": max(0, round(lag_ms)),
            "rejected": rejected,
            "last_event_at": None if last is None else last.isoformat(),
            "failure": self._failure,
        }

    def _move_all(self) -> None:
        """Move until stopped."""
        idle_since = time.monotonic()
        while not self._is_over():
            if self._move():
                idle_since = time.monotonic()
                continue
            self._wake.clear()
            if self._stopping:
                return
            if time.monotonic() - idle_since > IDLE_AFTER_S:
                self._store.checkpoint(idle=True)
                idle_since = float("inf")
            self._wake.wait(LOOK_EVERY_S)

    def _is_over(self) -> bool:
        return self._stopping and time.monotonic() >= self._drain_until

    def _move(self) -> bool:
        """Carry what waits, a batch at a time; return whether there was anything."""
        after = self._store.position()
        if self._inbox.last_position() <= after:
            return False
        queued = self._inbox.read(after=after, limit_bytes=READ_BYTES)
        for batch in self._batches(queued):
            self._persist(batch)
            if self._is_over():
                break
        return bool(queued)

    def _batches(self, queued: Sequence[Queued]) -> Iterator[list[Unit]]:
        """Yield units to commit together: captures by number of events, others alone."""
        batch: list[Unit] = []
        size = 0
        for one in queued:
            unit = self._unit(one)
            if batch and (one.kind != "capture" or size + unit.size > BATCH_EVENTS):
                yield batch
                batch, size = [], 0
            if one.kind == "capture":
                batch.append(unit)
                size += unit.size
            else:
                yield [unit]
        if batch:
            yield batch

    def _unit(self, queued: Queued) -> Unit:
        request = None
        if queued.kind == "capture":
            started = time.perf_counter()
            try:
                request = self._decode(queued)
            except Exception:  # noqa: BLE001 - what it is shows again, alone, when it is carried
                LOG.debug("Position %d cannot be decoded.", queued.position)
            self.timings["decode"] += time.perf_counter() - started
        return Unit(queued=queued, request=request, upto=queued.position)

    def _persist(self, units: list[Unit]) -> None:
        """Carry units, trying again while the store cannot be written."""
        wait_s = FIRST_WAIT_S
        while True:
            try:
                self._carry([one for one in units if one.upto > self._store.position()])
            except StoreUnavailable as error:
                self._failed(str(error))
            except Exception as error:  # the outer loop: whatever it is, nothing is lost
                LOG.exception("A batch could be neither stored nor set aside.")
                self._failed(repr(error))
            else:
                self._recovered()
                return
            self._wake.clear()
            self._wake.wait(wait_s)
            if self._is_over():
                return
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    def _carry(self, units: list[Unit]) -> None:
        """Plan and commit units; cut out what cannot be stored."""
        if not units:
            return
        try:
            changes = self._planned(units)
            self._commit(changes, units[-1].upto)
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - the outer loop: whatever it is, go on
            parts = halves(units)
            if parts is None:
                self._put_aside(units[0], error)
                return
            LOG.debug("A batch of %d units is cut in halves: %r", len(units), error)
            for part in parts:
                self._carry(part)

    def _planned(self, units: Sequence[Unit]) -> Changes:
        unit = units[0]
        match unit.queued.kind:
            case "capture":
                return self._captures(units)
            case "persons" | "groups":
                return self._import(unit)
            case "command":
                return self._command(unit)

    def _captures(self, units: Sequence[Unit]) -> Changes:
        arrived = []
        unknown: defaultdict[int, int] = defaultdict(int)
        for unit in units:
            request = unit.request or self._decode(unit.queued)
            project = self._project_of_id(unit.queued.project_id)
            self._requests += 1
            self._events += len(request.events)
            if project is None:
                unknown[unit.queued.project_id] += len(request.events)
                continue
            arrived.append(
                Arrived(
                    project=project, received_at=unit.queued.received_at, request=request
                )
            )
        batch = prepare(arrived, place=self._place, timings=self.timings)
        started = time.perf_counter()
        known = self._store.known(batch.wanted)
        self.timings["look_up"] += time.perf_counter() - started
        self._unknown = unknown
        return plan(batch, known, timings=self.timings)

    def _import(self, unit: Unit) -> Changes:
        queued = unit.queued
        project = self._project(queued)
        if queued.kind == "persons":
            people = imports.read_persons(queued.body)
            known = self._store.known(imports.wanted_by_persons(project, people))
            return imports.plan_persons(
                project, people, known, at=queued.received_at, position=queued.position
            )
        groups = imports.read_groups(queued.body)
        known = self._store.known(imports.wanted_by_groups(project, groups))
        return imports.plan_groups(
            project, groups, known, at=queued.received_at, position=queued.position
        )

    def _command(self, unit: Unit) -> Changes:
        queued = unit.queued
        project = self._project(queued)
        asked = msgspec.json.decode(queued.body, type=dict[str, Any])
        known = self._store.known(commands.wanted(project, asked))
        return commands.plan_command(
            project, asked, known, at=queued.received_at, position=queued.position
        )

    def _project(self, queued: Queued) -> Project:
        """Return the project; one deleted since still has rows that a command may mean."""
        found = self._project_of_id(queued.project_id)
        return found or Project(id=queued.project_id, name="", api_token="")

    def _commit(self, changes: Changes, upto: int) -> None:
        started = time.perf_counter()
        self._store.commit(changes, upto=upto)
        self.timings["commit"] += time.perf_counter() - started
        self._inbox.forget(upto=upto)
        for project_id, count in self._unknown.items():
            self._rejected[project_id] += count
        self._unknown = {}
        with self._written:
            self._outcomes |= changes.outcomes
            while len(self._outcomes) > OUTCOMES_KEPT:
                self._outcomes.popitem(last=False)
            self._written.notify_all()
        self._store.checkpoint(idle=False)

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
        self._rejected[unit.queued.project_id] += unit.size
        refused = {"error": "invalid_input", "what": reason, "hint": "It was set aside."}
        aside = Changes(
            set_aside=[set_aside(unit, reason)],
            outcomes={} if unit.request else {unit.queued.position: refused},
        )
        self._commit(aside, unit.upto)

    def _failed(self, why: str) -> None:
        if why != self._failure:
            LOG.error("%s", why)
        self._failure = why

    def _recovered(self) -> None:
        if self._failure is not None:
            LOG.warning(
                "The events database can be written again, after: %s", self._failure
            )
            self._failure = None


def _refusal(found: Mapping[str, Any]) -> HedgerowError:
    kinds: dict[str, type[HedgerowError]] = {"not_found": NotFound, "conflict": Conflict}
    kind = kinds.get(found["error"], InvalidInput)
    return kind(found["what"], hint=found.get("hint") or "", attr=found.get("attr"))
