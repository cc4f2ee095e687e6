"""Entries by hand: made, changed, split, merged, thrown away; the week; all undone again."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Changed, Conflict, InvalidInput, Locked, NotFound, Overlap
from app.models.work import Project
from app.settings import Settings
from app.tracking import edits, entries, overlaps, recorded, timers, trash, undo, weeks
from app.tracking.edits import Bulk
from app.tracking.entries import Act, Times
from app.tracking.timers import About

NOON = datetime(2025, 6, 3, 10, 0, tzinfo=UTC)  # 12:00 in Berlin
DAY = date(2025, 6, 3)


def at(hour, minute=0):
    """A time of that day in Berlin."""
    return NOON + timedelta(hours=hour - 12, minutes=minute)


def span(start, end, *breaks):
    pauses = [(at(*a), at(*b)) for a, b in breaks]
    return Times(started_at=at(*start), ended_at=at(*end), breaks=pauses)


@pytest.fixture
def act(ann):
    return Act(user=ann, now=at(18), settings=Settings(timezone="Europe/Berlin"))


@pytest.fixture
def add(session, ann, act):
    def make(times, rules=act, **about):
        return entries.make(session, ann, About(**about), times, rules)

    return make


def rules(act, **settings):
    return Act(user=act.user, now=act.now, settings=Settings(**settings))


def test_an_entry_has_the_worked_time_of_its_span(add):
    made = add(span((9,), (11, 30), ((10,), (10, 15))))

    assert made.entry.seconds == 2 * 3600 + 900
    assert made.entry.local_date == DAY


@pytest.mark.parametrize(
    ("seconds", "end", "breaks"),
    [
        pytest.param(1800, at(9, 30), 0, id="before the break"),
        pytest.param(3600, at(10), 0, id="where the break began"),
        pytest.param(3601, at(10, 15) + timedelta(seconds=1), 1, id="a second after it"),
        pytest.param(3 * 3600, at(12, 15), 1, id="longer"),
    ],
)
def test_another_length_moves_the_end_and_works_exactly_so_long(
    session, add, act, seconds, end, breaks
):
    entry = add(span((9,), (11, 30), ((10,), (10, 15)))).entry
    done = edits.resize(session, entry, seconds, act)

    assert (entry.started_at, entry.ended_at, entry.seconds) == (at(9), end, seconds)
    assert len(entry.breaks) == breaks
    undo.take_back(session, act.user, done.step.id, act.now)
    assert (entry.seconds, len(entry.breaks)) == (2 * 3600 + 900, 1)


def test_a_length_without_clock_times_is_another_length(session, add, act):
    entry = add(Times(kind="duration", day=DAY, seconds=5400)).entry
    edits.resize(session, entry, 600, act)

    assert (entry.kind, entry.local_date, entry.seconds) == ("duration", DAY, 600)


def test_a_length_on_a_day_has_no_clock_times(add):
    entry = add(Times(kind="duration", day=DAY, seconds=5400)).entry

    assert (entry.started_at, entry.ended_at, entry.seconds) == (None, None, 5400)


@pytest.mark.parametrize(
    ("times", "attr"),
    [
        pytest.param(span((11,), (9,)), "ended", id="end before start"),
        pytest.param(
            Times(kind="duration", day=DAY, seconds=0), "duration", id="no length"
        ),
        pytest.param(
            Times(started_at=at(9) - timedelta(days=2), ended_at=at(10)),
            "long",
            id="too long",
        ),
        pytest.param(
            Times(started_at=at(9), ended_at=at(9) + timedelta(days=1)),
            "ended",
            id="tomorrow",
        ),
        pytest.param(span((9,), (10,), ((8,), (9, 30))), "breaks", id="a break outside"),
        pytest.param(
            span((9,), (12,), ((10,), (11,)), ((10, 30), (11, 30))),
            "breaks",
            id="breaks cross",
        ),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(add, times, attr):
    with pytest.raises(InvalidInput) as refused:
        add(times)

    assert refused.value.attr == attr


@pytest.mark.parametrize(
    ("allowed", "hour", "fits"),
    [("no", 19, False), ("no", 17, True), ("today", 23, True), ("yes", 40, True)],
)
def test_the_future_is_allowed_as_the_installation_says(add, act, allowed, hour, fits):
    future = rules(act, allow_future=allowed)
    times = Times(started_at=at(hour - 1), ended_at=at(hour))
    if fits:
        assert add(times, future).entry.seconds == 3600
    else:
        with pytest.raises(InvalidInput, match="future"):
            add(times, future)


def test_touching_entries_do_not_overlap_and_crossing_ones_are_told(add):
    add(span((9,), (10,)), description="Design")
    assert add(span((10,), (11,))).overlapping == []
    found = add(span((9, 40), (10, 30))).overlapping

    assert [(entry.description, seconds) for entry, seconds in found] == [
        ("Design", 1200), ("", 1800),
    ]  # fmt: skip


def test_an_overlap_is_refused_where_the_installation_forbids_it(add, act):
    add(span((9,), (10,)), description="Design")

    with pytest.raises(Overlap, match="20m of it overlap with 'Design'"):
        add(span((9, 40), (10, 30)), rules(act, overlap_policy="forbid"))
    assert add(span((10,), (11,)), rules(act, overlap_policy="forbid")).entry.id


def test_time_in_anothers_break_is_free(add, act):
    add(span((9,), (12,), ((10,), (11,))))

    assert add(span((10,), (11,)), rules(act, overlap_policy="forbid")).overlapping == []


def test_only_the_kinds_the_installation_uses_can_be_made(add, act):
    with pytest.raises(InvalidInput, match="not used here"):
        add(Times(kind="duration", day=DAY, seconds=60), rules(act, entry_kinds="timed"))


def test_locked_days_stand_unless_an_administrator_gives_a_reason(add, act, session, ann):
    locked = rules(act, lock_before="2025-06-03")
    with pytest.raises(Locked, match="2025-06-03"):
        add(span((9,), (10,)), locked)
    ann.role = "admin"
    reasoned = Act(user=ann, now=act.now, settings=locked.settings, unlock_reason="audit")

    assert add(span((9,), (10,)), reasoned).entry.id


def test_the_second_save_of_an_old_form_is_refused(add, act, session):
    entry = add(span((9,), (10,))).entry
    entries.change(
        session, entry, About(description="a"), span((9,), (10,)), act, version=1
    )

    with pytest.raises(Changed):
        entries.change(session, entry, About(), span((9,), (11,)), act, version=1)


def test_a_change_is_undone_field_by_field(add, act, session, ann):
    entry = add(span((9,), (11,), ((10,), (10, 15))), description="Design").entry
    before = undo.snapshot(entry)
    done = entries.change(session, entry, About(description="x"), span((8,), (9,)), act)
    assert set(done.fields) >= {
        "description",
        "started_at",
        "ended_at",
        "breaks",
        "seconds",
    }
    undo.take_back(session, ann, done.step.id, at(18, 1))

    assert undo.snapshot(entry) == before


def test_a_deleted_entry_waits_in_the_trash(add, act, session, ann):
    entry = add(span((9,), (10,))).entry
    trash.throw(session, [entry], act)
    assert trash.in_trash(session, ann) == [entry]
    trash.take_out(session, [entry], act)

    assert recorded.of_days(session, ann, DAY, DAY) == [entry]


def test_a_discarded_timer_comes_back_ended_when_it_was_discarded(act, session, ann):
    timers.start(session, ann, About(), at(9), settings=act.settings)
    thrown = timers.discard(session, ann, at(9, 30))
    trash.take_out(session, [thrown.entry], act)

    assert (thrown.entry.ended_at, thrown.entry.seconds) == (at(9, 30), 1800)


def test_the_trash_is_emptied_after_its_days(add, act, session, ann):
    trash.throw(session, [add(span((9,), (10,))).entry], act)

    assert trash.empty_trash(session, at(18) + timedelta(days=29), days=30) == 0
    assert trash.empty_trash(session, at(18) + timedelta(days=31), days=30) == 1


def test_nobody_touches_the_entries_of_others(add, session, make_user):
    entry = add(span((9,), (10,))).entry

    with pytest.raises(NotFound):
        entries.find(session, make_user("bob"), entry.id)
    assert entries.find(session, make_user("max", role="manager"), entry.id) is entry


def test_many_entries_are_changed_and_shifted_alike(add, act, session):
    project = Project(name="Hedgerow")
    session.add(project)
    session.flush()
    chosen = [add(span((9,), (10,))).entry, add(span((11,), (12,))).entry]
    edits.bulk(session, chosen, Bulk(project_id=project.id, shift_minutes=-15), act)

    assert {entry.project for entry in chosen} == {project}
    assert [entry.started_at for entry in chosen] == [at(8, 45), at(10, 45)]


def test_two_adjacent_entries_merge_and_come_apart_again(add, act, session, ann):
    chosen = [add(span((9,), (10,))).entry, add(span((10, 30), (12,))).entry]
    before = [undo.snapshot(entry) for entry in chosen]
    step = edits.merge(session, chosen, act)
    assert chosen[0].seconds == 9000
    assert chosen[1].deleted_at is not None
    undo.take_back(session, ann, step.id, at(18, 1))

    assert [undo.snapshot(entry) for entry in chosen] == before


def test_overlapping_entries_are_not_merged_because_time_would_be_lost(add, act, session):
    chosen = [add(span((9,), (11,))).entry, add(span((10,), (12,))).entry]

    with pytest.raises(Conflict, match="time would be lost"):
        edits.merge(session, chosen, act)


@given(st.integers(1, 239), st.integers(0, 200), st.integers(1, 60))
def test_the_parts_of_a_split_add_up_to_the_whole(minute, pause, length):
    start, cut = at(9), at(9, minute)
    breaks = [(at(9, pause), min(at(9, pause + length), at(13)))]
    whole = overlaps.length(overlaps.worked(start, at(13), breaks))
    parts = [
        overlaps.length(overlaps.worked(a, b, [(max(a, x), min(b, y)) for x, y in breaks]))
        for a, b in ((start, cut), (cut, at(13)))
    ]

    assert sum(parts) == whole


def test_a_split_keeps_worked_time_and_is_undone(add, act, session, ann):
    entry = add(span((9,), (12,), ((10,), (11,)))).entry
    step = edits.split(session, entry, at(10, 30), act)
    parts = recorded.of_days(session, ann, DAY, DAY)
    assert [part.seconds for part in parts] == [3600, 3600]
    undo.take_back(session, ann, step.id, at(18, 1))

    assert [e.seconds for e in recorded.of_days(session, ann, DAY, DAY)] == [7200]


def test_shortening_the_earlier_ends_it_where_the_later_begins(add, act, session):
    early, late = add(span((9,), (11,))).entry, add(span((10, 40), (12,))).entry
    edits.shorten_earlier(session, late, early, act)

    assert early.ended_at == at(10, 40)


def test_typing_into_an_empty_cell_makes_a_length(act, session, ann):
    done = weeks.type_in(session, ann, (None, None), (DAY, 5400), act)

    assert (done.entry.kind, done.entry.seconds) == ("duration", 5400)


def test_typing_over_a_timed_entry_keeps_its_begin(add, act, session, ann):
    entry = add(span((9,), (10,))).entry
    weeks.type_in(session, ann, (None, None), (DAY, 5400), act)

    assert (entry.started_at, entry.ended_at, entry.seconds) == (at(9), at(10, 30), 5400)


def test_a_cell_of_several_entries_is_opened_instead(add, act, session, ann):
    add(span((9,), (10,)))
    add(span((11,), (12,)))

    with pytest.raises(Conflict, match="several entries"):
        weeks.type_in(session, ann, (None, None), (DAY, 60), act)


def test_clearing_a_cell_puts_its_entry_into_the_trash(add, act, session, ann):
    entry = add(span((9,), (10,))).entry
    weeks.type_in(session, ann, (None, None), (DAY, 0), act)

    assert entry.deleted_at is not None


def test_the_week_adds_up_and_divides_entries_at_midnight(add, act, session, ann):
    add(Times(started_at=at(22) - timedelta(days=1), ended_at=at(1, 30)))
    found = weeks.sheet(session, ann, DAY, act)

    assert found.totals[:3] == [7200, 5400, 0]
    assert sum(found.totals) == sum(row.seconds for row in found.rows) == 12_600


def test_last_weeks_hours_are_copied_into_empty_cells(add, act, session, ann):
    week = timedelta(days=7)
    add(Times(kind="duration", day=DAY - week, seconds=3600))
    made = weeks.copy_hours(session, ann, DAY, act)

    assert [(done.entry.local_date, done.entry.seconds) for done in made] == [(DAY, 3600)]
    assert weeks.copy_hours(session, ann, DAY, act) == []
