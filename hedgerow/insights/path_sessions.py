"""From what one person did, to the items of each session that are shown.

The procedure of ``insights-funnels-paths`` §9.1 from step 3 on, for one person's events in
order of time, each with its item (the page, screen or event name after cleaning). A
session ends with a long gap; equal neighbours collapse onto their last event; an anchor
chooses which part of a session is shown.

``paths`` says the same in SQL for everybody at once, and a test holds the two together.
This one is asked when the events around a funnel's step are wanted, which differ from
person to person.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec

GAP = "..."
"""Stands for what is left out between start and end."""


class Visit(NamedTuple):
    """One thing a person did."""

    at: int
    """Microseconds since 1970, UTC."""

    item: str


class Anchor(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a session is shown."""

    start: str | None = None
    end: str | None = None
    limit: int = 5


def shown(visits: Sequence[Visit], gap_us: int, anchor: Anchor) -> Iterator[list[Visit]]:
    """Yield the part shown of each session that has one."""
    for session in _sessions(visits, gap_us):
        part = _anchored(_collapsed(session), anchor)
        if part:
            yield part


def _sessions(visits: Iterable[Visit], gap_us: int) -> Iterator[list[Visit]]:
    session: list[Visit] = []
    for visit in visits:
        if session and visit.at - session[-1].at >= gap_us:
            yield session
            session = []
        session.append(visit)
    if session:
        yield session


def _collapsed(session: list[Visit]) -> list[Visit]:
    """Return the last visit of each run of equal items; an empty one at the end goes."""
    following = [visit.item for visit in session[1:]]
    ends = [
        one
        for one, after in zip(session, [*following, None], strict=True)
        if one.item != after
    ]
    return ends[:-1] if ends[-1].item == "" else ends


def _anchored(items: list[Visit], anchor: Anchor) -> list[Visit]:
    names = [visit.item for visit in items]
    if anchor.start is not None:
        if anchor.start not in names:
            return []
        first = names.index(anchor.start)
        items, names = items[first:], names[first:]
    if anchor.end is None:
        return items[: anchor.limit]
    if anchor.end not in names:
        return []
    items = items[: names.index(anchor.end) + 1]
    if anchor.start is None:
        return items[-anchor.limit :]
    if len(items) <= anchor.limit:
        return items
    half = anchor.limit // 2
    middle = Visit(items[half].at, GAP)
    return [*items[:half], middle, *items[len(items) - half :]]


class Edge(msgspec.Struct, kw_only=True):
    """How often one item followed another, and how long that took."""

    count: int = 0
    total_us: int = 0


def edges(sessions: Iterable[Sequence[Visit]]) -> dict[tuple[str, str], Edge]:
    """Return every pair of neighbours, such as ``("1_/", "2_/about")``."""
    found: dict[tuple[str, str], Edge] = {}
    for session in sessions:
        for place, (one, after) in enumerate(pairwise(session), 1):
            key = f"{place}_{one.item}", f"{place + 1}_{after.item}"
            edge = found.setdefault(key, Edge())
            edge.count += 1
            edge.total_us += after.at - one.at
    return found


def rooted(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the edges that can be reached from an item in first place."""
    reached = {row["source"] for row in rows if row["source"].startswith("1_")}
    grown = True
    while grown:
        more = {row["target"] for row in rows if row["source"] in reached} - reached
        reached |= more
        grown = bool(more)
    return [row for row in rows if row["source"] in reached]
