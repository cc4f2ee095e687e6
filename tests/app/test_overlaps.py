"""Half-open intervals, and what they share."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.tracking import overlaps

NOON = datetime(2025, 6, 3, 12, tzinfo=UTC)


def span(start, end):
    """From and to in minutes after noon."""
    return NOON + timedelta(minutes=start), NOON + timedelta(minutes=end)


@pytest.mark.parametrize(
    ("first", "second", "minutes"),
    [
        pytest.param([span(0, 60)], [span(60, 120)], 0, id="touching is not overlapping"),
        pytest.param([span(0, 60)], [span(59, 120)], 1, id="a minute is"),
        pytest.param([span(0, 60)], [span(10, 20)], 10, id="one inside the other"),
        pytest.param([span(0, 20), span(40, 60)], [span(20, 40)], 0, id="a break is free"),
        pytest.param([span(0, 60)], [span(0, 60)], 60, id="the same twice"),
    ],
)
def test_two_entries_share_what_both_worked(first, second, minutes):
    assert overlaps.shared(first, second) == minutes * 60
    assert overlaps.shared(second, first) == minutes * 60


@pytest.mark.parametrize(
    ("entries", "minutes"),
    [
        pytest.param(
            [[span(0, 60)], [span(40, 130)]], 20, id="2h 30m, of which 20m overlap"
        ),
        pytest.param([[span(0, 60)]] * 3, 120, id="three at once count two too many"),
        pytest.param([[span(0, 60)], [span(60, 90)]], 0, id="none"),
        pytest.param([], 0, id="no entries"),
    ],
)
def test_doubled_time_is_the_sum_less_the_union(entries, minutes):
    assert overlaps.doubled(entries) == minutes * 60


SPANS = st.lists(
    st.tuples(st.integers(0, 500), st.integers(1, 90)).map(lambda p: span(p[0], sum(p))),
    max_size=12,
)


@given(SPANS)
def test_no_block_covers_another_in_its_lane(blocks):
    places = overlaps.lanes(blocks)

    for n, (lane, width) in enumerate(places):
        assert 0 <= lane < width
        for other in range(n):
            if overlaps.shared([blocks[n]], [blocks[other]]):
                assert places[other] != (lane, width)
                assert places[other][1] == width


@given(SPANS)
def test_doubled_time_never_exceeds_what_is_there(blocks):
    entries = [[block] for block in blocks]

    assert 0 <= overlaps.doubled(entries) <= sum(map(overlaps.length, entries))
