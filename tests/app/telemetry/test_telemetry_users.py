"""What users do reaches the operator's own server, in the guide's words."""

import json

import pytest

from app import config
from app.models.people import User
from app.telemetry.log import rows
from app.telemetry.send import identify_user, track_event, track_failure

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def told(app, reporter, sink):
    """Do something inside the application and return what arrived."""

    def do(act):
        with app.app_context():
            act()
        reporter.flush()
        return sink.events

    return do


def test_the_guides_call_arrives_with_its_format(say, told):
    say("detailed")

    events = told(
        lambda: track_event(
            1,
            "export.completed",
            {"export_type": "csv", "rows": 100, "experiment_variant": "b"},
        )
    )

    assert [event["event"] for event in events] == ["export.completed", "export.csv"]
    for event in events:
        own = {"export_type", "rows", "experiment_variant"}
        assert {k: event["properties"][k] for k in own} == {
            "export_type": "csv",
            "rows": 100,
            "experiment_variant": "b",
        }
        assert event["distinct_id"] == "1"
    assert events[0]["properties"]["feature_category"] == "export"
    assert "feature_category" not in events[1]["properties"]


def test_any_act_of_a_user_may_carry_the_variant_in_effect(say, told, mistakes):
    say("detailed")

    variant = {"experiment_variant": "b"}
    (event,) = told(lambda: track_event(1, "timer.started", {"billable": True, **variant}))

    assert event["properties"]["experiment_variant"] == "b"
    assert not mistakes


def test_a_login_identifies_exactly_as_the_guide_prints_it(say, told, ann):
    say("detailed")

    (event,) = told(lambda: identify_user(ann))

    assert event["event"] == "$identify"
    assert event["properties"]["$set"] == {
        "role": "admin",
        "is_admin": True,
        "last_login": "2025-10-20T10:30:00",
        "auth_method": "oidc",
    }
    assert event["properties"]["$set_once"] == {
        "first_login": "2025-01-01T12:00:00",
        "signup_method": "local",
    }


def test_a_changed_role_says_nothing_of_a_login(say, told, ann):
    say("detailed")

    (event,) = told(lambda: identify_user(ann, logged_in=False))

    assert event["properties"]["$set"] == {
        "role": "admin",
        "is_admin": True,
        "auth_method": "oidc",
    }


def test_a_request_adds_browser_route_and_deployment(app, reporter, say, sink):
    say("detailed")

    app.test_client().post("/projects/77/timers?secret=1", headers={"User-Agent": FIREFOX})
    reporter.flush()

    properties = sink.named("timer.started")[0]["properties"]
    assert properties == {
        "has_project": True,
        "origin": "header",
        "$browser": "Firefox",
        "$device_type": "Desktop",
        "$os": "Windows",
        "$current_url": "http://localhost/projects/:id/timers",
        "$pathname": "/projects/:id/timers",
        "$host": "localhost",
        "route": "timers.start",
        "via": "web",
        "environment": "production",
        "app_version": config.VERSION,
        "deployment_method": properties["deployment_method"],
        "feature_category": "timer",
        "$groups": {"version": config.VERSION, "platform": "Linux"},
        "$lib": "posthog-python",
        "$lib_version": properties["$lib_version"],
        "$ip": None,
        "$geoip_disable": True,
        "$is_server": True,
    }


def test_several_installations_in_one_project_keep_their_users_apart(
    app, reporter, say, sink
):
    app.config["ANALYTICS_SHARED_PROJECT"] = True
    say("detailed")

    app.test_client().post("/projects/77/timers", headers={"User-Agent": FIREFOX})
    reporter.flush()

    (event,) = sink.named("timer.started")
    assert event["distinct_id"] == f"{reporter.fingerprint[:12]}-1"
    assert event["properties"]["$current_url"] == "/projects/:id/timers"
    assert "$host" not in event["properties"]


def test_a_refused_login_names_nobody(say, told, reporter):
    say("detailed")

    (event,) = told(
        lambda: track_event(
            None, "auth.login_failed", {"auth_method": "local", "reason": "unknown_user"}
        )
    )

    assert event["distinct_id"] == reporter.fingerprint
    assert event["properties"]["$process_person_profile"] is False


@pytest.mark.parametrize("header", ["DNT", "Sec-GPC"])
@pytest.mark.parametrize(("respected", "sent"), [(True, 0), (False, 1)])
def test_a_browser_may_object(app, reporter, say, sink, header, respected, sent):
    app.config["RESPECT_BROWSER_DNT"] = respected
    say("detailed")

    app.test_client().post("/projects/1/timers", headers={header: "1"})
    reporter.flush()

    assert len(sink.events) == sent


def test_a_person_may_leave_their_actions_out(say, told, database):
    say("detailed")
    with database.writing() as session:
        session.get_one(User, 1).analytics_opt_out = True

    assert told(lambda: track_event(1, "auth.password_changed")) == []


def test_nothing_unknown_leaves(say, told, mistakes):
    say("detailed")

    events = told(
        lambda: (
            track_event(1, "project.renamed", {"name": "Secret"}),
            track_event(1, "project.created", {"name": "Secret", "billable": "yes"}),
        )
    )

    assert [event["event"] for event in events] == ["project.created"]
    assert "Secret" not in json.dumps(events)
    assert "billable" not in events[0]["properties"]
    assert sum(mistakes.values()) == 3


def test_what_was_handed_over_is_logged_as_it_left(say, told, database, sink):
    say("detailed")

    told(lambda: track_event(1, "auth.password_changed"))

    with database.reading() as session:
        (row,) = rows(session)
    assert json.loads(row.payload) == sink.events[0]
    assert (row.sink, row.outcome) == ("analytics", "handed over")


def test_a_dry_run_logs_and_sends_nothing(app, say, told, database):
    app.config["TELEMETRY_DRY_RUN"] = True
    say("detailed")

    assert told(lambda: track_event(1, "auth.password_changed")) == []
    with database.reading() as session:
        assert [row.outcome for row in rows(session)] == ["dry run"]


def test_a_failure_is_told_once_an_hour_without_its_content(say, told, app, makers):
    app.config.update(TELEMETRY_HOST=makers.url, TELEMETRY_KEY="phc_makers")
    say("detailed")

    def fail():
        for _ in range(3):
            try:
                int("a secret")
            except ValueError as error:
                track_failure("database", error, user_id=1)

    (event,) = told(fail)

    assert event["distinct_id"] == "1"
    assert event["properties"]["error_class"] == "ValueError"
    assert event["properties"]["occurrences"] == 1
    assert "secret" not in json.dumps(event)
