"""What came in lately, and what was answered: for whoever wonders where events stay.

Counts since the start, by error code, and each project's last hundred requests. Requests
whose token belongs to no project are kept under ``None``: a misspelt token is the most
common reason for missing events.
"""

from collections import Counter, defaultdict, deque
from datetime import datetime

import msgspec

KEPT = 100


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """One capture request and its verdict."""

    at: datetime
    path: str
    status: int
    size_bytes: int
    """As it came."""

    events: int = 0
    code: str = ""
    """Of the error; empty: accepted."""

    detail: str = ""
    ip: str | None = None
    user_agent: str | None = None


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Totals since the server started."""

    requests: int
    """Accepted."""

    events: int
    """In accepted requests."""

    rejected: dict[str, int]
    """Requests, by error code."""


class Sightings:
    """Kept in memory by the one thread that serves; lost at the end."""

    def __init__(self) -> None:
        self._recent: defaultdict[int | None, deque[Sighting]] = defaultdict(
            lambda: deque(maxlen=KEPT)
        )
        self._requests: Counter[int | None] = Counter()
        self._events: Counter[int | None] = Counter()
        self._rejected: defaultdict[int | None, Counter[str]] = defaultdict(Counter)

    def note(self, project_id: int | None, sighting: Sighting) -> None:
        """Remember one request."""
        self._recent[project_id].append(sighting)
        if sighting.code:
            self._rejected[project_id][sighting.code] += 1
            return
        self._requests[project_id] += 1
        self._events[project_id] += sighting.events

    def recent(self, project_id: int | None) -> list[Sighting]:
        """Return the last requests of a project, newest first; None: of unknown tokens."""
        return list(reversed(self._recent.get(project_id, ())))

    def counts(self, project_id: int | None) -> Counts:
        """Return a project's totals; None: of requests that named no known project."""
        return Counts(
            requests=self._requests[project_id],
            events=self._events[project_id],
            rejected=dict(self._rejected.get(project_id, {})),
        )

    def totals(self) -> Counts:
        """Return the totals of all projects, and of no project, together."""
        rejected: Counter[str] = Counter()
        for counted in list(self._rejected.values()):
            rejected.update(counted)
        return Counts(
            requests=self._requests.total(),
            events=self._events.total(),
            rejected=dict(rejected),
        )
