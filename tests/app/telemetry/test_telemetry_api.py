"""What a program does over the API is told as its owner's, via the API."""

from datetime import UTC, datetime

from app import api
from app.models.people import User
from app.people import tokens

PREFIX = "/api/v1"
NOW = datetime(2025, 10, 20, 8, 0, tzinfo=UTC)


def test_acts_of_a_program_carry_via_api_and_nothing_that_was_typed(
    say, app, database, reporter, sink, ann
):
    say("detailed")
    app.extensions |= {"database": database, "clock": lambda: NOW}
    app.register_blueprint(api.blueprint)
    with database.writing() as session:
        owner = session.get(User, ann.id)
        made = tokens.make(session, owner, "t", tokens.SCOPES, expires_at=None)
    client, headers = app.test_client(), {"Authorization": f"Bearer {made.text}"}
    for path, body in (
        ("/timer/start", {"description": "canary"}),
        ("/timer/pause", {}),
        ("/timer/resume", {}),
        ("/timer/discard", {}),
        ("/entries", {"date": "2025-10-01", "seconds": 60, "description": "canary"}),
        ("/projects", {"name": "canary"}),
        ("/reports/query", {}),
    ):
        answer = client.post(PREFIX + path, json=body, headers=headers)
        assert answer.status_code < 300, answer.text
    reporter.flush()

    names = [event["event"] for event in sink.events]
    assert names == [
        *("timer.started", "timer.paused", "timer.resumed", "timer.discarded"),
        *("time_entry.created", "project.created", "report.viewed"),
    ]
    assert {event["properties"]["via"] for event in sink.events} == {"api"}
    assert {event["distinct_id"] for event in sink.events} == {str(ann.id)}
    assert "canary" not in str(sink.events)
