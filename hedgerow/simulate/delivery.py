"""Send simulated events by the path every SDK uses: ``POST /batch/``, gzip.

A batch that the server refuses for a moment (503) is sent again; as every event has its own
uuid, sending one twice stores it once, so an interrupted simulation may be started again.
"""

import gzip
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

import msgspec

from hedgerow.errors import InboxUnavailable, InvalidInput

BATCH = 500
TRIES = 6
"""Each waits twice as long as the one before: 1, 2, 4, 8, 16 s."""


def deliver(
    events: Iterable[dict[str, Any]],
    *,
    url: str,
    token: str,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Send all events in order and return how many; ``progress`` hears of each batch.

    Raises InvalidInput when the server refuses for good, InboxUnavailable when it stays away.
    """
    address = f"{url.rstrip('/')}/batch/"
    sent = 0
    rest = iter(events)
    while batch := list(islice(rest, BATCH)):
        body = {"api_key": token, "historical_migration": True, "batch": batch}
        _post(address, gzip.compress(msgspec.json.encode(body), compresslevel=1))
        sent += len(batch)
        progress(len(batch))
    return sent


def _post(address: str, body: bytes) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    request = urllib.request.Request(  # noqa: S310 - the address is the operator's own
        address, data=body, headers=headers, method="POST"
    )
    for tried in range(TRIES):
        try:
            with urllib.request.urlopen(request, timeout=60):  # noqa: S310 - as above
                return
        except urllib.error.HTTPError as refused:
            if refused.code < 500:
                told = refused.read().decode(errors="replace")
                raise InvalidInput(
                    f"{address} answered {refused.code}: {told}.",
                    hint="Is the token that of a project there?",
                ) from refused
        except OSError:
            pass  # not reachable: the wait below is the remedy
        time.sleep(2**tried)
    raise InboxUnavailable(
        f"{address} does not take events.", hint="Is `hedgerow serve` running there?"
    )
