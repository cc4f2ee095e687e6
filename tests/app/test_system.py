"""Administration, System: health, disk, jobs, backups, and whom this program may call."""

import sqlite3

import pytest

from app import upkeep
from app.config import VERSION
from app.jobs import JOBS, Scheduler
from app.models.records import AuditLog
from app.models.saved import Setting
from app.people import accounts, oidc
from app.views import setup

OIDC = {"AUTH_METHOD": "both", "OIDC_ISSUER": "https://id.example", "OIDC_CLIENT_ID": "x"}


def test_the_page_says_how_the_installation_is(app, browser):
    page = browser.get("/admin/system").get_data(as_text=True)

    assert VERSION in page
    assert "SQLite" in page
    assert "Time zone data" in page
    assert page.count("badge good") == 3, "three checks, all well"
    assert "none in the data folder yet" in page
    assert page.count("not configured") == 5, "nothing is called"


def test_jobs_are_shown_with_their_last_run(app, browser, clock):
    before = browser.get("/admin/system").get_data(as_text=True)
    tidy = tuple(job for job in JOBS if job.name == "tidy")
    Scheduler(app, app.extensions["database"], tidy).round(clock.now)
    after = browser.get("/admin/system").get_data(as_text=True)

    assert "20 Oct 2025, 10:00" not in before
    assert "20 Oct 2025, 10:00" in after


def test_a_newer_version_is_shown_where_somebody_asked(app, browser):
    with app.extensions["database"].writing() as session:
        session.add(Setting(key="newest_version", value="9.9.9"))
    assert "Version 9.9.9 is out" in browser.get("/admin/system").text
    with app.extensions["database"].writing() as session:
        session.get(Setting, "newest_version").value = VERSION
    assert "is out" not in browser.get("/admin/system").text


def test_a_backup_is_made_while_everybody_works_on(app, browser, tmp_path):
    browser.post("/admin/system/backup")
    made = next((tmp_path / "backups").glob("manual-*.db"))

    assert made.name in browser.text
    with sqlite3.connect(made) as opened:
        assert opened.execute("SELECT username FROM users").fetchall() == [("ann",)]
    opened.close()
    with app.extensions["database"].reading() as session:
        actions = [line.action for line in session.query(AuditLog)]
    assert "backup.created" in actions


def test_every_address_that_may_be_called_is_shown_with_its_switch(app, browser):
    app.config |= {
        **OIDC,
        "MAIL_HOST": "mail.example",
        "UPDATE_CHECK_URL": "https://new.example",
        "ANALYTICS_HOST": "https://sink.example",
        "ANALYTICS_KEY": "phc_x",
        "ENABLE_EMAIL": False,
    }
    page = browser.get("/admin/system").get_data(as_text=True)

    for host in ("id.example", "mail.example", "new.example", "sink.example"):
        assert host in page
    assert "not configured" not in page
    assert "Test sign-in" in page
    assert "Send me a test" not in page, "mail is switched off"


@pytest.mark.parametrize(
    ("changed", "locked_out"),
    [
        pytest.param({"AUTH_METHOD": "local"}, False, id="no provider"),
        pytest.param(OIDC, False, id="a provider, and passwords"),
        pytest.param(OIDC | {"AUTH_METHOD": "oidc"}, True, id="the provider only"),
        pytest.param(OIDC | {"ENABLE_LOCAL_LOGIN": False}, True, id="passwords off"),
        pytest.param(
            OIDC | {"AUTH_METHOD": "oidc", "OIDC_KEEP_ADMINS": ("ann",)}, False,
            id="the provider, and somebody for the worst",
        ),
        pytest.param(
            OIDC | {"AUTH_METHOD": "oidc", "OIDC_KEEP_ADMINS": ("bob",)}, True,
            id="somebody who is none",
        ),
    ],
)  # fmt: skip
def test_an_installation_without_a_way_in_says_so(app, caplog, changed, locked_out):
    app.config |= changed
    with app.extensions["database"].reading() as session:
        assert oidc.locks_out_admins(session, app.config) is locked_out
    setup.warn(app)

    assert ("OIDC_KEEP_ADMINS" in caplog.text) is locked_out


def test_an_administrator_without_a_password_is_no_way_in(app, browser):
    app.config |= OIDC
    with app.extensions["database"].writing() as session:
        accounts.by_name(session, "ann").password_hash = None

    assert "No administrator could sign in" in browser.get("/admin/system").text


def test_an_installation_that_nobody_set_up_yet_has_no_problem(database):
    assert list(upkeep.check(database)) == []
