"""Figures, times and names as people read them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgerow.web.charts import rows, words

NOW = datetime(2025, 10, 20, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("number", "compact", "exact"),
    [
        pytest.param(0, "0", "0", id="zero is zero"),
        pytest.param(None, "\u2013", "\u2013", id="none is a dash"),
        pytest.param(9_999, "9,999", "9,999", id="exact below ten thousand"),
        pytest.param(12_405, "12.4k", "12,405", id="thousands"),
        pytest.param(99_960, "100k", "99,960", id="no decimal from a hundred on"),
        pytest.param(999_960, "1.0M", "999,960", id="rounding may change the unit"),
        pytest.param(1_234_567, "1.2M", "1,234,567", id="millions"),
        pytest.param(1.256, "1.26", "1.26", id="two decimals"),
        pytest.param(-3, "\u22123", "\u22123", id="a minus is a minus"),
    ],
)
def test_figures(number, compact, exact):
    assert (words.compact(number), words.exact(number)) == (compact, exact)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(41, "41s"), (192, "3m 12s"), (3900, "1h 05m"), (190_800, "2d 5h"), (None, "\u2013")],
)
def test_durations_have_their_two_largest_units(seconds, text):
    assert words.duration(seconds) == text


@pytest.mark.parametrize(
    ("age", "text"),
    [
        (timedelta(seconds=3), "just now"),
        (timedelta(minutes=4), "4 min ago"),
        (timedelta(hours=3), "3 h ago"),
        (timedelta(days=12), "12 d ago"),
    ],
)
def test_ages(age, text):
    assert words.ago(NOW - age, NOW) == text


def test_a_range_over_two_years_names_them():
    dash = words.NONE

    assert words.day_range(NOW - timedelta(days=29), NOW) == f"21 Sep {dash} 20 Oct"
    assert (
        words.day_range(NOW - timedelta(days=365), NOW) == f"20 Oct 2024 {dash} 20 Oct 2025"
    )


@pytest.mark.parametrize(
    ("values", "in_order"),
    [
        pytest.param(["3.0.0", "2.10.0", "v2.9"], True, id="versions"),
        pytest.param(
            ["3.0.0", words.NONE_VALUE], True, id="a missing value changes nothing"
        ),
        pytest.param(["3.0.0", "Linux"], False, id="one other word and they are words"),
        pytest.param(["1.5", "2.5"], False, id="figures are no versions"),
        pytest.param([], False, id="nothing has no order"),
    ],
)
def test_versions_are_known_by_all_their_values(values, in_order):
    assert rows.are_versions(values) is in_order


@given(st.floats(0, 1))
def test_a_share_reads_back_within_half_of_its_last_digit(share):
    shown = words.percent(share).removesuffix(f"{words.THIN}%")

    assert float(shown.replace(",", "")) == pytest.approx(share * 100, abs=0.0501)
