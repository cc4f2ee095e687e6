"""A process that takes events in and moves them, until it is killed.

    python writer_child.py FOLDER FIRST

Appends requests numbered from FIRST on and prints each number once it is on disk.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import msgspec

from hedgerow.inbox import SqliteInbox
from hedgerow.ingest.writer import Writer
from hedgerow.model.events import CapturedEvent, CapturedRequest
from hedgerow.model.projects import Project
from hedgerow.store.on_duckdb import DuckStore

PROJECT = Project(id=1, name="crash", api_token="phc_x")
EVENTS_EACH = 5


def decode(queued):
    """Read a request as this file wrote it."""
    events = msgspec.json.decode(queued.body, type=list[CapturedEvent])
    return CapturedRequest(token=PROJECT.api_token, sent_at=None, events=events)


def request(number):
    """Return the body of a request: every fifth event merges two people."""
    events = [
        CapturedEvent(
            uuid=str(uuid5(NAMESPACE_URL, f"{number}/{place}")),
            name="$identify" if place == 0 else "did",
            distinct_id=f"user-{number % 7}",
            properties={"$anon_distinct_id": f"anon-{number}", "number": number},
            set={"last": number},
        )
        for place in range(EVENTS_EACH)
    ]
    return msgspec.json.encode(events)


def opened(folder):
    """Return inbox, store and writer on a folder."""
    store = DuckStore(folder / "events.duckdb")
    inbox = SqliteInbox(folder / "inbox.sqlite", beyond=store.position())
    return (
        inbox,
        store,
        Writer(inbox, store, decode=decode, project_of_id=lambda _: PROJECT),
    )


def main():
    """Append for ever."""
    folder, number = Path(sys.argv[1]), int(sys.argv[2])
    inbox, _, writer = opened(folder)
    writer.start()
    while True:
        inbox.append(1, "capture", datetime.now(UTC), b"{}", request(number)).result()
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
        number += 1


if __name__ == "__main__":
    main()
