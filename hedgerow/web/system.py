"""The state of the server: version, disk, memory, what the writer is at, its limits."""

import platform
import resource
import shutil
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from starlette.responses import Response

from hedgerow.web.settings_pages import render
from hedgerow.web.visits import Visit

GIB, MIB = 1 << 30, 1 << 20
LOW = 2 * GIB
"""Free disk below which the page warns."""

FILES = (
    ("events.duckdb", "Events and persons"),
    ("inbox.sqlite", "Inbox"),
    ("metadata.sqlite3", "Accounts, dashboards, settings"),
)


def page(visit: Visit) -> Response:
    """GET …/settings/system — in full for administrators of the server."""
    state = visit.services.ingestion(visit.here.id)
    facts: list[tuple[str, str]] = [
        ("Hedgerow", metadata.version("hedgerow")),
        (
            "Python",
            f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        ),
        ("Events database", f"DuckDB {metadata.version('duckdb')}"),
    ]
    disk = _disk(visit) if visit.who.is_admin else None
    return render(
        visit,
        "system",
        "settings_system.html",
        facts=facts,
        state=state,
        disk=disk,
        limits=_limits(visit) if visit.who.is_admin else [],
        peak=_peak(),
    )


def _disk(visit: Visit) -> dict[str, Any]:
    """Return how much room there is, and what takes it."""
    folder = Path(visit.services.settings.data)
    usage = shutil.disk_usage(folder)
    parts = [(text, _size(folder, name)) for name, text in FILES]
    return {
        "free": usage.free / GIB,
        "total": usage.total / GIB,
        "low": usage.free < LOW,
        "parts": [(text, size / MIB) for text, size in parts if size],
    }


def _size(folder: Path, name: str) -> int:
    """Return the size of a file with what belongs to it, such as its log."""
    return sum(path.stat().st_size for path in folder.glob(f"{name}*") if path.is_file())


def _limits(visit: Visit) -> list[tuple[str, str]]:
    settings = visit.services.settings
    return [
        ("Memory at most", f"{settings.memory_mib:,} MiB"),
        ("Inbox", f"{settings.inbox_max_mib:,} MiB, then capture answers 503"),
        ("A question", f"{settings.query_timeout_s:g} s"),
        ("Questions at a time", f"{settings.query_threads}"),
        ("A capture request", f"{settings.max_body_mib} MiB"),
        ("Places", "from a GeoIP file" if settings.geoip_db else "no GeoIP file is named"),
    ]


def _peak() -> float:
    """Return the most memory this process has had, in MiB."""
    told = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return told / MIB if sys.platform == "darwin" else told / 1024
