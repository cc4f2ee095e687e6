"""Imports from upload to undo, by the screens and the job behind them."""

import csv
import io
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from app import create_app, jobs
from app.config import Config
from app.exports.text import DANGEROUS, safe
from app.imports import commit
from app.imports.reading import unguarded
from app.models.entries import TimeEntry
from app.models.people import User
from app.models.saved import ImportBatch, ImportRow
from app.models.work import Client, Project, Rate, Tag, Task
from app.people import accounts
from app.settings import Settings

from .conftest import MONDAY, PASSWORD, Browser, Clock

FILES = Path(__file__).parent / "imports_files"
HEADER = "date,hours,description,project,user\n"


def every(app, table):
    with app.extensions["database"].reading() as session:
        return list(session.scalars(select(table).order_by(table.id)))


def living(app):
    return [entry for entry in every(app, TimeEntry) if entry.deleted_at is None]


def made_by_newest(app):
    return [entry for entry in living(app) if entry.import_batch_id == batch(app).id]


def batch(app):
    return every(app, ImportBatch)[-1]


def upload(browser, content, name="time.csv"):
    if isinstance(content, str):
        content = content.encode()
    file = (io.BytesIO(content), name)
    return browser.post("/import", {"file": file})


def plan(browser, app, **answers):
    """Answer what is asked about the newest file, taking what is proposed."""
    number = batch(app).id
    page = browser.get(f"/import/{number}?change=1").get_data(as_text=True)
    form = {**chosen(page), **answers}
    return browser.post(f"/import/{number}/plan", form)


def chosen(page):
    """Return what the form of questions proposes."""
    found = {}
    for select_ in page.split("<select ")[1:]:
        name = select_.split('name="', 1)[1].split('"', 1)[0]
        picked = select_.split("</select>")[0]
        if " selected>" in picked:
            option = picked.split(" selected>")[0].rsplit('value="', 1)[1]
            found.setdefault(name, []).append(option.split('"', 1)[0])
        elif name == "user":
            found.setdefault(name, []).append("0")
    found["name"] = [
        part.split('"', 1)[0] for part in page.split('name="name" value="')[1:]
    ]
    found["zone"] = page.split('name="zone" value="')[1].split('"')[0]
    found["create"] = "1"
    return found


def work(app, clock):
    """Let the scheduler's job run until nothing waits."""
    while jobs._imports_wait(app, clock.now):
        with app.app_context():
            jobs.go_on_importing(app, clock.now)


def imported(browser, app, clock, content, file_name="time.csv", **answers):
    """Bring a file all the way through, and return the import."""
    assert upload(browser, content, file_name).status_code == 200, browser.text
    assert plan(browser, app, **answers).status_code == 200, browser.text
    browser.post(f"/import/{batch(app).id}/commit")
    work(app, clock)
    return batch(app)


@pytest.fixture(scope="module")
def shared(tmp_path_factory, empty_file, cheap_passwords, compiled):
    """One application for the tests that leave nothing in the way of the others."""
    folder = tmp_path_factory.mktemp("shared")
    shutil.copy(empty_file, folder / "timetracker.db")
    made = create_app(Config(DATA_DIR=folder, APP_ENV="testing"))
    made.extensions["clock"] = Clock(MONDAY)
    made.jinja_env.bytecode_cache = compiled
    with made.extensions["database"].writing() as session:
        new = accounts.NewUser(
            username="ann", role="admin", password=PASSWORD, timezone="Europe/Berlin"
        )
        accounts.make(session, new, Settings())
    yield made
    made.extensions["database"].close()


@pytest.fixture(scope="module")
def ann_there(shared):
    person = Browser(shared.test_client())
    person.sign_in()
    return person


def sample(name):
    return (FILES / name).read_bytes()


@pytest.mark.parametrize(
    ("name", "answers", "created", "error", "seconds"),
    [
        pytest.param("toggl.csv", {}, 4, 1, 5400 + 2700 + 2400, id="Toggl"),
        pytest.param("clockify.csv", {"order": "mdy"}, 2, 0, 15300 + 3600, id="Clockify"),
        pytest.param("kimai.csv", {}, 2, 1, 9000 + 10800, id="Kimai"),
    ],
)
def test_a_file_of_another_program_becomes_entries(
    ann_there, shared, clock, name, answers, created, error, seconds
):
    done = imported(ann_there, shared, clock, sample(name), name, **answers)

    assert (done.state, done.source) == ("done", name.partition(".")[0])
    counts = done.counts
    assert (counts["created"], counts["error"]) == (created, error)
    assert counts["rows"] == counts["done"] == created + error
    assert sum(entry.seconds for entry in made_by_newest(shared)) == seconds
    assert {entry.source for entry in made_by_newest(shared)} == {"import"}


def test_the_dry_run_shows_what_would_be_made_and_makes_nothing(browser, app):
    upload(browser, sample("toggl.csv"))
    plan(browser, app)

    assert "Import 4 entries" in browser.text
    assert "Acme" in browser.text
    assert "It has no end: it was still running." in browser.text
    assert every(app, TimeEntry) == every(app, Project) == every(app, Client) == []


def test_what_is_missing_is_made_once(browser, app, clock):
    imported(browser, app, clock, sample("toggl.csv"))

    assert "Look at the entries" in browser.get(f"/import/{batch(app).id}").text
    assert [one.name for one in every(app, Client)] == ["Acme"]
    assert [one.name for one in every(app, Project)] == ["Website"]
    assert [one.name for one in every(app, Task)] == ["Draft"]
    assert {one.name for one in every(app, Tag)} == {"deep", "paper"}


def test_a_file_imported_twice_adds_nothing(browser, app, clock):
    imported(browser, app, clock, sample("toggl.csv"))
    again = imported(browser, app, clock, sample("toggl.csv"))

    assert (again.counts["created"], again.counts["duplicate"]) == (0, 4)
    assert len(living(app)) == 4


def test_two_equal_rows_of_one_file_both_count(browser, app, clock):
    imported(browser, app, clock, sample("toggl.csv"))

    assert [entry.description for entry in living(app)].count("Reading") == 2


def test_undo_takes_back_what_nobody_changed(browser, app, clock):
    done = imported(browser, app, clock, sample("toggl.csv"))
    with app.extensions["database"].writing() as session:
        changed = session.get(TimeEntry, living(app)[0].id)
        changed.description = "Mine now"
        changed.touch()
    browser.post(f"/import/{done.id}/undo")

    assert [entry.description for entry in living(app)] == ["Mine now"]
    assert batch(app).counts["changed"] == 1
    assert "1 entry was changed since and stays" in browser.text
    again = imported(browser, app, clock, sample("toggl.csv"))
    assert (again.counts["created"], again.counts["duplicate"]) == (3, 1)


def test_undo_takes_along_what_it_made_and_nothing_uses(browser, app, clock):
    done = imported(browser, app, clock, sample("toggl.csv"))
    assert every(app, Project)
    assert every(app, Tag)
    browser.post(f"/import/{done.id}/undo")

    assert [every(app, table) for table in (Client, Project, Task, Tag)] == [[], [], [], []]
    assert "went with them" in browser.text
    assert all(e.seconds and e.project_id is None for e in every(app, TimeEntry))


def _keep_entry(session):
    session.scalars(select(TimeEntry)).first().touch()


def _own_task(session):
    project = session.scalars(select(Project).order_by(Project.id)).first()
    session.add(Task(project_id=project.id, name="Mine"))


def _rate(session):
    project = session.scalars(select(Project).order_by(Project.id)).first()
    session.add(
        Rate(scope="project", project_id=project.id, amount=1, currency="EUR",
             valid_from=MONDAY.date())
    )  # fmt: skip


@pytest.mark.parametrize(
    "use",
    [
        pytest.param(_keep_entry, id="an entry that was changed since"),
        pytest.param(_own_task, id="a task made by hand"),
        pytest.param(_rate, id="a rate"),
    ],
)
def test_undo_keeps_a_project_that_is_used(browser, app, clock, use):
    done = imported(browser, app, clock, sample("toggl.csv"))
    with app.extensions["database"].writing() as session:
        use(session)
    browser.post(f"/import/{done.id}/undo")

    assert len(every(app, Project)) == 1
    assert len(every(app, Client)) <= 1


def test_undo_keeps_what_was_there_before(browser, app, clock):
    with app.extensions["database"].writing() as session:
        session.add(Tag(name="deep"))
    done = imported(browser, app, clock, sample("toggl.csv"))
    browser.post(f"/import/{done.id}/undo")

    assert [tag.name for tag in every(app, Tag)] == ["deep"]


@pytest.mark.parametrize(
    "text",
    [
        "=1+2",
        "'=1+2",
        "''=1+2",
        "+49 30",
        "-5",
        "@you",
        "'",
        "''",
        "'quoted'",
        "it's",
        "\t=x",
        "'\t",
    ],
)
def test_the_apostrophe_of_our_export_is_taken_off_again(text):
    assert unguarded(safe(text)) == text


@given(st.text(alphabet="'=+-@\t\ra", max_size=6))
def test_no_text_is_changed_by_going_out_and_coming_back(text):
    kept = safe(text)

    assert unguarded(kept) == text
    assert not kept.startswith(DANGEROUS)


def test_undo_leaves_locked_days_alone(browser, app, clock):
    done = imported(browser, app, clock, sample("toggl.csv"))
    app.config["LOCK_BEFORE"] = "2025-10-01"
    browser.post(f"/import/{done.id}/undo")

    assert {str(entry.local_date) for entry in living(app)} == {"2025-10-01"}
    assert batch(app).counts["locked"] == 2


def test_undo_works_for_thirty_days(browser, app, clock):
    done = imported(browser, app, clock, sample("own.csv"), **OWN)
    with app.extensions["database"].writing() as session:
        kept = session.get(ImportBatch, done.id)
        kept.created_at = clock.now - commit.UNDO_FOR * 2

    assert browser.post(f"/import/{done.id}/undo").status_code == 409
    assert len(living(app)) == 2


OWN = {"column-0": "date", "column-1": "duration", "column-2": "description",
       "column-3": "", "order": "dmy", "name": [""], "user": ["1"]}  # fmt: skip


def test_any_csv_is_mapped_by_hand_and_the_mapping_is_kept(browser, app, clock):
    done = imported(browser, app, clock, sample("own.csv"), "own.csv", **OWN)

    assert done.source == "generic"
    assert [(e.description, e.seconds, str(e.local_date)) for e in living(app)] == [
        ("=SUM(1)", 5400, "2025-06-05"),
        ("Tidy", 900, "2025-06-07"),
    ]
    assert [row.problem for row in every(app, ImportRow)][2] == "hours: Its length is 0."
    upload(browser, sample("own.csv"))
    assert chosen(browser.text)["column-1"] == ["duration"]


def test_an_order_of_day_and_month_that_could_be_either_is_asked(ann_there, shared):
    upload(ann_there, sample("clockify.csv"))
    assert "the month" in ann_there.text
    assert plan(ann_there, shared).status_code == 422
    assert "whether the day or the month comes first" in ann_there.text


@pytest.mark.parametrize(
    ("config", "cells", "problem"),
    [
        pytest.param({"LOCK_BEFORE": "2025-10-10"}, "2025-10-10,1", "locked", id="locked"),
        pytest.param({}, "2025-10-21,1", "in the future", id="tomorrow"),
        pytest.param({}, "2025-10-20,25", "longer than 24 hours", id="too long"),
        pytest.param({}, "2025-10-20,-1", "is no duration", id="no length"),
        pytest.param({"ENTRY_KINDS": "timed"}, "2025-10-20,1", "not used here", id="kind"),
    ],
)
def test_a_row_against_a_rule_is_left_out_with_line_and_column(
    ann_there, shared, monkeypatch, config, cells, problem
):
    for name, value in config.items():
        monkeypatch.setitem(shared.config, name, value)
    upload(ann_there, f"{HEADER}{cells},Plan,,\n")
    plan(ann_there, shared)

    assert batch(shared).counts["error"] == 1
    found = batch(shared).counts["problems"][0]
    assert found["line"] == 2
    assert problem in found["problem"]


def test_overlaps_are_left_out_where_they_are_forbidden(browser, app, clock):
    app.config["OVERLAP_POLICY"] = "forbid"
    done = imported(browser, app, clock, sample("toggl.csv"))

    assert (done.counts["created"], done.counts["error"]) == (3, 2)


@pytest.fixture
def ben(app):
    """A user who may import for himself only, at a browser."""
    with app.extensions["database"].writing() as session:
        new = accounts.NewUser(
            username="ben", role="user", password=PASSWORD, timezone="Europe/Berlin"
        )
        accounts.make(session, new, Settings())
        session.add(Project(name="Secret", visibility="members"))
    person = Browser(app.test_client())
    person.sign_in("ben")
    return person


def test_a_user_imports_for_nobody_else(ben, app, clock):
    content = HEADER + "2025-10-20,1,Mine,,ben\n2025-10-20,1,Hers,,ann\n"
    number = {user.username: user.id for user in every(app, User)}
    names = {"name": ["ben", "ann"], "user": [str(number["ben"]), str(number["ann"])]}
    done = imported(ben, app, clock, content, **names)

    assert [(e.user_id, e.description) for e in living(app)] == [(number["ben"], "Mine")]
    assert (done.counts["created"], done.counts["error"]) == (1, 1)


def test_a_project_one_may_not_see_takes_no_time(ben, app, clock):
    imported(ben, app, clock, HEADER + "2025-10-20,1,Mine,Secret,ben\n")

    assert (
        every(app, ImportRow)[0].problem == "project: 'Secret' is not one of your projects."
    )


def test_a_manager_imports_for_others(browser, ben, app, clock):
    imported(
        browser, app, clock, HEADER + "2025-10-20,1,His,,ben\n2025-10-20,1,Mine,,ann\n"
    )

    assert [entry.user_id for entry in living(app)] == [2, 1]


def test_somebody_elses_import_is_not_there(browser, ben, app):
    upload(browser, sample("toggl.csv"))

    assert ben.get(f"/import/{batch(app).id}").status_code == 404


def test_an_import_stops_goes_on_and_survives_a_restart(browser, app, clock, monkeypatch):
    monkeypatch.setattr(commit, "CHUNK", 3)
    rows = "".join(f"2025-10-{n:02},1,Day,,\n2025-10-{n:02},1,Day,,\n" for n in range(1, 8))
    upload(browser, HEADER + rows)
    plan(browser, app)
    number = batch(app).id
    browser.post(f"/import/{number}/commit")
    database, folder = app.extensions["database"], Path(app.config["DATA_DIR"])
    rules = Settings(timezone="Europe/Berlin")

    def some():  # what one round of a process that then dies would do
        return commit.work(database, number, clock.now, rules, folder=folder, for_s=0)

    assert some() is None
    assert "3 of 14 rows" in browser.get(f"/import/{number}").get_data(as_text=True)
    browser.post(f"/import/{number}/stop")
    assert some() is None
    assert (batch(app).state, len(living(app))) == ("stopped", 3)
    browser.post(f"/import/{number}/commit")
    while batch(app).state == "running":
        some()

    assert (batch(app).state, batch(app).counts["created"]) == ("done", 14)
    assert len({row.hash for row in every(app, ImportRow)}) == 14
    assert not (folder / "imports" / str(number)).exists()


def test_a_file_that_is_gone_fails_the_import_and_says_so(browser, app, clock):
    upload(browser, sample("toggl.csv"))
    plan(browser, app)
    number = batch(app).id
    browser.post(f"/import/{number}/commit")
    (Path(app.config["DATA_DIR"]) / "imports" / str(number) / "file").unlink()
    work(app, clock)

    assert batch(app).state == "failed"
    assert "The file is gone" in browser.get(f"/import/{number}").get_data(as_text=True)


def test_a_file_can_be_given_up(browser, app):
    upload(browser, sample("toggl.csv"))
    number = batch(app).id
    browser.post(f"/import/{number}/discard")

    assert every(app, ImportBatch) == []
    assert not (Path(app.config["DATA_DIR"]) / "imports" / str(number)).exists()


def test_the_report_names_every_row(browser, app, clock):
    done = imported(browser, app, clock, sample("toggl.csv"))
    text = browser.get(f"/import/{done.id}/report.csv").get_data(as_text=True)
    found = list(csv.DictReader(io.StringIO(text)))

    assert [(row["line"], row["outcome"]) for row in found] == [
        *((str(n), "created") for n in range(2, 6)),
        ("6", "error"),
    ]


@pytest.mark.parametrize(
    ("config", "content", "status", "said"),
    [
        pytest.param({"IMPORT_MAX_ROWS": 3}, sample("toggl.csv"), 413, "5 rows", id="rows"),
        pytest.param({"IMPORT_MAX_MB": 0}, sample("toggl.csv"), 413, "larger", id="bytes"),
        pytest.param({}, b"", 422, "no columns", id="nothing"),
        pytest.param({}, b"a,b\n", 422, "no rows", id="no rows"),
        pytest.param({}, b"PK\0\0", 422, "no text file", id="a workbook"),
    ],
)
def test_a_file_that_cannot_be_taken_is_refused(
    ann_there, shared, monkeypatch, config, content, status, said
):
    for name, value in config.items():
        monkeypatch.setitem(shared.config, name, value)
    before = len(every(shared, ImportBatch))

    assert upload(ann_there, content).status_code == status
    assert said in ann_there.text
    assert len(every(shared, ImportBatch)) == before


@pytest.mark.parametrize(("on", "status"), [(True, 200), (False, 403)], ids=["on", "off"])
def test_imports_can_be_switched_off(ann_there, shared, monkeypatch, on, status):
    monkeypatch.setitem(shared.config, "ENABLE_IMPORTS", on)

    assert ann_there.get("/import").status_code == status
    assert ('href="/import"' in ann_there.get("/entries").text) == on
    assert ('href="/import"' in ann_there.get("/profile/more").text) == on


def test_our_own_export_comes_back_as_it_was(browser, app, clock):
    imported(browser, app, clock, sample("toggl.csv"))
    before = fingerprint(app)
    exported = browser.get("/export/entries.csv?range=all").data
    browser.post(f"/import/{batch(app).id}/undo")
    imported(browser, app, clock, exported, "entries.csv")

    assert fingerprint(app) == before


def fingerprint(app):
    """Return what entries say, whatever their numbers."""
    with app.extensions["database"].reading() as session:
        found = session.scalars(
            select(TimeEntry).where(TimeEntry.deleted_at.is_(None))
        ).all()
        return sorted(
            (
                str(e.started_at), str(e.ended_at), str(e.local_date), e.seconds,
                e.project.name if e.project else "", e.task.name if e.task else "",
                e.description, e.billable, tuple(tag.name for tag in e.tags), e.within_day,
            )
            for e in found
        )  # fmt: skip
