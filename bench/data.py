"""Simulated data for the benchmarks, in DuckDB as Hedgerow keeps it and in the rival's table.

Made once for each size and kept below ``.cache/bench``: events go through the real inbox and
the real writer, and the rival is filled from what was stored, so both hold the same rows.
"""

import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import msgspec
from chdb import session

from hedgerow.capture.wire import decode_queued
from hedgerow.inbox import SqliteInbox
from hedgerow.ingest.writer import Writer
from hedgerow.model.projects import Project, QueryContext
from hedgerow.simulate.story import events, story
from hedgerow.store.on_duckdb import DuckStore

CACHE = Path(__file__).resolve().parents[1] / ".cache" / "bench"
UNTIL = datetime(2026, 10, 31, 20, tzinfo=UTC)
DAYS = 30
PROJECT = Project(id=1, name="bench", api_token="phc_bench")
BATCH = 500
CHUNK = 400_000
PER_PERSON = 52
"""Events of one simulated subject in thirty days, on average; sizes the story."""

TABLES = """
CREATE TABLE events (event LowCardinality(String), distinct_id String, timestamp DateTime64(6, 'UTC'),
  person_key UInt64, group_0 LowCardinality(String), properties JSON, uuid UUID)
  ENGINE = MergeTree ORDER BY (event, toDate(timestamp), person_key, timestamp);
CREATE TABLE persons (person_key UInt64, created_at DateTime64(6, 'UTC'), properties JSON)
  ENGINE = MergeTree ORDER BY person_key
"""


def say(text: str) -> None:
    """Tell on standard error how far it is."""
    print(text, file=sys.stderr, flush=True)


def opened(wanted: int) -> tuple[DuckStore, session.Session, Path]:
    """Return both engines over the same events, about ``wanted`` of them."""
    folder = CACHE / f"{wanted}"
    if not (folder / "done").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _fill(folder, wanted)
        _fill_rival(folder)
        (folder / "done").touch()
    store = DuckStore(folder / "events.duckdb", memory_mib=4096)
    rival = session.Session(str(folder / "rival"))
    return store, rival, folder


def context(store: DuckStore) -> QueryContext:
    """Return the context of a question asked at the end of the simulation."""
    return QueryContext(
        project=PROJECT,
        now=UNTIL,
        kinds=store.kinds(PROJECT.id),
        columns=store.columns(),
        group_types=store.group_types(PROJECT.id),
        first_event_at=store.first_event_at(PROJECT.id),
    )


def _fill(folder: Path, wanted: int) -> None:
    subjects = round(wanted / PER_PERSON)
    told = story(
        installations=subjects // 3,
        users=subjects * 2 // 3,
        days=DAYS,
        seed=1,
        until=UNTIL,
    )
    inbox = SqliteInbox(folder / "inbox.sqlite")
    store = DuckStore(folder / "events.duckdb", memory_mib=4096)
    writer = Writer(
        inbox,
        store,
        decode=lambda queued: decode_queued(queued.hints, queued.body),
        project_of_id=lambda _: PROJECT,
    )
    writer.start()
    count, batch, began = 0, [], time.monotonic()
    for event in events(told):
        batch.append(event)
        if len(batch) == BATCH:
            _queue(inbox, batch)
            count += BATCH
            batch = []
            if count % CHUNK == 0:
                writer.flush(600)
                say(f"  {count:,} events, {count / (time.monotonic() - began):,.0f}/s")
    _queue(inbox, batch)
    writer.flush(600)
    writer.stop()
    store.checkpoint(idle=True)
    store.close()
    inbox.close()


def _queue(inbox: SqliteInbox, batch: list[dict[str, object]]) -> None:
    if batch:
        body = msgspec.json.encode({"api_key": PROJECT.api_token, "batch": batch})
        inbox.append(PROJECT.id, "capture", UNTIL, b"{}", body)


def _fill_rival(folder: Path) -> None:
    say("  filling the rival …")
    with duckdb.connect(str(folder / "events.duckdb"), read_only=True) as ours:
        for name, columns in (
            (
                "events",
                (
                    "event, distinct_id, timestamp, person_key, coalesce(group_0, '') AS group_0, "
                    "properties::VARCHAR AS properties, uuid::VARCHAR AS uuid"
                ),
            ),
            ("persons", "person_key, created_at, properties::VARCHAR AS properties"),
        ):
            target = folder / f"{name}.parquet"
            ours.execute(
                f"COPY (SELECT {columns} FROM {name}) TO '{target}' (FORMAT parquet)"
            )
    rival = session.Session(str(folder / "rival"))
    rival.query("CREATE DATABASE bench")
    for create in TABLES.split(";"):
        rival.query(create.replace("CREATE TABLE ", "CREATE TABLE bench."))
    for name in ("events", "persons"):
        rival.query(
            f"INSERT INTO bench.{name} SELECT * FROM file('{folder / name}.parquet', Parquet)"
        )
        rival.query(f"OPTIMIZE TABLE bench.{name} FINAL")
        (folder / f"{name}.parquet").unlink()
    rival.close()
