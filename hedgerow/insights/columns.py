"""Columns of a listing: what ``select`` and ``orderBy`` mean for events and persons.

A column is either an expression (``properties.plan``, ``count()``) or one of a few whole
things (``*``, ``person``) that are read in parts and put together here. With an aggregate
among them, the others are what is grouped by.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.model.projects import QueryContext
from hedgerow.query import expressions
from hedgerow.query.buckets import iso
from hedgerow.query.sources import Source
from hedgerow.query.trees import Tree, number_literal

MOST_ROWS = 50_000
TYPES = {
    "text": "Nullable(String)",
    "number": "Nullable(Float64)",
    "bool": "Nullable(Bool)",
    "instant": "DateTime64(6, 'UTC')",
    "time": "DateTime",
    "date": "Date",
}
"""ClickHouse's names for what an expression can be."""

_LABEL = re.compile(r"\s+--\s+(?P<label>.*)$", re.DOTALL)
_ORDER = re.compile(
    r"^(?P<what>.*?)(?:\s+(?P<way>ASC|DESC))?\s*$", re.DOTALL | re.IGNORECASE
)


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column of an answer."""

    text: str
    """As asked for, without its label."""

    name: str
    """As told."""

    parts: tuple[Tree, ...]
    """What is read of a row."""

    shape: Callable[[Sequence[Any]], Any]
    """The parts of a row → the value told."""

    type: str = "Nullable(String)"
    aggregated: bool = False


Whole = Callable[[], Column]
"""Makes one of the whole things, noting what must be joined for it."""


def columns_of(
    select: Sequence[str], source: Source, wholes: Mapping[str, Whole]
) -> list[Column]:
    """Return the columns of ``select``. Raises InvalidQuery."""
    return [
        _column(one, f"select[{place}]", source, wholes) for place, one in enumerate(select)
    ]


def _column(asked: str, path: str, source: Source, wholes: Mapping[str, Whole]) -> Column:
    label = _LABEL.search(asked)
    text = _LABEL.sub("", asked).strip()
    name = label["label"].strip() if label else text
    if text in wholes:
        return msgspec.structs.replace(
            wholes[text](), text=text, name=asked if label else text
        )
    try:
        found = expressions.column(text, source)
    except InvalidQuery as error:
        raise InvalidQuery(error.what, hint=error.hint, attr=path) from error
    zone = ZoneInfo(source.context.project.timezone)
    return Column(
        text=text,
        name=name,
        parts=(found.tree,),
        shape=lambda parts: plain(parts[0], zone, local=found.kind == "time"),
        type=TYPES.get(found.kind, "Nullable(String)"),
        aggregated=expressions.is_aggregated(text),
    )


def order_of(asked: Sequence[str], columns: Sequence[Column], source: Source) -> list[Tree]:
    """Return the keys of ``orderBy``. Raises InvalidQuery."""
    return [
        _key(one, f"orderBy[{place}]", columns, source) for place, one in enumerate(asked)
    ]


def _key(asked: str, path: str, columns: Sequence[Column], source: Source) -> Tree:
    match = _ORDER.match(asked)
    text = match["what"].strip() if match else asked
    descending = match is not None and (match["way"] or "").upper() == "DESC"
    known = next((one for one in columns if text in {one.text, one.name}), None)
    if known is not None:
        return ordered(known.parts[0].copy(), descending=descending)
    try:
        return ordered(expressions.column(text, source).tree, descending=descending)
    except InvalidQuery as error:
        raise InvalidQuery(error.what, hint=error.hint, attr=path) from error


def ordered(tree: Tree, *, descending: bool) -> Tree:
    """Return an order key; what is missing comes last."""
    return exp.Ordered(this=tree, desc=descending, nulls_first=False)


def usual_order(columns: Sequence[Column], newest: str) -> list[Tree]:
    """Return the order if none is asked for (§6): largest, newest, or the first column."""
    counted = [one for one in columns if one.text.replace(" ", "") == "count()"]
    aggregated = counted or [one for one in columns if one.aggregated]
    if aggregated:
        return [ordered(aggregated[0].parts[0].copy(), descending=True)]
    timed = [one for one in columns if one.text == newest]
    if timed:
        return [ordered(timed[0].parts[0].copy(), descending=True)]
    told = [one for one in columns if not isinstance(one.parts[0], exp.Null)]
    return [ordered(told[0].parts[0].copy(), descending=False)] if told else []


def grouped(query: exp.Select, columns: Sequence[Column]) -> exp.Select:
    """Group by the columns that sum nothing up, if any does."""
    if not any(one.aggregated for one in columns):
        return query
    keys, place = [], 1
    for one in columns:
        if not one.aggregated:
            keys += [number_literal(place + part) for part in range(len(one.parts))]
        place += len(one.parts)
    return query.group_by(*keys) if keys else query


def trees(columns: Sequence[Column]) -> list[Tree]:
    """Return all parts of all columns, each under a name of its own."""
    parts = [part for one in columns for part in one.parts]
    return [exp.alias_(part.copy(), f"c{place}") for place, part in enumerate(parts)]


def told(row: Sequence[Any], columns: Sequence[Column]) -> list[Any]:
    """Return a row of the answer from a row read."""
    found, place = [], 0
    for one in columns:
        found.append(one.shape(row[place : place + len(one.parts)]))
        place += len(one.parts)
    return found


def plain(value: Any, zone: ZoneInfo, *, local: bool = False) -> Any:
    """Return a value of the engine's as JSON has it; times with the project's offset."""
    if isinstance(value, datetime):
        if local:
            return iso(value.replace(tzinfo=zone))
        return iso(value.replace(tzinfo=UTC).astimezone(zone))
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None  # noqa: PLR0124 - finds NaN
    return value if isinstance(value, int | str | bool | list | None) else str(value)


def decoded(properties: str | None) -> dict[str, Any]:
    """Return properties from their JSON, long integers with all their digits."""
    return dict(json.loads(properties)) if properties else {}


def page(limit: int | None, offset: int | None) -> tuple[int, int]:
    """Return limit and offset of a listing. Raises InvalidQuery."""
    size, start = 100 if limit is None else limit, offset or 0
    if not 0 <= size <= MOST_ROWS:
        raise InvalidQuery(
            f"{size} rows cannot be listed at once.",
            hint=f"Ask for 0 to {MOST_ROWS:,}.",
            attr="limit",
        )
    if start < 0:
        raise InvalidQuery(
            f"{start} rows cannot be left out.", hint="Use 0 or more.", attr="offset"
        )
    return size, start


def moment_text(at: datetime | None, context: QueryContext) -> str | None:
    """Return a time of the events database as answers write it."""
    zone = ZoneInfo(context.project.timezone)
    return None if at is None else str(plain(at, zone))
