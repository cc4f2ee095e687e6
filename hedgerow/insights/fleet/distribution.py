"""What installations run on: values of one property, or of two (``fleet`` §2.11, §2.19)."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from hedgerow.errors import InvalidQuery
from hedgerow.insights.fleet.digest import dimensions
from hedgerow.insights.fleet.observations import Installation
from hedgerow.insights.fleet.params import Asked, date_of
from hedgerow.insights.fleet.population import Fleet, counts
from hedgerow.insights.fleet.reports import statement
from hedgerow.insights.fleet.states import Member
from hedgerow.insights.fleet.statistics import share_of, wilson
from hedgerow.model.ports import Statement

VALUES_SHOWN = 25
UTC_DEFAULT = "$utc_default"
PLAIN_UTC = frozenset(
    [
        "UTC",
        "Etc/UTC",
        "GMT",
        "Etc/GMT",
        "UCT",
        "Etc/UCT",
        "Universal",
        "Zulu",
        "Etc/Universal",
        "Etc/Zulu",
    ]
)
"""Mostly containers that nobody told where they are."""

SIZES = ("1", "2-5", "6-20", "21-100", "100+")
"""The bands of ``users_band``, in their order."""

_FIRST_TWO = re.compile(r"\d+(?:\.\d+)?")

VALUES = """
    SELECT k, ARG_MAX(first, (at, arrived)) FILTER (WHERE first <> '') AS first,
      ARG_MAX(second, (at, arrived)) FILTER (WHERE second <> '') AS second
    FROM reported WHERE kind = 'beat' GROUP BY k"""


SPREAD = """
    SELECT people.environment, said.first, said.second, COUNT(*) AS n
    FROM (
      SELECT k, ARG_MAX({first}, b) FILTER (WHERE {first} <> '') AS first,
        ARG_MAX({second}, b) FILTER (WHERE {second} <> '') AS second
      FROM stretches WHERE beat AND b >= $since GROUP BY k) AS said
    JOIN people ON people.k = said.k LEFT JOIN extents ON extents.k = said.k
    WHERE NOT $established OR extents.days > 1
    GROUP BY people.environment, said.first, said.second"""


def names_of(asked: Asked) -> list[str]:
    """Return the one or two properties asked about. Raises InvalidQuery."""
    pair = asked.params.properties
    if isinstance(pair, list) and pair and all(isinstance(one, str) for one in pair):
        if len(pair) == 2:
            return list(pair)
        raise InvalidQuery(
            f"{pair!r} is not a pair.",
            hint="Name two properties.",
            attr="params.properties",
        )
    if asked.params.property:
        return [asked.params.property]
    raise InvalidQuery(
        "A distribution needs a property.",
        hint="Give one as 'property', such as platform.",
        attr="params.property",
    )


def values(asked: Asked) -> Statement:
    """Return the question for the latest values of the properties within the window."""
    first, second = _properties(asked)
    more = {"first": first, "second": second}
    return statement(VALUES, asked, since=asked.window_start, more=more)


def is_kept(asked: Asked) -> bool:
    """Return whether the store keeps what installations last said of the properties."""
    return _columns(asked).keys() >= set(_properties(asked))


def spread(asked: Asked) -> Statement:
    """Return the question for how many said what last within the window.

    Columns: environment, both values, how many.
    """
    columns = _columns(asked)
    first, second = (columns[name] for name in _properties(asked))
    template = SPREAD.format(first=first, second=second)
    return statement(template, asked, given={"since": asked.window_start})


def _columns(asked: Asked) -> dict[str, str]:
    return {name: column for column, name in dimensions(asked.settings).items()}


def _properties(asked: Asked) -> tuple[str, str]:
    """Return the two properties to read; where one is asked about, it twice."""
    first, *rest = (_property(name, asked) for name in names_of(asked))
    return first, rest[0] if rest else first


def _property(name: str, asked: Asked) -> str:
    """Return the property of which a dimension is derived."""
    settings = asked.settings
    return {
        "python_minor": settings.python_property,
        "platform_series": settings.platform_release_property,
        "utc_offset": settings.timezone_property,
    }.get(name, name)


def reader(name: str, asked: Asked) -> Callable[[str | None], str | None]:
    """Return how a dimension reads a text; None: it says nothing."""
    if name in {"python_minor", "platform_series"}:
        return first_two
    if name == "utc_offset":
        year = date_of(asked.as_of).year
        return lambda zone: offset(zone, year)
    return lambda text: text or None


def first_two(text: str | None) -> str | None:
    """Return the first two numbers of a version."""
    found = _FIRST_TWO.search(text or "")
    return None if found is None else found[0]


def offset(zone: str | None, year: int) -> str | None:
    """Return a zone's standard offset, so that summer time moves nobody."""
    if zone in PLAIN_UTC:
        return UTC_DEFAULT
    minutes = minutes_of(zone, year)
    if minutes is None:
        return None
    sign = "-" if minutes < 0 else "+"
    return f"UTC{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def minutes_of(zone: str | None, year: int) -> int | None:
    """Return the smaller of a zone's offsets in January and July; None: unreadable."""
    try:
        clock = ZoneInfo(zone or "")
    except (ValueError, OSError, KeyError):
        return None
    found = []
    for month in (1, 7):
        shift = datetime(year, month, 1, tzinfo=UTC).astimezone(clock).utcoffset()
        found.append(0 if shift is None else round(shift.total_seconds() / 60))
    return min(found)


def known(fleet: Fleet, names: list[str]) -> list[tuple[Installation, list[str | None]]]:
    """Return the active installations with their values; None: not known."""
    found = {one.key: row for one, row in fleet.rows("values")}
    readers = [reader(name, fleet.asked) for name in names]
    return [
        (
            one,
            [
                read(text)
                for read, text in zip(
                    readers, found.get(one.key, (None, None)), strict=False
                )
            ],
        )
        for one in fleet.active()
    ]


def _counted(fleet: Fleet, names: list[str]) -> Counter[tuple[str | None, ...]]:
    """Return how many active installations there are of each value, or pair."""
    if "spread" not in fleet.more:
        return Counter(tuple(row) for _, row in known(fleet, names))
    readers = [reader(name, fleet.asked) for name in names]
    found: Counter[tuple[str | None, ...]] = Counter()
    for environment, first, second, count in fleet.more["spread"]:
        if counts(environment, fleet.asked):
            texts = zip(readers, (first, second), strict=False)
            found[tuple(read(text) for read, text in texts)] += count
    return found


def distribution(fleet: Fleet) -> dict[str, Any]:
    """Count the active installations by value."""
    names = names_of(fleet.asked)
    if len(names) == 2:
        return _cross(fleet, names)
    found = _counted(fleet, names)
    counted = Counter({value: n for (value,), n in found.items() if value is not None})
    limit = fleet.asked.params.limit or VALUES_SHOWN
    most = sorted(counted, key=lambda value: (-counted[value], value))
    shown = _ordered(most[:limit], names[0], fleet.asked)
    total, readable = found.total(), counted.total()
    return {
        "total": total,
        "unknown": total - readable,
        "other": readable - sum(counted[value] for value in shown),
        "rows": [
            {
                "value": value,
                "count": counted[value],
                "share": share_of(counted[value], total),
                "share_of_known": share_of(counted[value], readable),
                "ci": wilson(counted[value], readable),
            }
            for value in shown
        ],
    }


def distribution_members(fleet: Fleet) -> Iterator[Member]:
    """Yield each active installation with its value, or both."""
    names = names_of(fleet.asked)
    for one, row in known(fleet, names):
        told: dict[str, Any] = dict(zip(names, row, strict=True))
        yield {"value": row[0], **told} if len(names) == 1 else told, one


def _ordered(shown: list[str], name: str, asked: Asked) -> list[str]:
    if name == "utc_offset":
        return sorted(shown, key=_by_offset)
    if name == asked.settings.size_property:
        rank = {band: place for place, band in enumerate(SIZES)}
        return sorted(shown, key=lambda band: rank.get(band, len(SIZES)))
    return shown


def _by_offset(value: str) -> tuple[bool, int]:
    if value == UTC_DEFAULT:
        return True, 0
    hours, minutes = value.removeprefix("UTC").split(":")
    return False, int(hours) * 60 + (-1 if hours[0] == "-" else 1) * int(minutes)


def _cross(fleet: Fleet, names: list[str]) -> dict[str, Any]:
    found = _counted(fleet, names)
    axes: list[list[str | None]] = []
    for place, name in enumerate(names):
        each: Counter[str] = Counter()
        for row, count in found.items():
            if (value := row[place]) is not None:
                each[value] += count
        most = sorted(each, key=lambda value: (-each[value], value))
        limit = fleet.asked.params.limit or VALUES_SHOWN
        axes.append([*_ordered(most[:limit], name, fleet.asked), None])
    rows, columns = axes
    inside = sum(found[a, b] for a in rows for b in columns)
    return {
        "total": found.total(),
        "properties": names,
        "rows": rows,
        "columns": columns,
        "cells": [[found[a, b] for b in columns] for a in rows],
        "other": found.total() - inside,
    }
