"""The public page of a fleet and its feeds: what was published, for anybody (``fleet`` §4.6).

    /fleet/<slug>  .json  /history.csv  /history.ndjson  /badge/<name>.svg

No cookie, no script, no counter. Query strings are ignored: every reader gets the same
bytes, and nothing here is ever computed of the fleet itself.
"""

import csv
import hashlib
import io
from collections.abc import Callable, Mapping
from typing import Any
from xml.sax.saxutils import escape

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from hedgerow.insights.fleet.publication import WITHHELD, history
from hedgerow.insights.fleet.settings import settings_of
from hedgerow.meta import publications
from hedgerow.model.projects import Project
from hedgerow.model.versions import parse
from hedgerow.web import rendering
from hedgerow.web.charts import published, words
from hedgerow.web.services import Services

KEPT_S = 3600
A_YEAR = 366
"""Publications drawn as lines; all of them are in the history."""

HISTORY = ["as_of", "table", "value", "count", "total", "k"]
TITLES = {
    "version": "Versions",
    "platform": "Platforms",
    "deployment_method": "Ways of installing",
    "python_minor": "Python versions",
    "utc_offset": "Time zones",
    "auth_method": "Ways of signing in",
}
NEVER = "environment, size, errors, paths, dates or identifiers of single installations"

Found = tuple[bytes, str]
"""A body and its media type."""

Make = Callable[[Services, Project, Request], Found | None]


def routes(services: Services) -> list[BaseRoute]:
    """Return the routes of all public pages; unknown and switched off are alike."""
    made: dict[str, Make] = {
        "/fleet/{slug}.json": _feed,
        "/fleet/{slug}/history.csv": _history_csv,
        "/fleet/{slug}/history.ndjson": _history_ndjson,
        "/fleet/{slug}/badge/{name}.svg": _badge,
        "/fleet/{slug}": _page,
    }
    return [Route(path, _endpoint(services, make)) for path, make in made.items()]


def _endpoint(services: Services, make: Make) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(_answer, services, make, request)

    return endpoint


def _answer(services: Services, make: Make, request: Request) -> Response:
    project = _project(services, request.path_params["slug"])
    found = None if project is None else make(services, project, request)
    if found is None:
        return Response(
            "There is no such page.\n", status_code=404, media_type="text/plain"
        )
    body, media = found
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {
        "ETag": tag,
        "Cache-Control": f"public, max-age={KEPT_S}",
        "Access-Control-Allow-Origin": "*",
        "Content-Security-Policy": rendering.CSP,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media, headers=headers)


def _project(services: Services, slug: str) -> Project | None:
    for project in services.directory.all():
        public = settings_of(project.fleet).public
        if public.enabled and public.slug == slug:
            return project
    return None


def _published(services: Services, project: Project) -> dict[str, Any] | None:
    with services.metadata.reading() as session:
        return publications.page(session, project.id)


def _feed(services: Services, project: Project, _: Request) -> Found | None:
    page = _published(services, project)
    return None if page is None else (msgspec.json.encode(page), "application/json")


def _history(services: Services, project: Project) -> list[list[Any]]:
    with services.metadata.reading() as session:
        return history(list(publications.pages(session, project.id)))


def _history_csv(services: Services, project: Project, _: Request) -> Found:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HISTORY)
    writer.writerows(_history(services, project))
    return out.getvalue().encode(), "text/csv; charset=utf-8"


def _history_ndjson(services: Services, project: Project, _: Request) -> Found:
    rows = [dict(zip(HISTORY, row, strict=True)) for row in _history(services, project)]
    lines = [msgspec.json.encode(row) + b"\n" for row in rows]
    return b"".join(lines), "application/x-ndjson"


def _page(services: Services, project: Project, _: Request) -> Found:
    page = _published(services, project)
    with services.metadata.reading() as session:
        before = publications.latest(session, project.id, A_YEAR)
    values = {
        "page": page,
        "titles": TITLES,
        "never": NEVER,
        "project": project,
        "curves": published.curves(before),
        "slug": settings_of(project.fleet).public.slug,
    }
    return rendering.html("fleet_public.html", values).encode(), "text/html; charset=utf-8"


def _badge(services: Services, project: Project, request: Request) -> Found | None:
    page = _published(services, project)
    make = BADGES.get(request.path_params["name"])
    if page is None or make is None:
        return None
    label, value = make(page)
    return svg(label, value).encode(), "image/svg+xml"


def _installations(page: Mapping[str, Any]) -> tuple[str, str]:
    count = page["reporting"]
    return "reporting installations", WITHHELD if count is None else words.compact(count)


def _newest(page: Mapping[str, Any]) -> tuple[str, str]:
    return "newest", page["newest"]["version"] or "no release yet"


def _adoption(page: Mapping[str, Any]) -> tuple[str, str]:
    """Return the share of the newest release's series, of the published table alone."""
    version, table = page["newest"]["version"], page["tables"].get("version", {})
    series = parse(version).numbers[:2]
    name = f"on {'.'.join(str(number) for number in series)}" if series else "on newest"
    rows = table.get("rows")
    if not rows or not series:
        return name, WITHHELD
    whole = sum(row["count"] for row in rows) + (table["other"] or 0)
    part = sum(row["count"] for row in rows if parse(row["value"]).numbers[:2] == series)
    return name, f"{round(100 * part / whole)} %"


BADGES: Mapping[str, Callable[[Mapping[str, Any]], tuple[str, str]]] = {
    "installations": _installations,
    "newest": _newest,
    "adoption": _adoption,
}


def svg(label: str, value: str) -> str:
    """Return a badge: text as text, no script, no font from elsewhere."""
    left, right = (round(len(text) * 6.6 + 14) for text in (label, value))
    name, shown = escape(label), escape(value)
    font = 'font-family="system-ui,sans-serif" font-size="11" text-anchor="middle"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" '
        f'role="img"><title>{name}: {shown}</title>'
        f'<rect width="{left + right}" height="20" rx="4" fill="#3b4a3f"/>'
        f'<path d="M{left} 0h{right - 4}a4 4 0 0 1 4 4v12a4 4 0 0 1-4 4H{left}z" '
        f'fill="#2c6e49"/><g fill="#fff" {font}>'
        f'<text x="{left / 2}" y="14">{name}</text>'
        f'<text x="{left + right / 2}" y="14">{shown}</text></g></svg>'
    )
