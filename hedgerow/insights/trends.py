"""Trends: counts over time (``insights-trends``).

A trend is made of jobs (``trend_jobs``), each with one statement (``trend_statements``) and
rows (``trend_rows``); formulas are worked out over the rows (``trend_formula_rows``). Here
they are put together into the answer.
"""

from typing import Any

from hedgerow.insights import calendar_heat_map
from hedgerow.insights.trend_formula_rows import formula_rows
from hedgerow.insights.trend_formulas import compiled, formulas_of
from hedgerow.insights.trend_jobs import (
    Job,
    display_of,
    jobs_of,
    range_of,
    ranges_of,
)
from hedgerow.insights.trend_rows import Row, has_other, rows_of
from hedgerow.insights.trend_statements import statement
from hedgerow.model.ports import Rows, Statement
from hedgerow.model.projects import QueryContext
from hedgerow.query import buckets
from hedgerow.query.breakdowns import OTHER
from hedgerow.query.definitions_trends import TrendsQuery

ALL_EVENTS = "All events"
EVERYONE = "all users"
HEAT_MAP = "CalendarHeatmap"


def statements(query: TrendsQuery, context: QueryContext) -> list[Statement]:
    """Return a statement for each series, period and cohort. Raises InvalidQuery."""
    if display_of(query) == HEAT_MAP:
        return calendar_heat_map.statements(query, context)
    for formula in formulas_of(query.trends_filter):
        compiled(formula, len(query.series))
    return [statement(job) for job in jobs_of(query, context)]


def result(
    query: TrendsQuery, context: QueryContext, answers: list[Rows]
) -> dict[str, Any]:
    """Return ``results``, ``hasMore`` and ``resolved_date_range`` (§10)."""
    if display_of(query) == HEAT_MAP:
        return calendar_heat_map.result(query, context, answers)
    jobs = jobs_of(query, context)
    found = [rows_of(job, answer) for job, answer in zip(jobs, answers, strict=True)]
    more = any(has_other(rows) for rows in found)
    formulas = formulas_of(query.trends_filter)
    several = len(jobs) > len(ranges_of(query, context))
    if formulas:
        shown = [
            (row, _row(row, several=several) | changed)
            for row, changed in formula_rows(query, formulas, jobs, found)
        ]
    else:
        shown = [(row, _row(row, several=several)) for rows in found for row in rows]
    if jobs[0].split.hide_other:
        shown = [(row, told) for row, told in shown if OTHER not in row.value]
    current = range_of(query, context)
    return {
        "results": [told for _, told in shown],
        "hasMore": more,
        "resolved_date_range": {
            "date_from": buckets.iso(current.start),
            "date_to": buckets.iso(current.end),
        },
    }


def _row(row: Row, *, several: bool) -> dict[str, Any]:
    """Return a row as the answer shows it."""
    job = row.job
    told: dict[str, Any] = {
        "data": [] if job.total() else row.data,
        "days": [] if job.total() else buckets.days(job.range),
        "count": row.count(),
        "label": _label(row, several=several),
        "order": job.series,
        "action": _action(job),
        "filter": _filter(job),
    }
    if job.total():
        told["aggregated_value"] = row.data[0]
    else:
        told["labels"] = buckets.labels(job.range)
    if job.split:
        told["breakdown_value"] = breakdown_value(row)
    if len(ranges_of(job.query, job.context)) > 1:
        told |= {"compare": True, "compare_label": job.period}
    return told


def breakdown_value(row: Row) -> str | int | list[str]:
    """Return a row's value as answers give it: text, list of texts, cohort id, ``"all"``."""
    if row.job.split.as_list:
        return list(row.value)
    value = row.value[0]
    return int(value) if row.job.split.cohorts and value.isdigit() else value


def _label(row: Row, *, several: bool) -> str:
    event = row.job.node.event or ALL_EVENTS
    if not row.job.split:
        return event
    label = _value_label(row)
    return f"{event} - {label}" if several else label


def _value_label(row: Row) -> str:
    if not row.job.split.cohorts:
        return "::".join(row.value)
    value = row.value[0]
    if value == "all":
        return EVERYONE
    return row.job.context.cohorts[int(value)].name if value.isdigit() else value


def _action(job: Job) -> dict[str, Any]:
    """Return the echo of the series, which clients read to know what a row is about."""
    node, current = job.node, range_of(job.query, job.context)
    return {
        "days": [buckets.iso(start) for start in current.buckets],
        "id": node.event,
        "type": "events",
        "order": job.series,
        "name": node.event or ALL_EVENTS,
        "custom_name": node.custom_name,
        "math": node.math,
        "math_property": node.math_property,
        "math_hogql": node.math_hogql,
        "math_group_type_index": node.math_group_type_index,
        "properties": {},
    }


def _filter(job: Job) -> dict[str, Any]:
    return {
        "insight": "TRENDS",
        "display": display_of(job.query),
        "interval": job.range.interval,
        "date_from": buckets.iso(job.range.start),
        "date_to": buckets.iso(job.range.end),
    }
