"""Which columns an export has, and their versioned defaults.

``entries-v1`` is a promise: a new version may add columns at its end, never move or
rename one. A custom set chooses, orders and renames these same columns.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.errors import InvalidInput
from app.models.entries import TimeEntry
from app.tracking import overlaps, timers
from app.tracking.days import zone
from app.tracking.durations import decimal, exact

VERSION = "entries-v1"

ENTRIES = (
    "id",
    "user",
    "client",
    "project",
    "task",
    "description",
    "tags",
    "billable",
    "date",
    "start",
    "end",
    "timezone",
    "start_utc",
    "end_utc",
    "duration_seconds",
    "duration_hms",
    "duration_hours",
    "break_seconds",
    "rounded_seconds",
    "rate",
    "amount",
    "currency",
    "source",
    "created_at",
    "updated_at",
)
"""The default set, in order."""

TEXT = {"user", "client", "project", "task", "description", "tags"}
"""Columns whose content people typed: these are guarded against spreadsheets."""

MONEY = {"rate", "amount", "currency"}
"""Columns of those who may see rates."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """An entry with what is computed for it."""

    entry: TimeEntry
    now: datetime
    rounded_seconds: int | None = None
    rate: int | None = None
    """Minor units an hour."""
    amount: int | None = None
    """Minor units."""
    currency: str | None = None
    digits: int = 2
    """Decimals of the currency."""


Cell = str | int | float | bool | date | datetime | None


def values(line: Line) -> dict[str, Cell]:
    """Return every column of an entry, by name."""
    entry = line.entry
    where = zone(entry.timezone)
    seconds = timers.worked_seconds(entry, line.now)
    start = entry.started_at.astimezone(where) if entry.started_at else None
    end = entry.ended_at.astimezone(where) if entry.ended_at else None
    project = entry.project
    return {
        "id": entry.id,
        "user": entry.user.display_name,
        "client": project.client.name if project and project.client else None,
        "project": project.name if project else None,
        "task": entry.task.name if entry.task else None,
        "description": entry.description,
        "tags": ", ".join(tag.name for tag in entry.tags),
        "billable": entry.billable,
        "date": entry.local_date,
        "start": start,
        "end": end,
        "timezone": entry.timezone,
        "start_utc": entry.started_at,
        "end_utc": entry.ended_at,
        "duration_seconds": seconds,
        "duration_hms": exact(seconds),
        "duration_hours": decimal(seconds),
        "break_seconds": _breaks(entry, line.now, seconds),
        "rounded_seconds": seconds
        if line.rounded_seconds is None
        else line.rounded_seconds,
        "rate": _money(line.rate, line.digits),
        "amount": _money(line.amount, line.digits),
        "currency": line.currency,
        "source": entry.source,
        "created_at": entry.created_at,
        "updated_at": entry.updated_at,
    }


def _breaks(entry: TimeEntry, now: datetime, seconds: int) -> int:
    if entry.started_at is None:
        return 0
    end = entry.ended_at or max(now, entry.started_at)
    return overlaps.length([(entry.started_at, end)]) - seconds


def _money(minor: int | None, digits: int) -> str | None:
    if minor is None:
        return None
    whole, rest = divmod(abs(minor), 10**digits)
    sign = "-" if minor < 0 else ""
    return f"{sign}{whole}.{rest:0{digits}}" if digits else f"{sign}{whole}"


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Columns of one export: key → title, in order."""

    titles: Mapping[str, str]
    custom: bool = False


def default(*, money: bool) -> Columns:
    """Return ``entries-v1``; without rates for those who may not see them."""
    return Columns(titles={key: key for key in ENTRIES if money or key not in MONEY})


def chosen(listed: list[dict[str, Any]], *, money: bool) -> Columns:
    """Return the columns of a saved set; unknown ones are refused by name."""
    titles: dict[str, str] = {}
    for column in listed:
        key = str(column.get("key", ""))
        if key not in ENTRIES:
            raise InvalidInput(
                f"There is no column {key!r}.", hint=f"There are {', '.join(ENTRIES)}.",
                attr="columns",
            )  # fmt: skip
        if money or key not in MONEY:
            titles[key] = str(column.get("title") or key)[:100]
    return Columns(titles=titles, custom=True)
