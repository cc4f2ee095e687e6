"""What the command line asks of a running server, through the data folder.

Whoever may write into the folder is the operator, so no key is needed; nobody else can
reach this. A request is a file ``errands/<id>.ask.json``, the reply ``<id>.done.json``.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from hedgerow.errors import HedgerowError, StoreUnavailable

LOG = logging.getLogger(__name__)
FOLDER = "errands"
LOOK_EVERY_S = 0.25
Does = Mapping[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]]
"""By the name of the errand: does it, and says what came of it."""


class Errands:
    """Looks for requests and does them, one after the other."""

    def __init__(self, data: Path, does: Does) -> None:
        self._folder, self._does = data / FOLDER, does
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._look, name="errands", daemon=True)

    def start(self) -> None:
        """Begin to look; requests of an earlier run are forgotten."""
        self._folder.mkdir(exist_ok=True)
        for left in self._folder.glob("*.json"):
            left.unlink()
        self._thread.start()

    def stop(self) -> None:
        """Finish what is under way and look no more."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _look(self) -> None:
        while not self._stopped.wait(LOOK_EVERY_S):
            for path in sorted(self._folder.glob("*.ask.json")):
                reply = self._reply(json.loads(path.read_text()))
                path.unlink()
                _write(path.with_name(path.name.replace(".ask.", ".done.")), reply)

    def _reply(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return self._does[asked["do"]](asked)
        except (HedgerowError, OSError) as error:
            LOG.warning("The errand %s failed: %s", asked["do"], error)
            return {"error": str(error)}


def send(data: Path, what: Mapping[str, Any], timeout_s: float) -> Mapping[str, Any]:
    """Ask the running server and return its reply. Raises StoreUnavailable."""
    name = uuid4().hex
    done = data / FOLDER / f"{name}.done.json"
    _write(data / FOLDER / f"{name}.ask.json", what)
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        if done.exists():
            reply: Mapping[str, Any] = json.loads(done.read_text())
            done.unlink()
            if "error" in reply:
                raise StoreUnavailable(str(reply["error"]), hint="")
            return reply
        time.sleep(LOOK_EVERY_S / 2)
    raise StoreUnavailable(
        f"The running server did not answer within {timeout_s:g} s.",
        hint="Look at its log; if it does not run, remove running.json.",
    )


def _write(path: Path, content: Mapping[str, Any]) -> None:
    """Write a file in one step, so that nobody reads half of it."""
    path.parent.mkdir(exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(content))
    draft.rename(path)
