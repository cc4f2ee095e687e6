"""When settled events are put in order: in the writer's thread, while nothing waits.

What is moved, and in which order it lies then, is the store's; here is only the pace: one
piece at a time, at most one part in ``REST_EACH`` of the time, so that questions have the
machine. Whoever runs ``hedgerow compact`` wishes for the next piece at once.
"""

import logging
import queue
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLate
from datetime import UTC, datetime

from hedgerow.errors import FlushTimedOut, StoreUnavailable
from hedgerow.model.changes import Compacted, Store

LOG = logging.getLogger(__name__)
REST_EACH = 4.0
FIRST_AFTER_S = 10.0
PAUSE_S = 2.0
TRY_AGAIN_S = 60.0
"""Seconds after a failure."""

Wish = Future[Compacted | None]


def utc_now() -> datetime:
    """Return the time now, in UTC."""
    return datetime.now(UTC)


class Settling:
    """Puts events in order, a piece at a time; wishes come from any thread."""

    def __init__(self, store: Store, clock: Callable[[], datetime] = utc_now) -> None:
        self._store, self._clock = store, clock
        self._wished: queue.SimpleQueue[Wish] = queue.SimpleQueue()
        self._from = time.monotonic() + FIRST_AFTER_S

    def step(self) -> None:
        """Put a piece in order if it is time or somebody wishes it; the writer's thread."""
        began = time.monotonic()
        wished = [self._wished.get() for _ in range(self._wished.qsize())]
        wished = [one for one in wished if one.set_running_or_notify_cancel()]
        if began < self._from and not wished:
            return
        pause_s = PAUSE_S
        try:
            done = self._store.compact(self._clock(), look=bool(wished))
        except (StoreUnavailable, MemoryError) as error:
            LOG.warning("Events stay in the order in which they came for now: %s", error)
            pause_s = TRY_AGAIN_S
            for one in wished:
                one.set_exception(error)
        else:
            for one in wished:
                one.set_result(done)
        took_s = time.monotonic() - began
        self._from = time.monotonic() + max(pause_s, (REST_EACH - 1) * took_s)

    def now(self, timeout_s: float) -> Compacted | None:
        """Have the next piece put in order; None: nothing is to be done.

        Raises FlushTimedOut while there is always something to be written instead, and
        StoreUnavailable or MemoryError where it went wrong.
        """
        wish: Wish = Future()
        self._wished.put(wish)
        try:
            return wish.result(timeout_s)
        except TooLate as error:
            wish.cancel()
            raise FlushTimedOut(
                f"The writer was never idle within {timeout_s:g} s.",
                hint="Try again while fewer events come.",
            ) from error
