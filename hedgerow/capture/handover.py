"""From the inbox's thread back to the event loop, many results at a time.

``asyncio.wrap_future`` wakes the loop once for every request, by a write to a pipe. A
group of requests becomes durable at one moment, so one wake-up is enough for all.
"""

import asyncio
from collections import deque
from concurrent.futures import Future


class Handover:
    """Lets coroutines wait for futures that another thread settles."""

    def __init__(self) -> None:
        self._settled: deque[tuple[asyncio.Future[int], Future[int]]] = deque()
        self._woken = False

    async def result(self, future: "Future[int]") -> int:
        """Return the future's result, or raise what it raises."""
        if future.done():
            return future.result()
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[int] = loop.create_future()

        def settle(done: "Future[int]") -> None:
            self._settled.append((waiter, done))
            if not self._woken:
                self._woken = True
                loop.call_soon_threadsafe(self._hand_over)

        future.add_done_callback(settle)
        return await waiter

    def _hand_over(self) -> None:
        self._woken = False  # first: what settles from here on wakes the loop again
        while self._settled:
            waiter, done = self._settled.popleft()
            if waiter.done():  # its client went away
                continue
            error = done.exception()
            if error is None:
                waiter.set_result(done.result())
            else:
                waiter.set_exception(error)
