"""What may be told of counts to anybody, so that no cell can be worked out (§4.2, §4.3).

Pure arithmetic on counts: a cell of fewer than ``k`` is hidden, and then as many others as
it takes for the hidden ones not to follow from the sums. What is left is rounded.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import msgspec

from hedgerow.insights.fleet.ranges import safe

ROUNDED_TO = 5
LAST = ("development", "unknown")
"""Cells that stand behind all others in the table of versions."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """One table as anybody may see it."""

    published: bool
    total: int | None
    """Rounded; null: even that would tell too much."""

    rows: list[tuple[str, int]] = msgspec.field(default_factory=list)
    other: int | None = None
    named: tuple[str, ...] = ()
    """The cells that stand by their name, in their order."""


def rounded(count: int) -> int:
    """Return a count rounded to the nearest 5, halves up."""
    return (2 * count + ROUNDED_TO) // (2 * ROUNDED_TO) * ROUNDED_TO


def table(counts: Mapping[str, int], k: int, order: Sequence[str] | None = None) -> Table:
    """Return what of a table may be seen; ``order`` is that of the cells, if they have one."""
    total = sum(counts.values())
    if total < k:
        return Table(published=False, total=None)
    named = {name: count for name, count in counts.items() if count >= k}
    other = total - sum(named.values())
    hidden = other > 0
    while hidden and other < k and named:
        smallest = min(named, key=lambda name: (named[name], name))
        other += named.pop(smallest)
    if not named:
        return Table(published=False, total=rounded(total))
    if order is None:
        shown = sorted(named, key=lambda name: (-rounded(named[name]), name))
    else:
        shown = [name for name in order if name in named]
    return Table(
        published=True,
        total=rounded(total),
        rows=[(name, rounded(named[name])) for name in shown],
        other=rounded(other) if hidden else None,
        named=tuple(shown),
    )


class Grid:
    """The cells of a cross table, of which some are hidden."""

    def __init__(self, cells: Sequence[Sequence[int]], k: int) -> None:
        self.cells = cells
        self._k = k
        self._places = list(product(range(len(cells)), range(len(cells[0]))))
        self.hidden = {(i, j) for i, j in self._places if cells[i][j] < k}
        self._close()
        while self._audit():
            self._close()

    @property
    def enough(self) -> bool:
        """Whether at least half of the cells are left."""
        return 2 * len(self.hidden) <= len(self._places)

    @property
    def safe(self) -> bool:
        """Whether no small cell can be worked out even by whoever knows every sum."""
        cells = {(i, j): self.cells[i][j] for i, j in self.hidden}
        small = [place for place, count in cells.items() if count < self._k]
        return safe(cells, small, self._k)

    def shown(self) -> list[list[int | None]]:
        """Return the cells, rounded; the hidden ones are None."""
        return [
            [
                None if (i, j) in self.hidden else rounded(count)
                for j, count in enumerate(row)
            ]
            for i, row in enumerate(self.cells)
        ]

    def _row(self, i: int) -> list[tuple[int, int]]:
        return [(i, j) for j in range(len(self.cells[0]))]

    def _column(self, j: int) -> list[tuple[int, int]]:
        return [(i, j) for i in range(len(self.cells))]

    def _lines(self) -> Iterator[list[tuple[int, int]]]:
        yield from (self._row(i) for i in range(len(self.cells)))
        yield from (self._column(j) for j in range(len(self.cells[0])))

    def _sum(self, line: list[tuple[int, int]]) -> int:
        return sum(self.cells[i][j] for i, j in line if (i, j) in self.hidden)

    def _close(self) -> None:
        """Hide until in no line a hidden cell follows from the line's sum."""
        changed = True
        while changed:
            changed = sum(self._close_line(line) for line in self._lines()) > 0

    def _close_line(self, line: list[tuple[int, int]]) -> bool:
        hidden = [one for one in line if one in self.hidden]
        changed = False
        while hidden and (len(hidden) == 1 or self._sum(line) < self._k):
            if not self._hide_smallest(line):
                break
            hidden = [one for one in line if one in self.hidden]
            changed = True
        return changed

    def _hide_smallest(self, line: list[tuple[int, int]]) -> bool:
        visible = [one for one in line if one not in self.hidden]
        if not visible:
            return False
        self.hidden.add(min(visible, key=lambda one: (self.cells[one[0]][one[1]], one)))
        return True

    def _audit(self) -> bool:
        """Hide one more where a small cell can still be worked out; tell whether."""
        for i, j in sorted(self.hidden):
            if self.cells[i][j] >= self._k or self._span(i, j) >= self._k:
                continue
            if self._hide_smallest(self._row(i)) or self._hide_smallest(self._column(j)):
                return True
        return False

    def _span(self, i: int, j: int) -> int:
        """Return between how many counts a hidden cell could be."""
        row, column = self._sum(self._row(i)), self._sum(self._column(j))
        columns = sum(
            self._sum(self._column(other))
            for place, other in self._row(i)
            if other != j and (place, other) in self.hidden
        )
        rows = sum(
            self._sum(self._row(other))
            for other, place in self._column(j)
            if other != i and (other, place) in self.hidden
        )
        return min(row, column) - max(0, row - columns, column - rows)
