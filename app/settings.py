"""What an administrator may change at run time; the environment wins.

A value comes from, in this order: the environment, the ``Setting`` an administrator
saved, the default. ``in_force`` puts them into one frozen ``Settings`` for a request or
a job, and that is what rules get as an argument.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.config import VARIABLES
from app.errors import Conflict, InvalidInput, said
from app.models.saved import Setting

CHANGEABLE = (
    "TZ",
    "DEFAULT_LOCALE",
    "WEEK_START",
    "CURRENCY",
    "ROUNDING_MINUTES",
    "ROUNDING_METHOD",
    "ROUNDING_LEVEL",
    "ROUNDING_MINIMUM",
    "OVERLAP_POLICY",
    "ENTRY_KINDS",
    "REQUIRE_PROJECT",
    "REQUIRE_TASK",
    "REQUIRE_DESCRIPTION",
    "ALLOW_FUTURE_ENTRIES",
    "LONG_TIMER_HOURS",
    "MAX_TIMER_HOURS",
    "IDLE_TIMEOUT_MINUTES",
    "LOCK_BEFORE",
)
"""The variables that are only defaults of settings."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The rules of this installation at one moment."""

    timezone: str = "UTC"
    locale: str = "en"
    week_start: int = 1
    currency: str = "EUR"
    rounding_minutes: int = 0
    rounding_method: str = "nearest"
    rounding_level: str = "entry"
    rounding_minimum: int = 0
    overlap_policy: str = "warn"
    entry_kinds: str = "both"
    require_project: bool = False
    require_task: bool = False
    require_description: bool = False
    allow_future: str = "today"
    long_timer_hours: int = 8
    max_timer_hours: int = 0
    idle_timeout_minutes: int = 10
    lock_before: str = ""
    """A date, ``-30d``, ``last-month``, or empty for no lock."""

    users_create_projects: bool = True
    users_see_rates: bool = False
    trash_days: int = 30


_FIELDS = {
    "TZ": "timezone",
    "DEFAULT_LOCALE": "locale",
    "ALLOW_FUTURE_ENTRIES": "allow_future",
}


def in_force(session: Session, config: Mapping[str, Any]) -> Settings:
    """Return the rules in force, from ``config`` and what was saved."""
    found = {
        _FIELDS.get(name, name.lower()): value
        for name, value in values(session, config).items()
    }
    return Settings(
        **found,
        users_create_projects=config["USERS_CREATE_PROJECTS"],
        users_see_rates=config["USERS_SEE_RATES"],
        trash_days=config["TRASH_DAYS"],
    )


def read(name: str, text: str) -> Any:
    """Return the value that ``text`` means for a setting, or say what it takes."""
    kind = VARIABLES[name].metadata["kind"]
    if not text and VARIABLES[name].default == "":
        return ""
    try:
        return kind.read(text)
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise InvalidInput(
            said("%(text)r cannot be used here.", text=text[:60]),
            hint=said("It takes %(words)s.", words=kind.words),
            attr=name,
        ) from error


def values(session: Session, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return every changeable variable as it is in force."""
    saved = {row.key: row.value for row in session.scalars(select(Setting))}
    fixed = config["SET_IN_ENVIRONMENT"]
    return {
        name: saved[name] if name in saved and name not in fixed else config[name]
        for name in CHANGEABLE
    }


def save(
    session: Session, config: Mapping[str, Any], values: Mapping[str, Any]
) -> list[str]:
    """Keep changed settings and return the names of those that really changed.

    A name that the environment has set is refused: the page shows it as fixed.
    """
    changed = []
    for name, value in values.items():
        if name not in CHANGEABLE or name in config["SET_IN_ENVIRONMENT"]:
            raise Conflict(
                said("%(name)s cannot be changed here.", name=name),
                hint="It is set by the environment of this installation.",
            )
        row = session.get(Setting, name)
        before = config[name] if row is None else row.value
        if before == value:
            continue
        if row is None:
            session.add(Setting(key=name, value=value))
        else:
            row.value = value
        changed.append(name)
    return changed


def locked_through(settings: Settings, today: date) -> date | None:
    """Return the last day that may no longer be changed; None where all may be."""
    return last_day_of(settings.lock_before, today)


def last_day_of(said: str, today: date) -> date | None:
    """Return the last day that a lock date, as it is written, locks."""
    if not said:
        return None
    if said == "last-month":
        return today.replace(day=1) - timedelta(days=1)
    if said.startswith("-"):
        return today - timedelta(days=int(said[1:-1]))
    return date.fromisoformat(said)
