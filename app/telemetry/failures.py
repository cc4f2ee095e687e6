"""What may be told of a failure: its class and place, never its content.

``error_hash`` is made of the exception's class and of the functions of our own code it
passed through, so equal failures have equal hashes and none can be read back. The same
hash is told at most once an hour, with the number of times since.
"""

import hashlib
import threading
import traceback
from datetime import datetime, timedelta
from typing import Any

EVERY = timedelta(hours=1)
MOST = 1000
"""Different failures remembered; beyond, the oldest is forgotten."""

KNOWN = ("app.", "sqlalchemy.", "flask.", "werkzeug.", "authlib.", "requests.", "builtins")
"""Packages whose class names are told; others are ``other``."""


def class_of(error: BaseException) -> str:
    """Return the class name of ours or of a known library, else ``other``."""
    kind = type(error)
    return kind.__name__ if kind.__module__.startswith(KNOWN) else "other"


def hash_of(error: BaseException) -> str:
    """Return 16 hex digits over class and ``module:function`` chain inside our code."""
    frames = traceback.walk_tb(error.__traceback__)
    chain = [
        f"{module}:{frame.f_code.co_name}"
        for frame, _ in frames
        if (module := str(frame.f_globals.get("__name__", ""))).startswith("app.")
    ]
    return hashlib.sha256("|".join([class_of(error), *chain]).encode()).hexdigest()[:16]


class Hourly:
    """Lets each failure through once an hour, and counts the others."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[datetime, int]] = {}

    def occurrences(self, error_hash: str, now: datetime) -> int | None:
        """Return how often it happened since it was last told; None: not now."""
        with self._lock:
            last, since = self._seen.pop(error_hash, (None, 0))
            tell = last is None or now - last >= EVERY
            self._seen[error_hash] = (now, 0) if tell else (last or now, since + 1)
            while len(self._seen) > MOST:
                self._seen.pop(next(iter(self._seen)))
        return since + 1 if tell else None


def properties(
    error: BaseException, *, endpoint: str, status_code: int, occurrences: int
) -> dict[str, Any]:
    """Return block [X] of the catalogue."""
    told = {
        "error_class": class_of(error),
        "endpoint": endpoint,
        "status_code": status_code,
        "error_hash": hash_of(error),
        "occurrences": occurrences,
    }
    return {name: value for name, value in told.items() if value not in ("", 0)}
