"""Total values of a trend → a number, a ranking or a ring.

A number may have the shape of the same figure by day under it, and its change against the
period before; the change is told without judging it. A ring has at most five parts, since
nobody can read more.
"""

from collections.abc import Sequence

from hedgerow.web.charts import words
from hedgerow.web.charts.rows import Row, breakdown_name, hues, names, who
from hedgerow.web.charts.spec import Cell, Column, Number, Part, Ranking, Ring, Table

SHOWN = 8
"""Bars of a ranking; the rest is in the table."""

CIRCUMFERENCE = 2 * 3.141592653589793 * 54
"""Of the ring in the template: radius 54."""

GAP = 2.5


def number(results: Sequence[Row], *, line: Sequence[Row] = (), note: str = "") -> Number:
    """Return one figure. ``line`` is the same asked by day: its shape stands under it."""
    current = [r for r in results if r.get("compare_label") != "previous"]
    past = [r for r in results if r.get("compare_label") == "previous"]
    value = float((current[0].get("aggregated_value") if current else 0) or 0)
    before = float(past[0].get("aggregated_value") or 0) if past else None
    points, end, labels = _spark(line)
    share = (value - before) / before if before else None
    difference = value - (before or 0)
    return Number(
        summary=f"{words.exact(value)}. {note}".strip(),
        table=Table(
            columns=[Column(name="Figure"), Column(name="Value", number=True)],
            rows=[
                [Cell(text=_period(r)), Cell(text=words.exact(v), value=v, who=who(r))]
                for r in results
                for v in [r.get("aggregated_value") or 0]
            ],
        ),
        text=words.compact(value),
        exact=words.exact(value),
        change=None if share is None else words.percent(abs(share)),
        direction="same"
        if not difference or before is None
        else ("up" if difference > 0 else "down"),
        note=note if before is None else _difference(difference, note),
        spark=points,
        spark_end=end,
        spark_labels=labels,
        who=who(current[0]) if current else None,
    )


def _period(row: Row) -> str:
    label = row.get("compare_label")
    name = names([row])[0]
    return f"{name}, {label}" if label else name


def _difference(difference: float, note: str) -> str:
    if not difference:
        return f"as many as in the {note}" if note else "no change"
    more = "more" if difference > 0 else "fewer"
    return f"{words.exact(abs(difference))} {more} than in the {note or 'period before'}"


def _spark(line: Sequence[Row]) -> tuple[str, tuple[float, float], tuple[str, str]]:
    data = [float(v or 0) for v in (line[0].get("data") or [])] if line else []
    if len(data) < 2 or not any(data):
        return "", (0, 0), ("", "")
    low, high = min(data), max(data)
    spread = (high - low) or 1
    points = [
        (round(i * 1000 / (len(data) - 1), 1), round(900 - (v - low) / spread * 800, 1))
        for i, v in enumerate(data)
    ]
    days = [str(d) for d in line[0]["days"]]
    labels = (
        f"{words.bucket(days[0], 'day')}, {words.exact(data[0])}",
        words.bucket(days[-1], "day"),
    )
    return " ".join(f"{x},{y}" for x, y in points), points[-1], labels


def parts(rows: Sequence[Row]) -> list[Part]:
    """Return the bars or pieces of total values, with shares of their sum."""
    values = [float(row.get("aggregated_value") or 0) for row in rows]
    whole, widest = sum(values), max(values, default=0)
    made, at = [], 0.0
    for row, value, hue, name in zip(rows, values, hues(rows), names(rows), strict=True):
        share = value / whole if whole else 0
        arc = max(
            share * CIRCUMFERENCE - (GAP if len(rows) > 1 else 0), 0.5 if value else 0
        )
        made.append(
            Part(
                name=name,
                hue=hue,
                value=value,
                text=words.compact(value),
                exact=words.exact(value),
                share=words.percent(share),
                width=round(value / widest * 100, 1) if widest else 0,
                arc=round(arc, 1),
                offset=round(-at, 1),
                who=who(row),
            )
        )
        at += share * CIRCUMFERENCE
    return made


def totals_table(query: Row, rows: Sequence[Row]) -> Table:
    """Return a row for each value with its share."""
    made = parts(rows)
    return Table(
        columns=[
            Column(name=breakdown_name(query)),
            Column(name="Value", number=True),
            Column(name="Share", number=True),
        ],
        rows=[
            [
                Cell(text=part.name, value=part.name, hue=part.hue),
                Cell(text=part.exact, value=part.value, who=part.who),
                Cell(text=part.share, value=part.value),
            ]
            for part in made
        ],
    )


def sentence(rows: Sequence[Row]) -> str:
    """Return the largest values in words."""
    made = parts(rows)
    told = ", ".join(f"{part.name} {part.exact} ({part.share})" for part in made[:3])
    rest = f", and {len(made) - 3} more" if len(made) > 3 else ""
    return f"{told}{rest}." if made else "Nothing in this period."


def ranking(query: Row, rows: Sequence[Row]) -> Ranking:
    """Return a list of bars; hours and weekdays in the order of the clock."""
    rows = _by_clock(query, rows)
    shown = len(rows) if _is_clock(query) else SHOWN
    return Ranking(
        summary=sentence(rows),
        table=totals_table(query, rows),
        parts=parts(rows)[:shown],
        more=max(len(rows) - shown, 0),
    )


def _is_clock(query: Row) -> bool:
    by = query.get("breakdownFilter") or {}
    return by.get("breakdown_type") == "hogql" and str(by.get("breakdown")) in (
        "toHour(timestamp)",
        "toDayOfWeek(timestamp)",
    )


def _by_clock(query: Row, rows: Sequence[Row]) -> Sequence[Row]:
    if not _is_clock(query):
        return rows
    return sorted(rows, key=lambda row: float(str(row.get("breakdown_value")) or 0))


def ring(query: Row, rows: Sequence[Row]) -> Ring:
    """Return a ring with its keys beside it."""
    made = parts(rows)
    return Ring(
        summary=sentence(rows),
        table=totals_table(query, rows),
        parts=made,
        total=words.compact(sum(part.value for part in made)),
        total_label="in all",
    )
