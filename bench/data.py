"""Simulated data for the benchmarks, in DuckDB as Hedgerow keeps it and in the rival's table.

Made once for each size and kept below ``.cache/bench``: events go through the real inbox and
the real writer, and the rival is filled from what was stored, so both hold the same rows.
More than ``SIMULATED`` events are made of those: copies of everybody under keys of their own,
each copy with one event in ``ONE_IN``, in order of time as if they had come that way. So ten
million events have a million people.
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
PER_PERSON = 227
"""Events of one simulated subject in thirty days, on average; sizes the story."""

SIMULATED = 873_000
ONE_IN = 5
MEMORY_MIB = 4096

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
    folder = _made(wanted)
    store = settled(folder / "events.duckdb")
    rival = session.Session(str(folder / "rival"))
    return store, rival, folder


def settled(path: Path, memory_mib: int = MEMORY_MIB) -> DuckStore:
    """Return the store when all is done that a server does while idle: it is not measured."""
    store = DuckStore(path, memory_mib=memory_mib)
    while (done := store.compact(UNTIL, look=True)) is not None:
        say(f"  put {done.moved:,} events in order, {done.left:,} left of their days")
    store.checkpoint(idle=True)
    store.settle()
    return store


def ours(wanted: int, memory_mib: int = MEMORY_MIB) -> DuckStore:
    """Return our engine alone over about ``wanted`` events."""
    return settled(_made(wanted) / "events.duckdb", memory_mib)


def _made(wanted: int) -> Path:
    """Return the folder with the data of both engines, made if they are not there."""
    folder = CACHE / f"{wanted}"
    if (folder / "done").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if wanted > SIMULATED:
        _grow(_made(SIMULATED), folder, wanted)
    else:
        _fill(folder, wanted)
    _fill_rival(folder)
    (folder / "done").touch()
    return folder


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
    store = DuckStore(folder / "events.duckdb", memory_mib=MEMORY_MIB)
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


COPIED = {
    "events": "person_key + c * keys AS person_key, person_state + c * states AS person_state, "
    "distinct_id || '-' || c AS distinct_id, md5(uuid || '-' || c)::UUID AS uuid, "
    "group_0 || '-' || c AS group_0, group_1 || '-' || c AS group_1",
    "persons": "person_key + c * keys AS person_key, md5(uuid || '-' || c)::UUID AS uuid, "
    "state + c * states AS state",
    "distinct_ids": "person_key + c * keys AS person_key, distinct_id || '-' || c AS distinct_id",
    "groups": "key || '-' || c AS key",
}
"""What a copy has of its own, in each table that is copied."""


def _grow(small: Path, folder: Path, wanted: int) -> None:
    shutil.copyfile(small / "events.duckdb", folder / "events.duckdb")
    with duckdb.connect(
        str(folder / "events.duckdb"),
        config={"memory_limit": "6GB", "temp_directory": str(folder / "temporary")},
    ) as grown:
        (events,) = grown.execute("SELECT count(*) FROM events").fetchone() or (0,)
        copies = round(wanted * ONE_IN / events)
        say(f"  {copies} copies of one event in {ONE_IN} of {events:,} …")
        grown.execute(
            "CREATE TABLE sizes AS SELECT (SELECT max(person_key) FROM distinct_ids) AS keys, "
            f"(SELECT max(id) FROM person_states) AS states; SET threads = 2; "
            f"CREATE TABLE copies AS SELECT range AS c FROM range({copies})"
        )
        for name, own in COPIED.items():
            grown.execute(f"CREATE TABLE more AS SELECT * FROM {name} LIMIT 0")
            chosen = f"SELECT {name}.* REPLACE ({own}) FROM {name}, copies, sizes"
            if name == "events":
                for day in range(DAYS + 1):
                    grown.execute(
                        f"INSERT INTO more {chosen} "
                        f"WHERE timestamp::DATE = DATE '2026-10-01' + {day} "
                        f"AND hash(uuid, c) % {ONE_IN} = 0 ORDER BY timestamp"
                    )
            else:
                grown.execute(f"INSERT INTO more {chosen}")
            grown.execute(f"DROP TABLE {name}; ALTER TABLE more RENAME TO {name}")
        grown.execute("DROP TABLE sizes; DROP TABLE copies; CHECKPOINT")


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
