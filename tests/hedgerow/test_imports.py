"""Persons and groups brought along, one JSON object a line."""

import json

import pytest

from hedgerow.ingest.imports import read_groups, read_persons
from tests.world import captured, import_groups, import_persons, rows, store_events


def persons(store, project):
    return rows(
        store,
        "SELECT list_sort(list(distinct_id)), any_value(p.properties::VARCHAR), "
        "any_value(is_identified), any_value(created_at::DATE::VARCHAR) FROM persons p "
        "JOIN distinct_ids USING (person_key) WHERE p.project_id = ? "
        "GROUP BY person_key ORDER BY 1",
        project.id,
    )


def answer(**counts):
    return {"created": 0, "updated": 0, "merged": 0, "failed": 0, "errors": []} | counts


def test_new_persons_are_made(store, project):
    found = import_persons(
        store,
        project,
        [{"distinct_ids": ["ann", "ann@work"], "properties": {"n": 1}, "created_at": "2024-01-01"},
         {"distinct_ids": [42]}],
    )  # fmt: skip

    assert found == answer(created=2)
    assert persons(store, project) == [
        (["42"], "{}", False, "2026-03-15"),
        (["ann", "ann@work"], '{"n":1}', True, "2024-01-01"),
    ]
    assert store.kinds(project.id) == {("person", "n"): "Numeric"}


def test_all_ids_of_a_line_become_one_person_with_their_events(store, project):
    store_events(store, project, [captured("a", "x", set={"k": "x", "x": 1})])
    store_events(store, project, [captured("b", "y", set={"k": "y", "y": 1})])
    found = import_persons(store, project, [{"distinct_ids": ["new", "y", "x"]}])

    assert found == answer(updated=1, merged=1)
    ((ids, properties, identified, _),) = persons(store, project)
    assert (ids, identified) == (["new", "x", "y"], True)
    assert json.loads(properties) == {"k": "y", "x": 1, "y": 1}
    keys = rows(
        store,
        "SELECT count(DISTINCT person_key) FROM events WHERE project_id=?",
        project.id,
    )
    assert keys == [(1,)]


def test_created_at_moves_only_back(store, project):
    for day in ("2024-02-01", "2024-03-01", "2024-01-01"):
        import_persons(store, project, [{"distinct_ids": ["ann"], "created_at": day}])

    assert persons(store, project)[0][3] == "2024-01-01"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param(b"{", "Not JSON", id="no JSON"),
        pytest.param(b"[1]", "Expected a JSON object", id="no object"),
        pytest.param(b"{}", "'distinct_ids' is missing", id="no ids"),
        pytest.param(b'{"distinct_ids":[" "]}', "empty id", id="an empty id"),
        pytest.param(b'{"distinct_ids":["a","null"]}', "'null'", id="an id of many"),
        pytest.param(
            b'{"distinct_ids":["a"],"properties":5}',
            "not an object",
            id="properties of no object",
        ),
        pytest.param(b'{"distinct_ids":["a"],"created_at":"soon"}', "'soon'", id="no time"),
        pytest.param(
            b'{"distinct_ids":["a"],"colour":1}', "'colour'", id="an unknown field"
        ),
    ],
)
def test_a_bad_line_is_described(line, said):
    ((number, detail),) = read_persons(b"\n" + line)

    assert number == 2
    assert said in detail


def test_bad_lines_do_not_stop_the_others(store, project):
    found = import_persons(
        store, project, [{"distinct_ids": []}, {"distinct_ids": ["ann"]}]
    )

    assert (found["created"], found["failed"]) == (1, 1)
    assert found["errors"][0]["line"] == 1


def test_groups_are_made_and_updated(store, project):
    first = {"type": "company", "key": 5, "properties": {"a": 1, "b": 1}}
    again = {
        "type": "company",
        "key": "5",
        "properties": {"b": 2},
        "created_at": "2020-01-01",
    }
    assert import_groups(store, project, [first]) == answer(created=1)
    assert import_groups(store, project, [again]) == answer(updated=1)

    found = rows(
        store,
        "SELECT type, key, properties::VARCHAR, created_at::DATE::VARCHAR FROM groups "
        "WHERE project_id = ?",
        project.id,
    )
    assert found == [("company", "5", '{"a":1,"b":2}', "2020-01-01")]
    assert [one.index for one in store.group_types(project.id)] == [0]


def test_a_group_without_type_is_described():
    assert "'type' is missing" in read_groups(b'{"key":"a"}')[0][1]
