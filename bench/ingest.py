"""How many events per second are acknowledged, beside the same server without a disk?

    python bench/ingest.py [--seconds 3] [--rounds 3]

Three servers take turns (`bench/ingest_server.py`), each by itself, under `wrk` with 64
connections: single events as JSON, and batches of 100 as gzip. Figures are medians, and
ratios to the bare endpoint of the same run: only those travel to another machine. Beside
the rate stands the processor time that the server spent on a request, which other work
on the machine disturbs least.
"""

import argparse
import gzip
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

ROOT = Path(__file__).parent.parent
PORT = 8977
SERVERS = ("bare", "volatile", "durable")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def event(number: int) -> dict[str, Any]:
    """Return one event of about 400 bytes, as the Python SDK sends it."""
    return {
        "event": "timer started",
        "distinct_id": f"user-{number % 1000}",
        "uuid": str(UUID(int=(0x01A2098D << 96) + (7 << 76) + (2 << 62) + number)),
        "timestamp": "2026-11-23T17:55:26.599517+00:00",
        "properties": {
            "plan": "pro",
            "project_count": number % 50,
            "$os": "Linux",
            "$os_version": "12",
            "$python_version": "3.11.7",
            "$lib": "posthog-python",
            "$lib_version": "7.91.1",
            "$geoip_disable": True,
        },
    }


def bodies() -> Iterator[tuple[str, bytes, int]]:
    """Return name, body and events of each kind of request."""
    batch = {"api_key": "phc_bench", "batch": [event(n) for n in range(100)]}
    yield "1 event", json.dumps({**event(1), "api_key": "phc_bench"}).encode(), 1
    yield "100 events, gzip", gzip.compress(json.dumps(batch).encode()), 100


@contextmanager
def served(name: str, folder: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run one of the servers."""
    command = [sys.executable, "-m", "bench.ingest_server", name, str(PORT)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, cwd=folder, env=environment)
    try:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}/flags/definitions").close()
                break
            except OSError:
                time.sleep(0.1)
        yield process
    finally:
        process.terminate()
        process.wait(20)


def cpu_s(process: subprocess.Popen[bytes]) -> float:
    """Return the processor time of the server so far."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def measured(name: str, body: bytes, seconds: int) -> tuple[float, float, float, float]:
    """Return requests per second, p50 and p99 in ms, and processor time in µs each."""
    with tempfile.TemporaryDirectory() as folder, served(name, folder) as process:
        (Path(folder) / "body").write_bytes(body)
        script = Path(folder) / "post.lua"
        script.write_text(
            'wrk.method = "POST"\n'
            'wrk.headers["Content-Type"] = "text/plain"\n'
            'wrk.body = io.open("body", "rb"):read("*a")\n'
        )
        before = cpu_s(process)
        command = [shutil.which("wrk"), "-t1", "-c64", f"-d{seconds}s", "--latency"]
        command += ["-s", str(script), f"http://127.0.0.1:{PORT}/batch/"]
        said = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=True
        )
        spent_s = cpu_s(process) - before
    if "Non-2xx" in said.stdout:
        raise SystemExit(said.stdout)
    requests = int(re.search(r"(\d+) requests in", said.stdout)[1])
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", said.stdout)[1])
    return rate, _ms(said.stdout, "50%"), _ms(said.stdout, "99%"), spent_s / requests * 1e6


def _ms(text: str, percentile: str) -> float:
    value, unit = re.search(rf"{percentile}\s+([\d.]+)(us|ms|s)", text).groups()
    return float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    for kind, body, events in bodies():
        found = {name: [] for name in SERVERS}
        for _ in range(chosen.rounds):
            for name in SERVERS:  # interleaved: the machine's moods hit all alike
                found[name].append(measured(name, body, chosen.seconds))
        medians = {
            name: [statistics.median(column) for column in zip(*rows, strict=True)]
            for name, rows in found.items()
        }
        print(f"\n{kind} ({len(body)} bytes)")
        print(f"{'':10}{'requests/s':>12}{'ratio':>8}{'events/s':>12}", end="")
        print(f"{'p50 ms':>9}{'p99 ms':>9}{'CPU µs':>9}")
        for name, (rate, p50, p99, cpu) in medians.items():
            ratio = rate / medians["bare"][0]
            print(f"{name:10}{rate:12,.0f}{ratio:8.2f}{rate * events:12,.0f}", end="")
            print(f"{p50:9.1f}{p99:9.1f}{cpu:9.0f}")


if __name__ == "__main__":
    main()
