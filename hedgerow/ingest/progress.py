"""How far the writer is, and what became of what it carried.

Told by the writer's thread, asked by any. What imports and commands came to is kept by
their position until somebody asks; the oldest are forgotten first.
"""

import logging
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Mapping
from typing import Any

LOG = logging.getLogger(__name__)
OUTCOMES_KEPT = 10_000


class Progress:
    """Outcomes, refusals and the present trouble, if there is one."""

    def __init__(self, position: int) -> None:
        self._position = position
        self._written = threading.Condition()
        self._outcomes: OrderedDict[int, Mapping[str, Any]] = OrderedDict()
        self.rejected: defaultdict[int, int] = defaultdict(int)
        """Project to number of events that were acknowledged and not stored."""

        self.failure: str | None = None
        """Why nothing can be written at present."""

        self._requests = self._events = 0

    def carried(self, requests: int, events: int) -> None:
        """Note how many captures were carried, and how many events they held."""
        self._requests += requests
        self._events += events

    @property
    def events_each(self) -> float:
        """How many events a request has had on average; at least 1."""
        return max(1.0, self._events / self._requests) if self._requests else 1.0

    def wrote(
        self,
        upto: int,
        outcomes: Mapping[int, Mapping[str, Any]],
        rejected: Mapping[int, int],
    ) -> None:
        """Note what has been committed, and wake who waits for it."""
        with self._written:
            self._position = upto
            for project_id, count in rejected.items():
                self.rejected[project_id] += count
            self._outcomes |= outcomes
            while len(self._outcomes) > OUTCOMES_KEPT:
                self._outcomes.popitem(last=False)
            self._written.notify_all()

    def wait_for(self, position: int, timeout_s: float) -> bool:
        """Return whether a position of the inbox was reached before the time is over."""
        with self._written:
            return self._written.wait_for(lambda: self._position >= position, timeout_s)

    def outcome(self, position: int) -> Mapping[str, Any]:
        """Hand over what an import or a command came to; nothing if it is not known."""
        with self._written:
            return self._outcomes.pop(position, {})

    def failed(self, why: str) -> None:
        """Note why nothing can be written; said once for each reason."""
        if why != self.failure:
            LOG.error("%s", why)
        self.failure = why

    def recovered(self) -> None:
        """Note that writing works."""
        if self.failure is not None:
            LOG.warning("The events database can be written again, after: %s", self.failure)
            self.failure = None
