"""``RetentionQuery`` as it is written (``insights-retention-cohorts`` §1.1)."""

from typing import Annotated, Any, Literal

import msgspec

from hedgerow.query.definitions_filters import PropertyFilter
from hedgerow.query.definitions_nodes import BreakdownFilter, InsightQuestion

Positive = Annotated[int, msgspec.Meta(ge=1)]


class RetentionEntity(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """The event that starts, or that counts as coming back. ``id`` None: any event."""

    id: str | None = None
    name: str | None = None
    type: Literal["events"] | None = "events"
    kind: Literal["EventsNode"] | None = None
    properties: list[PropertyFilter] | None = None
    order: Any = None
    """No effect."""

    uuid: Any = None
    """No effect."""

    custom_name: str | None = None
    """Display only."""


PAGEVIEW = RetentionEntity(id="$pageview")


class RetentionFilter(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"
):
    """``retentionFilter``: periods, entities and what counts as coming back."""

    period: Literal["Hour", "Day", "Week", "Month"] | None = "Day"
    total_intervals: Positive | None = 8
    target_entity: RetentionEntity | None = PAGEVIEW
    returning_entity: RetentionEntity | None = PAGEVIEW
    retention_type: (
        Literal[
            "retention_recurring",
            "retention_first_time",
            "retention_first_ever_occurrence",
        ]
        | None
    ) = "retention_recurring"
    cumulative: bool | None = False
    minimum_occurrences: Positive | None = 1
    time_window_mode: Literal["strict_calendar_dates", "24_hour_windows"] | None = (
        "strict_calendar_dates"
    )
    retention_custom_brackets: list[Positive] | None = None
    aggregation_type: Literal["count", "sum", "avg"] | None = "count"
    aggregation_property: str | None = None
    aggregation_property_type: Literal["event", "person"] | None = "event"
    retention_reference: Any = None
    """No effect; nor has any of the following: they are the screen's."""

    mean_retention_calculation: Any = None
    show_mean: Any = None
    display: Any = None
    dashboard_display: Any = None
    show_trend_lines: Any = None
    selected_interval: Any = None


class RetentionQuery(
    InsightQuestion, frozen=True, kw_only=True, tag_field="kind", tag="RetentionQuery"
):
    """Who came back."""

    retention_filter: RetentionFilter | None = msgspec.field(
        default=None, name="retentionFilter"
    )
    breakdown_filter: BreakdownFilter | None = msgspec.field(
        default=None, name="breakdownFilter"
    )
