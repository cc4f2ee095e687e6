"""SQL in the editor: the tab, the rows, the error beside the text, the file; and over HTTP."""

import json

import pytest

from tests.hedgerow.visiting import Server


@pytest.fixture(scope="module")
def editor(tmp_path_factory):
    """Asks as an editor of an empty project does."""
    server = Server(tmp_path_factory.mktemp("hedgerow"))
    project = server.project()
    browser = server.signed_in(server.user("ed@example.org", project, "editor"))

    def ask(sql, **more):
        query = json.dumps({"kind": "HogQLQuery", "query": sql})
        address = f"/p/{project.id}/insights/answer"
        return browser.post(address, data={"q": query, **more})

    ask.page = browser.get(f"/p/{project.id}/insights/new?kind=sql").text
    yield ask
    server.close()


def test_sql_has_a_tab_and_a_question_to_begin_with(editor):
    assert ">SQL<" in editor.page
    assert "select event, count() as times" in editor.page


def test_rows_are_a_table(editor):
    page = editor("SELECT 7 AS seven, 'x&lt;y' AS text, NULL AS nothing").text

    assert "<th" in page
    assert "seven" in page
    assert "1 row." in page


def test_a_mistake_is_told_with_what_to_write_instead(editor):
    page = editor("SELECT evnt FROM events").text

    assert 'role="alert"' in page
    assert "There is no column &#39;evnt&#39;." in page
    assert "Did you mean event?" in page


def test_rows_can_be_taken_along_as_a_file(editor):
    reply = editor("SELECT arrayJoin([1, 2]) AS n", **{"as": "csv"})

    assert reply.headers["content-type"].startswith("text/csv")
    assert reply.text.lstrip("\ufeff").split() == ["n", "1", "2"]


def test_a_static_cohort_takes_everybody_a_select_answers(api):
    people = "".join(json.dumps({"distinct_ids": [f"p{n}"]}) + "\n" for n in range(101))
    api.call("POST", "/persons/import", content=people)
    query = {"kind": "HogQLQuery", "query": "SELECT id FROM persons"}

    made = api.post("/cohorts", {"name": "all", "is_static": True, "query": query})
    told = api.post("/query", {"query": query}, status=200)

    assert made["count"] == 101
    assert (len(told["results"]), told["hasMore"]) == (100, True)
