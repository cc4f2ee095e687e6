"""Date texts, ranges, buckets and their names."""

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgerow.errors import InvalidQuery
from hedgerow.model.projects import QueryContext
from hedgerow.query import buckets
from hedgerow.query.dates import moment, previous, resolve
from hedgerow.query.definitions_nodes import CompareFilter, Dates
from tests.world import a_project

NOW = datetime(2024, 6, 12, 10, 20, tzinfo=UTC)
"""A Wednesday."""

ZONES = [
    "America/Los_Angeles",
    "America/New_York",
    "America/Santiago",
    "America/St_Johns",
    "Europe/Berlin",
    "Europe/London",
    "Africa/Casablanca",
    "Asia/Tehran",
    "Asia/Kathmandu",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
]


def asked(zone="UTC", now=NOW, week_start=0, first=None):
    project = a_project(timezone=zone, week_start_day=week_start)
    return QueryContext(project=project, now=now, first_event_at=first)


def text(at):
    return at.strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("begin", "end", "interval", "first", "last", "count", "lower"),
    [
        pytest.param(None, None, "day", "2024-06-05", "2024-06-12", 8, "2024-06-05 00:00", id="seven days are eight buckets"),
        pytest.param("-24h", None, "hour", "2024-06-11 10:00:00", "2024-06-12 10:00:00", 25, "2024-06-11 10:00", id="hours are cut to the hour"),
        pytest.param("-1d", None, "hour", "2024-06-11 00:00:00", "2024-06-12 10:00:00", 35, "2024-06-11 00:00", id="days are cut to midnight"),
        pytest.param("-48h", None, "day", "2024-06-10", "2024-06-12", 3, "2024-06-10 10:00", id="hours by day keep their hour as lower bound"),
        pytest.param("-1d", "-1d", "day", "2024-06-11", "2024-06-11", 1, "2024-06-11 00:00", id="yesterday alone"),
        pytest.param("-1dStart", "-1dEnd", "hour", "2024-06-11 00:00:00", "2024-06-11 23:00:00", 24, "2024-06-11 00:00", id="yesterday by hour"),
        pytest.param("mStart", None, "day", "2024-06-01", "2024-06-12", 12, "2024-06-01 00:00", id="this month"),
        pytest.param("-1mStart", "-1mEnd", "month", "2024-05-01", "2024-05-01", 1, "2024-05-01 00:00", id="last month"),
        pytest.param("-1h", None, "minute", "2024-06-12 09:20:00", "2024-06-12 10:20:00", 61, "2024-06-12 09:20", id="minutes keep the moment"),
        pytest.param("2020-01-09", "2020-01-09", "hour", "2020-01-09 00:00:00", "2020-01-09 00:00:00", 1, "2020-01-09 00:00", id="a bare end by hour stops at its midnight"),
        pytest.param("2020-01-09", "2020-01-09", "day", "2020-01-09", "2020-01-09", 1, "2020-01-09 00:00", id="a bare end by day is the whole day"),
        pytest.param("2024-06-04", "2024-06-12", "week", "2024-06-02", "2024-06-09", 2, "2024-06-04 00:00", id="a first week holds its own days only"),
        pytest.param("2024-05-07", "2024-06-12", "month", "2024-05-01", "2024-06-01", 2, "2024-05-01 00:00", id="a first month is whole"),
        pytest.param("yStart", None, "month", "2024-01-01", "2024-06-01", 6, "2024-01-01 00:00", id="this year"),
        pytest.param("wStart", None, "day", "2024-06-12", "2024-06-12", 1, "2024-06-12 00:00", id="there is no start of week"),
        pytest.param("-1q", None, "month", "2024-03-01", "2024-06-01", 4, "2024-03-01 00:00", id="a quarter is 13 weeks"),
        pytest.param("2019-9-24", "2019-9-24", "day", "2019-09-24", "2019-09-24", 1, "2019-09-24 00:00", id="without zero padding"),
    ],
)  # fmt: skip
def test_a_range_resolves_as_in_the_table(begin, end, interval, first, last, count, lower):
    found = resolve(Dates(date_from=begin, date_to=end), asked(), interval=interval)

    days = buckets.days(found)
    assert (days[0], days[-1], len(days)) == (first, last, count)
    assert text(found.lower) == lower


def test_explicit_dates_are_taken_verbatim():
    dates = Dates(date_from="-24h", date_to="2024-06-12T10:05:00", explicit_date=True)

    found = resolve(dates, asked(), interval="day")

    assert (text(found.lower), text(found.end)) == ("2024-06-11 10:20", "2024-06-12 10:05")


def test_a_big_number_runs_up_to_the_moment():
    found = resolve(Dates(date_from="-7d"), asked(), exact=True)

    assert (text(found.lower), text(found.end)) == ("2024-06-05 10:20", "2024-06-12 10:20")


@pytest.mark.parametrize(
    ("given", "zone", "wanted"),
    [
        pytest.param(
            "2024-01-31", "Europe/Berlin", "2024-01-30 23:00", id="no zone is local"
        ),
        pytest.param(
            "2024-01-31T10:00:00Z", "Europe/Berlin", "2024-01-31 10:00", id="zulu"
        ),
        pytest.param(
            "2024-01-31 10:00+02:00", "UTC", "2024-01-31 08:00", id="an offset counts"
        ),
        pytest.param("-1m", "UTC", "2024-05-12 10:20", id="a month back"),
        pytest.param("3h", "UTC", "2024-06-12 07:20", id="the minus means nothing"),
        pytest.param("90M", "UTC", "2024-06-12 08:50", id="capital M is minutes"),
        pytest.param(
            "-1yEnd", "UTC", "2023-06-30 10:20", id="the end of a year is a month's"
        ),
    ],
)
def test_a_date_text_is_an_instant(given, zone, wanted):
    assert text(moment(given, asked(zone), "x").at.astimezone(UTC)) == wanted


def test_months_are_clamped_to_a_real_day():
    context = asked(now=datetime(2024, 3, 31, 8, tzinfo=UTC))

    assert text(moment("-1m", context, "x").at) == "2024-02-29 08:00"


@pytest.mark.parametrize(
    "given", ["yesterday", "-7D", "2024-02-30", "2024-01-01T25:00", "-9999y", ""]
)
def test_what_is_no_date_is_refused_by_name(given):
    with pytest.raises(InvalidQuery) as refused:
        moment(given, asked(), "dateRange.date_from")

    assert refused.value.attr == "dateRange.date_from"


def test_all_begins_with_the_first_event():
    first = datetime(2024, 6, 1, 15, tzinfo=UTC)

    found = resolve(Dates(date_from="all"), asked(first=first))

    assert buckets.days(found)[0] == "2024-06-01"
    assert previous(found, CompareFilter(compare=True)) is None


def test_too_many_buckets_are_refused():
    with pytest.raises(InvalidQuery, match="50,000 minutes"):
        resolve(Dates(date_from="-1y"), asked(), interval="minute")


@pytest.mark.parametrize(
    ("begin", "end", "interval", "compare_to", "first", "last"),
    [
        pytest.param("2024-01-15", "2024-01-19", "day", None, "2024-01-10", "2024-01-14", id="five days before"),
        pytest.param("2024-01-02", "2024-01-02", "day", None, "2024-01-01", "2024-01-01", id="the day before"),
        pytest.param("-7d", None, "day", None, "2024-05-29", "2024-06-05", id="weekdays align"),
        pytest.param("-1w", None, "day", None, "2024-05-28", "2024-06-04", id="a week does not align"),
        pytest.param("-7d", "-1d", "day", None, "2024-05-29", "2024-06-04", id="nor with a relative end"),
        pytest.param("-3d", None, "day", "-1w", "2024-06-02", "2024-06-05", id="a week earlier"),
        pytest.param("2024-03-31", "2024-03-31", "day", "-1m", "2024-02-29", "2024-02-29", id="a month earlier, clamped"),
    ],
)  # fmt: skip
def test_a_comparison_is_with_the_period_before(
    begin, end, interval, compare_to, first, last
):
    current = resolve(Dates(date_from=begin, date_to=end), asked(), interval=interval)

    found = previous(current, CompareFilter(compare=True, compare_to=compare_to))

    assert [buckets.days(found)[0], buckets.days(found)[-1]] == [first, last]


def test_without_incomplete_periods_the_running_day_is_left_out():
    dates = Dates(date_from="-7d", exclude_incomplete_periods=True)

    found = resolve(dates, asked())

    assert (buckets.days(found)[0], buckets.days(found)[-1]) == ("2024-06-05", "2024-06-11")
    before = previous(found, CompareFilter(compare=True))
    assert (buckets.days(before)[0], buckets.days(before)[-1]) == (
        "2024-05-29",
        "2024-06-04",
    )


def test_without_incomplete_periods_a_month_cut_by_from_is_left_out():
    dates = Dates(date_from="2024-04-07", exclude_incomplete_periods=True)

    found = resolve(dates, asked(), interval="month")

    assert buckets.days(found) == ["2024-05-01"]
    assert text(found.lower) == "2024-05-01 00:00"


@pytest.mark.parametrize(
    ("begin", "end", "interval", "labels"),
    [
        pytest.param("2020-01-02", "2020-01-02 01:00", "hour", ["2-Jan 00:00", "2-Jan 01:00"], id="hours"),
        pytest.param("2020-01-02", "2020-01-02", "day", ["2-Jan-2020"], id="days"),
        pytest.param("2020-11-01", "2020-11-30", "month", ["Nov 2020"], id="months"),
        pytest.param("2020-11-01", "2020-11-07", "week", ["1\u20137 Nov"], id="a week in a month"),
        pytest.param("2020-11-29", "2020-12-05", "week", ["29-Nov \u2013 5-Dec"], id="a week over two months"),
        pytest.param("2019-12-29", "2020-01-04", "week", ["29-Dec-2019 \u2013 4-Jan-2020"], id="a week over two years"),
        pytest.param("2020-10-31", "2020-11-02", "week", ["31-Oct-2020", "1\u20132 Nov"], id="weeks clipped to the range"),
    ],
)  # fmt: skip
def test_labels_are_english_and_short(begin, end, interval, labels):
    found = resolve(Dates(date_from=begin, date_to=end), asked(), interval=interval)

    assert buckets.labels(found) == labels


@given(
    zone=st.sampled_from(ZONES),
    day=st.dates(datetime(2023, 1, 1).date(), datetime(2025, 12, 31).date()),  # noqa: DTZ001 - a plain day
    length=st.integers(0, 250),
    interval=st.sampled_from(["hour", "day", "week", "month"]),
    week_start=st.sampled_from([0, 1]),
)
def test_buckets_cover_the_range_without_gap(zone, day, length, interval, week_start):
    end = day + timedelta(days=min(length, 20) if interval == "hour" else length)
    dates = Dates(date_from=str(day), date_to=f"{end} 23:59:59")

    found = resolve(dates, asked(zone, week_start=week_start), interval=interval)

    starts = [start.astimezone(UTC) for start in found.buckets]
    assert starts == sorted(set(starts))
    assert starts[0] <= found.start.astimezone(UTC)
    longest = {"hour": 1 / 24, "day": 1.05, "week": 7.05, "month": 31.05}[interval]
    gaps = [later - earlier for earlier, later in itertools.pairwise(starts)]
    assert all(gap <= timedelta(days=longest) for gap in gaps)
    assert found.end.astimezone(UTC) - starts[-1] <= timedelta(days=longest)


@given(
    zone=st.sampled_from(ZONES),
    at=st.datetimes(datetime(2020, 1, 1), datetime(2026, 1, 1)),  # noqa: DTZ001 - hypothesis wants it plain
)
def test_offsets_within_a_range_are_those_of_the_zone(zone, at):
    instant = at.replace(tzinfo=UTC)
    parts = buckets.offsets(
        zone, datetime(2020, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    )

    seconds = next(one for until, one in parts if until is None or instant < until)

    assert timedelta(seconds=seconds) == instant.astimezone(ZoneInfo(zone)).utcoffset()
