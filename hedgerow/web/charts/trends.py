"""A trend's answer → a plot, a number, a ranking, a ring or a table.

The display asked for decides, but for two cases: a pie of more than five parts is a
ranking, because nobody can read it; and values with an order (versions) are drawn in that
order and in one hue that darkens to the newest, instead of in ten hues by size.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from hedgerow.web.charts import calendar, words
from hedgerow.web.charts.places import world
from hedgerow.web.charts.rows import Row, breakdown_name, hues, names, ordered, who
from hedgerow.web.charts.spec import Cell, Chart, Column, Grid, Plot, Series, Table
from hedgerow.web.charts.totals import number, ranking, ring, sentence, totals_table

RING_PARTS = 5
ADDITIVE = frozenset(
    {None, "total", "sum", "first_time_for_user", "first_matching_event_for_user"}
)
"""Measures whose buckets may be added up. Persons of two days may be the same ones."""

TOTALS = frozenset(
    {"BoldNumber", "ActionsPie", "ActionsBarValue", "ActionsTable", "WorldMap"}
)
FORMS = {
    "ActionsBar": "stacked",
    "ActionsStackedBar": "stacked",
    "ActionsUnstackedBar": "bars",
    "ActionsAreaGraph": "area",
}
FORMS_OF_COHORTS = {"stacked": "bars", "area": "lines"}
"""A person may be in several cohorts, so they never add up to a whole."""

PER = {
    "minute": "a minute",
    "hour": "an hour",
    "day": "a day",
    "week": "a week",
    "month": "a month",
}


def chart(query: Row, results: Any, *, now: datetime) -> Chart:
    """Return what to draw for a trend's rows or heat map; ``now`` in the project's zone."""
    if calendar.asked(query):
        return calendar.chart(results)
    display = (query.get("trendsFilter") or {}).get("display") or "ActionsLineGraph"
    if display not in TOTALS:
        form = FORMS.get(display, "lines")
        if (query.get("breakdownFilter") or {}).get("breakdown_type") == "cohort":
            form = FORMS_OF_COHORTS.get(form, form)
        return plot(query, results, form=form, now=now)
    if display == "BoldNumber":
        return number(results)
    rows = ordered([row for row in results if row.get("compare_label") != "previous"])
    if display == "ActionsTable":
        return Grid(summary=sentence(rows), table=totals_table(query, rows))
    if display == "WorldMap":
        return world(query, rows)
    if display == "ActionsPie" and len(rows) <= RING_PARTS:
        return ring(query, rows)
    return ranking(query, rows)


def plot(query: Row, results: Sequence[Row], *, form: Any, now: datetime) -> Plot:
    """Return lines or bars over time, with the unfinished bucket marked."""
    rows = [r for r in results if r.get("compare_label") != "previous"]
    past = [r for r in results if r.get("compare_label") == "previous"]
    rows = ordered(rows)
    interval = str(query.get("interval") or "day")
    days = [str(each) for each in (rows or past)[0]["days"]] if rows or past else []
    everything = [*rows, *past]
    series = [
        _series(row, name, hue)
        for row, name, hue in zip(
            everything, names(everything), hues(everything), strict=True
        )
    ]
    unfinished = first_unfinished(days, interval, now)
    return Plot(
        form=form,
        summary=_plot_sentence(rows, interval, days),
        table=buckets_table(query, series, days, unfinished),
        x=days,
        labels=[words.bucket(each, interval) for each in days],
        series=series,
        unfinished=unfinished,
        unfinished_text=_until(interval, now) if unfinished is not None else "",
        previous_labels=[words.bucket(str(d), interval) for d in past[0]["days"]]
        if past
        else [],
        log=(query.get("trendsFilter") or {}).get("yAxisScaleType") == "log10",
        weekends=[i for i, d in enumerate(days) if _is_weekend(d)]
        if interval == "day"
        else [],
    )


def _series(row: Row, name: str, hue: str) -> Series:
    total = float(row.get("count") or 0)
    adds_up = (row.get("action") or {}).get("math") in ADDITIVE
    return Series(
        name=name,
        hue=hue,
        data=list(row.get("data") or []),
        total=total,
        total_text=words.exact(total) if adds_up else "",
        previous=row.get("compare_label") == "previous",
        who=who(row),
    )


def _is_weekend(text: str) -> bool:
    return datetime.fromisoformat(text).weekday() >= 5


def first_unfinished(days: Sequence[str], interval: str, now: datetime) -> int | None:
    """Return the index of the first bucket that is not over at ``now``."""
    clock = now.replace(tzinfo=None)
    for index, text in enumerate(days):
        start = datetime.fromisoformat(text).replace(tzinfo=None)
        if words.bucket_end(start, interval) > clock:
            return index
    return None


def _until(interval: str, now: datetime) -> str:
    spoken = {
        "day": "today",
        "week": "this week",
        "month": "this month",
        "hour": "this hour",
    }
    return f"{spoken.get(interval, 'unfinished')}, until {now:%H:%M}"


def _plot_sentence(rows: Sequence[Row], interval: str, days: Sequence[str]) -> str:
    if not rows or not days:
        return "Nothing in this period."
    span = f"{words.bucket(days[0], interval)} to {words.bucket(days[-1], interval)}"
    told = [
        f"{name}: {_most(row, days, interval)}"
        for row, name in list(zip(rows, names(rows), strict=True))[:3]
    ]
    rest = f", and {len(rows) - 3} more" if len(rows) > 3 else ""
    return f"{PER.get(interval, '').capitalize()}, {span}. {'; '.join(told)}{rest}."


def _most(row: Row, days: Sequence[str], interval: str) -> str:
    data = list(row.get("data") or [0])
    top = max(range(len(data)), key=data.__getitem__)
    return f"most {words.exact(data[top])} on {words.bucket(days[top], interval)}"


def buckets_table(
    query: Row, series: Sequence[Series], days: Sequence[str], unfinished: int | None
) -> Table:
    """Return a row for each series: total, mean of the finished buckets, each bucket."""
    interval = str(query.get("interval") or "day")
    star = "*"
    names = [
        f"{words.bucket(d, interval)}{star if unfinished is not None and i >= unfinished else ''}"
        for i, d in enumerate(days)
    ]
    columns = [
        Column(name=breakdown_name(query)),
        Column(name="Total", number=True),
        Column(name=PER.get(interval, "Mean").capitalize(), number=True),
        *[Column(name=name, number=True) for name in names],
    ]
    done = len(days) if unfinished is None else unfinished
    rows = []
    for one in series:
        finished = [value or 0 for value in one.data[:done]]
        mean = sum(finished) / len(finished) if finished else None
        name = f"{one.name}, previous" if one.previous else one.name
        rows.append(
            [
                Cell(text=name, value=name, hue=one.hue),
                Cell(text=one.total_text or words.NONE, value=one.total, who=one.who),
                Cell(text=words.exact(mean), value=mean),
                *[
                    Cell(text=words.exact(v), value=v, dim=i >= done, who=_at(one.who, day))
                    for i, (v, day) in enumerate(zip(one.data, days, strict=False))
                ],
            ]
        )
    return Table(columns=columns, rows=rows)


def _at(asked: dict[str, Any] | None, day: str) -> dict[str, Any] | None:
    return None if asked is None else {**asked, "day": day}


def line_of(query: Row, *, days: int) -> dict[str, Any]:
    """Return the question whose answer is the shape under a number."""
    shape = {"display": "ActionsLineGraph"}
    return {
        **query,
        "interval": "day",
        "dateRange": {"date_from": f"-{days}d", "date_to": "-1d"},  # whole days only
        "compareFilter": None,
        "trendsFilter": {**(query.get("trendsFilter") or {}), **shape},
    }
