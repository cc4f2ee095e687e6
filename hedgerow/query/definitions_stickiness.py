"""``StickinessQuery`` and its actors as written (``insights-retention-cohorts`` §2)."""

from typing import Annotated, Any, Literal

import msgspec

from hedgerow.query.definitions_filters import Where
from hedgerow.query.definitions_nodes import CompareFilter, Dates, EventsNode, Question

Criterion = Literal["gte", "lte", "exact"]


class StickinessCriteria(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """How many events of one actor make a period active."""

    operator: Criterion
    value: int


class StickinessFilter(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"
):
    """``stickinessFilter``: criteria, and exactly or at least n periods."""

    stickiness_criteria: StickinessCriteria | None = None
    computed_as: Literal["non_cumulative", "cumulative"] | None = "non_cumulative"
    display: Any = None
    """No effect; nor has any of the following: they are the screen's."""

    show_legend: Any = None
    show_values_on_series: Any = None
    show_multiple_y_axes: Any = None
    hidden_legend_indexes: Any = None
    result_customizations: Any = None
    result_customization_by: Any = None


class StickinessQuery(
    Question, frozen=True, kw_only=True, tag_field="kind", tag="StickinessQuery"
):
    """On how many days each actor did it."""

    series: Annotated[list[EventsNode], msgspec.Meta(min_length=1)]
    interval: Literal["minute", "hour", "day", "week", "month"] | None = "day"
    interval_count: Annotated[int, msgspec.Meta(ge=1)] | None = msgspec.field(
        default=None, name="intervalCount"
    )
    date_range: Dates | None = msgspec.field(default=None, name="dateRange")
    properties: Where = None
    filter_test_accounts: bool | None = msgspec.field(
        default=False, name="filterTestAccounts"
    )
    sampling_factor: float | None = msgspec.field(default=None, name="samplingFactor")
    """No effect: answers are exact."""

    compare_filter: CompareFilter | None = msgspec.field(default=None, name="compareFilter")
    stickiness_filter: StickinessFilter | None = msgspec.field(
        default=None, name="stickinessFilter"
    )


class StickinessActorsQuery(
    Question, frozen=True, kw_only=True, tag_field="kind", tag="StickinessActorsQuery"
):
    """Who was active in ``day`` periods."""

    source: StickinessQuery
    day: int | str | None = None
    operator: Criterion | None = "exact"
    series: int | None = 0
    compare: Literal["current", "previous"] | None = None
