"""What people type for lengths and times."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InvalidInput
from app.tracking import durations

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2025, 6, 3, 12, 34, 56, tzinfo=UTC)  # 14:34:56 in Berlin


@pytest.mark.parametrize(
    ("typed", "minutes"),
    [
        ("1:30", 90),
        ("1.5", 90),
        ("1,5", 90),
        ("1h30", 90),
        ("1h 30m", 90),
        ("1 h 30 min", 90),
        ("90m", 90),
        ("90", 90),
        ("13", 13),
        ("12", 720),
        ("0", 0),
        (".5", 30),
        ("2h", 120),
        ("1.25h", 75),
        ("0:07", 7),
        ("10:00", 600),
        ("45 min", 45),
        (" 1:30 ", 90),
    ],
)
def test_a_length_can_be_typed_in_many_ways(typed, minutes):
    assert durations.seconds(typed) == minutes * 60


@pytest.mark.parametrize(
    "typed", ["", "1:75", "abc", "-1", "1:2:3:4", "1e9", "h", "100000"]
)
def test_what_is_no_length_is_refused_with_examples(typed):
    with pytest.raises(InvalidInput, match="1h 30m"):
        durations.seconds(typed)


@pytest.mark.parametrize(
    ("typed", "utc"),
    [
        ("9", "07:00:00"),
        ("930", "07:30:00"),
        ("9:30", "07:30:00"),
        ("9:30pm", "19:30:00"),
        ("12am", "22:00:00"),
        ("12pm", "10:00:00"),
        ("0930", "07:30:00"),
        ("now", "12:34:56"),
        ("-15", "12:19:00"),
    ],
)
def test_a_time_can_be_typed_in_many_ways(typed, utc):
    reading = durations.moment(typed, date(2025, 6, 3), BERLIN, NOW)

    assert reading.instant.time().isoformat() == utc


@pytest.mark.parametrize("typed", ["", "25", "9:61", "13pm", "0am", "noon"])
def test_what_is_no_time_is_refused_with_examples(typed):
    with pytest.raises(InvalidInput, match="9:30pm"):
        durations.moment(typed, date(2025, 6, 3), BERLIN, NOW)


@pytest.mark.parametrize(
    ("seconds", "prose", "grid", "exact", "decimal"),
    [
        (3912, "1h 05m", "1:05", "1:05:12", "1.09"),
        (1500, "25m", "0:25", "0:25:00", "0.42"),
        (0, "0m", "0:00", "0:00:00", "0.00"),
        (18, "0m", "0:00", "0:00:18", "0.01"),
        (360_000, "100h 00m", "100:00", "100:00:00", "100.00"),
        (-600, "\u221210m", "\u22120:10", "-0:10:00", "-0.17"),
    ],
)
def test_lengths_are_written_as_their_place_wants(seconds, prose, grid, exact, decimal):
    assert durations.prose(seconds) == prose
    assert durations.grid(seconds) == grid
    assert durations.exact(seconds) == exact
    assert durations.decimal(seconds) == decimal


@given(st.integers(0, 999 * 60))
def test_what_the_grid_shows_is_read_back(minutes):
    assert durations.seconds(durations.grid(minutes * 60)) == minutes * 60


@given(st.integers(0, 999 * 3600))
def test_what_is_shown_exactly_is_read_back_exactly(seconds):
    assert durations.seconds(durations.exact(seconds)) == seconds
