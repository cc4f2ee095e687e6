"""How a release spreads, and how long installations take to update (§2.6, §2.7)."""

from datetime import date, timedelta
from typing import Any

from hedgerow.insights.fleet.observations import Installation
from hedgerow.insights.fleet.population import Fleet, Released
from hedgerow.insights.fleet.statistics import kaplan_meier, share_of

STALLED_BELOW = 0.8
STALLED_DAYS = 14
STALLED_GAIN = 0.01


def adoption(fleet: Fleet) -> dict[str, Any]:
    """Tell for each day since a release how many run it or a later one."""
    release = fleet.release(fleet.asked.params.version)
    before = [one for one in fleet.releases_at(fleet.asked.as_of) if one.key < release.key]
    previous = None
    if before:
        previous = {"version": before[-1].label, **_curve(before[-1], fleet)}
    return {
        "version": release.label,
        **_curve(release, fleet),
        "previous": previous,
    }


def _curve(release: Released, fleet: Fleet) -> dict[str, Any]:
    asked = fleet.asked
    last = min(asked.params.horizon, (asked.as_of - release.day).days)
    days = [release.day + timedelta(days=ahead) for ahead in range(last + 1)]
    active, above = [0] * len(days), [0] * len(days)
    for one in fleet.installations:
        for place, day in enumerate(days):
            seen = one.version_at(day) if one.active(day, asked.window) else None
            if seen is not None and seen.version.key is not None:
                active[place] += 1
                above[place] += seen.version.key >= release.key
    share = [share_of(part, whole) for part, whole in zip(above, active, strict=True)]
    return {
        "released_at": release.day.isoformat(),
        "on_or_above": above,
        "active": active,
        "share": share,
        "time_to": {str(percent): _reached(share, percent) for percent in (50, 80, 95)},
        "stalled": _stalled(share),
    }


def _reached(share: list[float | None], percent: int) -> int | None:
    for day, one in enumerate(share):
        if one is not None and one * 100 >= percent:
            return day
    return None


def _stalled(share: list[float | None]) -> bool:
    if len(share) <= STALLED_DAYS:
        return False
    now, then = share[-1], share[-1 - STALLED_DAYS]
    if now is None or then is None:
        return False
    return now < STALLED_BELOW and now - then < STALLED_GAIN


def lag(fleet: Fleet) -> dict[str, Any]:
    """Estimate how long installations take to update to a release."""
    release = fleet.release(fleet.asked.params.version)
    times = [
        time
        for one in fleet.installations
        if (time := _time(one, release, fleet)) is not None
    ]
    curve = kaplan_meier(times)
    updated = sum(event for _, event in times)
    quantiles = {str(q): _quantile(curve, q) for q in (25, 50, 75, 90)}
    return {
        "eligible": len(times),
        "updated": updated,
        "censored": len(times) - updated,
        "curve": curve,
        "quantiles": quantiles,
        "median": quantiles["50"],
    }


def _time(one: Installation, release: Released, fleet: Fleet) -> tuple[int, bool] | None:
    """Return the days until an installation updated or was last seen; None: not at risk."""
    eve = release.day - timedelta(days=1)
    before = one.version_at(eve)
    if before is None or before.version.key is None or before.version.key >= release.key:
        return None
    if not one.active(eve, fleet.asked.params.eligible_days):
        return None
    for seen in one.seen:
        if seen.day < release.day or seen.version.key is None:
            continue
        if seen.version.key >= release.key and not _old_side(one, seen):
            return (seen.day - release.day).days, True
    last: date = one.last_beat(fleet.asked.as_of) or release.day
    return max(0, (last - release.day).days), False


def _old_side(one: Installation, seen: Any) -> bool:
    """Return whether an observation is what an update came from: no evidence of it."""
    return any(old is seen for old, _ in one.declared)


def _quantile(curve: list[dict[str, Any]], percent: int) -> int | None:
    for row in curve:
        if row["remaining"] <= 1 - percent / 100 + 1e-12:
            return int(row["day"])
    return None
