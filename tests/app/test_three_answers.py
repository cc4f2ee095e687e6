"""The same question on screen, in the export and from the API, over entries made by chance."""

import csv
import io
import random
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from app.models.entries import EntryBreak, TimeEntry
from app.models.work import Client, Project, Rate
from app.tracking.days import day_of, zone
from app.tracking.durations import grid

from .api_client import program_of
from .reporting_world import opened

__all__ = ["opened"]  # a fixture of this module, too

FIRST = date(2025, 10, 1)
ZONES = ("Europe/Berlin", "America/New_York", "Pacific/Auckland")
GROUPS = ("project", "client", "user", "tag", "billable", "day", "week", "month", "task")


@pytest.fixture(scope="module")
def program(opened):
    with opened.database.writing() as session:
        client = Client(name="Other")
        project = Project(name="Second", client=client, billable=True,
                          rounding_minutes=30, rounding_method="up")  # fmt: skip
        session.add(project)
        session.flush()
        session.add(Rate(scope="client", client_id=client.id, amount=12_345,
                         currency="CHF", valid_from=FIRST))  # fmt: skip
    opened.app.config["API_RATE_PER_MINUTE"] = 100_000
    return program_of(opened.app)


def fill(session, chance):
    """Forget all entries and make some: in and out of the month, across midnight, paused."""
    session.execute(delete(EntryBreak))
    session.execute(delete(TimeEntry))
    for _ in range(chance.randrange(1, 12)):
        start = datetime(2025, 9, 29, tzinfo=UTC) + timedelta(
            minutes=chance.randrange(36 * 1440)
        )
        seconds, pause = chance.randrange(60, 100_000), chance.randrange(50)
        where = chance.choice(ZONES)
        made = TimeEntry(
            user_id=chance.choice([1, 2]),
            timezone=where,
            local_date=day_of(start, zone(where)),
            started_at=start,
            ended_at=start + timedelta(seconds=seconds),
            seconds=seconds - pause,
            project_id=chance.choice([None, 1, 2]),
            billable=chance.random() < 0.7,
            rate_override=chance.choice([None, None, 4321]),
        )
        begin = start + timedelta(seconds=1)
        end = begin + timedelta(seconds=pause)
        made.breaks = [EntryBreak(started_at=begin, ended_at=end)]
        session.add(made)


def on_screen(browser, address, **question):
    """Return the cells of the row of totals."""
    answer = browser.client.get(address, query_string=question)
    assert answer.status_code == 200
    foot = answer.get_data(as_text=True).split("<tfoot>")
    cells = re.findall(r'<td class="r">(.*?)</td>', foot[1]) if len(foot) > 1 else []
    return [cell.replace("<br>", " ") for cell in cells]


def exported(browser, dataset, **question):
    answer = browser.client.get(f"/export/{dataset}.csv", query_string=question)
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))


def added(rows, key):
    return sum(int(row[key]) for row in rows)


def money(rows):
    """Return minor units by currency of exported entries."""
    found = {}
    for row in rows:
        if row["currency"]:
            minor = round(float(row["amount"]) * 100)
            found[row["currency"]] = found.get(row["currency"], 0) + minor
    return found


@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink would take minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    seed=st.integers(0, 10_000),
    group=st.sampled_from(GROUPS),
    level=st.sampled_from(["entry", "day"]),
    where=st.sampled_from(["", "Asia/Tokyo"]),
    minutes=st.sampled_from([0, 15]),
)
def test_screen_export_and_api_give_the_sums_of_the_entries(
    opened, program, seed, group, level, where, minutes
):
    opened.app.config.update(ROUNDING_MINUTES=minutes, ROUNDING_LEVEL=level)
    with opened.database.writing() as session:
        fill(session, random.Random(seed))
    asked = {"first": "2025-10-01", "last": "2025-10-31", "zone": where}

    entries = exported(opened.ann, "entries", **asked)
    by_program = program.get(
        "/exports/entries.csv", **{k: v for k, v in asked.items() if v}
    )
    api = program.post("/reports/query", {**asked, "group": [group]}).json["total"]
    summary = exported(opened.ann, "summary", **asked, group=group)
    screen = on_screen(opened.ann, "/reports", **asked, group=group)

    seconds, rounded = added(entries, "duration_seconds"), added(entries, "rounded_seconds")
    assert (api["seconds"], api["rounded_seconds"]) == (seconds, rounded)
    assert api["entries"] == len(entries)
    assert {one["currency"]: one["amount"] for one in api["amounts"]} == money(entries)
    assert by_program.get_data(as_text=True) == csv_of(opened.ann, asked)
    assert added(summary, "duration_seconds") == seconds
    if group not in {"tag", "billable", "task"} or level == "entry":
        assert added(summary, "rounded_seconds") == rounded
    if entries:
        assert screen[:2] == [grid(seconds), grid(rounded)]


def csv_of(browser, asked):
    answer = browser.client.get("/export/entries.csv", query_string=asked)
    return answer.get_data(as_text=True)
