"""Tiles in their order → their places on the twelve columns. Pure.

A board flows like text: each tile stands right of the one before it while there is room,
else it begins a new row. So nothing overlaps, no hole is left, and the order is all that a
drag, a button or a phone needs to know.
"""

from collections.abc import Iterable, Mapping, Sequence

COLUMNS = 12
LEAST_WIDTH, MOST_HEIGHT = 2, 12

Sized = tuple[int, int, int]
"""Number of a tile, its width in columns, its height in rows."""


def flowed(tiles: Iterable[Sized]) -> dict[int, dict[str, int]]:
    """Return the place of each tile, from its order and size."""
    places: dict[int, dict[str, int]] = {}
    x = y = tallest = 0
    for number, width, height in tiles:
        w = min(max(width, LEAST_WIDTH), COLUMNS)
        h = min(max(height, 1), MOST_HEIGHT)
        if x + w > COLUMNS:
            x, y, tallest = 0, y + tallest, 0
        places[number] = {"x": x, "y": y, "w": w, "h": h}
        x, tallest = x + w, max(tallest, h)
    return places


def acted(tiles: Sequence[Sized], number: int, act: str) -> list[Sized]:
    """Return the tiles after one was moved or sized by a button."""
    found = list(tiles)
    at = next((i for i, tile in enumerate(found) if tile[0] == number), None)
    if at is None:
        return found
    _, w, h = found[at]
    sizes: Mapping[str, tuple[int, int]] = {
        "wider": (w + 1, h),
        "narrower": (w - 1, h),
        "taller": (w, h + 1),
        "shorter": (w, h - 1),
    }
    if act in sizes:
        found[at] = (number, *sizes[act])
    step = {"earlier": -1, "later": 1}.get(act, 0)
    if step and 0 <= at + step < len(found):
        found.insert(at + step, found.pop(at))
    return found
