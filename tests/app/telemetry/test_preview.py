"""What is shown before is what leaves; and nothing of the never-sent leaves at all."""

import json
from datetime import UTC, datetime

import pytest

from app.errors import Conflict
from app.models.people import User
from app.telemetry import daily, preview
from app.telemetry.log import rows
from app.telemetry.send import identify_user, track_event

NOW = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)


def test_the_preview_of_the_installation_is_the_payload(reporter, say, sink):
    shown = [s.message for s in preview.preview(reporter, "base", NOW)]
    say("base")

    daily.tell(reporter, NOW)

    assert shown == sink.events


def test_the_preview_of_a_user_is_the_payload(app, reporter, say, sink, ann):
    with app.app_context():
        shown = [
            s.message
            for s in preview.preview(reporter, "detailed", NOW, user=ann)
            if s.sink == "analytics"
        ]
    say("detailed")
    with app.app_context():
        identify_user(ann)
        track_event(1, "auth.login", {"auth_method": "oidc", "is_first_login": False})
    reporter.flush()

    def timeless(events):
        return [{**e, "timestamp": "", "uuid": ""} for e in events]

    assert timeless(shown) == timeless(sink.events)


def test_a_preview_sends_nothing(reporter, sink, ann):
    preview.preview(reporter, "detailed", NOW, user=ann)
    reporter.flush()

    assert sink.paths == []


def test_after_the_first_day_the_next_messages_are_the_daily_two(reporter, say):
    say("base")
    daily.tell(reporter, NOW)

    shown = preview.preview(reporter, "base", NOW)

    assert [s.message["event"] for s in shown] == [
        "telemetry.health",
        "base_telemetry.heartbeat",
    ]


def test_a_test_tells_the_groups_only(reporter, say, sink):
    say("base")

    tried = preview.send_test(reporter, NOW)

    assert tried.taken
    assert [e["event"] for e in sink.events] == ["$groupidentify"] * 2


def test_a_test_without_consent_is_refused(reporter, sink):
    with pytest.raises(Conflict, match="unasked"):
        preview.send_test(reporter, NOW)
    assert sink.paths == []


def test_a_test_that_fails_says_so(reporter, say, sink, database):
    sink.status = 500
    say("base")

    assert not preview.send_test(reporter, NOW).taken
    with database.reading() as session:
        assert {row.outcome for row in rows(session)} == {"failed"}


CANARY = "canary7f3a"
FIREFOX = f"Mozilla/5.0 ({CANARY}; rv:140.0) Gecko/20100101 Firefox/140.0"


def test_nothing_of_what_is_never_sent_leaves(app, reporter, say, sink, database, mistakes):
    with database.writing() as session:
        user = session.get_one(User, 1)
        for field in ("username", "display_name", "email", "oidc_issuer", "oidc_subject"):
            setattr(user, field, f"{CANARY}-{field}@example.org")
    app.config.update(
        SECRET_KEY=CANARY * 4, DATABASE_URL=CANARY, OIDC_ISSUER=f"https://{CANARY}.example",
        MAIL_PASSWORD=CANARY, MAINTENANCE_MESSAGE=CANARY, PUBLIC_URL=f"http://{CANARY}.example",
    )  # fmt: skip
    say("detailed")
    with database.reading() as session:
        user = session.get_one(User, 1)

    @app.get("/entries/<name>", endpoint="entries.show")
    def show(name):
        identify_user(user)
        for event in ("project.created", "timer.stopped", "export.completed", "auth.login"):
            told = {"name": CANARY, "description": CANARY, "export_type": CANARY}
            track_event(1, event, told | {"origin": CANARY, "auth_method": CANARY})
        raise ValueError(CANARY)

    app.test_client().get(
        f"/entries/{CANARY}?q={CANARY}",
        headers={
            "User-Agent": FIREFOX,
            "Referer": f"http://x/{CANARY}",
            "Cookie": f"session={CANARY}",
            "X-Forwarded-For": "203.0.113.7",
        },
        environ_base={"REMOTE_ADDR": "203.0.113.7"},
    )
    daily.tell(reporter, NOW)
    reporter.flush()

    assert len(sink.events) >= 10
    assert CANARY not in sink.text
    assert "203.0.113.7" not in sink.text
    assert "Gecko" not in sink.text
    assert json.dumps(str(app.config["DATA_DIR"])) not in sink.text
