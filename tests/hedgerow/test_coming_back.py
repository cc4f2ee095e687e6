"""Retention, stickiness and lifecycle agree with plain loops over the same events.

The plain evaluators below know nothing of SQL: they follow the page's words, a person and a
period at a time, for a project in a zone whose clock changes inside the range.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hedgerow.errors import InvalidQuery
from hedgerow.insights import lifecycle, retention, stickiness
from hedgerow.query.definitions import decode
from tests.world import a_project, context, load

ZONE = "Europe/Berlin"
FIRST, LAST = "2024-03-25", "2024-04-05"  # clocks go forward on 31 March
DAYS = 12
START = datetime(2024, 3, 25, tzinfo=ZoneInfo(ZONE))
NOW = datetime(2024, 4, 5, 20, tzinfo=UTC)
PEOPLE = ("ann", "bob", "cat")
HISTORIES = st.lists(
    st.tuples(
        st.sampled_from(PEOPLE),
        st.sampled_from(["start", "return"]),
        st.integers(-3 * 24, (DAYS + 1) * 24 - 1),
    ),
    max_size=25,
)


def slowly(test):
    """Run a law on twenty histories: each is a project of its own in a real store."""
    tried = settings(
        max_examples=20,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    return pytest.mark.slow(tried(test))


def asked(store, module, query, history):
    """Load a history of (who, what, hours after the first midnight) and ask about it."""
    project = a_project(timezone=ZONE, week_start_day=1)
    events = [
        {
            "event": what,
            "distinct_id": who,
            "timestamp": at(hours),
            "properties": {"n": hours},
        }
        for who, what, hours in history
    ]
    load(store, project, events=events, now=NOW)
    told = context(store, project, NOW)
    question = decode(query)
    answers = [store.run(one, timeout_s=20) for one in module.statements(question, told)]
    return module.result(question, told, answers)


def at(hours):
    return (START.astimezone(UTC) + timedelta(hours=hours)).isoformat()


def day_of(hours):
    local = (START.astimezone(UTC) + timedelta(hours=hours)).astimezone(ZoneInfo(ZONE))
    return (local.date() - START.date()).days


def days_by_person(history, what=None):
    found = {}
    for who, name, hours in history:
        if what in {None, name}:
            found.setdefault(who, Counter())[day_of(hours)] += 1
    return found


def retention_query(**more):
    return {
        "kind": "RetentionQuery",
        "dateRange": {"date_from": FIRST, "date_to": LAST},
        "retentionFilter": {
            "period": "Day",
            "totalIntervals": 5,
            "targetEntity": {"id": "start", "type": "events"},
            "returningEntity": {"id": "return", "type": "events"},
            **more,
        },
    }


def table(rows):
    return [[value["count"] for value in row["values"]] for row in rows]


def plain_retention(history, *, least=1, columns=5, first=False):
    starts, returns = days_by_person(history, "start"), days_by_person(history, "return")
    cells = [[0] * columns for _ in range(DAYS)]
    for who, days in starts.items():
        rows = {min(days)} if first else set(days)
        came = {day for day, times in returns.get(who, {}).items() if times >= least}
        for row in rows & set(range(DAYS)):
            for k in range(columns):
                inside = row + k < DAYS
                cells[row][k] += k == 0 or (inside and row + k in came)
    return cells


@slowly
@given(HISTORIES)
def test_retention_counts_who_came_back(store, history):
    assert table(asked(store, retention, retention_query(), history)) == plain_retention(
        history
    )


@slowly
@given(HISTORIES)
def test_a_minimum_counts_returns_per_day(store, history):
    rows = asked(store, retention, retention_query(minimumOccurrences=2), history)

    assert table(rows) == plain_retention(history, least=2)


@slowly
@given(HISTORIES)
def test_first_time_puts_a_person_in_the_row_of_their_first_start(store, history):
    query = retention_query(retentionType="retention_first_time")

    assert table(asked(store, retention, query, history)) == plain_retention(
        history, first=True
    )


@slowly
@given(HISTORIES)
def test_cumulative_columns_never_grow_and_end_like_plain_ones(store, history):
    plain = table(asked(store, retention, retention_query(), history))
    cumulative = table(asked(store, retention, retention_query(cumulative=True), history))

    for row, whole in zip(plain, cumulative, strict=True):
        assert whole == sorted(whole, reverse=True)
        assert whole[0] == row[0]
        assert whole[-1] == row[-1]


@slowly
@given(HISTORIES)
def test_brackets_of_one_day_are_days_for_first_time(store, history):
    plain = retention_query(retentionType="retention_first_time")
    brackets = retention_query(
        retentionType="retention_first_time", retentionCustomBrackets=[1, 1, 1, 1]
    )
    left, right = (asked(store, retention, one, history) for one in (plain, brackets))

    assert table(left) == table(right)
    assert [v["label"] for v in right[0]["values"]] == [f"Day {i}" for i in range(5)]


@slowly
@given(HISTORIES)
def test_a_sum_is_that_of_the_returning_events(store, history):
    query = retention_query(aggregationType="sum", aggregationProperty="n")
    rows = asked(store, retention, query, history)
    starts = days_by_person(history, "start")

    for i, row in enumerate(rows):
        for k, value in enumerate(row["values"][1:], 1):
            wanted = sum(
                hours
                for who, what, hours in history
                if what == "return"
                and day_of(hours) == i + k < DAYS
                and i in starts.get(who, {})
            )
            assert value["aggregation_value"] == pytest.approx(wanted)


@slowly
@given(HISTORIES)
def test_stickiness_counts_active_days(store, history):
    query = {
        "kind": "StickinessQuery",
        "series": [{"kind": "EventsNode", "event": "start"}],
        "dateRange": {"date_from": FIRST, "date_to": LAST},
    }
    (row,) = asked(store, stickiness, query, history)
    active = Counter(
        sum(0 <= day < DAYS for day in days)
        for days in days_by_person(history, "start").values()
    )

    assert row["data"] == [active[n] for n in range(1, DAYS + 1)]
    assert row["count"] == sum(row["data"])


@slowly
@given(HISTORIES, st.integers(2, 4))
def test_periods_of_several_days_are_counted_from_the_end(store, history, each):
    query = {
        "kind": "StickinessQuery",
        "series": [{"kind": "EventsNode", "event": "start"}],
        "dateRange": {"date_from": FIRST, "date_to": LAST},
        "intervalCount": each,
    }
    (row,) = asked(store, stickiness, query, history)
    active = Counter(
        len({(DAYS - 1 - day) // each for day in days if 0 <= day < DAYS})
        for days in days_by_person(history, "start").values()
    )

    assert row["data"] == [active[n] for n in range(1, len(row["data"]) + 1)]


def plain_lifecycle(history):
    rows = {word: [0] * DAYS for word in lifecycle.STATUSES}
    created = {}
    for who, _, hours in history:
        created.setdefault(
            who, day_of(hours)
        )  # the event that arrived first made the person
    for who, days in days_by_person(history, "start").items():
        active = {day for day in days if day >= -1}
        for day in active:
            before = [other for other in active if other < day]
            status = "resurrecting"
            if not before and created[who] == day:
                status = "new"
            elif before and max(before) == day - 1:
                status = "returning"
            if 0 <= day < DAYS:
                rows[status][day] += 1
            if day + 1 not in active and 0 <= day + 1 < DAYS:
                rows["dormant"][day + 1] -= 1
    return rows


@slowly
@given(HISTORIES)
def test_lifecycle_tells_new_returning_resurrecting_and_dormant(store, history):
    query = {
        "kind": "LifecycleQuery",
        "series": [{"kind": "EventsNode", "event": "start"}],
        "dateRange": {"date_from": FIRST, "date_to": LAST},
    }
    rows = asked(store, lifecycle, query, history)["results"]

    assert {row["status"]: row["data"] for row in rows} == plain_lifecycle(history)


@pytest.mark.parametrize(
    ("more", "attr"),
    [
        pytest.param({"cumulative": True}, "retentionFilter.cumulative", id="cumulative"),
        pytest.param(
            {"aggregationType": "sum", "aggregationProperty": "n"},
            "retentionFilter.aggregationType",
            id="sum",
        ),
    ],
)
def test_24_hour_windows_refuse_what_they_cannot_do(store, more, attr):
    query = retention_query(timeWindowMode="24_hour_windows", **more)

    with pytest.raises(InvalidQuery) as refused:
        asked(store, retention, query, [])

    assert refused.value.attr == attr


def test_a_sum_without_a_property_is_refused(store):
    with pytest.raises(InvalidQuery, match="aggregationProperty"):
        asked(store, retention, retention_query(aggregationType="avg"), [])


def test_two_breakdowns_are_refused(store):
    query = {
        **retention_query(),
        "breakdownFilter": {"breakdowns": [{"property": "a"}, {"property": "b"}]},
    }

    with pytest.raises(InvalidQuery, match="one breakdown"):
        asked(store, retention, query, [])
