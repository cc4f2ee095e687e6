"""The properties that come by themselves, and the words that any property may use.

Each block has a letter, which ``Event.blocks`` names: see ``BLOCKS``. The events
themselves stand in ``app.telemetry.catalog``.
"""

from app.config import VARIABLES
from app.telemetry.definitions import (
    NUMBER,
    TRUTH,
    count,
    list_of,
    one_of,
    only,
    prop,
    record,
    sets,
    some_of,
    text,
)
from app.variables import ROLES

LAYERS = ("off", "base", "detailed")
"""From nothing to most."""

VERSION = text(r"\d+\.\d+\.\d+(-[a-z0-9.]+)?", "version such as `3.0.0`")
ZONE = text(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*", "zone such as `Europe/Berlin`")
HASH = text(r"[0-9a-f]{64}", "64 hex digits")
ISO = text(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", "UTC such as `2025-10-20T10:30:00`")
SPACED = text(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "UTC such as `2025-10-20 10:30:00`")
NUMERIC = text(r"\d+(\.\d+)*", "numeric such as `5.15.0`")
NAME = text(r"[A-Za-z0-9_.]+", "name in our code")
FAMILY = text(r"[A-Za-z0-9 ._-]+", "family such as `Firefox`")
ENVIRONMENT = one_of("production", "development", "testing")
DEPLOYMENT = one_of("docker", "native")
PLATFORM = one_of("Linux", "Windows", "Darwin", "other")
MACHINE = one_of("x86_64", "aarch64", "armv7l", "other")
AUTH = one_of("local", "oidc")
SIGNUP = one_of("local", "admin", "oidc", "setup", "import")
ROLE = one_of(*reversed(ROLES))
LAYER = one_of(*LAYERS)
ENGINE = one_of("sqlite", "postgresql")
COARSE = count(step=5)
FORMAT = one_of("csv", "xlsx", "pdf", "json")
DATASET = one_of(
    *[
        "entries",
        "summary",
        "weekly",
        "billable",
        "clients",
        "projects",
        "tasks",
        "users",
        "audit",
    ]
)
STATUS = one_of("open", "in_progress", "done")
GROUPING = some_of(
    *["client", "project", "task", "user", "tag", "billable", "day", "week", "month"]
)
RANGE = one_of("today", "week", "month", "quarter", "year", "custom")
REASON = one_of(*["unknown_user", "wrong_password", "disabled", "rate_limited", "no_local_password"],
                "oidc_state", "oidc_denied", "oidc_claim", "oidc_provider")  # fmt: skip
ORIGIN = one_of("header", "dashboard", "palette", "shortcut", "entry", "week", "api")
FIELD_NAMES = (
    *[
        "project",
        "task",
        "client",
        "description",
        "tags",
        "billable",
        "started_at",
        "ended_at",
        "local_date",
    ],
    *[
        "timezone",
        "seconds",
        "breaks",
        "rate_override",
        "user",
        "name",
        "code",
        "color",
        "estimate_minutes",
    ],
    *[
        "notes",
        "visibility",
        "require_task",
        "rounding",
        "number",
        "currency",
        "status",
        "assignee",
        "due_on",
    ],
    *[
        "username",
        "display_name",
        "email",
        "role",
        "is_active",
        "password",
        "auth_method",
        "locale",
        "theme",
    ],
    *["week_start", "time_format", "duration_format", "weekly_target_minutes"],
    *["analytics_opt_out", "shortcuts_enabled", "default_project", "members"],
)
FIELDS = prop("fields", some_of(*FIELD_NAMES, named="field names"))
SETTINGS = prop("fields", some_of(*VARIABLES, named="setting names"))
BULK = prop("bulk_count", NUMBER)

DEPLOYED = (
    prop("environment", ENVIRONMENT),
    prop("app_version", VERSION),
    prop("deployment_method", DEPLOYMENT),
)
REQUEST = (
    prop("$browser", FAMILY),
    prop("$device_type", one_of("Desktop", "Mobile", "Tablet")),
    prop("$os", one_of("Windows", "Mac OS X", "Linux", "iOS", "Android", "Chrome OS")),
    prop("$current_url", text(r"[^?#@\s]+", "scheme, host, path; no query")),
    prop("$pathname", text(r"/[A-Za-z0-9/:_.-]*", "path, ids as `:id`")),
    prop("$host", text(r"[A-Za-z0-9.:\[\]_-]+", "host as the user sees it")),
    prop("route", NAME),
    prop("via", one_of("web", "api", "system")),
)
GROUPS = prop(
    "$groups",
    record(prop("version", VERSION), prop("platform", PLATFORM), named="version, platform"),
)
CONSTANT = (
    prop("$lib", text(r"posthog-[a-z]+", "name of the SDK")),
    prop("$lib_version", text(r"[0-9a-z.]+", "version of the SDK")),
    prop("$ip", only(None)),
    prop("$geoip_disable", only(value=True)),
    prop("$is_server", only(value=True)),
)
CATEGORY = (
    prop(
        "feature_category",
        one_of(*["timer", "time_entry", "project", "task", "client", "report", "export", "import"],
               *["saved_filter", "admin", "api_token", "auth", "setup", "error"]),
    ),
)  # fmt: skip
VARIANT = (prop("experiment_variant", text(r"[a-z0-9_-]{1,40}", "`[a-z0-9_-]{1,40}`")),)
LOCAL = (
    prop("local_hour", count(23)),
    prop("local_weekday", count(7, least=1)),
)
TELEMETRY = (
    prop("version", VERSION),
    prop("platform", PLATFORM),
    prop("platform_release", NUMERIC),
    prop("platform_machine", MACHINE),
    prop("python_version", NUMERIC),
    prop("auth_method", AUTH),
    prop("timezone", ZONE),
)
CENSUS = (
    prop("install_id", HASH),
    prop("platform", PLATFORM),
    prop("os_version", NUMERIC),
    prop("architecture", MACHINE),
    prop("locale", text(r"[a-z]{2,3}", "language")),
    prop("timezone", ZONE),
    prop("first_seen_at", ISO),
    prop("last_seen_at", ISO),
    prop("release_channel", one_of("stable", "dev")),
    prop("deployment_type", DEPLOYMENT),
)
USER_SET = (
    prop("role", ROLE),
    prop("is_admin", TRUTH),
    prop("last_login", ISO),
    prop("auth_method", AUTH),
)
USER_SET_ONCE = (prop("first_login", ISO), prop("signup_method", SIGNUP))
INSTALLATION_SET = (
    prop("current_version", VERSION),
    prop("current_platform", PLATFORM),
    *DEPLOYED[::2],
    *TELEMETRY[-2:],
    prop("last_seen", SPACED),
)
INSTALLATION_SET_ONCE = (
    prop("first_seen_platform", PLATFORM),
    prop("first_seen_python_version", NUMERIC),
    prop("first_seen_version", VERSION),
)
GROUP_SET = (
    prop("version_number", VERSION),
    prop("python_versions", list_of(NUMERIC, most=1)),
    prop("platform_name", PLATFORM),
    prop("platform_release", NUMERIC),
)


PERSONLESS = prop("$process_person_profile", only(value=False))
GROUP_KEY = text(
    r"\d+\.\d+\.\d+(-[a-z0-9.]+)?|Linux|Windows|Darwin|other", "version, platform"
)

BLOCKS = {
    "D": DEPLOYED,
    "R": REQUEST,
    "C": (*CONSTANT, GROUPS),
    "c": CONSTANT,
    "F": CATEGORY,
    "E": VARIANT,
    "L": LOCAL,
    "T": (*TELEMETRY, *sets(INSTALLATION_SET, INSTALLATION_SET_ONCE)),
    "B": CENSUS,
}
"""Properties that come by themselves, by the letters of ``Event.blocks``."""

FAILURE = (
    prop("error_class", NAME),
    prop("endpoint", NAME),
    prop("status_code", count(599)),
    prop("error_hash", text(r"[0-9a-f]{16}", "16 hex digits")),
    prop("occurrences", NUMBER),
)
