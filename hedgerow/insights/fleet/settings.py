"""What a project calls its heartbeats, versions and the rest (``fleet`` §1.1).

A project keeps only what differs from the defaults, as a plain mapping; ``settings_of``
reads it and ``checked`` refuses what could not be read later.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec

from hedgerow.errors import InvalidInput
from hedgerow.model.versions import Scheme, parse


class Release(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One release as its makers list it; what counts of an instant is its day."""

    version: str
    released_at: str
    channel: str = "stable"
    yanked_at: str | None = None
    notes_url: str | None = None

    @property
    def day(self) -> date:
        """The day of the release."""
        return date.fromisoformat(self.released_at[:10])

    @property
    def yanked(self) -> date | None:
        """The day on which it was withdrawn."""
        return date.fromisoformat(self.yanked_at[:10]) if self.yanked_at else None


class Quorum(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many installations make an unlisted version a release."""

    installations: int = 3
    share: float = 0.005


class ErrorFilter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which events are errors: those whose property ``key`` is ``value``."""

    key: str = "feature_category"
    value: str = "error"


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


def checked(settings: FleetSettings) -> FleetSettings:
    """Return settings that make sense. Raises InvalidInput naming the field."""
    for place, release in enumerate(settings.releases):
        _day(release.released_at, f"releases[{place}].released_at")
        if release.yanked_at is not None:
            _day(release.yanked_at, f"releases[{place}].yanked_at")
    for series, day in settings.eol.items():
        _day(day, f"eol.{series}")
        if parse(series, settings.version_scheme).kind != "ordered":
            raise InvalidInput(
                f"{series!r} is no series of versions.", hint="Use 2 or 2.9.", attr="eol"
            )
    if not settings.version_properties:
        raise InvalidInput(
            "version_property is empty.",
            hint="Name the property that holds the version.",
            attr="version_property",
        )
    if settings.heartbeat_interval_hours < 1:
        raise InvalidInput(
            f"heartbeat_interval_hours is {settings.heartbeat_interval_hours}.",
            hint="Use at least 1.",
            attr="heartbeat_interval_hours",
        )
    if not 0 < settings.silent_after <= settings.gone_after:
        raise InvalidInput(
            f"Silent after {settings.silent_after} days, gone after {settings.gone_after}.",
            hint="Use at least one day, and gone no earlier than silent.",
            attr="gone_after_days",
        )
    return settings


def _day(text: str, attr: str) -> None:
    try:
        date.fromisoformat(text[:10])
    except ValueError as error:
        raise InvalidInput(
            f"{text!r} is not a date.", hint="Use 2025-01-31.", attr=attr
        ) from error
