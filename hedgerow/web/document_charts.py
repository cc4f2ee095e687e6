"""The charts of a printed dashboard, in the light hues of the screens.

Lines, areas and bars over time; bars for rankings, rings and funnels; a large number. What
has no form of its own on paper (paths, tables) is its table, which stands under every chart.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hedgerow.web.charts import words
from hedgerow.web.charts.spec import Chart, Number, Plot, Series

HUES: Mapping[str, tuple[int, int, int]] = {
    "s0": (150, 152, 150), "s1": (37, 106, 67), "s2": (49, 124, 201), "s3": (189, 139, 2),
    "s4": (107, 6, 88), "s5": (230, 103, 128), "s6": (31, 55, 138), "s7": (30, 162, 176),
    "s8": (125, 81, 137), "s9": (194, 98, 33), "s10": (84, 58, 19), "o1": (17, 80, 49),
    "o2": (66, 125, 69), "o3": (141, 151, 64), "o4": (187, 170, 93), "o5": (211, 189, 138),
    "o6": (222, 208, 181), "o7": (228, 222, 211),
}  # fmt: skip
INK, DIM, PALE, GROUND = (32, 38, 34), (96, 104, 98), (226, 229, 224), (184, 170, 148)
HEIGHT, LEFT, BAR = 48.0, 14.0, 6.5
"""Millimetres: of a plot, left of it for its axis, and a bar with its gap."""

MINUS = "\N{MINUS SIGN}"
MOST_BARS = 12


def draw(paper: Any, chart: Chart) -> None:
    """Draw what a chart shows at the place the paper is at, and go below it."""
    match chart.kind:
        case "plot":
            _plot(paper, chart)
        case "triangle":
            _plot(paper, chart.curve)
        case "number":
            _number(paper, chart)
        case "ranking" | "ring":
            _bars(paper, [(p.name, p.text, p.value, p.hue) for p in chart.parts])
        case "steps":
            found = [
                (
                    f"{step.number}  {step.name}",
                    f"{step.count}  {step.of_first}",
                    step.height,
                )
                for step in chart.steps
            ]
            _bars(paper, [(*one, "s1") for one in found])
        case _:
            return  # its table says it all


def _number(paper: Any, chart: Number) -> None:
    paper.ink(26)
    paper.lines(chart.text, 11)
    if chart.change:
        sign = {"up": "+", "down": MINUS, "same": ""}[chart.direction]
        paper.ink(9, DIM)
        paper.lines(f"{sign}{chart.change} {chart.note}", 5)


def _bars(paper: Any, bars: Sequence[tuple[str, str, float, str]]) -> None:
    """Draw a list of bars, each with its name before and its figure after it."""
    widest = max((value for _, _, value, _ in bars), default=0) or 1
    named, figured = paper.epw * 0.34, paper.epw * 0.2
    room = paper.epw - named - figured
    for name, text, value, hue in bars[:MOST_BARS]:
        paper.room(BAR)
        top = paper.get_y()
        paper.ink(9)
        paper.cell(w=named, h=BAR, text=paper.fitted(name, named))
        paper.set_fill_color(*PALE)
        paper.rect(paper.l_margin + named, top + 1, room, BAR - 2, style="F")
        paper.set_fill_color(*HUES.get(hue, HUES["s1"]))
        wide = room * max(value, 0) / widest
        paper.rect(paper.l_margin + named, top + 1, wide, BAR - 2, style="F")
        paper.set_xy(paper.l_margin + named + room, top)
        paper.cell(w=figured, h=BAR, text=paper.fitted(text, figured), align="R")
        paper.set_xy(paper.l_margin, top + BAR)


class _Frame:
    """Where a value of a plot lies on the paper, in millimetres."""

    def __init__(self, paper: Any, plot: Plot) -> None:
        self.top: float = paper.get_y() + 2
        self.left: float = paper.l_margin + LEFT
        self.width: float = paper.epw - LEFT
        self.count = max(len(plot.x), 1)
        values = _stacks(plot) if plot.form in {"stacked", "area"} else _values(plot)
        self.high, self.low = max([*values, 0.0]) or 1.0, min([*values, 0.0])

    def y(self, value: float) -> float:
        return self.top + HEIGHT * (self.high - value) / (self.high - self.low)

    def x(self, place: float) -> float:
        """``place``: index of a bucket; its middle."""
        return self.left + self.width * (place + 0.5) / self.count


def _values(plot: Plot) -> list[float]:
    return [value for one in plot.series for value in one.data if value is not None]


def _stacks(plot: Plot) -> list[float]:
    """Return how high and how deep the parts of each bucket reach together."""
    columns = [
        [one.data[i] or 0 for one in plot.series if not one.previous and i < len(one.data)]
        for i in range(len(plot.x))
    ]
    ups = [sum(value for value in column if value > 0) for column in columns]
    return ups + [sum(value for value in column if value < 0) for column in columns]


def _plot(paper: Any, plot: Plot) -> None:
    paper.room(HEIGHT + 16)
    frame = _Frame(paper, plot)
    _axis(paper, frame, plot)
    if plot.form in {"stacked", "area"}:
        _stacked(paper, frame, plot.series)
    elif plot.form == "bars":
        _side_by_side(paper, frame, plot.series)
    else:
        for one in plot.series:
            _line(paper, frame, one)
    paper.set_draw_color(*GROUND)
    paper.set_line_width(0.4)
    paper.line(frame.left, frame.y(0), frame.left + frame.width, frame.y(0))
    _labels(paper, frame, plot)
    _legend(paper, plot)


def _axis(paper: Any, frame: _Frame, plot: Plot) -> None:
    shown = {"percent": lambda v: words.percent(v / 100), "seconds": words.duration}
    paper.ink(7, DIM)
    paper.set_draw_color(*PALE)
    paper.set_line_width(0.15)
    for quarter in range(1, 5):
        value = frame.high * quarter / 4
        y = frame.y(value)
        paper.line(frame.left, y, frame.left + frame.width, y)
        if quarter % 2 == 0:
            paper.set_xy(paper.l_margin, y - 2)
            text = shown.get(plot.unit, words.compact)(value)
            paper.cell(w=LEFT - 1, h=4, text=text, align="R")


def _line(paper: Any, frame: _Frame, one: Series) -> None:
    paper.set_draw_color(*HUES.get(one.hue, HUES["s1"]))
    paper.set_line_width(0.3 if one.previous else 0.55)
    if one.previous:
        paper.set_dash_pattern(dash=1.4, gap=1)
    before: tuple[float, float] | None = None
    for i, value in enumerate(one.data[: frame.count]):
        at = None if value is None else (frame.x(i), frame.y(value))
        if at is not None and before is not None:
            paper.line(*before, *at)
        before = at
    paper.set_dash_pattern()


def _stacked(paper: Any, frame: _Frame, series: Sequence[Series]) -> None:
    wide = frame.width / frame.count * 0.72
    ups, downs = [0.0] * frame.count, [0.0] * frame.count
    for one in series:
        if one.previous:
            _line(paper, frame, one)
            continue
        paper.set_fill_color(*HUES.get(one.hue, HUES["s1"]))
        for i, value in enumerate(one.data[: frame.count]):
            sums = ups if (value or 0) >= 0 else downs
            start, sums[i] = sums[i], sums[i] + (value or 0)
            _bar(paper, frame.x(i) - wide / 2, wide, (frame.y(start), frame.y(sums[i])))


def _side_by_side(paper: Any, frame: _Frame, series: Sequence[Series]) -> None:
    slot = frame.width / frame.count * 0.72
    wide = slot / max(len(series), 1)
    for number, one in enumerate(series):
        paper.set_fill_color(*HUES.get(one.hue, HUES["s1"]))
        for i, value in enumerate(one.data[: frame.count]):
            left = frame.x(i) - slot / 2 + number * wide
            _bar(paper, left, wide, (frame.y(0), frame.y(value or 0)))


def _bar(paper: Any, left: float, wide: float, ends: tuple[float, float]) -> None:
    if ends[0] != ends[1]:
        paper.rect(left, min(ends), wide, abs(ends[0] - ends[1]), style="F")


def _labels(paper: Any, frame: _Frame, plot: Plot) -> None:
    """Name the first, the last and two buckets between."""
    last = len(plot.labels) - 1
    paper.ink(7, DIM)
    for place in sorted({0, round(last / 3), round(last * 2 / 3), last}):
        if place < 0:
            continue
        x = min(max(frame.x(place) - 15, frame.left), frame.left + frame.width - 30)
        align = "L" if place == 0 else "R" if place == last else "C"
        paper.set_xy(x, frame.top + HEIGHT + 1)
        paper.cell(w=30, h=4, text=paper.fitted(plot.labels[place], 30), align=align)
    paper.set_xy(paper.l_margin, frame.top + HEIGHT + 6)


def _legend(paper: Any, plot: Plot) -> None:
    """Name each line with its colour, as many in a row as there is room for."""
    paper.ink(8)
    for one in [one for one in plot.series if not one.previous][:MOST_BARS]:
        text = paper.fitted(f"{one.name}  {one.total_text}".strip(), 84)
        wide = paper.get_string_width(text) + 9
        if paper.get_x() + wide > paper.w - paper.r_margin:
            paper.set_xy(paper.l_margin, paper.get_y() + 5)
        paper.set_fill_color(*HUES.get(one.hue, HUES["s1"]))
        paper.rect(paper.get_x(), paper.get_y() + 1.2, 2.4, 2.4, style="F")
        paper.set_x(paper.get_x() + 3)
        paper.cell(w=wide - 3, h=5, text=text)
    paper.set_xy(paper.l_margin, paper.get_y() + 6)
