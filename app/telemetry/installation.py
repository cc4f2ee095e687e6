"""Who this installation is: its fingerprint, and what it has to tell when.

The fingerprint is SHA-256 over 16 random bytes and 32 more, made once and kept twice:
in the database and in the data folder. Nothing about the machine goes into it. Where
the two copies differ, a database was restored beside another folder; nothing is told
until an administrator says whether this is a new installation or the same one.
"""

import hashlib
import json
import platform
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.errors import StoreUnavailable
from app.models.people import User
from app.models.records import Installation
from app.settings import in_force
from app.telemetry import context
from app.telemetry.messages import Facts, group_properties, same_day, users_band

FILE = "installation.json"
"""The second copy, in the data folder."""

APART = timedelta(hours=23)
"""Least time between two daily messages: then the count of a day is that of installations."""

SETTLED = timedelta(minutes=15)
"""After a start, before a message that is overdue."""

RENEWED = timedelta(days=30)
"""After which groups are told again."""


def fingerprint(row: Installation) -> str:
    """Return the 64 hex digits under which this installation is known."""
    return hashlib.sha256(proof(row)).hexdigest()


def proof(row: Installation) -> bytes:
    """Return the 48 bytes that only this installation has: they prove who asks to forget."""
    return bytes.fromhex(row.uuid) + bytes.fromhex(row.salt)


def ensure(session: Session, folder: Path, version: str, now: datetime) -> Installation:
    """Return this installation, made at its first start; notice copies and new versions."""
    row = session.get(Installation, 1)
    kept = _read(folder)
    if row is None:
        row = _first(kept or _fresh(), version, now)
        session.add(row)
    if kept is None:
        _write(folder, row)
    elif kept == {"uuid": row.uuid, "salt": row.salt}:
        row.copy_noticed_at = None
    elif row.copy_noticed_at is None:
        row.copy_noticed_at = now
    if row.last_version != version:
        _note_update(row, version)
    session.flush()
    return row


def _fresh() -> dict[str, str]:
    return {"uuid": uuid4().hex, "salt": secrets.token_hex(32)}


def _first(identity: Mapping[str, str], version: str, now: datetime) -> Installation:
    return Installation(
        id=1,
        uuid=identity["uuid"],
        salt=identity["salt"],
        first_seen_at=now,
        first_seen_platform=context.system_name(),
        first_seen_python_version=platform.python_version(),
        first_seen_version=version,
        last_version=version,
        health_minute=secrets.randbelow(24 * 60),
        update_ordinal=0,
        failing_days=0,
    )


def _note_update(row: Installation, version: str) -> None:
    """Keep an update until it was told; one that was never told keeps where it began."""
    row.update_ordinal += 1
    old = row.pending_update["old"] if row.pending_update else row.last_version
    row.pending_update = (
        None
        if old == version
        else {"old": old, "new": version, "ordinal": row.update_ordinal}
    )
    row.last_version = version


def _read(folder: Path) -> dict[str, str] | None:
    path = folder / FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {"uuid": str(found["uuid"]), "salt": str(found["salt"])}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreUnavailable(
            f"{path} cannot be read.",
            hint="Restore it from a backup, or remove it: the database has a copy.",
        ) from error


def _write(folder: Path, row: Installation) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE
    path.write_text(json.dumps({"uuid": row.uuid, "salt": row.salt}), encoding="utf-8")
    path.chmod(0o600)


def renew(row: Installation, folder: Path) -> None:
    """Become a new installation: another fingerprint, and everything told again."""
    fresh = _fresh()
    row.uuid, row.salt = fresh["uuid"], fresh["salt"]
    row.install_sent_at = row.first_seen_sent_at = row.health_sent_at = None
    row.health_date = row.groups_sent_at = row.groups_sent = row.pending_update = None
    row.copy_noticed_at, row.failing_days = None, 0
    _write(folder, row)


def keep(row: Installation, folder: Path) -> None:
    """Stay the same installation: the database's copy is right."""
    row.copy_noticed_at = None
    _write(folder, row)


def facts(session: Session, config: Mapping[str, Any], version: str) -> Facts:
    """Return what this installation tells of itself."""
    row = session.get_one(Installation, 1)
    rules = in_force(session, config)
    users = session.scalar(select(func.count()).where(User.is_active.is_(True))) or 0
    return Facts(
        fingerprint=fingerprint(row),
        version=version,
        platform=context.system_name(),
        platform_release=context.release(),
        platform_machine=context.machine(),
        python_version=platform.python_version(),
        auth_method=context.auth_method(config),
        timezone=rules.timezone,
        environment=config["APP_ENV"],
        deployment_method=context.deployment_method(config),
        locale=rules.locale.partition("_")[0],
        db_engine=session.get_bind().dialect.name,
        users_band=users_band(users),
        first_seen_at=row.first_seen_at.astimezone(UTC),
        first_seen_platform=row.first_seen_platform,
        first_seen_python_version=row.first_seen_python_version,
        first_seen_version=row.first_seen_version,
    )


def health_is_due(row: Installation, now: datetime, started_at: datetime) -> bool:
    """Whether the daily message should go now; a missed day is not made up for."""
    if row.health_sent_at is None:
        return True
    if same_day(row.health_date, now) or now - row.health_sent_at < APART:
        return False
    overdue = now - row.health_sent_at >= timedelta(hours=24)
    minute_is_past = now.hour * 60 + now.minute >= row.health_minute
    return minute_is_past or (overdue and now - started_at >= SETTLED)


def groups_are_due(row: Installation, told: Facts, now: datetime) -> bool:
    """Whether both groups should be told (again)."""
    if row.groups_sent_at is None or now - row.groups_sent_at >= RENEWED:
        return True
    return row.groups_sent != group_properties(told)
