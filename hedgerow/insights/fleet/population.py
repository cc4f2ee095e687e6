"""Whom a figure counts, and what they are measured by (``fleet`` §1.3)."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from hedgerow.errors import UnknownRelease
from hedgerow.insights.fleet import releases
from hedgerow.insights.fleet.observations import (
    Catalogue,
    Installation,
    Ranked,
    alike,
    installations,
    labels,
)
from hedgerow.insights.fleet.params import Asked, iso
from hedgerow.insights.fleet.releases import Released
from hedgerow.insights.fleet.signatures import clone_days
from hedgerow.model.ports import Rows

Move = tuple[int, Ranked | None, int]
"""From which day on there are how many more, or fewer, of a version."""


class Fleet(msgspec.Struct, kw_only=True):
    """The installations of the population and all that figures need besides."""

    asked: Asked
    installations: list[Installation]
    configured: bool
    """Whether any heartbeat was ever seen, on whatever day and of whatever environment."""

    excluded: int
    """Left out because of their environment."""

    releases: list[Released]
    """As listed or inferred, ascending; also those withdrawn, or still to come."""

    labels: dict[int, str]
    catalogue: Catalogue
    more: Mapping[str, list[tuple[Any, ...]]]
    """What the figure asked for besides, by name."""

    by_key: dict[int, Installation] = msgspec.field(default_factory=dict)

    @property
    def source(self) -> str:
        """Where the releases come from."""
        return "list" if self.asked.settings.releases else "inferred"

    def label(self, version: Ranked) -> str:
        """Return how a version is spelled in answers."""
        return self.labels.get(version.ord, version.text)

    def label_at(self, one: Installation, day: int) -> str | None:
        """Return how an installation's version at the end of a day is spelled."""
        version = one.version_at(day)
        return None if version is None else self.label(version)

    def releases_at(self, day: int) -> list[Released]:
        """Return the releases at the end of a day, ascending."""
        return [one for one in self.releases if one.out(day)]

    def newest(self) -> Released | None:
        """Return the highest release at the end of the day asked about."""
        out = self.releases_at(self.asked.as_of)
        return out[-1] if out else None

    def release(self, text: str | None, *, withdrawn: bool = False) -> Released | None:
        """Return a release as of the day asked about; without a text the newest, if any.

        ``withdrawn`` takes those that were yanked since. Raises UnknownRelease.
        """
        if text is None:
            return self.newest()
        day, place = self.asked.as_of, self.catalogue.ord_of(text)
        for one in self.releases:
            yanked = withdrawn and one.stable and one.day <= day
            if one.ord == place and (one.out(day) or yanked):
                return one
        raise UnknownRelease(
            f"{text!r} is no release on {iso(day)}.",
            hint="Use one that was out and not withdrawn, or add it to the releases.",
            attr="params.version",
        )

    def active(self) -> list[Installation]:
        """Return those active in the window ending with the day asked about."""
        day, window = self.asked.as_of, self.asked.window
        return [one for one in self.installations if one.active(day, window)]

    def moves(self, window: int) -> list[Move]:
        """Return how the number active in a window changes, day by day and by version."""
        name = moves_of(window)
        if name not in self.more:
            return [
                move for one in self.installations for move in _moved(one, window, self)
            ]
        return [
            (int(day), self.catalogue.find(text), int(count))
            for environment, text, day, count in self.more[name]
            if counts(environment, self.asked)
        ]

    def reaches(self, window: int) -> Iterator[tuple[int, int]]:
        """Yield the same whatever the version: from which day on there are how many more."""
        if moves_of(window) in self.more:
            yield from ((day, by) for day, _, by in self.moves(window))
            return
        since, until = self.asked.date_from, self.asked.as_of
        for one in self.installations:
            for first, last in one.reach(window, since, until):
                yield first, 1
                yield last + 1, -1

    def rows(self, name: str) -> list[tuple[Installation, tuple[Any, ...]]]:
        """Return what was asked for besides: of the population, without the key."""
        found = ((self.by_key.get(row[0]), row[1:]) for row in self.more[name])
        return [(one, row) for one, row in found if one is not None]


def moves_of(window: int) -> str:
    """Return the name of the rows of ``reports.moves``."""
    return f"moves {window}"


def _moved(one: Installation, window: int, fleet: Fleet) -> Iterator[Move]:
    if one.starts:
        for first, last, version in one.held(window, one.starts[0], fleet.asked.as_of):
            yield first, version, 1
            yield last + 1, version, -1


def fleet(asked: Asked, answers: Mapping[str, Rows]) -> Fleet:
    """Return the population of a question with its releases."""
    more = {name: rows.rows for name, rows in answers.items()}
    spelled = asked.context.spellings
    names = [one.version for one in asked.settings.releases]
    also = [one for one in (asked.params.version, asked.params.version_lt) if one]
    said = [row[2] for name in ("faults", "uses") for row in more.get(name, ())]
    texts = [*spelled, *names, *also, *said]
    catalogue = Catalogue(texts, asked.settings.version_scheme)
    everybody = (
        alike(more["summed"], catalogue)
        if "summed" in more
        else installations(more["reports"], catalogue)
    )
    inside = [one for one in everybody if counts(one.environment, asked)]
    chosen = [one for one in inside if one.fits]
    if "summed" not in more:
        chosen = [one for one in chosen if _established(one, asked)]
    if asked.params.exclude_clones:
        cloned = clone_days(more["signatures"], chosen, catalogue)
        chosen = [one for one in chosen if one.key not in cloned]
    named = labels(spelled, catalogue, names)
    known = (
        releases.listed(asked, catalogue)
        if names
        else releases.inferred(asked, chosen, named)
    )
    return Fleet(
        asked=asked,
        installations=chosen,
        configured=any(seen for _, seen in more.get("question", ())),
        excluded=sum(one.count for one in everybody) - sum(one.count for one in inside),
        releases=known,
        labels=named,
        catalogue=catalogue,
        more=more,
        by_key={one.key: one for one in chosen},
    )


def counts(environment: str | None, asked: Asked) -> bool:
    """Return whether installations of an environment are asked about."""
    wanted = asked.params.environments
    if wanted == "all":
        return True
    if wanted is not None:
        named = wanted.split(",") if isinstance(wanted, str) else wanted
        return environment in named
    return environment not in asked.settings.exclude_environments


def _established(one: Installation, asked: Asked) -> bool:
    if not asked.params.established:
        return True
    return len(one.starts) > 1 or any(
        start < end for start, end in zip(one.starts, one.ends, strict=True)
    )
