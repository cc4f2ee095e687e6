"""The REST API as a program uses it: tokens, entries, the timer, lists, repeated requests."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.api import idents, problems
from app.errors import TimeTrackerError
from app.models.entries import TimeEntry
from app.models.people import ApiToken
from app.models.records import AuditLog

from .api_client import Program, installation, person, program_of, wrong_fields

HALF_HOUR = {"start": "2025-10-20T09:00:00+02:00", "end": "2025-10-20T09:30:00+02:00"}


@pytest.fixture
def program(app):
    return program_of(app)


@pytest.fixture(scope="module")
def asker(tmp_path_factory):
    """A program for questions that are refused, so that nothing is left behind."""
    made = installation(tmp_path_factory.mktemp("asker"), rate=1000)
    yield program_of(made)
    made.extensions["database"].close()


def rows(app, table):
    with app.extensions["database"].reading() as session:
        return list(session.scalars(select(table).order_by(table.id)))


@pytest.mark.parametrize("kind", idents.PREFIXES)
@pytest.mark.parametrize("number", [0, 1, 2, 1_000_000, 2**50 - 1])
def test_an_id_says_what_it_is_for_and_comes_back(kind, number):
    word = idents.word(kind, number)

    assert idents.number(kind, word) == number
    assert word.startswith(idents.PREFIXES[kind] + "_")


def test_an_entry_is_made_changed_read_and_thrown_away(asker):
    made = asker.made("/entries", HALF_HOUR)
    path = f"/entries/{made['id']}"
    changed = asker.patch(path, {"description": "Plan", "end": "2025-10-20T08:00:00Z"})

    assert (made["seconds"], made["date"], made["source"]) == (1800, "2025-10-20", "api")
    assert (changed.json["description"], changed.json["seconds"]) == ("Plan", 3600)
    assert asker.get(path).json == changed.json
    assert asker.delete(path).status_code == 204
    assert asker.get(path).status_code == 404


def test_a_length_on_a_day_is_an_entry_too(asker):
    made = asker.made("/entries", {"date": "2025-10-19", "seconds": 5400})

    assert (made["kind"], made["start"], made["seconds"]) == ("duration", None, 5400)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        pytest.param({**HALF_HOUR, "start": "2025-10-20T09:00:00"}, ["start"], id="naive time"),
        pytest.param({**HALF_HOUR, "colour": 1}, ["colour"], id="a field nobody knows"),
        pytest.param({"start": 1, "tags": "x"}, ["start", "tags"], id="all that is wrong"),
        pytest.param({**HALF_HOUR, "seconds": 5}, ["seconds"], id="times and a length"),
        pytest.param({**HALF_HOUR, "project": "prj_1"}, ["project"], id="no id"),
        pytest.param({**HALF_HOUR, "project": idents.word("project", 9)}, ["project"],
                     id="no project"),
        pytest.param({**HALF_HOUR, "tags": [idents.word("tag", 9)]}, ["tags"], id="no tag"),
        pytest.param({**HALF_HOUR, "end": HALF_HOUR["start"]}, ["ended"], id="no length"),
        pytest.param({**HALF_HOUR, "breaks": [{"start": "x"}]},
                     ["breaks.start", "breaks.end"], id="inside a list"),
        pytest.param({}, ["day"], id="nothing at all"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_field(asker, body, fields):
    answer = asker.post("/entries", body)

    assert answer.status_code in {404, 422}
    assert answer.mimetype == "application/problem+json"
    assert wrong_fields(answer) == fields


def test_an_entry_is_changed_only_as_it_was_read(asker):
    path = f"/entries/{asker.made('/entries', HALF_HOUR)['id']}"
    etag = asker.get(path).headers["ETag"]
    first = asker.patch(path, {"description": "mine"}, **{"If-Match": etag})
    second = asker.patch(path, {"description": "yours"}, **{"If-Match": etag})

    assert first.status_code == 200
    assert second.status_code == 412
    assert asker.get(path).json["description"] == "mine"


def test_the_timer_runs_from_start_to_stop(program, clock):
    assert program.get("/timer").status_code == 204
    started = program.post("/timer/start", {"description": "Plan"}).json
    clock.forward(minutes=20)
    program.post("/timer/pause")
    clock.forward(minutes=10)
    program.post("/timer/resume")
    clock.forward(minutes=5)
    stopped = program.post("/timer/stop").json

    assert started["running"]
    assert (stopped["seconds"], len(stopped["breaks"])) == (25 * 60, 1)
    assert program.post("/timer/stop").status_code == 404


def test_a_request_that_comes_twice_is_done_once(program, app):
    key = {"Idempotency-Key": "abc"}
    first = program.post("/entries", HALF_HOUR, **key)
    again = program.post("/entries", HALF_HOUR, **key)
    other = program.post("/entries", {**HALF_HOUR, "description": "x"}, **key)

    assert (first.json, first.status_code) == (again.json, again.status_code)
    assert first.headers["ETag"] == again.headers["ETag"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert other.status_code == 409
    assert len(rows(app, TimeEntry)) == 1


def test_a_key_counts_for_a_day(program, app, clock):
    key = {"Idempotency-Key": "abc"}
    program.post("/entries", HALF_HOUR, **key)
    clock.forward(hours=24)
    program.post("/entries", HALF_HOUR, **key)

    assert len(rows(app, TimeEntry)) == 2


def test_a_list_comes_a_page_at_a_time_without_gaps(program):
    made = [
        program.made("/entries", {"date": f"2025-10-{10 + n // 2}", "seconds": 60})["id"]
        for n in range(7)
    ]
    found, cursor = [], None
    while True:
        query = {"cursor": cursor} if cursor else {}
        page = program.get("/entries", limit=3, sort="date", **query).json
        found += [one["id"] for one in page["results"]]
        cursor = page["next"]
        if cursor is None:
            break

    assert found == made
    assert program.get("/entries", cursor="nonsense").status_code == 422


def test_changes_tell_of_what_was_thrown_away(program):
    kept = program.made("/entries", HALF_HOUR)
    gone = program.made("/entries", {"date": "2025-10-20", "seconds": 60})
    program.delete(f"/entries/{gone['id']}")

    told = program.get("/entries/changes", since="2025-01-01T00:00:00Z").json
    assert {one["id"]: one["deleted"] for one in told["results"]} == {
        kept["id"]: False,
        gone["id"]: True,
    }


def test_many_entries_are_all_done_or_none(program, app):
    old = program.made("/entries", HALF_HOUR)
    bad = {"date": "2025-10-20", "seconds": 60, "project": idents.word("project", 9)}
    good = {"date": "2025-10-20", "seconds": 60}
    refused = program.post("/entries/bulk", {"delete": [old["id"]], "create": [good, bad]})

    assert (refused.status_code, wrong_fields(refused)) == (404, ["create[1].project"])
    assert [entry.deleted_at for entry in rows(app, TimeEntry)] == [None]

    done = program.post(
        "/entries/bulk",
        {"create": [good], "update": [{"id": old["id"], "description": "x"}]},
    ).json
    assert len(done["created"]) == 1
    assert done["updated"][0]["description"] == "x"
    assert program.post("/entries/bulk", {}).status_code == 422


def test_projects_and_what_belongs_to_them(asker):
    client = asker.made("/clients", {"name": "Acme", "currency": "EUR"})
    project = asker.made("/projects", {"name": "Site", "client": client["id"]})
    task = asker.made("/tasks", {"project": project["id"], "name": "Draft"})
    tag = asker.made("/tags", {"name": "deep"})
    rate = asker.made(
        "/rates",
        {"scope": "project", "project": project["id"], "amount": 9500,
         "currency": "EUR", "valid_from": "2025-01-01"},
    )  # fmt: skip
    asker.made(
        "/entries",
        {**HALF_HOUR, "project": project["id"], "task": task["id"], "tags": [tag["id"]]},
    )

    assert asker.delete(f"/projects/{project['id']}").status_code == 409
    assert asker.post(f"/projects/{project['id']}/archive").json["archived"]
    assert not asker.post(f"/projects/{project['id']}/unarchive").json["archived"]
    assert asker.patch(f"/tasks/{task['id']}", {"status": "done"}).json["status"] == "done"
    assert asker.patch(f"/rates/{rate['id']}", {"amount": 1}).json["amount"] == 1
    assert asker.delete(f"/rates/{rate['id']}").status_code == 204
    assert asker.patch(f"/tags/{tag['id']}", {"name": "Deep"}).json["name"] == "Deep"
    assert asker.patch(f"/clients/{client['id']}", {"number": "7"}).json["number"] == "7"


def test_a_report_has_the_figures_of_the_screen(program, app, browser):
    project = program.made("/projects", {"name": "Site"})
    program.made("/entries", {**HALF_HOUR, "project": project["id"]})
    program.made("/entries", {"date": "2025-10-20", "seconds": 5400})
    found = program.post(
        "/reports/query", {"range": "this_month", "group": ["project"]}
    ).json

    assert found["total"]["seconds"] == 7200 == sum(r["seconds"] for r in found["rows"])
    assert [row["key"] for row in found["rows"]] == [None, project["id"]]
    assert "2:00" in browser.get("/reports?range=this_month&group=project").text


def test_a_token_is_known_by_its_hash_only_and_remembers_its_last_use(program, app, clock):
    program.get("/me")
    token = rows(app, ApiToken)[0]

    assert program.token not in {token.hash, token.prefix}
    assert program.token.startswith(token.prefix)
    assert token.last_used_at == clock.now


@pytest.mark.parametrize("token", [None, "tt_wrong", ""], ids=["none", "wrong", "empty"])
def test_without_a_token_nothing_is_answered(asker, token):
    answer = Program(asker.app, token).get("/me")

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_ends_when_it_should(app, clock):
    program = program_of(app, expires_at=clock.now + timedelta(days=1))
    assert program.get("/me").status_code == 200

    clock.forward(days=1)
    assert program.get("/me").status_code == 401


def test_a_session_is_no_token(browser):
    assert browser.get("/api/v1/me").status_code == 401


def test_a_token_that_asks_too_often_waits(program, app, clock):
    app.config["API_RATE_PER_MINUTE"] = 2
    assert [program.get("/me").status_code for _ in range(3)] == [200, 200, 429]
    assert int(program.get("/me").headers["Retry-After"]) == 60

    clock.forward(minutes=1)
    assert program.get("/me").status_code == 200


@pytest.mark.parametrize(
    ("switch", "value", "reading", "writing", "asking"),
    [
        pytest.param("ENABLE_API", False, 404, 404, 404, id="no API"),
        pytest.param("ENABLE_API", True, 200, 201, 200, id="an API"),
        pytest.param("ENABLE_API_WRITE", False, 200, 403, 200, id="reading only"),
        pytest.param("READ_ONLY", True, 200, 503, 200, id="a read-only installation"),
    ],
)
def test_switches_close_what_they_say(
    asker, monkeypatch, switch, value, reading, writing, asking
):
    monkeypatch.setitem(asker.app.config, switch, value)

    assert asker.get("/me").status_code == reading
    assert asker.post("/entries", HALF_HOUR).status_code == writing
    assert asker.post("/reports/query", {}).status_code == asking
    assert asker.get("/openapi.json").status_code == reading


@pytest.mark.parametrize(
    ("allowed", "header"),
    [
        pytest.param((), None, id="nobody"),
        pytest.param(("https://our.example",), "https://our.example", id="our own page"),
    ],
)
def test_pages_of_other_sites_may_ask_only_where_configured(
    asker, monkeypatch, allowed, header
):
    monkeypatch.setitem(asker.app.config, "API_CORS_ORIGINS", allowed)
    origin = {"Origin": "https://our.example"}
    answer = asker.call("GET", "/me", headers=origin)
    before = asker.call("OPTIONS", "/me", headers=origin)

    assert answer.headers.get("Access-Control-Allow-Origin") == header
    assert ("Access-Control-Allow-Headers" in before.headers) == bool(allowed)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param({"data": b"{", "content_type": "application/json"}, 400, id="half"),
        pytest.param({"data": b"[]", "content_type": "application/json"}, 400, id="a list"),
        pytest.param({"data": b"a=1", "content_type": "text/plain"}, 415, id="no JSON"),
        pytest.param({"data": b" " * 1_000_001, "content_type": "application/json"}, 413,
                     id="far too much"),
    ],
)  # fmt: skip
def test_a_body_that_is_no_object_is_refused(asker, sent, status):
    headers = {"Authorization": f"Bearer {asker.token}"}
    answer = asker.client.post("/api/v1/entries", headers=headers, **sent)

    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")


def test_an_address_that_is_not_there_says_so_in_json(asker):
    assert asker.get("/nothing").status_code == 404
    assert asker.get("/nothing").mimetype == "application/problem+json"
    answer = asker.call("PATCH", "/entries", {})
    assert (answer.status_code, "POST" in answer.headers["Allow"]) == (405, True)


def test_settings_are_read_and_changed_and_that_is_noted(program, app):
    answer = program.patch("/settings", {"WEEK_START": 0, "REQUIRE_PROJECT": True})
    assert answer.json["WEEK_START"] == {"value": 0, "source": "saved"}
    assert program.patch("/settings", {"WEEK_START": 3}).status_code == 422
    assert "settings.updated" in [line.action for line in rows(app, AuditLog)]
    assert program.get("/audit").json["results"][0]["via"] == "api"


def test_every_deliberate_error_has_a_status():
    stop_the_start = {"error", "bad_setting", "schema_too_new"}
    codes = {one.code for one in subclasses(TimeTrackerError)} - stop_the_start

    assert codes <= set(problems.STATUS)


def subclasses(root):
    return {root, *(one for child in root.__subclasses__() for one in subclasses(child))}


def test_entries_of_others_are_a_managers_to_change(app):
    ben = person(app, "ben", "user")
    person(app, "mia", "manager")
    boss, worker = program_of(app, "mia"), program_of(app, "ben")
    made = boss.made("/entries", {**HALF_HOUR, "user": idents.word("user", ben)})
    mine = boss.made("/entries", HALF_HOUR)

    assert worker.get(f"/entries/{made['id']}").status_code == 200
    assert worker.get(f"/entries/{mine['id']}").status_code == 404
    assert wrong_fields(worker.post("/entries", {**HALF_HOUR, "user": mine["user"]})) == [
        "user"
    ]
    assert [line.action for line in rows(app, AuditLog)] == ["entry.created"]
