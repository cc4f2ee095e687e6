"""Every sum equals the sum of its entries: on screen, in each group, in each export."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import openpyxl
import pypdf
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.exports import columns, datasets, document, entries, text, workbook
from app.exports.columns import SUMMED, Sheet
from app.models import Database
from app.models.entries import EntryBreak, TimeEntry
from app.models.work import Client, Project, Rate, Tag, Task
from app.people import accounts
from app.reports import answer, billable, detail, facts, weekly
from app.reports import seen as looking
from app.reports.filters import Question
from app.settings import Settings
from app.tracking import rounding
from app.tracking.days import day_of, zone
from app.tracking.durations import exact

NOW = datetime(2025, 6, 5, 10, 0, tzinfo=UTC)
ZONES = ("Europe/Berlin", "America/New_York", "Pacific/Auckland")
RULES = Settings(timezone="Europe/Berlin", users_see_rates=True)
WEEK = Question(range="custom", first=date(2025, 6, 2), last=date(2025, 6, 8))

ENTRY = st.fixed_dictionaries(
    {
        "minutes": st.integers(
            -4000, 8000
        ),  # from Monday's noon: in, out and across the week
        "seconds": st.integers(60, 100_000),
        "project": st.integers(0, 3),
        "billable": st.booleans(),
        "person": st.integers(0, 1),
        "zone": st.sampled_from(ZONES),
        "override": st.sampled_from([None, None, 4321]),
        "tags": st.sampled_from([(), (0,), (0, 1)]),
        "pause": st.integers(0, 50),
        "plain": st.booleans(),
    }
)
LOOKS = st.builds(
    dict,
    rounding_minutes=st.sampled_from([0, 1, 6, 15, 60]),
    rounding_method=st.sampled_from(rounding.METHODS),
    rounding_minimum=st.sampled_from([0, 10]),
)


class World:
    """Two people, four projects of which one has rules of its own, and rates with a past."""

    def __init__(self, session):
        self.session = session
        new = [
            accounts.make(session, accounts.NewUser(username=name, role=role), RULES)
            for name, role in (("ann", "manager"), ("bob", "user"))
        ]
        self.ann, self.bob = self.people = new
        euro, franc = Client(name="Euro", currency="EUR"), Client(name="Franc")
        self.projects = [
            Project(name="A", client=euro), Project(name="B", client=franc),
            Project(name="C", rounding_minutes=30, rounding_method="up"), None,
        ]  # fmt: skip
        self.tags = [Tag(name="red"), Tag(name="blue")]
        session.add_all([euro, franc, *self.projects[:3], *self.tags])
        session.flush()
        session.add(Task(name="T", project=self.projects[0]))
        first, second = date(2020, 1, 1), date(2025, 6, 4)
        session.add_all(
            [
                Rate(scope="client", client_id=euro.id, amount=9500, currency="EUR",
                     valid_from=first),
                Rate(scope="client", client_id=euro.id, amount=10_001, currency="EUR",
                     valid_from=second),
                Rate(scope="project", project_id=self.projects[1].id, amount=12_345,
                     currency="CHF", valid_from=first),
                Rate(scope="project_user", project_id=self.projects[1].id,
                     user_id=self.bob.id, amount=777, currency="CHF", valid_from=first),
            ]
        )  # fmt: skip
        session.flush()

    def fill(self, made):
        """Forget all entries and make these."""
        for table in (EntryBreak, TimeEntry):
            for row in self.session.query(table):
                self.session.delete(row)
        self.session.flush()
        for one in made:
            self.session.add(self._entry(one))
        self.session.flush()
        self.session.expunge_all()
        self.session.add_all(self.people)

    def _entry(self, one):
        start = datetime(2025, 6, 2, 12, 0, tzinfo=UTC) + timedelta(minutes=one["minutes"])
        project = self.projects[one["project"]]
        made = TimeEntry(
            user_id=self.people[one["person"]].id,
            kind="duration" if one["plain"] else "timed",
            timezone=one["zone"],
            local_date=day_of(start, zone(one["zone"])),
            seconds=one["seconds"],
            project_id=project.id if project else None,
            billable=one["billable"],
            rate_override=one["override"],
            description="=1+1",
            tags=[self.session.merge(self.tags[n]) for n in one["tags"]],
        )
        if not one["plain"]:
            pause = min(one["pause"], one["seconds"] - 1)
            made.started_at, made.ended_at = (
                start,
                start + timedelta(seconds=one["seconds"]),
            )
            made.seconds = one["seconds"] - pause
            begin = start + timedelta(seconds=1)
            made.breaks = [
                EntryBreak(started_at=begin, ended_at=begin + timedelta(seconds=pause))
            ]
        return made

    def look(self, question=WEEK, who=None, **rules):
        asked = replace(RULES, **rules)
        return looking.look(self.session, who or self.ann, question, NOW, asked)


@pytest.fixture(scope="module")
def world(empty_file, tmp_path_factory):
    path = tmp_path_factory.mktemp("sums") / "time.db"
    path.write_bytes(empty_file.read_bytes())
    database = Database(f"sqlite:///{path}")
    with database.session(writes=True) as session:
        yield World(session)
    database.close()


def generated(examples):
    shared = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    phases = [Phase.explicit, Phase.reuse, Phase.generate]  # to shrink would take minutes
    return settings(
        max_examples=examples, deadline=None, suppress_health_check=shared, phases=phases
    )


GROUPINGS = (("project",), ("client", "user"), ("user", "day"), ("week", "project"),
             ("task",), ("billable",), billable.LEVELS)  # fmt: skip


def sums_of(groups):
    """Add up groups as Sums."""
    total = answer.Sums()
    for group in groups.values():
        for name in ("seconds", "rounded", "billable", "unpriced"):
            setattr(total, name, getattr(total, name) + getattr(group.sums, name))
        for currency, minor in group.sums.amounts.items():
            total.amounts[currency] = total.amounts.get(currency, 0) + minor
    return total


def figures(sums):
    return sums.seconds, sums.rounded, sums.billable, sums.amounts, sums.unpriced


def every_level(groups):
    yield groups
    for group in groups.values():
        if group.under:
            assert figures(sums_of(group.under)) == figures(group.sums)
            yield from every_level(group.under)


@generated(12)
@given(st.lists(ENTRY, max_size=8), LOOKS)
def test_groups_of_every_kind_and_level_add_up_to_the_total(world, made, rules):
    world.fill(made)
    seen = world.look(**rules)
    whole = answer.grouped(world.session, seen, ()).total

    for names in GROUPINGS:
        found = answer.grouped(world.session, seen, names, bars=True)
        assert figures(found.total) == figures(whole)
        assert figures(sums_of(found.groups)) == figures(whole)
        assert list(every_level(found.groups))
        assert sum(bar.seconds for bar in found.buckets.values()) == whole.seconds


@generated(12)
@given(st.lists(ENTRY, max_size=8), LOOKS, st.sampled_from(["entry", "day"]))
def test_the_lines_of_a_report_add_up_to_its_total(world, made, rules, level):
    world.fill(made)
    seen = world.look(**rules, rounding_level=level)
    whole = answer.grouped(world.session, seen, ()).total
    lines = list(detail.lines(world.session, seen, detail.touching(world.session, seen)))

    assert len(lines) == whole.entries
    assert sum(line.exact for line in lines) == whole.seconds
    assert sum(line.rounded for line in lines) == whole.rounded
    money = {}
    for line in lines:
        if line.currency:
            money[line.currency] = money.get(line.currency, 0) + line.amount
    assert money == whole.amounts
    assert sum(line.rounded for line in lines if line.unpriced) == whole.unpriced


@generated(10)
@given(st.lists(ENTRY, max_size=8), LOOKS, st.booleans())
def test_the_database_adds_up_as_each_entry_by_itself_would(world, made, rules, as_bob):
    world.fill(made)
    seen = world.look(who=world.bob if as_bob else None, **rules)
    questions = [("project", "month"), ("tag", "user"), ("client", "worth"), ()]
    quick = [answer.grouped(world.session, seen, names) for names in questions]
    before, facts.can = facts.can, lambda _seen: False
    try:
        slow = [answer.grouped(world.session, seen, names) for names in questions]
    finally:
        facts.can = before

    for one, other in zip(quick, slow, strict=True):
        assert one.total == other.total
        assert one.groups == other.groups


@generated(10)
@given(st.lists(ENTRY, max_size=8), LOOKS)
def test_time_rounded_by_the_day_is_each_persons_day_on_a_project_rounded(
    world, made, rules
):
    world.fill(made)
    seen = world.look(**rules, rounding_level="day")
    by_entry = world.look(replace(WEEK, rounding="exact"))
    names = ("user", "project", "day")
    rounded = answer.grouped(world.session, seen, names)
    exactly = answer.grouped(world.session, by_entry, names)

    for user, group in exactly.groups.items():
        for project, under in group.under.items():
            rule = seen.rule(project)
            for day, cell in under.under.items():
                shown = rounded.groups[user].under[project].under[day].sums.rounded
                whole = cell.sums.seconds
                assert rule.is_exact or shown == rounding.rounded(whole, rule)
    assert figures(sums_of(rounded.groups)) == figures(rounded.total)


@generated(10)
@given(st.lists(ENTRY, max_size=8), LOOKS, st.sampled_from(weekly.ROWS))
def test_a_week_adds_up_by_row_and_by_day(world, made, rules, by):
    world.fill(made)
    seen = world.look(**rules)
    week = weekly.ask(world.session, seen, by)

    assert len(week.days) == 7
    assert sum(row.total.rounded for row in week.rows) == week.total.rounded
    assert sum(week.by_day.values()) == week.total.rounded
    for row in week.rows:
        assert sum(row.on(day) for day in week.days) == row.total.rounded


def entries_sheet(world, seen, *, printed=False):
    picked = detail.touching(world.session, seen)
    lines = detail.lines(world.session, seen, picked)
    made = entries.rows(lines, detail.names(world.session), dict(seen.clients))
    shown = columns.default("entries", money=True, printed=printed)
    return Sheet(dataset="entries", columns=shown, rows=list(made), sums=SUMMED, title="E")


def as_text(pieces):
    return "".join(pieces)


@generated(12)
@given(st.lists(ENTRY, min_size=1, max_size=8), LOOKS)
def test_exported_entries_add_up_to_the_report_in_every_format(world, made, rules):
    world.fill(made)
    seen = world.look(**rules)
    whole = answer.grouped(world.session, seen, ()).total
    sheet = entries_sheet(world, seen)
    wanted = (whole.entries, whole.seconds, whole.rounded)

    table = list(
        csv.DictReader(io.StringIO(as_text(text.csv_lines(sheet, text.Dialect()))))
    )
    found = json.loads(as_text(text.json_lines(sheet)))["results"]
    book = openpyxl.load_workbook(io.BytesIO(b"".join(workbook.pieces(sheet))))
    rows = list(book["Entries"].iter_rows(values_only=True))
    in_book = [dict(zip(rows[0], row, strict=True)) for row in rows[1:-1]]

    for lines in (table, found, in_book):
        added = [sum(int(line[key]) for line in lines)
                 for key in ("duration_seconds", "rounded_seconds")]  # fmt: skip
        assert (len(lines), *added) == wanted
        assert money_of(lines) == whole.amounts
    foot = dict(zip(rows[0], rows[-1], strict=True))
    assert (foot["duration_seconds"], foot["rounded_seconds"]) == wanted[1:]

    printed = entries_sheet(world, seen, printed=True)
    paper = io.BytesIO(b"".join(document.pieces(printed, document.Paper())))
    last = pypdf.PdfReader(paper).pages[-1].extract_text()
    assert exact(whole.seconds) in last.split("Total")[-1]


def money_of(lines):
    """Add up amounts of exported lines in minor units."""
    money = {}
    for line in lines:
        if line["currency"]:
            minor = round(float(line["amount"]) * 100)
            money[line["currency"]] = money.get(line["currency"], 0) + minor
    return money


@generated(12)
@given(st.lists(ENTRY, min_size=1, max_size=8), LOOKS)
def test_exported_reports_add_up_to_the_screen(world, made, rules):
    world.fill(made)
    seen = world.look(replace(WEEK, group=("client", "user")), **rules)
    whole = answer.grouped(world.session, seen, ()).total
    said = datasets.Words()

    summary = exported(datasets.summary(world.session, seen, plain("summary"), said))
    assert sum(row["duration_seconds"] for row in summary) == whole.seconds
    assert sum(row["rounded_seconds"] for row in summary) == whole.rounded
    for currency, minor in whole.amounts.items():
        cells = [row[f"amount_{currency}"] for row in summary]
        assert round(sum(float(cell) for cell in cells if cell) * 100) == minor

    bill = exported(datasets.to_bill(world.session, seen, plain("billable"), said))
    assert sum(row["billable_seconds"] for row in bill) == whole.billable
    assert sum(row["unpriced_seconds"] for row in bill) == whole.unpriced
    assert money_of(bill) == whole.amounts

    week = datasets.week(world.session, seen, plain("weekly"), "user", said)
    rows = list(week.rows)
    assert sum(row["total"] for row in rows) == whole.rounded


def plain(dataset):
    return Sheet(dataset=dataset, columns=columns.default(dataset, money=True), rows=())


def exported(sheet):
    return json.loads(as_text(text.json_lines(sheet)))["results"]
