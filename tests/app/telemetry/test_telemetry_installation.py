"""What the installation tells of itself, when, and how often."""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import config
from app.models.records import Installation
from app.telemetry import context, daily, installation
from app.telemetry.log import rows
from app.telemetry.messages import users_band, version_key

NOW = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def row(reporter, database):
    """The installation as it is in the database now."""

    def read():
        with database.reading() as session:
            return session.get_one(Installation, 1)

    return read


def names(events):
    return [event["event"] for event in events]


def test_the_first_consent_tells_all_that_is_told_once(reporter, say, sink):
    say("base")

    daily.tell(reporter, NOW)

    assert names(sink.events) == [
        "$groupidentify",
        "$groupidentify",
        "telemetry.install",
        "telemetry.health",
        "base_telemetry.heartbeat",
        "base_telemetry.first_seen",
    ]
    assert {event["distinct_id"] for event in sink.events} == {reporter.fingerprint}


def test_an_installation_is_described_as_the_guide_prints_it(app, reporter, say, sink):
    app.config.update(
        TZ="Europe/Berlin", AUTH_METHOD="both", OIDC_ISSUER="https://login.example"
    )
    app.config["DEPLOYMENT_METHOD"] = "docker"
    say("base")

    daily.tell(reporter, NOW)

    (health,) = sink.named("telemetry.health")
    assert health["properties"]["$set"] == {
        "current_version": config.VERSION,
        "current_platform": "Linux",
        "environment": "production",
        "deployment_method": "docker",
        "auth_method": "oidc",
        "timezone": "Europe/Berlin",
        "last_seen": "2026-03-02 10:30:00",
    }
    assert set(health["properties"]["$set_once"]) == {
        "first_seen_platform",
        "first_seen_python_version",
        "first_seen_version",
    }
    assert health["properties"]["version"] == health["properties"]["app_version"]
    assert health["properties"]["users_band"] == "1"


def test_both_groups_are_told_as_the_guide_prints_them(reporter, say, sink):
    say("base")

    daily.tell(reporter, NOW)

    version, platform = (e["properties"] for e in sink.named("$groupidentify"))
    assert (version["$group_type"], version["$group_key"]) == ("version", config.VERSION)
    assert version["$group_set"]["version_number"] == config.VERSION
    assert len(version["$group_set"]["python_versions"]) == 1
    assert platform["$group_set"] == {
        "platform_name": "Linux",
        "platform_release": context.release(),
    }
    assert version["$ip"] is None


def test_the_census_makes_no_person_and_has_no_groups(reporter, say, sink):
    say("base")

    daily.tell(reporter, NOW)

    (beat,) = sink.named("base_telemetry.heartbeat")
    assert beat["properties"]["$process_person_profile"] is False
    assert beat["properties"]["install_id"] == reporter.fingerprint
    assert beat["properties"]["heartbeat_at"] == "2026-03-02T10:30:00"
    assert not {"$groups", "$set", "$set_once"} & set(beat["properties"])


def test_a_repeat_has_the_same_uuids(reporter, say, sink, database):
    say("base")
    daily.tell(reporter, NOW)
    with database.writing() as session:
        again = session.get_one(Installation, 1)
        again.install_sent_at = again.health_sent_at = again.health_date = None

    daily.tell(reporter, NOW + HOUR)

    for name in ("telemetry.install", "telemetry.health", "base_telemetry.heartbeat"):
        first, second = sink.named(name)
        assert first["uuid"] == second["uuid"]


def test_another_version_is_told_once(reporter, say, sink, database, app):
    say("base")
    daily.tell(reporter, NOW)
    with database.writing() as session:
        session.get_one(Installation, 1).last_version = "0.0.9"
        folder = app.config["DATA_DIR"]
        installation.ensure(session, folder, config.VERSION, NOW)

    daily.tell(reporter, NOW + HOUR)
    daily.tell(reporter, NOW + 2 * HOUR)

    (update,) = sink.named("telemetry.update")
    assert update["properties"]["old_version"] == "0.0.9"
    assert update["properties"]["new_version"] == config.VERSION
    assert update["properties"]["direction"] == "up"


def test_groups_are_told_again_after_thirty_days(reporter, say, sink):
    say("base")
    for day in (0, 1, 29, 30):
        daily.tell(reporter, NOW + timedelta(days=day, hours=12))

    assert len(sink.named("$groupidentify")) == 4
    assert len(sink.named("telemetry.health")) == 4


@given(
    minute=st.integers(0, 1439),
    steps=st.lists(st.integers(1, 40 * 60), min_size=1, max_size=60),
)
def test_a_day_has_one_daily_message_and_never_within_23_hours(minute, steps):
    row = Installation(health_minute=minute)
    now, started, sent = NOW, NOW, []
    for step in steps:
        if installation.health_is_due(row, now, started):
            sent.append(now)
            row.health_sent_at, row.health_date = now, now.date()
        now += timedelta(minutes=step)

    assert all(later - sooner >= 23 * HOUR for sooner, later in pairwise(sent))
    assert len({moment.date() for moment in sent}) == len(sent)


def test_a_running_installation_misses_no_day(reporter):
    row = Installation(health_minute=197)
    sent = set()
    for minute in range(0, 10 * 24 * 60, 5):
        now = NOW + timedelta(minutes=minute)
        if installation.health_is_due(row, now, NOW):
            sent.add(now.date())
            row.health_sent_at, row.health_date = now, now.date()

    assert len(sent) >= 10


def test_a_clock_that_goes_back_repeats_nothing(reporter, say, sink):
    say("base")
    daily.tell(reporter, NOW)
    daily.tell(reporter, NOW - timedelta(days=3))

    assert len(sink.named("telemetry.health")) == 1


def test_the_fingerprint_survives_a_new_database_beside_the_same_folder(
    app, reporter, database
):
    before = reporter.fingerprint
    with database.writing() as session:
        session.delete(session.get_one(Installation, 1))
    reporter.start()

    assert reporter.fingerprint == before


def test_two_copies_that_differ_are_noticed_and_tell_nothing(app, reporter, say, sink, row):
    (app.config["DATA_DIR"] / installation.FILE).write_text(
        json.dumps({"uuid": "0" * 32, "salt": "1" * 64})
    )
    reporter.start()
    say("base")

    assert row().copy_noticed_at is not None
    assert daily.tell(reporter, NOW) == 0
    assert sink.events == []


@pytest.mark.parametrize(
    ("answer", "same"),
    [
        pytest.param(installation.keep, True, id="this is the same one"),
        pytest.param(installation.renew, False, id="this is a new installation"),
    ],
)
def test_the_notice_of_a_copy_can_be_answered(
    app, reporter, database, say, sink, answer, same
):
    before = reporter.fingerprint
    folder = app.config["DATA_DIR"]
    (folder / installation.FILE).write_text(
        json.dumps({"uuid": "0" * 32, "salt": "1" * 64})
    )
    reporter.start()
    with database.writing() as session:
        answer(session.get_one(Installation, 1), folder)
    reporter.start()
    say("base")
    daily.tell(reporter, NOW)

    assert (reporter.fingerprint == before) is same
    assert sink.named("telemetry.install")[0]["distinct_id"] == reporter.fingerprint


def test_the_data_folders_copy_is_for_its_owner_only(app, reporter):
    file = app.config["DATA_DIR"] / installation.FILE

    assert file.stat().st_mode & 0o777 == 0o600


def test_three_days_without_an_answer_are_one_line(reporter, say, sink, database):
    sink.status = 503
    say("base")
    for day in range(5):
        daily.tell(reporter, NOW + timedelta(days=day))
    reporter.log.flush()

    with database.reading() as session:
        remarks = [row for row in rows(session) if "three days" in row.detail]
    assert len(remarks) == 1


def test_a_sink_that_does_not_answer_is_left_alone_for_an_hour(reporter, say, sink):
    sink.status = 503
    say("base")
    daily.tell(reporter, NOW)
    tried = len(sink.paths)
    daily.tell(reporter, NOW + timedelta(minutes=59))
    assert len(sink.paths) == tried

    sink.status = 200
    daily.tell(reporter, NOW + HOUR)
    assert sink.named("telemetry.health")


def test_what_was_sent_is_logged_with_its_time(reporter, say, sink, database):
    say("base")
    daily.tell(reporter, NOW)
    reporter.log.flush()

    with database.reading() as session:
        logged = rows(session)
    assert {row.outcome for row in logged} == {"sent"}
    assert all(row.took_ms is not None for row in logged)


@pytest.mark.parametrize(
    ("users", "band"),
    [(0, "1"), (1, "1"), (2, "2-5"), (6, "6-20"), (100, "21-100"), (101, "100+")],
)
def test_the_size_of_an_installation_is_coarse(users, band):
    assert users_band(users) == band


def test_an_unreleased_version_comes_before_its_release():
    order = ["2.9.0", "2.10.0", "3.0.0-dev", "3.0.0"]

    assert sorted(set(order), key=version_key) == order


def test_a_consent_before_the_first_day_is_not_needed_to_remember_where_it_began(row):
    assert row().first_seen_version == config.VERSION
    assert row().first_seen_at <= datetime.now(UTC)
