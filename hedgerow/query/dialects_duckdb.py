"""How DuckDB says what engines say differently; ``dialects.Dialect`` says what is meant."""

from collections.abc import Mapping

from sqlglot import exp

from hedgerow.query.expressions_functions import duckdb_call
from hedgerow.query.patterns import DAY, NUMBER, SEMVER, ZONED
from hedgerow.query.trees import Tree, call, case, moved, number_literal, text_literal


class DuckDb:
    """DuckDB 2."""

    name = "duckdb"
    most_places = 126

    def json_text(self, column: Tree, *path: str) -> Tree:
        """Return ``json_extract_string`` by JSON pointer."""
        steps = (step.replace("~", "~0").replace("/", "~1") for step in path)
        pointer = text_literal("".join(f"/{step}" for step in steps))
        return call("json_extract_string", column, pointer)

    def json_keys(self, column: Tree) -> Tree:
        """Return ``UNNEST(json_keys(…))``."""
        return call("unnest", call("json_keys", column))

    def number(self, text: Tree) -> Tree:
        """Return the text as DOUBLE where it looks like one; not ``1e999``, too large."""
        double = exp.TryCast(this=text.copy(), to=exp.DataType.build("double"))
        is_one = self.matches(text, text_literal(NUMBER))
        return case(exp.and_(is_one, call("isfinite", double.copy())), double)

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
        at = case(is_zoned, zoned, local)
        return case(known, call("timezone", utc, at))

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
        return moved(timestamp, seconds)

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

    def nullable(self, value: Tree) -> Tree:
        """Return the value: everything can be NULL."""
        return value

    def numbers_below(self, end: Tree) -> Tree:
        """Return ``UNNEST(range(end))``."""
        return call("unnest", call("range", end))

    def sorted_values(self, values: Tree) -> Tree:
        """Return ``list_sort`` of what differs."""
        each = exp.Distinct(expressions=[values])
        return call("list_sort", exp.ArrayAgg(this=each))

    def mask(self, place: Tree, condition: Tree, places: int) -> Tree:
        """Return ``bit_or`` of ones moved to their place."""
        kind = "bigint" if places < 64 else "hugeint"
        one, none = (exp.cast(number_literal(bit), kind) for bit in (1, 0))
        bit = exp.BitwiseLeftShift(this=one, expression=exp.cast(place, "int"))
        return call("bit_or", case(condition, bit, none))

    def has_place(self, mask: Tree, place: Tree) -> Tree:
        """Return whether the lowest bit is set once the mask is moved there."""
        moved_ = exp.BitwiseRightShift(this=mask, expression=exp.cast(place, "int"))
        bit = exp.BitwiseAnd(this=exp.paren(moved_), expression=number_literal(1))
        return exp.paren(bit).eq(number_literal(1))
