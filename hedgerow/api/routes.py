"""THE table: every address of the API, its handler, and what a key needs for it.

A row makes the Starlette route, the checks of scope and role, the decoding of body and
query string, and its part of the OpenAPI document. What is taken and given stands once,
in the handler's annotations. To add an endpoint, write a function and its row.
"""

from collections.abc import Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hedgerow.api import dashboards, insights, projects, query, serving
from hedgerow.api.endpoints import Endpoint, endpoint
from hedgerow.api.parts import Parts
from hedgerow.api.schema import document

ALL = "/api/projects"
ONE = "/api/projects/{project_id}"

ABOUT_PROJECTS = (
    endpoint("GET", "/api/users/@me", None, projects.me),
    endpoint("GET", ALL, "project:read", projects.list_projects),
    endpoint("POST", ALL, "project:write", projects.create_project, status=201),
    endpoint("GET", ONE, "project:read", projects.read_project),
    endpoint("PATCH", ONE, "project:write", projects.change_project, role="admin"),
    endpoint("DELETE", ONE, "project:admin", projects.delete_project, role="owner"),
    endpoint("GET", f"{ONE}/ingestion", "ingestion:read", projects.ingestion),
    endpoint("POST", f"{ONE}/ingestion/flush", "ingestion:read", projects.flush),
)

_ASKED = f"{ONE}/query/{{client_query_id}}"
QUESTIONS = (
    endpoint("POST", f"{ONE}/query", "query:read", query.ask, asks=True),
    endpoint("GET", _ASKED, "query:read", query.poll),
    endpoint("DELETE", _ASKED, "query:read", query.cancel),
)

_INSIGHT = f"{ONE}/insights/{{insight_id}}"
INSIGHTS = (
    endpoint("GET", f"{ONE}/insights", "insight:read", insights.list_insights),
    endpoint(
        "POST", f"{ONE}/insights", "insight:write", insights.create_insight, status=201
    ),
    endpoint("GET", _INSIGHT, "insight:read", insights.read_insight, asks=True),
    endpoint("PATCH", _INSIGHT, "insight:write", insights.change_insight),
    endpoint("DELETE", _INSIGHT, "insight:write", insights.delete_insight),
)

_BOARDS = f"{ONE}/dashboards"
_BOARD = f"{ONE}/dashboards/{{dashboard_id}}"
_TILES = f"{_BOARD}/tiles"
DASHBOARDS = (
    endpoint("GET", _BOARDS, "dashboard:read", dashboards.list_dashboards),
    endpoint("POST", _BOARDS, "dashboard:write", dashboards.create_dashboard, status=201),
    endpoint(
        "POST",
        f"{_BOARDS}/from_template",
        "dashboard:write",
        dashboards.from_template,
        status=201,
    ),
    endpoint("GET", _BOARD, "dashboard:read", dashboards.read_dashboard),
    endpoint("PATCH", _BOARD, "dashboard:write", dashboards.change_dashboard),
    endpoint("DELETE", _BOARD, "dashboard:write", dashboards.delete_dashboard),
    endpoint("POST", _TILES, "dashboard:write", dashboards.add_tile, status=201),
    endpoint("DELETE", f"{_TILES}/{{tile_id}}", "dashboard:write", dashboards.remove_tile),
)

ENDPOINTS: Sequence[Endpoint] = (
    *ABOUT_PROJECTS,
    *QUESTIONS,
    *INSIGHTS,
    *DASHBOARDS,
)


def routes(parts: Parts, version: str) -> list[Route]:
    """Return all routes of the API; the last one answers for addresses that are not there."""
    described = msgspec.json.encode(document(ENDPOINTS, version))

    async def schema(_: Request) -> Response:
        return Response(described, media_type="application/json")

    return [
        Route("/api/schema{slash:slash}", schema, methods=["GET"]),
        *serving.routes(ENDPOINTS, parts),
    ]
