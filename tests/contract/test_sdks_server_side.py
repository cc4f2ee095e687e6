"""The official server SDKs, unmodified, newest and old, against a running capture server."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.sdk_server import node_packages, old_python, running

pytestmark = pytest.mark.slow

DRIVERS = Path(__file__).parent / "sdks"


def python_newest(url, options):
    return [sys.executable, DRIVERS / "drive.py", url, json.dumps(options)], {}


def python_old(url, options):
    return [old_python(), DRIVERS / "drive.py", url, json.dumps(options)], {}


def node(package):
    def command(url, options):
        folder = node_packages() / package
        return [
            shutil.which("node"),
            DRIVERS / "drive.mjs",
            folder,
            url,
            json.dumps(options),
        ], {}

    return command


NODE_OLD = node("posthog-node-old")


def v1(command):
    return lambda url, options: (command(url, options)[0], {"POSTHOG_CAPTURE_MODE": "v1"})


@pytest.fixture
def server(tmp_path):
    with running(tmp_path) as started:
        yield started


@pytest.mark.parametrize(
    ("command", "options"),
    [
        pytest.param(python_newest, {}, id="python newest"),
        pytest.param(python_newest, {"gzip": True}, id="python newest gzip"),
        pytest.param(python_newest, {"sync_mode": True}, id="python newest sync"),
        pytest.param(v1(python_newest), {}, id="python newest v1"),
        pytest.param(python_old, {}, id="python 3.6.6"),
        pytest.param(python_old, {"gzip": True}, id="python 3.6.6 gzip"),
        pytest.param(node("posthog-node-newest"), {}, id="node newest"),
        pytest.param(
            node("posthog-node-newest"), {"disableCompression": True}, id="node plain"
        ),
        pytest.param(v1(node("posthog-node-newest")), {}, id="node newest v1"),
        pytest.param(NODE_OLD, {}, id="node 3.6.3"),
    ],
)
def test_a_server_sdk_delivers_everything_once_and_without_a_complaint(
    server, command, options
):
    arguments, environment = command(server.url, options)

    ran = subprocess.run(
        [str(part) for part in arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env=environment,
    )

    events = server.wait_for("signed up", "$create_alias", "$groupidentify", "bulk")
    named = {event.name: event for event in events}
    bulk = [event.properties["n"] for event in events if event.name == "bulk"]
    assert json.loads(ran.stdout.splitlines()[-1]) == {}
    assert "error" not in ran.stderr.lower()
    assert sorted(bulk) == list(range(len(bulk)))
    assert len(bulk) in (60, 150)
    assert len({event.uuid for event in events}) == len(events)
    assert "never sent" not in named
    assert named["signed up"].distinct_id == "ann"
    assert named["signed up"].properties["plan"] == "pro"
    assert named["in a group"].properties["$groups"] == {"company": "acme"}
    assert named["$create_alias"].properties["alias"] in ("ann", "anon-77")
    assert named["$groupidentify"].properties["$group_set"] == {"name": "Acme", "seats": 20}
    people = [event for event in events if event.set]
    assert {"email": "a@b.c"} in [event.set for event in people]
    if command is not NODE_OLD:  # it knows no $set_once: all it is given becomes $set
        assert any(event.set_once.get("first") == "2026" for event in events)


def test_what_was_sent_while_the_server_was_away_arrives_once_it_is_back(tmp_path):
    with running(tmp_path) as first:
        port = first.port
    script = (
        "import posthog, sys\n"
        "c = posthog.Posthog('phc_test', host=sys.argv[1])\n"
        "c.capture('while away', distinct_id='ann')\n"
        "c.shutdown()\n"
    )
    url = f"http://127.0.0.1:{port}"
    sender = subprocess.Popen([sys.executable, "-c", script, url], env={})

    with running(tmp_path, port=port) as second:
        assert sender.wait(30) == 0
        assert [event.name for event in second.events()] == ["while away"]
