"""Between what a hidden cell can be worked out to lie, by whoever knows every sum.

Hidden cells of a cross table are a flow from rows to columns: a cell can grow by as much as
others can shrink around it. So the exact range follows from the largest flow that goes round.
"""

from collections import deque
from collections.abc import Collection, Mapping

Place = tuple[int, int]
Node = tuple[str, int]
Room = dict[Node, dict[Node, float]]
"""From each line to each other: by how much the cell between them may still move."""

ENDLESS = float("inf")


def span(cells: Mapping[Place, int], place: Place) -> float:
    """Return between how many counts the cell at ``place`` could be, all sums known.

    ``cells`` are the hidden ones with what they are.
    """
    row, column = ("row", place[0]), ("column", place[1])
    others = {one: count for one, count in cells.items() if one != place}
    grows = _flow(_room(others), column, row)
    shrinks = min(cells[place], _flow(_room(others), row, column))
    return grows + shrinks


def safe(cells: Mapping[Place, int], small: Collection[Place], least: int) -> bool:
    """Return whether each of the small ones could be at least so many different counts."""
    return all(span(cells, place) >= least for place in small)


def _room(cells: Mapping[Place, int]) -> Room:
    room: Room = {}
    for (i, j), count in cells.items():
        room.setdefault(("row", i), {})[("column", j)] = ENDLESS
        room.setdefault(("column", j), {})[("row", i)] = float(count)
    return room


def _flow(room: Room, start: Node, end: Node) -> float:
    """Return the largest flow between two lines, by shortest ways first."""
    total = 0.0
    while way := _way(room, start, end):
        most = min(room[one][other] for one, other in way)
        if most == ENDLESS:
            return ENDLESS
        for one, other in way:
            room[one][other] -= most
            room[other][one] = room[other].get(one, 0.0) + most
        total += most
    return total


def _way(room: Room, start: Node, end: Node) -> list[tuple[Node, Node]]:
    """Return the steps of a shortest way with room; empty: there is none."""
    came: dict[Node, Node] = {start: start}
    ahead = deque([start])
    while ahead and end not in came:
        one = ahead.popleft()
        for other, left in room.get(one, {}).items():
            if left > 0 and other not in came:
                came[other] = one
                ahead.append(other)
    if end not in came:
        return []
    steps = []
    at = end
    while at != start:
        steps.append((came[at], at))
        at = came[at]
    return steps
