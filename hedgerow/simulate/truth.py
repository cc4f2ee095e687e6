"""What is true of a simulated fleet, read from the lives that were decided beforehand.

Neither events nor queries take part, nor does the parsing of versions: ``ORDER`` puts down
which version stands above which. So a figure that agrees with the truth agrees with what
was meant. Counted are the days of UTC, up to the last complete one; installations of
developers are left out, as every figure leaves them out.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec

from hedgerow.simulate.fleet import RELEASES, Life
from hedgerow.simulate.rhythm import Span
from hedgerow.simulate.story import Story

ORDER = (*(text for text, _ in RELEASES), "3.2.0-dev")
"""Every version with a place, lowest first."""

SPELT = {"v2.9.1": "2.9.1", "3.0.0+deb12": "3.0.0"}
"""Other spellings of versions with a place."""

MISSING = "unknown"
"""What an installation says that does not know its version."""

SILENT_DAYS, GONE_DAYS = 7, 30
WINDOW_DAYS, ADOPTION_DAYS, HORIZON_DAYS = 30, 7, 90
CLONE_DAYS, CLONE_LEAST = 14, 2


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One version that one installation told."""

    day: date
    version: str
    """As it is called; the spelling, where it has no place."""

    old: bool = False
    """Whether it is what an update led away from."""


class Truth:
    """Everything decided about a fleet's installations that report."""

    def __init__(self, told: Story) -> None:
        self.span = told.span
        self.as_of = told.span.until.astimezone(UTC).date() - timedelta(days=1)
        """The last complete day."""

        counted = [one for one in told.fleet if one.about["environment"] == "production"]
        self.lives = {one.distinct_id: one for one in counted}
        self.seen: dict[str, list[Seen]] = {}
        self.beats: dict[str, list[date]] = {}
        for who, life in self.lives.items():
            said = [one for one in _said(life, told.span) if one.day <= self.as_of]
            if any(not one.old for one in said):
                self.seen[who] = [one for one in said if one.version != MISSING]
                self.beats[who] = sorted({one.day for one in said})
        self.released = {
            text: told.span.date_of(told.span.days + ago)
            for text, ago in RELEASES
            if "-" not in text
        }

    def releases(self) -> list[dict[str, str]]:
        """Return the releases as a project's list takes them."""
        return [
            {"version": text, "released_at": day.isoformat()}
            for text, day in self.released.items()
            if day <= self.as_of
        ]

    def last_beat(self, who: str, day: date) -> date | None:
        """Return the last day up to this one on which an installation was heard of."""
        beats = self.beats[who]
        place = bisect_right(beats, day)
        return beats[place - 1] if place else None

    def active(self, day: date, window: int) -> list[str]:
        """Return who was heard of in the days that end with this one."""
        since = day - timedelta(days=window)
        lasts = ((who, self.last_beat(who, day)) for who in self.beats)
        return [who for who, last in lasts if last is not None and last > since]

    def version(self, who: str, day: date) -> str | None:
        """Return the version last told up to the end of a day."""
        return next(
            (one.version for one in reversed(self.seen[who]) if one.day <= day), None
        )

    def states(self, day: date) -> dict[str, list[str]]:
        """Return who is reporting, silent and gone."""
        found: dict[str, list[str]] = {"reporting": [], "silent": [], "gone": []}
        for who in self.beats:
            last = self.last_beat(who, day)
            if last is not None:
                age = (day - last).days
                late = "silent" if age < GONE_DAYS else "gone"
                found["reporting" if age < SILENT_DAYS else late].append(who)
        return found

    def versions(self, day: date) -> dict[str | None, int]:
        """Return how many run each version; of those heard of in 30 days. None: unknown."""
        return dict(
            Counter(self.version(who, day) for who in self.active(day, WINDOW_DAYS))
        )

    def adoption(self, release: str) -> list[tuple[int, int]]:
        """Return, for each day since a release, how many are on it or above, and of how many."""
        first, rows = self.released[release], []
        for ahead in range(min(HORIZON_DAYS, (self.as_of - first).days) + 1):
            day = first + timedelta(days=ahead)
            told = (self.version(who, day) for who in self.active(day, ADOPTION_DAYS))
            places = [ORDER.index(text) for text in told if text in ORDER]
            above = sum(place >= ORDER.index(release) for place in places)
            rows.append((above, len(places)))
        return rows

    def lag(self, release: str) -> list[tuple[int, bool]]:
        """Return the days each took to update, or was followed without an update."""
        first, place = self.released[release], ORDER.index(release)
        eve, found = first - timedelta(days=1), []
        for who in self.active(eve, ADOPTION_DAYS):
            before = self.version(who, eve)
            if before not in ORDER or ORDER.index(before) >= place:
                continue
            days = [
                one.day
                for one in self.seen[who]
                if one.day >= first
                and not one.old
                and one.version in ORDER
                and ORDER.index(one.version) >= place
            ]
            followed = max((self.beats[who][-1] - first).days, 0)
            found.append(((days[0] - first).days, True) if days else (followed, False))
        return sorted(found)

    def steps(self) -> Iterator[tuple[str, date, str, str]]:
        """Yield every change of version: who, when, from and to."""
        for who, seen in self.seen.items():
            for before, after in pairwise(seen):
                if before.version != after.version:
                    yield who, after.day, before.version, after.version

    def downgrades(self) -> list[tuple[str, date, str, str]]:
        """Return the changes to a lower version, by day."""
        down = [one for one in self.steps() if ORDER.index(one[3]) < ORDER.index(one[2])]
        return sorted(down, key=lambda one: (one[1], one[0]))

    def clones(self) -> list[str]:
        """Return the ids that two machines share, as far as it showed in the last fortnight."""
        since = self.as_of - timedelta(days=CLONE_DAYS)
        return sorted(
            who
            for who, beats in self.beats.items()
            if self.lives[who].copied and sum(day > since for day in beats) >= CLONE_LEAST
        )

    def told(self) -> dict[str, Any]:
        """Return the truth as plain data, for people."""
        states, versions = self.states(self.as_of), self.versions(self.as_of)
        listed = [one["version"] for one in self.releases()]
        return {
            "as_of": self.as_of.isoformat(),
            "releases": self.releases(),
            "states": {name: len(people) for name, people in states.items()},
            "silent": states["silent"],
            "versions": {text: versions[text] for text in ORDER if text in versions},
            "unordered": sum(
                n for text, n in versions.items() if text and text not in ORDER
            ),
            "unknown": versions.get(None, 0),
            "adoption": {one: self.adoption(one)[-1] for one in listed},
            "lag": {one: _lagging(self.lag(one)) for one in listed},
            "downgrades": [
                [who, str(day), old, new] for who, day, old, new in self.downgrades()
            ],
            "clones": self.clones(),
        }


def _lagging(times: list[tuple[int, bool]]) -> dict[str, int]:
    updated = sum(done for _, done in times)
    return {"eligible": len(times), "updated": updated, "censored": len(times) - updated}


def _said(life: Life, span: Span) -> Iterator[Seen]:
    """Yield the versions an installation tells, in order of time."""
    for day in range(max(life.born, 0), span.days + 1):
        if not life.heard_on(day, span):
            continue
        at = life.reports_at(day, span)
        now, before = life.version_on(day), life.version_on(max(day - 1, life.born))
        if now != before:
            yield Seen(day=_day(at), version=SPELT.get(before, before), old=True)
        yield Seen(day=_day(at), version=SPELT.get(now, now))


def _day(at: datetime) -> date:
    # a report takes three seconds; one that begins just before midnight ends a day later
    return (at + timedelta(seconds=3)).date()
