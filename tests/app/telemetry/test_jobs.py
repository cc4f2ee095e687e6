"""The scheduler: each job when it is due, once, by one process, whatever another does."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from app.jobs import JOBS, LEASE, NEWEST, Job, Scheduler, give_back, take_lease
from app.models.saved import Setting

NOW = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def take(database):
    def ask(holder, now, every=DAY):
        with database.writing() as session:
            return take_lease(session, "job", holder, now, every=every)

    return ask


def test_of_several_processes_one_runs_a_job(take):
    assert [take("a", NOW), take("b", NOW)] == [True, False]


def test_a_job_is_not_run_again_before_its_time(take):
    assert [take("a", NOW), take("a", NOW + DAY - SECOND), take("a", NOW + DAY)] == [
        True, False, True,
    ]  # fmt: skip


def test_a_process_that_died_is_replaced(take):
    assert take("dead", NOW, every=SECOND)

    assert not take("other", NOW + LEASE - SECOND, every=SECOND)
    assert take("other", NOW + LEASE, every=SECOND)


def test_a_job_that_is_done_is_free_for_others(take, database):
    take("a", NOW, every=SECOND)
    with database.writing() as session:
        give_back(session, "job", "a", NOW)

    assert take("b", NOW + SECOND, every=SECOND)


@pytest.fixture
def scheduler(app, reporter, database):
    def make(*jobs):
        return Scheduler(app, database, jobs)

    return make


def test_a_job_that_fails_does_not_end_the_others(scheduler):
    ran = []

    def fail(_app, _now):
        raise RuntimeError("no")

    scheduler(
        Job("first", DAY, fail), Job("second", DAY, lambda *_: ran.append("second"))
    ).round(NOW)

    assert ran == ["second"]


def test_a_failed_job_is_told_without_its_content(scheduler, say, reporter, sink):
    say("detailed")

    def fail(_app, _now):
        raise RuntimeError("a secret")

    failing = scheduler(Job("first", DAY, fail))
    failing.round(NOW)
    failing.round(NOW + SECOND)

    (told,) = sink.named("error.scheduler")
    assert told["properties"]["error_class"] == "RuntimeError"
    assert told["properties"]["endpoint"] == "scheduler"
    assert "secret" not in sink.text


def test_the_same_failure_is_told_once_an_hour_and_counted(app, reporter, say, sink):
    say("detailed")
    hourly = reporter.hourly

    assert hourly.occurrences("a", NOW) == 1
    assert [hourly.occurrences("a", NOW + n * SECOND) for n in range(1, 5)] == [None] * 4
    assert hourly.occurrences("b", NOW) == 1
    assert hourly.occurrences("a", NOW + timedelta(hours=1)) == 5


def test_a_read_only_installation_runs_nothing(app, scheduler):
    app.config["READ_ONLY"] = True
    ran = []

    scheduler(Job("first", DAY, lambda *_: ran.append(1))).round(NOW)

    assert ran == []


def test_two_processes_tell_of_an_installation_once(app, reporter, database, say, sink):
    say("base")

    for _ in range(2):
        Scheduler(app, database, JOBS).round(NOW)

    assert len(sink.named("telemetry.health")) == 1


def test_consent_wakes_the_scheduler(reporter, say):
    reporter.wake.clear()

    say("base")

    assert reporter.wake.is_set()


def test_the_thread_works_and_ends(app, reporter, database, say, sink):
    say("base")
    scheduler = Scheduler(app, database, JOBS)
    scheduler.start()
    for _ in range(500):
        if sink.named("telemetry.install"):
            break
        time.sleep(0.01)
    scheduler.stop()

    assert len(sink.named("telemetry.install")) == 1


@pytest.mark.parametrize(("enabled", "found"), [(True, "9.9.9"), (False, None)])
def test_the_newest_version_is_asked_for_only_if_switched_on(
    app, reporter, database, makers, enabled, found
):
    makers.answer = {"version": "9.9.9"}
    app.config.update(ENABLE_UPDATE_CHECK=enabled, UPDATE_CHECK_URL=f"{makers.url}/newest")

    Scheduler(app, database, JOBS).round(NOW)

    with database.reading() as session:
        row = session.get(Setting, NEWEST)
    assert (row.value if row else None) == found
    assert makers.paths == (["/newest"] if enabled else [])
