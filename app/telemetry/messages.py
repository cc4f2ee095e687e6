"""The messages of an installation, built from facts: no clock, database or network here.

What is previewed and what is sent are both made by these functions, so they cannot
differ. Each message that is sent once, or once a day, has a uuid made of the
fingerprint and its occasion: sent twice, it is one event.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import uuid5

from app.telemetry.catalog import NAMESPACE


class Message(NamedTuple):
    """One call of the SDK."""

    name: str
    subject: str
    """The ``distinct_id``: a user's or the fingerprint."""

    properties: Mapping[str, Any]
    at: datetime
    uuid: str | None = None
    """None: the SDK makes a random one."""

    groups: Mapping[str, str] | None = None
    """Group type → key."""


class Facts(NamedTuple):
    """What an installation knows of itself, as told."""

    fingerprint: str
    version: str
    platform: str
    platform_release: str
    platform_machine: str
    python_version: str
    auth_method: str
    timezone: str
    environment: str
    deployment_method: str
    locale: str
    """Language part only."""

    db_engine: str
    users_band: str
    first_seen_at: datetime
    first_seen_platform: str
    first_seen_python_version: str
    first_seen_version: str


def uuid_of(facts: Facts, *occasion: object) -> str:
    """Return the uuid of a message of this installation on this occasion."""
    return str(uuid5(NAMESPACE, ":".join(map(str, (facts.fingerprint, *occasion)))))


def install(facts: Facts, now: datetime) -> Message:
    """Build ``telemetry.install``."""
    return _telemetry("telemetry.install", facts, now, {}, "install")


def health(facts: Facts, now: datetime) -> Message:
    """Build ``telemetry.health`` of the day ``now`` lies in (UTC)."""
    more = {"db_engine": facts.db_engine, "users_band": facts.users_band}
    return _telemetry("telemetry.health", facts, now, more, "health", now.date())


def update(facts: Facts, now: datetime, pending: Mapping[str, Any]) -> Message:
    """Build ``telemetry.update`` of a pending ``{"old", "new", "ordinal"}``."""
    old, new = pending["old"], pending["new"]
    more = {
        "old_version": old,
        "new_version": new,
        "direction": "up" if version_key(new) > version_key(old) else "down",
    }
    occasion = ("update", old, new, pending["ordinal"])
    return _telemetry("telemetry.update", facts, now, more, *occasion)


def version_key(version: str) -> tuple[tuple[int, ...], bool, str]:
    """Return what orders versions: by number, and ``3.1.0-dev`` before ``3.1.0``."""
    numbers, _, suffix = version.partition("-")
    return tuple(int(part) for part in numbers.split(".")), not suffix, suffix


def _telemetry(
    name: str, facts: Facts, now: datetime, more: Mapping[str, Any], *occasion: object
) -> Message:
    told = {
        **_deployed(facts),
        "version": facts.version,
        "platform": facts.platform,
        "platform_release": facts.platform_release,
        "platform_machine": facts.platform_machine,
        "python_version": facts.python_version,
        "auth_method": facts.auth_method,
        "timezone": facts.timezone,
        **more,
        **person(facts, now),
    }
    groups = {"version": facts.version, "platform": facts.platform}
    return Message(name, facts.fingerprint, told, now, uuid_of(facts, *occasion), groups)


def _deployed(facts: Facts) -> dict[str, Any]:
    return {
        "environment": facts.environment,
        "app_version": facts.version,
        "deployment_method": facts.deployment_method,
    }


def person(facts: Facts, now: datetime) -> dict[str, Any]:
    """Build the installation's person properties, exactly as the founding guide has them."""
    return {
        "$set": {
            "current_version": facts.version,
            "current_platform": facts.platform,
            "environment": facts.environment,
            "deployment_method": facts.deployment_method,
            "auth_method": facts.auth_method,
            "timezone": facts.timezone,
            "last_seen": f"{now:%Y-%m-%d %H:%M:%S}",
        },
        "$set_once": {
            "first_seen_platform": facts.first_seen_platform,
            "first_seen_python_version": facts.first_seen_python_version,
            "first_seen_version": facts.first_seen_version,
        },
    }


def first_seen(facts: Facts, now: datetime) -> Message:
    """Build ``base_telemetry.first_seen``, which makes no person."""
    told = _census(facts, now)
    uuid = uuid_of(facts, "first_seen")
    return Message("base_telemetry.first_seen", facts.fingerprint, told, now, uuid)


def heartbeat(facts: Facts, now: datetime) -> Message:
    """Build ``base_telemetry.heartbeat`` of the day, which makes no person."""
    told = {**_census(facts, now), "heartbeat_at": _iso(now)}
    uuid = uuid_of(facts, "heartbeat", now.date())
    return Message("base_telemetry.heartbeat", facts.fingerprint, told, now, uuid)


def _census(facts: Facts, now: datetime) -> dict[str, Any]:
    return {
        **_deployed(facts),
        "install_id": facts.fingerprint,
        "platform": facts.platform,
        "os_version": facts.platform_release,
        "architecture": facts.platform_machine,
        "locale": facts.locale,
        "timezone": facts.timezone,
        "first_seen_at": _iso(facts.first_seen_at),
        "last_seen_at": _iso(now),
        "release_channel": "dev" if facts.version.endswith("-dev") else "stable",
        "deployment_type": facts.deployment_method,
        "$process_person_profile": False,
    }


def group_properties(facts: Facts) -> dict[str, dict[str, Any]]:
    """Return the properties of both groups, by group type."""
    return {
        "version": {
            "version_number": facts.version,
            "python_versions": [facts.python_version],
        },
        "platform": {
            "platform_name": facts.platform,
            "platform_release": facts.platform_release,
        },
    }


def group_messages(facts: Facts, now: datetime) -> list[Message]:
    """Build ``$groupidentify`` for both groups."""
    keys = {"version": facts.version, "platform": facts.platform}
    return [
        Message(
            "$groupidentify",
            facts.fingerprint,
            {"$group_type": kind, "$group_key": keys[kind], "$group_set": told},
            now,
            uuid_of(facts, "group", kind, keys[kind], now.date()),
        )
        for kind, told in group_properties(facts).items()
    ]


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}"


def users_band(users: int) -> str:
    """Return the size of an installation, coarsely."""
    for most, band in ((1, "1"), (5, "2-5"), (20, "6-20"), (100, "21-100")):
        if users <= most:
            return band
    return "100+"


def same_day(earlier: date | None, now: datetime) -> bool:
    """Whether the daily message of ``now`` was sent: also where the clock went back."""
    return earlier is not None and now.date() <= earlier
