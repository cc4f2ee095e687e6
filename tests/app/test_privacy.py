"""Privacy & analytics: an administrator reads, chooses, tests and forgets."""

import json
import re
from datetime import timedelta

import pytest

from app.config import Config
from app.jobs import JOBS, Scheduler
from app.models.people import User
from app.models.records import AuditLog, Consent, Installation
from app.telemetry import installation
from app.telemetry.reporter import EXTENSION
from tests.app.telemetry.conftest import Recorder

PASSWORD = "correct horse battery"


@pytest.fixture
def sink():
    recorder = Recorder()
    yield recorder
    recorder.close()


@pytest.fixture
def app(database, tmp_path, sink, furnished):
    config = Config(
        DATA_DIR=tmp_path,
        SETUP_TOKEN="code",
        ANALYTICS_HOST=sink.url,
        ANALYTICS_KEY="phc_x",
    )
    return furnished(config)


class Person:
    """Somebody at a browser."""

    def __init__(self, app):
        self.client, self.token = app.test_client(), ""

    def get(self, path):
        answer = self.client.get(path)
        found = re.search(r'csrf_token" value="([^"]+)"', answer.text)
        self.token = found[1] if found else self.token
        return answer

    def post(self, path, **fields):
        return self.client.post(path, data={"csrf_token": self.token, **fields})


@pytest.fixture
def ann(app):
    """The administrator, who said no at the first run."""
    person = Person(app)
    person.get("/setup?code=code")
    person.post(
        "/setup", code="code", username="ann", display_name="Ann", password=PASSWORD,
        password_again=PASSWORD, timezone="Europe/Berlin", currency="EUR", week_start="1",
        layer="off",
    )  # fmt: skip
    person.get("/admin/privacy")
    return person


@pytest.fixture
def read(app):
    def ask(model):
        with app.extensions["database"].reading() as session:
            return list(session.query(model).order_by(model.id))

    return ask


def seen(answer):
    text = re.sub(r"<[^>]+>", " ", answer.text)
    return re.sub(r"\s+", " ", text)


def test_an_administrator_reads_what_is_in_force_and_why(ann):
    page = seen(ann.get("/admin/privacy"))

    assert "Off is in force. Nothing leaves this house." in page
    assert "Chosen by Ann" in page


def test_with_no_server_configured_the_page_says_so(app, ann):
    app.config.update(ANALYTICS_HOST="", ANALYTICS_KEY="")

    assert "no server is configured" in seen(ann.get("/admin/privacy"))


@pytest.mark.parametrize(
    ("switch", "value"),
    [
        ("DO_NOT_TRACK", True),
        ("CONSOLE_DO_NOT_TRACK", True),
        ("ENABLE_TELEMETRY", False),
        ("READ_ONLY", True),
    ],
)
def test_the_page_names_the_switch_that_decides(app, ann, switch, value):
    app.config[switch] = value

    page = ann.get("/admin/privacy")

    assert f"Decided by {switch} in the environment." in seen(page)
    assert re.search(rf'in-force">\s*<span><code>{switch}</code>', page.text)


def test_choosing_counts_at_once_and_is_kept_and_audited(app, ann, read, sink):
    ann.post("/admin/privacy/consent", layer="detailed")
    page = seen(ann.get("/admin/privacy"))
    app.extensions[EXTENSION].flush()

    assert "Detailed is in force." in page
    assert [(row.layer, row.reason) for row in read(Consent)] == [
        ("off", "wizard"),
        ("detailed", "admin"),
    ]
    assert any(row.action == "consent.changed" for row in read(AuditLog))
    (toggled,) = sink.named("admin.telemetry_toggled")
    assert toggled["properties"]["old_layer"] == "off"
    assert toggled["properties"]["new_layer"] == "detailed"


def test_lowering_is_kept_here_and_not_told(app, ann, sink):
    ann.post("/admin/privacy/consent", layer="detailed")
    app.extensions[EXTENSION].flush()
    before = len(sink.named("admin.telemetry_toggled"))

    ann.post("/admin/privacy/consent", layer="base")
    app.extensions[EXTENSION].flush()

    assert len(sink.named("admin.telemetry_toggled")) == before


def test_an_unknown_layer_is_refused(ann, read):
    assert ann.post("/admin/privacy/consent", layer="everything").status_code == 422
    assert [row.layer for row in read(Consent)] == ["off"]


def test_the_preview_on_the_page_is_what_leaves(app, ann, sink):
    page = ann.get("/admin/privacy?preview=base").text
    shown = [
        json.loads(re.sub(r"&#34;", '"', text))
        for text in re.findall(r'<pre tabindex="0">(.*?)</pre>', page, re.DOTALL)
    ]
    ann.post("/admin/privacy/consent", layer="base")
    Scheduler(app, app.extensions["database"], JOBS).round(app.extensions["clock"]())

    def timeless(events):
        text = json.dumps([{**event, "timestamp": ""} for event in events], sort_keys=True)
        return re.sub(r"\d\d:\d\d:\d\d", "", text)

    assert timeless(shown) == timeless(sink.events)


def test_the_page_lists_every_event_with_its_properties(ann):
    page = ann.get("/admin/privacy").text

    for name in ("telemetry.health", "timer.started", "error.database", "$identify"):
        assert f"<code>{name}</code>" in page
    for name in ("users_band", "break_minutes", "$current_url"):
        assert f"<code>{name}</code>" in page


def test_the_log_shows_and_gives_the_exact_messages(app, ann, sink):
    ann.post("/admin/privacy/consent", layer="base")
    ann.post("/admin/privacy/test")

    page = ann.get("/admin/privacy")
    lines = ann.client.get("/admin/privacy/log.json").text.splitlines()

    assert "sent, " in seen(page)
    messages = [json.loads(line)["message"] for line in lines]
    assert messages == sink.events[::-1]


def test_the_log_can_be_narrowed_to_an_outcome(ann, sink):
    sink.status = 500
    ann.post("/admin/privacy/consent", layer="base")
    ann.post("/admin/privacy/test")

    assert "failed" in seen(ann.get("/admin/privacy?outcome=failed"))
    assert "No message had this outcome." in seen(ann.get("/admin/privacy?outcome=dry+run"))


def test_a_test_says_whether_it_was_taken(ann, sink):
    ann.post("/admin/privacy/consent", layer="base")

    ann.post("/admin/privacy/test")
    assert f"{sink.url} took the test." in ann.get("/admin/privacy").text

    sink.status = 401
    ann.post("/admin/privacy/test")
    assert "did not take the test" in ann.get("/admin/privacy").text


def test_a_test_without_consent_sends_nothing(ann, sink):
    ann.post("/admin/privacy/test")

    assert "Nothing may be sent" in ann.get("/admin/privacy").text
    assert sink.paths == []


def test_a_new_fingerprint_is_a_new_installation(app, ann, read):
    before = app.extensions[EXTENSION].fingerprint

    ann.post("/admin/privacy/fingerprint", answer="new")

    (row,) = read(Installation)
    assert installation.fingerprint(row) == app.extensions[EXTENSION].fingerprint != before
    assert row.install_sent_at is None


def test_a_copy_is_asked_about(app, ann):
    database, folder = app.extensions["database"], app.config["DATA_DIR"]
    (folder / installation.FILE).write_text(
        json.dumps({"uuid": "0" * 32, "salt": "1" * 64})
    )
    app.extensions[EXTENSION].start()
    assert "do not belong together" in seen(ann.get("/admin/privacy"))

    ann.post("/admin/privacy/fingerprint", answer="same")

    app.extensions[EXTENSION].start()
    with database.reading() as session:
        assert session.get_one(Installation, 1).copy_noticed_at is None
    assert "do not belong together" not in seen(ann.get("/admin/privacy"))


def test_a_hedgerow_is_asked_to_forget_with_proof(app, ann, sink):
    sink.answer = {"receipt": "r-1", "deleted_events": 42, "at": "2026-03-02T10:30:00Z"}

    ann.post("/admin/privacy/forget", sink="analytics")

    (body,) = sink.bodies
    assert sink.paths == ["/i/v0/forget"]
    assert body["distinct_id"] == app.extensions[EXTENSION].fingerprint
    assert "Deleted there: 42 events." in ann.get("/admin/privacy").text


def test_a_server_that_cannot_forget_is_named(ann, sink):
    sink.status = 404

    ann.post("/admin/privacy/forget", sink="telemetry")

    assert "Only a Hedgerow can be asked so" in ann.get("/admin/privacy").text


@pytest.mark.parametrize("role", ["manager", "user", "viewer"])
def test_nobody_but_an_administrator_gets_there(app, ann, role):
    with app.extensions["database"].writing() as session:
        session.get_one(User, 1).role = role

    assert ann.client.get("/admin/privacy").status_code == 403
    assert ann.client.get("/admin/privacy/log.json").status_code == 403
    for action in ("consent", "test", "fingerprint", "forget"):
        assert ann.post(f"/admin/privacy/{action}", layer="off").status_code == 403


@pytest.mark.parametrize(("switched_on", "counted"), [(True, 1), (False, 0)])
def test_page_loads_are_counted_only_if_switched_on(app, ann, sink, switched_on, counted):
    app.config["ANALYTICS_PAGEVIEWS"] = switched_on
    ann.post("/admin/privacy/consent", layer="detailed")
    ann.get("/admin/privacy")
    app.extensions[EXTENSION].flush()

    assert len(sink.named("$pageview")) == counted


def test_the_zone_an_administrator_chose_is_the_installations(app, ann, sink):
    ann.post("/admin/privacy/consent", layer="base")
    Scheduler(app, app.extensions["database"], JOBS).round(app.extensions["clock"]())

    (health,) = sink.named("telemetry.health")
    assert health["properties"]["timezone"] == "Europe/Berlin"


def test_an_older_consent_is_named_until_it_is_renewed(app, ann, monkeypatch):
    ann.post("/admin/privacy/consent", layer="base")
    monkeypatch.setattr("app.views.privacy.CONSENT_VERSION", 2)

    assert "could tell more than you agreed to" in seen(ann.get("/admin/privacy"))


def test_days_without_an_answer_are_on_the_page(app, ann, sink):
    sink.status = 503
    ann.post("/admin/privacy/consent", layer="base")
    now = app.extensions["clock"]()
    telling = tuple(job for job in JOBS if job.name == "telemetry")  # others end sessions
    for day in range(3):
        scheduler = Scheduler(app, app.extensions["database"], telling)
        scheduler.round(now + timedelta(days=day))

    assert "has not answered for 3 days" in seen(ann.get("/admin/privacy"))
