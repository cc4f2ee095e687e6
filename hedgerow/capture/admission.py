"""How many bytes of bodies may be on their way in at once.

A body stays in memory until it is on disk; many large ones at the same time would add up
to any size. So each large one asks for room before its first byte is read. Where there
is none, the answer is 503 with ``Retry-After``, which every SDK survives. One alone is
always let in, whatever its size.

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
        if self._taken and self._taken + size > self._most:
            raise InboxUnavailable(
                f"{self._taken} bytes of other requests are being received.",
                hint="Send it again later; see HEDGEROW_MEMORY_MIB if this stays so.",
            )
        self._taken += size
        try:
            yield
        finally:
            self._taken -= size
