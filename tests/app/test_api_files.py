"""Files over the API: downloads that equal the screens', imports from upload to undo."""

import io
from pathlib import Path

import pytest
from sqlalchemy import select

from app import jobs
from app.api.exports import DATASETS
from app.models.entries import TimeEntry

from .api_client import PREFIX, installation, person, program_of

FILES = Path(__file__).parent / "imports_files"


def upload(program, name, **fields):
    return program.client.post(
        f"{PREFIX}/imports",
        headers={"Authorization": f"Bearer {program.token}"},
        data={
            "file": (io.BytesIO((FILES / name).read_bytes()), name),
            "timezone": "Europe/Berlin",
            **fields,
        },
    )


def test_an_import_is_tried_made_and_taken_back(app, clock):
    program = program_of(app)
    tried = upload(program, "toggl.csv")
    assert (tried.status_code, tried.json["state"]) == (201, "planned"), tried.text
    assert (tried.json["created"], tried.json["error"]) == (4, 1)
    assert tried.json["problems"][0]["line"] == 6

    path = f"/imports/{tried.json['id']}"
    assert program.post(f"{path}/commit").json["state"] == "running"
    with app.app_context():
        jobs.go_on_importing(app, clock.now)
    assert program.get(path).json["state"] == "done"
    assert len(program.get("/entries").json["results"]) == 4
    assert program.post(f"{path}/undo").json["state"] == "undone"
    assert program.get("/entries").json["results"] == []
    assert program.get("/imports").json["results"][0]["id"] == tried.json["id"]
    with app.extensions["database"].reading() as session:
        deleted = session.scalars(select(TimeEntry.deleted_at)).all()
    assert deleted == [clock.now] * 4


def test_what_leaves_a_file_open_has_to_be_said(app):
    program = program_of(app)

    assert upload(program, "clockify.csv").status_code == 422
    assert upload(program, "clockify.csv", date_order="mdy").status_code == 201
    assert upload(program, "toggl.csv", timezone="Mars/Base").status_code == 422
    assert upload(program, "own.csv").status_code == 422


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """An installation with some time, for questions that change nothing."""
    made = installation(tmp_path_factory.mktemp("files"), rate=1000)
    person(made, "vic", "viewer")
    program = program_of(made)
    project = program.made("/projects", {"name": "=Site"})
    for day in (18, 19, 20):
        body = {"date": f"2025-10-{day}", "seconds": 600 * day, "project": project["id"]}
        program.made("/entries", body)
    yield made
    made.extensions["database"].close()


@pytest.fixture(scope="module")
def reader(filled):
    return program_of(filled)


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("kind", ["csv", "json", "xlsx"])
def test_every_dataset_is_there_in_every_format(reader, dataset, kind):
    answer = reader.get(f"/exports/{dataset}.{kind}", range="this_month")

    assert answer.status_code == 200, answer.text
    assert f"timetracker-{dataset}" in answer.headers["Content-Disposition"]
    assert answer.data


def test_an_export_has_the_figures_of_the_report(reader):
    rows = reader.get("/exports/entries.json", range="this_month").json["results"]
    report = reader.post("/reports/query", {"range": "this_month"}).json

    assert sum(row["duration_seconds"] for row in rows) == report["total"]["seconds"] > 0


def test_what_a_spreadsheet_would_run_is_guarded_unless_asked(reader):
    guarded = reader.get("/exports/entries.csv", range="this_month").text
    raw = reader.get("/exports/entries.csv", range="this_month", raw="true").text

    assert "'=Site" in guarded
    assert ",=Site" in raw


def test_what_is_no_export_is_not_there(reader, filled):
    assert reader.get("/exports/entries.pdf").status_code == 404
    assert reader.get("/exports/secrets.csv").status_code == 404
    assert program_of(filled, "vic").get("/exports/users.csv").status_code == 403


@pytest.mark.parametrize(
    ("switch", "value", "path", "status"),
    [
        pytest.param("ENABLE_EXPORTS", True, "/exports/entries.csv", 200, id="exports"),
        pytest.param("ENABLE_EXPORTS", False, "/exports/entries.csv", 403, id="no exports"),
        pytest.param("EXPORT_MAX_ROWS", 2, "/exports/entries.csv", 413, id="too many"),
        pytest.param("ENABLE_IMPORTS", True, "/imports", 200, id="imports"),
        pytest.param("ENABLE_IMPORTS", False, "/imports", 403, id="no imports"),
    ],
)
def test_switches_close_files(reader, filled, monkeypatch, switch, value, path, status):
    monkeypatch.setitem(filled.config, switch, value)

    assert reader.get(path).status_code == status
