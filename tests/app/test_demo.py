"""Sample data: what is in them, when they begin anew, and what they never replace."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from app import demo, upkeep
from app.cli import main
from app.errors import Conflict
from app.jobs import JOBS, Scheduler
from app.models.entries import Pin, TimeEntry
from app.models.people import User
from app.models.work import Client, Project, Tag, Task

from .conftest import MONDAY, Browser

FRIDAY_EVENING = datetime(2025, 10, 24, 19, 0, tzinfo=UTC)


def counted(database, table):
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(table))


@pytest.fixture
def short(monkeypatch):
    """A demo of a few days: what a test does not count need not be made."""
    monkeypatch.setattr(demo, "DAYS", 4)


def test_three_months_hold_together_and_nobody_is_in_two_places_at_once(database):
    with database.writing() as session:
        demo.fill(session, FRIDAY_EVENING)

    assert list(upkeep.check(database)) == []
    assert counted(database, User) == len(demo.PEOPLE)
    assert counted(database, TimeEntry) > 500
    assert [counted(database, t) for t in (Client, Project, Tag, Pin)] == [3, 5, 4, 3]
    with database.reading() as session:
        latest, first = session.execute(
            select(func.max(TimeEntry.ended_at), func.min(TimeEntry.started_at))
        ).one()
        assert latest <= FRIDAY_EVENING
        assert first >= FRIDAY_EVENING - timedelta(days=demo.DAYS + 1)
        spread = session.scalars(select(Task.project_id).distinct()).all()
        assert len(spread) == len(demo.WORKS)
    with database.reading() as session:
        order = (TimeEntry.user_id, TimeEntry.started_at)
        found = session.execute(
            select(TimeEntry.user_id, TimeEntry.started_at, TimeEntry.ended_at).order_by(
                *order
            )
        ).all()

    assert all(
        a.user_id != b.user_id or a.ended_at <= b.started_at for a, b in pairwise(found)
    )


@pytest.mark.usefixtures("short")
def test_a_demo_begins_anew_at_night_and_only_then(app, monkeypatch):
    monkeypatch.setitem(app.config, "DEMO_MODE", value=True)
    database = app.extensions["database"]
    with database.writing() as session:
        session.query(User).delete()
        demo.fill(session, MONDAY)
        session.add(Tag(name="Somebody was here"))
    job = Scheduler(app, database, tuple(one for one in JOBS if one.name == "demo"))
    job.round(MONDAY + timedelta(hours=10))
    assert counted(database, Tag) == len(demo.TAGS) + 1

    job.round(MONDAY + timedelta(hours=20))

    assert counted(database, Tag) == len(demo.TAGS)
    assert list(upkeep.check(database)) == []


def test_a_database_of_somebody_is_never_replaced(app, monkeypatch):
    database = app.extensions["database"]
    with pytest.raises(Conflict, match="DEMO_MODE would replace"):
        demo.prepare(database, MONDAY, is_demo=True)
    with database.writing() as session, pytest.raises(Conflict, match="no sample data"):
        demo.begin_anew(session, MONDAY)
    monkeypatch.setitem(app.config, "DEMO_MODE", value=True)
    jobs = tuple(one for one in JOBS if one.name == "demo")
    Scheduler(app, database, jobs).round(MONDAY + timedelta(days=2))

    assert counted(database, User) == 1


@pytest.mark.parametrize("on", [True, False])
@pytest.mark.usefixtures("short")
def test_demo_mode_fills_an_empty_database_at_start(database, on):
    demo.prepare(database, MONDAY, is_demo=on)
    demo.prepare(database, MONDAY, is_demo=on)

    assert counted(database, User) == (len(demo.PEOPLE) if on else 0)


@pytest.mark.parametrize("on", [True, False])
def test_names_and_password_are_shown_in_a_demo_only(app, visitor, monkeypatch, on):
    monkeypatch.setitem(app.config, "DEMO_MODE", value=on)

    assert (demo.PASSWORD in visitor.get("/login").text) == on


@pytest.mark.parametrize("on", [True, False])
def test_every_page_says_that_it_is_a_demo(app, browser, monkeypatch, on):
    monkeypatch.setitem(app.config, "DEMO_MODE", value=on)

    assert ("This is a demonstration" in browser.get("/profile/more").text) == on


@pytest.mark.usefixtures("short")
def test_anybody_of_the_demo_signs_in(app):
    database = app.extensions["database"]
    with database.writing() as session:
        session.query(User).delete()
        demo.fill(session, MONDAY)
    for name, shown, _, _ in demo.PEOPLE:
        person = Browser(app.test_client())
        person.sign_in(name, demo.PASSWORD)
        assert shown in person.text


@pytest.mark.usefixtures("short")
def test_the_command_fills_once_and_begins_anew_when_told(tmp_path, monkeypatch):
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "try"))
    run = CliRunner()
    first, again = run.invoke(main, ["demo"]), run.invoke(main, ["demo"])
    reset = run.invoke(main, ["demo", "--reset"])

    assert (first.exit_code, again.exit_code, reset.exit_code) == (0, 1, 0)
    assert demo.PASSWORD in first.output
    assert "not empty" in again.output
