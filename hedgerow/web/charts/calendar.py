"""The heat map of a calendar → hours by days of the week in nine steps of colour, with sums.

Midnight stands on top, and every cell says its figure: the colour only leads the eye.
"""

import math
from collections.abc import Mapping
from typing import Any

from hedgerow.web.charts import words
from hedgerow.web.charts.rows import Row
from hedgerow.web.charts.spec import Cell, Chart, Column, HeatCell, HeatRow, Hours, Table

KIND = "CalendarHeatmapQuery"
DISPLAY = "CalendarHeatmap"
STEPS = 9
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def asked(query: Row) -> bool:
    """Return whether a question's answer is a heat map, in either of its spellings."""
    display = (query.get("trendsFilter") or {}).get("display")
    return query.get("kind") == KIND or (
        query.get("kind") == "TrendsQuery" and display == DISPLAY
    )


def chart(results: Mapping[str, Any]) -> Chart:
    """Return what to draw; ``results`` holds at least one cell."""
    cells = {(one["column"], one["row"]): one["value"] for one in results["data"]}
    by_day = {one["row"]: one["value"] for one in results["rowAggregations"]}
    by_hour = {one["column"]: one["value"] for one in results["columnAggregations"]}
    days = range(1, len(DAYS) + 1)
    rows = [
        [
            Cell(text=f"{hour:02}:00"),
            *(_cell(cells.get((hour, day))) for day in days),
            _cell(by_hour.get(hour)),
        ]
        for hour in range(24)
    ]
    whole = results["allAggregations"]
    rows.append([Cell(text="All"), *(_cell(by_day.get(day)) for day in days), _cell(whole)])
    hour, day = max(cells, key=lambda place: (cells[place], place))
    high = max(cells.values())
    return Hours(
        summary=f"{words.exact(whole)} in all, most on {DAYS[day - 1]} at {hour:02}:00.",
        table=Table(
            columns=[
                Column(name="Hour"),
                *(Column(name=name, number=True) for name in (*DAYS, "All")),
            ],
            rows=rows,
        ),
        columns=list(DAYS),
        rows=[
            HeatRow(
                name=f"{hour:02}:00",
                size=words.exact(by_hour.get(hour)),
                cells=[
                    _heat(cells.get((hour, one)), high, f"{DAYS[one - 1]} {hour:02}:00")
                    for one in days
                ],
            )
            for hour in range(24)
        ],
        foot=[words.exact(by_day.get(one)) for one in days] + [words.exact(whole)],
        high=words.compact(high),
    )


def _heat(value: float | None, high: float, place: str) -> HeatCell:
    """Return a cell; its step grows evenly with the value, 0 is none."""
    shown = value or 0
    step = max(math.ceil(shown / high * STEPS), 1) if shown > 0 and high > 0 else 0
    return HeatCell(
        text=words.compact(shown) if shown else "",
        title=f"{place}: {words.exact(shown)}",
        step=step,
    )


def _cell(value: float | None) -> Cell:
    return Cell(text=words.exact(value), dim=value is None)
