"""TimeTracker in tests: a migrated database copied for each test, a clock that stands still."""

import re
import shutil
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import event, make_url

from app import create_app, furnish
from app.config import Config
from app.models import Database
from app.models.people import User
from app.models.schema import migrate
from app.people import accounts
from app.settings import Settings

MONDAY = datetime(2025, 10, 20, 8, 0, tzinfo=UTC)
"""10:00 in Berlin."""

PASSWORD = "correct horse battery"

CHEAPEST = "/profile/more"
"""The page that costs least, for somebody who needs its token only."""


class Clock:
    """Stands still until told."""

    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now

    def forward(self, **length):
        self.now += timedelta(**length)
        return self.now


class Moving(Database):
    """A database whose file is another one for each test."""

    def __init__(self, path):
        super().__init__(f"sqlite:///{path}")
        event.listen(self.engine, "do_connect", self._connect)

    def _connect(self, _dialect, _record, positional, _named):
        positional[0] = self.url.database

    def to(self, path):
        self.close()
        self.url = make_url(f"sqlite:///{path}")


class Stage:
    """One application, furnished as each test wants it: its routes are built once."""

    def __init__(self, app):
        self.app, self.is_used = app, False
        self.config, self.extensions = dict(app.config), dict(app.extensions)

    def furnished(self, config, database):
        assert not self.is_used, "a test has one application; make the second by create_app"
        self.is_used = True
        furnish(self.app, config, database)
        return self.app

    def clear(self):
        if self.is_used:
            close(self.app)
        for live, first in (
            (self.app.config, self.config),
            (self.app.extensions, self.extensions),
        ):
            live.clear()
            live.update(first)
        self.is_used = False


def close(app):
    """End what an application has running."""
    app.extensions["reporter"].close()
    app.extensions["database"].close()


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("template") / "time.db"
    database = Database(f"sqlite:///{path}")
    migrate(database)
    database.close()
    return path


@pytest.fixture(autouse=True, scope="session")
def cheap_passwords():
    before = accounts._hasher
    accounts._hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    yield
    accounts._hasher = before


@pytest.fixture(scope="session")
def moving(tmp_path_factory):
    """One database for the tests in turn, so that no SQL is compiled for each anew."""
    return Moving(tmp_path_factory.mktemp("moving") / "timetracker.db")


@pytest.fixture
def database(moving, empty_file, tmp_path):
    shutil.copy(empty_file, tmp_path / "timetracker.db")
    moving.to(tmp_path / "timetracker.db")
    yield moving
    moving.close()


@pytest.fixture
def session(database):
    with database.session(writes=True) as opened:
        yield opened


@pytest.fixture
def settings():
    return Settings(timezone="Europe/Berlin")


@pytest.fixture
def make_user(session, settings):
    def make(name="ann", role="user", **fields):
        user = accounts.make(session, accounts.NewUser(username=name, role=role), settings)
        for key, value in fields.items():
            setattr(user, key, value)
        session.flush()
        return user

    return make


@pytest.fixture
def ann(make_user):
    return make_user("ann")


@pytest.fixture
def clock():
    return Clock(MONDAY)


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """Templates translated to Python once for all applications of the run."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("compiled")))


@pytest.fixture(scope="session")
def stage(tmp_path_factory, compiled):
    """The application that tests furnish in turn."""
    folder = tmp_path_factory.mktemp("stage")
    made = create_app(Config(DATA_DIR=folder, APP_ENV="testing"))
    made.jinja_env.bytecode_cache = compiled
    close(made)
    return Stage(made)


@pytest.fixture
def furnished(stage, moving):
    """Give the application with a configuration; at the end all it had is taken away."""
    yield lambda config: stage.furnished(config, moving)
    stage.clear()


@pytest.fixture
def app(database, tmp_path, clock, furnished):
    """The whole application, with an administrator ann and nothing to report to."""
    with database.writing() as session:
        new = accounts.NewUser(
            username="ann", role="admin", password=PASSWORD, timezone="Europe/Berlin"
        )
        accounts.make(session, new, Settings())
    made = furnished(Config(DATA_DIR=tmp_path, APP_ENV="testing"))
    made.extensions["clock"] = clock
    return made


class Browser:
    """A person at a browser: forms carry their token, redirects are followed."""

    def __init__(self, client):
        self.client = client
        self.page = None

    def get(self, path, **options):
        self.page = self.client.get(path, follow_redirects=True, **options)
        return self.page

    @property
    def text(self):
        return self.page.get_data(as_text=True)

    def token(self):
        found = re.search(r'name="csrf-token" content="(\w+)"', self.text)
        if found is None:
            self.get("/login", query_string={"next": CHEAPEST})
            found = re.search(r'name="csrf-token" content="(\w+)"', self.text)
        return found[1]

    def post(self, path, data=None, *, htmx=False, follow=True):
        headers = {"HX-Request": "true"} if htmx else {}
        form = {"csrf_token": self.token(), **(data or {})}
        answer = self.client.post(
            path, data=form, headers=headers, follow_redirects=follow and not htmx
        )
        if not htmx:
            self.page = answer
        return answer

    def sign_in(self, name="ann", password=PASSWORD, *, to="", follow=True):
        self.get("/login")
        form = {"username": name, "password": password, "next": to}
        return self.post("/login", form, follow=follow)


@pytest.fixture
def visitor(app):
    return Browser(app.test_client())


@pytest.fixture
def browser(app):
    person = Browser(app.test_client())
    person.sign_in(follow=False)
    return person


@pytest.fixture
def ann_in(app):
    """Ann as the application has her."""

    def read():
        with app.extensions["database"].reading() as opened:
            return opened.query(User).filter_by(username="ann").one()

    return read()
