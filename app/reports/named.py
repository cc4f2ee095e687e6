"""What the keys of a report's groups are called, and in which order they stand.

Screen and export show the same rows in the same order: the most time first, steps of
time by date. A label is None for "no project" and the like, and for days and yes or no:
these are said in the reader's language by whoever shows them.
"""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from app.reports import filters
from app.reports.answer import Group, Key
from app.reports.detail import Names
from app.reports.seen import Worth


class Label(NamedTuple):
    """How a group is shown."""

    text: str | None
    color: int = 0
    """1 to 10: a hue of the palette; 0 is grey."""


def label(name: str, key: Key, names: Names) -> Label:
    """Return what a key of the grouping ``name`` is called."""
    if not isinstance(key, int) or name == "billable":
        return Label(None)
    match name:
        case "project" | "client":
            known = (names.projects if name == "project" else names.clients).get(key)
            return Label(known.name, known.color) if known else Label(None)
        case "task":
            return Label(names.tasks.get(key))
        case "tag":
            return Label(names.tags.get(key))
        case _:
            return Label(names.users.get(key), key % 10 + 1)


def in_order(name: str, groups: Mapping[Key, Group], names: Names) -> list[Group]:
    """Return groups as they are listed."""

    def place(group: Group) -> tuple[int, str, str]:
        if name in filters.UNITS and isinstance(group.key, date):
            return 0, group.key.isoformat(), ""
        if isinstance(group.key, Worth):
            amount = group.key.price.amount if group.key.price else -1
            return -amount, str(not group.key.billable), ""
        text = label(name, group.key, names).text or ""
        return -group.sums.seconds, text, str(group.key)

    return sorted(groups.values(), key=place)
