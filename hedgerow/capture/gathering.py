"""What comes in during one turn of the event loop goes to the inbox together.

A sync of the disk costs as much as some ten requests do, whether it is for one or for
hundreds, and each handing over to the inbox's thread and back costs too. So requests are
gathered until the loop has read all sockets that had something to say, then handed over
at once, and told at once. Alone, a request waits for nobody.
"""

import asyncio
from functools import partial

from hedgerow.errors import InboxUnavailable
from hedgerow.inbox import Outcome, SqliteInbox, Told
from hedgerow.inbox_file import Entry


class Gathering:
    """Used by the one event loop only."""

    def __init__(self, inbox: SqliteInbox) -> None:
        self._inbox = inbox
        self._entries: list[Entry] = []
        self._told: list[Told] = []

    def keep(self, entry: Entry, told: Told) -> None:
        """Take a request; ``told`` is called in the loop, with its position or an error.

        Raises InboxUnavailable when there is no room; then nothing is told.
        """
        self._inbox.refuse_if_full(len(entry.body))
        if not self._entries:
            asyncio.get_running_loop().call_soon(self._hand_over)
        self._entries.append(entry)
        self._told.append(told)

    def _hand_over(self) -> None:
        entries, told = self._entries, self._told
        self._entries, self._told = [], []
        back = partial(_from_thread, asyncio.get_running_loop(), told)
        try:
            self._inbox.put(entries, back)
        except InboxUnavailable as error:
            _tell(told, error)


def _from_thread(
    loop: asyncio.AbstractEventLoop, told: list[Told], outcome: Outcome
) -> None:
    loop.call_soon_threadsafe(_tell, told, outcome)


def _tell(told: list[Told], outcome: Outcome) -> None:
    """Tell each what came of it; ``outcome`` is the first one's position, or an error."""
    if isinstance(outcome, InboxUnavailable):
        for call in told:
            call(outcome)
    else:
        for position, call in enumerate(told, outcome):
            call(position)
