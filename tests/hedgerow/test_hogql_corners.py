"""Corners of SQL: what people write for PostHog, with answers known beforehand."""

import pytest

from hedgerow.errors import InvalidQuery
from tests.hedgerow.asking import Asked, did
from tests.world import a_project


@pytest.fixture(scope="module")
def asked(store):
    events = [
        did("ann", "opened", "2026-03-14T23:30", plan="pro", obj={"k": {"l": 5}}),
        did("ann", "opened", "2026-03-14T10:00", plan="free"),
        did("bob", "closed", "2026-03-13T11:00", plan="pro"),
    ]
    return Asked(store, a_project(timezone="Europe/Berlin"), events=events)


def rows(asked, sql):
    return asked.whole({"kind": "HogQLQuery", "query": sql})["results"]


OF_EVENTS = [
    ("event NOT LIKE 'o%'", 1),
    ("event NOT ILIKE 'O%'", 1),
    ("NOT event NOT LIKE 'o%'", 2),
    ("NOT (event LIKE 'o%')", 1),
    ("event !~ '^o'", 1),
    ("event NOT IN ('opened')", 1),
    ("event NOT BETWEEN 'a' AND 'd'", 2),
    ("(event, distinct_id) IN (('opened', 'ann'))", 2),
    ("tuple(event, distinct_id) IN (('closed', 'bob'))", 1),
    ("(event, distinct_id) IN (('opened', 'ann'), ('closed', 'bob'))", 3),
    ("(event, distinct_id) NOT IN (('opened', 'ann'))", 1),
    ("properties.obj['k'] = '{\"l\":5}'", 1),
]


@pytest.mark.parametrize(("condition", "count"), OF_EVENTS, ids=[c for c, _ in OF_EVENTS])
def test_conditions_hold_for_the_events_they_say(asked, condition, count):
    assert rows(asked, f"SELECT count() FROM events WHERE {condition}") == [[count]]


VALUES = [
    ("toFloatOrZero('x')", 0),
    ("toIntOrZero('7.5')", 7),
    ("toInt64OrZero('x')", 0),
    ("arrayReduce('sum', [1, 2])", 3),
    ("arrayReduce('max', ['a', 'b'])", "b"),
    ("arrayReduce('uniqExact', [1, 1])", 1),
    ("arrayReduce('avg', [1, 2])", 1.5),
    ("arrayReduce('groupUniqArray', [1, 1])", [1]),
    ("toTypeName(1)", "Int32"),
    ("toTypeName('a')", "String"),
    ("toTypeName(today())", "Date"),
    ("toTypeName(now())", "DateTime64(6, 'Europe/Berlin')"),
    ("toTypeName(['a'])", "Array(String)"),
    ("greatest('a', 'b')", "b"),
    ("greatest(1, '5')", 5),
    ("least(today(), yesterday())", "2026-03-14"),
    ("least(now(), toDateTime('2026-01-01'))", "2026-01-01T00:00:00+01:00"),
]


@pytest.mark.parametrize(("text", "value"), VALUES, ids=[text for text, _ in VALUES])
def test_functions_give_what_they_give_in_clickhouse(asked, text, value):
    assert rows(asked, f"SELECT {text}") == [[value]]


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        pytest.param(
            "SELECT arr, id FROM (SELECT [1, 2] AS arr, 5 AS id) ARRAY JOIN arr",
            [[1, 5], [2, 5]],
            id="array-join-takes-the-place-of-its-column",
        ),
        pytest.param(
            "SELECT q.arr, arr FROM (SELECT [1, 2] AS arr) AS q ARRAY JOIN arr",
            [[[1, 2], 1], [[1, 2], 2]],
            id="the-whole-array-by-its-table",
        ),
        pytest.param(
            "SELECT t.1, q.t.2 FROM (SELECT ('a', 1) AS t) AS q",
            [["a", 1]],
            id="elements-of-a-tuple-in-a-subquery",
        ),
    ],
)
def test_subqueries_tell_what_is_in_them(asked, sql, found):
    assert rows(asked, sql) == found


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        pytest.param("SELECT COUNT(*) FROM events", "Did you mean count?", id="capitals"),
        pytest.param("SELECT arrayReduce('evil', [1])", "'evil'", id="no-aggregate"),
        pytest.param("SELECT 5 BETWEEN SYMMETRIC 9 AND 1", "not allowed", id="symmetric"),
        pytest.param("SELECT t.1 FROM (SELECT 1 AS u)", "'t.1'", id="no-such-tuple"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(asked, sql, said):
    with pytest.raises(InvalidQuery) as refused:
        rows(asked, sql)

    assert said in str(refused.value)
