"""What a project calls its heartbeats, versions and the rest (``fleet`` §1.1).

A project keeps only what differs from the defaults, as a plain mapping; ``settings_of``
reads it and ``checked`` refuses what could not be read later.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from hedgerow.errors import InvalidInput
from hedgerow.model.versions import Scheme

PUBLISHABLE = (
    "version",
    "platform",
    "deployment_method",
    "python_minor",
    "utc_offset",
    "auth_method",
)
"""The only things a public page can tell of an installation."""

LEAST_K = 5
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")


class Release(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One release as its makers list it; what counts of an instant is its day."""

    version: str
    released_at: str
    channel: str = "stable"
    yanked_at: str | None = None
    notes_url: str | None = None


class Quorum(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many installations make an unlisted version a release."""

    installations: int = 3
    share: float = 0.005


class ErrorFilter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which events are errors: those whose property ``key`` is ``value``."""

    key: str = "feature_category"
    value: str = "error"


class Public(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of the fleet anybody may see (§4.1)."""

    enabled: bool = False
    slug: str | None = None
    """The page's address, ``/fleet/<slug>``."""

    product: str | None = None
    """How the page calls the product; null: the project's name."""

    k: int = 10
    """No number stands for fewer installations than these."""

    window_days: int = 30
    tables: list[str] = msgspec.field(default_factory=lambda: list(PUBLISHABLE))
    cross: list[str] | None = None
    """Two of the tables, shown against each other; null: none."""

    licence: str = "CC BY 4.0"


class FleetSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The names and limits of one project's fleet."""

    heartbeat_event: str = "telemetry.health"
    install_event: str | None = "telemetry.install"
    update_event: str | None = "telemetry.update"
    version_property: str | list[str] = msgspec.field(
        default_factory=lambda: ["version", "app_version"]
    )
    old_version_property: str = "old_version"
    new_version_property: str = "new_version"
    environment_property: str = "environment"
    exclude_environments: list[str] = msgspec.field(
        default_factory=lambda: ["development", "testing"]
    )
    platform_property: str = "platform"
    platform_release_property: str = "platform_release"
    machine_property: str = "platform_machine"
    python_property: str = "python_version"
    deployment_property: str = "deployment_method"
    auth_property: str = "auth_method"
    timezone_property: str = "timezone"
    size_property: str = "users_band"
    person_version_property: str = "current_version"
    first_version_property: str = "first_seen_version"
    heartbeat_interval_hours: int = 24
    silent_after_days: int | None = None
    """Null: 7, or three intervals where that is longer."""

    gone_after_days: int | None = None
    """Null: 30, or ten intervals where that is longer."""

    version_scheme: Scheme = "auto"
    releases: list[Release] = msgspec.field(default_factory=list)
    quorum: Quorum = Quorum()
    eol: dict[str, str] = msgspec.field(default_factory=dict)
    """Series, such as ``2.9``, to the last day of its support."""

    error_filter: ErrorFilter = ErrorFilter()
    public: Public = Public()

    @property
    def silent_after(self) -> int:
        """Days without a heartbeat after which an installation is silent."""
        return self.silent_after_days or max(7, -(-self.heartbeat_interval_hours // 8))

    @property
    def gone_after(self) -> int:
        """Days without a heartbeat after which an installation is gone."""
        return self.gone_after_days or max(30, -(-10 * self.heartbeat_interval_hours // 24))

    @property
    def version_properties(self) -> list[str]:
        """The properties that hold a version; the first one present wins."""
        named = self.version_property
        return [named] if isinstance(named, str) else named


def settings_of(raw: Mapping[str, Any]) -> FleetSettings:
    """Return a project's settings; empty: the defaults. Raises InvalidInput."""
    try:
        return msgspec.convert(raw, FleetSettings)
    except msgspec.ValidationError as error:
        raise InvalidInput(
            f"The fleet settings cannot be read: {error}.",
            hint="See docs/how-to/fleet.md for what can be set.",
            attr="fleet",
        ) from error


def local_day(text: str, zone: ZoneInfo, attr: str) -> date:
    """Return the local day of a date or an instant. Raises InvalidInput."""
    try:
        if len(text) == len("2025-01-31"):
            return date.fromisoformat(text)
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(
            f"{text!r} is not a date.", hint="Use 2025-01-31.", attr=attr
        ) from error
    return (at if at.tzinfo is None else at.astimezone(zone)).date()


def series_numbers(series: str) -> tuple[int, ...] | None:
    """Return the numbers of a series such as ``2.9``; None: it is none."""
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9}){0,3}", series):
        return None
    return tuple(int(part) for part in series.split("."))
