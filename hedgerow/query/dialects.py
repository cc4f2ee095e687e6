"""The expressions that differ between engines.

Everything else is one sqlglot tree for all of them. A builder asks ``dialect_of(context)``
and never names an engine. ``Dialect`` says what an engine must be able to say; DuckDB does
in ``dialects_duckdb``, ClickHouse in ``dialects_clickhouse``. A new engine is a new class
beside them.

Local time is not asked of the engine where it can be helped: within a bounded range the
offset of a zone changes at a few instants known beforehand (``query.buckets``), and adding
an offset is several times cheaper than converting every row.
"""

from collections.abc import Mapping
from typing import Protocol

from sqlglot import exp

from hedgerow.model.projects import QueryContext
from hedgerow.query.dialects_clickhouse import ClickHouse
from hedgerow.query.dialects_duckdb import DuckDb
from hedgerow.query.trees import Tree


class Dialect(Protocol):
    """What an engine must be able to say."""

    name: str
    """The name by which sqlglot knows it."""

    most_places: int
    """How many places, from 0 on, a ``mask`` has."""

    def json_text(self, column: Tree, *path: str) -> Tree:
        """Return the value at a path of a JSON column as text.

        NULL where the key is missing or the value is null; numbers as written; objects
        and lists as their JSON.
        """
        ...

    def json_keys(self, column: Tree) -> Tree:
        """Return the keys of a JSON object, a row for each."""
        ...

    def number(self, text: Tree) -> Tree:
        """Return a text as a double; NULL where it reads as no number."""
        ...

    def text(self, value: Tree) -> Tree:
        """Return any value as text; doubles in their shortest form (``10``, not ``10.0``)."""
        ...

    def matches(self, text: Tree, pattern: Tree) -> Tree:
        """Return whether an RE2 pattern is found anywhere in a text, minding case."""
        ...

    def contains(self, text: Tree, part: Tree) -> Tree:
        """Return whether a text holds another, ignoring case; nothing is a wildcard."""
        ...

    def replace_pattern(self, text: Tree, pattern: str, by: str) -> Tree:
        """Return a text with every match of a constant pattern replaced."""
        ...

    def version(self, text: Tree) -> Tree:
        """Return ``[major, minor, patch]``, comparable, of a text that ``SEMVER`` matches."""
        ...

    def instant(self, text: Tree, zone: str) -> Tree:
        """Return a text as a UTC time; NULL where unreadable; without zone it is local."""
        ...

    def local_time(self, timestamp: Tree, zone: str) -> Tree:
        """Return a UTC time as the wall clock of a zone, row by row."""
        ...

    def utc_time(self, local: Tree, zone: str) -> Tree:
        """Return a wall-clock time of a zone as UTC, row by row."""
        ...

    def function(self, name: str, arguments: list[Tree]) -> Tree:
        """Return a function of HogQL's table (``expressions_functions``)."""
        ...

    def listed(self, lists: Mapping[str, Tree]) -> exp.Select:
        """Return lists of the same length as columns, row by row."""
        ...

    def later(self, timestamp: Tree, seconds: int) -> Tree:
        """Return a time some seconds later (or earlier, if negative)."""
        ...

    def microseconds(self, timestamp: Tree) -> Tree:
        """Return a time as microseconds since 1970."""
        ...

    def day_number(self, local: Tree) -> Tree:
        """Return a wall-clock time as days since 1970-01-01."""
        ...

    def month_number(self, local: Tree) -> Tree:
        """Return a wall-clock time as months since the year 0."""
        ...

    def whole(self, number: Tree, divisor: int) -> Tree:
        """Return the whole part of an integer that is not negative, divided."""
        ...

    def quantile(self, number: Tree, share: float) -> Tree:
        """Return an exact quantile, interpolated linearly at position (n-1) * share."""
        ...

    def mask(self, place: Tree, condition: Tree, places: int) -> Tree:
        """Return an aggregate: a number whose bit ``place`` is set where a row fulfils it.

        There are so many ``places``, at most ``most_places``; fewer are cheaper.
        """
        ...

    def has_place(self, mask: Tree, place: Tree) -> Tree:
        """Return whether a mask's bit is set."""
        ...

    def nullable(self, value: Tree) -> Tree:
        """Return the value as one of a kind that can be NULL.

        Needed below LAG and LEAD: where there is no neighbour, they shall say NULL.
        """
        ...

    def numbers_below(self, end: Tree) -> Tree:
        """Return 0, 1, … below ``end``, a row for each."""
        ...

    def sorted_values(self, values: Tree) -> Tree:
        """Return the different values of a group as a sorted list."""
        ...


DUCKDB = DuckDb()
CLICKHOUSE = ClickHouse()
_BY_NAME: dict[str, Dialect] = {one.name: one for one in (DUCKDB, CLICKHOUSE)}


def dialect_of(context: QueryContext) -> Dialect:
    """Return how to write for the engine that will answer."""
    return _BY_NAME[context.engine]
