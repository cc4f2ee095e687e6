"""TimeTracker in tests: a migrated database copied for each test, a clock that stands still."""

import re
import shutil
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher
from jinja2 import FileSystemBytecodeCache

from app import create_app
from app.config import Config
from app.models import Database
from app.models.people import User
from app.models.schema import migrate
from app.people import accounts
from app.settings import Settings

MONDAY = datetime(2025, 10, 20, 8, 0, tzinfo=UTC)
"""10:00 in Berlin."""

PASSWORD = "correct horse battery"


class Clock:
    """Stands still until told."""

    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now

    def forward(self, **length):
        self.now += timedelta(**length)
        return self.now


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


@pytest.fixture
def database(empty_file, tmp_path):
    shutil.copy(empty_file, tmp_path / "timetracker.db")
    opened = Database(f"sqlite:///{tmp_path}/timetracker.db")
    yield opened
    opened.close()


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


@pytest.fixture
def app(database, tmp_path, clock, compiled):
    """The whole application, with an administrator ann and nothing to report to."""
    with database.writing() as session:
        new = accounts.NewUser(
            username="ann", role="admin", password=PASSWORD, timezone="Europe/Berlin"
        )
        accounts.make(session, new, Settings())
    made = create_app(Config(DATA_DIR=tmp_path, APP_ENV="testing"))
    made.testing = False
    made.jinja_env.bytecode_cache = compiled
    made.extensions["clock"] = clock
    yield made
    made.extensions["database"].close()


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
            self.get("/login")
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

    def sign_in(self, name="ann", password=PASSWORD, *, to=""):
        self.get("/login")
        form = {"username": name, "password": password, "next": to}
        return self.post("/login", form)


@pytest.fixture
def visitor(app):
    return Browser(app.test_client())


@pytest.fixture
def browser(app):
    person = Browser(app.test_client())
    person.sign_in(to="/profile/more")  # the page that costs least
    return person


@pytest.fixture
def ann_in(app):
    """Ann as the application has her."""

    def read():
        with app.extensions["database"].reading() as opened:
            return opened.query(User).filter_by(username="ann").one()

    return read()
