"""Every event and property that TimeTracker can send, and the consent it needs.

What is not here cannot be sent: the gate (``app.telemetry.gate``) looks everything up
in ``EVENTS``, drops what it does not find and logs a warning. ``docs/events.md`` is
generated from here, and so is the table on "Privacy & analytics". A plug-in adds its
own events with ``register``, which puts them on that page too.

Data only: nothing here knows a database, a network or the web.
"""

from functools import partial
from uuid import UUID

from app.telemetry.blocks import (
    AUTH,
    BLOCKS,
    BULK,
    COARSE,
    DATASET,
    ENGINE,
    FAILURE,
    FIELDS,
    FORMAT,
    GROUP_KEY,
    GROUP_SET,
    GROUPING,
    ISO,
    LAYER,
    ORIGIN,
    PERSONLESS,
    RANGE,
    REASON,
    ROLE,
    SETTINGS,
    SIGNUP,
    STATUS,
    USER_SET,
    USER_SET_ONCE,
    VARIANT,
    VERSION,
)
from app.telemetry.definitions import (
    Event,
    Property,
    count,
    counts,
    flags,
    one_of,
    prop,
    record,
    sets,
    some_of,
)

CONSENT_VERSION = 1
"""Raised when a layer gains an event or property; those carry the new number as ``since``."""

NAMESPACE = UUID("6f1d5a6e-0f6b-5b0e-9a53-7d0c3c1f9e42")
"""Of the uuids of installation events: the same message twice is one event."""

EVENTS: dict[str, Event] = {}
"""By name, in the order of the documentation."""


def register(event: Event) -> None:
    """Let an event be sent, and show it on "Privacy & analytics"."""
    EVENTS[event.name] = event


def _installation(
    name: str, when: str, *own: Property, blocks: str = "TDC", personless: bool = False
) -> None:
    register(
        Event(
            name=name,
            when=when,
            layer="base",
            subject="installation",
            sinks=("telemetry",),
            own=own,
            blocks=blocks,
            personless=personless,
        )
    )


def _user(
    name: str, when: str, *own: Property, blocks: str = "RDCF", personless: bool = False
) -> None:
    register(
        Event(
            name=name,
            when=when,
            layer="detailed",
            subject="installation" if personless else "user",
            sinks=("analytics",),
            own=own,
            blocks=blocks,
            personless=personless,
        )
    )


def _failure(name: str, when: str) -> None:
    register(
        Event(
            name=name,
            when=when,
            layer="detailed",
            subject="user",
            sinks=("analytics", "telemetry"),
            own=FAILURE,
            blocks="RDCF",
        )
    )


_installation("telemetry.install", "once per fingerprint, on the first consent")
_installation(
    "telemetry.health",
    "after `telemetry.install`, then once a day",
    prop("db_engine", ENGINE),
    prop("users_band", one_of("1", "2-5", "6-20", "21-100", "100+")),
)
_installation(
    "telemetry.update",
    "the first start of another version",
    prop("old_version", VERSION),
    prop("new_version", VERSION),
    prop("direction", one_of("up", "down")),
)
_installation(
    "base_telemetry.first_seen", "with `telemetry.install`", blocks="BDc", personless=True
)
_installation(
    "base_telemetry.heartbeat",
    "after `telemetry.health`",
    prop("heartbeat_at", ISO),
    blocks="BDc",
    personless=True,
)
_installation(
    "$groupidentify",
    "version and platform group, when they changed or after 30 days",
    prop("$group_type", one_of("version", "platform")),
    prop("$group_key", GROUP_KEY),
    prop(
        "$group_set", record(*GROUP_SET, named=", ".join(f"`{p.name}`" for p in GROUP_SET))
    ),
    blocks="c",
)

_user(
    "$identify",
    "on login, and when the role changes",
    *sets(USER_SET, USER_SET_ONCE),
    blocks="RDC",
)
_user("$pageview", "a full page was loaded (`ANALYTICS_PAGEVIEWS`)", blocks="RDC")
METHOD = prop("auth_method", AUTH)
_user("auth.login", "after a successful login", METHOD, *flags("is_first_login"))
_user(
    "auth.login_failed",
    "after a refused login",
    METHOD,
    prop("reason", REASON),
    personless=True,
)
_user("auth.logout", "explicit logout", METHOD, prop("session_minutes", COARSE))
_user("auth.signup", "an account was made at sign-in", prop("signup_method", SIGNUP))
_user("auth.password_changed", "done")
_user("auth.password_reset", "done")

_timer = partial(_user, blocks="RDCFL")
_timer(
    "timer.started",
    "a timer begins",
    *flags("has_project has_task has_description billable replaced_running"),
    prop("origin", ORIGIN),
)
_timer("timer.paused", "a break begins")
_timer("timer.resumed", "a break ends", prop("break_minutes", COARSE))
_timer(
    "timer.stopped",
    "a timer ends",
    prop("duration_minutes", count(1440, step=5)),
    prop("breaks", count(20)),
    prop("stopped_by", one_of("user", "replaced", "max_duration", "admin", "api")),
    *flags("crossed_midnight has_project"),
)
_timer(
    "timer.discarded",
    "a running timer is thrown away",
    prop("duration_minutes", count(1440, step=5)),
)
_timer(
    "timer.idle_detected",
    "the idle or forgotten-timer question is answered",
    prop("idle_minutes", COARSE),
    prop(
        "resolution",
        one_of("keep", "discard_and_stop", "discard_and_continue", "split_off"),
    ),
    prop("trigger", one_of("idle", "long_running")),
)
_user(
    "time_entry.created",
    "an entry was made without the timer",
    prop("entry_kind", one_of("timed", "duration")),
    prop("origin", one_of("form", "week", "calendar", "duplicate", "api")),
    prop("days_back", count(366)),
    *flags("overlap_warned"),
)
_user("time_entry.updated", "entries were changed", FIELDS, BULK)
_user("time_entry.deleted", "entries were put in the trash", BULK)
_user("time_entry.restored", "entries were taken out of the trash", BULK)
_user("project.created", "done", *flags("billable has_client has_estimate"))
_user("project.updated", "done", FIELDS)
_user("project.archived", "done")
_user("project.unarchived", "done")
_user("project.deleted", "done", *flags("had_entries"))
_user("task.created", "done", *flags("has_estimate assigned"))
_user("task.updated", "done", FIELDS)
_user("task.status_changed", "done", prop("old_status", STATUS), prop("new_status", STATUS))
_user("task.deleted", "done")
_user("client.created", "done", *flags("has_rate"))
_user("client.updated", "done", FIELDS)
_user("client.archived", "done")
_user("client.deleted", "done")
_user(
    "report.viewed",
    "a report answered, once per question and 10 minutes",
    prop("report_type", one_of("summary", "detailed", "weekly", "billable", "user")),
    prop("date_range", RANGE),
    prop("group_by", GROUPING),
    *counts("range_days rows duration_ms filters_used"),
    blocks="RDCFE",
)
for _act in ("created", "updated", "deleted", "applied"):
    _user(
        f"saved_filter.{_act}",
        "done",
        prop("scope", one_of("entries", "reports")),
        *flags("shared"),
    )

_EXPORT = (
    prop("export_type", FORMAT),
    prop("dataset", DATASET),
    *counts("rows duration_ms"),
    prop("column_set", one_of("default", "custom")),
)
_user("export.completed", "the last byte was produced", *_EXPORT, blocks="RDCFE")
for _format in ("csv", "xlsx", "pdf", "json"):
    _user(f"export.{_format}", "with each `export.completed`", *_EXPORT, blocks="RDCE")
_user(
    "export.failed",
    "broken off by us",
    *_EXPORT[:2],
    prop("reason", one_of("too_large", "timeout", "error")),
    blocks="RDCFE",
)
_SOURCE = prop("source", one_of("toggl", "clockify", "kimai", "generic"))
_user(
    "import.completed",
    "an import was committed",
    _SOURCE,
    *counts("rows created skipped_duplicate skipped_error duration_ms"),
)
_user(
    "import.failed",
    "an import broke off",
    _SOURCE,
    prop("stage", one_of("detect", "map", "dry_run", "commit")),
)
_user("import.undone", "an import was taken back", _SOURCE)

_user("admin.user_created", "done", prop("role", ROLE))
_user("admin.user_updated", "done", FIELDS)
_user("admin.user_deactivated", "done")
_user("admin.user_deleted", "done")
_user(
    "admin.user_role_changed",
    "done",
    prop("old_role", ROLE),
    prop("new_role", ROLE),
    prop("by", one_of("admin", "oidc_claim")),
)
_user("admin.settings_updated", "done", SETTINGS)
_user("admin.telemetry_dashboard_viewed", "Privacy & analytics was opened")
_user(
    "admin.telemetry_toggled",
    "consent changed and the new layer is detailed",
    *flags("enabled"),
    prop("old_layer", LAYER),
    prop("new_layer", LAYER),
)
_user("admin.backup_created", "done")
_user("admin.lock_date_changed", "done")
for _act in ("created", "revoked"):
    _user(
        f"api_token.{_act}",
        "done",
        prop("scopes", some_of("read", "time:write", "manage:write", "reports", "admin")),
        *flags("expires"),
    )
_user(
    "setup.completed",
    "end of the first run, if detailed was chosen",
    *flags("telemetry_enabled"),
    prop("telemetry_layer", LAYER),
    METHOD,
    prop("db_engine", ENGINE),
)

_failure("error.unhandled", "an unhandled exception answered 500")
for _part in ("database", "oidc", "email", "export", "import", "scheduler"):
    _failure(f"error.{_part}", "a handled failure of that part")


TOLD_TO_MAKERS = frozenset({"route"})
"""Of block [R], what an ``error.*`` may carry to the telemetry sink."""


def properties_of(event: Event, sink: str = "analytics") -> dict[str, Property]:
    """Every property that may lie in this event on its way to ``sink``, by name."""
    come = [
        known
        for letter in event.blocks
        for known in BLOCKS[letter]
        if letter != "R" or sink == "analytics" or known.name in TOLD_TO_MAKERS
    ]
    no_person = event.personless or (
        event.name.startswith("error.") and sink == "analytics"
    )
    more = (PERSONLESS,) if no_person else ()
    if "R" in event.blocks and sink == "analytics" and not event.personless:
        more = (*more, *VARIANT)  # whatever a user does may be part of an experiment
    return {known.name: known for known in (*come, *event.own, *more)}
