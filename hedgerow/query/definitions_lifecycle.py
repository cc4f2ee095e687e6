"""``LifecycleQuery`` as it is written (``insights-retention-cohorts`` §3.1)."""

from typing import Annotated, Any, Literal

import msgspec

from hedgerow.query.definitions_nodes import EventsNode, InsightQuestion


class LifecycleFilter(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"
):
    """``lifecycleFilter``: display only."""

    toggled_lifecycles: Any = None
    show_legend: Any = None
    show_values_on_series: Any = None
    stacked: Any = None


class LifecycleQuery(
    InsightQuestion, frozen=True, kw_only=True, tag_field="kind", tag="LifecycleQuery"
):
    """New, returning, resurrecting and dormant actors."""

    series: Annotated[list[EventsNode], msgspec.Meta(min_length=1)]
    interval: Literal["hour", "day", "week", "month"] | None = "day"
    lifecycle_filter: LifecycleFilter | None = msgspec.field(
        default=None, name="lifecycleFilter"
    )
