"""The expressions that differ between engines.

Everything else is one sqlglot tree for all of them. A builder asks ``dialect_of(context)``
and never names an engine; a new engine is a new class here.

Local time is not asked of the engine where it can be helped: within a bounded range the
offset of a zone changes at a few instants known beforehand (``query.buckets``), and adding
an offset is several times cheaper than converting every row.
"""

import re
from collections.abc import Mapping
from typing import Protocol

from sqlglot import exp

from hedgerow.model.projects import QueryContext
from hedgerow.query.expressions_functions import clickhouse_call, duckdb_call
from hedgerow.query.trees import Tree, call, number_literal, text_literal

__all__ = ["Dialect", "Tree", "call", "dialect_of", "number_literal", "text_literal"]

NUMBER = r"^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*$"
"""What reads as a number: no ``nan``, no ``inf``, no ``1_000``."""

SEMVER = r"^\s*v?([0-9]{1,18})\.([0-9]{1,18})\.([0-9]{1,18})(?:[-+].*)?\s*$"
ZONED = r"([Zz]|[+-][0-9]{2}:?[0-9]{2})\s*$"
DAY = r"^\s*[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"


class Dialect(Protocol):
    """What an engine must be able to say."""

    name: str
    """The name by which sqlglot knows it."""

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


def _seconds(seconds: int) -> exp.Interval:
    return exp.Interval(this=exp.Literal.string(str(seconds)), unit=exp.var("SECOND"))


def _later(timestamp: Tree, seconds: int) -> Tree:
    if seconds == 0:
        return timestamp
    node = exp.Add if seconds > 0 else exp.Sub
    return exp.paren(node(this=timestamp, expression=_seconds(abs(seconds))))


def _case(condition: Tree, value: Tree, otherwise: Tree | None = None) -> exp.Case:
    return exp.Case(ifs=[exp.If(this=condition, true=value)], default=otherwise)


class DuckDb:
    """DuckDB 2."""

    name = "duckdb"

    def json_text(self, column: Tree, *path: str) -> Tree:
        """Return ``json_extract_string`` by JSON pointer."""
        steps = (step.replace("~", "~0").replace("/", "~1") for step in path)
        pointer = text_literal("".join(f"/{step}" for step in steps))
        return call("json_extract_string", column, pointer)

    def json_keys(self, column: Tree) -> Tree:
        """Return ``UNNEST(json_keys(…))``."""
        return call("unnest", call("json_keys", column))

    def number(self, text: Tree) -> Tree:
        """Return the text as DOUBLE where it looks like one."""
        double = exp.TryCast(this=text.copy(), to=exp.DataType.build("double"))
        return _case(self.matches(text, text_literal(NUMBER)), double)

    def text(self, value: Tree) -> Tree:
        """Return VARCHAR without a trailing ``.0``."""
        plain = exp.cast(value, "text")
        return call(
            "regexp_replace", plain, text_literal(r"^(-?[0-9]+)\.0$"), text_literal(r"\1")
        )

    def matches(self, text: Tree, pattern: Tree) -> Tree:
        """Return ``regexp_matches``."""
        return call("regexp_matches", text, pattern)

    def contains(self, text: Tree, part: Tree) -> Tree:
        """Return ``contains`` on lower-case texts."""
        return call("contains", call("lower", text), call("lower", part))

    def replace_pattern(self, text: Tree, pattern: str, by: str) -> Tree:
        """Return ``regexp_replace`` of every match."""
        return call(
            "regexp_replace",
            text,
            text_literal(pattern),
            text_literal(by),
            text_literal("g"),
        )

    def version(self, text: Tree) -> Tree:
        """Return a list of three integers: lists compare element by element."""
        parts: list[Tree] = [
            exp.TryCast(
                this=call(
                    "regexp_extract",
                    text.copy(),
                    text_literal(SEMVER),
                    number_literal(part),
                ),
                to=exp.DataType.build("bigint"),
            )
            for part in (1, 2, 3)
        ]
        return exp.Array(expressions=parts)

    def instant(self, text: Tree, zone: str) -> Tree:
        """Return TIMESTAMP; the offset in the text counts, else the zone's."""
        zoned = exp.TryCast(this=text.copy(), to=exp.DataType.build("timestamptz"))
        plain = exp.TryCast(this=text.copy(), to=exp.DataType.build("timestamp"))
        utc = text_literal("UTC")
        is_zoned = self.matches(text.copy(), text_literal(ZONED))
        known = self.matches(text.copy(), text_literal(DAY))
        local = call("timezone", text_literal(zone), plain)
        at = _case(is_zoned, zoned, local)
        return _case(known, call("timezone", utc, at))

    def local_time(self, timestamp: Tree, zone: str) -> Tree:
        """Return TIMESTAMP of the wall clock."""
        if zone == "UTC":
            return timestamp
        instant = call("timezone", text_literal("UTC"), timestamp)
        return call("timezone", text_literal(zone), instant)

    def utc_time(self, local: Tree, zone: str) -> Tree:
        """Return TIMESTAMP in UTC."""
        clock = exp.cast(local, "timestamp")
        if zone == "UTC":
            return clock
        return call(
            "timezone", text_literal("UTC"), call("timezone", text_literal(zone), clock)
        )

    def function(self, name: str, arguments: list[Tree]) -> Tree:
        """Return the template of the table, filled."""
        return duckdb_call(name, arguments)

    def listed(self, lists: Mapping[str, Tree]) -> exp.Select:
        """Return ``UNNEST`` of each, which go side by side."""
        columns = (exp.alias_(call("unnest", one), name) for name, one in lists.items())
        return exp.select(*columns)

    def later(self, timestamp: Tree, seconds: int) -> Tree:
        """Return the sum with an interval."""
        return _later(timestamp, seconds)

    def microseconds(self, timestamp: Tree) -> Tree:
        """Return ``epoch_us``."""
        return call("epoch_us", timestamp)

    def day_number(self, local: Tree) -> Tree:
        """Return the difference of two dates."""
        day = exp.cast(local, "date")
        return exp.paren(day - exp.cast(text_literal("1970-01-01"), "date"))

    def month_number(self, local: Tree) -> Tree:
        """Return year times twelve and month."""
        years = call("year", local) * number_literal(12)
        return exp.paren(years + call("month", local.copy()) - number_literal(1))

    def whole(self, number: Tree, divisor: int) -> Tree:
        """Return ``//``."""
        return exp.IntDiv(this=exp.paren(number), expression=number_literal(divisor))

    def quantile(self, number: Tree, share: float) -> Tree:
        """Return ``quantile_cont``."""
        return call("quantile_cont", number, number_literal(share))


class ClickHouse:
    """ClickHouse 25 and later; also as chDB."""

    name = "clickhouse"

    def json_text(self, column: Tree, *path: str) -> Tree:
        """Return the value by its JSON type, since JSONExtractString knows texts only."""
        keys = [text_literal(step) for step in path]
        kind = call("JSONType", column.copy(), *keys)
        raw = call("JSONExtractRaw", column.copy(), *keys)
        text = call("JSONExtractString", column.copy(), *keys)
        is_text = kind.eq(text_literal("String"))
        is_null = kind.copy().isin(text_literal("Null"))
        return call("multiIf", is_text, text, is_null, exp.null(), raw)

    def json_keys(self, column: Tree) -> Tree:
        """Return ``arrayJoin(JSONExtractKeys(…))``."""
        return call("arrayJoin", call("JSONExtractKeys", column))

    def number(self, text: Tree) -> Tree:
        """Return Nullable(Float64) where it looks like one."""
        trimmed = call("trimBoth", text.copy())
        double = call("toFloat64OrNull", trimmed)
        return _case(self.matches(text, text_literal(NUMBER)), double)

    def text(self, value: Tree) -> Tree:
        """Return ``toString``, which is the shortest form already."""
        return call("toString", value)

    def matches(self, text: Tree, pattern: Tree) -> Tree:
        """Return ``match``."""
        return call("match", text, pattern)

    def contains(self, text: Tree, part: Tree) -> Tree:
        """Return whether the position of one lower-case text in another is not 0."""
        found = call("position", call("lowerUTF8", text), call("lowerUTF8", part))
        return exp.GT(this=found, expression=number_literal(0))

    def replace_pattern(self, text: Tree, pattern: str, by: str) -> Tree:
        """Return ``replaceRegexpAll``."""
        return call("replaceRegexpAll", text, text_literal(pattern), text_literal(by))

    def version(self, text: Tree) -> Tree:
        """Return an array of three integers: arrays compare element by element."""
        groups = call(
            "extractGroups", call("ifNull", text, text_literal("")), text_literal(SEMVER)
        )
        return call("arrayMap", _parsed(), groups)

    def instant(self, text: Tree, zone: str) -> Tree:
        """Return ``parseDateTime64BestEffortOrNull`` in UTC."""
        known = self.matches(text.copy(), text_literal(DAY))
        parsed = call(
            "parseDateTime64BestEffortOrNull", text, number_literal(6), text_literal(zone)
        )
        return _case(known, call("toTimeZone", parsed, text_literal("UTC")))

    def local_time(self, timestamp: Tree, zone: str) -> Tree:
        """Return a time shown in the zone: parts and truncation follow it."""
        return call("toTimeZone", timestamp, text_literal(zone))

    def utc_time(self, local: Tree, zone: str) -> Tree:
        """Return the same instant shown in UTC."""
        text = call("toString", local)
        parsed = call(
            "parseDateTime64BestEffort", text, number_literal(6), text_literal(zone)
        )
        return call("toTimeZone", parsed, text_literal("UTC"))

    def function(self, name: str, arguments: list[Tree]) -> Tree:
        """Return the function itself: the table's names are ClickHouse's."""
        return clickhouse_call(name, arguments)

    def listed(self, lists: Mapping[str, Tree]) -> exp.Select:
        """Return the parts of the zipped lists."""
        rows = exp.alias_(call("arrayJoin", call("arrayZip", *lists.values())), "row")
        columns = (
            exp.alias_(
                call("tupleElement", exp.column("row"), number_literal(place + 1)), name
            )
            for place, name in enumerate(lists)
        )
        return exp.select(*columns).from_(exp.select(rows).subquery("z"))

    def later(self, timestamp: Tree, seconds: int) -> Tree:
        """Return the sum with an interval."""
        return _later(timestamp, seconds)

    def microseconds(self, timestamp: Tree) -> Tree:
        """Return ``toUnixTimestamp64Micro``."""
        return call("toUnixTimestamp64Micro", timestamp)

    def day_number(self, local: Tree) -> Tree:
        """Return a Date32 as a number."""
        return call("toInt64", call("toDate32", local))

    def month_number(self, local: Tree) -> Tree:
        """Return year times twelve and month."""
        years = call("toYear", local) * number_literal(12)
        return exp.paren(years + call("toMonth", local.copy()) - number_literal(1))

    def whole(self, number: Tree, divisor: int) -> Tree:
        """Return ``intDiv``."""
        return call("intDiv", number, number_literal(divisor))

    def quantile(self, number: Tree, share: float) -> Tree:
        """Return ``quantileExactInclusive``, whose share is a parameter."""
        return exp.ParameterizedAgg(
            this="quantileExactInclusive",
            expressions=[number_literal(share)],
            params=[number],
        )


def _parsed() -> exp.Lambda:
    part = exp.to_identifier("part")
    return exp.Lambda(this=call("toInt64OrZero", exp.column("part")), expressions=[part])


DUCKDB = DuckDb()
CLICKHOUSE = ClickHouse()
_BY_NAME: dict[str, Dialect] = {one.name: one for one in (DUCKDB, CLICKHOUSE)}


def dialect_of(context: QueryContext) -> Dialect:
    """Return how to write for the engine that will answer."""
    return _BY_NAME[context.engine]


def is_plain(key: str) -> bool:
    """Return whether a name needs no quotes in SQL."""
    return re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", key) is not None
