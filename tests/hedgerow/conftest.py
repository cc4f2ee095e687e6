"""Fixtures: metadata in a file of its own, and a whole house asked without a socket."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from starlette.testclient import TestClient

from hedgerow.api.questions import Questions
from hedgerow.meta.database import FILE, Metadata, open_metadata
from hedgerow.serve.house import House
from hedgerow.serve.running import application
from hedgerow.settings import Settings
from tests.hedgerow.people import Key, a_key

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    """A Monday noon."""
    return NOW


@pytest.fixture(scope="session")
def migrated(tmp_path_factory):
    """A metadata file with nothing in it but its tables."""
    folder = tmp_path_factory.mktemp("metadata")
    open_metadata(folder).close()
    return folder / FILE


@pytest.fixture
def metadata(migrated, tmp_path) -> Iterator[Metadata]:
    """Empty metadata of this test's own."""
    shutil.copyfile(migrated, tmp_path / FILE)
    opened = open_metadata(tmp_path)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def house(tmp_path_factory) -> Iterator[House]:
    """Everything on one data folder, running; tests make projects of their own in it."""
    folder = tmp_path_factory.mktemp("house") / "data"
    opened = House(Settings(data=str(folder), max_body_mib=1))
    opened.start()
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def client(house) -> Iterator[TestClient]:
    """Asks the house as a browser or a script would, without a socket."""
    questions = Questions(2, house.clock)
    with TestClient(application(house, questions), raise_server_exceptions=False) as asked:
        yield asked
    questions.close()


@pytest.fixture(scope="session")
def admin(house) -> Key:
    """The key of an administrator, for everything."""
    return a_key(house, "admin@example.org", is_admin=True)


@pytest.fixture
def api(client, admin):
    """A project of the test's own, asked with the administrator's key."""
    made = client.post("/api/projects", json={"name": "Test"}, headers=admin.header)
    return Project(client, admin, made.json())


class Project:
    """Calls below one project's address."""

    def __init__(self, client, key, made):
        self.client, self.key, self.made = client, key, made
        self.id, self.token = made["id"], made["api_token"]

    def call(self, method, path="", *, status=200, key=None, **more):
        """Return what ``path`` below the project answers, which must be ``status``."""
        header = (key or self.key).header
        address = f"/api/projects/{self.id}{path}"
        answer = self.client.request(method, address, headers=header, **more)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def get(self, path="", **more):
        return self.call("GET", path, **more)

    def post(self, path, body=None, *, status=201, **more):
        return self.call("POST", path, status=status, json=body, **more)

    def patch(self, path, body, **more):
        return self.call("PATCH", path, json=body, **more)

    def capture(self, *events):
        """Send events and wait until they can be asked for."""
        body = {"api_key": self.token, "batch": list(events)}
        assert self.client.post("/batch/", json=body).status_code == 200
        self.post("/ingestion/flush", {}, status=200)

    def refused(self, method, path, body=None, *, status=400, **more):
        """Return the error that a call is refused with."""
        return self.call(method, path, status=status, json=body, **more)
