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

from hedgerow.api import (
    alerts,
    annotations,
    cohort_people,
    cohorts,
    dashboards,
    definitions,
    events,
    experiments,
    fleet,
    fleet_public,
    fleet_settings,
    groups,
    insights,
    people,
    projects,
    query,
    serving,
    subscriptions,
)
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

_PERSON = f"{ONE}/persons/{{person_id}}"
PERSONS = (
    endpoint("GET", f"{ONE}/persons", "person:read", people.list_persons, asks=True),
    endpoint("POST", f"{ONE}/persons/import", "person:write", people.import_persons),
    endpoint("POST", f"{ONE}/persons/merge", "person:write", people.merge_persons),
    endpoint("GET", _PERSON, "person:read", people.read_person, asks=True),
    endpoint("PATCH", _PERSON, "person:write", people.change_person),
    endpoint("DELETE", _PERSON, "person:write", people.delete_person),
    endpoint("POST", f"{_PERSON}/split", "person:write", people.split_person),
    endpoint("POST", f"{_PERSON}/delete", "person:write", people.delete_with_receipt),
    endpoint("GET", f"{_PERSON}/history", "person:read", people.read_history, asks=True),
)

_GROUP = f"{ONE}/groups/find"
GROUPS = (
    endpoint("GET", f"{ONE}/groups", "group:read", groups.list_groups, asks=True),
    endpoint("POST", f"{ONE}/groups/import", "group:write", people.import_groups),
    endpoint("GET", _GROUP, "group:read", groups.read_group, asks=True),
    endpoint("PATCH", f"{ONE}/groups", "group:write", groups.change_group),
    endpoint("GET", f"{ONE}/groups_types", "group:read", groups.list_types),
)

_COHORT = f"{ONE}/cohorts/{{cohort_id}}"
_MEMBERS = f"{_COHORT}/persons"
COHORTS = (
    endpoint("GET", f"{ONE}/cohorts", "cohort:read", cohorts.list_cohorts),
    endpoint("POST", f"{ONE}/cohorts", "cohort:write", cohorts.create_cohort, status=201),
    endpoint("GET", _COHORT, "cohort:read", cohorts.read_cohort, asks=True),
    endpoint("PATCH", _COHORT, "cohort:write", cohorts.change_cohort),
    endpoint("DELETE", _COHORT, "cohort:write", cohorts.delete_cohort),
    endpoint("GET", _MEMBERS, "cohort:read", cohort_people.list_members, asks=True),
    endpoint("POST", f"{_COHORT}/add_persons", "cohort:write", cohort_people.add_persons),
    endpoint(
        "POST", f"{_COHORT}/remove_persons", "cohort:write", cohort_people.remove_persons
    ),
    endpoint("POST", f"{_COHORT}/upload", "cohort:write", cohort_people.upload),
)

EVENTS = (
    endpoint("GET", f"{ONE}/events", "event:read", events.list_events, asks=True),
    endpoint("GET", f"{ONE}/events/export", "event:read", events.export, asks=True),
    endpoint(
        "GET", f"{ONE}/events/{{event_uuid}}", "event:read", events.read_event, asks=True
    ),
)

_EVENT_NAME = f"{ONE}/event_definitions/{{name}}"
_PROPERTY = f"{ONE}/property_definitions/{{name}}"
_SAYS_PROPERTY = "property_definition:write"
DEFINITIONS = (
    endpoint(
        "GET", f"{ONE}/event_definitions", "event_definition:read", definitions.list_events
    ),
    endpoint("PATCH", _EVENT_NAME, "event_definition:write", definitions.change_event),
    endpoint(
        "GET",
        f"{ONE}/property_definitions",
        "property_definition:read",
        definitions.list_properties,
    ),
    endpoint("PATCH", _PROPERTY, _SAYS_PROPERTY, definitions.change_property),
    endpoint(
        "GET",
        f"{ONE}/property_values",
        "property_definition:read",
        definitions.list_values,
        asks=True,
    ),
    endpoint(
        "GET", f"{ONE}/ingestion_warnings", "ingestion:read", definitions.list_warnings
    ),
)

_TRIALS = f"{ONE}/experiments"
_TRIAL = f"{_TRIALS}/{{experiment_id}}"
EXPERIMENTS = (
    endpoint("POST", f"{_TRIALS}/analyze", "experiment:read", experiments.analyze),
    endpoint("GET", _TRIALS, "experiment:read", experiments.list_experiments),
    endpoint(
        "POST", _TRIALS, "experiment:write", experiments.create_experiment, status=201
    ),
    endpoint("GET", _TRIAL, "experiment:read", experiments.read_experiment),
    endpoint("PATCH", _TRIAL, "experiment:write", experiments.change_experiment),
    endpoint("DELETE", _TRIAL, "experiment:write", experiments.delete_experiment),
    endpoint("GET", f"{_TRIAL}/results", "experiment:read", experiments.results, asks=True),
)

_NOTES = f"{ONE}/annotations"
_NOTE = f"{_NOTES}/{{annotation_id}}"
ANNOTATIONS = (
    endpoint("GET", _NOTES, "annotation:read", annotations.list_annotations),
    endpoint("POST", _NOTES, "annotation:write", annotations.create_annotation, status=201),
    endpoint("GET", _NOTE, "annotation:read", annotations.read_annotation),
    endpoint("PATCH", _NOTE, "annotation:write", annotations.change_annotation),
    endpoint("DELETE", _NOTE, "annotation:write", annotations.delete_annotation),
)

_ALERTS = f"{ONE}/alerts"
_ALERT = f"{_ALERTS}/{{alert_id}}"
ALERTS = (
    endpoint("GET", _ALERTS, "alert:read", alerts.list_alerts),
    endpoint("POST", _ALERTS, "alert:write", alerts.create_alert, status=201),
    endpoint("GET", _ALERT, "alert:read", alerts.read_alert),
    endpoint("PATCH", _ALERT, "alert:write", alerts.change_alert),
    endpoint("DELETE", _ALERT, "alert:write", alerts.delete_alert),
)

_POSTS = f"{ONE}/subscriptions"
_POST = f"{_POSTS}/{{subscription_id}}"
SUBSCRIPTIONS = (
    endpoint("GET", _POSTS, "subscription:read", subscriptions.list_subscriptions),
    endpoint(
        "POST", _POSTS, "subscription:write", subscriptions.create_subscription, status=201
    ),
    endpoint("GET", _POST, "subscription:read", subscriptions.read_subscription),
    endpoint("PATCH", _POST, "subscription:write", subscriptions.change_subscription),
    endpoint("DELETE", _POST, "subscription:write", subscriptions.delete_subscription),
)

_FLEET = f"{ONE}/fleet"
_RELEASE = f"{_FLEET}/releases/{{version}}"
_SAYS_FLEET = "project:admin"
FLEET = (
    endpoint("GET", f"{_FLEET}/settings", "query:read", fleet_settings.read_settings),
    endpoint("PATCH", f"{_FLEET}/settings", _SAYS_FLEET, fleet_settings.change_settings),
    endpoint("GET", f"{_FLEET}/releases", "query:read", fleet_settings.list_releases),
    endpoint(
        "POST", f"{_FLEET}/releases", _SAYS_FLEET, fleet_settings.add_release, status=201
    ),
    endpoint(
        "POST", f"{_FLEET}/releases/import", _SAYS_FLEET, fleet_settings.import_releases
    ),
    endpoint("PATCH", _RELEASE, _SAYS_FLEET, fleet_settings.change_release),
    endpoint("DELETE", _RELEASE, _SAYS_FLEET, fleet_settings.delete_release),
    endpoint(
        "POST", f"{_FLEET}/versions/order", "query:read", fleet_settings.order_versions
    ),
    endpoint(
        "GET", f"{_FLEET}/public", "query:read", fleet_public.read_publication, asks=True
    ),
    endpoint("POST", f"{_FLEET}/public/publish", _SAYS_FLEET, fleet_public.publish),
    endpoint("GET", f"{_FLEET}/{{figure}}", "query:read", fleet.figure, asks=True),
)

ENDPOINTS: Sequence[Endpoint] = (
    *ABOUT_PROJECTS,
    *QUESTIONS,
    *INSIGHTS,
    *DASHBOARDS,
    *PERSONS,
    *GROUPS,
    *COHORTS,
    *EVENTS,
    *DEFINITIONS,
    *EXPERIMENTS,
    *ANNOTATIONS,
    *ALERTS,
    *SUBSCRIPTIONS,
    *FLEET,
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
