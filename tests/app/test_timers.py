"""The one timer of a person."""

import itertools
import shutil
import threading
from datetime import UTC, datetime, timedelta

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.errors import Conflict, InvalidInput, NotFound
from app.models import Database
from app.models.entries import TimeEntry
from app.models.people import User
from app.models.work import Project, Task
from app.settings import Settings
from app.tracking import once, overlaps, timers, undo
from app.tracking.timers import About

NINE = datetime(2025, 6, 3, 7, 0, tzinfo=UTC)  # 9:00 in Berlin


def later(**length):
    return NINE + timedelta(**length)


@pytest.fixture
def act(session, ann, settings):
    """Ann presses a button at a time."""

    class Act:
        def start(self, at=NINE, **about):
            return timers.start(session, ann, About(**about), at, settings=settings)

        def stop(self, at):
            return timers.stop(session, ann, at, settings=settings)

        def pause(self, at):
            return timers.pause(session, ann, at)

        def resume(self, at):
            return timers.resume(session, ann, at)

        def discard(self, at):
            return timers.discard(session, ann, at)

        def undo(self, step, at):
            return undo.take_back(session, ann, step.id, at)

        def running(self):
            return timers.running(session, ann)

    return Act()


def test_starting_needs_nothing(act):
    entry = act.start().entry

    assert (entry.project, entry.task, entry.description) == (None, None, "")
    assert entry.timezone == "Europe/Berlin"
    assert entry.local_date.isoformat() == "2025-06-03"


def test_worked_time_is_the_span_without_breaks(act):
    act.start()
    act.pause(later(minutes=30))
    act.resume(later(minutes=45))
    entry = act.stop(later(hours=1)).entry

    assert entry.seconds == 45 * 60
    assert [(b.ended_at - b.started_at).seconds for b in entry.breaks] == [900]


def test_starting_while_one_runs_stops_that_one_at_the_same_instant(act):
    first = act.start(description="Design").entry
    started = act.start(later(minutes=65), description="Review")

    assert started.replaced is first
    assert first.ended_at == started.entry.started_at == later(minutes=65)
    assert first.stopped_by == "replaced"


def test_undoing_a_start_puts_both_back(act):
    first = act.start().entry
    started = act.start(later(minutes=5))
    act.undo(started.step, later(minutes=6))

    assert act.running() is first
    assert (first.ended_at, first.seconds, first.stopped_by) == (None, None, None)
    assert started.entry.deleted_at == later(minutes=6)


def test_a_pause_keeps_the_one_timer(act):
    entry = act.start().entry
    act.pause(later(minutes=10))
    act.pause(later(minutes=11))

    assert act.running() is entry
    assert len(entry.breaks) == 1


def test_stopping_while_paused_ends_at_the_beginning_of_the_break(act):
    act.start()
    act.pause(later(minutes=30))
    entry = act.stop(later(hours=5)).entry

    assert entry.ended_at == later(minutes=30)
    assert entry.seconds == 30 * 60
    assert entry.breaks == []


def test_undoing_that_stop_pauses_it_again(act):
    act.start()
    act.pause(later(minutes=30))
    stopped = act.stop(later(hours=5))
    act.undo(stopped.step, later(hours=5, minutes=1))

    assert timers.open_break(act.running()).started_at == later(minutes=30)


def test_a_timer_stopped_in_the_second_it_began_is_discarded_with_undo(act):
    act.start()
    stopped = act.stop(NINE)

    assert stopped.discarded
    assert act.running() is None
    act.undo(stopped.step, later(seconds=5))
    assert act.running() is stopped.entry


def test_discarding_can_be_undone_while_no_other_timer_was_started(act):
    entry = act.start().entry
    thrown = act.discard(later(minutes=10))
    assert act.running() is None

    act.undo(thrown.step, later(minutes=11))
    assert act.running() is entry


def test_discarding_is_not_undone_over_another_timer(act):
    act.start()
    thrown = act.discard(later(minutes=10))
    act.start(later(minutes=11))

    with pytest.raises(Conflict, match="another timer"):
        act.undo(thrown.step, later(minutes=12))


def test_a_step_is_not_undone_twice_nor_after_an_hour(act):
    act.start()
    step = act.stop(later(minutes=10)).step
    act.undo(step, later(minutes=11))

    with pytest.raises(Conflict, match="already"):
        act.undo(step, later(minutes=12))
    late = act.stop(later(minutes=20)).step
    with pytest.raises(NotFound, match="one hour"):
        act.undo(late, later(hours=2))


def test_a_step_is_not_undone_once_the_entry_was_changed(act, session, ann, settings):
    entry = act.start(description="Design").entry
    stopped = act.stop(later(minutes=10))
    timers.describe(session, ann, entry, About(description="Other"), settings)
    entry.touch()
    session.flush()

    with pytest.raises(Conflict, match="changed since"):
        act.undo(stopped.step, later(minutes=11))


def test_continuing_starts_a_new_one_about_the_same(act, session, ann, settings):
    project = Project(name="Hedgerow", billable=True)
    session.add(project)
    session.flush()
    act.start(project_id=project.id, description="Review")
    first = act.stop(later(minutes=10)).entry
    second = timers.continue_(session, ann, first, later(hours=1), settings=settings).entry

    assert second.id != first.id
    assert (second.project, second.description, second.billable) == (
        project,
        "Review",
        True,
    )
    assert first.ended_at == later(minutes=10)


def test_a_new_entry_is_billable_as_its_project_says(act, session):
    unpaid = Project(name="Internal", billable=False)
    session.add(unpaid)
    session.flush()

    assert act.start(project_id=unpaid.id).entry.billable is False


def test_a_task_must_be_of_the_project(act, session):
    one, other = Project(name="One"), Project(name="Other")
    task = Task(project=other, name="Support")
    session.add_all([one, other, task])
    session.flush()

    with pytest.raises(InvalidInput, match="'One'"):
        act.start(project_id=one.id, task_id=task.id)


@pytest.mark.parametrize(
    ("settings", "incomplete"),
    [
        pytest.param(Settings(), False, id="nothing is asked for"),
        pytest.param(Settings(require_project=True), True, id="a project is missing"),
        pytest.param(Settings(require_task=True), True, id="a task is missing"),
        pytest.param(Settings(require_description=True), True, id="a text is missing"),
    ],
)
def test_stopping_is_never_refused_but_marks_what_is_missing(act, settings, incomplete):
    assert act.start().entry.incomplete is False
    assert act.stop(later(minutes=10)).entry.incomplete is incomplete


def test_the_start_can_be_corrected_into_the_past_only(act, session, ann):
    act.start(NINE)
    entry = timers.move_start(session, ann, NINE - timedelta(minutes=10), later(minutes=1))

    assert entry.started_at == NINE - timedelta(minutes=10)
    with pytest.raises(InvalidInput, match="future"):
        timers.move_start(session, ann, later(minutes=5), later(minutes=1))


def test_the_database_refuses_a_second_running_timer(act, session, ann):
    act.start()
    session.add(
        TimeEntry(
            user=ann, kind="timed", started_at=NINE, timezone="UTC", local_date=NINE.date()
        )
    )

    with pytest.raises(IntegrityError):
        session.flush()


def test_a_form_sent_twice_counts_once(session, ann):
    assert once.first_time(session, ann, "abc", NINE) is True
    assert once.first_time(session, ann, "abc", later(seconds=1)) is False
    assert once.first_time(session, ann, "abc", later(hours=25)) is True


def test_twenty_clients_at_once_leave_one_timer_and_lose_no_second(database, settings):
    with database.writing() as opened:
        opened.add(User(username="ann", display_name="Ann"))

    seconds = itertools.count()

    def press(n):
        with database.writing() as mine:
            ann = mine.scalars(select(User)).one()
            at = later(seconds=next(seconds))
            if n % 3 == 2 and timers.running(mine, ann):
                timers.stop(mine, ann, at, settings=settings)
            else:
                timers.start(mine, ann, About(), at, settings=settings)

    threads = [threading.Thread(target=press, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with database.reading() as opened:
        kept = opened.scalars(select(TimeEntry)).all()
        running = [entry for entry in kept if entry.is_running]
        ended = [entry for entry in kept if entry.ended_at]
        assert len(running) <= 1
        assert all(e.seconds == (e.ended_at - e.started_at).total_seconds() for e in ended)
        spans = [[(entry.started_at, entry.ended_at)] for entry in ended]
        assert overlaps.doubled(spans) == 0


@pytest.fixture(scope="module")
def empty_database(empty_file, tmp_path_factory):
    path = tmp_path_factory.mktemp("timers") / "time.db"
    shutil.copy(empty_file, path)
    opened = Database(f"sqlite:///{path}")
    yield opened
    opened.close()


BUTTONS = st.lists(
    st.tuples(st.sampled_from(["start", "stop", "pause", "resume"]), st.integers(1, 4000)),
    min_size=1,
    max_size=8,
)


@hypothesis.settings(max_examples=40)
@given(BUTTONS)
def test_no_minute_is_lost_or_invented_whatever_is_pressed(empty_database, presses):
    """What the entries add up to is what was worked, counted second by second beside."""
    with empty_database.session(writes=True) as opened:
        ann = User(username="ann", display_name="Ann")
        opened.add(ann)
        opened.flush()
        now, working, paused, worked = NINE, False, False, 0
        for button, wait in presses:
            worked += wait if working and not paused else 0
            now += timedelta(seconds=wait)
            if button == "start":
                timers.start(opened, ann, About(), now, settings=Settings())
                working, paused = True, False
            elif working and button == "stop":
                timers.stop(opened, ann, now, settings=Settings())
                working = False
            elif working and button == "pause":
                timers.pause(opened, ann, now)
                paused = True
            elif working and button == "resume":
                timers.resume(opened, ann, now)
                paused = False
        entries = opened.scalars(select(TimeEntry).where(TimeEntry.deleted_at.is_(None)))
        recorded = sum(timers.worked_seconds(entry, now) for entry in entries)
        opened.rollback()

    assert recorded == worked
