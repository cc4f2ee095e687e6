"""Dashboards to begin with: their tiles, and the insights and cohorts that go with them.

**Installation Health** and **User Engagement** are those of TimeTracker's analytics
guide, widget by widget, each asking exactly what the catalogue of its events
(``docs/events.md``) says answers it. Installing one also saves the guide's example
queries and cohorts of its half, unless they are there already.

Data only: ``{"$cohort": name}`` in a query stands for the number the cohort gets.
"""

from typing import Any

import msgspec

DOCKER_LATEST = "Docker Users on Latest Version"
ADMINS_OIDC = "Admins Using OIDC"
USERS = {"key": "role", "type": "person", "operator": "is_set"}
"""Installations and personless events have no role, so this leaves only people."""


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """A question with its name, and its place if it is a tile."""

    name: str
    description: str
    query: dict[str, Any]
    layout: dict[str, int] = msgspec.field(default_factory=dict)


class SavedCohort(msgspec.Struct, frozen=True, kw_only=True):
    """A cohort to be made along with a dashboard."""

    name: str
    description: str
    filters: dict[str, Any]


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """A dashboard that can be made in one step."""

    key: str
    """Stable; what ``from_template`` is given."""

    name: str
    description: str
    tiles: tuple[Saved, ...]
    insights: tuple[Saved, ...] = ()
    cohorts: tuple[SavedCohort, ...] = ()
    union_properties: dict[str, list[str]] = msgspec.field(default_factory=dict)
    """Added to the project's rules for lists that unite (``events.md`` §5)."""


def _trend(
    event: str | None,
    display: str,
    *,
    math: str = "total",
    since: str = "-30d",
    by: str = "",
    where: tuple[dict[str, Any], ...] = (),
) -> dict[str, Any]:
    query: dict[str, Any] = {
        "kind": "TrendsQuery",
        "dateRange": {"date_from": since},
        "interval": "day",
        "series": [{"kind": "EventsNode", "event": event, "math": math}],
        "trendsFilter": {"display": display},
    }
    if since == "-24h":
        query["dateRange"]["explicitDate"] = True  # to the minute, not from midnight
    if by:
        query["breakdownFilter"] = {"breakdown": by, "breakdown_type": "event"}
    if where:
        query["properties"] = list(where)
    return query


def _is(key: str, value: str, of: str = "event", operator: str = "exact") -> dict[str, Any]:
    return {"key": key, "type": of, "operator": operator, "value": [value]}


def _has(key: str, of: str = "event") -> dict[str, Any]:
    return {"key": key, "type": of, "operator": "is_set"}


def _persons(*criteria: dict[str, Any]) -> dict[str, Any]:
    return {
        "properties": {"type": "AND", "values": [{"type": "AND", "values": list(criteria)}]}
    }


def _with(query: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**query, **more}


def _at(x: int, y: int, w: int, h: int = 6) -> dict[str, int]:
    return {"x": x, "y": y, "w": w, "h": h}


_DOCKER_COHORT = SavedCohort(
    name=DOCKER_LATEST,
    description="Installations that run in Docker and are on 3.0.0.",
    filters=_persons(
        _is("deployment_method", "docker", "person"),
        _is("current_version", "3.0.0", "person"),
    ),
)
_OIDC_COHORT = SavedCohort(
    name=ADMINS_OIDC,
    description="Administrators who sign in with OpenID Connect.",
    filters=_persons(
        _is("is_admin", "true", "person"), _is("auth_method", "oidc", "person")
    ),
)

INSTALLATION_HEALTH = Template(
    key="installation-health",
    name="Installation Health",
    description="What is out there, which version it runs, and whether it is well.",
    union_properties={"version": ["python_versions"]},
    cohorts=(_DOCKER_COHORT,),
    tiles=(
        Saved(
            name="Active Installations",
            description="telemetry.health in the last 24 hours: one for each installation.",
            query=_trend("telemetry.health", "BoldNumber", since="-24h"),
            layout=_at(0, 0, 4, 5),
        ),
        Saved(
            name="Version Distribution",
            description="Installations heard of in the last 24 hours, by app_version.",
            query=_trend(
                "telemetry.health",
                "ActionsBarValue",
                math="dau",
                since="-24h",
                by="app_version",
            ),
            layout=_at(4, 0, 4, 5),
        ),
        Saved(
            name="Platform Distribution",
            description="Installations heard of in the last 24 hours, by platform.",
            query=_trend(
                "telemetry.health", "ActionsPie", math="dau", since="-24h", by="platform"
            ),
            layout=_at(8, 0, 4, 5),
        ),
        Saved(
            name="Update Timeline",
            description="telemetry.update a day.",
            query=_trend("telemetry.update", "ActionsLineGraph"),
            layout=_at(0, 5, 6),
        ),
        Saved(
            name="Error Rate",
            description="Error events a day, by app_version.",
            query=_trend(
                None,
                "ActionsBar",
                by="app_version",
                where=(_is("feature_category", "error"),),
            ),
            layout=_at(6, 5, 6),
        ),
    ),
    insights=(
        Saved(
            name="Active installations by version",
            description="Installations heard of in the last 30 days, by version.",
            query=_trend("telemetry.health", "ActionsBarValue", math="dau", by="version"),
        ),
        Saved(
            name="New installations over time",
            description="telemetry.install a day, by deployment_method.",
            query=_trend("telemetry.install", "ActionsLineGraph", by="deployment_method"),
        ),
        Saved(
            name="Update adoption",
            description="Updates from 2.9.0 a day, by the version they went to.",
            query=_trend(
                "telemetry.update",
                "ActionsLineGraph",
                by="new_version",
                where=(_is("old_version", "2.9.0"),),
            ),
        ),
    ),
)

USER_ENGAGEMENT = Template(
    key="user-engagement",
    name="User Engagement",
    description="Who works with TimeTracker, and with which parts of it.",
    cohorts=(_OIDC_COHORT, _DOCKER_COHORT),
    tiles=(
        Saved(
            name="Daily Active Users",
            description="Unique users a day.",
            query=_trend(None, "ActionsLineGraph", math="dau", where=(USERS,)),
            layout=_at(0, 0, 6),
        ),
        Saved(
            name="Feature Usage",
            description="Events by feature category, errors left out.",
            query=_trend(
                None,
                "ActionsBarValue",
                by="feature_category",
                where=(
                    _has("feature_category"),
                    _is("feature_category", "error", operator="is_not"),
                ),
            ),
            layout=_at(6, 0, 6),
        ),
        Saved(
            name="Auth Method Split",
            description="Logins by method.",
            query=_trend("auth.login", "ActionsPie", by="auth_method"),
            layout=_at(0, 6, 4),
        ),
        Saved(
            name="Timer Usage",
            description="timer.started a day.",
            query=_trend("timer.started", "ActionsLineGraph"),
            layout=_at(4, 6, 4),
        ),
        Saved(
            name="Export Activity",
            description="export.csv a day, by cohort.",
            query=_with(
                _trend("export.csv", "ActionsBar"),
                breakdownFilter={
                    "breakdown_type": "cohort",
                    "breakdown": [
                        {"$cohort": ADMINS_OIDC},
                        {"$cohort": DOCKER_LATEST},
                        "all",
                    ],
                },
            ),
            layout=_at(8, 6, 4),
        ),
    ),
    insights=(
        Saved(
            name="Login methods",
            description="Logins in the last 30 days, by auth_method.",
            query=_trend("auth.login", "ActionsBarValue", by="auth_method"),
        ),
        Saved(
            name="Feature usage by role",
            description="Projects made a day by persons whose role is admin.",
            query=_trend(
                "project.created",
                "ActionsLineGraph",
                where=(_is("role", "admin", "person"),),
            ),
        ),
        Saved(
            name="Timer usage patterns",
            description="Timers started in the last 30 days, by hour of day.",
            query=_with(
                _trend("timer.started", "ActionsBarValue"),
                breakdownFilter={
                    "breakdown_type": "hogql",
                    "breakdown": "toHour(timestamp)",
                },
            ),
        ),
    ),
)

TEMPLATES = {one.key: one for one in (INSTALLATION_HEALTH, USER_ENGAGEMENT)}
