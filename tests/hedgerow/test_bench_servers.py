"""What ``make bench`` compares starts and answers: it stands on the inside of capture."""

import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

BENCH = Path(__file__).parents[2] / "bench" / "ingest_server.py"


def a_free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def answered(server, port, body):
    """Return the status of a capture, once the server is there; None: it has ended."""
    asked = Request(
        f"http://127.0.0.1:{port}/batch/",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    while server.poll() is None:
        try:
            with urlopen(asked, timeout=30) as answer:
                return answer.status
        except URLError:
            time.sleep(0.05)
    return None


@pytest.mark.slow
@pytest.mark.parametrize("name", ["durable", "volatile", "bare"])
def test_a_server_that_is_measured_takes_an_event(tmp_path, name):
    port = a_free_port()
    event = {"event": "a", "distinct_id": "ann", "properties": {}}
    with subprocess.Popen(
        [sys.executable, str(BENCH), name, str(port)], cwd=tmp_path
    ) as server:
        try:
            body = {"api_key": "phc_bench", "batch": [event]}
            assert answered(server, port, body) == 200
        finally:
            server.terminate()
