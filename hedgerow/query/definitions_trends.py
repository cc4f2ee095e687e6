"""``TrendsQuery`` as it is written (``insights-trends`` §2)."""

from typing import Annotated, Any, Literal

import msgspec

from hedgerow.query.definitions_nodes import (
    BreakdownFilter,
    CompareFilter,
    EventsNode,
    InsightQuestion,
    Interval,
)

Display = Literal[
    "ActionsLineGraph",
    "ActionsBar",
    "ActionsStackedBar",
    "ActionsUnstackedBar",
    "ActionsAreaGraph",
    "ActionsLineGraphCumulative",
    "BoldNumber",
    "ActionsPie",
    "ActionsBarValue",
    "ActionsTable",
    "WorldMap",
    "CalendarHeatmap",
]

TOTAL_VALUE = frozenset(
    {"BoldNumber", "ActionsPie", "ActionsBarValue", "ActionsTable", "WorldMap"}
)
"""Displays with one number a row over the whole range."""


class FormulaNode(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A formula over series A, B, C … and what to call it."""

    formula: str
    custom_name: str | None = None


class TrendsFilter(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"
):
    """``trendsFilter``: how numbers are added up and shown."""

    display: Display | None = "ActionsLineGraph"
    formula: str | None = None
    formulas: list[str] | None = None
    formula_nodes: list[FormulaNode] | None = msgspec.field(
        default=None, name="formulaNodes"
    )
    """Win over ``formulas``, which win over ``formula``."""

    smoothing_intervals: Annotated[int, msgspec.Meta(ge=1)] | None = msgspec.field(
        default=1, name="smoothingIntervals"
    )
    breakdown_histogram_bin_count: Any = msgspec.field(
        default=None, name="breakdown_histogram_bin_count"
    )
    """No effect; nor has any of the following: they are the screen's."""

    show_legend: Any = None
    show_values_on_series: Any = None
    show_labels_on_series: Any = None
    show_percent_stack_view: Any = None
    show_multiple_y_axes: Any = None
    show_alert_threshold_lines: Any = None
    show_trend_lines: Any = None
    show_confidence_intervals: Any = None
    confidence_level: Any = None
    show_moving_average: Any = None
    moving_average_intervals: Any = None
    aggregation_axis_format: Any = None
    aggregation_axis_prefix: Any = None
    aggregation_axis_postfix: Any = None
    decimal_places: Any = None
    min_decimal_places: Any = None
    y_axis_scale_type: Any = None
    hidden_legend_indexes: Any = None
    result_customization_by: Any = None
    result_customizations: Any = None
    goal_lines: Any = None
    detailed_results_aggregation_type: Any = None


class TrendsQuery(
    InsightQuestion, frozen=True, kw_only=True, tag_field="kind", tag="TrendsQuery"
):
    """Counts over time."""

    series: Annotated[list[EventsNode], msgspec.Meta(min_length=1, max_length=26)]
    interval: Interval | None = "day"
    breakdown_filter: BreakdownFilter | None = msgspec.field(
        default=None, name="breakdownFilter"
    )
    compare_filter: CompareFilter | None = msgspec.field(default=None, name="compareFilter")
    trends_filter: TrendsFilter | None = msgspec.field(default=None, name="trendsFilter")
    conversion_goal: None = msgspec.field(default=None, name="conversionGoal")
    """Only null is accepted."""


class CalendarHeatmapQuery(
    InsightQuestion,
    frozen=True,
    kw_only=True,
    tag_field="kind",
    tag="CalendarHeatmapQuery",
):
    """Counts by day of the week and hour of the day; only the first series counts."""

    series: Annotated[list[EventsNode], msgspec.Meta(min_length=1, max_length=26)]
    interval: Interval | None = "day"
    calendar_heatmap_filter: dict[str, Any] | None = msgspec.field(
        default=None, name="calendarHeatmapFilter"
    )
    """No effect."""

    conversion_goal: None = msgspec.field(default=None, name="conversionGoal")
    """Only null is accepted."""
