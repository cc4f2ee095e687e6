"""Whom a figure counts, and the releases they are measured by (``fleet`` §1.3, §1.6)."""

from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import Any

import msgspec

from hedgerow.errors import UnknownRelease
from hedgerow.insights.fleet.observations import Installation, Seen
from hedgerow.insights.fleet.params import Asked
from hedgerow.model.versions import Key, Version, parse


class Released(msgspec.Struct, frozen=True, kw_only=True):
    """A stable release with a place in the order."""

    label: str
    version: Version
    day: date
    yanked: date | None = None

    @property
    def key(self) -> Key:
        """Its place."""
        return self.version.key or ()


class Fleet(msgspec.Struct, kw_only=True):
    """The installations of the population and all that figures need besides."""

    asked: Asked
    installations: list[Installation]
    excluded: int
    """Left out because of their environment."""

    releases: list[Released]
    """Stable ones, ascending; also those withdrawn and those still to come."""

    source: str
    labels: dict[Key, str]
    error_rows: list[tuple[Any, ...]] = msgspec.field(default_factory=list)

    def label(self, seen: Seen) -> str:
        """Return how a version is spelled in answers."""
        return self.labels.get(seen.version.key or (), seen.text)

    def releases_at(self, day: date) -> list[Released]:
        """Return the releases out and not withdrawn at the end of a day, ascending."""
        return [
            one
            for one in self.releases
            if one.day <= day and (one.yanked is None or one.yanked > day)
        ]

    def newest(self, day: date) -> Released | None:
        """Return the highest release at the end of a day."""
        out = self.releases_at(day)
        return out[-1] if out else None

    def release(self, text: str | None) -> Released:
        """Return a release as of the day asked about. Raises UnknownRelease."""
        key = parse(text, self.asked.settings.version_scheme).key
        for one in self.releases_at(self.asked.as_of):
            if one.key == key:
                return one
        raise UnknownRelease(
            f"{text!r} is no release on {self.asked.as_of}.",
            hint="Use one that was out and not withdrawn, or add it to the releases.",
            attr="params.version",
        )

    def active(self) -> list[Installation]:
        """Return those active in the window ending with the day asked about."""
        day, window = self.asked.as_of, self.asked.window
        return [one for one in self.installations if one.active(day, window)]


def fleet(asked: Asked, everybody: list[Installation]) -> Fleet:
    """Return the population of a question with its releases."""
    inside = [one for one in everybody if _counts(one, asked)]
    chosen = [one for one in inside if not asked.params.established or len(one.days) >= 2]
    if asked.params.exclude_clones:
        chosen = [one for one in chosen if not clone_days(one, asked)]
    listed = _listed(asked)
    releases = listed or _inferred(asked, chosen)
    labels = _labels(chosen, asked)
    named = [
        msgspec.structs.replace(one, label=labels.get(one.key, one.label))
        for one in releases
    ]
    return Fleet(
        asked=asked,
        installations=chosen,
        excluded=len(everybody) - len(inside),
        releases=sorted(named, key=lambda one: one.key),
        source="list" if asked.settings.releases else "inferred",
        labels=labels,
    )


def _counts(one: Installation, asked: Asked) -> bool:
    wanted = asked.params.environments
    if wanted == "all":
        return True
    if wanted is not None:
        named = wanted.split(",") if isinstance(wanted, str) else wanted
        return one.environment in named
    return one.environment not in asked.settings.exclude_environments


def clone_days(one: Installation, asked: Asked) -> dict[date, set[tuple[Any, ...]]]:
    """Return the days that betray a clone, with the signatures seen; empty: none.

    A day betrays one when the signature of successive heartbeats changed twice; it takes
    two such days among the last 14.
    """
    settings = asked.settings
    named = (
        settings.platform_property,
        settings.machine_property,
        settings.deployment_property,
    )
    since = asked.as_of - timedelta(days=13)
    by_day: dict[date, list[tuple[Any, ...]]] = defaultdict(list)
    for beat in one.beats:
        if since <= beat.day <= asked.as_of:
            seen = one.version_at_moment(beat.at)
            same = None if seen is None else seen.same
            signature = (same, *(beat.values.get(name) for name in named))
            if by_day[beat.day][-1:] != [signature]:
                by_day[beat.day].append(signature)
    found = {day: set(all_) for day, all_ in by_day.items() if len(all_) > 2}
    return found if len(found) >= 2 else {}


def _listed(asked: Asked) -> list[Released]:
    scheme = asked.settings.version_scheme
    read = [(one, parse(one.version, scheme)) for one in asked.settings.releases]
    return [
        Released(label=one.version, version=version, day=one.day, yanked=one.yanked)
        for one, version in read
        if one.channel == "stable" and version.key is not None
    ]


def _inferred(asked: Asked, chosen: list[Installation]) -> list[Released]:
    """Return versions that reached the quorum, each from the day on which it did."""
    if asked.settings.releases:
        return []
    first, read = _first_days(chosen)
    quorum, weekly = asked.settings.quorum, _weekly(chosen)
    found = []
    for key, days in first.items():
        days.sort()
        if len(days) < quorum.installations:
            continue
        day, until = days[max(quorum.installations, 1) - 1], asked.as_of
        while day <= until:
            known = sum(one <= day for one in days)
            if known >= -(-quorum.share * weekly.get(day, 0) // 1):
                seen = read[key]
                found.append(Released(label=seen.text, version=seen.version, day=day))
                break
            day += timedelta(days=1)
    return found


def _first_days(
    chosen: list[Installation],
) -> tuple[dict[Key, list[date]], dict[Key, Seen]]:
    """Return, by final version, each installation's first day on it, and an observation."""
    first: dict[Key, list[date]] = defaultdict(list)
    read: dict[Key, Seen] = {}
    for one in chosen:
        mine: dict[Key, Seen] = {}
        for seen in one.seen:
            if seen.version.key is not None and seen.version.stage == "final":
                mine.setdefault(seen.version.key, seen)
        for key, seen in mine.items():
            first[key].append(seen.day)
            read.setdefault(key, seen)
    return first, read


def _weekly(chosen: list[Installation]) -> Counter[date]:
    """Return how many had a heartbeat in the seven days ending with each day."""
    counts: Counter[date] = Counter()
    for one in chosen:
        reach = {day + timedelta(days=ahead) for day in one.days for ahead in range(7)}
        counts.update(reach)
    return counts


def _labels(chosen: list[Installation], asked: Asked) -> dict[Key, str]:
    """Return how each version is spelled: as listed, else most often, shortest, first."""
    spellings: dict[Key, Counter[str]] = defaultdict(Counter)
    for one in chosen:
        for seen in one.seen:
            if seen.version.key is not None:
                spellings[seen.version.key][seen.text] += 1
    labels = {
        key: min(counts, key=lambda text: (-counts[text], len(text), text))
        for key, counts in spellings.items()
    }
    for release in asked.settings.releases:
        key = parse(release.version, asked.settings.version_scheme).key
        if key is not None:
            labels[key] = release.version
    return labels
