"""``FunnelsQuery``, its actors and correlations, as they are written.

The meaning of each field is in ``insights-funnels-paths`` §1 and §8.
"""

from typing import Any, Literal

import msgspec

from hedgerow.query.definitions_nodes import (
    BreakdownFilter,
    CompareFilter,
    EventsNode,
    InsightQuestion,
    Interval,
    Question,
)


class FunnelExclusion(
    EventsNode, frozen=True, kw_only=True, tag_field="kind", tag="EventsNode"
):
    """An event that must not happen between two steps (0-based)."""

    from_step: int = msgspec.field(name="funnelFromStep")
    to_step: int = msgspec.field(name="funnelToStep")


FunnelAttribution = Literal["first_touch", "last_touch", "all_events", "step"]


class FunnelsFilter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``funnelsFilter``: order, window and shape of the answer."""

    viz_type: Literal["steps", "time_to_convert", "trends", "flow"] | None = msgspec.field(
        default="steps", name="funnelVizType"
    )
    order_type: Literal["ordered", "strict", "unordered"] | None = msgspec.field(
        default="ordered", name="funnelOrderType"
    )
    window_interval: int | None = msgspec.field(default=14, name="funnelWindowInterval")
    """None, 0 and negative mean 14."""

    window_unit: Literal["second", "minute", "hour", "day", "week", "month"] | None = (
        msgspec.field(default="day", name="funnelWindowIntervalUnit")
    )
    from_step: int | None = msgspec.field(default=None, name="funnelFromStep")
    to_step: int | None = msgspec.field(default=None, name="funnelToStep")
    exclusions: list[FunnelExclusion] | None = None
    attribution_type: FunnelAttribution | None = msgspec.field(
        default="first_touch", name="breakdownAttributionType"
    )
    attribution_value: int | str | None = msgspec.field(
        default=0, name="breakdownAttributionValue"
    )
    """0-based step; a numeric text is accepted."""

    aggregate_by_hogql: str | None = msgspec.field(
        default=None, name="funnelAggregateByHogQL"
    )
    bin_count: int | None = msgspec.field(default=None, name="binCount")
    step_reference: Any = msgspec.field(default=None, name="funnelStepReference")
    """No effect; nor has any of the following: they are the screen's."""

    layout: Any = None
    hidden_legend_breakdowns: Any = msgspec.field(
        default=None, name="hiddenLegendBreakdowns"
    )
    result_customizations: Any = msgspec.field(default=None, name="resultCustomizations")
    goal_lines: Any = msgspec.field(default=None, name="goalLines")
    show_values_on_series: Any = msgspec.field(default=None, name="showValuesOnSeries")
    use_udf: Any = msgspec.field(default=None, name="useUdf")


class FunnelsQuery(
    InsightQuestion, frozen=True, kw_only=True, tag_field="kind", tag="FunnelsQuery"
):
    """How far actors get through steps."""

    series: list[EventsNode]
    interval: Interval | None = "day"
    breakdown_filter: BreakdownFilter | None = msgspec.field(
        default=None, name="breakdownFilter"
    )
    compare_filter: CompareFilter | None = msgspec.field(default=None, name="compareFilter")
    funnels_filter: FunnelsFilter | None = msgspec.field(default=None, name="funnelsFilter")


class FunnelsActorsQuery(
    Question, frozen=True, kw_only=True, tag_field="kind", tag="FunnelsActorsQuery"
):
    """Who reached, or did not reach, a step (1-based)."""

    source: FunnelsQuery
    step: int | None = msgspec.field(default=None, name="funnelStep")
    step_breakdown: str | int | float | list[str | int | float] | None = msgspec.field(
        default=None, name="funnelStepBreakdown"
    )
    trends_period_start: str | None = msgspec.field(
        default=None, name="funnelTrendsEntrancePeriodStart"
    )
    trends_drop_off: bool | None = msgspec.field(default=None, name="funnelTrendsDropOff")
    include_recordings: bool | None = msgspec.field(default=None, name="includeRecordings")


class FunnelPathsFilter(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """``funnelPathsFilter``: only what a funnel's actors did around one of its steps."""

    path_type: Literal[
        "funnel_path_before_step", "funnel_path_after_step", "funnel_path_between_steps"
    ] = msgspec.field(name="funnelPathType")
    source: FunnelsQuery = msgspec.field(name="funnelSource")
    step: int = msgspec.field(name="funnelStep")
    """1-based; negative for those who stopped before it."""


class FunnelCorrelationQuery(
    Question, frozen=True, kw_only=True, tag_field="kind", tag="FunnelCorrelationQuery"
):
    """What those who converted did more often than those who did not."""

    source: FunnelsActorsQuery
    correlation_type: Literal["events", "properties", "event_with_properties"] = (
        msgspec.field(name="funnelCorrelationType")
    )
    exclude_event_names: list[str] | None = msgspec.field(
        default=None, name="funnelCorrelationExcludeEventNames"
    )
    event_names: list[str] | None = msgspec.field(
        default=None, name="funnelCorrelationEventNames"
    )
    event_exclude_property_names: list[str] | None = msgspec.field(
        default=None, name="funnelCorrelationEventExcludePropertyNames"
    )
    names: list[str] | None = msgspec.field(default=None, name="funnelCorrelationNames")
    exclude_names: list[str] | None = msgspec.field(
        default=None, name="funnelCorrelationExcludeNames"
    )
