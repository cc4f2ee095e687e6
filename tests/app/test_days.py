"""Days in a zone: 23 to 25 hours, midnight, weeks. The tables are those of the design."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InvalidInput
from app.tracking import days
from app.tracking.overlaps import length, worked

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = sorted(available_timezones() - {"localtime", "Factory"})


def at(text, offset=None):
    """``2025-10-26 02:30`` in Berlin; ``+01:00`` chooses between two such times."""
    naive = datetime.fromisoformat(text)
    if offset is not None:
        return datetime.fromisoformat(f"{text}{offset}").astimezone(UTC)
    return naive.replace(tzinfo=BERLIN).astimezone(UTC)


CASES = [
    pytest.param(
        at("2025-03-30 01:30"), at("2025-03-30 03:30"), [], "1:00", ["1:00"],
        id="the hour that spring skips is not worked",
    ),
    pytest.param(
        at("2025-10-26 01:30", "+02:00"), at("2025-10-26 03:30", "+01:00"), [], "3:00", ["3:00"],
        id="the hour that autumn repeats is worked twice",
    ),
    pytest.param(
        at("2025-10-26 02:30", "+02:00"), at("2025-10-26 02:30", "+01:00"), [], "1:00", ["1:00"],
        id="from the first half past two to the second is an hour",
    ),
    pytest.param(
        at("2025-06-03 22:00"), at("2025-06-04 01:30"),
        [(at("2025-06-03 23:45"), at("2025-06-04 00:15"))], "3:00", ["1:45", "1:15"],
        id="a break across midnight is left out of both days",
    ),
    pytest.param(
        at("2025-03-29 23:00"), at("2025-03-30 04:00"), [], "4:00", ["1:00", "3:00"],
        id="the night of the spring change has an hour less",
    ),
    pytest.param(
        at("2025-06-03 23:50"), at("2025-06-04 00:10"), [], "0:20", ["0:10", "0:10"],
        id="a running entry is divided at midnight so far",
    ),
]  # fmt: skip


def seconds(text):
    hours, minutes = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60


@pytest.mark.parametrize(("start", "end", "breaks", "whole", "per_day"), CASES)
def test_worked_time_is_a_difference_of_instants(start, end, breaks, whole, per_day):
    segments = worked(start, end, breaks)

    assert length(segments) == seconds(whole)
    assert list(days.parts(segments, BERLIN).values()) == [
        seconds(part) for part in per_day
    ]


@pytest.mark.parametrize(
    ("day", "clock", "fold", "instant", "moved", "twice"),
    [
        pytest.param("2025-03-30", "02:30", 0, "2025-03-30T01:30", 60, False,
                     id="a time that does not exist moves forward by the gap"),
        pytest.param("2025-10-26", "02:30", 0, "2025-10-26T00:30", 0, True,
                     id="a time that exists twice is the first"),
        pytest.param("2025-10-26", "02:30", 1, "2025-10-26T01:30", 0, True,
                     id="or the second where that is asked for"),
        pytest.param("2025-06-03", "02:30", 0, "2025-06-03T00:30", 0, False,
                     id="an ordinary time is itself"),
    ],
)  # fmt: skip
def test_a_local_time_is_read_as_an_instant(day, clock, fold, instant, moved, twice):
    reading = days.at_local(
        date.fromisoformat(day), time.fromisoformat(clock), BERLIN, fold=fold
    )

    assert reading.instant == datetime.fromisoformat(instant).replace(tzinfo=UTC)
    assert reading.moved == timedelta(minutes=moved)
    assert reading.twice is twice


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        pytest.param("Europe/Berlin", date(2025, 3, 30), 23, id="spring has 23 hours"),
        pytest.param("Europe/Berlin", date(2025, 10, 26), 25, id="autumn has 25 hours"),
        pytest.param(
            "America/Sao_Paulo", date(2018, 11, 4), 23, id="a day without midnight"
        ),
        pytest.param("Australia/Lord_Howe", date(2025, 4, 6), 24.5, id="half an hour more"),
        pytest.param("Pacific/Apia", date(2011, 12, 30), 0, id="a day that was left out"),
        pytest.param("UTC", date(2025, 3, 30), 24, id="UTC never changes"),
    ],
)
def test_a_day_has_as_many_hours_as_it_has(zone, day, hours):
    start, end = days.day_bounds(day, ZoneInfo(zone))

    assert (end - start).total_seconds() / 3600 == hours


INSTANTS = st.datetimes(
    datetime(1975, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)  # noqa: DTZ001 - the zone is given beside
).map(lambda t: t.replace(microsecond=0))  # fmt: skip
LENGTHS = st.integers(1, 4 * 86_400)


@given(st.sampled_from(ZONES), INSTANTS, LENGTHS, st.lists(st.tuples(LENGTHS, LENGTHS)))
def test_parts_at_midnight_add_up_to_the_whole_in_any_zone(name, start, span, gaps):
    where = ZoneInfo(name)
    end = start + timedelta(seconds=span)
    breaks, cursor = [], start
    for before, pause in gaps:
        begin = cursor + timedelta(seconds=before)
        cursor = begin + timedelta(seconds=pause)
        if cursor < end:
            breaks.append((begin, cursor))
    segments = worked(start, end, breaks)
    resting = sum((b - a).total_seconds() for a, b in breaks)

    parts = days.parts(segments, where)

    assert sum(parts.values()) == length(segments) == span - resting
    assert all(part > 0 for part in parts.values())


@given(st.sampled_from(ZONES), INSTANTS)
def test_every_instant_belongs_to_exactly_one_day(name, instant):
    where = ZoneInfo(name)
    day = days.day_of(instant, where)
    start, end = days.day_bounds(day, where)

    assert start <= instant < end


@pytest.mark.parametrize(
    ("day", "first", "begins", "number"),
    [
        pytest.param("2025-10-23", 1, "2025-10-20", 43, id="Monday first is ISO"),
        pytest.param("2025-10-19", 0, "2025-10-19", 43, id="Sunday first"),
        pytest.param("2025-10-18", 6, "2025-10-18", 43, id="Saturday first"),
        pytest.param("2024-12-30", 1, "2024-12-30", 1, id="the last days can be week 1"),
        pytest.param("2027-01-01", 1, "2026-12-28", 53, id="the first days can be week 53"),
    ],
)
def test_a_week_begins_on_the_day_its_owner_likes(day, first, begins, number):
    day = date.fromisoformat(day)

    assert days.week_of(day, first) == date.fromisoformat(begins)
    assert days.week_number(day, first) == number


def test_an_unknown_zone_is_refused_by_name():
    with pytest.raises(InvalidInput, match="Mars/Olympus"):
        days.zone("Mars/Olympus")
