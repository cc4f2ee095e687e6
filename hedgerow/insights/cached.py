"""Answers kept while they are true, and one computation for one question.

The key holds everything an answer depends on, the version of the project's data included,
so an old answer is never found under a new question. Whoever asks what is being computed
already waits for that; if it fails or its asker gives up, the next one computes.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from hedgerow.errors import QueryCancelled
from hedgerow.model.ports import Cancel

MOST_ANSWERS = 1_000
LOOK_EVERY_S = 0.05
"""How often somebody who waits looks whether they still want to."""

Answer = dict[str, Any]


class Cache:
    """The latest answers of all projects, the least recently asked given up first."""

    def __init__(self, most: int = MOST_ANSWERS) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Answer] = OrderedDict()
        self._computing: dict[str, threading.Event] = {}

    def find(self, key: str) -> Answer | None:
        """Return a kept answer."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def keep(self, key: str, answer: Answer) -> None:
        """Keep an answer."""
        with self._lock:
            self._kept[key] = answer
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def once(
        self, key: str, compute: Callable[[], Answer], cancel: Cancel | None
    ) -> tuple[Answer, bool]:
        """Return the answer and whether it was there, or made by somebody else.

        Raises what ``compute`` raises, and QueryCancelled.
        """
        while (others := self._begin(key)) is not None:
            while not others.wait(LOOK_EVERY_S):
                if cancel is not None and cancel.is_set():
                    raise QueryCancelled("Nobody waits for this answer.", hint="Ask again.")
            if (found := self.find(key)) is not None:
                return found, True
        try:
            if (found := self.find(key)) is not None:
                return found, True
            answer = compute()
            self.keep(key, answer)
            return answer, False
        finally:
            self._end(key)

    def _begin(self, key: str) -> threading.Event | None:
        """Take the computation of a key; return what to wait for if somebody has it."""
        with self._lock:
            others = self._computing.get(key)
            if others is None:
                self._computing[key] = threading.Event()
            return others

    def _end(self, key: str) -> None:
        with self._lock:
            self._computing.pop(key).set()
