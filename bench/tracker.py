"""How quick is TimeTracker with a million entries?

Fills a database with a year of 500 people on 5,000 projects of 200 clients, with rates
that changed, tags, breaks and entries across midnight; then asks for pages as a browser
would (the whole application, without the socket) and exports everything as CSV in a
process of its own, whose peak of memory is taken. The promise is that of the design: day,
week, list and dashboard in 200 ms, a year's report in a second, a million rows of CSV in
60 s and 150 MB.

    python bench/tracker.py [--entries 1000000] [--keep FOLDER]
"""

import argparse
import itertools
import random
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.config import Config
from app.models.work import Client, Project, Rate, Tag
from app.people import accounts
from app.settings import Settings

PEOPLE, PROJECTS, CLIENTS, TAGS = 500, 5_000, 200, 40
NOW = datetime(2025, 12, 31, 12, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"
BERLIN = ZoneInfo("Europe/Berlin")
PAGES = {
    "dashboard": ("/", 200),
    "day": ("/day", 200),
    "week": ("/week", 200),
    "list, 30 days of all": ("/entries", 200),
    "list, of one project": ("/entries?range=this_year&projects=77", 200),
    "week of all people": ("/reports/weekly", 1000),
    "month in detail": ("/reports/detailed", 1000),
    "year by project": ("/reports?range=this_year", 1000),
    "year by client": ("/reports?range=this_year&group=client", 1000),
    "year by person": ("/reports?range=this_year&group=user", 1000),
    "year by month": ("/reports?range=this_year&group=month", 1000),
    "year by tag": ("/reports?range=this_year&group=tag", 1000),
    "year, what can be billed": ("/reports/billable?range=this_year", 1000),
    "year in detail, last page": ("/reports/detailed?range=this_year&page=9000", 1000),
}
"""What → address, milliseconds promised."""


def main() -> int:
    """Fill, ask, export; return 1 where a promise is not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, help="folder that is filled once and kept")
    parser.add_argument("--export", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.export:
        return _export(given.export)
    with tempfile.TemporaryDirectory() as passing:
        folder = given.keep or Path(passing)
        if not (folder / "timetracker.db").exists():
            _fill(folder, given.entries)
        late = _ask(folder)
        late += _measure_export(folder)
    return int(bool(late))


def _application(folder: Path) -> Flask:
    app = create_app(Config(DATA_DIR=folder, APP_ENV="testing"))
    app.extensions["clock"] = lambda: NOW
    return app


def _fill(folder: Path, entries: int) -> None:
    began = time.perf_counter()
    app = _application(folder)
    chance = random.Random(1)
    with app.extensions["database"].writing() as session:
        for n in range(PEOPLE):
            role = "admin" if n == 0 else "user"
            new = accounts.NewUser(
                username=f"person{n}",
                role=role,
                password=PASSWORD if n == 0 else None,
                timezone="Europe/Berlin",
            )
            accounts.make(session, new, Settings())
        clients = [Client(name=f"Client {n}", currency="EUR") for n in range(CLIENTS)]
        session.add_all(clients)
        session.add_all(Tag(name=f"tag {n}") for n in range(TAGS))
        session.flush()
        made = [
            Project(
                name=f"Project {n}", client_id=clients[n % CLIENTS].id, color=n % 10 + 1
            )
            for n in range(PROJECTS)
        ]
        session.add_all(made)
        session.flush()
        session.add_all(_rates(made, [client.id for client in clients]))
    app.extensions["database"].close()
    connection = sqlite3.connect(folder / "timetracker.db")
    indexes = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index'"
        " AND tbl_name = 'time_entries' AND sql IS NOT NULL"
    ).fetchall()
    for name, _ in indexes:  # made again at the end: quicker than kept up to date
        connection.execute(f"DROP INDEX {name}")
    for batch in _batches(_entries(chance, entries), 50_000):
        marks = ",".join("?" * 17)
        connection.executemany(
            "INSERT INTO time_entries (id, user_id, kind, started_at, ended_at, timezone,"
            " local_date, seconds, within_day, project_id, description, billable, source,"
            " incomplete, version, created_at, updated_at)"
            f" VALUES ({marks})",
            batch,
        )
    connection.executemany(
        "INSERT INTO entry_tags VALUES (?, ?)",
        ((n, chance.randrange(1, TAGS + 1)) for n in range(1, entries + 1, 5)),
    )
    connection.executemany(
        "INSERT INTO entry_breaks (entry_id, started_at, ended_at)"
        " SELECT id, started_at + 60, started_at + 60 FROM time_entries WHERE id = ?",
        ((n,) for n in range(1, entries + 1, 20)),
    )
    for _, text in indexes:
        connection.execute(text)
    connection.commit()
    connection.execute("ANALYZE")
    connection.close()
    size = (folder / "timetracker.db").stat().st_size / 1e6
    took = time.perf_counter() - began
    print(f"{entries:,} entries made in {took:.0f} s; the file has {size:.0f} MB")


def _rates(projects: list[Project], clients: list[int]) -> Iterator[Rate]:
    first, second = date(2020, 1, 1), date(2025, 7, 1)
    yield Rate(scope="default", amount=8000, currency="EUR", valid_from=first)
    for n, client in enumerate(clients):
        yield Rate(scope="client", client_id=client, amount=9000 + n, currency="EUR",
                   valid_from=first)  # fmt: skip
    for project in projects[::10]:
        for since, amount in ((first, 9500), (second, 9900)):
            yield Rate(scope="project", project_id=project.id, amount=amount,
                       currency="EUR", valid_from=since)  # fmt: skip


def _entries(chance: random.Random, entries: int) -> Iterator[tuple[object, ...]]:
    """Yield rows: people work eight entries a working day on some ten projects of theirs."""
    days = [date(2025, 1, 1) + timedelta(days=n) for n in range(365)]
    working = [day for day in days if day.isoweekday() <= 5]
    each = -(-entries // (PEOPLE * len(working)))
    made = int(NOW.timestamp())
    numbers = itertools.count(1)
    for day in working:
        midnight = int(datetime(day.year, day.month, day.day, tzinfo=BERLIN).timestamp())
        for person in range(1, PEOPLE + 1):
            cursor = midnight + 8 * 3600 + chance.randrange(1800)
            for place in range(each):
                number = next(numbers)
                if number > entries:
                    return
                length = chance.randrange(300, 5400)
                late = place == each - 1 and number % 50 == 0
                start = midnight + 84_600 if late else cursor
                cursor = start + length
                within = cursor <= midnight + 86_400
                project = (person * 7 + chance.randrange(10) * 97) % PROJECTS + 1
                yield (number, person, "timed", start, cursor, "Europe/Berlin",
                       day.isoformat(), length, within, project,
                       f"Work number {number % 1000} on what was asked for",
                       number % 4 != 0, "timer", 0, 1, made, made)  # fmt: skip


def _batches(
    rows: Iterator[tuple[object, ...]], size: int
) -> Iterator[list[tuple[object, ...]]]:
    while batch := list(itertools.islice(rows, size)):
        yield batch


def _ask(folder: Path) -> int:
    """Ask for each page; return how many were later than promised."""
    app = _application(folder)
    browser = app.test_client()
    _sign_in(browser)
    late = 0
    for what, (address, promised_ms) in PAGES.items():
        took_ms = _median_ms(lambda address=address: _page(browser, address))
        late += took_ms > promised_ms
        verdict = "" if took_ms <= promised_ms else "  LATE"
        print(f"{what:28} {took_ms:7.0f} ms of {promised_ms}{verdict}", flush=True)
    app.extensions["database"].close()
    return late


def _sign_in(browser: FlaskClient) -> None:
    page = browser.get("/login").get_data(as_text=True)
    token = page.split('name="csrf-token" content="')[1].split('"')[0]
    told = {"csrf_token": token, "username": "person0", "password": PASSWORD}
    browser.post("/login", data=told)


def _page(browser: FlaskClient, address: str) -> None:
    answer = browser.get(address)
    if answer.status_code != 200:
        raise SystemExit(f"{address} answered {answer.status_code}")


def _median_ms(ask: Callable[[], None]) -> float:
    ask()  # the first one reads the file into the machine's memory
    found = []
    for _ in range(3):
        began = time.perf_counter()
        ask()
        found.append((time.perf_counter() - began) * 1000)
    return statistics.median(found)


def _measure_export(folder: Path) -> int:
    """Export in a process of its own; return 1 where it was late or large."""
    command = [sys.executable, __file__, "--export", str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    rows, took, before, peak = done.stdout.split()
    slow = float(took) > 60 * int(rows) / 1_000_000
    large = float(peak) > 150
    print(
        f"{int(rows):,} rows as CSV in {float(took):.1f} s; peak {float(peak):.0f} MB"
        f" ({float(before):.0f} MB before){'  LATE' if slow else ''}{'  LARGE' if large else ''}"
    )
    return int(slow or large)


def _export(folder: Path) -> int:
    app = _application(folder)
    browser = app.test_client()
    _sign_in(browser)
    before = _peak_mb()
    began = time.perf_counter()
    answer = browser.get("/export/entries.csv?range=this_year", buffered=False)
    lines = sum(chunk.count(b"\r\n") for chunk in answer.response)
    print(lines - 1, time.perf_counter() - began, before, _peak_mb())
    return 0


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
