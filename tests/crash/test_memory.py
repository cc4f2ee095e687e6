"""A server with little memory under load: it stays within its setting, and loses nothing."""

import gzip
import http.client
import json
import random
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hedgerow.serve.budget import LEAST_MIB, PROGRAM_MIB
from tests.contract.server import serving

pytestmark = pytest.mark.slow

SENDERS = 4
LARGE, LARGE_HEX = 14, 300 * 1024
SMALL_BATCHES, EACH = 8, 500
EVENTS = SENDERS * (LARGE + SMALL_BATCHES * EACH)
QUESTION = {
    "kind": "TrendsQuery",
    "series": [{"event": "small", "math": "total"}],
    "dateRange": {"date_from": "-1d"},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("HEDGEROW_MEMORY_MIB", str(LEAST_MIB))
        with serving(tmp_path_factory.mktemp("memory") / "data") as found:
            yield found


def peak_mib(server):
    """The most memory the process ever had, in MiB."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) // 1024


def bodies(token, number):
    """What one sender sends: large events, each alone, and batches of small ones."""
    dice = random.Random(number)
    for count in range(LARGE):
        text = dice.randbytes(LARGE_HEX).hex()
        event = {"event": "large", "distinct_id": f"u{count}", "properties": {"t": text}}
        yield {"api_key": token, "batch": [event]}
    for count in range(SMALL_BATCHES):
        yield {
            "api_key": token,
            "batch": [
                {"event": "small", "distinct_id": f"u{one}", "properties": {"n": count}}
                for one in range(EACH)
            ],
        }


def send(server, number):
    """Send everything, again after a 503 as SDKs do; return how often that was."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    refused = 0
    for body in bodies(server.made["project_token"], number):
        packed = gzip.compress(json.dumps(body).encode(), 1)
        while True:
            connection.request("POST", "/batch/", packed, {"Content-Encoding": "gzip"})
            answer = connection.getresponse()
            answer.read()
            if answer.status == 200:
                break
            assert answer.status == 503
            assert answer.headers["Retry-After"]
            refused += 1
    connection.close()
    return refused


def test_an_idle_server_takes_no_more_than_the_budget_allows_for(server):
    assert peak_mib(server) < PROGRAM_MIB + 20  # the first start also makes the schema


def test_under_load_memory_stays_within_the_setting_and_nothing_is_lost(server):
    with ThreadPoolExecutor(SENDERS) as pool:
        sending = [pool.submit(send, server, number) for number in range(SENDERS)]
        server.ask(QUESTION)
        during = server.call("GET", "ingestion")
        for one in sending:
            one.result()
    after = server.call("POST", "ingestion/flush", {"timeout_s": 50})

    assert {"lag_events", "lag_ms"} <= during.keys()
    assert (after["written"], after["lag_events"], after["set_aside"]) == (EVENTS, 0, 0)
    assert sum(server.ask(QUESTION)[0]["data"]) == SENDERS * SMALL_BATCHES * EACH
    assert peak_mib(server) < LEAST_MIB
