"""``PathsQuery`` as it is written (``insights-funnels-paths`` §9)."""

from typing import Annotated, Any, Literal

import msgspec

from hedgerow.query.definitions_funnels import FunnelPathsFilter
from hedgerow.query.definitions_nodes import InsightQuestion


class CleaningFilter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One replacement in an item: every match of ``regex`` becomes ``alias``."""

    alias: str | None = None
    regex: str | None = None
    order: int | None = None
    """No effect: rules apply in the order of the list."""


class PathsFilter(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"
):
    """``pathsFilter``: which events are items, and how much is shown."""

    include_event_types: (
        list[Literal["$pageview", "$screen", "custom_event", "hogql"]] | None
    ) = None
    paths_hogql_expression: str | None = msgspec.field(
        default=None, name="pathsHogQLExpression"
    )
    exclude_events: list[str] | None = None
    path_replacements: bool | None = None
    local_path_cleaning_filters: list[CleaningFilter] | None = None
    path_groupings: list[str] | None = None
    start_point: str | None = None
    end_point: str | None = None
    step_limit: Annotated[int, msgspec.Meta(ge=1)] | None = 5
    edge_limit: Annotated[int, msgspec.Meta(ge=1)] | None = 50
    min_edge_weight: int | None = None
    max_edge_weight: int | None = None
    path_start_key: str | None = None
    path_end_key: str | None = None
    path_dropoff_key: str | None = None
    show_full_urls: Any = None
    """No effect: the screen's."""


class PathsQuery(
    InsightQuestion, frozen=True, kw_only=True, tag_field="kind", tag="PathsQuery"
):
    """What people did one after the other."""

    paths_filter: PathsFilter | None = msgspec.field(default=None, name="pathsFilter")
    funnel_paths_filter: FunnelPathsFilter | None = msgspec.field(
        default=None, name="funnelPathsFilter"
    )
