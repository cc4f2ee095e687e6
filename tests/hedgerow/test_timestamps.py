"""When an event really happened, whatever the client's clock says."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgerow.ingest.timestamps import AHEAD, happened_at, parsed

NOW = datetime(2026, 3, 15, 12, 0, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        pytest.param("2026-03-15T10:00:00Z", "2026-03-15 10:00", id="Z is UTC"),
        pytest.param("2026-03-15T12:00:00+02:00", "2026-03-15 10:00", id="a zone"),
        pytest.param("2026-03-15T12:00:00+02", "2026-03-15 10:00", id="a zone of hours"),
        pytest.param("2026-03-15T10:00:00", "2026-03-15 10:00", id="no zone is UTC"),
        pytest.param("2026-03-15 10:00:00", "2026-03-15 10:00", id="a space for T"),
        pytest.param("2026-03-15", "2026-03-15 00:00", id="a date alone"),
        pytest.param(
            "2026-03-15T10:00:00.5Z", "2026-03-15 10:00:00.500000", id="1 decimal"
        ),
        pytest.param(
            "2026-03-15T10:00:00.123456Z", "2026-03-15 10:00:00.123456", id="6 decimals"
        ),
        pytest.param(
            "2026-03-15T10:00:00.123456789+01:00",
            "2026-03-15 09:00:00.123456",
            id="9 decimals",
        ),
    ],
)
def test_a_time_is_read(text, moment):
    assert parsed(text) == at(moment)


@pytest.mark.parametrize(
    "text", [None, "", "yesterday", "1773568800", "2026-13-40", "null"]
)
def test_what_is_no_time_is_none(text):
    assert parsed(text) is None


@pytest.mark.parametrize(
    ("given", "moment"),
    [
        pytest.param(
            {"timestamp": "2026-03-15T11:00:00Z"}, "2026-03-15 11:00", id="as said"
        ),
        pytest.param({"timestamp": "soon"}, "2026-03-15 12:00", id="unreadable is arrival"),
        pytest.param({"timestamp": None}, "2026-03-15 12:00", id="absent is arrival"),
        pytest.param(
            {"timestamp": "2020-01-01T00:00:00Z", "sent_at": at("2020-01-01 00:00:10")},
            "2026-03-15 11:59:50",
            id="a wrong clock keeps its gap",
        ),
        pytest.param(
            {"timestamp": "2020-01-01T00:00:00Z", "offset_ms": 2000},
            "2026-03-15 11:59:58",
            id="an offset wins",
        ),
        pytest.param(
            {"timestamp": "2026-03-16T10:59:59Z"},
            "2026-03-16 10:59:59",
            id="23 h ahead is fine",
        ),
        pytest.param(
            {"timestamp": "2026-03-16T11:00:01Z"}, "2026-03-15 12:00", id="more is arrival"
        ),
        pytest.param({"offset_ms": 10**18}, "2026-03-15 12:00", id="an absurd offset"),
        pytest.param(
            {"timestamp": "0001-01-01T00:00:00+05:00"},
            "2026-03-15 12:00",
            id="before all time",
        ),
    ],
)
def test_when_it_happened(given, moment):
    arguments = {"timestamp": None} | given

    assert happened_at(received_at=NOW, **arguments) == at(moment)


@given(
    st.datetimes(timezones=st.just(UTC)),
    st.none() | st.datetimes(timezones=st.just(UTC)),
    st.none() | st.integers(),
)
def test_no_event_happens_much_after_it_came(timestamp, sent_at, offset_ms):
    moment = happened_at(
        timestamp.isoformat(), received_at=NOW, sent_at=sent_at, offset_ms=offset_ms
    )

    assert moment <= NOW + AHEAD


@given(st.timedeltas(timedelta(0), timedelta(days=300)), st.timedeltas(timedelta(0), AHEAD))
def test_the_gap_between_two_readings_of_one_clock_is_kept(wrong_by, gap):
    sent_at = NOW - wrong_by

    moment = happened_at((sent_at - gap).isoformat(), received_at=NOW, sent_at=sent_at)

    assert NOW - moment == gap
