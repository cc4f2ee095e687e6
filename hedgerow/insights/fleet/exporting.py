"""A figure's main table as rows, for CSV and the terminal (``fleet`` §2.0)."""

from collections.abc import Mapping, Sequence
from typing import Any

Table = tuple[list[str], list[list[Any]]]
"""Names of the columns, and the rows."""

LISTS = {
    "states": "silent_installations",
    "lag": "curve",
}
"""Figures whose main table is a list under a name of its own."""

SIDE_BY_SIDE = {
    "active_over_time": ("days", "daily", "weekly", "monthly"),
    "flow": (
        "days",
        "new",
        "returned",
        "went_silent",
        "went_gone",
        "reporting",
        "silent",
        "net",
    ),
    "adoption": ("on_or_above", "active", "share"),
}
"""Figures whose columns are lists of one length."""

ABOUT = frozenset(
    {"as_of", "timezone", "source", "excluded_environment", "provisional", "configured"}
)


def main_table(figure: str, results: Mapping[str, Any]) -> Table:
    """Return the main table of an answer's ``results``."""
    if figure in SIDE_BY_SIDE:
        names = SIDE_BY_SIDE[figure]
        rows = [list(row) for row in zip(*(results[name] for name in names), strict=True)]
        if names[0] == "days":
            return ["day", *names[1:]], rows
        return ["day", *names], [[day, *row] for day, row in enumerate(rows)]
    if figure == "versions_over_time":
        return _stack(results)
    if figure == "survival":
        return _cohorts(results)
    if "cells" in results:
        columns = ["", *("" if one is None else str(one) for one in results["columns"])]
        pairs = zip(results["rows"], results["cells"], strict=True)
        return columns, [[name, *cells] for name, cells in pairs]
    found = results.get(LISTS.get(figure, "rows"))
    if isinstance(found, list):
        return _listed(found)
    single = {
        name: value
        for name, value in results.items()
        if name not in ABOUT and not isinstance(value, list | dict)
    }
    return list(single), [list(single.values())]


def _listed(rows: Sequence[Mapping[str, Any]]) -> Table:
    names = list(rows[0]) if rows else []
    columns, found = [], []
    for name in names:
        columns += [f"{name}_low", f"{name}_high"] if name == "ci" else [name]
    for row in rows:
        cells: list[Any] = []
        for name in names:
            value = row[name]
            cells += (value or [None, None]) if name == "ci" else [value]
        found.append(cells)
    return columns, found


def _stack(results: Mapping[str, Any]) -> Table:
    rows = [
        [day, row["version"], row["data"][place], row["share"][place]]
        for place, day in enumerate(results["days"])
        for row in results["rows"]
    ]
    return ["day", "version", "count", "share"], rows


def _cohorts(results: Mapping[str, Any]) -> Table:
    rows = [
        [one["cohort"], row["day"], row["at_risk"], row["gone"], row["remaining"]]
        for one in results["cohorts"]
        for row in one["curve"]
    ]
    return ["cohort", "day", "at_risk", "gone", "remaining"], rows
