"""Publishing a fleet's page: read the fleet, compare with the last page, keep the new one.

Done once a day for each project that wants it, from 03:00 of its time on; an administrator
may do it at once. The rules are in ``insights.fleet.publication``.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from hedgerow.errors import InvalidInput
from hedgerow.insights.fleet.publication import Last, Published, published, read
from hedgerow.insights.fleet.settings import settings_of
from hedgerow.meta import contexts, publications
from hedgerow.meta.database import Metadata
from hedgerow.model.ports import Reader
from hedgerow.model.projects import Project

TIMEOUT_S = 120.0
FROM_HOUR = 3
DELAY_MAX_S = 7200


def publish(
    metadata: Metadata, reader: Reader, project: Project, now: datetime
) -> Published:
    """Publish a project's page as of its last complete day. Raises InvalidInput if off."""
    if not settings_of(project.fleet).public.enabled:
        raise InvalidInput(
            "The public page is switched off.",
            hint="Set public.enabled and public.slug in the fleet's settings.",
            attr="public.enabled",
        )
    found, last = preview(metadata, reader, project, now)
    if last.page.get("as_of") == found.last.page["as_of"] and not found.replaced:
        return found
    with metadata.writing() as session:
        publications.keep(
            session,
            project.id,
            found.last.page,
            {table: dict(cells) for table, cells in found.last.cells.items()},
            least=found.last.k,
            at=now,
        )
    return found


def preview(
    metadata: Metadata, reader: Reader, project: Project, now: datetime
) -> tuple[Published, Last]:
    """Return what publishing now would come to, and what was published last."""
    with metadata.reading() as session:
        context = contexts.context_of(session, reader, project, now)
        row = publications.last(session, project.id)
        last = Last()
        if row is not None:
            last = Last(page=row.page, cells=_numbered(row.cells), k=row.least)
    fleet = read(context, partial(reader.run, timeout_s=TIMEOUT_S))
    return published(fleet, last, now, project.name), last


def due_at(project: Project, now: datetime) -> datetime:
    """Return when today's publication is due, UTC: at night, each project at its own time."""
    zone = ZoneInfo(project.timezone)
    digest = hashlib.sha256(project.api_token.encode()).digest()
    delay = int.from_bytes(digest[:4], "big") % DELAY_MAX_S
    start = now.astimezone(zone).replace(hour=FROM_HOUR, minute=0, second=0, microsecond=0)
    return start + timedelta(seconds=delay)


def publish_due(
    metadata: Metadata, reader: Reader, projects: list[Project], now: datetime
) -> list[int]:
    """Publish what is due and was not published yet; return the projects' numbers."""
    done = []
    for project in projects:
        if not settings_of(project.fleet).public.enabled or now < due_at(project, now):
            continue
        with metadata.reading() as session:
            row = publications.last(session, project.id)
        zone = ZoneInfo(project.timezone)
        today = now.astimezone(zone).date()
        if row is not None and row.published_at.astimezone(zone).date() >= today:
            continue
        publish(metadata, reader, project, now)
        done.append(project.id)
    return done


def _numbered(cells: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[int, str]]:
    return {
        table: {int(key): str(cell) for key, cell in rows.items()}
        for table, rows in cells.items()
    }
