"""Serve both programs under one parent: what ``make run`` and ``make demo`` do.

Hedgerow is set up on the first start (an administrator, a project, the two dashboards) and
TimeTracker is pointed at it. Both ends belong to the same operator here, so TimeTracker's
*detailed* consent is granted by configuration. What was made is remembered in
``<data>/run.json``; a second start keeps all data.

    python ops/run.py                    data in ./hedgerow-data and ./timetracker-data
    python ops/run.py --demo             data in ./demo-data, with a simulated fleet in it
    python ops/run.py --data DIR         both folders below DIR
    python ops/run.py --ready-file FILE  write addresses and credentials there once both answer

Ctrl-C stops TimeTracker first, so that its last events still arrive, then Hedgerow.
"""

import argparse
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
HOST = "127.0.0.1"
WAIT_S = 60  # for a program to answer after its start
LET_GO_S = 8  # for a port that somebody has
STOP_S = 15  # for a program to end after it was asked to
EMAIL = "admin@hedgerow.local"
PROJECT = "TimeTracker"
TEMPLATES = ("installation-health", "user-engagement")
DEMO = {"installations": 120, "users": 60, "days": 90, "seed": 7}


@dataclass(frozen=True)
class Place:
    """Where things are kept and reached."""

    hedgerow_data: Path
    timetracker_data: Path
    hedgerow_port: int
    timetracker_port: int
    demo: bool

    @property
    def hedgerow(self) -> str:
        """Hedgerow's address."""
        return f"http://{HOST}:{self.hedgerow_port}"

    @property
    def timetracker(self) -> str:
        """TimeTracker's address."""
        return f"http://{HOST}:{self.timetracker_port}"

    @property
    def memory(self) -> Path:
        """File that keeps what the first start made."""
        return self.hedgerow_data / "run.json"


def say(text: str = "") -> None:
    """Print at once, also into a pipe."""
    print(text, flush=True)


def command(name: str, *words: object) -> list[str]:
    """Return how to call one of our commands in this environment."""
    return [str(Path(sys.executable).parent / name), *map(str, words)]


def free(port: int, variable: str) -> None:
    """Stop with a remedy when something else keeps listening on a port.

    A program that was killed a moment ago may still be letting go of it.
    """
    until = time.monotonic() + LET_GO_S
    while True:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                if time.monotonic() > until:
                    sys.exit(
                        f"Port {port} is taken. Choose another: {variable}={port + 10} make run"
                    )
                time.sleep(0.2)
            else:
                return


def call(method: str, url: str, *, key: str = "", body: Any = None) -> Any:
    """Ask an HTTP interface and return its JSON, or None."""
    headers = {"Content-Type": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers=headers)  # noqa: S310 - our own address
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own address
        text = answer.read().decode()
    return json.loads(text) if text.strip() else None


def wait_until_ready(url: str, program: subprocess.Popen[bytes]) -> None:
    """Return once the program says that it is ready."""
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        if program.poll() is not None:
            sys.exit(f"{url} did not start: its messages are above.")
        try:
            with urllib.request.urlopen(f"{url}/_ready", timeout=2):  # noqa: S310 - our own address
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    program.terminate()
    sys.exit(f"{url} did not become ready within {WAIT_S} s: its messages are above.")


def init(place: Place) -> dict[str, str]:
    """Return what the first start made: made now, or remembered."""
    if place.memory.exists():
        return dict(json.loads(place.memory.read_text()))
    password = secrets.token_urlsafe(12)
    words = ("--email", EMAIL, "--password-stdin", "--project", PROJECT, "--json")
    made = subprocess.run(
        command("hedgerow", "--data", place.hedgerow_data, "init", *words),
        input=password.encode(),
        stdout=subprocess.PIPE,
        check=False,
    )
    if made.returncode:
        sys.exit("Hedgerow could not be set up: its message is above.")
    known = {key: str(value) for key, value in json.loads(made.stdout).items()}
    known |= {
        "email": EMAIL,
        "password": password,
        "setup_token": secrets.token_urlsafe(12),
    }
    place.memory.parent.mkdir(parents=True, exist_ok=True)
    place.memory.touch(mode=0o600)
    place.memory.write_text(json.dumps(known, indent=1))
    return known


def start_hedgerow(place: Place) -> subprocess.Popen[bytes]:
    """Start the analytics server."""
    words = ("serve", "--host", HOST, "--port", place.hedgerow_port)
    return subprocess.Popen(
        command("hedgerow", "--data", place.hedgerow_data, *words),
        start_new_session=True,  # Ctrl-C reaches the parent alone, which stops both in order
    )


def start_timetracker(place: Place, known: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start the time tracker, reporting to the Hedgerow beside it."""
    by_default = {  # what the operator's environment says of these wins
        "ANALYTICS_HOST": place.hedgerow,
        "ANALYTICS_KEY": known["project_token"],
        "TELEMETRY_DEFAULT_LEVEL": "detailed",
        "SETUP_TOKEN": known["setup_token"],
    }
    ours = {
        "DATA_DIR": str(place.timetracker_data),
        "HOST": HOST,
        "PORT": str(place.timetracker_port),
    }
    return subprocess.Popen(
        command("timetracker", "serve"),
        env=by_default | os.environ | ours,
        start_new_session=True,
    )


def make_dashboards(place: Place, known: dict[str, str]) -> None:
    """Make the guide's two dashboards, once."""
    if known.get("dashboards"):
        return
    url = f"{place.hedgerow}/api/projects/{known['project_id']}/dashboards"
    for template in TEMPLATES:
        call(
            "POST",
            f"{url}/from_template",
            key=known["api_key"],
            body={"template": template},
        )
    known["dashboards"] = "made"
    place.memory.write_text(json.dumps(known, indent=1))


def simulate(place: Place, known: dict[str, str]) -> None:
    """Let a simulated fleet report, once."""
    if known.get("simulated"):
        return
    say("Letting a simulated fleet of 90 days report; this is done once …")
    size = [f"--{name}={value}" for name, value in DEMO.items()]
    where = ("--url", place.hedgerow, "--token", known["project_token"])
    done = subprocess.run(command("hedgerow", "simulate", *size, *where), check=False)
    if done.returncode:
        sys.exit("The simulation stopped: its message is above. Start again to go on.")
    flush = f"{place.hedgerow}/api/projects/{known['project_id']}/ingestion/flush"
    call("POST", flush, key=known["api_key"], body={"timeout_s": 120})
    known["simulated"] = json.dumps(DEMO)
    place.memory.write_text(json.dumps(known, indent=1))


def stop(programs: list[subprocess.Popen[bytes]]) -> None:
    """Ask each to end, the last started first, and wait for it."""
    for asked_again in (
        signal.SIGINT,
        signal.SIGTERM,
    ):  # impatience must leave nothing behind
        signal.signal(asked_again, signal.SIG_IGN)
    for program in reversed(programs):
        if program.poll() is not None:
            continue
        program.terminate()
        try:
            program.wait(STOP_S)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait()


def is_open(url: str) -> bool:
    """Return whether the first visit is still to come."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200 and answer.url == url)
    except urllib.error.HTTPError:
        return False


def announce(place: Place, known: dict[str, str]) -> None:
    """Say where both are and how to get in."""
    setup = f"{place.timetracker}/setup?code={known['setup_token']}"
    say()
    say(f"  TimeTracker  {place.timetracker}")
    if is_open(setup):
        say(f"               first visit: {setup}")
    say(f"  Hedgerow     {place.hedgerow}")
    say(f"               sign in as {known['email']} with {known['password']}")
    say()
    say("  What you do in TimeTracker shows on Hedgerow's dashboards a moment later.")
    say("  Ctrl-C stops both; all data stay.")
    say()


def options() -> argparse.Namespace:
    """Read the command line; ports also come from the environment."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="keep both data folders below this one")
    parser.add_argument("--demo", action="store_true", help="with a simulated fleet")
    parser.add_argument("--ready-file", type=Path, help="write what was announced, as JSON")
    parser.add_argument(
        "--hedgerow-port", type=int, default=int(os.environ.get("HEDGEROW_PORT", "8000"))
    )
    parser.add_argument(
        "--timetracker-port", type=int, default=int(os.environ.get("PORT", "8080"))
    )
    return parser.parse_args()


def place_of(given: argparse.Namespace) -> Place:
    """Return where this start keeps its things."""
    below = given.data or (ROOT / "demo-data" if given.demo else ROOT)
    return Place(
        hedgerow_data=(below / "hedgerow-data").resolve(),
        timetracker_data=(below / "timetracker-data").resolve(),
        hedgerow_port=given.hedgerow_port,
        timetracker_port=given.timetracker_port,
        demo=given.demo,
    )


def main() -> None:
    """Start both, wait, stop both."""
    given = options()
    place = place_of(given)
    free(place.hedgerow_port, "HEDGEROW_PORT")
    free(place.timetracker_port, "PORT")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's "&" has it ignored
    known = init(place)
    programs: list[subprocess.Popen[bytes]] = []
    try:
        programs.append(start_hedgerow(place))
        wait_until_ready(place.hedgerow, programs[0])
        make_dashboards(place, known)
        if place.demo:
            simulate(place, known)
        programs.append(start_timetracker(place, known))
        wait_until_ready(place.timetracker, programs[1])
        announce(place, known)
        if given.ready_file:
            reached = {"hedgerow": place.hedgerow, "timetracker": place.timetracker}
            given.ready_file.write_text(json.dumps({**known, **reached}))
        while all(program.poll() is None for program in programs):
            time.sleep(0.2)
        sys.exit("One of the two has ended by itself: its messages are above.")
    except KeyboardInterrupt:
        say("\nStopping both …")
    finally:
        stop(programs)


if __name__ == "__main__":
    main()
