"""The events database: what is put in comes out."""

from concurrent.futures import ThreadPoolExecutor

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import parse_one

from hedgerow.errors import QueryTooLarge
from hedgerow.model.ports import Statement
from hedgerow.model.tables import Column, Table
from hedgerow.query.dialects import DUCKDB
from hedgerow.store import arrow
from hedgerow.store.on_duckdb import DuckStore
from hedgerow.store.rows import INCOMING, in_memory, unnested
from tests.world import load, rows


def test_what_is_loaded_can_be_asked_about(store, project):
    load(
        store,
        project,
        group_types=["company"],
        groups=[{"type": "company", "key": "acme", "properties": {"seats": 5}}],
        persons=[{"distinct_ids": ["ann", "ann@work"], "properties": {"plan": "pro"}}],
        events=[
            {
                "event": "signed up",
                "distinct_id": "ann",
                "timestamp": "2020-01-09T12:00:00Z",
                "properties": {"colour": "red", "n": 5.0},
                "groups": {"company": "acme"},
            },
            {"event": "left", "distinct_id": "bob", "timestamp": "2020-01-10T12:00:00Z"},
        ],
    )
    statement = Statement(
        tree=parse_one(
            "SELECT event, e.properties ->> 'n', group_0, pr.properties ->> 'plan' "
            "FROM events e JOIN persons pr USING (person_key) WHERE e.project_id = $p "
            "ORDER BY timestamp",
            dialect="duckdb",
        ),
        values={"p": project.id},
    )

    answer = store.run(statement, timeout_s=5)

    assert answer.rows == [("signed up", "5.0", "acme", "pro"), ("left", None, None, None)]


def test_hot_columns_hold_what_the_json_holds(project):
    store = DuckStore(None)
    load(
        store,
        project,
        events=[
            {"event": "a", "distinct_id": "ann", "properties": {"hot 1/~": value}}
            for value in (
                5,
                5.0,
                "x",
                "1_000",
                "nan",
                None,
                True,
                [1, "a"],
                {"k": 2},
                1e300,
            )
        ],
    )
    column = store.columns()["events", "hot 1/~"]
    found = rows(
        store,
        f"SELECT {column.text}, {column.number}, json_extract_string(properties, '/hot 1~1~0')"
        " FROM events WHERE project_id = ?",
        project.id,
    )
    store.close()

    assert [text for text, _, _ in found] == [json for _, _, json in found]
    assert [number for _, number, _ in found if number is not None] == [5.0, 5.0, 1e300]


def test_a_number_is_the_same_from_its_column_and_from_the_json(project):
    store = DuckStore(None)
    values = ["1e999", "-1e999", "1e308", " 5 ", "+.5", "7.", "nan", "inf", "1_000", ""]
    load(
        store,
        project,
        events=[
            {"event": "a", "distinct_id": "ann", "properties": {"size/~": value}}
            for value in (1, *values)
        ],
    )
    column = store.columns()["events", "size/~"]
    json = parse_one("json_extract_string(properties, '/size~1~0')", dialect="duckdb")
    found = rows(
        store,
        f"SELECT {column.number}, {DUCKDB.number(json).sql('duckdb')}"
        " FROM events WHERE project_id = ?",
        project.id,
    )
    store.close()

    assert [hot for hot, _ in found] == [cold for _, cold in found]
    assert sorted(hot for hot, _ in found if hot is not None) == [0.5, 1, 5, 7, 1e308]


ENGINE = duckdb.connect()
KINDS = {
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "text": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    "uuid": st.uuids().map(str),
    "time": st.integers(-(10**15), 10**16),
    "bool": st.booleans(),
    "json": st.sampled_from(['{"a":5.0}', '{"é":"😀"}', "{}"]),
    "double": st.floats(allow_nan=False),
}


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_many_rows_arrive_in_memory_as_few_do_in_parameters(data):
    table = Table("t", tuple(Column(kind, kind) for kind in KINDS))
    size = data.draw(st.integers(1, 20))
    columns = [
        data.draw(st.lists(values | st.none(), min_size=size, max_size=size))
        for values in KINDS.values()
    ]
    columns[0][0] = size  # an empty first list is no rows
    found = []
    for travel in (unnested, in_memory):
        sql, values, held = travel(table, columns)
        if held is not None:
            ENGINE.register(INCOMING, held)
        found.append(ENGINE.execute(sql, values).fetchall())

    assert found[0] == found[1]
    assert len(found[0]) == size


def test_memory_lent_to_the_engine_comes_back():
    held = arrow.Columns([arrow.Column("c0", "text", ["a", None])])
    ENGINE.register(INCOMING, held)
    ENGINE.execute(f"SELECT * FROM {INCOMING}").fetchall()
    ENGINE.unregister(INCOMING)

    assert arrow.lent() == 0


def a_list_of(numbers):
    tree = parse_one(f"SELECT LEN(LIST(r)) FROM RANGE({numbers}) AS t(r)", dialect="duckdb")
    return Statement(tree=tree, values={})


def test_questions_that_together_need_too_much_memory_are_answered_one_after_another(
    tmp_path,
):
    store = DuckStore(tmp_path / "events.duckdb", memory_mib=128)

    with ThreadPoolExecutor(4) as four:
        asked = [
            four.submit(store.run, a_list_of(2_000_000), timeout_s=60) for _ in range(4)
        ]
        answers = [one.result().rows for one in asked]

    assert answers == [[(2_000_000,)]] * 4
    store.close()


def test_a_question_that_needs_too_much_memory_alone_is_refused(tmp_path):
    store = DuckStore(tmp_path / "events.duckdb", memory_mib=128)

    with pytest.raises(QueryTooLarge, match="HEDGEROW_MEMORY_MIB"):
        store.run(a_list_of(60_000_000), timeout_s=60)
    store.close()
