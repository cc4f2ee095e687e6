"""How fast are the figures of a large fleet: 50,000 installations, a heartbeat a day for a year?

    python bench/fleet.py [--installations 50000] [--days 365] [--rounds 3]

The fleet is made once for each size, by SQL, and kept below ``.cache/bench``: installations
that come and go, miss a report now and then, and update with a lag of their own to a dozen
releases. Nothing is cached but what the store keeps of the fleet itself; that is drawn at the
first question, and the time for it stands apart. Targets are those of the design: each figure
500 ms, all questions of the screen together 2 s, the public page 30 s.
"""

import argparse
import shutil
import statistics
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import msgspec
from data import CACHE, say

from hedgerow.capture.wire import decode_queued
from hedgerow.inbox import SqliteInbox
from hedgerow.ingest.writer import Writer
from hedgerow.insights.answer import Asking, answer
from hedgerow.insights.cached import Cache
from hedgerow.insights.fleet.publication import Last, published, read
from hedgerow.model.projects import Project, QueryContext
from hedgerow.store.on_duckdb import DuckStore

START = date(2025, 6, 1)
RELEASES = 12
EACH_MS, SCREEN_MS, PUBLIC_MS = 500, 2000, 30_000
SAMPLE = {
    "version": "2.0.0",
    "environment": "production",
    "platform": "Linux",
    "platform_release": "6.1",
    "platform_machine": "x86_64",
    "python_version": "3.12.3",
    "deployment_method": "docker",
    "auth_method": "local",
    "timezone": "UTC",
    "users_band": "2-5",
    "feature_category": "error",
    "old_version": "1.9.0",
    "new_version": "2.0.0",
}
OF_INSTALLATION = {
    "environment": "if(i % 50 = 0, 'testing', 'production')",
    "platform": "list_extract(['Linux','Linux','Linux','Windows','Darwin'], 1 + i % 5)",
    "platform_release": "'6.' || i % 7",
    "platform_machine": "if(i % 3 = 0, 'aarch64', 'x86_64')",
    "python_version": "'3.' || (11 + i % 4) || '.' || i % 6",
    "deployment_method": "list_extract(['docker','docker','native','compose'], 1 + i % 4)",
    "auth_method": "if(i % 3 = 0, 'oidc', 'local')",
    "timezone": "list_extract(['UTC','Europe/Berlin','America/New_York','Asia/Tokyo'], 1 + i % 4)",
    "users_band": "list_extract(['1','2-5','6-20'], 1 + i % 3)",
}
SCREEN: dict[str, tuple[str, dict[str, Any]]] = {
    "active": ("active", {}),
    "today": ("today", {}),
    "overview": ("overview", {}),
    "states": ("states", {"limit": 1, "as_of": "today"}),
    "active_over_time": ("active_over_time", {"date_from": "-28d"}),
    "versions_over_time": ("versions_over_time", {"date_from": "-90d", "fold": "minor"}),
    "adoption": ("adoption", {}),
    "lag": ("lag", {}),
    "behind": ("behind", {}),
    "flow": ("flow", {}),
    "paths": ("paths", {"date_from": "-90d"}),
    "platform": ("distribution", {"property": "platform"}),
    "offsets": ("distribution", {"property": "utc_offset"}),
    "deployment": ("distribution", {"property": "deployment_method"}),
    "python": ("distribution", {"property": "python_minor"}),
    "auth": ("distribution", {"property": "auth_method"}),
    "errors": ("errors", {"date_from": "-30d"}),
    "regularity": ("regularity", {}),
    "survival": ("survival", {}),
    "support": ("eol", {}),
}
"""What the fleet's screen asks."""

OTHERS: dict[str, tuple[str, dict[str, Any]]] = {
    "versions": ("versions", {}),
    "a year by week": ("versions_over_time", {"date_from": "-365d", "interval": "week"}),
    "downgrades": ("downgrades", {}),
    "features": ("features", {"event": "telemetry.error"}),
    "clones": ("clones", {}),
    "installations": ("installations", {"limit": 50}),
}


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--installations", type=int, default=50_000)
    asked.add_argument("--days", type=int, default=365)
    asked.add_argument("--rounds", type=int, default=3)
    wanted = asked.parse_args()
    folder = made(wanted.installations, wanted.days)
    store = DuckStore(folder / "events.duckdb", memory_mib=1024)
    told = context(store, wanted.days)
    print(f"{store.size().events:,} events of {wanted.installations:,} installations")
    first = timed(partial(asked_of, store, told, ("newest", {}), Cache()))
    print(f"drawn at the first question, once: {first / 1000:.1f} s")
    for name, question in {**SCREEN, **OTHERS}.items():
        each = [
            timed(partial(asked_of, store, told, question, Cache()))
            for _ in range(wanted.rounds)
        ]
        line(name, statistics.median(each), EACH_MS)
    line("the whole screen", timed(partial(screen, store, told)), SCREEN_MS)
    line("the public page", timed(partial(page, store, told)), PUBLIC_MS)
    store.close()


def line(name: str, took: float, target: float) -> None:
    """Print one figure against its target."""
    print(f"  {name:22} {took:8.0f} ms   {took / target:5.2f} of the target {target:,} ms")


def timed(do: Callable[[], Any]) -> float:
    """Return the milliseconds that something takes."""
    began = time.perf_counter()
    do()
    return (time.perf_counter() - began) * 1000


def asked_of(
    store: DuckStore, told: QueryContext, question: tuple[str, dict[str, Any]], rows: Cache
) -> Any:
    """Ask one figure."""
    figure, params = question
    query = {"kind": "FleetQuery", "figure": figure, "params": params}
    return answer(query, told, store, Asking(timeout_s=300, rows=rows))["results"]


def screen(store: DuckStore, told: QueryContext) -> None:
    """Ask all that the screen asks, rows shared as a server shares them."""
    rows = Cache(64)
    for question in SCREEN.values():
        asked_of(store, told, question, rows)


def page(store: DuckStore, told: QueryContext) -> None:
    """Compute the public page for the first time."""
    fleet = read(told, partial(store.run, timeout_s=300))
    published(fleet, Last(), told.now, "bench")


def context(store: DuckStore, days: int) -> QueryContext:
    """Return the context of a question on the afternoon of the last day."""
    project = a_project(days)
    now = datetime.combine(START + timedelta(days=days - 1), datetime.min.time(), UTC)
    return QueryContext(
        project=project,
        now=now + timedelta(hours=15),
        kinds=store.kinds(project.id),
        columns=store.columns(),
        first_event_at=store.first_event_at(project.id),
    )


def a_project(days: int) -> Project:
    """Return the project, with its releases."""
    releases = [
        {"version": f"3.{number}.0", "released_at": str(START + timedelta(days=day))}
        for number, day in enumerate(range(0, days, days // RELEASES + 1))
    ]
    return Project(
        id=1,
        name="bench",
        api_token="phc_bench",
        timezone="Europe/Berlin",
        fleet={"releases": releases, "eol": {"3.0": str(START), "3.1": str(START)}},
    )


def made(installations: int, days: int) -> Path:
    """Return the folder with a fleet, made if it is not there."""
    folder = CACHE / f"fleet-{installations}-{days}"
    if (folder / "done").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    seed(folder)
    with duckdb.connect(
        str(folder / "events.duckdb"), config={"memory_limit": "2GB", "threads": 2}
    ) as grown:
        grow(grown, installations, days)
    (folder / "done").touch()
    return folder


def seed(folder: Path) -> None:
    """Store one event of everything through the writer: so the tables are as it makes them."""
    inbox, store = SqliteInbox(folder / "inbox.sqlite"), DuckStore(folder / "events.duckdb")
    writer = Writer(
        inbox,
        store,
        decode=lambda queued: decode_queued(queued.hints, queued.body),
        project_of_id=lambda _: a_project(365),
    )
    writer.start()
    at = datetime.combine(START, datetime.min.time(), UTC)
    event = {
        "event": "telemetry.health",
        "distinct_id": "seed",
        "properties": SAMPLE,
        "timestamp": at.isoformat(),
    }
    body = msgspec.json.encode({"api_key": "phc_bench", "batch": [event]})
    inbox.append(1, "capture", at, b"{}", body)
    writer.flush(60)
    writer.stop()
    store.close()
    inbox.close()


def grow(grown: duckdb.DuckDBPyConnection, installations: int, days: int) -> None:
    """Make the fleet's events, month by month in order of time."""
    releases = a_project(days).fleet["releases"]
    hot = dict(
        grown.execute(
            "SELECT key, text_column FROM hot_columns WHERE table_name = 'events'"
        ).fetchall()
    )
    own = ", ".join(f"{made} AS {name}" for name, made in OF_INSTALLATION.items())
    grown.execute(
        f"CREATE TEMP TABLE fleet AS SELECT i, {own}, if(i % 4 = 0, hash(i) % {days}, 0)::INT AS first, "
        f"if(i % 9 = 0, hash(i, 1) % {days}, {days})::INT AS last FROM range({installations}) t(i)"
    )
    grown.execute(
        "CREATE TEMP TABLE steps AS SELECT i, r, greatest((day - $start::DATE)::INT "
        "+ (-ln(1 - (hash(i, r) % 1000) / 1000) * (2 + i % 60))::INT, first) AS since FROM fleet, "
        "(SELECT generate_subscripts($days, 1) - 1 AS r, unnest($days)::DATE AS day)",
        {"start": str(START), "days": [one["released_at"] for one in releases]},
    )
    grown.execute(
        "CREATE TEMP TABLE held AS SELECT i, since, max(r) AS r FROM steps GROUP BY i, since "
        "QUALIFY max(r) = max(max(r)) OVER (PARTITION BY i ORDER BY since)"
    )
    for begin in range(0, days, 30):
        say(f"  day {begin} of {days} …")
        grown.execute(
            MONTH.format(**_columns(hot)), {"f": begin, "u": min(begin + 30, days)}
        )
    people = f"SELECT 1, 'i' || i, i + 1000 FROM range({installations}) t(i)"
    grown.execute(f"INSERT INTO distinct_ids {people}")
    grown.execute(
        "DELETE FROM event_names; INSERT INTO event_names SELECT project_id, event, "
        "min(timestamp), max(timestamp), count(*) FROM events GROUP BY ALL; CHECKPOINT"
    )


MONTH = """
    INSERT INTO events BY NAME
    WITH days AS (
      SELECT f.*, d::INT AS day, TIMESTAMP '2025-06-01' + to_seconds(d * 86400 + hash(i, 7) % 80000) AS moment
      FROM fleet f, range($f, $u) t(d)
      WHERE d BETWEEN first AND last AND hash(i, d) % 1000 >= (if(i % 10 = 0, 300, 4))),
    beats AS (
      SELECT d.*, 'telemetry.health' AS event, h.r AS r, NULL AS old_r, NULL AS feature_category
      FROM days d ASOF JOIN held h ON d.i = h.i AND d.day >= h.since),
    updates AS (
      SELECT b.* REPLACE (moment - INTERVAL 1 MINUTE AS moment, 'telemetry.update' AS event, h.old_r AS old_r)
      FROM beats b JOIN (SELECT i, since, lag(r) OVER (PARTITION BY i ORDER BY since) AS old_r FROM held) h
        ON h.i = b.i AND h.since = b.day WHERE h.old_r IS NOT NULL),
    faults AS (
      SELECT * REPLACE ('telemetry.error' AS event, moment + INTERVAL 1 HOUR AS moment, 'error' AS feature_category)
      FROM beats WHERE hash(i, day, 3) % 200 < 1 + r),
    every AS (
      FROM beats UNION ALL BY NAME FROM updates UNION ALL BY NAME FROM faults)
    SELECT 1 AS project_id, md5(event || i || '-' || moment)::UUID AS uuid, event, 'i' || i AS distinct_id,
      moment AS timestamp, moment AS created_at, i + 1000 AS person_key, false AS personless,
      {properties} AS properties, {hot}
    FROM every ORDER BY moment"""


def _columns(hot: dict[str, str]) -> dict[str, str]:
    """Return the expressions of the properties, as JSON and as columns of their own."""
    told = {
        "version": "'3.' || r || '.0'",
        "old_version": "'3.' || old_r || '.0'",
        "new_version": "if(old_r IS NULL, NULL, '3.' || r || '.0')",
        "feature_category": "feature_category",
        **{name: name for name in OF_INSTALLATION},
    }
    pairs = ", ".join(f"'{name}', {value}" for name, value in told.items())
    columns = ", ".join(f"{value} AS {hot[name]}" for name, value in told.items())
    return {"properties": f"json_object({pairs})", "hot": columns}


if __name__ == "__main__":
    main()
