"""Who reports, who fell silent, who is new (``fleet`` §2.1-§2.3)."""

from bisect import bisect_left, bisect_right
from datetime import date, timedelta
from typing import Any

from hedgerow.insights.fleet.observations import Installation
from hedgerow.insights.fleet.population import Fleet

SILENT_SHOWN = 100


def state(one: Installation, day: date, silent: int, gone: int) -> str:
    """Return the state of an installation at the end of a day."""
    last = one.last_beat(day)
    if last is None:
        return "never_reported"
    age = (day - last).days
    return "reporting" if age < silent else "silent" if age < gone else "gone"


def active(fleet: Fleet) -> dict[str, Any]:
    """Count installations with a heartbeat in the last 24 hours, day, week and month."""
    at, day = fleet.asked.at, fleet.asked.as_of
    since = at - timedelta(hours=24)
    last_24h = 0
    for one in fleet.installations:
        upto = bisect_right(one.beats, at, key=lambda beat: beat.at)
        last_24h += bisect_left(one.beats, since, key=lambda beat: beat.at) < upto
    windows = {"daily": 1, "weekly": 7, "monthly": 30}
    counted = {
        name: sum(one.active(day, days) for one in fleet.installations)
        for name, days in windows.items()
    }
    return {"last_24h": last_24h, **counted}


def active_over_time(fleet: Fleet) -> dict[str, Any]:
    """Count the active ones of each day's windows."""
    days = days_of(fleet)
    windows = {"daily": 1, "weekly": 7, "monthly": 30}
    counted = {
        name: [sum(one.active(day, width) for one in fleet.installations) for day in days]
        for name, width in windows.items()
    }
    return {"days": [day.isoformat() for day in days], **counted}


def states(fleet: Fleet) -> dict[str, Any]:
    """Count installations by state and list the silent ones."""
    asked = fleet.asked
    counts = dict.fromkeys(("reporting", "silent", "gone", "never_reported"), 0)
    silent = []
    for one in fleet.installations:
        now = state(one, asked.as_of, asked.silent_after, asked.gone_after)
        counts[now] += 1
        last = one.last_beat(asked.as_of)
        if now == "silent" and last is not None:
            seen = one.version_at(asked.as_of)
            silent.append(
                {
                    "distinct_id": one.id,
                    "last_heartbeat": last.isoformat(),
                    "days": (asked.as_of - last).days,
                    "version": None if seen is None else fleet.label(seen),
                }
            )
    silent.sort(key=lambda row: (-_days(row), str(row["distinct_id"])))
    return {
        **counts,
        "silent_installations": silent[: asked.params.limit or SILENT_SHOWN],
    }


def flow(fleet: Fleet) -> dict[str, Any]:
    """Tell for each day who came, came back, fell silent and went."""
    asked, days = fleet.asked, days_of(fleet)
    names = (
        "new",
        "returned",
        "went_silent",
        "went_gone",
        "reporting",
        "silent",
        "net",
    )
    counts: dict[str, list[int]] = {name: [0] * len(days) for name in names}
    limits = (asked.silent_after, asked.gone_after)
    for one in fleet.installations:
        before = state(one, days[0] - timedelta(days=1), *limits)
        for place, day in enumerate(days):
            now = state(one, day, *limits)
            for name in _changes(before, now):
                counts[name][place] += 1
            before = now
    for place in range(len(days)):
        came = counts["new"][place] + counts["returned"][place]
        counts["net"][place] = came - counts["went_silent"][place]
    return {"days": [day.isoformat() for day in days], **counts}


def _changes(before: str, now: str) -> list[str]:
    found = [now] if now in {"reporting", "silent"} else []
    if now == "reporting" and before == "never_reported":
        found.append("new")
    if now == "reporting" and before in {"silent", "gone"}:
        found.append("returned")
    if before == "reporting" and now in {"silent", "gone"}:
        found.append("went_silent")
    if now == "gone" and before != "gone":
        found.append("went_gone")
    return found


def days_of(fleet: Fleet) -> list[date]:
    """Return the days of the range, both ends in."""
    since, until = fleet.asked.date_from, fleet.asked.as_of
    return [since + timedelta(days=ahead) for ahead in range((until - since).days + 1)]


def _days(row: dict[str, Any]) -> int:
    return int(row["days"])
