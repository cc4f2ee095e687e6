"""What can be told of a person or a group in a list.

Besides expressions there are whole things: ``person`` (or ``actor``), ``id``, and what the
figure's own insight says of each, such as ``event_count``.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlglot import exp

from hedgerow.insights.columns import Column, Whole, decoded, moment_text
from hedgerow.insights.listings import display_name
from hedgerow.insights.results import Behind
from hedgerow.query.dialects import Dialect
from hedgerow.query.group_source import Groups
from hedgerow.query.sources import Persons
from hedgerow.query.trees import Tree
from hedgerow.query.values import Values

Ids = Mapping[int, list[str]]
"""The distinct ids of the persons of a page, by their keys."""

PERIODS = ("hour", "day", "week", "month")
"""What the columns of retention may be called by."""

Shape = Callable[[Sequence[Any]], Any]


def rows_behind(behind: Behind, values: Values, dialect: Dialect) -> exp.Query:
    """Return the actors as a subquery: ``actor``, and ``place`` if they came in hand."""
    if behind.query is not None:
        return behind.query
    found = behind.found or ()
    actors = [row[0] for row in found] or _nobody(behind)
    places = list(range(len(found))) or [-1]
    lists: dict[str, Tree] = {"actor": values.bind(actors), "place": values.bind(places)}
    for place, name in enumerate(behind.columns, start=1):
        numbers = [row[place] for row in found]
        if numbers and all(isinstance(number, int) for number in numbers):
            lists[name] = values.bind(numbers)
    listed = dialect.listed(lists).subquery("l")
    some = exp.column("place") >= exp.Literal.number(0)
    return exp.select("*").from_(listed).where(some)


def _nobody(behind: Behind) -> list[int] | list[str]:
    return [-1] if behind.group_type_index is None else [""]


def person_wholes(persons: Persons, behind: Behind | None, ids: Ids) -> dict[str, Whole]:
    """Return the whole things that a list of persons can tell."""
    key = exp.column("actor", table="b") if behind is not None else persons.person_key()
    uuid = exp.cast(persons.column("uuid"), "text")
    columns = ("created_at", "is_identified", "properties")
    parts = (key, uuid, *(persons.column(one) for one in columns))

    def person(row: Sequence[Any]) -> dict[str, Any]:
        found, number, created_at, is_identified, properties = row
        known = ids.get(found, [])
        shown = number or (known[0] if known else str(found))
        return {
            "id": shown,
            "uuid": shown,
            "created_at": moment_text(created_at, persons.context),
            "distinct_ids": known,
            "properties": decoded(properties),
            "is_identified": bool(is_identified),
        }

    def display(row: Sequence[Any]) -> dict[str, Any]:
        told = person(row)
        project = persons.context.project
        name = display_name(told["properties"], told["distinct_ids"], project)
        first = told["distinct_ids"][0] if told["distinct_ids"] else None
        return {"display_name": name, "id": told["id"], "distinct_id": first}

    wholes: dict[str, Whole] = {
        **dict.fromkeys(("person", "actor"), _whole(parts, person, "Tuple")),
        "id": _whole(parts, lambda row: person(row)["id"], "UUID"),
        "distinct_ids": _whole(
            parts, lambda row: person(row)["distinct_ids"], "Array(String)"
        ),
        "person_display_name": _whole(parts, display, "Tuple"),
    }
    return wholes | _always() | _told_by(behind)


def group_wholes(groups: Groups, behind: Behind) -> dict[str, Whole]:
    """Return the whole things that a list of groups can tell."""
    key = exp.column("actor", table="b")
    parts = (key, groups.column("created_at"), groups.column("properties"))

    def group(row: Sequence[Any]) -> dict[str, Any]:
        found, created_at, properties = row
        return {
            "id": found,
            "type": "group",
            "group_type": groups.type,
            "group_type_index": behind.group_type_index,
            "created_at": moment_text(created_at, groups.context),
            "properties": decoded(properties),
        }

    wholes: dict[str, Whole] = {
        **dict.fromkeys(("group", "actor", "person"), _whole(parts, group, "Tuple")),
        "id": _whole((key,), lambda row: row[0], "String"),
    }
    return wholes | _always() | _told_by(behind)


def _whole(parts: tuple[Tree, ...], shape: Shape, type_: str) -> Whole:
    return lambda: Column(text="", name="", parts=parts, shape=shape, type=type_)


def _always() -> dict[str, Whole]:
    """Return what is the same for everyone, for the sake of old clients."""
    return {
        "person.$delete": _whole((exp.null(),), lambda _: None, "Nullable(Nothing)"),
        "matched_recordings": _whole((exp.null(),), lambda _: [], "Array(String)"),
    }


def _told_by(behind: Behind | None) -> dict[str, Whole]:
    """Return what the figure's insight says of each actor."""
    wholes: dict[str, Whole] = {}
    for place, name in enumerate(behind.columns if behind else (), start=1):
        if behind is None or behind.found is None:
            part = exp.column(name, table="b")
            wholes[name] = _whole((part,), lambda row: row[0], "Nullable(Float64)")
        else:
            wholes[name] = _in_hand(behind.found, place)
        if name == "appearances":
            columns = ((period, n) for period in PERIODS for n in range(400))
            wholes |= {f"{period}_{n}": _appeared(n) for period, n in columns}
    return wholes


def _in_hand(found: Sequence[tuple[Any, ...]], place: int) -> Whole:
    at = exp.column("place", table="b")
    return _whole((at,), lambda row: found[row[0]][place], "Nullable(Float64)")


def _appeared(column: int) -> Whole:
    part = exp.column("appearances", table="b")
    return _whole((part,), lambda row: int(column in row[0]), "UInt8")
