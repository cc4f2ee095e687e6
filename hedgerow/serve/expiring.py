"""Events that have been kept as long as their project wants are deleted, once an hour.

``retention_days`` counts days of the project's time zone: with 30, today and the thirty days
before it stay. The writer deletes, in its place among all else, and says how many there were.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from hedgerow.errors import HedgerowError
from hedgerow.model.projects import Project

LOG = logging.getLogger(__name__)
FIRST_AFTER_S = 60.0
EVERY_S = 3600.0


class Commands(Protocol):
    """Puts a command into the inbox and returns what it came to."""

    def __call__(
        self, project_id: int, command: Mapping[str, Any], *, wait: bool = True
    ) -> Mapping[str, Any]:
        """Raises HedgerowError."""
        ...


def kept_from(project: Project, now: datetime) -> datetime | None:
    """Return the moment, UTC, before which a project's events go; None: they all stay."""
    if project.retention_days is None:
        return None
    today = now.astimezone(ZoneInfo(project.timezone)).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    return (today - timedelta(days=project.retention_days)).astimezone(UTC)


def expire(
    projects: Iterable[Project], command: Commands, now: datetime, *, dry_run: bool
) -> list[dict[str, Any]]:
    """Delete, or with ``dry_run`` count, what is too old; say what came of it by project.

    ``[{"project": id, "name", "before": ISO time, "events": how many, "deleted": bool}]``.
    """
    found = []
    for project in projects:
        before = kept_from(project, now)
        if before is None:
            continue
        asked = {"do": "delete_events", "before": before.isoformat(), "dry_run": dry_run}
        done = command(project.id, asked)
        found.append({"project": project.id, "name": project.name, **done})
    return found


class Hourly:
    """Expires events once an hour, in a thread of its own."""

    def __init__(self, expire_now: Callable[[], list[dict[str, Any]]]) -> None:
        self._expire_now = expire_now
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="expiring", daemon=True)

    def start(self) -> None:
        """Begin; the first time shortly after the start."""
        self._thread.start()

    def stop(self) -> None:
        """Do no more. What is under way ends with the writer."""
        self._stopped.set()

    def _run(self) -> None:
        wait_s = FIRST_AFTER_S
        while not self._stopped.wait(wait_s):
            wait_s = EVERY_S
            try:
                for one in self._expire_now():
                    if one["deleted"]:
                        LOG.info(
                            "Deleted %d events of project %d from before %s.",
                            one["events"],
                            one["project"],
                            one["before"],
                        )
            except HedgerowError as error:
                LOG.warning("Events past their time could not be deleted: %s", error)
