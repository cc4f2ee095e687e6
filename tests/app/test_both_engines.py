"""The same on SQLite and on PostgreSQL: schema, constraints, rules, and the site."""

import shutil
import threading
from datetime import timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from app import audit, create_app, jobs
from app.audit import Actor, Asked, record
from app.config import Config
from app.errors import Conflict
from app.jobs import take_lease
from app.models import Base, Database
from app.models.entries import TimeEntry
from app.models.people import User
from app.models.saved import Setting
from app.models.schema import current, migrate, newest
from app.people import accounts, directory, sessions
from app.people.directory import Wanted
from app.settings import Settings
from app.tracking import forgotten, timers, trash, undo

from .conftest import MONDAY, PASSWORD, Browser
from .postgres import cluster, laid_postgres

__all__ = ["cluster", "laid_postgres"]  # fixtures of this module, too

pytestmark = pytest.mark.slow

ABOUT = timers.About(description="Design ✎")
HOUR = timedelta(hours=1)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """The address of a migrated database of a test's own."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("empty_file"), tmp_path / "timetracker.db")
        return f"sqlite:///{tmp_path}/timetracker.db"
    server = request.getfixturevalue("cluster")
    return server.create(request.getfixturevalue("laid_postgres"))


@pytest.fixture
def database(url):
    opened = Database(url)
    yield opened
    opened.close()


@pytest.fixture
def admin(make_user):
    return make_user("root", "admin")


def test_migrations_make_exactly_the_tables_of_the_models(cluster):
    database = Database(cluster.create())
    assert (migrate(database), migrate(database)) == (True, False)
    assert current(database) == newest()
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    database.close()


def test_the_database_itself_keeps_a_person_to_one_running_timer(database, session, ann):
    for _ in range(2):
        session.add(
            TimeEntry(user=ann, kind="timed", started_at=MONDAY, timezone="UTC",
                      local_date=MONDAY.date())
        )  # fmt: skip
    with pytest.raises(IntegrityError):
        session.flush()


def test_a_timer_starts_pauses_stops_and_is_taken_back(session, ann, settings):
    started = timers.start(session, ann, ABOUT, MONDAY, settings=settings)
    timers.pause(session, ann, MONDAY + HOUR)
    timers.resume(session, ann, MONDAY + 2 * HOUR)
    stopped = timers.stop(session, ann, MONDAY + 3 * HOUR, settings=settings)
    assert stopped.entry.seconds == 7200
    undo.take_back(session, ann, stopped.step.id, MONDAY + 3 * HOUR)
    assert started.entry.is_running
    timers.discard(session, ann, MONDAY + 4 * HOUR)
    session.commit()
    assert trash.empty_trash(session, MONDAY + timedelta(days=40), days=30) == 1


def test_many_requests_at_once_leave_one_timer(database, session, ann, settings):
    session.commit()

    def start(n):
        with database.writing() as own:
            person = own.get_one(User, ann.id)
            timers.start(
                own, person, ABOUT, MONDAY + timedelta(seconds=n), settings=settings
            )

    several = [threading.Thread(target=start, args=(n,)) for n in range(8)]
    for one in several:
        one.start()
    for one in several:
        one.join()
    with database.reading() as own:
        running = select(func.count(TimeEntry.id)).where(TimeEntry.is_running_now())
        assert own.scalar(running) == 1


def test_two_administrators_cannot_both_go_at_once(database, session, make_user):
    both = [make_user("ann", "admin").id, make_user("bob", "admin").id]
    session.commit()
    refused = []

    def demote(number):
        try:
            with database.writing() as own:
                accounts.change_role(own, own.get_one(User, number), "user")
        except Conflict as error:
            refused.append(error)

    several = [threading.Thread(target=demote, args=(number,)) for number in both]
    for one in several:
        one.start()
    for one in several:
        one.join()
    with database.reading() as own:
        admins = select(func.count(User.id)).where(User.role == "admin")
        assert (own.scalar(admins), len(refused)) == (1, 1)


def test_idle_time_and_limits_do_the_same(session, ann, settings):
    entry = timers.start(session, ann, ABOUT, MONDAY, settings=settings).entry
    away = forgotten.Idle(entry_id=entry.id, began=MONDAY + HOUR, ended=MONDAY + 2 * HOUR)
    now = MONDAY + 3 * HOUR
    step = forgotten.answer(session, ann, away, "split_off", now, settings=settings)
    undo.take_back(session, ann, step.id, now)
    rules = Settings(max_timer_hours=2)

    assert [e.seconds for e in forgotten.stop_overdue(session, now, rules)] == [7200]


def test_accounts_are_found_anonymised_and_removed(session, admin, make_user, settings):
    bob = make_user("bob", display_name="Bob Öst", email="B@example.org")
    cy = make_user("cy")
    record(session, Actor(user_id=bob.id, ip="10.0.0.1"), "x.y", MONDAY)
    timers.start(session, bob, ABOUT, MONDAY, settings=settings)
    timers.stop(session, bob, MONDAY + HOUR, settings=settings)
    assert directory.listed(session, Wanted(text="öst"))[1] == 1
    assert directory.listed(session, Wanted(text="b@EXAMPLE"))[1] == 1
    directory.anonymise(session, bob, MONDAY)
    directory.remove(session, cy)
    session.commit()

    assert {user.display_name for user in session.scalars(select(User))} == {
        "root", f"Former user {bob.id}",
    }  # fmt: skip
    assert [line.ip for line in audit.read(session, Asked(actor_id=bob.id))] == [None]


def test_settings_links_leases_and_the_trail_do_the_same(session, admin):
    session.add(Setting(key="MAX_TIMER_HOURS", value=10))
    token = accounts.make_link(session, admin, "password", MONDAY)
    session.flush()
    assert accounts.open_link(session, token, "password", MONDAY).user_id == admin.id
    sessions.note_failure(session, "root", "10.0.0.1", MONDAY)
    limits = sessions.Limits(account=(1, 900))
    assert sessions.waiting(session, ["root"], MONDAY, limits=limits) == {"root"}
    taken = [take_lease(session, "job", who, MONDAY, every=HOUR) for who in "ab"]
    assert taken == [True, False]
    record(session, Actor(user_id=None), "user.role", MONDAY, changes={"role": ("a", "b")})
    session.flush()
    assert audit.subjects(session) == ["user"]
    assert audit.purge(session, MONDAY + timedelta(days=9), days=3) == 1
    assert session.get(Setting, "MAX_TIMER_HOURS").value == 10


def test_every_page_of_the_site_works_on_postgresql(
    cluster, laid_postgres, tmp_path, clock, compiled
):
    url = cluster.create(laid_postgres)
    database = Database(url)
    with database.writing() as session:
        new = accounts.NewUser(username="ann", role="admin", password=PASSWORD)
        accounts.make(session, new, Settings(timezone="Europe/Berlin"))
    database.close()
    app = create_app(Config(DATA_DIR=tmp_path, DATABASE_URL=url, APP_ENV="testing"))
    app.extensions["clock"] = clock
    app.jinja_env.bytecode_cache = compiled
    browser = Browser(app.test_client())
    browser.sign_in()
    browser.post("/projects/new", {"name": "Hedgerow", "billable": "1"})
    browser.post("/timer/start", {"project_id": "1", "description": "Design", "key": "k"})
    clock.forward(minutes=65)
    browser.post("/timer/stop")
    browser.post("/admin/settings", {"CURRENCY": "CHF"})
    addresses = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if "GET" in rule.methods and not rule.arguments and rule.endpoint != "static"
    ]
    failed = {
        path: status
        for path in addresses
        if (status := browser.get(path).status_code) >= 500
    }

    assert len(addresses) > 30
    assert failed == {}
    assert "1:05" in browser.get("/projects").get_data(as_text=True)
    with app.app_context():
        jobs.tidy(app, clock.now + timedelta(days=60))
    app.extensions["reporter"].close()
    app.extensions["database"].close()
