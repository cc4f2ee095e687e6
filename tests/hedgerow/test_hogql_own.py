"""The SQL that answers show, changed by hand and given back: it reads one project alone."""

import pytest

from hedgerow.errors import InvalidQuery
from hedgerow.query.hogql_own import MARK
from tests.hedgerow.two_projects import SECRET, beside_secrets


@pytest.fixture(scope="module")
def asked(store):
    return beside_secrets(store)


def whole(asked, sql):
    return asked.whole({"kind": "HogQLQuery", "query": sql})


def test_the_sql_of_an_insight_gives_its_figures_again(asked):
    trend = {
        "kind": "TrendsQuery",
        "series": [{"kind": "EventsNode", "event": "opened"}],
        "dateRange": {"date_from": "2026-03-14", "date_to": "2026-03-15"},
    }

    shown = asked.whole(trend)["hogql"]
    told = whole(asked, shown)

    assert shown.startswith(MARK)
    assert sum(row[-1] for row in told["results"]) == 1
    assert told["hogql"] == shown.strip()


OWN = [
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM duckdb_tables",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM main.events",
    "SELECT * FROM memory.main.events",
    "SELECT * FROM hot_columns",
    "SELECT * FROM set_aside",
    "SELECT * FROM ingestion_warnings",
    "SELECT * FROM (WITH set_aside AS (SELECT 1 AS a) SELECT * FROM set_aside) AS s, duckdb_tables",
    "SELECT getenv('HOME')",
    "SELECT current_setting('memory_limit')",
    "SELECT read_text('/etc/passwd')",
    "SELECT query('SELECT 1')",
    "SELECT repeat('a', 1000000000)",
    "SELECT list_transform([1], lambda x: x)",
    "SELECT UNNEST(range(1000000000))",
    "SELECT UNNEST(generate_series(1, 1000000000))",
    "SELECT e FROM events AS e, LATERAL (SELECT 1) AS x",
    "SELECT COLUMNS('.*') FROM events",
    "SELECT CAST('a' AS JSON)",
    "SELECT $1",
    "SELECT $v0",
    "SELECT ?",
    "WITH RECURSIVE x AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM x) SELECT * FROM x",
    "WITH x AS (DELETE FROM events RETURNING *) SELECT * FROM x",
    "WITH x AS (INSERT INTO events SELECT * FROM events RETURNING *) SELECT 1",
    "SELECT 1; SELECT 2",
    "DELETE FROM events",
    "ATTACH 'x'",
    "COPY events TO 'x'",
    "SET memory_limit = '1GB'",
    "PRAGMA database_list",
    "FROM events TABLESAMPLE 10%",
    "PIVOT events ON event",
    "SELECT event FROM events FOR UPDATE",
    "SELECT " + "(" * 3000 + "1" + ")" * 3000,
]


@pytest.mark.parametrize("sql", OWN)
def test_statements_of_our_own_open_no_other_way(asked, sql):
    with pytest.raises(InvalidQuery) as refused:
        whole(asked, f"{MARK}\n{sql}")

    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM events",
        "SELECT * FROM persons",
        "SELECT * FROM groups",
        "SELECT * FROM distinct_ids",
        "SELECT * FROM person_states",
        "SELECT * FROM cohort_people",
        "SELECT * FROM events AS e WHERE e.project_id > 0 OR TRUE",
        "SELECT * FROM events AS e /* */ -- */ \n",
        "SELECT * FROM events AS e FULL JOIN persons AS p ON TRUE",
        "SELECT (SELECT MAX(event) FROM events), (SELECT MIN(t.event) FROM events AS t)",
        'SELECT * FROM (SELECT * FROM events AS "t") AS "t"',
        "WITH events AS (SELECT 1 AS event) SELECT event FROM events",
        "WITH duckdb_tables AS (SELECT 'own' AS a) SELECT a FROM duckdb_tables",
        "SELECT MAX(event) FROM events UNION ALL SELECT MAX(distinct_id) FROM distinct_ids",
        "SELECT COUNT(*) FROM events WHERE event IN (SELECT event FROM events)",
    ],
)
def test_statements_of_our_own_read_the_project_alone(asked, sql):
    told = whole(asked, f"{MARK}\n{sql}")

    assert SECRET not in str(told["results"])
