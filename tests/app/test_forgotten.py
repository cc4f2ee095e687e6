"""Forgotten timers, idle time and what the scheduler does by itself."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app import jobs
from app.audit import Actor, record
from app.errors import Conflict, InvalidInput
from app.models.entries import EntryBreak, TimeEntry, UndoStep
from app.models.people import OneTimeLink, UserSession
from app.models.records import AuditLog, IdempotencyKey
from app.models.saved import Setting
from app.people import accounts
from app.settings import Settings
from app.tracking import forgotten, timers, trash, undo
from app.tracking.forgotten import Idle

from .conftest import MONDAY

HOUR = timedelta(hours=1)
ABOUT = timers.About(description="Design")


@pytest.fixture
def running(session, ann, settings):
    return timers.start(session, ann, ABOUT, MONDAY, settings=settings).entry


def pause(session, entry, start, end):
    """Put a break into a timer, hours after it began."""
    ended = None if end is None else MONDAY + end * HOUR
    entry.breaks.append(EntryBreak(started_at=MONDAY + start * HOUR, ended_at=ended))
    session.flush()


@pytest.mark.parametrize(
    ("breaks", "hours", "ended"),
    [
        pytest.param([], 9, 8, id="when it reached the limit, not when it was noticed"),
        pytest.param([], 7.99, None, id="before the limit"),
        pytest.param([(1, 3)], 12, 10, id="a break does not count"),
        pytest.param([(1, 3)], 9.5, None, id="with a break not yet"),
        pytest.param([(9, 9.5)], 10, 8, id="a later break goes"),
        pytest.param([(2, None)], 30, None, id="a paused timer does not reach it"),
    ],
)
def test_a_timer_stops_by_itself_at_the_limit(session, running, breaks, hours, ended):
    for start, end in breaks:
        pause(session, running, start, end)
    rules = Settings(max_timer_hours=8)
    stopped = forgotten.stop_overdue(session, MONDAY + hours * HOUR, rules)

    if ended is None:
        assert stopped == []
        return
    assert (running.ended_at, running.stopped_by) == (MONDAY + ended * HOUR, "max_duration")
    assert running.seconds == 8 * 3600


def test_without_a_limit_no_timer_stops_by_itself(session, running):
    later = MONDAY + timedelta(days=30)
    assert forgotten.stop_overdue(session, later, Settings(max_timer_hours=0)) == []


def test_a_long_timer_is_asked_about_once_in_so_many_hours(session, ann, running):
    rules = Settings(long_timer_hours=8)
    asked = [n for n in range(7, 18) if forgotten.to_ask(running, MONDAY + n * HOUR, rules)]
    forgotten.still_working(session, ann, running.id, MONDAY + 8 * HOUR)
    again = [n for n in range(7, 18) if forgotten.to_ask(running, MONDAY + n * HOUR, rules)]

    assert (asked[0], again[0]) == (8, 16)
    never = Settings(long_timer_hours=0)
    assert not forgotten.to_ask(running, MONDAY + 99 * HOUR, never)


@pytest.mark.parametrize(
    ("breaks", "at", "ended", "seconds"),
    [
        pytest.param([], 3, 3, 3 * 3600, id="in the middle of work"),
        pytest.param([(1, 2)], 1.5, 1, 3600, id="in a break: when that began"),
        pytest.param([(1, 2), (4, 5)], 3, 3, 7200, id="after one break, before another"),
    ],
)
def test_a_forgotten_timer_ends_when_its_owner_says(
    session, ann, running, breaks, at, ended, seconds
):
    for start, end in breaks:
        pause(session, running, start, end)
    now = MONDAY + 10 * HOUR
    done = forgotten.ended(session, ann, running.id, MONDAY + at * HOUR, now)

    assert (done.entry.ended_at, done.entry.seconds) == (MONDAY + ended * HOUR, seconds)
    undo.take_back(session, ann, done.step.id, now)
    assert running.is_running
    assert len(running.breaks) == len(breaks)


@pytest.mark.parametrize("at", [-1, 0, 11], ids=["before", "at its start", "in the future"])
def test_a_timer_cannot_have_ended_outside_of_itself(session, ann, running, at):
    with pytest.raises(InvalidInput, match="cannot have ended then"):
        forgotten.ended(session, ann, running.id, MONDAY + at * HOUR, MONDAY + 10 * HOUR)


def away(entry, start=1, end=2):
    return Idle(entry_id=entry.id, began=MONDAY + start * HOUR, ended=MONDAY + end * HOUR)


def test_kept_idle_time_changes_nothing(session, ann, running, settings):
    version = running.version
    now = MONDAY + 2 * HOUR
    assert (
        forgotten.answer(session, ann, away(running), "keep", now, settings=settings)
        is None
    )
    assert (running.version, running.is_running) == (version, True)


@pytest.mark.parametrize(
    ("said", "runs", "worked", "own"),
    [
        pytest.param("discard_and_stop", False, 3600, 0, id="stopped when they left"),
        pytest.param("discard_and_continue", True, 2 * 3600, 0, id="a break"),
        pytest.param("split_off", True, 2 * 3600, 3600, id="an entry of its own"),
    ],
)
def test_idle_time_becomes_what_its_owner_says_and_can_be_taken_back(
    session, ann, running, settings, said, runs, worked, own
):
    now = MONDAY + 3 * HOUR
    step = forgotten.answer(session, ann, away(running), said, now, settings=settings)

    assert running.is_running is runs
    assert timers.worked_seconds(running, now) == worked
    others = select(func.coalesce(func.sum(TimeEntry.seconds), 0)).where(
        TimeEntry.id != running.id, TimeEntry.deleted_at.is_(None)
    )
    assert session.scalar(others) == own
    undo.take_back(session, ann, step.id, now)
    assert (running.is_running, running.breaks) == (True, [])
    assert session.scalar(others) == 0


def test_an_answer_about_another_timer_is_refused(session, ann, running, settings):
    timers.start(session, ann, ABOUT, MONDAY + HOUR, settings=settings)

    with pytest.raises(Conflict, match="does not run any more"):
        forgotten.answer(
            session, ann, away(running), "split_off", MONDAY + 2 * HOUR, settings=settings
        )


def test_idle_time_with_a_break_in_it_is_refused(session, ann, running, settings):
    pause(session, running, 1.5, 1.75)

    with pytest.raises(Conflict, match="break of this timer"):
        forgotten.answer(
            session, ann, away(running), "split_off", MONDAY + 3 * HOUR, settings=settings
        )


def test_the_page_asks_proposes_when_one_was_last_seen_and_stops_there(app, browser, clock):
    browser.post("/timer/start", {"key": "k", "description": "Design"})
    clock.forward(hours=2)
    browser.get("/entries")
    clock.forward(hours=9)
    assert "Still working?" in browser.get("/entries").get_data(as_text=True)
    clock.forward(minutes=5)
    browser.get("/entries")
    proposed = re.search(r'name="ended" value="([^"]+)"', browser.text)[1]

    assert proposed == "2025-10-20T12:00", "Berlin, and kept while the question stands"
    form = {"entry": "1", "answer": "ended", "ended": proposed}
    browser.post("/timer/still", form)
    assert "Stopped: 2h 00m" in browser.text
    assert "Still working?" not in browser.text


def test_signing_in_again_does_not_count_as_being_seen(browser, clock):
    browser.post("/timer/start", {"key": "k"})
    clock.forward(hours=2)
    browser.get("/entries")
    clock.forward(hours=14)
    assert "Sign in" in browser.get("/entries").get_data(as_text=True)
    browser.sign_in()

    assert 'name="ended" value="2025-10-20T12:00"' in browser.text


@pytest.mark.parametrize("said", ["keep", "discard"])
def test_the_question_is_over_once_answered(browser, clock, said):
    browser.post("/timer/start", {"key": "k"})
    clock.forward(hours=9)
    browser.get("/")
    browser.post("/timer/still", {"entry": "1", "answer": said})

    assert "Still working?" not in browser.get("/").get_data(as_text=True)
    assert "running for long" not in browser.text


@pytest.mark.parametrize("on", [True, False], ids=["on", "off"])
def test_idle_detection_is_offered_only_where_it_is_on(app, browser, clock, on):
    app.config["ENABLE_IDLE_DETECTION"] = on
    browser.post("/timer/start", {"key": "k"})
    clock.forward(hours=2)

    assert ("data-idle=" in browser.get("/profile").text) is on
    assert ("Idle detection" in browser.text) is on
    asked = browser.get("/timer/idle?seconds=1800")
    assert asked.status_code == (200 if on else 404)
    form = dict(re.findall(r'name="(began|ended|entry)" value="(\d+)"', browser.text))
    said = browser.post("/timer/idle", {**form, "answer": "continue"})
    assert said.status_code == (200 if on else 404)


def test_the_question_about_idle_time_takes_the_servers_clock(app, browser, clock):
    browser.post("/timer/start", {"key": "k"})
    clock.forward(hours=2)
    browser.get("/timer/idle?seconds=1800")
    form = dict(re.findall(r'name="(began|ended|entry)" value="(\d+)"', browser.text))
    browser.get("/")
    browser.post("/timer/idle", {**form, "answer": "stop"})

    assert "Stopped when you left" in browser.text
    with app.extensions["database"].reading() as session:
        assert session.scalar(select(TimeEntry)).seconds == 5400


def test_nothing_is_asked_without_a_timer(browser):
    assert browser.get("/timer/idle?seconds=1800").status_code == 404


def test_the_scheduler_stops_timers_only_where_a_limit_is_set(app, clock):
    stop = next(job for job in jobs.JOBS if job.name == "timers")
    database = app.extensions["database"]
    with database.writing() as session:
        person = accounts.by_name(session, "ann")
        timers.start(session, person, ABOUT, MONDAY, settings=Settings())
    later = MONDAY + 20 * HOUR
    with app.app_context():
        assert not stop.wanted(app, later)
        with database.writing() as session:
            session.add(Setting(key="MAX_TIMER_HOURS", value=10))
        assert stop.wanted(app, later)
        stop.run(app, later)
        app.config["READ_ONLY"] = True
        assert not stop.wanted(app, later)
    with database.reading() as session:
        assert session.scalar(select(TimeEntry)).seconds == 36_000


def test_the_scheduler_tidies_what_has_had_its_time(app, browser, clock, monkeypatch):
    monkeypatch.setattr(jobs, "BATCH", 2)
    database = app.extensions["database"]
    for n in range(5):
        browser.post("/timer/start", {"key": f"k{n}"})
        clock.forward(minutes=1)
        browser.post("/timer/discard")
    with database.writing() as session:
        ann = accounts.by_name(session, "ann")
        accounts.make_link(session, ann, "password", MONDAY)
        record(session, Actor(user_id=ann.id), "x.y", MONDAY)
    tables = (TimeEntry, UndoStep, IdempotencyKey, UserSession, OneTimeLink)

    def left():
        with database.reading() as session:
            return [session.scalar(select(func.count()).select_from(t)) for t in tables]

    before = left()
    with app.app_context():
        jobs.tidy(app, clock.now + timedelta(days=29))
        assert before[0] == left()[0] == 5, "the trash is kept for 30 days"
        assert left()[1:4] == [0, 0, 0]
        jobs.tidy(app, clock.now + timedelta(days=60))
    assert left() == [0, 0, 0, 0, 0]
    with database.reading() as session:
        assert session.scalar(select(func.count(AuditLog.id)))
    with app.app_context():
        jobs.tidy(app, clock.now + timedelta(days=800))
    with database.reading() as session:
        assert not session.scalar(select(func.count(AuditLog.id)))


def test_the_trash_goes_oldest_first_and_no_more_than_asked(session, ann, settings):
    for n in range(3):
        timers.start(session, ann, ABOUT, MONDAY + n * HOUR, settings=settings)
        timers.discard(session, ann, MONDAY + n * HOUR + timedelta(minutes=1))
    later = MONDAY + timedelta(days=31)

    assert [trash.empty_trash(session, later, days=30, most=2) for _ in range(3)] == [
        2,
        1,
        0,
    ]
