"""Waiting for a number to change, without holding a thread while nothing happens."""

import asyncio
from collections.abc import AsyncIterator, Callable

from starlette.concurrency import run_in_threadpool

LOOK_EVERY_S = 0.5
SIGN_OF_LIFE_S = 15
"""Proxies close a connection on which nothing moves."""


async def changes(version: Callable[[], int]) -> AsyncIterator[int]:
    """Yield the version whenever it changes, and now and then though it did not."""
    last = await run_in_threadpool(version)
    quiet_s = 0.0
    yield last
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        quiet_s += LOOK_EVERY_S
        now = await run_in_threadpool(version)
        if now != last or quiet_s >= SIGN_OF_LIFE_S:
            last, quiet_s = now, 0.0
            yield now
