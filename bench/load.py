"""How fast do acknowledged events become queryable?

Fills a real inbox with requests of a hundred events (gzip, about 440 bytes of JSON and
twelve properties each, one in ten an identity event), then lets the writer move them and
measures events per second, from reading the first to the last one being queryable.

    python bench/load.py [--events 200000] [--people 20000] [--before 0] [--no-helper]

``--before`` loads so many events first, to see how speed holds as the database grows;
``--no-helper`` decodes in the writer's own process.
"""

import argparse
import gzip
import json
import random
import resource
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from hedgerow.inbox import SqliteInbox
from hedgerow.ingest.helping import Helper
from hedgerow.ingest.writer import Writer
from hedgerow.model.projects import Project
from hedgerow.serve.budget import shares
from hedgerow.serve.helper import command, decoded
from hedgerow.store.on_duckdb import DuckStore

PROJECT = Project(id=1, name="bench", api_token="phc_bench")
NAMES = ("$pageview", "timer started", "timer stopped", "report viewed", "export completed")


MEMORY_MIB = 512
"""The setting's default, which says how large batches are."""


def event(random: random.Random, number: int, people: int) -> dict[str, object]:
    """Return one event of a made-up web application."""
    person = random.randrange(people)
    at = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=number % 2_000_000)
    made: dict[str, object] = {
        "uuid": str(UUID(int=random.getrandbits(128), version=4)),
        "event": random.choice(NAMES),
        "distinct_id": f"user-{person}",
        "timestamp": at.isoformat(),
        "properties": {
            "$browser": random.choice(("Chrome", "Firefox", "Safari")),
            "$browser_version": random.randrange(100, 140),
            "$os": random.choice(("Linux", "Windows", "Mac OS X")),
            "$device_type": "Desktop",
            "$current_url": f"https://app.example.org/projects/{random.randrange(500)}",
            "$pathname": "/projects/:id",
            "$lib": "web",
            "plan": random.choice(("free", "team", "business")),
            "seats": random.randrange(1, 50),
            "amount": random.random() * 100,
            "beta": random.random() < 0.2,
            "country": random.choice(("DE", "FR", "US", "JP")),
        },
    }
    match random.randrange(30):
        case 0:
            made |= {"event": "$identify"}
            made["properties"] = {"$anon_distinct_id": f"anon-{number}", "$lib": "web"}
            made["$set"] = {"email": f"{person}@example.org", "plan": "team"}
        case 1 | 2:
            made["$set"] = {"last_number": number}
    return made


def fill(inbox: SqliteInbox, count: int, people: int, seed: int) -> None:
    """Put ``count`` events into the inbox, a hundred a request."""
    dice = random.Random(seed)
    kept = None
    for start in range(0, count, 100):
        batch = [event(dice, start + i, people) for i in range(100)]
        body = gzip.compress(
            json.dumps({"api_key": PROJECT.api_token, "batch": batch}).encode(), 1
        )
        kept = inbox.append(PROJECT.id, "capture", datetime.now(UTC), b"{}", body)
    if kept is not None:
        kept.result()


def moved(inbox: SqliteInbox, store: DuckStore, *, helped: bool, show: bool) -> float:
    """Let a writer move everything and return the seconds it took."""
    writer = Writer(
        inbox,
        store,
        decode=decoded,
        project_of_id=lambda _: PROJECT,
        helper=Helper(command("")) if helped else None,
        batch_bytes=shares(MEMORY_MIB).batch_bytes,
    )
    started = time.perf_counter()
    writer.start()
    writer.flush(3600)
    took = time.perf_counter() - started
    if show:
        for step, seconds in sorted(writer.timings.items(), key=lambda one: -one[1]):
            print(f"  {step:20} {seconds / took:6.1%}")
    writer.stop()
    return took


def processor_s() -> tuple[float, float]:
    """Return the processor time of this process, and of helpers that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time(), ended.ru_utime + ended.ru_stime


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--before", type=int, default=0)
    parser.add_argument("--helper", action=argparse.BooleanOptionalAction, default=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        inbox = SqliteInbox(Path(folder) / "inbox.sqlite")
        store = DuckStore(Path(folder) / "events.duckdb")
        for start in range(0, options.before, 500_000):
            fill(inbox, min(500_000, options.before - start), options.people, start + 1)
            moved(inbox, store, helped=options.helper, show=False)
        fill(inbox, options.events, options.people, 0)
        before = processor_s()
        took = moved(inbox, store, helped=options.helper, show=True)
        each = [
            1e6 * (now - then) / options.events
            for now, then in zip(processor_s(), before, strict=True)
        ]
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(f"peak of the helper: {ended.ru_maxrss / 1024:.0f} MiB")
        print(f"processor time an event: {each[0]:.1f} µs, and {each[1]:.1f} in the helper")
        size = store.size()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{options.events / took:,.0f} events/s, {size.events:,} stored, peak {peak:.0f} MB"
        )
        store.checkpoint(idle=True)
        size = store.size()
        print(f"{size.file_bytes / size.events:.0f} bytes an event on disk")
        store.close()
        inbox.close()


if __name__ == "__main__":
    main()
