"""Which versions are releases, and since when (``fleet`` §1.6).

As the makers list them; where they list none, inferred: a final version is a release from
the day on which enough installations have been seen on it.
"""

import math
from collections import defaultdict
from collections.abc import Iterable

import msgspec

from hedgerow.insights.fleet.observations import Catalogue, Installation
from hedgerow.insights.fleet.params import Asked, number_of
from hedgerow.insights.fleet.settings import local_day
from hedgerow.model.versions import Version, parse

WEEK = 7


class Released(msgspec.Struct, frozen=True, kw_only=True):
    """A release with a place in the order."""

    label: str
    version: Version
    ord: int
    day: int
    yanked: int | None = None
    stable: bool = True

    def out(self, day: int) -> bool:
        """Return whether it is a release at the end of a day: out, not withdrawn."""
        return self.stable and self.day <= day and not self.withdrawn(day)

    def withdrawn(self, day: int) -> bool:
        """Return whether it was withdrawn by the end of a day."""
        return self.yanked is not None and self.yanked <= day


def listed(asked: Asked, catalogue: Catalogue) -> list[Released]:
    """Return what the makers list, ascending; entries without a place are left out."""
    found = {}
    for one in asked.settings.releases:
        place = catalogue.ord_of(one.version)
        if place is None:
            continue
        yanked = one.yanked_at
        found[place] = Released(
            label=one.version.strip(),
            version=parse(one.version, asked.settings.version_scheme),
            ord=place,
            day=number_of(local_day(one.released_at, asked.zone, "released_at")),
            yanked=number_of(local_day(yanked, asked.zone, "yanked_at"))
            if yanked
            else None,
            stable=one.channel == "stable",
        )
    return [found[place] for place in sorted(found)]


def inferred(
    asked: Asked, population: Iterable[Installation], labels: dict[int, str]
) -> list[Released]:
    """Return the versions that reached the quorum, ascending, from the day they did."""
    people = list(population)
    first: dict[int, list[int]] = defaultdict(list)
    versions: dict[int, Version] = {}
    for one in people:
        mine: dict[int, int] = {}
        for seen in one.seen:
            if seen.version.ordered and seen.version.version.stage == "final":
                mine.setdefault(seen.version.ord, seen.day)
                versions.setdefault(seen.version.ord, seen.version.version)
        for place, day in mine.items():
            first[place].append(day)
    weekly = _weekly(people, asked.as_of)
    found = []
    for place in sorted(first):
        since = _reached(sorted(first[place]), weekly, asked)
        if since is not None:
            label, version = labels[place], versions[place]
            found.append(Released(label=label, version=version, ord=place, day=since))
    return found


def _reached(days: list[int], weekly: dict[int, int], asked: Asked) -> int | None:
    """Return the first day on which enough are known on a version; ``days`` ascending."""
    quorum = asked.settings.quorum
    if len(days) < quorum.installations:
        return None
    known = quorum.installations
    for day in range(days[known - 1], asked.as_of + 1):
        while known < len(days) and days[known] <= day:
            known += 1
        if known >= math.ceil(quorum.share * weekly.get(day, 0) - 1e-9):
            return day
    return None


def _weekly(people: list[Installation], until: int) -> dict[int, int]:
    """Return how many had a heartbeat in the seven days ending with each day."""
    steps: dict[int, int] = defaultdict(int)
    for one in people:
        if one.starts:
            for first, last in one.reach(WEEK, one.starts[0], until):
                steps[first] += 1
                steps[last + 1] -= 1
    counts, running = {}, 0
    for day in range(min(steps, default=until), until + 1):
        running += steps.get(day, 0)
        counts[day] = running
    return counts
