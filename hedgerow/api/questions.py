"""Questions that are being answered, by the name their askers gave them.

A question asked ``async`` is answered in a thread of its own and its answer kept for an
hour; one that somebody waits for is here only so that it can be cancelled by name.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import msgspec

from hedgerow.errors import Conflict, HedgerowError, NotFound

KEPT_FOR = timedelta(hours=1)
KEPT_MAX = 200
"""Answers kept in memory; the oldest go first."""


class Asked(msgspec.Struct, kw_only=True):
    """One question and how far it is."""

    project_id: int
    id: str
    started_at: datetime
    cancel: threading.Event
    ended_at: datetime | None = None
    answer: Any = None
    error: HedgerowError | None = None


class Questions:
    """Those under way and those just answered; safe to use from several threads."""

    def __init__(self, threads: int, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._by_name: OrderedDict[tuple[int, str], Asked] = OrderedDict()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="question")

    def begin(
        self, project_id: int, name: str, cancel: threading.Event | None = None
    ) -> Asked:
        """Note that a question is being answered. Raises Conflict: that name is in use."""
        asked = Asked(
            project_id=project_id,
            id=name,
            started_at=self._clock(),
            cancel=cancel or threading.Event(),
        )
        with self._lock:
            self._forget_old()
            held = self._by_name.get((project_id, name))
            if held is not None and held.ended_at is None:
                raise Conflict(
                    f"The question {name!r} is still being answered.",
                    hint="Wait for it, cancel it, or choose another client_query_id.",
                    attr="client_query_id",
                )
            self._by_name[project_id, name] = asked
            self._by_name.move_to_end((project_id, name))
        return asked

    def start(self, asked: Asked, answer: Callable[[threading.Event], Any]) -> None:
        """Answer a question in another thread."""
        self._pool.submit(self._answer, asked, answer)

    def end(self, asked: Asked) -> None:
        """Note that a question somebody waited for is done with."""
        with self._lock:
            self._by_name.pop((asked.project_id, asked.id), None)

    def find(self, project_id: int, name: str) -> Asked:
        """Return a question by its name. Raises NotFound."""
        with self._lock:
            self._forget_old()
            asked = self._by_name.get((project_id, name))
        if asked is None:
            raise NotFound(
                f"No question {name!r} is under way or just answered.",
                hint="Answers of asynchronous questions are kept for an hour.",
            )
        return asked

    def cancel(self, project_id: int, name: str) -> None:
        """Stop answering a question. Raises NotFound."""
        asked = self.find(project_id, name)
        asked.cancel.set()

    def close(self) -> None:
        """Stop answering all of them."""
        with self._lock:
            for asked in self._by_name.values():
                asked.cancel.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _answer(self, asked: Asked, answer: Callable[[threading.Event], Any]) -> None:
        try:
            asked.answer = answer(asked.cancel)
        except HedgerowError as error:
            asked.error = error
        asked.ended_at = self._clock()

    def _forget_old(self) -> None:
        now = self._clock()
        ended = [
            name
            for name, asked in self._by_name.items()
            if asked.ended_at is not None and now - asked.ended_at > KEPT_FOR
        ]
        ended += list(self._by_name)[: max(0, len(self._by_name) - KEPT_MAX)]
        for name in ended:
            self._by_name.pop(name, None)
