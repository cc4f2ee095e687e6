"""A real Hedgerow takes what this installation tells, and knows it as one person."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from app.config import VERSION
from app.telemetry import daily
from app.telemetry import persons as removal
from app.telemetry.send import identify_user

HEDGEROW = str(Path(sys.executable).parent / "hedgerow")


@pytest.fixture
def hedgerow(tmp_path):
    """A server of its own; gives its address, project key and API key."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    given = {"HEDGEROW_DATA": str(tmp_path / "hedgerow"), "HEDGEROW_PORT": str(port)}
    environment = {**os.environ, **given}
    made = subprocess.run(
        [HEDGEROW, "init", "--json", "--email", "a@example.org"],
        env=environment, capture_output=True, check=True, text=True,
    )  # fmt: skip
    keys = json.loads(made.stdout)
    address = f"http://127.0.0.1:{port}"
    with subprocess.Popen([HEDGEROW, "serve"], env=environment) as server:
        until(lambda: answers(address))
        yield address, keys["project_token"], keys["api_key"]
        server.terminate()


def until(ready):
    for _ in range(300):
        found = ready()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("It never came to that.")


def answers(address):
    try:
        return requests.get(address, timeout=1).status_code < 500
    except requests.RequestException:
        return False


@pytest.mark.slow
def test_hedgerow_knows_an_installation_and_a_user_as_the_guide_prints_them(
    app, reporter, say, ann, hedgerow
):
    address, token, key = hedgerow
    app.config.update(ANALYTICS_HOST=address, ANALYTICS_KEY=token)
    say("detailed")
    now = reporter.started_at
    with app.app_context():
        identify_user(ann)

    assert daily.tell(reporter, now) == 6
    reporter.flush()

    def persons():
        answer = requests.get(
            f"{address}/api/projects/1/persons",
            headers={"Authorization": f"Bearer {key}"},
            timeout=5,
        )
        found = {p["distinct_ids"][0]: p["properties"] for p in answer.json()["results"]}
        known = found.get(reporter.fingerprint, {}), found.get("1", {})
        return found if "current_version" in known[0] and "role" in known[1] else None

    found = until(persons)
    assert found[reporter.fingerprint]["current_version"] == VERSION
    assert found[reporter.fingerprint]["last_seen"] == f"{now:%Y-%m-%d %H:%M:%S}"
    assert found["1"]["role"] == "admin"
    assert found["1"]["is_admin"] is True
    assert found["1"]["first_login"] == "2025-01-01T12:00:00"

    app.config.update(ANALYTICS_API_KEY=key, ANALYTICS_PROJECT_ID="1")
    assert "deleted the person 1" in removal.delete(reporter, ann.id)
    assert until(lambda: "knew nobody called 1" in removal.delete(reporter, ann.id))
