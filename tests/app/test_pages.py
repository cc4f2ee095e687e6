"""The site as a browser sees it: first run, signing in, the timer, projects, errors."""

import csv
import io
import json
import re

import pytest
from sqlalchemy import select

from app.config import Config
from app.models.entries import TimeEntry
from app.models.people import LoginAttempt, User, UserSession
from app.models.records import AuditLog, Consent

from .conftest import PASSWORD, Browser


def entries(app):
    with app.extensions["database"].reading() as session:
        return list(session.scalars(select(TimeEntry).order_by(TimeEntry.id)))


def rows(app, table):
    with app.extensions["database"].reading() as session:
        return list(session.scalars(select(table)))


SETUP = {
    "code": "letmein",
    "username": "maren",
    "display_name": "Maren Lund",
    "password": PASSWORD,
    "password_again": PASSWORD,
    "timezone": "Europe/Berlin",
    "currency": "chf",
    "week_start": "1",
    "layer": "off",
}


@pytest.fixture
def fresh(database, tmp_path, furnished):
    return furnished(Config(DATA_DIR=tmp_path, SETUP_TOKEN="letmein"))


def test_a_new_installation_leads_everywhere_to_the_first_run(fresh):
    answer = fresh.test_client().get("/entries")

    assert (answer.status_code, answer.location) == (302, "/setup")


def test_the_first_run_needs_the_code(fresh):
    visitor = Browser(fresh.test_client())
    visitor.get("/setup")

    assert visitor.post("/setup", {**SETUP, "code": "guess"}).status_code == 403
    assert rows(fresh, User) == []


def test_the_first_run_makes_an_administrator_and_keeps_the_answers(fresh):
    visitor = Browser(fresh.test_client())
    visitor.get("/setup?code=letmein")
    visitor.post("/setup", SETUP)

    maren = rows(fresh, User)[0]
    assert (maren.role, maren.signup_method) == ("admin", "setup")
    assert maren.timezone == "Europe/Berlin"
    assert [(c.layer, c.reason) for c in rows(fresh, Consent)] == [("off", "wizard")]
    assert "Maren Lund" in visitor.text


def test_the_first_run_is_closed_for_ever_afterwards(fresh):
    visitor = Browser(fresh.test_client())
    visitor.get("/setup?code=letmein")
    visitor.post("/setup", SETUP)

    assert fresh.test_client().get("/setup?code=letmein").status_code == 404


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        pytest.param({"password_again": "x"}, "differ", id="two passwords"),
        pytest.param({"password": "short", "password_again": "short"}, "12", id="short"),
        pytest.param({"username": "has blank"}, "without spaces", id="name with a blank"),
        pytest.param({"currency": "EURO"}, "three letters", id="no currency"),
        pytest.param(
            {"password": "password12345", "password_again": "password12345"},
            "guessed first", id="a common password",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_said_beside_the_form(fresh, changed, said):
    visitor = Browser(fresh.test_client())
    visitor.get("/setup?code=letmein")

    answer = visitor.post("/setup", {**SETUP, **changed})
    assert answer.status_code == 422
    assert said in visitor.text
    assert rows(fresh, User) == []


def test_nobody_sees_anything_without_signing_in(app):
    answer = app.test_client().get("/entries?text=x")

    assert answer.status_code == 302
    assert answer.location == "/login?next=/entries?text%3Dx"


def test_signing_in_leads_to_where_one_wanted_to_go(visitor):
    visitor.get("/login?next=/projects")
    answer = visitor.post(
        "/login",
        {"username": "ANN", "password": PASSWORD, "next": "/projects"},
        follow=False,
    )

    assert answer.location == "/projects"


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil", ""]
)
def test_redirects_stay_in_the_house(visitor, target):
    visitor.get("/login")
    form = {"username": "ann", "password": PASSWORD, "next": target}

    assert visitor.post("/login", form, follow=False).location == "/"


def test_a_wrong_password_and_an_unknown_name_look_alike(visitor):
    visitor.sign_in(password="wrong wrong wrong")
    wrong = re.sub(r'value="\w*"|content="\w+"', "", visitor.text)
    visitor.sign_in(name="bob", password="wrong wrong wrong")
    unknown = re.sub(r'value="\w*"|content="\w+"', "", visitor.text)

    assert visitor.page.status_code == 401
    assert wrong == unknown


def test_after_five_failures_sign_in_waits_even_with_the_right_password(visitor, clock):
    for _ in range(5):
        visitor.sign_in(password="wrong wrong wrong")

    assert visitor.sign_in().status_code == 429
    clock.forward(seconds=31)
    assert visitor.sign_in().status_code == 200


def test_what_was_typed_into_a_refused_sign_in_is_not_kept(app, visitor):
    visitor.sign_in(name="my secret password", password="oops oops oops")

    kept = rows(app, LoginAttempt)[0]
    assert len(kept.account_key) == 64
    audit = json.dumps([row.changes for row in rows(app, AuditLog)])
    assert "secret" not in audit


def test_a_session_gets_a_new_cookie_at_sign_in_and_none_of_the_old(visitor):
    visitor.get("/login")
    before = visitor.client.get_cookie("timetracker").value
    visitor.sign_in()
    after = visitor.client.get_cookie("timetracker")

    assert before != after.value
    assert after.http_only
    assert after.same_site == "Lax"


def test_cookies_are_secure_over_tls_only(app):
    plain = app.test_client().get("/login").headers["Set-Cookie"]
    over_tls = app.test_client().get("/login", base_url="https://time.example")

    assert "Secure" not in plain
    assert "Secure" in over_tls.headers["Set-Cookie"]


def test_a_session_ends_after_hours_without_a_request(browser, clock):
    clock.forward(hours=11)
    assert browser.get("/entries").status_code == 200
    clock.forward(hours=12, minutes=2)

    assert "Sign in" in browser.get("/entries").get_data(as_text=True)


def test_signing_out_ends_the_session_on_the_server(app, browser):
    browser.post("/logout")

    assert [row for row in rows(app, UserSession) if row.user_id] == []


def test_a_form_without_its_token_changes_nothing(app, browser):
    answer = browser.client.post("/timer/start", data={"description": "x"})

    assert answer.status_code == 400
    assert entries(app) == []


def test_every_page_forbids_inline_scripts(browser):
    policy = browser.get("/").headers["Content-Security-Policy"]

    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script(?![^>]*src=)|\son\w+=|\sstyle=", browser.text)


def test_the_timer_starts_and_stops_without_scripts(app, browser, clock):
    browser.post("/timer/start", {"description": "Design", "key": "k1"})
    clock.forward(minutes=65)
    browser.post("/timer/stop")

    assert [(e.description, e.seconds) for e in entries(app)] == [("Design", 3900)]
    assert "Stopped Design 1h 05m" in browser.text


def test_a_double_click_starts_one_timer(app, browser):
    form = {"description": "Design", "key": "k1", "csrf_token": browser.token()}
    for _ in range(2):
        browser.client.post("/timer/start", data=form, headers={"HX-Request": "true"})

    assert len(entries(app)) == 1


def test_replacing_a_timer_says_so_with_undo(app, browser, clock):
    browser.post("/timer/start", {"description": "Design", "key": "k1"}, htmx=True)
    clock.forward(minutes=65)
    answer = browser.post("/timer/start", {"description": "Mail", "key": "k2"}, htmx=True)
    said = json.loads(answer.headers["HX-Trigger"])["toast"]

    assert said["text"] == "Stopped Design 1h 05m"
    browser.post(said["undo"], htmx=True)
    assert [e.description for e in entries(app) if e.is_running] == ["Design"]


def test_an_unchanged_timer_answers_204(browser):
    browser.get("/")
    seen = re.search(r'data-seen="([^"]+)"', browser.text)[1]

    assert browser.get(f"/timer?seen={seen}").status_code == 204


def test_stopping_in_an_old_tab_just_shows_what_is_true(browser):
    answer = browser.post("/timer/stop", htmx=True)

    assert answer.status_code == 200
    assert "No timer was running" in answer.headers["HX-Trigger"]


def test_a_project_is_made_listed_archived_and_restored(app, browser):
    browser.post("/projects/new", {"name": "Hedgerow", "billable": "1"})
    assert "Hedgerow" in browser.text
    browser.post("/projects/1/archive")
    assert "No projects yet" in browser.get("/projects").get_data(as_text=True)
    browser.post("/projects/1/restore")

    assert "Hedgerow" in browser.get("/projects").get_data(as_text=True)


def test_the_same_name_twice_is_refused_beside_the_form(browser):
    browser.post("/projects/new", {"name": "Hedgerow"})
    answer = browser.post("/projects/new", {"name": "HEDGEROW"})

    assert answer.status_code == 409
    assert "called &#39;Hedgerow&#39; already" in browser.text


def test_a_project_with_time_is_archived_rather_than_deleted(app, browser, clock):
    browser.post("/projects/new", {"name": "Hedgerow"})
    browser.post("/timer/start", {"project_id": "1", "key": "k"})
    clock.forward(minutes=1)
    browser.post("/timer/stop")

    assert browser.post("/projects/1/delete").status_code == 409
    assert "Archive it instead" in browser.text


def test_entries_are_exported_as_csv(app, browser, clock):
    browser.post("/projects/new", {"name": "Hedgerow"})
    browser.post("/timer/start", {"project_id": "1", "description": "=SUM(A1)", "key": "k"})
    clock.forward(minutes=65)
    browser.post("/timer/stop")
    answer = browser.get("/export/entries.csv?range=today")

    line = next(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))
    assert (line["project"], line["duration_seconds"]) == ("Hedgerow", "3900")
    assert (line["date"], line["start"], line["end"]) == (
        "2025-10-20",
        "10:00:00",
        "11:05:00",
    )
    assert line["description"] == "'=SUM(A1)"
    name = "timetracker-entries-2025-10-20_2025-10-20.csv"
    assert name in answer.headers["Content-Disposition"]


def test_exports_can_be_switched_off(app, browser):
    app.config["ENABLE_EXPORTS"] = False

    assert browser.get("/export/entries.csv").status_code == 403
    assert "disabled on this installation" in browser.text
    assert "Export" not in browser.get("/entries").get_data(as_text=True)


def test_read_only_shows_everything_and_changes_nothing(app, browser):
    browser.get("/")
    app.config["READ_ONLY"] = True
    answer = browser.post("/timer/start", {"key": "k"})

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "300"
    assert "read-only" in browser.get("/").get_data(as_text=True)
    assert entries(app) == []


def test_read_only_still_lets_people_sign_in(app, visitor):
    app.config["READ_ONLY"] = True

    assert visitor.sign_in().status_code == 200
    assert "read-only" in visitor.text


def test_a_maintenance_message_is_shown_when_set(app, browser):
    assert "Back at noon" not in browser.get("/").get_data(as_text=True)
    app.config["MAINTENANCE_MESSAGE"] = "Back at noon"

    assert "Back at noon" in browser.get("/").get_data(as_text=True)


def test_metrics_are_there_only_when_switched_on_and_with_the_token(app):
    client = app.test_client()
    assert client.get("/metrics").status_code == 404
    app.config["ENABLE_METRICS"] = True
    assert "timetracker_users 1" in client.get("/metrics").get_data(as_text=True)
    app.config["METRICS_TOKEN"] = "t0k"
    assert client.get("/metrics").status_code == 401

    held = client.get("/metrics", headers={"Authorization": "Bearer t0k"})
    assert held.status_code == 200


def test_health_and_readiness_need_nobody(app):
    client = app.test_client()

    assert client.get("/_health").json["status"] == "ok"
    assert all(client.get("/_ready").json["checks"].values())


def test_an_unknown_address_says_so_with_a_request_id(browser):
    answer = browser.get("/nowhere")

    assert answer.status_code == 404
    assert answer.headers["X-Request-Id"] in browser.text


def test_an_unexpected_failure_tells_the_page_nothing(app, browser, monkeypatch):
    def fails():
        raise RuntimeError("secret detail")

    monkeypatch.setitem(app.view_functions, "dashboard.today", fails)
    answer = browser.get("/")

    assert answer.status_code == 500
    assert "secret detail" not in browser.text
    assert answer.headers["X-Request-Id"] in browser.text


def test_user_text_is_never_markup(app, browser, clock):
    browser.post("/timer/start", {"description": "<b>x</b><script>", "key": "k"})
    clock.forward(minutes=1)
    browser.post("/timer/stop")

    page = browser.get("/entries").get_data(as_text=True)
    assert "<b>x</b>" not in page
    assert "&lt;b&gt;x" in page
