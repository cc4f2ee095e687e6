"""Every moment around every clock change of twelve zones falls into its own bucket.

What the statement says of a moment, run by the engine, is what the calendar says.
"""

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import duckdb
import pytest
from sqlglot import exp

from hedgerow.query import buckets
from hedgerow.query.dates import Range, next_bucket
from hedgerow.query.dialects import DUCKDB
from tests.hedgerow.test_dates import ZONES

BEGIN, END = datetime(2023, 12, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
STEP = timedelta(minutes=15)


@pytest.fixture(scope="module")
def engine():
    with duckdb.connect(config={"threads": 1}) as connection:
        yield connection.cursor()


def around(change, zone, interval):
    """Return a range of buckets from days before a change to days after it."""
    local = change.astimezone(ZoneInfo(zone))
    first = datetime(local.year, local.month, local.day, tzinfo=ZoneInfo(zone))
    first -= timedelta(days=9)
    first = first.replace(day=1) if interval == "month" else first
    if interval == "week":
        first -= timedelta(days=first.weekday())
    starts, at = [], first
    until = change + timedelta(days=40 if interval == "month" else 9)
    while at.astimezone(UTC) < until:
        starts.append(at)
        at = next_bucket(at, interval)
    return Range(
        zone=ZoneInfo(zone),
        interval=interval,
        week_start_day=1,
        start=first,
        end=(at.astimezone(UTC) - timedelta(microseconds=1)).astimezone(ZoneInfo(zone)),
        lower=first,
        buckets=tuple(starts),
    )


def changes(zone):
    found = buckets.offsets(zone, BEGIN, END)
    return [until for until, _ in found if until is not None]


@pytest.mark.parametrize("interval", ["hour", "day", "week", "month"])
@pytest.mark.parametrize("zone", ZONES)
def test_no_moment_is_lost_or_counted_twice(zone, interval, engine):
    moments = changes(zone) or [datetime(2024, 3, 31, tzinfo=UTC)]
    for change in moments:
        asked = around(change, zone, interval)
        starts = [start.astimezone(UTC) for start in asked.buckets]
        times = [change + STEP * place for place in range(-200, 200)]
        times += [change - timedelta(microseconds=1)]
        index = buckets.index(asked, exp.column("t"), DUCKDB).sql(dialect="duckdb")

        found = engine.execute(
            f"SELECT {index} FROM (SELECT unnest($1::TIMESTAMP[]) AS t)",
            [[time.replace(tzinfo=None) for time in times]],
        ).fetchall()

        assert [row[0] for row in found] == [bisect_right(starts, at) - 1 for at in times]
        assert all(early < late for early, late in pairwise(starts))
        assert starts[-1] <= asked.end.astimezone(UTC)


def test_ten_of_the_zones_change_their_clocks():
    assert sum(bool(changes(zone)) for zone in ZONES) == 10
