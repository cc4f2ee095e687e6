"""Attempts to reach with SQL what is not the asker's: other projects, files, settings, time.

Each attempt is refused, or answers without a word of what it was after. Add to the lists
what comes to mind; nothing may ever be taken from them.
"""

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgerow.errors import (
    HedgerowError,
    InvalidQuery,
    QueryCancelled,
    QueryTimedOut,
)
from hedgerow.insights.answer import Asking, answer
from tests.hedgerow.two_projects import SECRET, beside_secrets
from tests.world import rows


@pytest.fixture(scope="module")
def asked(store):
    return beside_secrets(store)


def whole(asked, sql, **fields):
    return asked.whole({"kind": "HogQLQuery", "query": sql, **fields})


@pytest.mark.parametrize(
    "sql",
    [
        # files and the network
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM `/etc/passwd.csv`",
        "SELECT * FROM file('/etc/passwd')",
        "SELECT * FROM url('http://127.0.0.1/')",
        "SELECT * FROM s3('x')",
        "SELECT * FROM glob('*')",
        "SELECT read_text('/etc/passwd')",
        "SELECT read_blob('/etc/passwd')",
        "COPY events TO '/tmp/x'",
        "COPY (SELECT 1) TO '/tmp/x'",
        "ATTACH 'x.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "EXPORT DATABASE 'x'",
        "SELECT 1 INTO OUTFILE 'x'",
        "SELECT 1 INTO x",
        # settings and what the engine knows about itself
        "SET memory_limit = '100GB'",
        "PRAGMA database_list",
        "CALL pragma_version()",
        "SHOW TABLES",
        "DESCRIBE events",
        "EXPLAIN SELECT 1",
        "SELECT 1 SETTINGS max_threads = 64",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM duckdb_tables",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM pg_catalog.pg_tables",
        "SELECT * FROM sqlite_master",
        "SELECT * FROM system.tables",
        "SELECT getenv('HOME')",
        "SELECT current_setting('memory_limit')",
        "SELECT current_database()",
        "SELECT version()",
        # writing
        "INSERT INTO events VALUES (1)",
        "UPDATE events SET event = 'x'",
        "DELETE FROM events",
        "DROP TABLE events",
        "TRUNCATE events",
        "ALTER TABLE events ADD COLUMN x INT",
        "CREATE TABLE x AS SELECT 1",
        "CREATE MACRO f(x) AS 1",
        "SELECT 1; DROP TABLE events",
        "WITH x AS (DELETE FROM events RETURNING *) SELECT * FROM x",
        "WITH x AS (INSERT INTO events VALUES (1) RETURNING *) SELECT 1",
        "SELECT nextval('x')",
        "SELECT event FROM events FOR UPDATE",
        # tables that are not in the list
        "SELECT * FROM main.events",
        "SELECT * FROM `main`.`events`",
        "SELECT * FROM distinct_ids",
        "SELECT * FROM person_states",
        "SELECT * FROM ingestion_warnings",
        "SELECT * FROM set_aside",
        "SELECT * FROM hot_columns",
        "SELECT * FROM users",
        "SELECT * FROM r1",
        "SELECT * FROM w1",
        "WITH w2 AS (SELECT 1 AS a) SELECT * FROM w1",
        "SELECT * FROM query('SELECT * FROM events')",
        "SELECT * FROM query_table('events')",
        "SELECT * FROM range(10)",
        "SELECT * FROM numbers(10)",
        "SELECT * FROM (VALUES (1)) AS x",
        "SELECT * FROM remote('x', events)",
        "FROM events SELECT columns('.*')",
        # columns that are not in the list
        "SELECT project_id FROM events",
        "SELECT `project_id` FROM events",
        "SELECT e.project_id FROM events AS e",
        "SELECT person_key FROM events",
        "SELECT personless, person_state FROM events",
        "SELECT t_1 FROM events",
        "SELECT rowid FROM events",
        "SELECT r1.event FROM events",
        "SELECT e FROM events AS e",
        "SELECT events FROM events",
        "SELECT state FROM persons",
        "SELECT x.project_id FROM (SELECT * FROM events) AS x",
        "SELECT columns(*) FROM events",
        "SELECT event FROM events WHERE 1 = 1 OR project_id > 0",
        "SELECT count() FROM events UNION ALL SELECT count() FROM main.events",
        "SELECT (SELECT e.event) FROM events AS e",
        "SELECT * FROM events AS e, LATERAL (SELECT e.event) AS x",
        "SELECT event FROM events ORDER BY (SELECT project_id)",
        "SELECT event FROM events GROUP BY project_id",
        "SELECT row_number() OVER (PARTITION BY project_id) FROM events",
        # functions that are not in the list
        "SELECT query('SELECT 1')",
        "SELECT sleep(10)",
        "SELECT sleep_ms(10)",
        "SELECT write_log('x')",
        "SELECT error('x')",
        "SELECT uuidOfKey(1)",
        "SELECT cohort('x')",
        "SELECT event FROM events WHERE person_id IN (cohort())",
        "SELECT placeholder()",
        "SELECT placeholder(1)",
        "SELECT list_reduce([1], (x, y) -> x + y)",
        "SELECT parse_path('x')",
        "SELECT json_execute_serialized_sql('x')",
        "SELECT eval('x')",
        # texts that try to end where they stand
        "SELECT {x} FROM events",
        "SELECT ? FROM events",
        "SELECT $1 FROM events",
        "SELECT @x",
        "SELECT 'a",
        "SELECT `a",
        "SELECT \0 1",
        "SELECT toTimeZone(timestamp, '../../etc/passwd') FROM events",
        "SELECT toTimeZone(timestamp, 'UTC''; DROP') FROM events",
        "SELECT match(event, properties.plan) FROM events",
        "SELECT replaceRegexpAll(event, concat('(', ''), 'x') FROM events",
        "SELECT dateTrunc(event, timestamp) FROM events",
        "SELECT quantile(event)(properties.price) FROM events",
        "SELECT event FROM events LIMIT (SELECT 1)",
        "SELECT sum(1) OVER (ROWS BETWEEN (SELECT 1) PRECEDING AND CURRENT ROW) FROM events",
        "SELECT toDate(event, '; DROP') FROM events",
        "SELECT CAST(event AS STRUCT) FROM events",
        # spellings added later
        "SELECT arrayReduce('list_aggregate', [1])",
        "SELECT arrayReduce(event, [1]) FROM events",
        "SELECT arr FROM events ARRAY JOIN read_csv('/etc/passwd') AS arr",
        "SELECT project_id FROM events ARRAY JOIN [1] AS arr",
        "SELECT event FROM events WHERE (event, project_id) IN (('a', 1))",
        "SELECT e.1 FROM events AS e",
        "SELECT greatest(timestamp, project_id) FROM events",
        "SELECT toTypeName(project_id) FROM events",
        "SELECT event FROM events WHERE project_id NOT LIKE 'x'",
        # sizes
        "WITH RECURSIVE x AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM x) SELECT * FROM x",
        "SELECT range(1000000000)",
        "SELECT range(0, 10, 0)",
        "SELECT repeat('a', 1000000000)",
        "SELECT repeat(repeat(repeat('a', 9999), 9999), 9999)",
        "SELECT leftPad('a', 1000000000)",
        "SELECT arrayMap(x -> range(1000000), range(1000))",
        "SELECT arrayMap(x -> arrayMap(y -> x + y, [1]), [1])",
        "SELECT arrayMap(x -> [x, x, x], [1])",
        "SELECT format('{:1000000000}', 'a', 'b', {x})",
        "SELECT addYears(now(), 999999999)",
        "SELECT " + "(" * 3000 + "1" + ")" * 3000,
        "SELECT " + "NOT " * 3000 + "1",
        "SELECT " + "-" * 1 + "(-" * 2000 + "1" + ")" * 2000,
        "SELECT " + "if(1, " * 500 + "1" + ", 0)" * 500,
        "SELECT * FROM " + "(SELECT * FROM " * 40 + "events" + ")" * 40,
        "SELECT 1 FROM events AS e0" + "".join(f", events AS e{n}" for n in range(1, 60)),
        "SELECT event AS a0" + "".join(f", concat(a{n}, a{n}) AS a{n + 1}" for n in range(25)) + " FROM events",
        "SELECT " + "1" * 30_000,
    ],
)  # fmt: skip
def test_no_attempt_gets_through(asked, sql):
    with pytest.raises(InvalidQuery) as refused:
        whole(asked, sql)

    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("SELECT * FROM events", id="everything"),
        pytest.param("SELECT * FROM persons", id="all persons"),
        pytest.param("SELECT * FROM groups", id="all groups"),
        pytest.param("SELECT * FROM person_distinct_ids", id="all ids"),
        pytest.param("SELECT * FROM cohort_people", id="all members"),
        pytest.param("SELECT event FROM events WHERE 1 = 1 OR 1", id="a condition that always holds"),
        pytest.param("SELECT e.event, p.properties FROM events e FULL JOIN persons p ON 1 = 1", id="a full join"),
        pytest.param("SELECT e.event FROM events e RIGHT JOIN events f ON e.uuid != f.uuid", id="a right join"),
        pytest.param("WITH events AS (SELECT 'own' AS event) SELECT event FROM events", id="a name of a table"),
        pytest.param("WITH w1 AS (SELECT * FROM events) SELECT * FROM w1", id="a name of ours"),
        pytest.param('SELECT event AS `x"; DROP TABLE events; --` FROM events', id="an alias that ends"),
        pytest.param('SELECT "a""b" FROM (SELECT 1 AS "a""b")', id="quotes in a name"),
        pytest.param("SELECT properties.`a' || (SELECT 1) || '` FROM events", id="a property that ends"),
        pytest.param("SELECT properties['a\"''~/'] FROM events", id="a property of quotes and slashes"),
        pytest.param("SELECT JSONExtractString(properties, 'a'' OR 1=1 --') FROM events", id="a path that ends"),
        pytest.param("SELECT formatDateTime(timestamp, '%Y''; DROP') FROM events", id="a format that ends"),
        pytest.param("SELECT 1 /* ; */ -- ' ; DROP TABLE events", id="comments"),
        pytest.param("SELECT toInt(properties.price) * 9223372036854775807 FROM events", id="an overflow"),
        pytest.param("SELECT toInt(properties.price), toDate(properties.plan), toFloat(properties.plan) FROM events", id="conversions"),
        pytest.param("SELECT groupArray(event), groupUniqArray(properties) FROM events", id="aggregates of everything"),
        pytest.param("SELECT count() FROM events WHERE event IN (SELECT event FROM events)", id="a subquery"),
        pytest.param("SELECT lag(event) OVER (ORDER BY timestamp), lead(event) OVER () FROM events", id="neighbours"),
    ],
)  # fmt: skip
def test_whatever_answers_is_the_projects_own(asked, sql):
    told = whole(asked, sql)

    assert told["columns"]
    assert SECRET not in str(told["results"])
    internal = {"project_id", "person_key", "person_state", "personless", "state"}
    assert not internal & {name.rpartition(".")[2] for name in told["columns"]}


def test_the_secrets_are_really_there(asked):
    found = rows(asked.store, "SELECT count(*) FROM events WHERE event = ?", SECRET)

    assert found == [(1,)]


def test_an_error_about_rows_tells_nothing_of_them(asked):
    with pytest.raises(InvalidQuery) as refused:
        whole(asked, "SELECT char(1114112 + toInt(properties.price)) FROM events")

    assert not any(letter.isdigit() for letter in str(refused.value))


ENDLESS = "SELECT count() FROM " + ", ".join(
    f"(SELECT arrayJoin(range(10000)) AS n) AS t{n}" for n in range(4)
)


def test_what_takes_too_long_is_stopped(asked):
    with pytest.raises(QueryTimedOut):
        asked.whole({"kind": "HogQLQuery", "query": ENDLESS}, timeout_s=0.2)


def test_what_nobody_waits_for_is_stopped(asked):
    cancel = threading.Event()
    cancel.set()
    query = {"kind": "HogQLQuery", "query": ENDLESS}

    with pytest.raises(QueryCancelled):
        answer(query, asked.context(), asked.store, Asking(cancel=cancel))


def test_a_statement_is_nothing_but_placeholders_and_names_of_ours(asked):
    """Even if the list of functions had a hole, no text of the author's is run."""
    told = whole(
        asked, "SELECT 'needle' AS `needle`, properties.x = 'needle' FROM events needle"
    )

    assert told["columns"] == ["needle", "properties.x = 'needle'"]


WORDS = st.sampled_from(
    [
        "SELECT",
        "FROM",
        "WHERE",
        "GROUP",
        "BY",
        "ORDER",
        "LIMIT",
        "events",
        "persons",
        "event",
        "properties",
        ".",
        ",",
        "(",
        ")",
        "*",
        "=",
        "'a'",
        "1",
        "count()",
        "AS",
        "x",
        "AND",
        "OR",
        "NOT",
        "IN",
        "JOIN",
        "ON",
        "UNION",
        "ALL",
        "WITH",
        "[",
        "]",
        "->",
        "timestamp",
        "person.properties.email",
        "project_id",
        "main",
        "information_schema",
        "read_csv",
        ";",
        "--",
        "/*",
        "*/",
        "`",
        '"',
        "arrayJoin({v})",
        "OVER",
        "INTERVAL",
        "DAY",
        "+",
        "-",
        "CASE",
        "WHEN",
        "THEN",
        "END",
        "COHORT",
        "HAVING",
        "ARRAY",
        "$x",
    ]
)


@settings(max_examples=80, deadline=None)
@given(words=st.lists(WORDS, min_size=1, max_size=12), start=st.booleans())
def test_any_words_are_refused_on_purpose_or_answered_from_the_project(asked, words, start):
    sql = ("SELECT event FROM events WHERE " if start else "SELECT ") + " ".join(words)

    try:
        told = str(whole(asked, sql)["results"])
    except HedgerowError as error:
        told = str(error)

    assert SECRET not in told
