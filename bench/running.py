"""What does a running server need, and how soon can what it acknowledged be asked about?

    python bench/running.py [--rates 5000,20000] [--seconds 20]

Starts the real server on a new folder: time until it is ready, memory while idle. Then, at
each rate, senders keep the pace with gzip batches of a hundred, one reader loads a
dashboard's four tiles again and again, and one prober sends an event by itself and asks to be
told when it can be queried: that is the lag. Each figure stands beside one of the same run:
lag beside the time to acknowledge the probe, reading under load beside reading at rest,
bytes on disk beside bytes sent, the start beside the import of the libraries alone.
"""

import argparse
import gzip
import http.client
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from load import event

PEOPLE = 20_000
BATCH = 100
SENDERS = 8
LIBRARIES = (
    "import duckdb, sqlalchemy.orm, alembic.command, sqlglot, starlette.routing, uvicorn"
)
TILES = [
    {"kind": "TrendsQuery", "series": [{"event": None}], "interval": "hour"},
    {"kind": "TrendsQuery", "series": [{"event": "$pageview", "math": "dau"}]},
    {
        "kind": "TrendsQuery",
        "series": [{"event": "timer started"}],
        "breakdownFilter": {"breakdown": "plan", "breakdown_type": "event"},
    },
    {
        "kind": "FunnelsQuery",
        "series": [{"event": "timer started"}, {"event": "report viewed"}],
    },
]
Made = dict[str, Any]


class Asking:
    """One kept connection."""

    def __init__(self, port: int, key: str = "") -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._headers = {"Content-Type": "application/json"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"

    def post(self, path: str, body: bytes) -> float:
        """Return the seconds until the answer was read; end when it is a refusal."""
        began = time.perf_counter()
        self._http.request("POST", path, body, self._headers)
        answer = self._http.getresponse()
        said = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status} {said[:300]!r}")
        return time.perf_counter() - began


def hedgerow(folder: Path, *words: str) -> list[str]:
    """Return the command line of a command."""
    return [sys.executable, "-m", "hedgerow", "--data", str(folder), *words]


@contextmanager
def served(folder: Path, port: int) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """Run the server; yield it and the seconds until it was ready."""
    began = time.perf_counter()
    command = hedgerow(folder, "serve", "--port", str(port))
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        while not _is_ready(port):
            time.sleep(0.01)
        yield process, time.perf_counter() - began
    finally:
        process.terminate()
        process.wait(60)


def _is_ready(port: int) -> bool:
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        asking.request("GET", "/_ready")
        return asking.getresponse().status == 200
    except OSError:
        return False
    finally:
        asking.close()


def rss_mib(process: subprocess.Popen[bytes]) -> float:
    """Return the memory that a process holds."""
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def bodies(token: str, count: int) -> tuple[list[bytes], int]:
    """Return gzip bodies of a hundred events each, and their bytes before gzip."""
    dice, made, size = random.Random(time.time_ns()), [], 0
    for number in range(count):
        batch = [event(dice, number * BATCH + n, PEOPLE) for n in range(BATCH)]
        plain = json.dumps({"api_key": token, "batch": batch}).encode()
        size += len(plain)
        made.append(gzip.compress(plain, 1))
    return made, size


def repeated(once: Callable[[], float], stop: threading.Event) -> list[float]:
    """Do something again and again, with a short rest, and return what it took."""
    took = []
    while not stop.wait(0.05):
        took.append(once())
    return took


def beside(work: Callable[[threading.Event], list[float]]) -> Callable[[], list[float]]:
    """Begin work in a thread; call what is returned to end it and get its figures."""
    stop, found = threading.Event(), []
    thread = threading.Thread(target=lambda: found.extend(work(stop)), daemon=True)
    thread.start()

    def end() -> list[float]:
        stop.set()
        thread.join()
        return found

    return end


def at_rate(port: int, made: Made, rate: int, seconds: int) -> tuple[int, list[float]]:
    """Send at a rate, read and probe beside it; return the bytes sent and the figures."""
    sent, size = bodies(made["project_token"], rate * seconds // BATCH)
    project = f"/api/projects/{made['project_id']}"
    acknowledged: list[float] = []

    def probe() -> float:
        one = event(random.Random(time.time_ns()), 0, PEOPLE)
        body = json.dumps({**one, "api_key": made["project_token"]}).encode()
        acknowledged.append(prober.post("/e/", body))
        return prober.post(f"{project}/ingestion/flush", b"")

    prober = Asking(port, made["api_key"])
    probing = beside(lambda stop: repeated(probe, stop))
    reading = beside(lambda stop: repeated(dashboard(port, made), stop))
    took = paced(port, sent, rate)
    lags, reads = probing(), reading()
    print(f"\n{rate:,} events/s wanted, {len(sent) * BATCH / took:,.0f} events/s sent")
    _show("acknowledged", acknowledged, acknowledged)
    _show("can be queried", lags, acknowledged)
    return size, reads


def paced(port: int, sent: list[bytes], rate: int) -> float:
    """Send bodies at a rate, over some connections by turns; return the seconds it took."""
    began = time.perf_counter()

    def send(first: int) -> None:
        sender = Asking(port)
        for number in range(first, len(sent), SENDERS):
            time.sleep(max(0.0, began + number * BATCH / rate - time.perf_counter()))
            sender.post("/batch/", sent[number])

    threads = [threading.Thread(target=send, args=(one,)) for one in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began


def dashboard(port: int, made: Made) -> Callable[[], float]:
    """Return what reads a dashboard of four tiles and says the seconds it took."""
    asking = Asking(port, made["api_key"])
    path = f"/api/projects/{made['project_id']}/query"
    tiles = [
        json.dumps({"query": _dated(tile), "refresh": "force_blocking"}).encode()
        for tile in TILES
    ]
    return lambda: sum(asking.post(path, tile) for tile in tiles)


def _dated(tile: dict[str, Any]) -> dict[str, Any]:
    series = [{"kind": "EventsNode", **one} for one in tile["series"]]
    dates = {"date_from": "2026-03-01", "date_to": "2026-03-08"}
    return {**tile, "series": series, "dateRange": dates}


def _show(name: str, seconds: list[float], rival: list[float]) -> None:
    """Print the median and the 99th percentile in ms, and how often the rival's median."""
    cut = statistics.quantiles(seconds, n=100)
    middle = statistics.median(seconds)
    ratio = middle / statistics.median(rival)
    print(
        f"  {name:26} p50 {middle * 1000:7.1f} ms   p99 {cut[98] * 1000:7.1f} ms   x{ratio:.2f}"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rates", default="5000,20000")
    parser.add_argument("--seconds", type=int, default=20)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        measure(Path(name) / "data", port, chosen)


def measure(folder: Path, port: int, chosen: argparse.Namespace) -> None:
    """Measure one server from its first start to its files."""
    command = hedgerow(folder, "init", "--email", "bench@example.org", "--password-stdin")
    said = subprocess.run(
        [*command, "--json"],
        input=b"a long enough password\n",
        stdout=subprocess.PIPE,
        check=True,
    )
    made = json.loads(said.stdout)
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", LIBRARIES], check=True)
    libraries_s = time.perf_counter() - began
    sent = 0
    with served(folder, port) as (process, ready_s):
        print(
            f"ready after {ready_s:.2f} s, x{ready_s / libraries_s:.1f} of importing its libraries"
        )
        time.sleep(3)
        idle = rss_mib(process)
        print(f"memory at rest {idle:.0f} MiB")
        for rate in map(int, chosen.rates.split(",")):
            size, reads = at_rate(port, made, rate, chosen.seconds)
            sent += size
            Asking(port, made["api_key"]).post(
                f"/api/projects/{made['project_id']}/ingestion/flush", b""
            )
            read = dashboard(port, made)
            _show("dashboard of four tiles", reads, [read() for _ in range(10)])
        loaded = rss_mib(process)
        print(f"\nmemory under load {loaded:.0f} MiB, x{loaded / idle:.1f}")
    events = sum(int(rate) * chosen.seconds for rate in chosen.rates.split(","))
    size = sum(one.stat().st_size for one in folder.rglob("*") if one.is_file())
    print(
        f"{size / events:.0f} MB on disk for a million events, x{size / sent:.2f} of their JSON"
    )


if __name__ == "__main__":
    main()
