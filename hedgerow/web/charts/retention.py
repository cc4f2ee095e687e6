"""A retention answer → the mean curve and a triangle of shares.

Column 0 is everybody, so its colour says nothing and is grey; the scale of the others
spans from the least to the greatest share. A cell whose period is not over can still
rise: it is hatched and left out of the mean. A cell that lies ahead is not drawn.
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
    HeatCell,
    HeatRow,
    Nothing,
    Plot,
    Series,
    Table,
    Triangle,
)

STEPS = 9
UNITS = {"Hour": "hour", "Day": "day", "Week": "week", "Month": "month"}


def chart(query: Row, results: Sequence[Row], *, now: datetime) -> Chart:
    """Return what to draw for a RetentionQuery's rows; ``now`` in the project's zone."""
    if not any(row["values"] and row["values"][0]["count"] for row in results):
        return Nothing(
            summary="Nobody started in this period.",
            what="Nobody started in this period",
            why="Widen the period, or choose another event to start from.",
        )
    unit = UNITS[(query.get("retentionFilter") or {}).get("period") or "Day"]
    width = len(results[0]["values"])
    states = [_states(row, unit, now) for row in results]
    shares = [_shares(row) for row in results]
    means = [_mean(results, states, k) for k in range(width)]
    ends = [
        s
        for row, state in zip(shares, states, strict=True)
        for k, s in enumerate(row)
        if k and s is not None and state[k] != "ahead"
    ]
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    columns = [f"{unit.capitalize()} {k}" for k in range(width)]
    rows = [
        HeatRow(
            name="Weighted mean",
            size=words.exact(sum(int(r["values"][0]["count"]) for r in results)),
            cells=[
                _cell(mean, "done", k, (low, high), "mean") for k, mean in enumerate(means)
            ],
            mean=True,
        ),
        *[
            _row(row, i, shares[i], states[i], (low, high), unit)
            for i, row in enumerate(results)
        ],
    ]
    return Triangle(
        summary=_sentence(means, unit),
        table=_table(results, shares, states, columns, unit),
        curve=_curve(means, columns),
        columns=columns,
        rows=rows,
        low=words.percent(low, digits=0),
        high=words.percent(high, digits=0),
        headline=words.percent(means[1] if len(means) > 1 else 1.0),
        sentence=_sentence(means, unit),
    )


def _states(row: Row, unit: str, now: datetime) -> list[str]:
    """Return for each column whether its period is over, under way, or ahead."""
    start = datetime.fromisoformat(str(row["date"])).replace(tzinfo=None)
    clock, found = now.replace(tzinfo=None), []
    for _ in row["values"]:
        end = words.bucket_end(start, unit)
        found.append("done" if end <= clock else "part" if start <= clock else "ahead")
        start = end
    return found


def _shares(row: Row) -> list[float | None]:
    first = row["values"][0]["count"]
    return [value["count"] / first if first else None for value in row["values"]]


def _mean(results: Sequence[Row], states: Sequence[Sequence[str]], k: int) -> float | None:
    done = [
        r for r, state in zip(results, states, strict=True) if state[k] == "done" or not k
    ]
    whole = sum(row["values"][0]["count"] for row in done)
    return sum(row["values"][k]["count"] for row in done) / whole if whole else None


def _step(share: float, low: float, high: float) -> int:
    if high <= low:
        return STEPS // 2 + 1
    return min(1 + int((share - low) / (high - low) * STEPS), STEPS)


def _cell(
    share: float | None, state: str, k: int, ends: tuple[float, float], title: str
) -> HeatCell:
    if share is None or (state == "ahead" and k):
        return HeatCell(text="", title="", step=None)
    return HeatCell(
        text=f"{share * 100:.1f}" if k else f"{share * 100:.0f}",
        title=f"{words.percent(share)} {title}",
        step=_step(share, *ends) if k else 0,
        part=state == "part" and k > 0,
    )


def _row(
    row: Row,
    index: int,
    shares: Sequence[float | None],
    states: Sequence[str],
    ends: tuple[float, float],
    unit: str,
) -> HeatRow:
    cells = []
    for k, (share, state) in enumerate(zip(shares, states, strict=True)):
        count = row["values"][k]["count"]
        asked: dict[str, Any] = {"interval": index}
        if row.get("breakdown_value") is not None:
            asked["breakdown"] = [row["breakdown_value"]]
        made = _cell(share, state, k, ends, f"({words.exact(count)} persons)")
        cells.append(
            HeatCell(
                text=made.text,
                title=made.title,
                step=made.step,
                part=made.part,
                who=None if made.step is None else asked,
            )
        )
    return HeatRow(
        name=_row_name(row, unit), size=words.exact(row["values"][0]["count"]), cells=cells
    )


def _row_name(row: Row, unit: str) -> str:
    name = words.bucket(str(row["date"]), unit)
    value = row.get("breakdown_value")
    return name if value is None else f"{words.value_name(value)} · {name}"


def _curve(means: Sequence[float | None], columns: Sequence[str]) -> Plot:
    data = [None if mean is None else round(mean * 100, 2) for mean in means]
    while data and data[-1] is None:
        data.pop()
    labels = [columns[0], *[str(k) for k in range(1, len(data))]]
    return Plot(
        form="area",
        summary="Mean share that came back, by period after the first.",
        table=Table(columns=[], rows=[]),
        x=labels,
        labels=labels,
        series=[
            Series(name="Weighted mean", hue="s1", data=[*data], total=0, total_text="")
        ],
        unit="percent",
    )


def _sentence(means: Sequence[float | None], unit: str) -> str:
    told = [
        f"{words.percent(means[k])} after {k} {unit}{'s' if k > 1 else ''}"
        for k in (1, 4, len(means) - 1)
        if k < len(means) and means[k] is not None
    ]
    kept = list(dict.fromkeys(told))
    return f"Came back: {', '.join(kept)}." if kept else "Too early to say who came back."


def _table(
    results: Sequence[Row],
    shares: Sequence[Sequence[float | None]],
    states: Sequence[Sequence[str]],
    columns: Sequence[str],
    unit: str,
) -> Table:
    head = [Column(name=f"Started, {unit} of"), Column(name="Persons", number=True)]
    rows = [
        [
            Cell(text=_row_name(row, unit), value=str(row["date"])),
            Cell(
                text=words.exact(row["values"][0]["count"]), value=row["values"][0]["count"]
            ),
            *[
                Cell(text="", value=None)
                if states[i][k] == "ahead"
                else Cell(
                    text=words.percent(share),
                    value=row["values"][k]["count"],
                    dim=states[i][k] == "part",
                )
                for k, share in enumerate(shares[i])
            ],
        ]
        for i, row in enumerate(results)
    ]
    return Table(
        columns=[*head, *[Column(name=c, number=True) for c in columns]], rows=rows
    )
