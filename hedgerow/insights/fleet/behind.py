"""How far installations are behind, and who runs out of support (§2.10, §2.12)."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

import msgspec

from hedgerow.insights.fleet.observations import Installation, Ranked
from hedgerow.insights.fleet.params import iso, number_of
from hedgerow.insights.fleet.population import Fleet
from hedgerow.insights.fleet.releases import Released
from hedgerow.insights.fleet.settings import series_numbers
from hedgerow.insights.fleet.states import Member
from hedgerow.insights.fleet.statistics import median, share_of, wilson
from hedgerow.model.versions import Version

BANDS = ((0, "0"), (30, "1-30"), (90, "31-90"), (180, "91-180"), (365, "181-365"))
"""Days behind, up to and including; what is more is in the last one."""

LAST_BAND = "366+"
SOON = 90
"""Days before the end of support that count as near."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where an installation stands against the releases."""

    where: str
    """``ahead``, ``behind`` (also by none), ``unordered`` or ``unknown``."""

    releases: int | None = None
    days: int | None = None
    on_yanked: bool = False

    @property
    def band(self) -> str | None:
        """In which band of days behind; None: it cannot be said."""
        days = 0 if self.where == "ahead" else self.days
        if days is None:
            return None
        return next((name for most, name in BANDS if days <= most), LAST_BAND)


def standing(version: Ranked | None, fleet: Fleet) -> Standing:
    """Return where a version stands at the end of the day asked about."""
    if version is None:
        return Standing(where="unknown")
    if not version.ordered:
        return Standing(where="unordered")
    day, out = fleet.asked.as_of, fleet.releases_at(fleet.asked.as_of)
    yanked = any(one.ord == version.ord and one.withdrawn(day) for one in fleet.releases)
    if out and version.ord > out[-1].ord:
        return Standing(where="ahead", on_yanked=yanked)
    above = [one for one in out if one.ord > version.ord and _compared(one, version, fleet)]
    return Standing(
        where="behind",
        releases=len(above),
        days=day - min(one.day for one in above) if above else 0,
        on_yanked=yanked,
    )


def _compared(release: Released, version: Ranked, fleet: Fleet) -> bool:
    """Return whether a release counts as a step for a version."""
    if fleet.asked.params.within != "major":
        return True
    return release.version.numbers[:1] == version.version.numbers[:1]


def standings(fleet: Fleet) -> list[tuple[Installation, Standing]]:
    """Return where each active installation stands."""
    known: dict[int | str | None, Standing] = {}
    found = []
    for one in fleet.active():
        version = one.version_at(fleet.asked.as_of)
        same = None if version is None else version.same
        if same not in known:
            known[same] = standing(version, fleet)
        found.append((one, known[same]))
    return found


def behind(fleet: Fleet) -> dict[str, Any]:
    """Count the active installations by how far they are behind."""
    where: Counter[str] = Counter()
    steps: Counter[int] = Counter()
    days: Counter[int] = Counter()
    bands: Counter[str | None] = Counter()
    on_yanked = 0
    for one, stands in standings(fleet):
        where[stands.where] += one.count
        bands[stands.band] += one.count
        on_yanked += one.count if stands.on_yanked else 0
        if stands.releases is not None:
            steps[stands.releases] += one.count
        if stands.where in {"ahead", "behind"}:
            days[stands.days or 0] += one.count
    top = fleet.newest()
    names = [*(name for _, name in BANDS), LAST_BAND]
    return {
        "newest": None if top is None else top.label,
        "rows": [{"releases_behind": n, "count": steps[n]} for n in sorted(steps)],
        "ahead": where["ahead"],
        "unordered": where["unordered"],
        "unknown": where["unknown"],
        "total": where.total(),
        "on_yanked": on_yanked,
        "median_days_behind": median(list(days.elements())),
        "bands": [{"days": name, "count": bands[name]} for name in names],
    }


def behind_members(fleet: Fleet) -> Iterator[Member]:
    """Yield each active installation with where it stands."""
    for one, stands in standings(fleet):
        told = {
            "where": stands.where,
            "releases_behind": stands.releases,
            "days": stands.band,
            "on_yanked": stands.on_yanked,
        }
        yield told, one


def eol(fleet: Fleet) -> dict[str, Any]:
    """Count the active installations on series whose support has ended, or soon will."""
    day, ends = fleet.asked.as_of, _ends(fleet)
    counts: Counter[str] = Counter()
    unknown = total = 0
    for told, one in eol_members(fleet):
        total += one.count
        if told["series"] is not None:
            counts[told["series"]] += one.count
        elif told["unknown"]:
            unknown += one.count
    exposed = sum(counts[name] for name, (_, end) in ends.items() if end <= day)
    return {
        "total": total,
        "exposed": exposed,
        "share": share_of(exposed, total),
        "ci": wilson(exposed, total),
        "rows": [
            {"series": name, "eol_at": iso(end), "count": counts[name]}
            for name, (_, end) in ends.items()
        ],
        "within_90_days": sum(
            counts[name] for name, (_, end) in ends.items() if day < end <= day + SOON
        ),
        "unknown": unknown,
    }


def eol_members(fleet: Fleet) -> Iterator[Member]:
    """Yield each active installation with the series that decides its support."""
    ends, day = _ends(fleet), fleet.asked.as_of
    for one in fleet.active():
        version = one.version_at(day)
        known = version is not None and version.ordered
        series = _series(version.version, ends) if version is not None and known else None
        ended = series is not None and ends[series][1] <= day
        yield {"series": series, "exposed": ended, "unknown": not known}, one


def _ends(fleet: Fleet) -> dict[str, tuple[tuple[int, ...], int]]:
    """Return each series with its numbers and last day of support, in version order."""
    found = {
        series: (series_numbers(series) or (), number_of(date.fromisoformat(end[:10])))
        for series, end in fleet.asked.settings.eol.items()
    }
    return dict(sorted(found.items(), key=lambda pair: pair[1][0]))


def _series(version: Version, ends: dict[str, tuple[tuple[int, ...], int]]) -> str | None:
    """Return the longest series that a version belongs to."""
    padded = (*version.numbers, 0, 0, 0, 0)
    inside = [name for name, (own, _) in ends.items() if padded[: len(own)] == own]
    return max(inside, key=lambda name: len(ends[name][0]), default=None)
