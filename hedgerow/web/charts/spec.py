"""What is drawn, as data: one struct for each form a figure can take.

A template chooses the partial by ``kind`` and renders what it is given. Those that the
browser draws (``plot``, ``flow``, ``world``) are handed to it as JSON; all others are HTML and SVG.
Every form carries ``summary``, the sentence a screen reader hears, and ``table``, the same
figures in rows: what stands under the chart, and what is downloaded as CSV.
"""

from typing import Any, Literal

import msgspec


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a table."""

    text: str
    value: Any = None
    """The figure itself, for sorting and for CSV; None: the text is all there is."""

    hue: str | None = None
    """Class of the colour key before the text, such as ``s1``."""

    dim: bool = False
    """Unfinished or beside the point: drawn weaker."""

    who: dict[str, Any] | None = None
    """What asks for the persons behind the figure, added to an actors query."""


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column of a table."""

    name: str
    number: bool = False
    """Set right, in figures of equal width."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Figures in rows."""

    columns: list[Column]
    rows: list[list[Cell]]
    foot: list[Cell] | None = None


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """One line, or one colour of the bars."""

    name: str
    hue: str
    data: list[float | None]
    total: float
    total_text: str
    previous: bool = False
    """Of the period compared with: same hue, dashed."""

    who: dict[str, Any] | None = None


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A vertical mark with a word: something that happened then."""

    at: str
    """An entry of the plot's ``x``."""

    text: str


class Plot(msgspec.Struct, frozen=True, kw_only=True):
    """Values over time or over steps of something; drawn by the browser."""

    kind: Literal["plot"] = "plot"
    form: Literal["lines", "area", "bars", "stacked"]
    summary: str
    table: Table
    x: list[str]
    """The buckets as the answer names them (``days``): what a click asks about."""

    labels: list[str]
    """The same as people read them."""

    series: list[Series]
    unit: Literal["count", "percent", "seconds"] = "count"
    unfinished: int | None = None
    """Index of the first bucket that has not ended yet."""

    unfinished_text: str = ""
    previous_labels: list[str] = []
    marks: list[Mark] = []
    log: bool = False
    weekends: list[int] = []
    """Indexes of the buckets that are a Saturday or a Sunday."""


class Number(msgspec.Struct, frozen=True, kw_only=True):
    """One large figure, its change, and how it came about."""

    kind: Literal["number"] = "number"
    summary: str
    table: Table
    text: str
    exact: str
    change: str | None = None
    """``1.0 %`` without sign; None: nothing to compare with."""

    direction: Literal["up", "down", "same"] = "same"
    note: str = ""
    spark: str = ""
    """Points of a polyline in a box of 1000 by 1000; empty: none."""

    spark_end: tuple[float, float] = (0, 0)
    spark_labels: tuple[str, str] = ("", "")
    who: dict[str, Any] | None = None


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One bar of a ranking or one piece of a ring."""

    name: str
    hue: str
    value: float
    text: str
    exact: str
    share: str
    width: float
    """Per cent of the widest bar."""

    arc: float = 0
    """Length along a ring's circle."""

    offset: float = 0
    who: dict[str, Any] | None = None


class Ranking(msgspec.Struct, frozen=True, kw_only=True):
    """A list of bars."""

    kind: Literal["ranking"] = "ranking"
    summary: str
    table: Table
    parts: list[Part]
    more: int = 0
    """How many further values the table has."""


class Ring(msgspec.Struct, frozen=True, kw_only=True):
    """At most five parts of one whole, with their table."""

    kind: Literal["ring"] = "ring"
    summary: str
    table: Table
    parts: list[Part]
    total: str
    total_label: str


class Grid(msgspec.Struct, frozen=True, kw_only=True):
    """A table as the answer itself."""

    kind: Literal["grid"] = "grid"
    summary: str
    table: Table


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a funnel."""

    number: int
    name: str
    count: str
    of_first: str
    height: float
    """Per cent of the first step."""

    went_on: str
    """Share of the step before."""

    dropped: str
    dropped_share: str
    median: str
    who: dict[str, Any]
    who_dropped: dict[str, Any]


class Steps(msgspec.Struct, frozen=True, kw_only=True):
    """How many went from step to step."""

    kind: Literal["steps"] = "steps"
    summary: str
    table: Table
    rate: str
    sentence: str
    steps: list[Step]
    loss: str = ""
    """Where most are lost, in words; empty: nowhere."""


class HeatCell(msgspec.Struct, frozen=True, kw_only=True):
    """One cell of a triangle or heat map."""

    text: str
    title: str
    step: int | None
    """0 to 9; None: there is nothing there."""

    part: bool = False
    who: dict[str, Any] | None = None


class HeatRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a heat map: name, size, cells."""

    name: str
    size: str
    cells: list[HeatCell]
    mean: bool = False


class Triangle(msgspec.Struct, frozen=True, kw_only=True):
    """Who came back: a mean curve, and each row's own figures under it."""

    kind: Literal["triangle"] = "triangle"
    summary: str
    table: Table
    curve: Plot
    columns: list[str]
    rows: list[HeatRow]
    low: str
    high: str
    headline: str
    sentence: str


class Hours(msgspec.Struct, frozen=True, kw_only=True):
    """A week as a heat map: a row for each hour, a column for each weekday."""

    kind: Literal["hours"] = "hours"
    summary: str
    table: Table
    columns: list[str]
    rows: list[HeatRow]
    foot: list[str]
    """Sums of the weekdays, then of everything."""

    high: str


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One country of a map."""

    code: str
    """Two letters, as ISO 3166 has them."""

    step: int
    """0 to 9."""

    text: str
    who: dict[str, Any] | None = None


class World(msgspec.Struct, frozen=True, kw_only=True):
    """Countries coloured by value; drawn by the browser, which has their borders."""

    kind: Literal["world"] = "world"
    summary: str
    table: Table
    places: list[Place]
    high: str


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """One stop of a path."""

    key: str
    name: str
    depth: int
    text: str


class Edge(msgspec.Struct, frozen=True, kw_only=True):
    """How many went from one stop to the next."""

    source: str
    target: str
    value: float
    text: str
    who: dict[str, Any]


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """Paths, as streams between stops; drawn by the browser."""

    kind: Literal["flow"] = "flow"
    summary: str
    table: Table
    nodes: list[Node]
    edges: list[Edge]


class Nothing(msgspec.Struct, frozen=True, kw_only=True):
    """There is nothing to draw, and why."""

    kind: Literal["nothing"] = "nothing"
    summary: str
    what: str
    why: str
    table: Table = Table(columns=[], rows=[])


Chart = (
    Plot
    | Number
    | Ranking
    | Ring
    | Grid
    | Steps
    | Triangle
    | Hours
    | World
    | Flow
    | Nothing
)
