"""One running TimeTracker for all tests of a file: two entries on 20 October, two people."""

import shutil
from contextlib import contextmanager

import pytest

from app import create_app
from app.config import Config
from app.models import Database
from app.models.records import AuditLog
from app.models.saved import ColumnSet, SavedFilter
from app.models.work import Client, Project, Rate, Task
from app.people import accounts
from app.settings import Settings

from .conftest import MONDAY, PASSWORD, Browser, Clock


class House:
    """The application, with ann who is an administrator, bob a user and eve a viewer."""

    def __init__(self, app):
        self.app, self.clock = app, Clock(MONDAY)
        app.extensions["clock"] = self.clock
        self.database = app.extensions["database"]
        self.ann, self.bob, self.eve = (self._join(name) for name in ("ann", "bob", "eve"))

    def _join(self, name):
        person = Browser(self.app.test_client())
        person.sign_in(name)
        return person

    def work(self):
        """Let 65 minutes pass on a billable project, then 30 on nothing."""
        for number, minutes in (("1", 65), ("", 30)):
            told = {"project_id": number, "description": "=1+1", "key": minutes}
            self.ann.post("/timer/start", told)
            self.clock.forward(minutes=minutes)
            self.ann.post("/timer/stop")

    @contextmanager
    def as_it_was(self):
        """Take back what a test changes: switches, the time, what was kept."""
        config, now = dict(self.app.config), self.clock.now
        yield self
        self.app.config.update(config)
        self.clock.now = now
        with self.database.writing() as session:
            for table in (ColumnSet, SavedFilter, AuditLog):
                session.query(table).delete()


def open_house(empty_file, folder, compiled):
    """Return a house with everything in it."""
    shutil.copy(empty_file, folder / "timetracker.db")
    database = Database(f"sqlite:///{folder}/timetracker.db")
    with database.writing() as session:
        for name, role in (("ann", "admin"), ("bob", "user"), ("eve", "viewer")):
            new = accounts.NewUser(
                username=name, role=role, password=PASSWORD, timezone="Europe/Berlin"
            )
            accounts.make(session, new, Settings())
        client = Client(name="=HYPERLINK()", currency="EUR")
        project = Project(name="Training", client=client, billable=True)
        session.add_all([client, project, Task(name="Talks", project=project)])
        session.flush()
        since = MONDAY.date().replace(month=1)
        session.add(Rate(scope="project", project_id=project.id, amount=9500,
                         currency="EUR", valid_from=since))  # fmt: skip
    database.close()
    app = create_app(Config(DATA_DIR=folder, APP_ENV="testing"))
    app.testing = False
    app.jinja_env.bytecode_cache = compiled
    house = House(app)
    house.work()
    return house


@pytest.fixture(scope="module")
def opened(empty_file, tmp_path_factory, compiled):
    """A house for a whole file of tests."""
    made = open_house(empty_file, tmp_path_factory.mktemp("house"), compiled)
    yield made
    made.database.close()


@pytest.fixture
def house(opened):
    """The house, as it was before the test when the test is over."""
    with opened.as_it_was():
        yield opened


@pytest.fixture
def app(house):
    return house.app


@pytest.fixture
def worked(house):
    """Ann, who has worked."""
    return house.ann


@pytest.fixture
def bob(house):
    return house.bob


@pytest.fixture
def clock(house):
    return house.clock
