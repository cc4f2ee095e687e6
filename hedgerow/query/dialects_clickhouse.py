"""How ClickHouse says what engines say differently; ``dialects.Dialect`` says what is meant."""

from collections.abc import Mapping
from typing import ClassVar

from sqlglot import exp

from hedgerow.query.expressions_functions import clickhouse_call
from hedgerow.query.patterns import DAY, NUMBER, SEMVER
from hedgerow.query.trees import Tree, call, case, moved, number_literal, text_literal


class ClickHouse:
    """ClickHouse 25 and later; also as chDB."""

    name = "clickhouse"
    most_places = 63
    settings: ClassVar[Mapping[str, str]] = {
        "join_use_nulls": "1",
        "aggregate_functions_null_for_empty": "1",
        "cast_keep_nullable": "1",
        "prefer_column_name_to_alias": "1",
        "session_timezone": "UTC",
    }
    """What a session must have set, so that NULL and time mean what they mean elsewhere."""

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
        """Return Nullable(Float64) where it looks like one; not ``1e999``, too large."""
        trimmed = call("trimBoth", text.copy())
        double = call("toFloat64OrNull", trimmed)
        is_one = self.matches(text, text_literal(NUMBER))
        return case(exp.and_(is_one, call("isFinite", double.copy())), double)

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
        return case(known, call("toTimeZone", parsed, text_literal("UTC")))

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
        return moved(timestamp, seconds)

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

    def nullable(self, value: Tree) -> Tree:
        """Return ``toNullable``: other kinds have a default in place of NULL."""
        return call("toNullable", value)

    def numbers_below(self, end: Tree) -> Tree:
        """Return ``arrayJoin(range(end))``."""
        return call("arrayJoin", call("range", end))

    def sorted_values(self, values: Tree) -> Tree:
        """Return ``arraySort(groupUniqArray(…))``."""
        return call("arraySort", call("groupUniqArray", values))

    def mask(
        self,
        place: Tree,
        condition: Tree,
        places: int,  # noqa: ARG002 - one width for all
    ) -> Tree:
        """Return ``groupBitOr`` of ones moved to their place."""
        bit = call("bitShiftLeft", call("toInt64", number_literal(1)), place)
        return call("groupBitOr", case(condition, bit, call("toInt64", number_literal(0))))

    def has_place(self, mask: Tree, place: Tree) -> Tree:
        """Return ``bitTest``."""
        return call("bitTest", mask, place).eq(number_literal(1))


def _parsed() -> exp.Lambda:
    part = exp.to_identifier("part")
    return exp.Lambda(this=call("toInt64OrZero", exp.column("part")), expressions=[part])
