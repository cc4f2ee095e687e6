"""A server as it is started: ready, stopped, killed, copied while running."""

import json
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from tests.contract.server import HEDGEROW, Server

pytestmark = pytest.mark.slow
EVENT = {"event": "sign up", "distinct_id": "ann"}
TRENDS = {"kind": "TrendsQuery", "series": [{"kind": "EventsNode", "event": "sign up"}]}


@pytest.fixture
def server(tmp_path):
    made = Server(tmp_path / "data")
    yield made
    if made.process and made.process.poll() is None:
        made.stop()


def log(server):
    return (server.folder.parent / f"{server.folder.name}.log").read_text()


def capture(server, count):
    body = {"api_key": server.made["project_token"], "batch": [EVENT] * count}
    request = urllib.request.Request(
        f"{server.url}/batch/",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=30).close()


def counted(server):
    server.call("POST", "ingestion/flush", {})
    return server.ask(TRENDS)[0]["count"]


def test_the_first_start_prints_a_link_to_set_it_up(server):
    server.start()

    assert f"{server.url}/setup/" in log(server)


def test_a_server_that_is_set_up_prints_no_link(server):
    server.init()
    server.start()

    assert "/setup/" not in log(server)


def test_a_stop_keeps_everything_and_ends_with_zero(server):
    server.init()
    server.start()
    capture(server, 50)

    assert server.stop() == 0
    server.start()
    assert counted(server) == 50


def test_a_kill_loses_nothing_that_was_acknowledged(server):
    server.init()
    server.start()
    capture(server, 50)
    server.process.send_signal(signal.SIGKILL)
    server.process.wait(30)

    server.start()
    assert counted(server) == 50
    assert "ended without a clean stop; nothing is lost" in log(server)


def test_a_port_that_is_taken_is_named(server):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        done = subprocess.run(
            [HEDGEROW, "serve", "--data", str(server.folder), "--port", port],
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 1
    assert port in done.stderr
    assert "--port" in done.stderr


def test_the_command_line_reaches_a_running_server(server, tmp_path):
    server.init()
    server.start()
    capture(server, 3)
    counted(server)

    def run(*words, text=""):
        done = subprocess.run(
            [HEDGEROW, "--data", str(server.folder), *words],
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    total = json.dumps({"kind": "EventsQuery", "select": ["count() -- n"], "after": "all"})
    assert run("query", "-", "--format", "csv", text=total).split() == ["n", "3"]
    assert len(run("export", "events").splitlines()) == 3
    copy = tmp_path / "copy"
    run("backup", str(copy))
    assert {one.name for one in copy.iterdir()} >= {"events.duckdb", "inbox.sqlite3"}
    assert "A server runs" in run("check")
    assert "for ever" in run("expire", "--dry-run")
    server.call("PATCH", "", {"retention_days": 1})
    assert "0 events too old" in run("expire")
    assert "0 of 3 are" in run("compact")
    run("restore", str(copy), "--data", str(tmp_path / "again"))
    shown = run(
        "query", "-", "--format", "csv", "--data", str(tmp_path / "again"), text=total
    )
    assert shown.split() == ["n", "3"]


def test_a_start_loads_nothing_that_it_may_never_need():
    wanted = (
        "import sys, hedgerow.cli.program; print(*{n.split('.')[0] for n in sys.modules})"
    )
    loaded = subprocess.check_output([sys.executable, "-c", wanted], text=True).split()

    assert "uvicorn" in loaded
    assert {"alembic", "fpdf", "mako", "xlsxwriter"}.isdisjoint(loaded)
