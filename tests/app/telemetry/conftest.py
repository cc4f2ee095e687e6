"""A small application that reports, and a server on loopback that keeps what it is sent."""

import json
import secrets
import shutil
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from flask import Flask

from app.config import Config
from app.models import Database
from app.models.people import User
from app.models.schema import migrate
from app.telemetry import consent
from app.telemetry.gate import DROPPED
from app.telemetry.reporter import install
from app.telemetry.send import track_event

NOW = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)


class Recorder:
    """A server that answers as told and keeps every body sent to its own address.

    A client of an earlier test may still send to a port that has a new owner: what does not
    name this server is answered 404 and not kept.
    """

    def __init__(self):
        self.bodies, self.paths, self.status, self.headers = [], [], 200, {}
        self.answer = {"status": 1}
        recorder, own = self, f"/{secrets.token_hex(8)}"

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if not self.path.startswith(f"{own}/"):
                    self.send_error(404)
                    return
                recorder.paths.append(self.path.removeprefix(own))
                recorder.bodies.append(json.loads(body or "{}"))
                self.send_response(recorder.status)
                for name, value in recorder.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(json.dumps(recorder.answer).encode())

            def do_GET(self):
                self.do_POST()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}{own}"
        threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        ).start()

    @property
    def events(self):
        return [event for body in self.bodies for event in body["batch"]]

    def named(self, name):
        return [event for event in self.events if event["event"] == name]

    @property
    def text(self):
        return json.dumps(self.bodies)

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def sink():
    recorder = Recorder()
    yield recorder
    recorder.close()


@pytest.fixture
def makers():
    recorder = Recorder()
    yield recorder
    recorder.close()


@pytest.fixture(scope="session")
def laid(tmp_path_factory):
    path = tmp_path_factory.mktemp("laid") / "time.db"
    database = Database(f"sqlite:///{path}")
    migrate(database)
    database.close()
    return path


@pytest.fixture
def database(laid, tmp_path):
    shutil.copy(laid, tmp_path / "time.db")
    database = Database(f"sqlite:///{tmp_path}/time.db")
    with database.writing() as session:
        session.add(
            User(
                username="ann",
                display_name="Ann",
                role="admin",
                auth_method="oidc",
                signup_method="local",
                first_login_at=datetime(2025, 1, 1, 12, tzinfo=UTC),
                last_login_at=datetime(2025, 10, 20, 10, 30, tzinfo=UTC),
            )
        )
    yield database
    database.close()


@pytest.fixture
def ann(database):
    with database.reading() as session:
        return session.get_one(User, 1)


@pytest.fixture
def app(database, tmp_path, sink):
    app = Flask(__name__)
    app.config.from_mapping(Config(DATA_DIR=tmp_path / "data").mapping())
    app.config.update(ANALYTICS_HOST=sink.url, ANALYTICS_KEY="phc_analytics")

    @app.post("/projects/<int:project>/timers", endpoint="timers.start")
    def start(project):
        track_event(1, "timer.started", {"has_project": project > 0, "origin": "header"})
        return ""

    return app


@pytest.fixture
def reporter(app, database):
    reporter = install(app, database)
    yield reporter
    reporter.close()


@pytest.fixture
def say(reporter):
    """Answer the consent question."""

    def answer(layer):
        with reporter.database.writing() as session:
            consent.choose(session, layer, reason="admin", at=NOW, user_id=1)
        reporter.forget_answers()

    return answer


@pytest.fixture
def mistakes():
    """What the gate dropped because the catalogue does not know it."""
    DROPPED.clear()
    yield DROPPED
    DROPPED.clear()


@pytest.fixture(autouse=True)
def _nothing_beside_the_catalogue(request):
    before = dict(DROPPED)
    yield
    if "mistakes" not in request.fixturenames:
        assert before == dict(DROPPED)
