"""Which versions run, now and over time, in their order (``fleet`` §2.4, §2.5, §2.9)."""

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec

from hedgerow.insights.fleet.observations import Installation, Ranked
from hedgerow.insights.fleet.params import date_of, iso, number_of
from hedgerow.insights.fleet.population import Fleet
from hedgerow.insights.fleet.releases import Released
from hedgerow.insights.fleet.states import Member
from hedgerow.insights.fleet.statistics import share_of, wilson
from hedgerow.model.versions import Version

OVER_TIME_SHOWN = 12
UNKNOWN, UNORDERED, OTHER, OLDER, PRE = (
    "$unknown",
    "$unordered",
    "$other",
    "$older",
    "$pre",
)
_PARTS = {"none": 0, "major": 1, "minor": 2}

Name = int | tuple[int, ...] | str
"""A version by its place, a series by its numbers, or one of the ``$`` rows."""


def newest(fleet: Fleet) -> dict[str, Any]:
    """Tell the newest release."""
    found = fleet.newest()
    return {
        "version": None if found is None else found.label,
        "released_at": None if found is None else iso(found.day),
    }


def nobody(_: Fleet) -> Iterator[Member]:
    """Yield nobody: nobody is behind a release by itself."""
    return iter(())


def name_of(version: Version, place: int, fold: str) -> Name:
    """Return what versions of one row have in common."""
    parts = _PARTS[fold]
    return (*version.numbers, 0, 0)[:parts] if parts else place


def label_of(lowest: Ranked, fleet: Fleet) -> str:
    """Return the name of a version, or of the series whose lowest member it is."""
    parts = _PARTS[fleet.asked.params.fold]
    label = fleet.label(lowest)
    if not parts:
        return label
    numbers = lowest.version.numbers
    spelled = re.findall(r"\d+", re.sub(r"^\D*\d+[!:]", "", label))
    if [int(part) for part in spelled[: len(numbers)]] != list(numbers):
        spelled = [str(number) for number in numbers]
    spelled = spelled[: min(parts, len(numbers))]
    return ".".join([*spelled, "0", "0"][:parts])


class Placed(msgspec.Struct, kw_only=True):
    """The active installations by version or series."""

    total: int = 0
    unknown: list[Installation] = msgspec.field(default_factory=list)
    unordered: list[Installation] = msgspec.field(default_factory=list)
    rows: dict[Name, list[tuple[Installation, Ranked]]] = msgspec.field(
        default_factory=lambda: defaultdict(list)
    )

    def ascending(self) -> list[list[tuple[Installation, Ranked]]]:
        """Return the rows by their lowest member."""
        return sorted(self.rows.values(), key=lambda row: min(v.ord for _, v in row))


def placed(fleet: Fleet) -> Placed:
    """Return the installations active in the window at their version, each once."""
    found, day = Placed(), fleet.asked.as_of
    for one in fleet.active():
        found.total += 1
        version = one.version_at(day)
        if version is None:
            found.unknown.append(one)
        elif not version.ordered:
            found.unordered.append(one)
        else:
            name = name_of(version.version, version.ord, fleet.asked.params.fold)
            found.rows[name].append((one, version))
    return found


def versions(fleet: Fleet) -> dict[str, Any]:
    """Count the active installations, each once, at its version."""
    found = placed(fleet)
    return {
        "total": found.total,
        "unordered": len(found.unordered),
        "unknown": len(found.unknown),
        "rows": [_version_row(row, found.total, fleet) for row in found.ascending()],
    }


def _version_row(
    row: list[tuple[Installation, Ranked]], total: int, fleet: Fleet
) -> dict[str, Any]:
    lowest = min((version for _, version in row), key=lambda one: one.ord)
    fold = fleet.asked.params.fold
    name = name_of(lowest.version, lowest.ord, fold)
    same = [one for one in fleet.releases if _named(one, fold) == name]
    top = fleet.newest()
    stages = {version.version.stage for _, version in row}
    return {
        "version": label_of(lowest, fleet),
        "count": len(row),
        "share": share_of(len(row), total),
        "ci": wilson(len(row), total),
        "stage": "final" if "final" in stages else lowest.version.stage,
        "released_at": iso(min(one.day for one in same)) if same else None,
        "is_newest": top is not None and _named(top, fold) == name,
        "listed": bool(same) if fleet.source == "list" else None,
    }


def _named(release: Released, fold: str) -> Name:
    return name_of(release.version, release.ord, fold)


def version_members(fleet: Fleet) -> Iterator[Member]:
    """Yield each active installation with the row it stands in."""
    found = placed(fleet)
    for row in found.ascending():
        label = label_of(min((v for _, v in row), key=lambda one: one.ord), fleet)
        for one, _ in row:
            yield {"version": label}, one
    for name, left in ((UNORDERED, found.unordered), (UNKNOWN, found.unknown)):
        for one in left:
            yield {"version": name}, one


class Stack(msgspec.Struct, kw_only=True):
    """Installations by bucket and version."""

    buckets: list[tuple[int, int, int]]
    """Start as answers name it, first and last day within the range."""

    totals: list[int]
    cells: dict[Name, list[list[Installation]]]
    lowest: dict[Name, Ranked]


def versions_over_time(fleet: Fleet) -> dict[str, Any]:
    """Stack the versions of those who reported in each bucket, oldest at the bottom."""
    found = stack(fleet)
    rows = []
    for label, names in _folded(found, fleet):
        data = [0] * len(found.buckets)
        for name in names:
            data = [n + len(cell) for n, cell in zip(data, found.cells[name], strict=True)]
        shares = [share_of(n, all_) for n, all_ in zip(data, found.totals, strict=True)]
        rows.append({"version": label, "data": data, "share": shares})
    days = [iso(start) for start, _, _ in found.buckets]
    return {"days": days, "totals": found.totals, "rows": rows}


def stack_members(fleet: Fleet) -> Iterator[Member]:
    """Yield the installations of each row and bucket."""
    found = stack(fleet)
    for label, names in _folded(found, fleet):
        for name in names:
            for (start, _, _), cell in zip(found.buckets, found.cells[name], strict=True):
                for one in cell:
                    yield {"version": label, "day": iso(start)}, one


def stack(fleet: Fleet) -> Stack:
    """Return who reported in each bucket, each once, at the version of its last day."""
    buckets = buckets_of(fleet)
    found = Stack(
        buckets=buckets,
        totals=[0] * len(buckets),
        cells=defaultdict(lambda: [[] for _ in buckets]),
        lowest={},
    )
    for one in fleet.installations:
        for place, (_, first, last) in enumerate(buckets):
            if not one.active(last, last - first + 1):
                continue
            version = one.version_at(last)
            name = _row(version, fleet)
            found.totals[place] += 1
            found.cells[name][place].append(one)
            if version is not None and not isinstance(name, str):
                low = found.lowest.setdefault(name, version)
                if version.ord < low.ord:
                    found.lowest[name] = version
    return found


def _row(version: Ranked | None, fleet: Fleet) -> Name:
    if version is None:
        return UNKNOWN
    if not version.ordered:
        return UNORDERED
    params = fleet.asked.params
    if params.pre == "fold" and version.version.stage != "final":
        return PRE
    return name_of(version.version, version.ord, params.fold)


def _folded(found: Stack, fleet: Fleet) -> list[tuple[str, list[Name]]]:
    """Return the rows from the bottom of the stack to its top, the long tail folded."""
    named = sorted(found.lowest, key=lambda name: found.lowest[name].ord)
    kept = _kept(named, found, fleet)
    first = min((named.index(name) for name in kept), default=0)
    left = [name for name in named if name not in kept]
    older = [name for name in left if named.index(name) < first]
    rows: list[tuple[str, list[Name]]] = [
        (UNKNOWN, [UNKNOWN] if UNKNOWN in found.cells else []),
        (UNORDERED, [UNORDERED] if UNORDERED in found.cells else []),
        (OTHER, [name for name in left if name not in older]),
        (OLDER, older),
        *((label_of(found.lowest[name], fleet), [name]) for name in named if name in kept),
        (PRE, [PRE] if PRE in found.cells else []),
    ]
    return [(label, names) for label, names in rows if names]


def _kept(named: list[Name], found: Stack, fleet: Fleet) -> set[Name]:
    """Return the series that get a row: the newest release's, then by highest share."""
    top = fleet.newest()
    first = None if top is None else _named(top, fleet.asked.params.fold)

    def rank(place: int) -> tuple[bool, float, int]:
        cells = zip(found.cells[named[place]], found.totals, strict=True)
        shares = [len(cell) / all_ for cell, all_ in cells if cell]
        return (named[place] == first, max(shares, default=0.0), place)

    best = sorted(range(len(named)), key=rank, reverse=True)
    limit = fleet.asked.params.limit or OVER_TIME_SHOWN
    return {named[place] for place in best[:limit]}


def buckets_of(fleet: Fleet) -> list[tuple[int, int, int]]:
    """Return each bucket's start and its first and last day within the range."""
    asked = fleet.asked
    inside: dict[int, list[int]] = {}
    for number in asked.days:
        day = date_of(number)
        start = day
        if asked.params.interval == "week":
            back = (day.weekday() - (0 if asked.week_start == 1 else 6)) % 7
            start = day - timedelta(days=back)
        elif asked.params.interval == "month":
            start = day.replace(day=1)
        inside.setdefault(number_of(start), []).append(number)
    return [(start, days[0], days[-1]) for start, days in inside.items()]
