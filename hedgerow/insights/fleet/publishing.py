"""What the public page would say, as members see it beforehand (``fleet`` §4.4)."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from hedgerow.errors import InvalidQuery
from hedgerow.insights.fleet.cells import Cells, cells, checked, public_table, table_of
from hedgerow.insights.fleet.params import iso
from hedgerow.insights.fleet.population import Fleet
from hedgerow.insights.fleet.states import Member
from hedgerow.insights.fleet.suppression import Grid, Table

ABSENT = ""
"""The cell of those who are not in the table."""

OTHER = "other"


def changed(before: Cells, after: Cells) -> int:
    """Return how many installations are in another cell; absence is one of its own."""
    return sum(
        before.get(key, ABSENT) != after.get(key, ABSENT)
        for key in before.keys() | after.keys()
    )


def moved(before: Cells, after: Cells) -> int:
    """Return how many installations joined or left."""
    return len(before.keys() ^ after.keys())


def may_replace(before: Cells, after: Cells, k: int) -> bool:
    """Return whether a table may be replaced without telling of a few installations."""
    between = moved(before, after)
    return (between == 0 or between >= k) and changed(before, after) >= k


def public_table_figure(fleet: Fleet, earlier: Fleet | None) -> dict[str, Any]:
    """Tell a table as anybody may see it, and whether it would replace an earlier one."""
    name = checked(fleet.asked.params.property, "params.property")
    k = k_of(fleet)
    if earlier is None:
        return _told(public_table(fleet, name, k), fleet)
    before, after = cells(earlier, name), cells(fleet, name)
    refreshed = may_replace(before, after, k)
    chosen, at = (after, fleet) if refreshed else (before, earlier)
    shown = table_of(Counter(chosen.values()), name, k, at)
    return {
        **_told(shown, at),
        "changed": changed(before, after),
        "refreshed": refreshed,
    }


def k_of(fleet: Fleet) -> int:
    """Return the fewest installations that a number may stand for."""
    return fleet.asked.params.k or fleet.asked.settings.public.k


def _told(shown: Table, fleet: Fleet) -> dict[str, Any]:
    return {
        "as_of": iso(fleet.asked.as_of),
        "published": shown.published,
        "total": shown.total,
        "rows": [{"value": value, "count": count} for value, count in shown.rows],
        "other": shown.other,
    }


def public_cross_figure(fleet: Fleet, _: Fleet | None) -> dict[str, Any]:
    """Tell two tables against each other as anybody may see them."""
    pair = pair_of(fleet.asked.params.properties)
    as_of = iso(fleet.asked.as_of)
    found = cross(fleet, pair, k_of(fleet))
    if found is None:
        return {"as_of": as_of, "published": False, "rows": [], "columns": [], "cells": []}
    rows, columns, grid = found
    return {
        "as_of": as_of,
        "published": grid.enough and grid.safe,
        "rows": rows,
        "columns": columns,
        "cells": grid.shown(),
    }


def pair_of(raw: Any) -> tuple[str, str]:
    """Return the names of the two tables. Raises InvalidQuery."""
    if not isinstance(raw, list) or len(raw) != 2 or raw[0] == raw[1]:
        raise InvalidQuery(
            f"{raw!r} is not a pair of tables.",
            hint='Give two, such as ["platform", "auth_method"].',
            attr="params.properties",
        )
    one, two = (checked(name, "params.properties") for name in raw)
    return one, two


def cross(
    fleet: Fleet, pair: tuple[str, str], k: int
) -> tuple[list[str], list[str], Grid] | None:
    """Return the axes of a cross table, and its cells; None: one of its tables is withheld.

    It goes on the page only where enough of it is left and it is safe.
    """
    axes = []
    for name in pair:
        shown = public_table(fleet, name, k)
        if not shown.published:
            return None
        axes.append([*shown.named, *([OTHER] if shown.other is not None else [])])
    rows, columns = axes
    first, second = (cells(fleet, name) for name in pair)
    counts = Counter(
        (first[key] if first[key] in rows else OTHER, cell if cell in columns else OTHER)
        for key, cell in second.items()
    )
    return rows, columns, Grid([[counts[a, b] for b in columns] for a in rows], k)


def members(_: Fleet) -> Iterator[Member]:
    """Yield nobody: who is behind a public table is never told."""
    return iter(())
