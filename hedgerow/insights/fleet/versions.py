"""Which versions run, now and over time, in their order (``fleet`` §2.4, §2.5, §2.9)."""

import re
from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import Any

from hedgerow.insights.fleet.observations import Seen
from hedgerow.insights.fleet.population import Fleet
from hedgerow.insights.fleet.states import days_of
from hedgerow.insights.fleet.statistics import share_of, wilson
from hedgerow.model.versions import Key, Version

OVER_TIME_SHOWN = 12
_PARTS = {"none": 0, "major": 1, "minor": 2}


def newest(fleet: Fleet) -> dict[str, Any]:
    """Tell the newest release."""
    found = fleet.newest(fleet.asked.as_of)
    return {
        "version": None if found is None else found.label,
        "released_at": None if found is None else found.day.isoformat(),
    }


def versions(fleet: Fleet) -> dict[str, Any]:
    """Count the active installations, each once, at its version."""
    asked = fleet.asked
    at = [one.version_at(asked.as_of) for one in fleet.active()]
    known = [seen for seen in at if seen is not None]
    ordered = [seen for seen in known if seen.version.key is not None]
    by_series: dict[Any, list[Seen]] = defaultdict(list)
    for seen in ordered:
        by_series[series(seen.version, asked.params.fold)].append(seen)
    out = {one.key: one for one in fleet.releases}
    top = fleet.newest(asked.as_of)
    rows = []
    for name, members in sorted(by_series.items(), key=lambda pair: _lowest(pair[1])):
        low = min(members, key=lambda seen: seen.version.key or ())
        release = out.get(low.version.key or ())
        same = top is not None and series(top.version, asked.params.fold) == name
        rows.append(
            {
                "version": label_of(low, fleet),
                "count": len(members),
                "share": share_of(len(members), len(at)),
                "ci": wilson(len(members), len(at)),
                "stage": low.version.stage,
                "released_at": release.day.isoformat() if release else None,
                "is_newest": same,
            }
        )
    return {
        "total": len(at),
        "rows": rows,
        "unordered": len(known) - len(ordered),
        "unknown": len(at) - len(known),
    }


def series(version: Version, fold: str) -> Any:
    """Return what versions of one series have in common; unfolded: the key."""
    parts = _PARTS[fold]
    return (*version.numbers, 0, 0)[:parts] if parts else version.key


def label_of(seen: Seen, fleet: Fleet) -> str:
    """Return the name of a version, or of the series whose lowest member it is."""
    parts = _PARTS[fleet.asked.params.fold]
    label = fleet.label(seen)
    if not parts:
        return label
    spelled = re.findall(r"\d+", re.sub(r"^\d+[!:]", "", label))
    spelled = spelled[: max(1, min(parts, len(seen.version.numbers)))]
    return ".".join([*spelled, "0", "0"][:parts])


def versions_over_time(fleet: Fleet) -> dict[str, Any]:
    """Stack the versions of those who reported in each bucket, oldest at the bottom."""
    buckets = _buckets(fleet)
    cells: dict[Any, list[int]] = defaultdict(lambda: [0] * len(buckets))
    lowest: dict[Any, Seen] = {}
    totals = [0] * len(buckets)
    for place, (_, since, until) in enumerate(buckets):
        width = (until - since).days + 1
        for one in fleet.installations:
            if not one.active(until, width):
                continue
            totals[place] += 1
            seen = one.version_at(until)
            name = _row(seen, fleet)
            cells[name][place] += 1
            if seen is not None and seen.version.key is not None:
                low = lowest.setdefault(name, seen)
                if seen.version.key < (low.version.key or ()):
                    lowest[name] = seen
    ordered = _folded(cells, lowest, totals, fleet)
    return {
        "days": [start.isoformat() for start, _, _ in buckets],
        "totals": totals,
        "rows": [
            {
                "version": name,
                "data": data,
                "share": [share_of(n, all_) for n, all_ in zip(data, totals, strict=True)],
            }
            for name, data in ordered
        ],
    }


def _row(seen: Seen | None, fleet: Fleet) -> Any:
    if seen is None:
        return "$unknown"
    if seen.version.key is None:
        return "$unordered"
    if fleet.asked.params.pre == "fold" and seen.version.stage != "final":
        return "$pre"
    return series(seen.version, fleet.asked.params.fold)


def _folded(
    cells: dict[Any, list[int]],
    lowest: dict[Any, Seen],
    totals: list[int],
    fleet: Fleet,
) -> list[tuple[str, list[int]]]:
    """Return the rows from the bottom of the stack to its top, the long tail folded."""
    named = sorted(
        (name for name in cells if not isinstance(name, str)),
        key=lambda name: _lowest([lowest[name]]),
    )
    kept = _kept(named, cells, totals, fleet)
    extra: dict[str, list[int]] = {
        name: data for name, data in cells.items() if isinstance(name, str)
    }
    first = min((named.index(name) for name in kept), default=0)
    for place, name in enumerate(named):
        if name not in kept:
            row = "$older" if place < first else "$other"
            before = extra.get(row, [0] * len(totals))
            extra[row] = [a + b for a, b in zip(before, cells[name], strict=True)]
    low = ("$unknown", "$unordered", "$other", "$older")
    return [
        *((name, extra[name]) for name in low if name in extra),
        *((label_of(lowest[name], fleet), cells[name]) for name in named if name in kept),
        *((name, extra[name]) for name in ("$pre",) if name in extra),
    ]


def _kept(
    named: list[Any], cells: dict[Any, list[int]], totals: list[int], fleet: Fleet
) -> set[Any]:
    """Return the series that get a row: the newest release's, then by highest share."""
    limit = fleet.asked.params.limit or OVER_TIME_SHOWN
    top = fleet.newest(fleet.asked.as_of)
    first = None if top is None else series(top.version, fleet.asked.params.fold)

    def rank(place: int) -> tuple[Any, ...]:
        shares = [
            n / all_ for n, all_ in zip(cells[named[place]], totals, strict=True) if n
        ]
        return (named[place] == first, max(shares, default=0.0), place)

    best = sorted(range(len(named)), key=rank, reverse=True)
    return {named[place] for place in best[:limit]}


def _buckets(fleet: Fleet) -> list[tuple[date, date, date]]:
    """Return each bucket's start and its first and last day within the range."""
    asked = fleet.asked
    days: dict[date, list[date]] = {}
    for day in days_of(fleet):
        start = day
        if asked.params.interval == "week":
            back = (day.weekday() - (0 if asked.week_start == 1 else 6)) % 7
            start = day - timedelta(days=back)
        elif asked.params.interval == "month":
            start = day.replace(day=1)
        days.setdefault(start, []).append(day)
    return [(start, inside[0], inside[-1]) for start, inside in days.items()]


def _lowest(members: list[Seen]) -> Key:
    return min(seen.version.key or () for seen in members)


def counted(names: list[str]) -> list[tuple[str, int]]:
    """Return values with how many have them: most first, then by name."""
    return sorted(Counter(names).items(), key=lambda pair: (-pair[1], pair[0]))
