"""How figures about installations are put into words (``fleet`` §3).

A share of few says its interval, of very few it is not told at all.
Pure.
"""

from collections.abc import Sequence
from datetime import date

from hedgerow.web.charts import words

FEW = 30
VERY_FEW = 5

ROWS = {
    "$unknown": "unknown",
    "$unordered": "no version number",
    "$other": "other",
    "$older": "older",
    "$pre": "pre-releases",
    "$utc_default": "UTC, zone not set",
}
"""What rows are called that stand for no single value."""


def share(count: float, total: float, ci: Sequence[float] | None) -> str:
    """Return a share as far as it may be told: nothing below 5, whole per cent below 30."""
    if total < VERY_FEW or not total:
        return ""
    if total >= FEW:
        return words.percent(count / total)
    text = words.percent(count / total, digits=0)
    return f"{text} ({interval(ci, digits=0)})" if ci else text


def interval(ci: Sequence[float] | None, *, digits: int = 1) -> str:
    """Return both ends in per cent with a dash between; a dash where there is none."""
    if not ci:
        return words.NONE
    low, high = (f"{value * 100:.{digits}f}" for value in ci)
    return f"{low}{words.NONE}{high}{words.THIN}%"


def named(value: object) -> str:
    """Return what a version or value is called."""
    return ROWS.get(str(value), str(value))


def day(text: str | None) -> str:
    """Return ``9 Nov 2026`` for an ISO date; a dash for none."""
    if text is None:
        return words.NONE
    moment = date.fromisoformat(text[:10])
    return f"{moment.day} {words.MONTHS[moment.month - 1]} {moment.year}"


def days(number: float | None) -> str:
    """Return ``1 day``, ``8 days``; a dash for none."""
    if number is None:
        return words.NONE
    return f"{words.exact(number)} {'day' if number == 1 else 'days'}"
