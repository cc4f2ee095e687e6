"""Both programs as ``make run`` starts them, in a folder and on ports of their own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE_S = 90


def free_port():
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Both:
    """The two programs under their one parent."""

    def __init__(self, folder, *options):
        self.folder, self.options = folder, options
        self.ports = free_port(), free_port()
        self.parent = None
        self.known = {}

    def start(self):
        """Start them and return what the parent announced."""
        ready = self.folder / "ready.json"
        ready.unlink(missing_ok=True)
        log = (self.folder / "log.txt").open("ab")
        told = {
            "--data": self.folder,
            "--hedgerow-port": self.ports[0],
            "--timetracker-port": self.ports[1],
            "--ready-file": ready,
        }
        words = [f"{name}={value}" for name, value in told.items()]
        self.parent = subprocess.Popen(
            [sys.executable, "ops/run.py", *words, *self.options],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if "PORT" not in name},
            stdout=log,
            stderr=log,
        )
        until = time.monotonic() + PATIENCE_S
        while not ready.exists() or not ready.read_text():
            assert self.parent.poll() is None, (self.folder / "log.txt").read_text()
            assert time.monotonic() < until, (self.folder / "log.txt").read_text()
            time.sleep(0.1)
        self.known = json.loads(ready.read_text())
        return self.known

    def stop(self):
        """End them as Ctrl-C does, and return the parent's exit status."""
        self.parent.send_signal(signal.SIGINT)
        return self.parent.wait(40)

    def children(self):
        """Return the process ids of the two programs, Hedgerow first."""
        pid = self.parent.pid
        return [
            int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]


@contextmanager
def both_programs(folder, *options):
    """Start both for as long as the block lasts."""
    programs = Both(folder, *options)
    programs.start()
    try:
        yield programs
    finally:
        if programs.parent.poll() is None:
            programs.stop()
