"""Administration, Settings and Lock date: what is kept, what is refused, what then holds."""

import re
from datetime import date

import pytest
from sqlalchemy import select

from app.errors import Conflict, InvalidInput
from app.models.records import AuditLog
from app.models.saved import Setting
from app.settings import in_force, last_day_of, read, save, values

CONFIG = {
    "TZ": "UTC", "DEFAULT_LOCALE": "en", "WEEK_START": 1, "CURRENCY": "EUR",
    "ROUNDING_MINUTES": 0, "ROUNDING_METHOD": "nearest", "ROUNDING_LEVEL": "entry",
    "ROUNDING_MINIMUM": 0, "OVERLAP_POLICY": "warn", "ENTRY_KINDS": "both",
    "REQUIRE_PROJECT": False, "REQUIRE_TASK": False, "REQUIRE_DESCRIPTION": False,
    "ALLOW_FUTURE_ENTRIES": "today", "LONG_TIMER_HOURS": 8, "MAX_TIMER_HOURS": 0,
    "IDLE_TIMEOUT_MINUTES": 10, "LOCK_BEFORE": "", "USERS_CREATE_PROJECTS": True,
    "USERS_SEE_RATES": False, "TRASH_DAYS": 30, "SET_IN_ENVIRONMENT": frozenset({"TZ"}),
}  # fmt: skip


def test_the_environment_wins_over_what_was_saved_and_that_over_the_default(session):
    session.add_all(
        [Setting(key="TZ", value="Europe/Paris"), Setting(key="CURRENCY", value="CHF")]
    )
    session.flush()
    found = in_force(session, CONFIG)

    assert (found.timezone, found.currency, found.week_start) == ("UTC", "CHF", 1)


def test_what_the_environment_has_set_cannot_be_changed(session):
    with pytest.raises(Conflict, match="TZ"):
        save(session, CONFIG, {"TZ": "Europe/Paris"})


def test_only_what_differs_counts_as_changed(session):
    assert save(session, CONFIG, {"CURRENCY": "EUR", "WEEK_START": 0}) == ["WEEK_START"]
    session.flush()
    assert save(session, CONFIG, {"WEEK_START": 0}) == []
    assert values(session, CONFIG)["WEEK_START"] == 0


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        pytest.param("ROUNDING_MINUTES", "15", 15, id="a number"),
        pytest.param("REQUIRE_TASK", "yes", True, id="a switch"),
        pytest.param("LOCK_BEFORE", "", "", id="no lock"),
        pytest.param("LOCK_BEFORE", "last-month", "last-month", id="a moving lock"),
    ],
)
def test_values_are_read_as_the_environment_reads_them(name, text, value):
    assert read(name, text) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("ROUNDING_MINUTES", "7", id="no such step"),
        pytest.param("CURRENCY", "EURO", id="no currency"),
        pytest.param("IDLE_TIMEOUT_MINUTES", "", id="nothing"),
        pytest.param("TZ", "Mars/Base", id="no zone"),
    ],
)
def test_what_cannot_be_read_names_its_field_and_what_it_takes(name, text):
    with pytest.raises(InvalidInput, match="It takes") as refused:
        read(name, text)
    assert refused.value.attr == name


@pytest.mark.parametrize(
    ("said", "last"),
    [
        pytest.param("", None, id="none"),
        pytest.param("2025-09-30", date(2025, 9, 30), id="a day"),
        pytest.param("-30d", date(2025, 9, 20), id="so many days"),
        pytest.param("last-month", date(2025, 9, 30), id="last month"),
    ],
)
def test_a_lock_ends_on_a_day(said, last):
    assert last_day_of(said, date(2025, 10, 20)) == last


def test_rules_are_changed_audited_and_hold_at_once(app, browser):
    assert "Settings" in browser.get("/admin/settings").get_data(as_text=True)
    browser.post("/admin/settings", {"CURRENCY": "CHF", "REQUIRE_PROJECT": "1"})

    assert "Saved" in browser.text
    with app.extensions["database"].reading() as session:
        line = session.scalar(select(AuditLog).order_by(AuditLog.id.desc()))
    assert line.changes == {"CURRENCY": ["EUR", "CHF"], "REQUIRE_PROJECT": [False, True]}
    browser.post("/timer/start", {"key": "k"})
    app.extensions["clock"].forward(minutes=1)
    browser.post("/timer/stop")
    assert "something is missing" in browser.text
    browser.post("/admin/settings", {"CURRENCY": "CHF", "REQUIRE_PROJECT": "1"})
    assert "Nothing was changed" in browser.text


def test_one_wrong_field_loses_none_of_the_others(browser):
    form = {"CURRENCY": "EURO", "LONG_TIMER_HOURS": "11", "REQUIRE_TASK": "1"}
    answer = browser.post("/admin/settings", form)

    assert answer.status_code == 422
    assert "ISO 4217" in browser.text
    assert 'value="11"' in browser.text
    assert re.search(r"checked id=\"f-REQUIRE_TASK\"", browser.text)


def test_what_the_environment_has_set_is_shown_as_fixed(app, browser):
    app.config["SET_IN_ENVIRONMENT"] = frozenset({"CURRENCY", "LOCK_BEFORE"})
    page = browser.get("/admin/settings").get_data(as_text=True)

    assert "Set by the environment: CURRENCY" in page
    browser.post("/admin/settings", {"CURRENCY": "CHF"})
    with app.extensions["database"].reading() as session:
        assert session.get(Setting, "CURRENCY") is None
    assert "Set by the environment: LOCK_BEFORE" in browser.get("/admin/lock").text
    assert browser.post("/admin/lock", {"kind": "month"}).status_code == 409


def test_secrets_of_the_environment_are_not_shown(app, browser):
    app.config["MAIL_PASSWORD"] = "swordfish-7"
    page = browser.get("/admin/settings").get_data(as_text=True)

    assert "kept secret" in page
    assert "swordfish-7" not in page
    assert app.config["SECRET_KEY"] not in page


def test_the_books_are_closed_and_an_entry_in_them_is_refused(app, browser):
    browser.post("/admin/lock", {"kind": "date", "date": "2025-10-19"})
    assert "Sunday 19 October 2025" in browser.text

    entry = {"day": "2025-10-18", "duration": "1:00", "kind": "duration", "key": "k"}
    assert browser.post("/entries/new", entry).status_code == 409
    assert "closed to 19 Oct 2025" in browser.text
    browser.post("/admin/lock", {"kind": "none"})
    assert "Nothing is locked" in browser.text
    with app.extensions["database"].reading() as session:
        lines = session.scalars(
            select(AuditLog).where(AuditLog.action == "lock_date.changed")
        ).all()
    assert [line.changes["LOCK_BEFORE"] for line in lines] == [
        ["", "2025-10-19"],
        ["2025-10-19", ""],
    ]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        pytest.param({"kind": "date", "date": "2025-10-20"}, "not over yet", id="today"),
        pytest.param({"kind": "date", "date": "-30d"}, "is no day", id="no day"),
        pytest.param({"kind": "date", "date": ""}, "is no day", id="no day at all"),
        pytest.param({"kind": "days", "days": "0"}, "1 to 3650", id="no days"),
        pytest.param({"kind": "days", "days": "x"}, "no whole number", id="no number"),
        pytest.param({"kind": "for ever"}, "no way to lock", id="no such way"),
    ],
)
def test_a_lock_that_cannot_be_is_said_beside_the_form(browser, form, said):
    assert browser.post("/admin/lock", form).status_code == 422
    assert said in browser.text


@pytest.mark.parametrize(
    ("form", "kept"),
    [
        pytest.param({"kind": "days", "days": "30"}, "-30d", id="so many days"),
        pytest.param({"kind": "month"}, "last-month", id="last month"),
    ],
)
def test_a_lock_may_move_with_the_calendar(app, browser, form, kept):
    browser.post("/admin/lock", form)

    with app.extensions["database"].reading() as session:
        assert session.get(Setting, "LOCK_BEFORE").value == kept
    assert "checked" in browser.get("/admin/lock").text
