"""A funnel's answer → steps as bars, a histogram of times, or a rate over time.

Each step says how many came, which share of the first step that is, how many went on and
how many were lost since the step before, and the median time it took. With a breakdown
the steps drawn are those of all values together; each value has its rows in the table.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from hedgerow.web.charts import words
from hedgerow.web.charts.rows import Row
from hedgerow.web.charts.spec import (
    Cell,
    Chart,
    Column,
    Nothing,
    Plot,
    Series,
    Step,
    Steps,
    Table,
)
from hedgerow.web.charts.trends import buckets_table, first_unfinished

NOBODY = Nothing(
    summary="Nobody entered this funnel.",
    what="Nobody entered this funnel in the period",
    why="Widen the period, or look whether the first step is the right one.",
)


def chart(query: Row, results: Any, *, now: datetime) -> Chart:
    """Return what to draw for a FunnelsQuery's results; ``now`` in the project's zone."""
    form = (query.get("funnelsFilter") or {}).get("funnelVizType") or "steps"
    if form == "time_to_convert":
        return times(results)
    if form == "trends":
        return rates(query, results, now=now)
    return steps(results)


def steps(results: Sequence[Any]) -> Chart:
    """Return the steps; those of a breakdown are added up for the bars."""
    if not results:
        return NOBODY
    broken = isinstance(results[0], list)
    groups: list[Sequence[Mapping[str, Any]]] = list(results) if broken else [list(results)]
    current = [g for g in groups if g and g[0].get("compare_label") != "previous"]
    counts = [sum(int(g[i]["count"]) for g in current) for i in range(len(current[0]))]
    if not counts[0]:
        return NOBODY
    single = current[0] if len(current) == 1 else None
    made = [_step(i, current[0][i], counts, single) for i in range(len(counts))]
    rate = counts[-1] / counts[0]
    return Steps(
        summary=f"{words.percent(rate)} of {words.exact(counts[0])} went all the way.",
        table=_table(current, broken=broken),
        rate=words.percent(rate),
        sentence=(
            f"{words.exact(counts[-1])} of {words.exact(counts[0])} went from "
            f"{made[0].name} to {made[-1].name}."
        ),
        loss=_loss(counts),
        steps=made,
    )


def _step(
    index: int,
    row: Mapping[str, Any],
    counts: Sequence[int],
    single: Sequence[Mapping[str, Any]] | None,
) -> Step:
    count, first = counts[index], counts[0]
    before = counts[index - 1] if index else count
    median = single[index].get("median_conversion_time") if single else None
    return Step(
        number=index + 1,
        name=_name(row),
        count=words.exact(count),
        of_first=words.percent(count / first),
        height=round(count / first * 100, 1),
        went_on=words.percent(count / before if before else None),
        dropped=words.exact(before - count),
        dropped_share=words.percent((before - count) / before if before else None),
        median=words.duration(median),
        who={"funnelStep": index + 1},
        who_dropped={"funnelStep": -(index + 1)},
    )


def _name(row: Mapping[str, Any]) -> str:
    return str(row.get("custom_name") or row.get("name") or "Any event")


def _loss(counts: Sequence[int]) -> str:
    lost = [(before - after, i) for i, (before, after) in enumerate(pairwise(counts))]
    worst, at = max(lost, default=(0, 0))
    return f"{words.exact(worst)} between steps {at + 1} and {at + 2}" if worst else ""


def _table(groups: Sequence[Sequence[Mapping[str, Any]]], *, broken: bool) -> Table:
    names = [
        "Persons",
        "Of step 1",
        "Of step before",
        "Dropped off",
        "Median time",
        "Mean time",
    ]
    columns = [Column(name="Step"), *[Column(name=n, number=True) for n in names]]
    if broken:
        columns.insert(0, Column(name="Value"))
    rows = []
    for group in groups:
        for i, row in enumerate(group):
            cells = _cells(group, i)
            if broken:
                value = words.value_name(row.get("breakdown") or row.get("breakdown_value"))
                cells.insert(0, Cell(text=value, value=value))
            rows.append(cells)
    return Table(columns=columns, rows=rows)


def _cells(group: Sequence[Mapping[str, Any]], i: int) -> list[Cell]:
    row, count, first = group[i], int(group[i]["count"]), int(group[0]["count"])
    before = int(group[i - 1]["count"]) if i else None
    asked: dict[str, Any] = {"funnelStep": i + 1}
    if "breakdown_value" in row:
        asked["funnelStepBreakdown"] = row["breakdown_value"]
    median, mean = row.get("median_conversion_time"), row.get("average_conversion_time")
    kept = count / before if before else None
    return [
        Cell(text=f"{i + 1}  {_name(row)}", value=_name(row)),
        Cell(text=words.exact(count), value=count, who=asked),
        Cell(text=words.percent(count / first if first else None), value=count),
        Cell(text=words.percent(kept), value=kept),
        Cell(
            text=words.NONE if before is None else words.exact(before - count),
            value=None if before is None else before - count,
            who=None if before is None else {**asked, "funnelStep": -(i + 1)},
        ),
        Cell(text=words.duration(median), value=median),
        Cell(text=words.duration(mean), value=mean),
    ]


def times(results: Mapping[str, Any]) -> Chart:
    """Return the histogram of how long converting took."""
    bins = results.get("bins") or []
    if not any(count for _, count in bins):
        return Nothing(
            summary="Nobody went all the way.",
            what="Nobody went all the way in the period",
            why="There is no time to show until somebody does. Widen the period.",
        )
    mean, median = (
        results.get("average_conversion_time"),
        results.get("median_conversion_time"),
    )
    labels = [words.duration(start) for start, _ in bins]
    data = [float(count) for _, count in bins]
    return Plot(
        form="bars",
        summary=f"Half took {words.duration(median)} or less; the mean is {words.duration(mean)}.",
        table=Table(
            columns=[Column(name="Took at least"), Column(name="Persons", number=True)],
            rows=[
                [Cell(text=label, value=start), Cell(text=words.exact(count), value=count)]
                for label, (start, count) in zip(labels, bins, strict=True)
            ],
        ),
        x=[str(start) for start, _ in bins],
        labels=labels,
        series=[
            Series(
                name="Persons",
                hue="s1",
                data=[*data],
                total=sum(data),
                total_text=words.exact(sum(data)),
            )
        ],
    )


def rates(query: Row, results: Sequence[Row], *, now: datetime) -> Chart:
    """Return the rate of conversion over time, in per cent."""
    if not results:
        return NOBODY
    interval = str(query.get("interval") or "day")
    days = [str(day) for day in results[0]["days"]]
    series = []
    for i, row in enumerate(results):
        data = [float(v) for v in row["data"]]
        name = (
            words.value_name(row["breakdown_value"])
            if "breakdown_value" in row
            else "Conversion"
        )
        mean = sum(data) / len(data) if data else 0
        series.append(
            Series(
                name=name,
                hue=f"s{i + 1}" if i < 10 else "s0",
                data=[*data],
                total=mean,
                total_text=words.percent(mean / 100),
                previous=row.get("compare_label") == "previous",
            )
        )
    unfinished = first_unfinished(days, interval, now)
    return Plot(
        form="lines",
        summary=f"Rate of conversion: {', '.join(f'{s.name} {s.total_text}' for s in series[:3])} on average.",
        table=buckets_table(query, series, days, unfinished),
        x=days,
        labels=[words.bucket(day, interval) for day in days],
        series=series,
        unit="percent",
        unfinished=unfinished,
        unfinished_text="still open" if unfinished is not None else "",
    )
