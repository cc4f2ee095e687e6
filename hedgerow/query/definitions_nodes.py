"""The parts of which every query is made: series, ranges, breakdowns, comparisons.

Everything is decoded strictly: a field that is not listed is refused by its path. Fields
that have no effect on a result are listed all the same, so that they are accepted
knowingly; their docstrings say so. ``null`` is the same as leaving a field out.
"""

from typing import Annotated, Any, Literal

import msgspec

from hedgerow.query.definitions_filters import PropertyFilter, Where

GroupTypeIndex = Annotated[int, msgspec.Meta(ge=0)]
"""Which group type: 0 to 4, or a name, which ``group_names`` makes a number."""

Interval = Literal["minute", "hour", "day", "week", "month"]

BreakdownType = Literal[
    "event", "person", "group", "event_metadata", "hogql", "cohort", "session"
]

PROPERTY_MATH = ("sum", "avg", "min", "max", "median", "p75", "p90", "p95", "p99")
"""Math over the numbers of a property."""

ACTOR_MATH = tuple(
    f"{name}_count_per_actor"
    for name in ("avg", "min", "max", "median", "p75", "p90", "p95", "p99")
)
"""Math over the number of events of each person."""

Math = Literal[
    "total",
    "dau",
    "weekly_active",
    "monthly_active",
    "unique_session",
    "unique_group",
    "first_time_for_user",
    "first_matching_event_for_user",
    "first_time_for_user_with_filters",
    "sum",
    "avg",
    "min",
    "max",
    "median",
    "p75",
    "p90",
    "p95",
    "p99",
    "avg_count_per_actor",
    "min_count_per_actor",
    "max_count_per_actor",
    "median_count_per_actor",
    "p75_count_per_actor",
    "p90_count_per_actor",
    "p95_count_per_actor",
    "p99_count_per_actor",
    "hogql",
]


class Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every kind of query accepts. Only ``modifiers`` may change a result."""

    modifiers: dict[str, Any] | None = None
    """``personsOnEventsMode`` chooses person properties of now or of the event's time."""

    tags: Any = None
    """No effect."""

    data_color_theme: Any = msgspec.field(default=None, name="dataColorTheme")
    """No effect."""

    version: Any = None
    """No effect."""

    response: Any = None
    """No effect."""


class Dates(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``dateRange``: texts of ``insights-trends`` §4, resolved by ``query.dates``."""

    date_from: str | None = None
    date_to: str | None = None
    explicit_date: bool | None = msgspec.field(default=None, name="explicitDate")
    """Both ends verbatim: nothing is truncated or rounded up."""

    exclude_incomplete_periods: bool | None = msgspec.field(
        default=None, name="excludeIncompletePeriods"
    )
    """Only complete buckets."""


class EventsNode(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="kind",
    tag="EventsNode",
):
    """One series, step or entity: an event name and what to do with its events."""

    event: str | None = None
    """Name; None: every event."""

    name: str | None = None
    """Display only."""

    custom_name: str | None = None
    """Display only; echoed."""

    properties: list[PropertyFilter] | None = None
    fixed_properties: list[PropertyFilter] | None = msgspec.field(
        default=None, name="fixedProperties"
    )
    """ANDed with ``properties``."""

    math: Math | None = None
    """None: ``total``."""

    math_property: str | None = None
    math_property_type: (
        Literal["event_properties", "person_properties", "session_properties"] | None
    ) = None
    math_hogql: str | None = None
    math_group_type_index: GroupTypeIndex | None = None
    optional_in_funnel: bool | None = msgspec.field(default=None, name="optionalInFunnel")
    """Funnels only."""

    limit: Any = None
    """No effect."""

    order_by: Any = msgspec.field(default=None, name="orderBy")
    """No effect."""

    response: Any = None
    """No effect."""

    version: Any = None
    """No effect."""

    def filters(self) -> list[PropertyFilter]:
        """Return ``properties`` and ``fixedProperties`` as one list."""
        return [*(self.properties or ()), *(self.fixed_properties or ())]


class Breakdown(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of ``breakdownFilter.breakdowns``."""

    property: str
    type: BreakdownType | None = "event"
    group_type_index: GroupTypeIndex | None = None
    normalize_url: bool | None = None
    histogram_bin_count: Annotated[int, msgspec.Meta(ge=1)] | None = None


class BreakdownFilter(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """``breakdownFilter``: one breakdown in the single form, or up to three as a list."""

    breakdown: str | int | list[str | int] | None = None
    """A property, an expression, a cohort id, or a list of cohort ids and ``"all"``."""

    breakdown_type: BreakdownType | None = "event"
    breakdown_group_type_index: GroupTypeIndex | None = None
    breakdown_normalize_url: bool | None = None
    breakdown_histogram_bin_count: Annotated[int, msgspec.Meta(ge=1)] | None = None
    breakdowns: Annotated[list[Breakdown], msgspec.Meta(max_length=3)] | None = None
    """Wins over the single form unless empty."""

    breakdown_limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] | None = None
    """Default 25; values beyond it are folded into Other."""

    breakdown_hide_other_aggregation: bool | None = None


class CompareFilter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``compareFilter``: with the period before, or ``compare_to`` (``-1w``) earlier."""

    compare: bool | None = False
    compare_to: str | None = None


class InsightQuestion(Question, frozen=True, kw_only=True):
    """What all insights over a range of events share."""

    date_range: Dates | None = msgspec.field(default=None, name="dateRange")
    properties: Where = None
    filter_test_accounts: bool | None = msgspec.field(
        default=False, name="filterTestAccounts"
    )
    """AND the project's test account filters."""

    sampling_factor: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = msgspec.field(
        default=None, name="samplingFactor"
    )
    """0 to 1; no effect: answers are exact."""

    aggregation_group_type_index: GroupTypeIndex | None = None
    """The actor is the group of this type; none: the person."""
