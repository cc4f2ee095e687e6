"""Starts a capture server, and installs pinned SDKs once into ``.cache/sdks``."""

import contextlib
import json
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from hedgerow.capture.wire import decode_queued
from hedgerow.inbox import SqliteInbox

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / "sdks"
OLD_PYTHON = "3.6.6"
NODE_PACKAGES = {
    "posthog-node-newest": "npm:posthog-node@5.70.0",
    "posthog-node-old": "npm:posthog-node@3.6.3",
    "posthog-js-newest": "npm:posthog-js@1.449.2",
    "posthog-js-1.297": "npm:posthog-js@1.297.2",
    "posthog-js-1.205": "npm:posthog-js@1.205.0",
    "posthog-js-1.96": "npm:posthog-js@1.96.1",
}


def old_python() -> Path:
    """Return a Python that has the old SDK."""
    home = CACHE / f"posthog-{OLD_PYTHON}"
    python = home / "bin" / "python"
    if not (home / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        install = [python, "-m", "pip", "install", "-q", f"posthog=={OLD_PYTHON}"]
        subprocess.run(install, check=True)
        (home / "ready").touch()
    return python


def node_packages() -> Path:
    """Return the folder that holds every pinned package of npm."""
    home = CACHE / "npm"
    wanted = json.dumps({"private": True, "dependencies": NODE_PACKAGES}, indent=2)
    ready = home / "ready.json"
    if not ready.exists() or ready.read_text() != wanted:
        home.mkdir(parents=True, exist_ok=True)
        (home / "package.json").write_text(wanted)
        quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"]
        subprocess.run([shutil.which("npm"), "install", *quiet], cwd=home, check=True)
        ready.write_text(wanted)
    return home / "node_modules"


@dataclass
class Server:
    """A running capture server and what it has taken."""

    folder: Path
    port: int
    process: subprocess.Popen

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def events(self):
        """Return every event in the inbox, decoded as the writer will."""
        inbox = SqliteInbox(self.folder / "inbox.sqlite")
        try:
            queued = inbox.read(after=0, limit_bytes=10**9)
            return [e for one in queued for e in decode_queued(one.hints, one.body).events]
        finally:
            inbox.close()

    def wait_for(self, *names, patience_s=20):
        """Return the events once each of the names has arrived."""
        until = time.monotonic() + patience_s
        while True:
            events = self.events()
            missing = set(names) - {event.name for event in events}
            if not missing:
                return events
            assert time.monotonic() < until, f"{missing} of {[e.name for e in events]}"
            time.sleep(0.1)


def a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def running(folder: Path, port: int = 0):
    """Serve from ``folder`` until left."""
    port = port or a_free_port()
    command = [sys.executable, "-m", "tests.contract.capture_server", str(port)]
    process = subprocess.Popen(
        command, cwd=folder, env={"PYTHONPATH": str(ROOT), "PATH": "/"}
    )
    server = Server(folder, port, process)
    try:
        _until_ready(server)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def _until_ready(server: Server) -> None:
    until = time.monotonic() + 20
    while True:
        try:
            urllib.request.urlopen(f"{server.url}/array/phc_test/config", timeout=5).close()
        except OSError:
            assert server.process.poll() is None, "the server did not start"
            assert time.monotonic() < until, "the server does not answer"
            time.sleep(0.05)
        else:
            return
