"""Queries that list things: events, actors, names for autocomplete.

Meaning: ``insights-retention-cohorts`` §6 and §7; the persons behind a point of an
insight: §10 of ``insights-trends`` and the like of the other pages.
"""

from typing import Any, Literal

import msgspec

from hedgerow.query.definitions_filters import PropertyFilter, Where
from hedgerow.query.definitions_fleet import FleetActorsQuery
from hedgerow.query.definitions_funnels import FunnelsActorsQuery, FunnelsQuery
from hedgerow.query.definitions_lifecycle import LifecycleQuery
from hedgerow.query.definitions_nodes import GroupTypeIndex, Question
from hedgerow.query.definitions_paths import PathsQuery
from hedgerow.query.definitions_retention import RetentionQuery
from hedgerow.query.definitions_sql import HogQLQuery
from hedgerow.query.definitions_stickiness import StickinessActorsQuery, StickinessQuery
from hedgerow.query.definitions_trends import CalendarHeatmapQuery, TrendsQuery

Insight = (
    TrendsQuery
    | FunnelsQuery
    | RetentionQuery
    | PathsQuery
    | StickinessQuery
    | LifecycleQuery
)


class EventsQuery(Question, frozen=True, kw_only=True, tag_field="kind", tag="EventsQuery"):
    """Single events, newest first, or a table made of them."""

    select: list[str] | None = None
    where: list[str] | None = None
    properties: Where = None
    fixed_properties: Where = msgspec.field(default=None, name="fixedProperties")
    event: str | None = None
    events: list[str] | None = None
    person_id: str | None = msgspec.field(default=None, name="personId")
    filter_test_accounts: bool | None = msgspec.field(
        default=False, name="filterTestAccounts"
    )
    after: str | None = None
    """Default ``-24h``; ``all``: no limit."""

    before: str | None = None
    order_by: list[str] | None = msgspec.field(default=None, name="orderBy")
    limit: int | None = 100
    offset: int | None = 0


class InsightActorsQuery(
    Question, frozen=True, kw_only=True, tag_field="kind", tag="InsightActorsQuery"
):
    """Who is behind one point of an insight. Which fields count depends on its kind."""

    source: Insight
    series: int | None = 0
    day: str | int | None = None
    """Trends, lifecycle: an entry of ``days``; stickiness: a number of periods."""

    breakdown: str | int | list[str | int] | None = None
    compare: Literal["current", "previous"] | None = None
    interval: int | None = None
    """Retention: number of the row."""

    status: Literal["new", "returning", "resurrecting", "dormant"] | None = None
    """Lifecycle."""

    include_recordings: bool | None = msgspec.field(default=None, name="includeRecordings")
    """No effect."""


class ActorsQuery(Question, frozen=True, kw_only=True, tag_field="kind", tag="ActorsQuery"):
    """Persons or groups: all, or those behind a point of an insight."""

    source: (
        InsightActorsQuery
        | FunnelsActorsQuery
        | StickinessActorsQuery
        | FleetActorsQuery
        | HogQLQuery
        | None
    ) = None
    select: list[str] | None = None
    search: str | None = None
    properties: Where = None
    fixed_properties: Where = msgspec.field(default=None, name="fixedProperties")
    order_by: list[str] | None = msgspec.field(default=None, name="orderBy")
    limit: int | None = 100
    offset: int | None = 0


class PersonsNode(Question, frozen=True, kw_only=True, tag_field="kind", tag="PersonsNode"):
    """The older name of an actors query without a source."""

    select: list[str] | None = None
    search: str | None = None
    properties: Where = None
    fixed_properties: Where = msgspec.field(default=None, name="fixedProperties")
    cohort: int | None = None
    distinct_id: str | None = msgspec.field(default=None, name="distinctId")
    order_by: list[str] | None = msgspec.field(default=None, name="orderBy")
    limit: int | None = 100
    offset: int | None = 0


class EventNamesQuery(
    Question, frozen=True, kw_only=True, tag_field="kind", tag="EventNamesQuery"
):
    """Event names seen, for autocomplete."""

    search: str | None = None
    limit: int | None = 100
    offset: int | None = 0


class PropertyNamesQuery(
    Question, frozen=True, kw_only=True, tag_field="kind", tag="PropertyNamesQuery"
):
    """Property names seen, with their kinds."""

    type: Literal["event", "person", "group"] | None = "event"
    group_type_index: GroupTypeIndex | None = None
    event: str | None = None
    """Only names that occur on events of this name."""

    search: str | None = None
    limit: int | None = 100
    offset: int | None = 0


class PropertyValuesQuery(
    Question, frozen=True, kw_only=True, tag_field="kind", tag="PropertyValuesQuery"
):
    """The most frequent values of one property."""

    key: str
    type: Literal["event", "person", "group"] | None = "event"
    group_type_index: GroupTypeIndex | None = None
    event: str | None = None
    properties: list[PropertyFilter] | None = None
    search: str | None = None
    limit: int | None = 25


class InsightVizNode(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename="camel",
    tag_field="kind",
    tag="InsightVizNode",
):
    """A saved insight's wrapper: only ``source`` is a question, the rest is the screen's."""

    source: Insight | CalendarHeatmapQuery
    full: Any = None
    embedded: Any = None
    show_header: Any = None
    show_table: Any = None
    show_correlation_table: Any = None
    show_filters: Any = None
    show_last_computation: Any = None
    show_last_computation_refresh: Any = None
    show_results: Any = None
    suppress_session_analysis_warning: Any = None
    hide_persons_modal: Any = None
    hide_tooltip_on_scroll: Any = None
    vizspecific_options: Any = msgspec.field(default=None, name="vizSpecificOptions")
    version: Any = None


class DataTableNode(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename="camel",
    tag_field="kind",
    tag="DataTableNode",
):
    """A table's wrapper: only ``source`` is a question, the rest is the screen's."""

    source: EventsQuery | ActorsQuery | PersonsNode | HogQLQuery | Insight
    columns: Any = None
    hidden_columns: Any = None
    pinned_columns: Any = None
    full: Any = None
    embedded: Any = None
    expandable: Any = None
    properties_via_url: Any = None
    allow_sorting: Any = None
    show_open_editor_button: Any = None
    show_column_configurator: Any = None
    show_date_range: Any = None
    show_event_filter: Any = None
    show_property_filter: Any = None
    show_search: Any = None
    show_actions: Any = None
    show_export: Any = None
    show_reload: Any = None
    show_elapsed_time: Any = None
    show_timings: Any = None
    show_results_table: Any = None
    show_test_account_filters: Any = None
    show_persistent_column_configurator: Any = None
    show_saved_queries: Any = None
    context: Any = None
    version: Any = None
