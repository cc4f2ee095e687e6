"""Retention: of those who started in a period, who came back, and when.

The meaning is ``insights-retention-cohorts`` §1; the shape of the table is in
``retention_window``, its events in ``retention_events`` and its cells in
``retention_cells``. Here: one statement for the query (or for each cohort broken down by),
and the flat list of rows that clients read.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.insights import retention_masks
from hedgerow.insights.retention_cells import cells
from hedgerow.insights.retention_events import EVERYONE, Asked, Split, split_of
from hedgerow.insights.retention_window import Window, chosen, window
from hedgerow.model.ports import Rows, Statement
from hedgerow.model.projects import QueryContext
from hedgerow.query import buckets
from hedgerow.query.definitions_retention import RetentionQuery
from hedgerow.query.dialects import Dialect, dialect_of
from hedgerow.query.trees import number_literal
from hedgerow.query.values import Values

OTHER = "$$_posthog_breakdown_other_$$"


class Cell(msgspec.Struct):
    """One figure of the table: distinct actors, and the sum of a property if asked for."""

    actors: int = 0
    amount: float = 0.0


Table = dict[tuple[int, int], Cell]
"""(row, column) to its figure; a cell that is not there is 0."""


def statements(query: RetentionQuery, context: QueryContext) -> list[Statement]:
    """Return one statement, or one for each cohort: (value, s, col, actors, amount)."""
    found = []
    for asked in _asked(query, context):
        values = Values()
        masks = retention_masks.fits(asked)
        tree = (retention_masks.counted if masks else _counted)(asked, values)
        found.append(Statement(tree=tree, values=values.by_name))
        if chosen(query).cumulative and _sums(query):
            values = Values()  # sums stay with their own period
            plain = _counted(asked, values, cumulative=False)
            found.append(Statement(tree=plain, values=values.by_name))
    return found


def result(
    query: RetentionQuery, context: QueryContext, answers: list[Rows]
) -> list[dict[str, Any]]:
    """Return the rows of §1.10: all of the first breakdown value, then of the second, …"""
    asked = _asked(query, context)
    shape = asked[0].window
    each = len(answers) // len(asked)
    told: list[dict[str, Any]] = []
    for i, one in enumerate(asked):
        tables = _tables(query, shape, answers[i * each : (i + 1) * each])
        if one.cohort is not None:
            if tables:
                told += _rows(query, shape, _cohort_name(one), tables[""])
        elif one.split is None:
            told += _rows(query, shape, None, tables.get("", {}))
        else:
            for value, table in _shown(tables, one.split):
                told += _rows(query, shape, value, table)
    return told


def people(
    query: RetentionQuery,
    context: QueryContext,
    values: Values,
    *,
    row: int,
    breakdown: str | None = None,
    named: Sequence[str] = (),
) -> exp.Query:
    """Return the actors of a row with the columns they stand in: (actor, appearances).

    ``named``: for the breakdown value Other, those that have a table of their own.
    """
    every = _asked(query, context)
    cohort = [
        one for one in every if _cohort_name(one) in {breakdown, _numbered(breakdown)}
    ]
    asked = cohort[0] if cohort else every[0]
    rows = cells(asked, values)
    if chosen(query).cumulative:
        rows = _up_to_the_last(rows, dialect_of(context))
    wanted: exp.Expr = exp.column("s", table="c").eq(number_literal(row))
    if breakdown is not None and asked.cohort is None:
        value = exp.column("value", table="c")
        same: exp.Expr = value.eq(values.bind(breakdown))
        if breakdown == OTHER and named:
            same = exp.not_(value.isin(*(values.bind(one) for one in named)))
        wanted = exp.and_(wanted, same)
    each = exp.Distinct(expressions=[exp.column("col")])
    columns = dialect_of(context).sorted_values(exp.column("col"))
    return (
        exp.select(
            "actor",
            columns.as_("appearances"),
            exp.alias_(exp.Count(this=each), "appearance_count"),
        )
        .from_(rows.subquery("c"))
        .where(wanted)
        .group_by("actor")
    )


def named_values(
    query: RetentionQuery, context: QueryContext, answers: list[Rows]
) -> list[str]:
    """Return the breakdown values that are not in Other, of the answers to ``statements``."""
    (one,) = _asked(query, context)
    limit = one.split.limit if one.split is not None else 0
    return [value for value, _ in _ranked(_tables(query, one.window, answers))[:limit]]


def _cohort_name(asked: Asked) -> str:
    return "0" if asked.cohort in EVERYONE else str(asked.cohort)


def _numbered(breakdown: str | None) -> str | None:
    """Return the name that answers give everyone, for the other way to write it."""
    return "0" if breakdown == "all" else breakdown


def _asked(query: RetentionQuery, context: QueryContext) -> list[Asked]:
    """Return the tables to compute. Raises InvalidQuery for what cannot be combined."""
    _check(query)
    shape, split = window(query, context), split_of(query)
    one = Asked(query=query, context=context, window=shape, split=split)
    if split is None or split.type != "cohort":
        return [one]
    return [msgspec.structs.replace(one, cohort=cohort) for cohort in split.cohorts]


def _check(query: RetentionQuery) -> None:
    wanted = chosen(query)
    if wanted.time_window_mode != "24_hour_windows":
        return
    if wanted.cumulative:
        raise InvalidQuery(
            "Cumulative retention is not supported for 24 hour windows.",
            hint="Leave cumulative out, or use calendar dates.",
            attr="retentionFilter.cumulative",
        )
    if _sums(query):
        raise InvalidQuery(
            f"A {wanted.aggregation_type} is not supported for 24 hour windows.",
            hint="Count people, or use calendar dates.",
            attr="retentionFilter.aggregationType",
        )


def _sums(query: RetentionQuery) -> bool:
    return chosen(query).aggregation_type in {"sum", "avg"}


def _counted(asked: Asked, values: Values, *, cumulative: bool | None = None) -> exp.Select:
    """Return (value, s, col, actors, amount); cumulative: ``col`` is the last one reached."""
    rows = cells(asked, values)
    if chosen(asked.query).cumulative if cumulative is None else cumulative:
        rows = _last_reached(rows)
    actors = exp.alias_(exp.Count(this=exp.Star()), "actors")
    amount = exp.alias_(exp.Sum(this=exp.column("amount")), "amount")
    counted = exp.select("value", "s", "col", actors, amount).from_(rows.subquery("n"))
    return counted.group_by("value", "s", "col")


def _last_reached(rows: exp.Select) -> exp.Select:
    last = exp.alias_(exp.Max(this=exp.column("col")), "col")
    amount = exp.alias_(exp.Sum(this=exp.column("amount")), "amount")
    reached = exp.select("actor", "value", "s", last, amount).from_(rows.subquery("m"))
    return reached.group_by("actor", "value", "s")


def _up_to_the_last(rows: exp.Select, dialect: Dialect) -> exp.Select:
    """Return each actor in every column up to the last one reached."""
    columns = dialect.numbers_below(exp.column("col") + number_literal(1))
    last = _last_reached(rows).subquery("l")
    return exp.select("actor", "value", "s", columns.as_("col")).from_(last)


def _tables(query: RetentionQuery, shape: Window, answers: list[Rows]) -> dict[str, Table]:
    """Return a table for each breakdown value."""
    found: dict[str, Table] = {}
    for value, s, col, actors, amount in answers[0].rows:
        cell = found.setdefault(value, {}).setdefault((s, col), Cell())
        cell.actors, cell.amount = actors, float(amount or 0)
    if chosen(query).cumulative:
        found = {value: _cumulated(table, shape) for value, table in found.items()}
        for value, s, col, _, amount in answers[1].rows if len(answers) > 1 else ():
            found[value][s, col].amount = float(amount or 0)
    return found


def _cumulated(table: Table, shape: Window) -> Table:
    """Return "came back in this period or later" from the last periods reached (§1.5)."""
    whole: Table = {}
    last = len(shape.columns) - 1
    for row in {row for row, _ in table}:
        running = 0
        for col in range(last, -1, -1):
            running += table.get((row, col), Cell()).actors
            whole[row, col] = Cell(actors=running)
    return whole


def _shown(tables: dict[str, Table], split: Split) -> list[tuple[str, Table]]:
    """Return values by the size of column 0, the rest added up under Other (§1.9)."""
    order = _ranked(tables)
    kept, rest = order[: split.limit], order[split.limit :]
    if not rest or split.hide_other:
        return kept
    other: Table = {}
    for _, table in rest:
        for place, cell in table.items():
            total = other.setdefault(place, Cell())
            total.actors += cell.actors
            total.amount += cell.amount
    return [*kept, (OTHER, other)]


def _ranked(tables: dict[str, Table]) -> list[tuple[str, Table]]:
    def size(table: Table) -> int:
        return sum(cell.actors for (_, col), cell in table.items() if col == 0)

    return sorted(tables.items(), key=lambda item: (-size(item[1]), item[0]))


def _rows(
    query: RetentionQuery, shape: Window, value: str | None, table: Table
) -> list[dict[str, Any]]:
    return [
        {
            "label": f"{shape.period} {i}",
            "date": buckets.iso(start),
            "breakdown_value": value,
            "values": [
                _value(query, table.get((i, k), Cell()), label)
                for k, label in enumerate(shape.columns)
            ],
        }
        for i, start in enumerate(shape.asked.buckets)
    ]


def _value(query: RetentionQuery, cell: Cell, label: str) -> dict[str, Any]:
    told: dict[str, Any] = {"count": cell.actors, "label": label}
    if _sums(query):
        total = cell.amount
        if chosen(query).aggregation_type == "avg":
            total = cell.amount / cell.actors if cell.actors else 0.0
        told["aggregation_value"] = total
    return told
