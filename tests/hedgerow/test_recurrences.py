"""When something that comes back comes next."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgerow.errors import InvalidInput
from hedgerow.meta import recurrences
from hedgerow.meta.recurrences import DAYS, Recurrence

START = datetime(2026, 1, 30, 9, tzinfo=UTC)  # a Friday


def rule(frequency, start=START, **more):
    return Recurrence(frequency=frequency, start_date=start, **more)


def times(one, count, timezone="UTC"):
    found, at = [], one.start_date - timedelta(seconds=1)
    while len(found) < count and (at := recurrences.following(one, at, timezone)):
        found.append(at.strftime("%m-%d %H:%M"))
    return found


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        pytest.param(rule("daily"), ["01-30", "01-31", "02-01"], id="daily"),
        pytest.param(rule("daily", interval=3), ["01-30", "02-02", "02-05"], id="3 days"),
        pytest.param(
            rule("daily", byweekday=["monday"]),
            ["02-02", "02-09", "02-16"],
            id="on Mondays",
        ),
        pytest.param(rule("weekly"), ["01-30", "02-06", "02-13"], id="weekly"),
        pytest.param(
            rule("weekly", byweekday=["monday", "friday"]),
            ["01-30", "02-02", "02-06"],
            id="twice a week",
        ),
        pytest.param(
            rule("weekly", interval=2, byweekday=["monday"]),
            ["02-09", "02-23", "03-09"],
            id="every other week of the start's",
        ),
        pytest.param(rule("monthly"), ["01-30", "02-28", "03-30"], id="a short month"),
        pytest.param(
            rule("monthly", byweekday=["monday"], bysetpos=1),
            ["02-02", "03-02", "04-06"],
            id="first Monday",
        ),
        pytest.param(
            rule("monthly", byweekday=list(DAYS), bysetpos=-1),
            ["01-31", "02-28", "03-31"],
            id="last day",
        ),
        pytest.param(
            rule("monthly", interval=3, byweekday=["saturday"]),
            ["01-31", "04-04", "04-11"],
            id="each Saturday of a month",
        ),
        pytest.param(rule("yearly"), ["01-30", "01-30", "01-30"], id="yearly"),
    ],
)
def test_the_days_of_a_recurrence(one, expected):
    assert [at[:5] for at in times(one, 3)] == expected


def test_it_ends_after_its_last_day():
    one = rule("daily", until_date=START + timedelta(days=1))

    assert times(one, 9) == ["01-30 09:00", "01-31 09:00"]


def test_the_time_of_day_stays_when_clocks_change():
    start = datetime.fromisoformat("2026-03-28T08:00+01:00")

    assert times(rule("daily", start), 2, "Europe/Berlin") == ["03-28 07:00", "03-29 06:00"]


@pytest.mark.parametrize(
    ("one", "named"),
    [
        pytest.param(rule("daily", interval=0), "interval", id="no interval"),
        pytest.param(rule("daily", interval=1001), "interval", id="too large an interval"),
        pytest.param(rule("daily", START.replace(tzinfo=None)), "start_date", id="no zone"),
        pytest.param(rule("daily", START.replace(year=9999)), "start_date", id="far away"),
        pytest.param(
            rule("daily", until_date=START - timedelta(days=1)), "until_date", id="over"
        ),
        pytest.param(
            rule("daily", interval=7, byweekday=["monday"]),
            "byweekday",
            id="never a Monday",
        ),
        pytest.param(
            rule("yearly", byweekday=["monday"]), "byweekday", id="days of a year"
        ),
        pytest.param(rule("weekly", bysetpos=1), "bysetpos", id="a place in a week"),
        pytest.param(
            rule("monthly", byweekday=["monday"], bysetpos=5), "bysetpos", id="no fifth"
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_field(one, named):
    with pytest.raises(InvalidInput) as refused:
        recurrences.check(one, "UTC")

    assert refused.value.attr == named


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (rule("daily"), "every day at 09:00"),
        (rule("weekly", interval=2), "every 2 weeks on Friday at 09:00"),
        (
            rule("weekly", byweekday=["friday", "monday", "tuesday"]),
            "every week on Monday, Tuesday and Friday at 09:00",
        ),
        (rule("monthly"), "every month on day 30 at 09:00"),
        (
            rule("monthly", byweekday=["monday"], bysetpos=2),
            "every month on the second Monday at 09:00",
        ),
        (
            rule("monthly", byweekday=list(DAYS), bysetpos=1),
            "every month on the first day at 09:00",
        ),
        (rule("yearly"), "every year on 30 January at 09:00"),
    ],
)
def test_a_recurrence_is_said_in_words(one, said):
    assert recurrences.said(one, "UTC") == said


RULES = st.builds(
    Recurrence,
    frequency=st.sampled_from(["daily", "weekly", "monthly"]),
    start_date=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  hypothesis wants bounds without zone
    interval=st.integers(1, 13),
    byweekday=st.lists(st.sampled_from(DAYS), unique=True),
)  # fmt: skip


@given(RULES, st.timedeltas(timedelta(), timedelta(days=4000)))
def test_wherever_one_asks_from_the_times_are_the_same(one, later):
    at = one.start_date + later
    zone = "America/St_Johns"
    near = recurrences.following(one, at, zone)
    last = one.start_date - timedelta(seconds=1)
    walked = [last]
    while last is not None and last <= at and len(walked) < 5000:
        last = recurrences.following(one, last, zone)
        walked.append(last)

    assert walked[-1] == near
    assert all(a < b for a, b in pairwise(walked) if b is not None)
    if near is not None and one.byweekday:
        bound = msgspec.structs.replace(one, until_date=near - timedelta(seconds=1))
        assert recurrences.following(bound, at, zone) is None
