"""How many bytes of bodies may be on their way in at once.

A body stays in memory until it is on disk; many large ones at the same time would add up
to any size. So each asks for room before its first byte is read. Where there is none, the
answer is 503 with ``Retry-After``, which every SDK survives. One alone is always let in,
whatever its size.

Used by the one event loop only.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from hedgerow.errors import InboxUnavailable

INFLATED_AT_ONCE = 2
"""Large bodies that are inflated and read at the same time; one more waits, as it came."""


class Admission:
    """Lets bodies in as long as all of them together stay below ``most_bytes``."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._taken = 0
        self.inflating = asyncio.Semaphore(INFLATED_AT_ONCE)

    @contextmanager
    def room(self, size: int) -> Iterator[None]:
        """Keep room for ``size`` bytes while a body is here. Raises InboxUnavailable."""
        if not self.enter(size):
            raise InboxUnavailable(
                f"{self._taken} bytes of other requests are being received.",
                hint="Send it again later; see HEDGEROW_MEMORY_MIB if this stays so.",
            )
        try:
            yield
        finally:
            self.leave(size)

    def enter(self, size: int) -> bool:
        """Keep room for ``size`` bytes until ``leave``, if there is any."""
        if self._taken and self._taken + size > self._most:
            return False
        self._taken += size
        return True

    def leave(self, size: int) -> None:
        """Give back room that was kept."""
        self._taken -= size
