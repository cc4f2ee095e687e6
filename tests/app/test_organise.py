"""Clients, tasks, tags, rates, the profile, the day, the week and reports as pages."""

import html
import json
import re

import pytest
from sqlalchemy import select

from app.models.entries import TimeEntry
from app.models.people import User
from app.models.work import Client, Project, Rate, Tag, Task


def rows(app, table):
    with app.extensions["database"].reading() as session:
        return list(session.scalars(select(table)))


def add_entry(browser, **fields):
    form = {"kind": "timed", "day": "2025-10-20", "started": "8", "ended": "9", **fields}
    return browser.post("/entries/new", form, htmx=True)


def confirmed(page):
    """What a form sends once more to say yes."""
    return html.unescape(re.search('name="confirm" value="([^"]*)"', page)[1])


@pytest.mark.parametrize(
    "path",
    ["/", "/day", "/week", "/entries", "/entries/new", "/entries/trash", "/reports",
     "/projects", "/clients", "/tasks", "/tags", "/admin/rates", "/profile", "/profile/more",
     "/reports?group=tag,day&range=all", "/day/2025-10-26", "/week/2025-10-26"],
)  # fmt: skip
@pytest.mark.parametrize("filled", [False, True], ids=["empty", "with data"])
def test_every_screen_opens_with_and_without_data(browser, path, filled):
    if filled:
        browser.post("/projects/new", {"name": "Hedgerow \U0001f994"})
        browser.post("/tags", {"name": "\u05d1\u05d3\u05d9\u05e7\u05d4"})
        add_entry(browser, description="x" * 300, project_id="1", tag_id="1")
        browser.post("/timer/start", {"key": "k"})

    assert browser.get(path).status_code == 200
    assert not re.search(r"\sstyle=|\son[a-z]+=", browser.text)


def test_a_client_is_made_and_archived(app, browser):
    browser.post("/clients", {"name": "Meridian", "currency": "chf"})
    browser.post("/clients/1/archive")

    client = rows(app, Client)[0]
    assert (client.name, client.currency) == ("Meridian", "CHF")
    assert client.archived_at is not None


def test_a_task_is_done_and_leaves_the_picker(app, browser):
    browser.post("/projects/new", {"name": "Hedgerow"})
    browser.post("/tasks", {"project_id": "1", "name": "Interface", "estimate": "40 h"})
    assert "Interface" in browser.get("/timer/projects").get_data(as_text=True)
    browser.post("/tasks/1/status", {"status": "done"})

    assert "Interface" not in browser.get("/timer/projects").get_data(as_text=True)
    assert rows(app, Task)[0].estimate_minutes == 2400


def test_the_form_of_a_client_keeps_all_and_adding_another_changes_none(app, browser):
    browser.post("/clients", {"name": "Meridian", "currency": "chf"})
    form = {"name": "Meridian", "currency": "chf", "number": "K-7", "color": "4",
            "notes": "By post", "rounding_minutes": "15", "rounding_method": "up"}  # fmt: skip
    browser.post("/clients/1", form)
    browser.post("/clients", {"id": "1", "name": "Meridian AG", "currency": "chf"})

    client = rows(app, Client)[0]
    assert (client.name, client.number, client.color, client.notes) == (
        "Meridian AG", "K-7", 4, "By post",
    )  # fmt: skip
    assert client.rounding == (15, "up", None, None)
    assert browser.post("/clients/1", {**form, "rounding_minutes": "7"}).status_code == 422


def test_the_form_of_a_task_gives_it_to_somebody_until_a_day(app, browser):
    browser.post("/projects/new", {"name": "Hedgerow", "rounding_minutes": "30"})
    browser.post("/tasks", {"project_id": "1", "name": "Interface"})
    form = {"name": "Screens", "assignee": "1", "due_on": "2025-11-01", "estimate": "2 h"}
    browser.post("/tasks/1", form)

    task = rows(app, Task)[0]
    assert (task.name, task.assignee_id, str(task.due_on), task.estimate_minutes) == (
        "Screens", 1, "2025-11-01", 120,
    )  # fmt: skip
    assert rows(app, Project)[0].rounding == (30, None, None, None)
    assert browser.post("/tasks/1", {**form, "due_on": "soon"}).status_code == 422


def test_merging_tags_keeps_them_on_entries(app, browser):
    for name in ("red", "rot"):
        browser.post("/tags", {"name": name})
    add_entry(browser, tag_id="2")
    browser.post("/tags/2/merge", {"into": "1"})

    assert [tag.name for tag in rows(app, Tag)] == ["red"]
    assert "red" in browser.get("/entries?range=all").get_data(as_text=True)


def test_a_rate_gives_billable_time_an_amount(app, browser):
    browser.post("/projects/new", {"name": "Hedgerow", "billable": "1"})
    add_entry(browser, project_id="1")
    assert "billable without a rate" in browser.get("/reports").get_data(as_text=True)
    rate = {"scope": "default", "amount": "95,50", "valid_from": "2025-01-01"}
    browser.post("/admin/rates", rate)

    assert rows(app, Rate)[0].amount == 9550
    assert "95.50" in browser.get("/reports").get_data(as_text=True)


def test_a_rate_from_an_earlier_day_first_says_what_it_moves(app, browser):
    browser.post("/projects/new", {"name": "Hedgerow", "billable": "1"})
    for day in ("2025-10-16", "2025-10-17"):
        add_entry(browser, project_id="1", day=day)
    rate = {"scope": "default", "amount": "60", "valid_from": "2025-01-01"}
    browser.post("/admin/rates", {**rate, "valid_from": "2025-10-21"})
    asked = browser.post("/admin/rates", rate).text
    assert "changes 2 entries" in asked
    assert "120.00" in asked
    assert len(rows(app, Rate)) == 1

    agreed = {**rate, "confirm": confirmed(asked)}
    other = browser.post("/admin/rates", {**agreed, "amount": "70"}).text
    assert "140.00" in other  # another rate than the one agreed to
    browser.post("/admin/rates", agreed)
    again = browser.post("/admin/rates", {**rate, "amount": "50"}).text
    assert "20.00" in again
    assert len(rows(app, Rate)) == 2


@pytest.mark.parametrize("amount", ["", "x", "nan", "Infinity", "-1", "1e30", "1e999999"])
def test_a_rate_that_cannot_be_is_refused(app, browser, amount):
    rate = {"scope": "default", "amount": amount, "valid_from": "2025-11-01"}
    assert browser.post("/admin/rates", rate).status_code == 422
    assert rows(app, Rate) == []


def test_a_task_has_a_rate_and_its_row_names_it(app, browser):
    browser.post("/clients", {"name": "Acme", "currency": "USD"})
    browser.post("/projects/new", {"name": "Hedgerow", "billable": "1", "client_id": "1"})
    browser.post("/tasks", {"name": "Draft", "project_id": "1"})
    rate = {"scope": "task", "task_id": "1", "amount": "60", "valid_from": "2025-11-01"}
    refused = browser.post("/admin/rates", {**rate, "currency": "EUR"})
    assert (refused.status_code, rows(app, Rate)) == (422, [])
    browser.post("/admin/rates", {**rate, "currency": "USD"})

    assert [one.task_id for one in rows(app, Rate)] == [1]
    assert "<bdi>Hedgerow · Draft</bdi>" in browser.get("/admin/rates").text


def test_what_a_rate_moves_does_not_hang_on_fields_of_another_scope(app, browser):
    browser.post("/projects/new", {"name": "Hedgerow", "billable": "1"})
    browser.post("/clients", {"name": "Acme", "currency": "USD"})
    add_entry(browser, project_id="1", day="2025-10-17")
    rate = {"scope": "default", "amount": "60", "valid_from": "2025-01-01"}
    asked = browser.post("/admin/rates", {**rate, "client_id": "1"}).text
    assert "changes 1 entry" in asked


@pytest.mark.parametrize(("typed", "seconds"), [("1:30", 5400), ("45m", 2700), ("x", 3600)])
def test_a_length_typed_in_the_list_is_kept_or_refused(app, browser, typed, seconds):
    add_entry(browser)
    answer = browser.post("/entries/1/length", {"duration": typed}, htmx=True)

    entry = rows(app, TimeEntry)[0]
    assert (entry.seconds, (entry.ended_at - entry.started_at).seconds) == (
        seconds,
        seconds,
    )
    assert ("Entry saved" in answer.headers["HX-Trigger"]) is (typed != "x")
    assert "/entries/1/length" in browser.get("/entries?range=all").text


def test_an_entry_has_a_price_of_its_own_until_it_is_taken_away(app, browser):
    browser.post("/projects/new", {"name": "Hedgerow", "billable": "1"})
    add_entry(browser, project_id="1")
    form = {"kind": "timed", "day": "2025-10-20", "started": "8", "ended": "9",
            "project_id": "1", "billable": "1"}  # fmt: skip
    for rate, kept in (("95,50", 9550), ("", None)):
        browser.post("/entries/1", {**form, "rate": rate}, htmx=True)
        assert rows(app, TimeEntry)[0].rate_override == kept
    assert (
        "cannot be read"
        in browser.post("/entries/1", {**form, "rate": "x"}, htmx=True).text
    )
    assert 'name="rate"' in browser.get("/entries/1").text


def test_the_profile_keeps_what_one_chose(app, browser):
    form = {"display_name": "Ann B", "timezone": "Asia/Tokyo", "week_start": "0",
            "time_format": "12", "target": "40h", "theme": "dark"}  # fmt: skip
    browser.post("/profile", form)
    ann = rows(app, User)[0]

    assert (ann.timezone, ann.week_start, ann.time_format) == ("Asia/Tokyo", 0, 12)
    assert (ann.weekly_target_minutes, ann.shortcuts_enabled) == (2400, False)


@pytest.mark.parametrize(
    ("style", "shown"),
    [
        pytest.param("h:mm", {"/day/2025-10-20": "1h 05m", "/week/2025-10-20": ">1:05<"}),
        pytest.param(
            "decimal", {"/day/2025-10-20": "1.08 h", "/week/2025-10-20": ">1.08<"}
        ),
    ],
    ids=["hours and minutes", "decimal hours"],
)
def test_lengths_are_written_as_the_person_chose(browser, style, shown):
    add_entry(browser, ended="9:05")
    form = {"display_name": "Ann", "timezone": "Europe/Berlin", "duration_format": style}
    browser.post("/profile", form)

    for path, text in shown.items():
        assert text in browser.get(path).text
    assert 'value="1:05"' in browser.get("/week/2025-10-20").text  # typed as it was


def test_a_changed_password_ends_the_other_sessions(app, browser, visitor):
    visitor.sign_in()
    new = "another long password"
    form = {"password_now": "correct horse battery", "password": new, "password_again": new}
    browser.post("/profile/password", form)

    assert "Sign in" in visitor.get("/").get_data(as_text=True)
    assert "Profile" in browser.get("/profile").get_data(as_text=True)


def test_saving_a_form_unchanged_keeps_the_seconds_a_timer_recorded(app, browser, clock):
    clock.forward(seconds=17)
    browser.post("/timer/start", {"key": "k"})
    clock.forward(minutes=10, seconds=25)
    browser.post("/timer/stop")
    before = rows(app, TimeEntry)[0]
    form = {"kind": "timed", "day": "2025-10-20", "started": "10:00", "ended": "10:10",
            "description": "named"}  # fmt: skip
    browser.post("/entries/1", form, htmx=True)
    after = rows(app, TimeEntry)[0]

    assert after.description == "named"
    assert (after.seconds, after.started_at) == (625, before.started_at)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        pytest.param({"started": "9", "ended": "8"}, "23h 00m", id="the next day is offered"),
        pytest.param({"ended": "abc"}, "no time of day", id="no time"),
        pytest.param({"day": "2025-10-26", "started": "2:30", "ended": "4"}, "exists twice",
                     id="autumn asks which"),
    ],
)  # fmt: skip
def test_what_is_unclear_is_asked_back(app, browser, clock, fields, said):
    clock.forward(days=20)
    browser.sign_in()
    answer = add_entry(browser, **fields)

    assert said in answer.get_data(as_text=True)
    assert rows(app, TimeEntry) == []


def test_the_second_of_two_times_is_taken_where_chosen(app, browser, clock):
    clock.forward(days=20)
    browser.sign_in()
    fields = {"day": "2025-10-26", "started": "2:30", "ended": "2:30", "started_fold": "0"}
    add_entry(browser, **fields, ended_fold="1")

    assert rows(app, TimeEntry)[0].seconds == 3600


def test_a_cell_of_the_week_is_typed_and_undone(app, browser):
    form = {"day": "2025-10-20", "duration": "1,5"}
    answer = browser.post("/week/cell", form, htmx=True)
    assert "1:30" in answer.get_data(as_text=True)
    undo = json.loads(answer.headers["HX-Trigger"])["toast"]["undo"]
    browser.post(undo, htmx=True)

    assert rows(app, TimeEntry)[0].deleted_at is not None


def test_users_make_projects_only_where_the_installation_lets_them(app, browser, visitor):
    with app.extensions["database"].writing() as session:
        session.scalars(select(User)).one().role = "user"
    assert browser.get("/projects/new").status_code == 200
    app.config["USERS_CREATE_PROJECTS"] = False

    assert browser.get("/projects/new").status_code == 403


def test_users_see_amounts_only_where_the_installation_lets_them(app, browser):
    add_entry(browser)
    with app.extensions["database"].writing() as session:
        session.scalars(select(User)).one().role = "user"
    assert "Amount" not in browser.get("/reports").get_data(as_text=True)
    app.config["USERS_SEE_RATES"] = True

    assert "Amount" in browser.get("/reports").get_data(as_text=True)


def test_viewers_track_nothing(app, browser):
    browser.get("/")
    with app.extensions["database"].writing() as session:
        session.scalars(select(User)).one().role = "viewer"

    assert browser.post("/timer/start", {"key": "k"}).status_code == 403


def test_a_view_that_keeps_only_something_in_the_session_waits_for_nobody(app, browser):
    browser.post("/projects/new", {"name": "Hedgerow"})
    app.extensions["database"].engine.dispose()
    answer = browser.post("/week/row", {"day": "2025-10-20", "project_id": "1"}, htmx=True)

    assert answer.status_code == 200
    assert "Hedgerow" in browser.get("/week/2025-10-20").get_data(as_text=True)
