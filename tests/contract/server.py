"""A real Hedgerow for tests: set up by its own command, served in a process of its own."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from tests.browser.both import free_port

PATIENCE_S = 60
HEDGEROW = str(Path(sys.executable).parent / "hedgerow")


class Server:
    """One server on one data folder."""

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process, self.made = None, {}

    def init(self, project="Tests"):
        """Make administrator, project and key; keep what was made."""
        words = [
            "init",
            "--email",
            "ada@example.org",
            "--password-stdin",
            "--project",
            project,
        ]
        done = subprocess.run(
            [HEDGEROW, "--data", str(self.folder), *words, "--json"],
            input=b"a long and quiet sentence",
            capture_output=True,
            check=True,
        )
        self.made = json.loads(done.stdout)

    def start(self):
        """Serve, and return once it is ready."""
        log = (self.folder.parent / f"{self.folder.name}.log").open("ab")
        self.process = subprocess.Popen(
            [HEDGEROW, "--data", str(self.folder), "serve", "--port", str(self.port)],
            stdout=log,
            stderr=log,
        )
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/_ready", timeout=2).close()
            except (urllib.error.URLError, OSError):
                assert self.process.poll() is None, Path(log.name).read_text()
                assert time.monotonic() < until, Path(log.name).read_text()
                time.sleep(0.05)
            else:
                return

    def stop(self):
        """Ask it to end and return its exit status."""
        self.process.terminate()
        return self.process.wait(30)

    def call(self, method, path, body=None):
        """Ask the API; ``path`` begins behind the project."""
        project = f"{self.url}/api/projects/{self.made['project_id']}"
        headers = {
            "Authorization": f"Bearer {self.made['api_key']}",
            "Content-Type": "application/json",
        }
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{project}/{path}", data=data, method=method, headers=headers
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def ask(self, query):
        """Return the results of a query, computed afresh."""
        return self.call("POST", "query", {"query": query, "refresh": "force_blocking"})[
            "results"
        ]


@contextmanager
def serving(folder):
    """A server set up and serving for as long as the block lasts."""
    server = Server(folder)
    server.init()
    server.start()
    try:
        yield server
    finally:
        server.stop()
