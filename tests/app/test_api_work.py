"""Clients, projects and tasks by the API: every field of theirs goes in and comes out."""

import pytest

from .api_client import installation, person, program_of, wrong_fields


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    made = installation(tmp_path_factory.mktemp("work"), rate=10_000)
    person(made, "ben", "user")
    person(made, "vera", "viewer")
    yield made
    made.extensions["reporter"].close()
    made.extensions["database"].close()


@pytest.fixture(scope="module")
def ann(app):
    return program_of(app)


@pytest.fixture(scope="module")
def people(ann):
    return {one["username"]: one["id"] for one in ann.get("/users").json["results"]}


ROUNDING = {"minutes": 15, "method": "up", "level": "entry", "minimum": 30}


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        pytest.param(
            "/clients",
            {"number": "K-7", "currency": "CHF", "notes": "By post", "color": 4,
             "rounding": ROUNDING},
            id="client",
        ),
        pytest.param(
            "/projects",
            {"code": "P-1", "notes": "Quiet", "color": 3, "billable": False,
             "estimate_minutes": 600, "visibility": "members", "require_task": True,
             "rounding": {"minutes": 6, "method": None, "level": "day", "minimum": None}},
            id="project",
        ),
    ],
)  # fmt: skip
def test_what_is_given_is_kept_and_a_change_leaves_the_rest(ann, path, fields):
    made = ann.made(path, {"name": f"All of {path}", **fields})
    assert {name: made[name] for name in fields} == fields

    changed = ann.patch(f"{path}/{made['id']}", {"name": f"Still {path}"}).json
    assert {name: changed[name] for name in fields} == fields
    plain = ann.patch(f"{path}/{made['id']}", {"rounding": None}).json
    assert plain["rounding"] is None


@pytest.mark.parametrize(
    ("rounding", "field"),
    [
        pytest.param({"minutes": 7}, "rounding.minutes", id="a step there is not"),
        pytest.param({"method": "half"}, "rounding.method", id="a direction there is not"),
        pytest.param({"minimum": 1441}, "rounding.minimum", id="more than a day"),
        pytest.param({"step": 5}, "rounding.step", id="an unknown rule"),
        pytest.param(15, "rounding", id="no object"),
    ],
)
def test_rounding_that_cannot_be_is_refused_by_field(ann, rounding, field):
    answer = ann.post("/clients", {"name": "Odd", "rounding": rounding})

    assert (answer.status_code, wrong_fields(answer)) == (422, [field])


def test_a_projects_rounding_beats_its_clients_in_a_report(ann):
    client = ann.made("/clients", {"name": "Steps", "rounding": {"minutes": 60}})
    for name, own, expected in (("By it", None, 3600), ("Own", {"minutes": 15}, 1800)):
        project = ann.made(
            "/projects", {"name": name, "client": client["id"], "rounding": own}
        )
        ann.made(
            "/entries", {"date": "2025-10-20", "seconds": 1900, "project": project["id"]}
        )
        asked = {"range": "all", "projects": [project["id"]]}
        total = ann.post("/reports/query", asked).json["total"]
        assert (total["seconds"], total["rounded_seconds"]) == (1900, expected)


def test_a_task_has_somebody_a_day_and_an_estimate(ann, people):
    project = ann.made("/projects", {"name": "Site"})
    fields = {
        "assignee": people["ben"],
        "due_on": "2025-11-01",
        "estimate_minutes": 90,
        "status": "in_progress",
    }
    made = ann.made("/tasks", {"project": project["id"], "name": "Draw", **fields})
    assert {name: made[name] for name in fields} == fields

    changed = ann.patch(f"/tasks/{made['id']}", {"name": "Draw it", "due_on": None}).json
    assert {name: changed[name] for name in fields} == {**fields, "due_on": None}


@pytest.mark.parametrize("who", ["vera", "ben"])
def test_a_task_goes_to_nobody_who_could_not_work_on_it(ann, people, who):
    hidden = {"name": f"Hidden from {who}", "visibility": "members"}
    project = ann.made("/projects", hidden)
    answer = ann.post(
        "/tasks", {"project": project["id"], "name": "Draw", "assignee": people[who]}
    )

    assert (answer.status_code, wrong_fields(answer)) == (422, ["assignee"])


def test_a_price_of_its_own_beats_the_rates_and_is_for_those_who_manage_them(app, ann):
    ann.made("/rates", {"scope": "default", "amount": 6000, "valid_from": "2025-01-01"})
    project = ann.made("/projects", {"name": "Priced"})
    length = {"date": "2025-10-20", "seconds": 3600, "project": project["id"]}
    entry = ann.made("/entries", {**length, "rate_override": 9500})
    assert entry["rate_override"] == 9500

    asked = {"range": "all", "projects": [project["id"]]}
    total = ann.post("/reports/query", asked).json["total"]
    assert [one["amount"] for one in total["amounts"]] == [9500]
    changed = ann.patch(f"/entries/{entry['id']}", {"rate_override": None}).json
    assert changed["rate_override"] is None

    ben = program_of(app, "ben")
    assert ben.post("/entries", {**length, "rate_override": 1}).status_code == 403
    assert ben.made("/entries", length)["rate_override"] is None


def test_a_rate_from_an_earlier_day_says_what_it_moved(ann):
    project = ann.made("/projects", {"name": "Moved", "billable": True})["id"]
    ann.made("/entries", {"date": "2025-10-17", "seconds": 5400, "project": project})
    new = {"scope": "project", "project": project, "valid_from": "2025-10-01"}
    worth = ann.made("/rates", {**new, "amount": 9000, "currency": "SEK"})
    assert worth["moved"]["entries"] == 1
    assert {"currency": "SEK", "amount": 13_500} in worth["moved"]["amounts"]
    less = ann.made("/rates", {**new, "amount": 6000, "currency": "SEK"})["moved"]
    assert less == {"entries": 1, "amounts": [{"currency": "SEK", "amount": -4500}]}
    today = {**new, "amount": 1, "currency": "SEK", "valid_from": "2025-10-20"}
    assert ann.made("/rates", today)["moved"] == {"entries": 0, "amounts": []}


def test_all_of_a_profile_can_be_read_and_changed(ann):
    before = ann.get("/me").json
    chosen = {
        "display_name": "Ann B", "timezone": "Asia/Tokyo", "week_start": 0,
        "time_format": 12, "duration_format": "decimal", "theme": "dark", "locale": "en",
        "shortcuts_enabled": False, "analytics_opt_out": True, "weekly_target_minutes": 60,
    }  # fmt: skip
    assert ann.patch("/me", chosen).json == {**before, **chosen}
    kept = {name: before[name] for name in chosen}
    assert ann.patch("/me", kept).json == before


@pytest.mark.parametrize(
    ("field", "value"), [("locale", "tlh"), ("theme", "pink"), ("duration_format", "min")]
)
def test_a_choice_that_is_not_offered_is_refused_by_field(ann, field, value):
    answer = ann.patch("/me", {field: value})

    assert (answer.status_code, wrong_fields(answer)) == (422, [field])
