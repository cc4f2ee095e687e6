"""Sums that are kept are those of the entries, whatever is written and however."""

import random
import shutil
import tempfile
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from app import jobs
from app.models import Database
from app.models.entries import TimeEntry, entry_tags
from app.models.sums import Slice, SliceChange
from app.models.work import Client, Project, Rate, Tag, Task
from app.people import accounts
from app.reports import answer, sliced, slicing
from app.reports import seen as looking
from app.reports.filters import Question
from app.settings import Settings
from app.tracking.days import DAY

from .postgres import cluster, laid_postgres

__all__ = ["cluster", "laid_postgres"]  # fixtures of this module, too

NOW = datetime(2025, 3, 20, 10, 0, tzinfo=UTC)
FIRST = date(2025, 1, 1)
RULES = Settings(timezone="Europe/Berlin", users_see_rates=True)
NAMES = (("project",), ("client", "user"), ("tag", "month"), ("week", "billable"), (),
         ("client", "project", "user", "worth"), ("task", "month"), ("user", "day"))  # fmt: skip
RANGES = ((date(2025, 1, 1), date(2025, 3, 31)), (date(2025, 1, 7), date(2025, 3, 2)),
          (date(2025, 1, 31), date(2025, 3, 1)))  # fmt: skip
NARROWED = ({}, {"projects": (1, 0)}, {"clients": (1,)}, {"users": (2,)}, {"tags": (1,)},
            {"billable": True}, {"archived": False}, {"rounding": "exact"},
            {"text": "a"}, {"tasks": (1,), "billable": False})  # fmt: skip


def _move(session, chance):
    session.execute(
        update(TimeEntry)
        .where(TimeEntry.id % 7 == chance.randrange(7))
        .values(local_date=FIRST + chance.randrange(80) * DAY, user_id=_person(chance))
    )


def _lengthen(session, chance):
    for entry in session.scalars(select(TimeEntry).limit(3)):
        entry.seconds = chance.randrange(60, 20_000)
        entry.billable = not entry.billable


def _remove(session, chance):
    session.execute(delete(TimeEntry).where(TimeEntry.id % 9 == chance.randrange(9)))


def _bin(session, chance):
    picked = TimeEntry.id % 5 == chance.randrange(5)
    session.execute(update(TimeEntry).where(picked).values(deleted_at=NOW))


def _split(session, chance):
    """Make two of each of some entries."""
    for entry in list(session.scalars(select(TimeEntry).where(TimeEntry.id % 11 == 3))):
        part = chance.randrange(entry.seconds + 1)
        entry.seconds -= part
        session.add(_entry(chance, seconds=part, user_id=entry.user_id))


def _retag(session, chance):
    session.execute(delete(entry_tags).where(entry_tags.c.tag_id == 1))
    numbers = list(session.scalars(select(TimeEntry.id)))
    known = set(session.scalars(select(entry_tags.c.entry_id)))
    fresh = [n for n in chance.sample(numbers, len(numbers) // 3) if n not in known]
    if fresh:
        both = [{"entry_id": number, "tag_id": 1} for number in fresh]
        session.execute(insert(entry_tags), both)


def _merge_tags(session, _chance):
    session.execute(update(entry_tags).where(entry_tags.c.tag_id == 1).values(tag_id=3))


def _travel(session, chance):
    """Record some across midnight, in another zone."""
    for entry in session.scalars(select(TimeEntry).where(TimeEntry.id % 4 == 1)):
        start = datetime(2025, 2, 1, chance.randrange(24), 30, tzinfo=UTC)
        entry.kind, entry.timezone = "timed", "Pacific/Auckland"
        entry.started_at, entry.seconds = start, chance.randrange(60, 90_000)
        entry.ended_at = start + timedelta(seconds=entry.seconds)
        entry.local_date = start.astimezone(looking.zone(entry.timezone)).date()


def _price(session, chance):
    since = FIRST + chance.randrange(90) * DAY
    new = Rate(scope="client", client_id=1, amount=chance.randrange(99_999),
               currency="EUR", valid_from=since)  # fmt: skip
    session.add(new)


def _forget_rates(session, _chance):
    session.execute(delete(Rate).where(Rate.scope == "client"))


def _round_project(session, chance):
    project = session.get_one(Project, chance.randrange(1, 4))
    project.rounding_minutes = chance.choice([None, 0, 6, 30])
    project.rounding_method = chance.choice([None, "up", "down"])


def _give_away(session, chance):
    project = session.get_one(Project, chance.randrange(1, 4))
    project.client_id = chance.choice([None, 1, 2])


def _archive(session, chance):
    session.get_one(Project, chance.randrange(1, 4)).archived_at = NOW


ACTS = (_move, _lengthen, _remove, _bin, _split, _retag, _merge_tags, _travel, _price,
        _forget_rates, _round_project, _give_away, _archive)  # fmt: skip


def _person(chance):
    return chance.randrange(1, 4)


def _entry(chance, **fields):
    project = chance.choice([None, 1, 2, 3])
    fields = {"user_id": _person(chance), "seconds": chance.randrange(20_000), **fields}
    return TimeEntry(
        kind="duration",
        timezone="Europe/Berlin",
        local_date=FIRST + chance.randrange(80) * DAY,
        project_id=project,
        task_id=1 if project == 1 else None,
        billable=chance.random() < 0.6,
        rate_override=chance.choice([None, None, 4321]),
        description=chance.choice("ab"),
        **fields,
    )


def fill(session, chance, number=40):
    for name in ("ann", "bob", "cid"):
        role = "manager" if name == "ann" else "user"
        accounts.make(session, accounts.NewUser(username=name, role=role), RULES)
    clients = [Client(name="Euro", currency="EUR"), Client(name="Other")]
    session.add_all([*clients, *(Tag(name=name) for name in ("red", "blue", "green"))])
    session.flush()
    session.add_all(Project(name=name, client_id=1 + (name == "B")) for name in "ABC")
    session.flush()
    session.add(Task(name="T", project_id=1))
    session.add(Rate(scope="client", client_id=1, amount=9501, currency="EUR",
                     valid_from=FIRST))  # fmt: skip
    session.add(Rate(scope="project", project_id=2, amount=12_345, currency="CHF",
                     valid_from=FIRST))  # fmt: skip
    session.flush()
    session.add_all(_entry(chance) for _ in range(number))
    session.flush()
    tagged = chance.sample(range(1, number + 1), number // 2)
    rows = [{"entry_id": n, "tag_id": t} for n in tagged for t in (1, 2) if n % 2 or t == 1]
    session.execute(insert(entry_tags), rows)


def ask(session, rules, chance, number):
    """Return answers to some questions, as found with kept sums and without."""
    manager = session.get_one(accounts.User, 1)
    found = []
    for _ in range(number):
        first, last = chance.choice(RANGES)
        asked = Question(range="custom", first=first, last=last, **chance.choice(NARROWED))
        seen = looking.look(session, manager, asked, NOW, rules)
        names = chance.choice(NAMES)
        alone = looking.replace(seen, mark="")
        both = [answer.grouped(session, one, names, bars=True) for one in (seen, alone)]
        found.append((asked, names, *both))
    return found


STEPS = st.lists(st.sampled_from([*ACTS, "add up", "ask"]), min_size=2, max_size=9)


@pytest.fixture(scope="module")
def laid(empty_file, tmp_path_factory):
    """A file with entries of which nothing has been added up."""
    path = tmp_path_factory.mktemp("kept") / "laid.db"
    shutil.copy(empty_file, path)
    database = Database(f"sqlite:///{path}")
    with database.writing() as session:
        fill(session, random.Random(7))
    database.close()
    return path


@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink would take minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    steps=STEPS,
    seed=st.integers(0, 1000),
    minutes=st.sampled_from([0, 15]),
    level=st.sampled_from(["entry", "entry", "day"]),
)
def test_reports_are_the_same_with_kept_sums_whatever_was_written(
    laid, steps, seed, minutes, level
):
    rules = Settings(users_see_rates=True, rounding_minutes=minutes, rounding_level=level)
    with tempfile.TemporaryDirectory(dir=laid.parent) as folder:
        shutil.copy(laid, f"{folder}/time.db")
        database = Database(f"sqlite:///{folder}/time.db")
        try:
            walk(database, rules, random.Random(seed), [*steps, "ask", "add up", "ask"])
        finally:
            database.close()


def walk(database, rules, chance, steps):
    slicing.bring_up_to_date(database, rules)
    for step in steps:
        if step == "add up":
            slicing.bring_up_to_date(database, rules)
            with database.reading() as session:
                assert not slicing.waiting(session, rules)
        elif step == "ask":
            with database.reading() as session:
                assert list(slicing.differing(session, rules)) == []
                for asked, names, kept, alone in ask(session, rules, chance, 3):
                    assert kept == alone, (asked, names)
        else:
            with database.writing() as session:
                step(session, chance)


@pytest.fixture
def made(laid, tmp_path):
    shutil.copy(laid, tmp_path / "timetracker.db")
    database = Database(f"sqlite:///{tmp_path}/timetracker.db")
    yield database
    database.close()


def test_a_years_report_reads_no_entry_once_all_is_added_up(made, monkeypatch):
    slicing.bring_up_to_date(made, RULES)
    monkeypatch.setattr(sliced.facts, "gather", None)
    monkeypatch.setattr(sliced.facts, "by_day", None)
    with made.reading() as session:
        manager = session.get_one(accounts.User, 1)
        asked = Question(range="this_year", group=("client", "user"))
        found = answer.summary(session, manager, asked, NOW, RULES)
    assert (found.total.entries, len(found.groups)) == (40, 3)


def test_a_change_is_noted_and_only_that_month_and_day_are_added_up_again(made):
    slicing.bring_up_to_date(made, RULES)
    with made.writing() as session:
        entry = session.scalars(select(TimeEntry)).first()
        entry.description = "no figure of a sum"
        session.flush()
        assert not slicing.waiting(session, RULES)
        entry.seconds += 60
        session.flush()
        month = entry.local_date.replace(day=1)
        noted = set(session.execute(select(SliceChange.person, SliceChange.begins)).all())
        assert noted == {(entry.user_id, month), (0, entry.local_date)}
    assert slicing.bring_up_to_date(made, RULES) == 2


def test_another_rate_or_rule_asks_for_all_sums_anew(made):
    number = slicing.bring_up_to_date(made, RULES)
    with made.writing() as session:
        _price(session, random.Random(1))
    assert slicing.bring_up_to_date(made, RULES) == number
    assert slicing.bring_up_to_date(made, Settings(rounding_minutes=15)) == number


def test_a_kept_sum_that_is_wrong_is_found_and_made_anew(made):
    slicing.bring_up_to_date(made, RULES)
    with made.writing() as session:
        session.execute(update(slicing.SliceSum).values(seconds=1))
        assert list(slicing.differing(session, RULES))
        slicing.forget(session)
    slicing.bring_up_to_date(made, RULES)
    with made.reading() as session:
        assert list(slicing.differing(session, RULES)) == []
        assert session.scalars(select(Slice.id)).first()


def test_the_scheduler_adds_up_what_waits():
    assert "sums" in {job.name for job in jobs.JOBS}


@pytest.mark.slow
def test_postgresql_keeps_the_same_sums(cluster, laid_postgres):
    database = Database(cluster.create(laid_postgres))
    chance = random.Random(3)
    with database.writing() as session:
        fill(session, chance)
    slicing.bring_up_to_date(database, RULES)
    for act in ACTS:
        with database.writing() as session:
            act(session, chance)
            assert list(slicing.differing(session, RULES)) == []
            answers = ask(session, RULES, chance, 3)
        assert all(kept == alone for _, _, kept, alone in answers), act
        if chance.random() < 0.5:
            slicing.bring_up_to_date(database, RULES)
    database.close()
