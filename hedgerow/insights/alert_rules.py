"""When an alert on an insight fires: its latest number against what was agreed (pure).

The shapes are PostHog's: ``condition``, ``threshold.configuration`` and ``config``. The
number is that of the last complete interval; with ``check_ongoing_interval`` the one that
still runs. A change compares it with the interval before. An anomaly compares it with the
28 before: it fires beyond ``bounds.upper`` (5) robust deviations of their median, where a
deviation is 1.4826 times the median distance from it, and at least what chance alone makes.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from hedgerow.errors import InvalidInput

Kind = Literal["absolute_value", "relative_increase", "relative_decrease", "anomaly"]

SPAN = 3
ANOMALY_SPAN = 30
"""Intervals that are asked for: what is compared, and the one that still runs."""

UNITS = {"hour": "h", "day": "d", "week": "w", "month": "m"}
TOTALS = frozenset(
    {"BoldNumber", "ActionsPie", "ActionsBarValue", "ActionsTable", "WorldMap"}
)
LEAST_HISTORY = 7
"""Intervals before the last one without which nothing is unusual."""

DEVIATIONS = 5.0
MAD_TO_SIGMA = 1.4826


class Bounds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is still all right; null: no bound."""

    lower: float | None = None
    upper: float | None = None


class Configuration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bounds as they are, or as a share: 0.2 is 20 %."""

    type: Literal["absolute", "percentage"] = "absolute"
    bounds: Bounds = Bounds()


class Threshold(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As PostHog nests it."""

    configuration: Configuration = Configuration()


class Condition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the number is compared with."""

    type: Kind = "absolute_value"


class Watched(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which number of the insight."""

    type: Literal["TrendsAlertConfig"] = "TrendsAlertConfig"
    series_index: int = 0
    check_ongoing_interval: bool = False


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When to fire."""

    condition: Condition = Condition()
    threshold: Threshold = Threshold()
    config: Watched = Watched()


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a look came to."""

    firing: bool
    value: float | None
    """The number that was looked at; None: there was none."""

    text: str
    """A sentence: the number, of when, and what it was compared with."""


def check(rule: Rule) -> None:
    """Raise InvalidInput for a rule that could never fire, or never be understood."""
    bounds, kind = rule.threshold.configuration.bounds, rule.condition.type
    where = "threshold.configuration"
    if rule.config.series_index < 0:
        raise InvalidInput(
            f"series_index is {rule.config.series_index}.",
            hint="Count from 0.",
            attr="config.series_index",
        )
    if kind == "anomaly":
        if bounds.upper is not None and bounds.upper < 1:
            raise InvalidInput(
                f"upper is {bounds.upper:g} deviations.",
                hint="Use 1 or more; 5 is usual.",
                attr=f"{where}.bounds.upper",
            )
        return
    if bounds.lower is None and bounds.upper is None:
        raise InvalidInput(
            "There is neither a lower nor an upper bound.",
            hint="Give one of them.",
            attr=f"{where}.bounds",
        )
    if _less(bounds.upper, bounds.lower):
        raise InvalidInput(
            f"upper is {bounds.upper:g} and lower is {bounds.lower:g}.",
            hint="Give an upper bound that is larger.",
            attr=f"{where}.bounds.upper",
        )
    if kind == "absolute_value" and rule.threshold.configuration.type == "percentage":
        raise InvalidInput(
            "A number by itself has no share.",
            hint="Use 'absolute', or compare with the interval before.",
            attr=f"{where}.type",
        )


def _less(one: float | None, other: float | None) -> bool:
    return one is not None and other is not None and one < other


def question(query: Mapping[str, Any], rule: Rule) -> dict[str, Any]:
    """Return what to ask about a saved insight. Raises InvalidInput if it has no numbers."""
    source: Mapping[str, Any] = query
    while isinstance(source.get("source"), Mapping):
        source = source["source"]
    if source.get("kind") != "TrendsQuery":
        raise InvalidInput(
            f"An alert cannot watch a {source.get('kind')!r}.",
            hint="Choose an insight of trends.",
            attr="insight",
        )
    count = _count_of(source)
    if rule.config.series_index >= count:
        raise InvalidInput(
            f"The insight has no series {rule.config.series_index}.",
            hint=f"It has {count}; count from 0.",
            attr="config.series_index",
        )
    if _is_total(source):
        if rule.condition.type != "absolute_value":
            raise InvalidInput(
                "This insight is one number, not a course over time.",
                hint="Use the condition 'absolute_value', or show the insight as a line.",
                attr="condition.type",
            )
        return dict(source)
    interval = source.get("interval") or "day"
    if interval not in UNITS:
        raise InvalidInput(
            f"An alert cannot watch an interval of a {interval}.",
            hint=f"Use {', '.join(UNITS)}.",
            attr="insight",
        )
    span = ANOMALY_SPAN if rule.condition.type == "anomaly" else SPAN
    kept = {name: value for name, value in source.items() if name != "compareFilter"}
    return {**kept, "dateRange": {"date_from": f"-{span}{UNITS[interval]}"}}


def _count_of(source: Mapping[str, Any]) -> int:
    """Return how many series, or formulas where there are any, an insight has."""
    shown = source.get("trendsFilter") or {}
    several = shown.get("formulaNodes") or shown.get("formulas")
    if not several and shown.get("formula"):
        return 1
    return len(several or source.get("series") or [])


def _is_total(source: Mapping[str, Any]) -> bool:
    return (source.get("trendsFilter") or {}).get("display") in TOTALS


def judged(query: Mapping[str, Any], rule: Rule, results: Sequence[Any]) -> Verdict:
    """Return whether any row of the watched series is out of bounds, and the sentence."""
    rows = [
        row
        for place, row in enumerate(results)
        if _series_of(row, place) == rule.config.series_index
    ]
    verdicts = [_row(query, rule, row) for row in rows]
    if not verdicts:
        return Verdict(firing=False, value=None, text="There is nothing to look at yet.")
    return next((one for one in verdicts if one.firing), verdicts[0])


def _series_of(row: Mapping[str, Any], place: int) -> int:
    """Return which series, or formula, a row is of: the one whose place it has, if untold."""
    told: Mapping[str, Any] = row.get("action") or row
    return int(told.get("order", place))


def _row(query: Mapping[str, Any], rule: Rule, row: Mapping[str, Any]) -> Verdict:
    name = str(row.get("label") or "The number")
    if _is_total(query):
        return _absolute(rule, name, float(row.get("aggregated_value") or 0), "")
    data, days = list(row.get("data") or []), list(row.get("days") or [])
    if not rule.config.check_ongoing_interval:
        data, days = data[:-1], days[:-1]
    if not data:
        return Verdict(firing=False, value=None, text="No interval is complete yet.")
    when = f" on {days[-1]}" if days else ""
    value = float(data[-1])
    match rule.condition.type:
        case "absolute_value":
            return _absolute(rule, name, value, when)
        case "anomaly":
            return _anomaly(rule, name, [float(one) for one in data], when)
        case kind:
            before = float(data[-2]) if len(data) > 1 else None
            return _change(rule, kind, f"{name}{when}", value, before)


def _absolute(rule: Rule, name: str, value: float, when: str) -> Verdict:
    firing, words = _outside(rule.threshold.configuration.bounds, value, "")
    return Verdict(firing=firing, value=value, text=f"{name}{when}: {value:g}{words}.")


def _change(
    rule: Rule, kind: Kind, what: str, value: float, before: float | None
) -> Verdict:
    if before is None:
        return Verdict(firing=False, value=value, text=f"{what}: {value:g}, the first.")
    change = value - before if kind == "relative_increase" else before - value
    word = "more" if kind == "relative_increase" else "less"
    if rule.threshold.configuration.type == "percentage":
        if before == 0:
            text = f"{what}: {value:g} after 0, which no share can tell."
            return Verdict(firing=False, value=value, text=text)
        firing, words = _outside(
            rule.threshold.configuration.bounds, change / abs(before), "%"
        )
        said = f"{change / abs(before):.1%} {word}"
    else:
        firing, words = _outside(rule.threshold.configuration.bounds, change, "")
        said = f"{change:g} {word}"
    text = f"{what}: {value:g}, {said} than {before:g} before{words}."
    return Verdict(firing=firing, value=value, text=text)


def _anomaly(rule: Rule, name: str, data: list[float], when: str) -> Verdict:
    value, before = data[-1], data[-29:-1]
    if len(before) < LEAST_HISTORY or not any(before):
        text = f"{name}{when}: {value:g}; there is too little before it to call it unusual."
        return Verdict(firing=False, value=value, text=text)
    usual, spread = robust(before)
    limit = rule.threshold.configuration.bounds.upper or DEVIATIONS
    apart = abs(value - usual) / max(spread, math.sqrt(abs(usual)), 1e-9)
    text = f"{name}{when}: {value:g}, {apart:.1f} deviations from the usual {usual:g}."
    return Verdict(firing=apart > limit, value=value, text=text)


def robust(numbers: Sequence[float]) -> tuple[float, float]:
    """Return the median, and 1.4826 times the median distance from it."""
    middle = statistics.median(numbers)
    return middle, MAD_TO_SIGMA * statistics.median(abs(one - middle) for one in numbers)


def _outside(bounds: Bounds, value: float, unit: str) -> tuple[bool, str]:
    shown = "{:.1%}" if unit else "{:g}"
    if bounds.lower is not None and value < bounds.lower:
        return True, f", below {shown.format(bounds.lower)}"
    if bounds.upper is not None and value > bounds.upper:
        return True, f", above {shown.format(bounds.upper)}"
    return False, ""
