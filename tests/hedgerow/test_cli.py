"""The command line on a data folder where no server runs."""

import io
import json
import re

import click
import pytest
from click.testing import CliRunner

from hedgerow.cli import reading
from hedgerow.cli.program import hedgerow
from hedgerow.cli.questions import question
from hedgerow.errors import (
    Conflict,
    HedgerowError,
    InvalidInput,
    InvalidQuery,
    NotFound,
)

COUNTS = json.dumps(
    {
        "kind": "EventsQuery",
        "select": ["event", "count() -- n"],
        "orderBy": ["event"],
        "after": "all",
    }
)
LINES = """\
{"event": "sign up", "distinct_id": "ann", "timestamp": "2026-01-01T08:00:00Z"}
{"event": "buy", "distinct_id": "ann", "timestamp": "2026-01-02T08:00:00Z"}
not JSON
{"event": "", "distinct_id": "ann"}
"""


def commands(group, words=()):
    for name, one in group.commands.items():
        yield (*words, name), one
        if isinstance(one, click.Group):
            yield from commands(one, (*words, name))


COMMANDS = dict(commands(hedgerow))


@pytest.fixture
def run(tmp_path):
    def run(*words, text="", refused=None):
        done = CliRunner().invoke(
            hedgerow, ["--data", str(tmp_path / "data"), *words], input=text
        )
        if refused is None:
            assert done.exit_code == 0, done.output + repr(done.exception)
        else:
            assert isinstance(done.exception, refused), repr(done.exception)
        return done

    return run


@pytest.fixture
def made(run):
    words = ("init", "--email", "ada@example.org", "--password-stdin", "--json")
    return json.loads(run(*words, text="a long and quiet sentence\n").stdout)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_teaches_with_an_example(words):
    text = CliRunner().invoke(hedgerow, [*words, "--help"]).output

    assert f"hedgerow {' '.join(words)}" in text.partition("Example:")[2]
    assert "\\b" not in text


def test_help_lists_commands_in_the_order_of_a_first_day():
    text = CliRunner().invoke(hedgerow, ["--help"]).output
    names = ["serve", "init", "query", "import", "export", "simulate", "backup", "check"]
    listed = text.partition("Commands:")[2]

    assert sorted(names, key=lambda name: listed.index(f"  {name} ")) == names


def test_init_makes_all_that_is_needed_once(run, made):
    assert set(made) == {"project_id", "project_token", "api_key"}
    assert made["project_token"].startswith("phc_")
    run("init", "--email", "bob@example.org", refused=Conflict)


def test_init_without_a_password_makes_one_up_and_shows_it(run):
    done = run("init", "--email", "ada@example.org", "--json")

    assert "shown once" in done.stderr
    assert json.loads(done.stdout)["api_key"].startswith("phx_")


def test_a_link_lets_somebody_choose_a_new_password(run, made, monkeypatch):
    monkeypatch.setenv("HEDGEROW_PUBLIC_URL", "https://stats.example.org/")

    said = run("user", "link", "ada@example.org").stdout.strip()

    assert re.fullmatch(r"https://stats\.example\.org/password/[\w-]{43}", said)
    run("user", "link", "nobody@example.org", refused=NotFound)


ROWS = """\
event,distinct_id,timestamp,plan,seats,properties
sign up,ann,2026-01-01T08:00:00Z,pro,3,"{""nested"": {""a"": 1}}"
buy,ann,2026-01-02T08:00:00Z,,01,
buy,ann,2026-01-02T08:00:00Z,free,1,not JSON
buy,ann
"""


@pytest.mark.slow
def test_a_csv_goes_in_and_comes_out_the_same(run, made, tmp_path):
    file, again = tmp_path / "events.csv", tmp_path / "again.csv"
    file.write_text(f"\ufeff{ROWS}")
    done = run("import", "csv", str(file))
    assert "2 events imported." in done.stdout
    assert "line 4: properties" in done.stderr
    assert "line 5: it has not as many fields" in done.stderr

    again.write_text(run("export", "events", "--format", "csv").stdout)
    assert "2 events imported." in run("import", "csv", str(again)).stdout
    exported = run("export", "events").stdout.splitlines()
    told = [json.loads(line)["properties"] for line in exported]
    assert [one.get("seats") for one in told] == [3, "01"]
    assert (told[0]["plan"], told[0]["nested"], "plan" in told[1]) == (
        "pro",
        {"a": 1},
        False,
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("event,who\na,b\n", "no column 'distinct_id'", id="a column missing"),
        pytest.param("", "no column 'event'", id="empty"),
        pytest.param(b"event,distinct_id\n\xff,b\n", "no CSV in UTF-8", id="no UTF-8"),
        pytest.param('event,distinct_id\n"a"b,c\n', "no CSV in UTF-8", id="no CSV"),
    ],
)
def test_a_file_that_is_no_csv_of_events_is_refused(text, said):
    raw = text if isinstance(text, bytes) else text.encode()

    with pytest.raises(InvalidInput, match=said):
        list(reading.csv_rows(io.BytesIO(raw)))


@pytest.mark.slow
def test_events_go_in_are_asked_for_and_come_out(run, made, tmp_path):
    file = tmp_path / "events.jsonl"
    file.write_text(LINES)
    for _ in range(2):  # again is safe
        done = run("import", "ndjson", str(file))
        assert "2 events imported." in done.stdout
        assert "2 lines were left out" in done.stderr

    answer = json.loads(run("query", "-", "--format", "json", text=COUNTS).stdout)
    assert answer["results"] == [["buy", 1], ["sign up", 1]]
    assert run("query", "-", "--format", "csv", text=COUNTS).stdout.splitlines() == [
        "event,n",
        "buy,1",
        "sign up,1",
    ]
    assert "sign up  1" in run("query", "-", text=COUNTS).stdout
    exported = run("export", "events").stdout.splitlines()
    assert [json.loads(line)["event"] for line in exported] == ["sign up", "buy"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        pytest.param("SELECT 1", "HogQLQuery", id="SQL"),
        pytest.param('{"kind": "TrendsQuery"}', "TrendsQuery", id="a query"),
        pytest.param('{"query": {"kind": "TrendsQuery"}}', "TrendsQuery", id="a request"),
    ],
)
def test_a_question_is_sql_or_json(text, kind):
    assert question(text)["kind"] == kind


def test_sql_is_typed_or_in_a_file(run, made, tmp_path):
    file = tmp_path / "question.sql"
    file.write_text("select 1 + 1 as two")

    assert run("query", "SELECT 1 + 1 AS two", "--format", "csv").stdout == "two\n2\n"
    assert run("query", str(file), "--format", "csv").stdout == "two\n2\n"
    refused = run("query", "nowhere.sql", refused=InvalidQuery)
    assert "neither a SELECT nor a file" in str(refused.exception)


def test_a_series_is_printed_with_a_line_for_each_day(run, made):
    query = {
        "kind": "TrendsQuery",
        "dateRange": {"date_from": "2026-01-01", "date_to": "2026-01-02"},
        "series": [{"kind": "EventsNode", "event": "buy"}],
    }

    shown = run("query", "-", "--format", "csv", text=json.dumps(query)).stdout

    assert shown.splitlines() == [",buy", "2026-01-01,0", "2026-01-02,0"]


@pytest.mark.slow
def test_a_backup_restores_to_the_same(run, made, tmp_path):
    file = tmp_path / "events.jsonl"
    file.write_text(LINES)
    run("import", "ndjson", str(file))
    copy, again = tmp_path / "copy", str(tmp_path / "again")

    run("backup", str(copy))
    run("restore", str(copy), "--data", again)

    assert "2 events" in run("check", "--data", again).stdout
    shown = run("query", "-", "--data", again, "--format", "csv", text=COUNTS).stdout
    assert "buy,1" in shown
    run("backup", str(copy), refused=Conflict)
    run("restore", str(copy), refused=Conflict)


def test_a_damaged_backup_is_not_restored(run, made, tmp_path):
    copy = tmp_path / "copy"
    run("backup", str(copy))
    (copy / "events.duckdb").write_bytes(b"")

    run("restore", str(copy), "--data", str(tmp_path / "again"), refused=HedgerowError)


def test_projects_users_and_keys_are_administered(run, made):
    number, token = run("project", "create", "Shop").stdout.split()
    assert token in run("project", "list").stdout
    fresh = run("project", "rotate-token", number).stdout.strip()
    assert fresh != token
    run("user", "create", "ann@example.org", "--project", "Shop", "--role", "editor")
    assert "ann@example.org" in run("user", "list").stdout
    words = ("--label", "report", "--scope", "query:read", "--project", number)
    text = run("key", "create", "ann@example.org", *words).stdout.strip()
    listed = run("key", "list", "ann@example.org").stdout
    assert text[-4:] in listed
    assert text not in listed
    run("key", "revoke", "ann@example.org", listed.split()[0])
    assert run("key", "list", "ann@example.org").stdout == ""


@pytest.mark.parametrize(
    ("words", "error"),
    [
        pytest.param(("query", "-", "--project", "Nope"), NotFound, id="no such project"),
        pytest.param(("key", "list", "nobody@b.c"), NotFound, id="no such account"),
        pytest.param(("query", "-"), HedgerowError, id="a question that is none"),
        pytest.param(
            ("import", "ndjson", "-", "--token", "phc_x"), InvalidInput, id="token"
        ),
    ],
)
def test_a_refusal_says_why(run, made, words, error):
    run(*words, text="DELETE FROM events", refused=error)


def test_several_projects_want_a_choice(run, made):
    run("project", "create", "Second")

    run("query", "-", text=COUNTS, refused=InvalidInput)


def test_wrong_usage_ends_with_two():
    assert CliRunner().invoke(hedgerow, ["serve", "--port", "http"]).exit_code == 2


def test_a_release_is_added_and_figures_are_shown_by_their_names(run, made, tmp_path):
    beat = {
        "event": "telemetry.health",
        "distinct_id": "ann",
        "timestamp": "2026-01-02T08:00:00Z",
        "properties": {"version": "3.0.0", "platform": "Linux"},
    }
    path = tmp_path / "beats.ndjson"
    path.write_text(json.dumps(beat) + "\n")
    run("import", "ndjson", str(path))
    run("fleet", "releases", "add", "3.0.0", "--date", "2026-01-01")
    newest = run("fleet", "newest", "--as-of", "2026-01-03").stdout
    words = ("--property", "platform", "--as-of=2026-01-03", "--csv")
    table = run("fleet", "distribution", *words).stdout

    assert "3.0.0" in newest
    assert "2026-01-01" in newest
    assert table.splitlines()[1].startswith("Linux,1,1.0,1.0,")
    run("fleet", "versions", "2026", refused=InvalidInput)
    run("fleet", "versions", "--colour", "red", refused=InvalidQuery)
