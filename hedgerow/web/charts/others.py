"""Paths, lifecycle, stickiness and typed SQL → what is drawn.

Lifecycle stands on the ground line: new, returning and resurrected persons grow upwards,
dormant ones hang below it. Paths are streams between stops, with the busiest stops first.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from hedgerow.web.charts import words
from hedgerow.web.charts.rows import Row
from hedgerow.web.charts.spec import (
    Cell,
    Chart,
    Column,
    Edge,
    Flow,
    Grid,
    Node,
    Nothing,
    Plot,
    Series,
    Table,
)
from hedgerow.web.charts.trends import buckets_table, first_unfinished

LIFECYCLE_HUES = {"new": "s2", "returning": "s1", "resurrecting": "s3", "dormant": "s5"}


def lifecycle(query: Row, results: Sequence[Row], *, now: datetime) -> Chart:
    """Return the four kinds of persons, stacked over time."""
    interval = str(query.get("interval") or "day")
    days = [str(day) for day in results[0]["days"]]
    hidden = (query.get("lifecycleFilter") or {}).get("toggledLifecycles")
    series = [
        Series(
            name=str(row["status"]).capitalize(),
            hue=LIFECYCLE_HUES[row["status"]],
            data=list(row["data"]),
            total=float(row["count"]),
            total_text=words.exact(row["count"]),
            who={"status": row["status"]},
        )
        for row in results
        if not hidden or row["status"] in hidden
    ]
    unfinished = first_unfinished(days, interval, now)
    told = ", ".join(f"{s.name.lower()} {s.total_text}" for s in series)
    return Plot(
        form="stacked",
        summary=f"Persons by kind, added up over the period: {told}.",
        table=buckets_table(query, series, days, unfinished),
        x=days,
        labels=[words.bucket(day, interval) for day in days],
        series=series,
        unfinished=unfinished,
        unfinished_text="not over yet" if unfinished is not None else "",
    )


def stickiness(results: Sequence[Row]) -> Chart:
    """Return how many persons were active on how many days."""
    rows = [row for row in results if row.get("compare_label") != "previous"]
    past = [row for row in results if row.get("compare_label") == "previous"]
    labels = [str(label) for label in rows[0]["labels"]]
    series = [
        Series(
            name=str((row.get("action") or {}).get("custom_name") or row["label"]),
            hue=f"s{i % len(rows) + 1}",
            data=list(row["data"]),
            total=float(row["count"]),
            total_text=words.exact(row["count"]),
            previous=row.get("compare_label") == "previous",
            who={"series": (row.get("action") or {}).get("order", 0)},
        )
        for i, row in enumerate([*rows, *past])
    ]
    return Plot(
        form="bars",
        summary=f"{series[0].total_text} persons did {series[0].name} at all.",
        table=Table(
            columns=[Column(name="Active on")]
            + [
                Column(name=f"{s.name}{', previous' if s.previous else ''}", number=True)
                for s in series
            ],
            rows=[
                [
                    Cell(text=label, value=i + 1),
                    *[
                        Cell(
                            text=words.exact(s.data[i] if i < len(s.data) else None),
                            value=s.data[i] if i < len(s.data) else None,
                            who={**(s.who or {}), "day": i + 1},
                        )
                        for s in series
                    ],
                ]
                for i, label in enumerate(labels)
            ],
        ),
        x=[str(day) for day in rows[0]["days"]],
        labels=labels,
        series=series,
    )


def paths(results: Sequence[Row]) -> Chart:
    """Return the streams between stops; each edge knows how to ask who took it."""
    if not results:
        return Nothing(
            summary="No paths in this period.",
            what="Nobody took such a path in the period",
            why="Widen the period, or leave out the start or end point.",
        )
    through: dict[str, float] = {}
    for row in results:
        through[row["target"]] = through.get(row["target"], 0) + row["value"]
    for row in results:
        if row["source"] not in through:
            through[row["source"]] = sum(
                r["value"] for r in results if r["source"] == row["source"]
            )
    nodes = [
        Node(key=key, name=_stop(key)[1], depth=_stop(key)[0] - 1, text=words.exact(value))
        for key, value in through.items()
    ]
    edges = [
        Edge(
            source=row["source"],
            target=row["target"],
            value=row["value"],
            text=words.exact(row["value"]),
            who={"pathStartKey": row["source"], "pathEndKey": row["target"]},
        )
        for row in results
    ]
    busiest = edges[0]
    return Flow(
        summary=(
            f"Most often, {busiest.text} times: {_stop(busiest.source)[1]}, "
            f"then {_stop(busiest.target)[1]}."
        ),
        table=Table(
            columns=[
                Column(name="Step", number=True),
                Column(name="From"),
                Column(name="To"),
                Column(name="Times", number=True),
                Column(name="Mean time between", number=True),
            ],
            rows=[_path_row(row) for row in results],
        ),
        nodes=nodes,
        edges=edges,
    )


def _stop(key: str) -> tuple[int, str]:
    depth, _, name = key.partition("_")
    return int(depth), name or "(empty)"


def _path_row(row: Row) -> list[Cell]:
    depth, source = _stop(row["source"])
    target = _stop(row["target"])[1]
    mean = row.get("average_conversion_time")
    seconds = None if mean is None else mean / 1000
    asked = {"pathStartKey": row["source"], "pathEndKey": row["target"]}
    return [
        Cell(text=str(depth), value=depth),
        Cell(text=source, value=source),
        Cell(text=target, value=target),
        Cell(text=words.exact(row["value"]), value=row["value"], who=asked),
        Cell(text=words.duration(seconds), value=seconds),
    ]


def sql(answer: Row) -> Chart:
    """Return the rows of a typed SELECT, as they came."""
    columns = [str(name) for name in answer.get("columns") or []]
    rows: Sequence[Sequence[Any]] = answer.get("results") or []
    if not rows:
        return Nothing(
            summary="The question has no rows.",
            what="No rows",
            why="The question ran and nothing matched it.",
        )
    numbers = [
        all(
            (isinstance(r[i], (int, float)) and not isinstance(r[i], bool)) or r[i] is None
            for r in rows
        )
        for i in range(len(columns))
    ]
    more = ", and there are more" if answer.get("hasMore") else ""
    return Grid(
        summary=f"{len(rows):,} {'row' if len(rows) == 1 else 'rows'}{more}.",
        table=Table(
            columns=[Column(name=n, number=numbers[i]) for i, n in enumerate(columns)],
            rows=[[_typed(value) for value in row] for row in rows],
        ),
    )


def _typed(value: Any) -> Cell:
    if value is None:
        return Cell(text=words.NONE, dim=True)
    if isinstance(value, bool):
        return Cell(text=str(value).lower(), value=value)
    if isinstance(value, (int, float)):
        return Cell(text=words.exact(value), value=value)
    return Cell(text=str(value), value=value)
