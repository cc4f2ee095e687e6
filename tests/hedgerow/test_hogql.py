"""SQL typed by people: what it may say, and what it answers."""

import pytest

from hedgerow.errors import InvalidQuery
from hedgerow.model.projects import Cohort
from tests.hedgerow.asking import Asked, did
from tests.world import a_project

IS_ANN = {"type": "person", "key": "email", "value": "ann@x.org", "operator": "exact"}


@pytest.fixture(scope="module")
def asked(store):
    """Ann opens twice, under two ids; Bob closes and opens; a robot has no person."""
    persons = [
        {
            "distinct_ids": ["ann", "ann@work"],
            "properties": {"email": "ann@x.org", "age": 30},
        },
        {"distinct_ids": ["bob"], "properties": {"email": "bob@y.org"}},
    ]
    url = {"$current_url": "https://www.x.org/a/b?utm=1&q=2#f"}
    acme = {"company": "acme"}
    events = [
        did("ann", "opened", "2026-03-14T23:30", acme, plan="pro", price=10, tags=["a", "b"], obj={"k": {"l": 5}}),
        did("ann@work", "opened", "2026-03-14T10:00", acme, plan="free", price=2.5, **url),
        did("bob", "closed", "2026-03-13T11:00", plan="pro", price=7),
        did("bob", "opened", "2026-03-10T11:00"),
        did("robot", "pinged", "2026-03-09T11:00", **{"$process_person_profile": False}),
        did("robot2", "pinged", "2026-03-09T11:00", **{"$process_person_profile": False}),
    ]  # fmt: skip
    annies = {"properties": {"type": "AND", "values": [IS_ANN]}}
    return Asked(
        store,
        a_project(timezone="Europe/Berlin"),
        persons=persons,
        events=events,
        groups=[
            {"type": "company", "key": "acme", "properties": {"name": "Acme", "size": 3}}
        ],
        cohorts=[Cohort(id=7, name="annies", filters=annies)],
    )


def whole(asked, sql, **fields):
    return asked.whole({"kind": "HogQLQuery", "query": sql, **fields})


def rows(asked, sql, **fields):
    return whole(asked, sql, **fields)["results"]


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        pytest.param("SELECT event, count() AS c FROM events GROUP BY event ORDER BY c DESC, event", [["opened", 3], ["pinged", 2], ["closed", 1]], id="counts by event"),
        pytest.param("SELECT toDate(timestamp) AS day, count() FROM events WHERE event = 'opened' GROUP BY day ORDER BY day", [["2026-03-10", 1], ["2026-03-14", 1], ["2026-03-15", 1]], id="days are the project's"),
        pytest.param("SELECT timestamp FROM events WHERE timestamp >= '2026-03-15'", [["2026-03-15T00:30:00+01:00"]], id="a text compared with a time is local"),
        pytest.param("SELECT count() FROM events WHERE timestamp > now() - INTERVAL 2 DAY", [[2]], id="a moving window"),
        pytest.param("SELECT toStartOfDay(timestamp) AS timestamp, count() FROM events WHERE timestamp > '2026-03-12' GROUP BY timestamp ORDER BY timestamp LIMIT 1", [["2026-03-13T00:00:00+01:00", 1]], id="an alias with a column's name"),
        pytest.param("SELECT properties.plan, sum(properties.price) FROM events GROUP BY 1 ORDER BY 2 DESC NULLS LAST", [["pro", 17], ["free", 2.5], [None, None]], id="properties have their kinds, places count from 1"),
        pytest.param("SELECT count() FROM events WHERE properties.plan != 'pro'", [[4]], id="not equal keeps what is missing"),
        pytest.param("SELECT uniq(person_id), count(DISTINCT distinct_id), uniqIf(person_id, event = 'opened') FROM events", [[4, 5, 2]], id="people, also those without a profile"),
        pytest.param("SELECT count() FROM (SELECT person_id FROM events GROUP BY person_id)", [[4]], id="whoever has no profile is still somebody"),
        pytest.param("SELECT person.properties.email, group_0.properties.name, $group_0, properties.obj.k.l FROM events WHERE event = 'opened' ORDER BY timestamp DESC LIMIT 1", [["ann@x.org", "Acme", "acme", "5"]], id="persons, groups, deep properties"),
        pytest.param("SELECT e.person.properties.email FROM events AS e WHERE e.`event` = 'closed'", [["bob@y.org"]], id="qualified and quoted names"),
        pytest.param("SELECT properties.$current_url, properties['plan'] FROM events WHERE notEmpty(properties.$current_url)", [["https://www.x.org/a/b?utm=1&q=2#f", "free"]], id="dollar signs and brackets"),
        pytest.param("SELECT properties.obj.k, properties.`obj.k` FROM events ORDER BY timestamp DESC LIMIT 1", [['{"l":5}', None]], id="a dot in a name is no step"),
        pytest.param("SELECT p.properties.email, count() FROM events e LEFT JOIN persons p ON p.id = e.person_id GROUP BY p.properties.email ORDER BY 1", [["ann@x.org", 2], ["bob@y.org", 2], [None, 2]], id="a join with persons"),
        pytest.param("SELECT id = person_id FROM persons JOIN person_distinct_ids pdi ON id = pdi.person_id WHERE pdi.distinct_id = 'bob'", [[True]], id="a join with distinct ids"),
        pytest.param("SELECT pdi.distinct_id FROM persons WHERE properties.email = 'ann@x.org' ORDER BY 1", [["ann"], ["ann@work"]], id="the ids of a person"),
        pytest.param("SELECT index, key, properties.name, properties.size FROM groups", [[0, "acme", "Acme", 3]], id="groups"),
        pytest.param("SELECT cohort_id, count() FROM cohort_people GROUP BY cohort_id", [[7, 1]], id="cohorts"),
        pytest.param("SELECT count() FROM events WHERE person_id IN COHORT 7", [[2]], id="in a cohort"),
        pytest.param("SELECT count() FROM events WHERE person_id NOT IN COHORT 'annies'", [[4]], id="in no cohort of a name"),
        pytest.param("SELECT count() FROM (SELECT person_id FROM events GROUP BY person_id) WHERE person_id IN COHORT 7", [[1]], id="a cohort outside of a subquery"),
        pytest.param("SELECT count() FROM events WHERE person_id IN (SELECT person_id FROM cohort_people WHERE cohort_id = 7)", [[2]], id="a cohort as a subquery"),
        pytest.param("SELECT count() FROM events WHERE properties.plan NOT IN (SELECT properties.plan FROM events WHERE event != 'opened')", [[1]], id="a NULL is no member"),
        pytest.param("SELECT count() FROM events WHERE (event, properties.plan) IN (SELECT event, properties.plan FROM events WHERE event = 'closed')", [[1]], id="pairs in a subquery"),
        pytest.param("WITH x AS (SELECT person_id, min(timestamp) AS first FROM events GROUP BY person_id), y AS (SELECT * FROM x) SELECT count(), min(first) FROM y", [[4, "2026-03-09T12:00:00+01:00"]], id="common tables"),
        pytest.param("WITH 2 AS two, [1, two] AS both SELECT two + 1, both[2]", [[3, 2]], id="named expressions"),
        pytest.param("SELECT a.event, b.n FROM (SELECT event FROM events WHERE event = 'closed') a JOIN (SELECT event, count() AS n FROM events GROUP BY event) b USING (event)", [["closed", 1]], id="using"),
        pytest.param("SELECT event, 1 AS n FROM events WHERE event = 'closed' UNION ALL SELECT 'x', 2", [["closed", 1], ["x", 2]], id="union"),
        pytest.param("SELECT event FROM events ORDER BY event LIMIT 1 BY event LIMIT 2", [["closed"], ["opened"]], id="limit by, and a limit"),
        pytest.param("SELECT event, count() AS c FROM events GROUP BY event ORDER BY c DESC LIMIT 2 WITH TIES", [["opened", 3], ["pinged", 2]], id="with ties"),
        pytest.param("SELECT DISTINCT event FROM events ORDER BY event LIMIT 1 OFFSET 1", [["opened"]], id="distinct, offset"),
        pytest.param("SELECT event, count() AS total FROM events GROUP BY event HAVING total > 2", [["opened", 3]], id="having"),
        pytest.param("SELECT n, count() FROM events ARRAY JOIN [1, 2] AS n GROUP BY n ORDER BY n", [[1, 6], [2, 6]], id="array join"),
        pytest.param("SELECT arrayJoin([1, 2, 3]) AS x, x * 2 LIMIT 2", [[1, 2], [2, 4]], id="arrayJoin without a table"),
        pytest.param("SELECT event, row_number() OVER (PARTITION BY event ORDER BY timestamp) AS n, lagInFrame(event) OVER w FROM events WHERE event != 'pinged' WINDOW w AS (ORDER BY timestamp) ORDER BY timestamp LIMIT 2", [["opened", 1, None], ["closed", 1, "opened"]], id="windows"),
        pytest.param("SELECT event, sum(count()) OVER () FROM events GROUP BY event ORDER BY event LIMIT 1", [["closed", 6]], id="a window over aggregates"),
        pytest.param("SELECT sum(n) OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM (SELECT arrayJoin([1, 2, 3]) AS n) ORDER BY n", [[1], [3], [5]], id="a frame"),
        pytest.param("SELECT * EXCEPT (uuid, properties, created_at, person_id, $group_1, $group_2, $group_3, $group_4) REPLACE (upper(event) AS event) FROM events WHERE event = 'closed'", [["CLOSED", "2026-03-13T12:00:00+01:00", "bob", "", None]], id="star except and replace"),
        pytest.param("SELECT (SELECT count() FROM persons) AS n, n + 1", [[2, 3]], id="a subquery as a value"),
        pytest.param("SELECT count() FROM events WHERE exists(SELECT 1 FROM groups WHERE key = 'nobody')", [[0]], id="exists"),
        pytest.param("SELECT count() FILTER (WHERE event = 'opened'), max(timestamp) - min(timestamp) FROM events", [[3, 476_999 + 1]], id="filter, a difference of times"),
        pytest.param("SELECT person.id IN (SELECT id FROM persons) FROM events WHERE event = 'closed' -- ; DROP TABLE events", [[True]], id="a comment"),
        pytest.param("SELECT event FROM events FINAL SAMPLE 0.1 WHERE event = 'closed'", [["closed"]], id="FINAL and SAMPLE have no effect"),
    ],
)  # fmt: skip
def test_sql_answers(asked, sql, found):
    assert rows(asked, sql) == found


def test_the_answer_is_shaped_as_posthogs(asked):
    sql = "SELECT event, timestamp, count() AS c, [1], properties.price FROM events GROUP BY ALL"
    sql = sql.replace("GROUP BY ALL", "GROUP BY event, timestamp, properties.price")
    told = whole(asked, sql, limit=2)

    assert told["columns"] == ["event", "timestamp", "c", "[1]", "properties.price"]
    assert told["types"] == [
        ["event", "String"],
        ["timestamp", "DateTime64(6, 'Europe/Berlin')"],
        ["c", "Int64"],
        ["[1]", "Array(Int32)"],
        ["properties.price", "Float64"],
    ]
    assert (len(told["results"]), told["hasMore"], told["limit"]) == (2, True, 2)
    assert (told["query"], told["offset"]) == (sql, 0)


def test_what_is_shown_as_understood_can_be_asked_again(asked):
    sql = """SELECT properties.$current_url AS url, `event`, count() FROM events
        WHERE person_id NOT IN COHORT 'annies' AND event =~ '^o|^p'
        GROUP BY 1, 2 ORDER BY event LIMIT 1 BY url LIMIT 5"""
    first = whole(asked, sql)

    again = whole(asked, first["hogql"])

    assert again["results"] == first["results"] == [[None, "opened", 1]]


def test_the_persons_a_select_answers_can_be_listed(asked):
    source = {
        "kind": "HogQLQuery",
        "query": "SELECT event, person_id FROM events WHERE event IN ('closed', 'pinged')",
    }

    told = asked.whole(
        {"kind": "ActorsQuery", "source": source, "select": ["properties.email"]}
    )

    assert told["results"] == [["bob@y.org"]]


def test_100_rows_are_told_unless_more_are_asked_for(asked):
    many = "SELECT arrayJoin(range(200)) AS n"

    told = whole(asked, many)
    more = whole(asked, f"{many} LIMIT 150")

    assert (len(told["results"]), told["hasMore"]) == (100, True)
    assert (len(more["results"]), more["hasMore"]) == (150, True)
    assert whole(asked, "SELECT 1 LIMIT 99999999")["limit"] == 50_000


@pytest.mark.parametrize(
    ("sql", "fields", "found"),
    [
        pytest.param("event = {name}", {"values": {"name": "closed"}}, 1, id="a value"),
        pytest.param("event = {name}", {"values": {"name": "' OR 1=1 --"}}, 0, id="is never read as SQL"),
        pytest.param("event IN {names}", {"values": {"names": ["closed", "pinged"]}}, 3, id="a list"),
        pytest.param("event = {variables.e}", {"variables": {"e": "closed"}}, 1, id="a variable"),
        pytest.param("{filters}", {"filters": {"dateRange": {"date_from": "2026-03-13", "date_to": "2026-03-14"}}}, 2, id="dates"),
        pytest.param("{filters}", {"filters": {"properties": [{"key": "email", "type": "person", "value": "ann@x.org"}]}}, 2, id="properties of persons"),
        pytest.param("{filters}", {}, 6, id="no filters"),
    ],
)  # fmt: skip
def test_values_stand_for_what_is_in_braces(asked, sql, fields, found):
    assert rows(asked, f"SELECT count() FROM events WHERE {sql}", **fields) == [[found]]


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        pytest.param("SELECT evnt FROM events", "Did you mean event?", id="a column"),
        pytest.param("SELECT event FROM event", "Did you mean events?", id="a table"),
        pytest.param("SELECT lowr(event) FROM events", "Did you mean lower?", id="a function"),
        pytest.param("SELECT event FROM events a, events b", "'event' is a column of a and b", id="ambiguous"),
        pytest.param("SELECT event FROM sessions", "not part of this product", id="a table of PostHog's"),
        pytest.param("SELECT event FROM events WHERE", "line 1", id="no SQL, with its place"),
        pytest.param("SELECT 1; SELECT 2", "2 statements", id="two statements"),
        pytest.param("SELECT count() FROM events WHERE count() > 1", "sums many rows up", id="an aggregate in WHERE"),
        pytest.param("SELECT windowFunnel(1)(timestamp, event = 'x') FROM events", "windowFunnel", id="what is not here yet"),
        pytest.param("SELECT event AS a, 1 AS a FROM events", "Two columns are called 'a'", id="an alias twice"),
        pytest.param("SELECT event, count() FROM events", "GROUP BY", id="neither grouped nor aggregated"),
        pytest.param("SELECT {name}", "{name} has no value", id="a value that is not given"),
        pytest.param("SELECT event FROM events GROUP BY event WITH ROLLUP", "not possible", id="an unknown clause"),
        pytest.param("SELECT 1 FROM events LIMIT 1 OFFSET -1", "whole number", id="a negative offset"),
        pytest.param("SELECT arrayJoin('a')", "is no array", id="not an array"),
        pytest.param("SELECT 1 FORMAT JSON", "FORMAT is not possible", id="an output format"),
        pytest.param("", "empty", id="nothing"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_with_the_reason(asked, sql, said):
    with pytest.raises(InvalidQuery) as refused:
        whole(asked, sql)

    assert said in str(refused.value)
    assert refused.value.attr in {"query", "values", None}
