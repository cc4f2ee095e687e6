"""Functions of time that need more than a template: units, intervals, zones, formats.

A day, a week, a month is one of the project's calendar, so time is moved by such on the
wall clock; hours and less are moved as instants.
"""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.query.expressions_functions import filled
from hedgerow.query.expressions_translation import Translation, Typed, shown
from hedgerow.query.trees import Tree, call, text_literal

UNITS = ("second", "minute", "hour", "day", "week", "month", "quarter", "year")
_SHORT = {"s": "second", "ss": "second", "mi": "minute", "n": "minute", "hh": "hour",
          "h": "hour", "d": "day", "dd": "day", "wk": "week", "ww": "week", "m": "month",
          "mm": "month", "q": "quarter", "qq": "quarter", "yy": "year", "yyyy": "year"}  # fmt: skip
_FORMATS = {"i": "%M", "M": "%B", "s": "%S", "T": "%H:%M:%S", "F": "%Y-%m-%d", "R": "%H:%M",
            "D": "%m/%d/%y", "h": "%I", "W": "%A", "r": "%I:%M %p", "f": "%f", "e": "%-d",
            "k": "%-H", "l": "%-I", "c": "%-m", "n": "\n", "t": "\t"}  # fmt: skip
"""What ClickHouse writes otherwise than ``strftime``."""

_SAME = frozenset("YymdHSpabjuVGwI%CzB")


class Interval:
    """A number of units: ``INTERVAL 7 DAY``, ``toIntervalDay(n)``."""

    def __init__(self, unit: str, amount: Tree) -> None:
        self.unit, self.amount = unit, amount

    def tree(self) -> Tree:
        """Return the engine's interval."""
        number, unit = self.amount, self.unit
        if unit == "quarter":
            number, unit = exp.paren(exp.Mul(this=number, expression=_number(3))), "month"
        whole = exp.cast(
            number, "bigint" if unit in {"second", "minute", "hour"} else "int"
        )
        return call(f"to_{unit}s", whole)

    @property
    def of_calendar(self) -> bool:
        """Whether it is as long as the calendar says."""
        return self.unit not in {"second", "minute", "hour"}


def _number(number: int) -> Tree:
    return exp.Literal.number(number)


def unit_of(node: Any, name: str) -> str:
    """Return a constant unit. Raises InvalidQuery."""
    text = node.name.lower() if isinstance(node, exp.Literal | exp.Column | exp.Var) else ""
    text = _SHORT.get(text, text.removesuffix("s"))
    if text not in UNITS:
        raise InvalidQuery(
            f"{name}: {shown(node)} is no unit of time.",
            hint=f"Use one of {', '.join(UNITS)}.",
        )
    return text


def interval(translation: Translation, node: Any) -> Interval | None:
    """Return a node as an interval; None where it is none."""
    if isinstance(node, exp.Paren):
        return interval(translation, node.this)
    if isinstance(node, exp.Interval):
        amount, unit = node.this, node.args.get("unit")
        text = amount.name if isinstance(amount, exp.Literal) and amount.is_string else ""
        if unit is None and len(parts := text.split()) == 2:
            return Interval(unit_of(exp.var(parts[1]), "INTERVAL"), _whole(parts[0], node))
        if unit is None:
            raise _no_interval(node)
        found = _whole(text, node) if text else translation.kind_of(amount, "number")
        return Interval(unit_of(unit, "INTERVAL"), found)
    if isinstance(node, exp.Anonymous) and node.name.startswith("toInterval"):
        unit = unit_of(exp.var(node.name.removeprefix("toInterval")), node.name)
        if len(node.expressions) != 1:
            raise _no_interval(node)
        return Interval(unit, translation.kind_of(node.expressions[0], "number"))
    return None


def _whole(text: str, node: Any) -> Tree:
    digits = text.removeprefix("-")
    if not digits.isdigit() or len(digits) > 9:
        raise _no_interval(node)
    number = _number(int(digits))
    return exp.Neg(this=number) if text.startswith("-") else number


def _no_interval(node: Any) -> InvalidQuery:
    return InvalidQuery(f"{shown(node)} is not an interval.", hint="Write INTERVAL 7 DAY.")


def shifted(translation: Translation, at: Typed, by: Interval, sign: int) -> Typed:
    """Return a time later or earlier by an interval."""
    kind = at.kind if at.kind.startswith(("time", "date", "instant")) else "instant"
    node = exp.Add if sign > 0 else exp.Sub
    if kind == "instant" and by.of_calendar:
        local = translation.converted(at, "time")
        moved = exp.paren(node(this=exp.cast(local, "timestamp"), expression=by.tree()))
        return Typed(translation.converted(Typed(moved, "time"), "instant"), "instant")
    tree = exp.paren(node(this=translation.converted(at, kind), expression=by.tree()))
    if kind == "date" and by.of_calendar:
        return Typed(exp.cast(tree, "date"), "date")
    return Typed(tree, "time" if kind == "date" else kind)


def between(translation: Translation, later: Typed, earlier: Typed) -> Typed:
    """Return one time minus another: days for dates, else seconds."""
    unit = "day" if {later.kind, earlier.kind} == {"date"} else "second"
    kind = "instant" if "instant" in {later.kind, earlier.kind} else "time"
    ends = [translation.converted(one, kind) for one in (earlier, later)]
    return Typed(call("date_diff", text_literal(unit), *ends), "number")


def _date_diff(translation: Translation, nodes: list[Any]) -> Typed:
    unit = unit_of(nodes[0], "dateDiff")
    ends = [exp.cast(translation.kind_of(one, "time"), "timestamp") for one in nodes[1:3]]
    return Typed(call("date_diff", text_literal(unit), *ends), "number")


def _moving(sign: int) -> Callable[[Translation, list[Any]], Typed]:
    def moved(translation: Translation, nodes: list[Any]) -> Typed:
        if len(nodes) == 3:
            unit = unit_of(nodes[0], "dateAdd")
            by: Interval | None = Interval(unit, translation.kind_of(nodes[1], "number"))
            at = nodes[2]
        else:
            at, by = nodes[0], interval(translation, nodes[1])
            if by is None:
                at, by = nodes[1], interval(translation, nodes[0])
        if by is None:
            raise _no_interval(nodes[1])
        return shifted(translation, translation.typed(at), by, sign)

    return moved


def _moving_by(unit: str, sign: int) -> Callable[[Translation, list[Any]], Typed]:
    def moved(translation: Translation, nodes: list[Any]) -> Typed:
        by = Interval(unit, translation.kind_of(nodes[1], "number"))
        return shifted(translation, translation.typed(nodes[0]), by, sign)

    return moved


def _truncated(translation: Translation, nodes: list[Any]) -> Typed:
    unit = unit_of(nodes[0], "dateTrunc")
    at = translation.typed(nodes[1])
    tree = call("date_trunc", text_literal(unit), translation.converted(at, "time"))
    if unit in {"week", "month", "quarter", "year"}:
        return Typed(exp.cast(tree, "date"), "date")
    return Typed(exp.cast(tree, "timestamp"), _clock(at))


def _clock(at: Typed) -> str:
    """Return the kind of a wall-clock time made of another time."""
    return at.kind if at.kind.startswith("time@") else "time"


def _start_of_interval(translation: Translation, nodes: list[Any]) -> Typed:
    by = interval(translation, nodes[1])
    if by is None:
        raise _no_interval(nodes[1])
    at = translation.typed(nodes[0])
    clock = exp.cast(translation.converted(at, "time"), "timestamp")
    tree = call("time_bucket", by.tree(), clock)
    if by.of_calendar and by.unit != "day":
        return Typed(exp.cast(tree, "date"), "date")
    return Typed(tree, _clock(at))


def _start_of_week(translation: Translation, nodes: list[Any]) -> Typed:
    """Return the first day of the week; without a mode as the project counts weeks."""
    monday = translation.source.context.project.week_start_day == 1
    if len(nodes) > 1:
        mode = nodes[1].name if isinstance(nodes[1], exp.Literal) else ""
        if not mode.isdigit() or int(mode) > 9:
            raise InvalidQuery(
                f"toStartOfWeek: {shown(nodes[1])} is no mode.",
                hint="0: Sunday, 1: Monday.",
            )
        monday = int(mode) % 2 == 1
    at = translation.kind_of(nodes[0], "time")
    template = (
        "CAST(DATE_TRUNC('week', a) AS DATE)"
        if monday
        else "CAST(DATE_TRUNC('week', a + INTERVAL '1 day') - INTERVAL '1 day' AS DATE)"
    )
    return Typed(filled(template, [at]), "date")


def zone_of(node: Any) -> str:
    """Return a constant time zone. Raises InvalidQuery."""
    name = node.name if isinstance(node, exp.Literal) and node.is_string else ""
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidQuery(
            f"{shown(node)} is no time zone.", hint="Use one such as 'Europe/Berlin'."
        ) from error


def _in_zone(translation: Translation, nodes: list[Any]) -> Typed:
    zone = zone_of(nodes[1])
    at = translation.kind_of(nodes[0], "instant")
    return Typed(translation.source.dialect.local_time(at, zone), f"time@{zone}")


def _formatted(translation: Translation, nodes: list[Any]) -> Typed:
    wanted = nodes[1].name if isinstance(nodes[1], exp.Literal) else None
    if wanted is None:
        raise InvalidQuery(
            f"formatDateTime: {shown(nodes[1])} is no constant.", hint="Write '%Y-%m-%d'."
        )
    at = _in_zone(translation, [nodes[0], nodes[2]]) if len(nodes) > 2 else None
    clock = translation.converted(at or translation.typed(nodes[0]), "time")
    text = text_literal(_format(wanted))
    return Typed(call("strftime", exp.cast(clock, "timestamp"), text), "text")


def _format(wanted: str) -> str:
    found, place = [], 0
    while place < len(wanted):
        letter = wanted[place]
        if letter != "%":
            found.append(letter)
            place += 1
            continue
        code = wanted[place + 1 : place + 2]
        if code not in _FORMATS and code not in _SAME:
            raise InvalidQuery(
                f"formatDateTime knows no {'%' + code!r}.", hint="Use %Y %m %d %H %i %S."
            )
        found.append(_FORMATS.get(code, f"%{code}"))
        place += 2
    return "".join(found)


def _date_time(translation: Translation, nodes: list[Any]) -> Typed:
    """Return an instant: of a text (in a zone), of seconds since 1970, of a time."""
    at = translation.typed(nodes[0])
    if at.kind == "number":
        return translation.call("fromUnixTimestamp", nodes[:1])
    if len(nodes) > 1 and isinstance(nodes[-1], exp.Literal) and nodes[-1].is_string:
        zone = zone_of(nodes[-1])
        if at.kind == "text":
            text = translation.converted(at, "text")
            return Typed(translation.source.dialect.instant(text, zone), "instant")
        instant = translation.converted(at, "instant")
        return Typed(translation.source.dialect.local_time(instant, zone), f"time@{zone}")
    return Typed(translation.converted(at, "instant"), "instant")


def _date(translation: Translation, nodes: list[Any]) -> Typed:
    if len(nodes) > 1:
        zoned = _in_zone(translation, nodes)
        return Typed(exp.cast(zoned.tree, "date"), "date")
    return translation.call("toDate", nodes)


Special = Callable[[Translation, list[Any]], Typed]
SPECIAL: dict[str, tuple[int, int, Special]] = {
    "dateDiff": (3, 3, _date_diff),
    "date_diff": (3, 3, _date_diff),
    "dateAdd": (2, 3, _moving(1)),
    "date_add": (2, 3, _moving(1)),
    "timestampAdd": (2, 3, _moving(1)),
    "dateSub": (2, 3, _moving(-1)),
    "date_sub": (2, 3, _moving(-1)),
    "timestampSub": (2, 3, _moving(-1)),
    "dateTrunc": (2, 2, _truncated),
    "date_trunc": (2, 2, _truncated),
    "toStartOfInterval": (2, 2, _start_of_interval),
    "toStartOfWeek": (1, 2, _start_of_week),
    "toTimeZone": (2, 2, _in_zone),
    "toTimezone": (2, 2, _in_zone),
    "formatDateTime": (2, 3, _formatted),
    "toDateTime": (1, 3, _date_time),
    "toDateTime64": (1, 3, _date_time),
    "toDate": (1, 2, _date),
    **{
        f"{word}{unit.capitalize()}s": (2, 2, _moving_by(unit, sign))
        for word, sign in (("add", 1), ("subtract", -1))
        for unit in UNITS
    },
}
"""Least and most arguments, and what it becomes."""
