"""What is known of each installation, made of the project's fleet events (``fleet`` §1).

``reports`` asks for all heartbeats, installs and updates up to a moment, already drawn
together: one row for each installation, with the stretches of days on which it reported
and the moments at which its version changed. ``installations`` turns the rows into values,
of which the figures are computed. Days are local days of the project, as numbers.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import msgspec

from hedgerow.model.versions import Scheme, Version, parse

EVER = -10_000_000
"""A day before all others."""

DAYS = msgspec.json.Decoder(list[int])

NO_VERSIONS = frozenset({"true", "false"})
"""What booleans read as; with lists and objects they say no version."""


class Ranked(msgspec.Struct, frozen=True):
    """A version text and its place among all texts of the fleet."""

    text: str
    version: Version
    ord: int
    """Ascending by version, equal versions equal; -1: unordered."""

    @property
    def ordered(self) -> bool:
        """Whether it has a place."""
        return self.ord >= 0

    @property
    def same(self) -> int | str:
        """What equal versions have in common: the place, or the text without one."""
        return self.ord if self.ord >= 0 else self.text


class Seen(msgspec.Struct, frozen=True):
    """One observation of a version that differs from the one before."""

    at: int
    """Microseconds since 1970."""

    day: int
    old: bool
    """Whether it is what an update came from: no evidence of having it now."""

    version: Ranked


class Installation(msgspec.Struct, kw_only=True, dict=True):
    """What one installation reported, in order of time."""

    key: int
    id: str
    environment: str | None
    fits: bool
    """Whether it is what the filters of the question ask for."""

    starts: list[int]
    ends: list[int]
    """Stretches of days with a heartbeat on each, both ends in, ascending."""

    changes: Sequence[str | None]
    """Moments, days, steps and texts of the changes of version: lists as JSON, or nothing."""

    catalogue: "Catalogue"
    count: int = 1
    """How many there are of which all this is true."""

    @cached_property
    def seen(self) -> list[Seen]:
        """The versions observed; read when first asked for, as not every figure does."""
        lists = [msgspec.json.decode(one or "[]") for one in self.changes]
        return [
            Seen(at, day, step == 0, version)
            for at, day, step, text in zip(*lists, strict=True)
            if (version := self.catalogue.find(text)) is not None
        ]

    @property
    def first_beat(self) -> int | None:
        """The first heartbeat day."""
        return self.starts[0] if self.starts else None

    def last_beat(self, day: int) -> int | None:
        """Return the latest heartbeat day not after ``day``."""
        place = bisect_right(self.starts, day)
        return min(self.ends[place - 1], day) if place else None

    def version_at(self, day: int) -> Ranked | None:
        """Return the version at the end of ``day``; None: none was ever observed."""
        place = bisect_right(self.seen, day, key=_day)
        return self.seen[place - 1].version if place else None

    def version_at_moment(self, at: int) -> Ranked | None:
        """Return the version at a moment."""
        place = bisect_right(self.seen, at, key=_at)
        return self.seen[place - 1].version if place else None

    def active(self, day: int, window: int) -> bool:
        """Return whether it had a heartbeat in the ``window`` days ending with ``day``."""
        last = self.last_beat(day)
        return last is not None and day - last < window

    def beat_days(self, since: int, until: int) -> Iterator[int]:
        """Return the heartbeat days of a range, both ends in."""
        for start, end in zip(self.starts, self.ends, strict=True):
            yield from range(max(start, since), min(end, until) + 1)

    def reach(self, window: int, since: int, until: int) -> Iterator[tuple[int, int]]:
        """Return the stretches of a range in which it is active in the window.

        Both ends in, ascending, apart from one another.
        """
        open_: tuple[int, int] | None = None
        for start, end in zip(self.starts, self.ends, strict=True):
            first, last = max(start, since), min(end + window - 1, until)
            if first > last:
                continue
            if open_ is not None and first <= open_[1] + 1:
                open_ = (open_[0], max(last, open_[1]))
                continue
            if open_ is not None:
                yield open_
            open_ = (first, last)
        if open_ is not None:
            yield open_

    def held(
        self, window: int, since: int, until: int
    ) -> Iterator[tuple[int, int, Ranked | None]]:
        """Return the same stretches cut where the version at the end of the day changes."""
        for first, last in self.reach(window, since, until):
            place = bisect_right(self.seen, first, key=_day)
            begin = first
            while begin <= last:
                following = self.seen[place].day if place < len(self.seen) else last + 1
                end = min(last, following - 1)
                if begin <= end:
                    yield begin, end, self.seen[place - 1].version if place else None
                    begin = end + 1
                place += 1


def _day(seen: Seen) -> int:
    return seen.day


def _at(seen: Seen) -> int:
    return seen.at


class Catalogue:
    """Every version text of a fleet with its place in the order."""

    def __init__(self, texts: Iterable[str | None], scheme: Scheme) -> None:
        self._scheme = scheme
        read = {
            text: parse(text, scheme)
            for text in texts
            if text is not None and not is_missing(text)
        }
        keys = {one.key for one in read.values() if one.key is not None}
        self._places = {key: place for place, key in enumerate(sorted(keys))}
        self._by_text = {
            text: Ranked(text, one, self._places.get(one.key, -1) if one.key else -1)
            for text, one in read.items()
        }

    def find(self, text: str | None) -> Ranked | None:
        """Return what a text says; None: it says no version."""
        return None if text is None else self._by_text.get(text)

    def ord_of(self, text: str | None) -> int | None:
        """Return the place of any text; None: it has none, or nobody mentioned it."""
        key = parse(text, self._scheme).key
        return None if key is None else self._places.get(key)


def installations(
    rows: Iterable[tuple[Any, ...]], catalogue: Catalogue
) -> list[Installation]:
    """Return the installations that the rows of ``reports`` tell of."""
    found = []
    for key, id_, environment, fits, starts, ends, *lists in rows:
        found.append(
            Installation(
                key=key,
                id=id_,
                environment=environment,
                fits=bool(fits),
                starts=DAYS.decode(starts or "[]"),
                ends=DAYS.decode(ends or "[]"),
                changes=lists,
                catalogue=catalogue,
            )
        )
    return found


def alike(rows: Iterable[tuple[Any, ...]], catalogue: Catalogue) -> list[Installation]:
    """Return one installation for all that are alike, of the rows of ``summed``.

    Only its first and last report and its version now are true.
    """
    found = []
    for key, id_, environment, fits, first, last, text, count in rows:
        now = msgspec.json.encode([text]).decode()
        found.append(
            Installation(
                key=key,
                id=id_,
                environment=environment,
                fits=bool(fits),
                starts=[] if first is None else [first],
                ends=[] if last is None else [last],
                changes=(f"[{EVER}]", f"[{EVER}]", "[1]", now),
                catalogue=catalogue,
                count=count,
            )
        )
    return found


def labels(
    spellings: Mapping[str, int], catalogue: Catalogue, listed: Iterable[str]
) -> dict[int, str]:
    """Return how each version is spelled: as listed, else most often, shortest, first."""
    by_place: dict[int, list[str]] = {}
    for text in spellings:
        ranked = catalogue.find(text)
        if ranked is not None and ranked.ordered:
            by_place.setdefault(ranked.ord, []).append(text)
    named = {
        place: min(texts, key=lambda text: (-spellings[text], len(text), text)).strip()
        for place, texts in by_place.items()
    }
    for text in listed:
        place = catalogue.ord_of(text)
        if place is not None:
            named[place] = text.strip()
    return named


def is_missing(text: str) -> bool:
    """Return whether a text says no version, whatever the scheme."""
    no_text = text in NO_VERSIONS or text[:1] in {"[", "{"}
    return no_text or parse(text).kind == "missing"
