"""Everything about me, as one file: complete, mine alone, and without secrets."""

import json

from sqlalchemy import inspect

from app.models import Base
from app.models.people import User
from app.people import accounts, own_data
from app.settings import Settings
from app.tracking import timers

from .conftest import MONDAY, PASSWORD, Browser

NOT_MINE = {
    ("users", "default_project_id"),
    ("one_time_links", "user_id"),  # secrets that end within a day
    ("idempotency_keys", "user_id"),  # keys of forms, for a day
    ("undo_steps", "user_id"),  # copies of entries, for an hour
    ("time_entries", "user_id"),  # a section of its own
    ("time_entries", "created_by_id"),  # the time of others
}
"""Columns that point to a user and are left out, or written otherwise, on purpose."""


def test_no_table_about_a_person_is_forgotten():
    owners = {(c.class_.__tablename__, c.key) for c in own_data.OWN.values()}
    pointing = {
        (table.name, column.name)
        for table in Base.metadata.tables.values()
        for column in table.columns
        if any(key.column.table.name == "users" for key in column.foreign_keys)
    }

    assert pointing - NOT_MINE == owners


def read(app, who="ann"):
    browser = Browser(app.test_client())
    browser.sign_in(who)
    answer = browser.get("/profile/my-data.json")
    return json.loads(answer.get_data(as_text=True)), answer


def test_the_file_has_all_that_is_mine_and_nothing_of_others(app, browser, clock):
    with app.extensions["database"].writing() as session:
        new = accounts.NewUser(username="bob", password=PASSWORD)
        bob = accounts.make(session, new, Settings())
        about = timers.About(description="Bob's secret")
        timers.start(session, bob, about, MONDAY, settings=Settings())
    browser.post("/projects/new", {"name": "Hedgerow"})
    browser.post("/timer/start", {"project_id": "1", "description": "Grüße ✎", "key": "k"})
    clock.forward(minutes=20)
    browser.post("/timer/pause")
    clock.forward(minutes=5)
    browser.post("/timer/resume")
    clock.forward(minutes=5)
    browser.post("/timer/stop")
    app.config["ENABLE_EXPORTS"] = False
    found, answer = read(app)

    assert found["account"]["username"] == "ann"
    entry = found["entries"][0]
    assert (entry["description"], entry["project"], entry["seconds"]) == (
        "Grüße ✎", "Hedgerow", 1500,
    )  # fmt: skip
    assert len(entry["breaks"]) == 1
    assert len(found["sessions"]) == 2
    assert found["audit_about_me"]
    text = json.dumps(found)
    assert "secret" not in text
    assert "argon2" not in text
    assert "timetracker-ann-2025-10-20.json" in answer.headers["Content-Disposition"]


def test_thousands_of_entries_are_all_in_it(app, monkeypatch):
    monkeypatch.setattr(own_data, "BATCH", 7)
    with app.extensions["database"].writing() as session:
        ann = accounts.by_name(session, "ann")
        for n in range(20):
            now = MONDAY.replace(minute=n)
            about = timers.About(description=f"{n}")
            timers.start(session, ann, about, now, settings=Settings())
            timers.discard(session, ann, now.replace(second=30))

    assert len(read(app)[0]["entries"]) == 20, "those in the trash, too"


def test_a_read_only_installation_gives_it_too(app):
    app.config["READ_ONLY"] = True

    assert read(app)[0]["account"]["role"] == "admin"


def test_every_column_of_the_account_is_in_it_but_secrets(app):
    columns = {column.key for column in inspect(User).column_attrs}

    assert columns - set(read(app)[0]["account"]) == {"password_hash", "username_key"}
