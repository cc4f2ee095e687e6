"""Which versions run, now and over time, in their order (``fleet`` §2.4, §2.5, §2.9)."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

import msgspec

from hedgerow.insights.fleet.observations import Installation, Ranked
from hedgerow.insights.fleet.params import Asked, date_of, iso, number_of
from hedgerow.insights.fleet.population import Fleet, Move
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
        found.total += one.count
        version = one.version_at(day)
        if version is None:
            found.unknown.append(one)
        elif not version.ordered:
            found.unordered.append(one)
        else:
            name = name_of(version.version, version.ord, fleet.asked.params.fold)
            found.rows[name].append((one, version))
    return found


def many(people: Iterable[Installation]) -> int:
    """Return how many installations these stand for."""
    return sum(one.count for one in people)


def versions(fleet: Fleet) -> dict[str, Any]:
    """Count the active installations, each once, at its version."""
    found = placed(fleet)
    return {
        "total": found.total,
        "unordered": many(found.unordered),
        "unknown": many(found.unknown),
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
    count = many(one for one, _ in row)
    stages = {version.version.stage for _, version in row}
    return {
        "version": label_of(lowest, fleet),
        "count": count,
        "share": share_of(count, total),
        "ci": wilson(count, total),
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
    cells: dict[Name, list[int]]
    lowest: dict[Name, Ranked]


def versions_over_time(fleet: Fleet) -> dict[str, Any]:
    """Stack the versions of those who reported in each bucket, oldest at the bottom."""
    found = stack(fleet)
    rows = []
    for label, names in _folded(found, fleet):
        data = [0] * len(found.buckets)
        for name in names:
            data = [n + more for n, more in zip(data, found.cells[name], strict=True)]
        shares = [share_of(n, all_) for n, all_ in zip(data, found.totals, strict=True)]
        rows.append({"version": label, "data": data, "share": shares})
    days = [iso(start) for start, _, _ in found.buckets]
    return {"days": days, "totals": found.totals, "rows": rows}


def stack_members(fleet: Fleet) -> Iterator[Member]:
    """Yield the installations of each row and bucket."""
    labels = {
        name: label for label, names in _folded(stack(fleet), fleet) for name in names
    }
    for start, first, last in buckets_of(fleet.asked):
        for one in fleet.installations:
            if one.active(last, width_of(fleet.asked, first, last)):
                name = _row(one.version_at(last), fleet)
                yield {"version": labels[name], "day": iso(start)}, one


def widths(asked: Asked) -> set[int]:
    """Return how many days the buckets look at."""
    return {width_of(asked, first, last) for _, first, last in buckets_of(asked)}


def width_of(asked: Asked, first: int, last: int) -> int:
    """Return how many days, up to its last one, a bucket looks at.

    Those it has; by day as many as are asked for, so that weekends do not make teeth.
    """
    rolling = asked.params.window_days if asked.params.interval == "day" else None
    return rolling or last - first + 1


def stack(fleet: Fleet) -> Stack:
    """Return how many reported in each bucket, each once, at the version of its last day.

    Whoever reported in a bucket is active, at its last day, in a window as long as it; by
    day the window may be longer.
    """
    buckets = buckets_of(fleet.asked)
    found = Stack(
        buckets=buckets,
        totals=[0] * len(buckets),
        cells=defaultdict(lambda: [0] * len(buckets)),
        lowest={},
    )
    for width in widths(fleet.asked):
        ends = [
            (place, last)
            for place, (_, first, last) in enumerate(buckets)
            if width_of(fleet.asked, first, last) == width
        ]
        for place, standing in _standing(fleet.moves(width), ends):
            _put(standing, place, found, fleet)
    return found


Standing = dict[int | str | None, tuple[Ranked | None, int]]
"""How many are on a version, by what equal versions have in common."""


def _standing(
    moves: list[Move], ends: list[tuple[int, int]]
) -> Iterator[tuple[int, Standing]]:
    """Yield for each bucket how many are on each version at the end of its last day."""
    moves = sorted(moves, key=lambda move: move[0])
    now: Standing = {}
    done = 0
    for place, last in ends:
        while done < len(moves) and moves[done][0] <= last:
            _, version, by = moves[done]
            same = None if version is None else version.same
            now[same] = (version, now.get(same, (version, 0))[1] + by)
            done += 1
        yield place, now


def _put(standing: Standing, place: int, found: Stack, fleet: Fleet) -> None:
    for version, count in standing.values():
        if not count:
            continue
        name = _row(version, fleet)
        found.totals[place] += count
        found.cells[name][place] += count
        if version is not None and not isinstance(name, str):
            low = found.lowest.setdefault(name, version)
            if version.ord < low.ord:
                found.lowest[name] = version


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
        shares = [count / all_ for count, all_ in cells if count]
        return (named[place] == first, max(shares, default=0.0), place)

    best = sorted(range(len(named)), key=rank, reverse=True)
    limit = fleet.asked.params.limit or OVER_TIME_SHOWN
    return {named[place] for place in best[:limit]}


def buckets_of(asked: Asked) -> list[tuple[int, int, int]]:
    """Return each bucket's start and its first and last day within the range."""
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
