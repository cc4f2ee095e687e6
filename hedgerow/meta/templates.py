"""Dashboards to begin with: their tiles, and the insights and cohorts that go with them.

**Installation Health** and **User Engagement** are those of TimeTracker's analytics
guide, widget by widget, each asking exactly what the catalogue of its events
(``docs/events.md``) says answers it. Installing one also saves the guide's example
queries and cohorts of its half, unless they are there already.

Data only: ``{"$cohort": name}`` in a query stands for the number the cohort gets.
"""

from hedgerow.meta.template_parts import (
    Saved,
    SavedCohort,
    Template,
    at,
    has,
    is_,
    persons,
    trend,
    with_,
)
from hedgerow.meta.templates_general import PRODUCT_OVERVIEW, WEB_OVERVIEW

DOCKER_LATEST = "Docker Users on Latest Version"
ADMINS_OIDC = "Admins Using OIDC"
USERS = {"key": "role", "type": "person", "operator": "is_set"}
"""Installations and personless events have no role, so this leaves only people."""


_DOCKER_COHORT = SavedCohort(
    name=DOCKER_LATEST,
    description="Installations that run in Docker and are on 3.0.0.",
    filters=persons(
        is_("deployment_method", "docker", "person"),
        is_("current_version", "3.0.0", "person"),
    ),
)
_OIDC_COHORT = SavedCohort(
    name=ADMINS_OIDC,
    description="Administrators who sign in with OpenID Connect.",
    filters=persons(
        is_("is_admin", "true", "person"), is_("auth_method", "oidc", "person")
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
            query=trend("telemetry.health", "BoldNumber", since="-24h"),
            layout=at(0, 0, 4, 5),
        ),
        Saved(
            name="Version Distribution",
            description="Installations heard of in the last 24 hours, by app_version.",
            query=trend(
                "telemetry.health",
                "ActionsBarValue",
                math="dau",
                since="-24h",
                by="app_version",
            ),
            layout=at(4, 0, 4, 5),
        ),
        Saved(
            name="Platform Distribution",
            description="Installations heard of in the last 24 hours, by platform.",
            query=trend(
                "telemetry.health", "ActionsPie", math="dau", since="-24h", by="platform"
            ),
            layout=at(8, 0, 4, 5),
        ),
        Saved(
            name="Update Timeline",
            description="telemetry.update a day.",
            query=trend("telemetry.update", "ActionsLineGraph"),
            layout=at(0, 5, 6),
        ),
        Saved(
            name="Error Rate",
            description="Error events a day, by app_version.",
            query=trend(
                None,
                "ActionsBar",
                by="app_version",
                where=(is_("feature_category", "error"),),
            ),
            layout=at(6, 5, 6),
        ),
    ),
    insights=(
        Saved(
            name="Active installations by version",
            description="Installations heard of in the last 30 days, by version.",
            query=trend("telemetry.health", "ActionsBarValue", math="dau", by="version"),
        ),
        Saved(
            name="New installations over time",
            description="telemetry.install a day, by deployment_method.",
            query=trend("telemetry.install", "ActionsLineGraph", by="deployment_method"),
        ),
        Saved(
            name="Update adoption",
            description="Updates from 2.9.0 a day, by the version they went to.",
            query=trend(
                "telemetry.update",
                "ActionsLineGraph",
                by="new_version",
                where=(is_("old_version", "2.9.0"),),
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
            query=trend(None, "ActionsLineGraph", math="dau", where=(USERS,)),
            layout=at(0, 0, 6),
        ),
        Saved(
            name="Feature Usage",
            description="Events by feature category, errors left out.",
            query=trend(
                None,
                "ActionsBarValue",
                by="feature_category",
                where=(
                    has("feature_category"),
                    is_("feature_category", "error", operator="is_not"),
                ),
            ),
            layout=at(6, 0, 6),
        ),
        Saved(
            name="Auth Method Split",
            description="Logins by method.",
            query=trend("auth.login", "ActionsPie", by="auth_method"),
            layout=at(0, 6, 4),
        ),
        Saved(
            name="Timer Usage",
            description="timer.started a day.",
            query=trend("timer.started", "ActionsLineGraph"),
            layout=at(4, 6, 4),
        ),
        Saved(
            name="Export Activity",
            description="export.csv a day, by cohort.",
            query=with_(
                trend("export.csv", "ActionsBar"),
                breakdownFilter={
                    "breakdown_type": "cohort",
                    "breakdown": [
                        {"$cohort": ADMINS_OIDC},
                        {"$cohort": DOCKER_LATEST},
                        "all",
                    ],
                },
            ),
            layout=at(8, 6, 4),
        ),
    ),
    insights=(
        Saved(
            name="Login methods",
            description="Logins in the last 30 days, by auth_method.",
            query=trend("auth.login", "ActionsBarValue", by="auth_method"),
        ),
        Saved(
            name="Feature usage by role",
            description="Projects made a day by persons whose role is admin.",
            query=trend(
                "project.created",
                "ActionsLineGraph",
                where=(is_("role", "admin", "person"),),
            ),
        ),
        Saved(
            name="Timer usage patterns",
            description="Timers started in the last 30 days, by hour of day.",
            query=with_(
                trend("timer.started", "ActionsBarValue"),
                breakdownFilter={
                    "breakdown_type": "hogql",
                    "breakdown": "toHour(timestamp)",
                },
            ),
        ),
    ),
)

TEMPLATES = {
    one.key: one
    for one in (INSTALLATION_HEALTH, USER_ENGAGEMENT, PRODUCT_OVERVIEW, WEB_OVERVIEW)
}
