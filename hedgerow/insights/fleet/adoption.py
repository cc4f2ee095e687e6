"""How a release spreads, and how long installations take to update (§2.6, §2.7)."""

from collections.abc import Iterator
from itertools import accumulate
from typing import Any

from hedgerow.insights.fleet.observations import Installation
from hedgerow.insights.fleet.params import iso
from hedgerow.insights.fleet.population import Fleet
from hedgerow.insights.fleet.releases import Released
from hedgerow.insights.fleet.states import Member
from hedgerow.insights.fleet.statistics import kaplan_meier, quantiles, share_of

STALLED_BELOW = 0.8
STALLED_DAYS = 14
STALLED_GAIN = 0.01
REACHED = (50, 80, 95)
LAG_QUANTILES = (25, 50, 75, 90)
A_YEAR = 365


def adoption(fleet: Fleet) -> dict[str, Any]:
    """Tell for each day since a release how many run it or a later one."""
    release = fleet.release(fleet.asked.params.version)
    if release is None:
        return {"version": None, **_nothing(), "previous": None}
    out = fleet.releases_at(fleet.asked.as_of)
    before = [one for one in out if one.ord < release.ord]
    previous = None
    if before:
        previous = {"version": before[-1].label, **curve(before[-1], fleet)}
    return {"version": release.label, **curve(release, fleet), "previous": previous}


def adoption_members(fleet: Fleet) -> Iterator[Member]:
    """Yield the active ones of the last day of the curve: on it, or not yet."""
    release = fleet.release(fleet.asked.params.version)
    if release is None:
        return
    day = min(fleet.asked.as_of, release.day + fleet.asked.params.horizon)
    for one in fleet.installations:
        version = one.version_at(day)
        if version is not None and version.ordered and one.active(day, fleet.asked.window):
            yield {"on_or_above": version.ord >= release.ord}, one


def curve(release: Released, fleet: Fleet) -> dict[str, Any]:
    """Return how many were active, and on a release or above, on each day since."""
    first = release.day
    last = first + min(fleet.asked.params.horizon, fleet.asked.as_of - first)
    count = last - first + 1
    active, above = [0] * (count + 1), [0] * (count + 1)
    for day, version, by in fleet.moves(fleet.asked.window):
        if day > last or version is None or not version.ordered:
            continue
        for steps in (active, above) if version.ord >= release.ord else (active,):
            steps[max(day - first, 0)] += by
    on, all_ = list(accumulate(above))[:count], list(accumulate(active))[:count]
    share = [share_of(part, whole) for part, whole in zip(on, all_, strict=True)]
    return {
        "released_at": iso(first),
        "on_or_above": on,
        "active": all_,
        "share": share,
        "time_to": {str(percent): _reached(on, all_, percent) for percent in REACHED},
        "stalled": _stalled(share),
    }


def _nothing() -> dict[str, Any]:
    return {
        "released_at": None,
        "on_or_above": [],
        "active": [],
        "share": [],
        "time_to": {str(percent): None for percent in REACHED},
        "stalled": False,
    }


def _reached(on: list[int], active: list[int], percent: int) -> int | None:
    for day, (part, whole) in enumerate(zip(on, active, strict=True)):
        if whole and part * 100 >= percent * whole:
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
    release = fleet.release(fleet.asked.params.version, withdrawn=True)
    since = fleet.asked.as_of - A_YEAR
    recent = [
        one
        for one in fleet.releases
        if one.stable and since <= one.day <= fleet.asked.as_of
    ]
    return {
        "version": None if release is None else release.label,
        "released_at": None if release is None else iso(release.day),
        **_lag(release, fleet),
        "by_release": [_summary(one, fleet) for one in recent],
    }


def lag_members(fleet: Fleet) -> Iterator[Member]:
    """Yield those who could have updated: who did, and who was only followed for a while."""
    release = fleet.release(fleet.asked.params.version, withdrawn=True)
    if release is None:
        return
    for one in fleet.installations:
        time = _time(one, release, fleet)
        if time is not None:
            yield {"day": time[0], "updated": time[1]}, one


def _lag(release: Released | None, fleet: Fleet) -> dict[str, Any]:
    found = (
        [_time(one, release, fleet) for one in fleet.installations]
        if release is not None
        else []
    )
    times = [time for time in found if time is not None]
    rows = kaplan_meier(times)
    updated = sum(event for _, event in times)
    reached = quantiles(rows, LAG_QUANTILES)
    return {
        "eligible": len(times),
        "updated": updated,
        "censored": len(times) - updated,
        "curve": rows,
        "quantiles": reached,
        "median": reached["50"],
    }


def _summary(release: Released, fleet: Fleet) -> dict[str, Any]:
    found = _lag(release, fleet)
    return {
        "version": release.label,
        "released_at": iso(release.day),
        "eligible": found["eligible"],
        "updated": found["updated"],
        "median": found["median"],
        "p90": found["quantiles"]["90"],
    }


def _time(one: Installation, release: Released, fleet: Fleet) -> tuple[int, bool] | None:
    """Return the days until an installation updated or was last seen; None: not at risk."""
    eve, until = release.day - 1, fleet.asked.as_of
    if release.yanked is not None:
        until = min(until, release.yanked - 1)
    before = one.version_at(eve)
    if before is None or not before.ordered or before.ord >= release.ord:
        return None
    if not one.active(eve, fleet.asked.params.eligible_days):
        return None
    for seen in one.seen:
        if not release.day <= seen.day <= until or seen.old:
            continue
        if seen.version.ord >= release.ord:
            return seen.day - release.day, True
    last = one.last_beat(until)
    return max(0, (eve if last is None else last) - release.day), False
