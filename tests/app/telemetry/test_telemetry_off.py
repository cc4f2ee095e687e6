"""With everything off nothing leaves; with a server that fails nothing breaks or waits."""

import socket
import threading
from datetime import UTC, datetime

import posthog.request
import pytest

from app.jobs import JOBS, Scheduler
from app.telemetry import daily, sinks
from app.telemetry.log import rows
from app.telemetry.send import identify_user, track_event, track_failure

NOW = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def earlier():
    """Threads that tests before this one have left: what they do is not ours."""
    return set(threading.enumerate()) - {threading.current_thread()}


@pytest.fixture
def attempts(monkeypatch, earlier):
    """Every attempt to reach another machine, this one included."""
    seen = []

    def noticing(real):
        def call(*args, **kwargs):
            if threading.current_thread() not in earlier:
                seen.append(args)
            return real(*args, **kwargs)

        return call

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, noticing(getattr(socket.socket, name)))
    monkeypatch.setattr(socket, "getaddrinfo", noticing(socket.getaddrinfo))
    return seen


def use(app, reporter, user):
    """Do all that reports, in a request, outside one, and on the scheduler."""
    app.test_client().post("/projects/7/timers")
    with app.app_context():
        identify_user(user)
        track_event(1, "project.created", {"billable": True})
        track_event(None, "auth.login_failed", {"reason": "unknown_user"})
        try:
            int("x")
        except ValueError as error:
            track_failure("database", error)
    Scheduler(app, reporter.database, JOBS).round(NOW)
    reporter.flush()


@pytest.mark.parametrize(
    "switch",
    [
        pytest.param({}, id="consent is on"),
        pytest.param({"DO_NOT_TRACK": True}, id="DO_NOT_TRACK"),
        pytest.param({"CONSOLE_DO_NOT_TRACK": True}, id="CONSOLE_DO_NOT_TRACK"),
        pytest.param({"ENABLE_TELEMETRY": False}, id="ENABLE_TELEMETRY"),
        pytest.param({"TELEMETRY_MAX_LEVEL": "off"}, id="TELEMETRY_MAX_LEVEL"),
        pytest.param({"TELEMETRY_DRY_RUN": True}, id="TELEMETRY_DRY_RUN"),
        pytest.param({"READ_ONLY": True}, id="READ_ONLY"),
        pytest.param({"DEMO_MODE": True}, id="DEMO_MODE"),
        pytest.param({"ANALYTICS_HOST": "", "ANALYTICS_KEY": ""}, id="no sink"),
    ],
)
def test_each_switch_alone_stops_every_connection(
    app, reporter, say, ann, attempts, switch
):
    say("detailed")
    app.config.update(switch)

    use(app, reporter, ann)

    assert bool(attempts) is (not switch)


@pytest.mark.parametrize(
    "layer", [pytest.param(None, id="nobody was asked"), pytest.param("off", id="off")]
)
def test_without_consent_there_is_no_connection_and_no_trace(
    app, reporter, say, ann, attempts, database, layer
):
    if layer:
        say(layer)

    use(app, reporter, ann)

    assert attempts == []
    with database.reading() as session:
        assert rows(session) == []


def test_opting_out_says_no_farewell(app, reporter, say, ann, attempts):
    say("detailed")
    use(app, reporter, ann)
    attempts.clear()

    say("off")
    use(app, reporter, ann)

    assert attempts == []


def test_base_tells_nothing_of_users(app, reporter, say, ann, sink):
    say("base")

    use(app, reporter, ann)

    assert {event["distinct_id"] for event in sink.events} == {reporter.fingerprint}
    assert {event["event"].partition(".")[0] for event in sink.events} == {
        "$groupidentify", "telemetry", "base_telemetry",
    }  # fmt: skip


def test_users_events_never_go_to_the_makers(app, reporter, say, ann, sink, makers):
    app.config.update(TELEMETRY_HOST=makers.url, TELEMETRY_KEY="phc_makers")
    say("detailed")

    use(app, reporter, ann)

    assert {event["distinct_id"] for event in makers.events} == {reporter.fingerprint}
    assert "project.created" not in makers.text
    assert sink.named("project.created")
    assert sink.named("error.database")
    (error,) = makers.named("error.database")
    assert not {"$current_url", "$host", "$browser"} & set(error["properties"])


def test_where_both_sinks_are_one_an_error_is_told_once(app, reporter, say, ann, sink):
    say("detailed")

    use(app, reporter, ann)

    (error,) = sink.named("error.database")
    assert error["distinct_id"] == reporter.fingerprint


@pytest.fixture
def nowhere():
    """An address where nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def silence():
    """A server that accepts and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.slow
@pytest.mark.parametrize("server", ["nowhere", "silence"])
def test_a_server_that_is_not_there_breaks_nothing(app, reporter, say, server, request):
    app.config["ANALYTICS_HOST"] = request.getfixturevalue(server)
    say("detailed")
    waiting = threading.Event()

    def work():
        for _ in range(50):
            assert app.test_client().post("/projects/7/timers").status_code == 200
        waiting.set()

    thread = threading.Thread(target=work)
    thread.start()

    assert waiting.wait(sinks.TIMEOUT_S)  # no request waited for a time-out of the sink
    thread.join()


@pytest.mark.slow
def test_what_was_given_up_is_in_the_log_with_its_reason(
    app, reporter, say, sink, database
):
    sink.status = 401
    say("detailed")
    app.test_client().post("/projects/7/timers")
    reporter.flush()
    reporter.flush()

    with database.reading() as session:
        (row,) = rows(session)
    assert row.outcome == "failed"
    assert "401" in row.detail


def test_redirects_are_not_followed(app, reporter, say, sink, makers):
    app.config.update(TELEMETRY_HOST=makers.url, TELEMETRY_KEY="phc_makers")
    makers.status, makers.headers = 307, {"Location": f"{sink.url}/batch/"}
    say("base")

    daily.tell(reporter, NOW)

    assert makers.paths == ["/batch/"]
    assert sink.paths == []
    assert posthog.request._session.max_redirects == 0


def test_the_sdk_prints_nothing(app, reporter, say, sink, caplog, capsys):
    sink.status = 500
    say("base")

    daily.tell(reporter, NOW)

    assert [r for r in caplog.records if r.name.startswith("posthog")] == []
    assert capsys.readouterr().err == ""


def test_a_message_whose_check_fails_is_dropped(app, reporter, say, sink, monkeypatch):
    say("base")
    monkeypatch.setattr(
        "app.telemetry.gate.check", lambda *_, **__: (_ for _ in ()).throw(RuntimeError)
    )

    assert daily.tell(reporter, NOW) == 0
    assert sink.events == []


def test_outside_an_application_nothing_happens(attempts):
    track_event(1, "auth.logout")

    assert attempts == []


def test_an_event_that_cannot_be_built_does_not_break_what_is_done(app, reporter, say):
    say("detailed")

    with app.app_context():
        track_event(1, "auth.logout", properties=object())
        identify_user(None)
