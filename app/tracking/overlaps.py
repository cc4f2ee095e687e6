"""Half-open intervals, and what they share.

"9 to 10" and "10 to 11" do not overlap: intervals are [start, end). Only worked time counts, so a break is free
for something else. Entries that are only a length have no place on the clock and never
overlap.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from app.tracking.days import Segment, seconds_between


def worked(
    start: datetime, end: datetime, breaks: Iterable[tuple[datetime, datetime | None]]
) -> list[Segment]:
    """Return [start, end) without its breaks, in order; an open break lasts to the end."""
    segments: list[Segment] = []
    cursor = start
    for begin, finish in sorted(breaks, key=lambda pause: pause[0]):
        if begin > cursor:
            segments.append((cursor, min(begin, end)))
        cursor = max(cursor, end if finish is None else finish)
    if cursor < end:
        segments.append((cursor, end))
    return [(begin, finish) for begin, finish in segments if begin < finish]


def length(segments: Iterable[Segment]) -> int:
    """Return seconds, each segment counted in full."""
    return sum(seconds_between(start, end) for start, end in segments)


def shared(first: Sequence[Segment], second: Sequence[Segment]) -> int:
    """Return the seconds that lie in both; each of the two is free of overlaps itself."""
    return sum(
        max(0, seconds_between(max(a, c), min(b, d))) for a, b in first for c, d in second
    )


def doubled(entries: Sequence[Sequence[Segment]]) -> int:
    """Return how many seconds of a set of entries are counted more than once.

    The sum of all lengths less the length of their union: "2h 30m, of which 20m overlap".
    """
    every = sorted(segment for segments in entries for segment in segments)
    union, until = 0, None
    for start, end in every:
        begin = start if until is None else max(start, until)
        union += max(0, seconds_between(begin, end))
        until = end if until is None else max(until, end)
    return length(every) - union


def lanes(blocks: Sequence[Segment]) -> list[tuple[int, int]]:
    """Return for each block (lane, number of lanes) so that none covers another.

    Blocks that touch one another in a chain share one number of lanes.
    """
    order = sorted(range(len(blocks)), key=lambda n: blocks[n])
    placed: dict[int, tuple[int, int]] = {}
    group: list[int] = []
    ends: list[datetime] = []
    for n in order:
        start, end = blocks[n]
        if group and all(finish <= start for finish in ends):
            _settle(placed, group, len(ends))
            group, ends = [], []
        lane = next((k for k, finish in enumerate(ends) if finish <= start), len(ends))
        if lane == len(ends):
            ends.append(end)
        else:
            ends[lane] = end
        placed[n] = (lane, 0)
        group.append(n)
    _settle(placed, group, len(ends))
    return [placed[n] for n in range(len(blocks))]


def _settle(placed: dict[int, tuple[int, int]], group: Iterable[int], lanes: int) -> None:
    for n in group:
        placed[n] = (placed[n][0], lanes)
