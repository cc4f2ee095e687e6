"""Rows of formulas: which values they have, and in which order they come (§9).

The order is PostHog's, surprises included: full ties are in descending order of text, and
a value that the first series lacks sorts as if its sum were 0.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hedgerow.insights.trend_formulas import Evaluate, Formula, compiled, series_of
from hedgerow.insights.trend_jobs import Job, ranges_of
from hedgerow.insights.trend_rows import Number, Row, Value
from hedgerow.query.breakdowns import rank_of
from hedgerow.query.definitions_trends import TrendsQuery

Told = tuple[Row, dict[str, Any]]
"""The row a formula's row is a copy of, and what differs."""


def formula_rows(
    query: TrendsQuery,
    formulas: Sequence[Formula],
    jobs: Sequence[Job],
    rows: Sequence[Sequence[Row]],
) -> list[Told]:
    """Return the rows of all formulas, formula by formula."""
    found: list[Told] = []
    for order, formula in enumerate(formulas):
        evaluate = compiled(formula, len(query.series))
        for group in _groups(len(query.series), jobs, rows):
            found += _rows_of(formula, order, evaluate, group)
    return found


def _groups(
    series: int, jobs: Sequence[Job], rows: Sequence[Sequence[Row]]
) -> Iterator[list[dict[Value, Row]]]:
    """Return, for each period and cohort, the rows of every series by their values."""
    for start in range(0, len(jobs), series):
        yield [{row.value: row for row in one} for one in rows[start : start + series]]


def _rows_of(
    formula: Formula, order: int, evaluate: Evaluate, group: Sequence[Mapping[Value, Row]]
) -> list[Told]:
    """Return a formula's rows of one period (and cohort), in their order."""
    values = dict.fromkeys(value for series in group for value in series)
    found = []
    for value in values:
        like = next(series[value] for series in group if value in series)
        length = len(like.data)
        columns = [
            series[value].data if value in series else [0] * length for series in group
        ]
        data: list[Number] = [
            evaluate(series_of([column[place] for column in columns]))
            for place in range(length)
        ]
        row = Row(job=like.job, value=value, data=data)
        found.append((row, value in group[0]))
    if found and found[0][0].job.split:
        found.sort(key=_compared if _compares(found[0][0]) else _alone)
    return [(row, _told(row, formula, order)) for row, _ in found]


def _compares(row: Row) -> bool:
    return len(ranges_of(row.job.query, row.job.context)) > 1


def _told(row: Row, formula: Formula, order: int) -> dict[str, Any]:
    told: dict[str, Any] = {
        "label": formula.label,
        "action": None,
        "order": order,
        "data": row.data,
        "count": row.sum(),
    }
    if row.job.total():
        told |= {"data": None, "count": 0, "aggregated_value": row.data[0]}
    return told


class _Descending:
    """Sorts the other way round, for values that have no minus."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __lt__(self, other: "_Descending") -> bool:
        return bool(other.value < self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Descending) and bool(self.value == other.value)

    def __hash__(self) -> int:
        return hash(str(self.value))


def _alone(found: tuple[Row, bool]) -> tuple[int, _Descending]:
    """Return the key without a comparison: none last, Other after it, largest first."""
    row, in_first = found
    special = 0 if row.job.split.as_list else rank_of(row.value)
    total = row.job.total()
    size = row.sum() if in_first else 0
    text = str(list(row.value)) if row.job.split.as_list else row.value[0]
    key = (size, 0 if total else row.sum(), [] if total else row.data, text)
    return special, _Descending(key)


def _compared(found: tuple[Row, bool]) -> tuple[float, list[tuple[int, int, str]]]:
    """Return the key with a comparison: largest first, then in natural order."""
    row, _ = found
    size = 0 if row.job.total() else row.sum()
    return -size, _natural("::".join(row.value))


def _natural(text: str) -> list[tuple[int, int, str]]:
    """Return a key in which numbers inside a text count as numbers, and case does not."""
    parts = re.split(r"(\d+)", text.lower())
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]
