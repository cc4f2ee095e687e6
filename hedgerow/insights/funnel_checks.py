"""What a funnel query asks, made plain, or refused with the field that makes no sense.

``funnel`` is the one entrance: every reader of a ``FunnelsQuery`` (its own answer, its
actors, correlation, paths around it) starts here, so none can forget a check. The result
counts steps from 1, has every default filled in, and knows one unit of time.

Refused here is what is well-formed and still meaningless, above all a funnel that would
fight itself: an exclusion that also matches a step in its range, an optional step whose
events the next step would take.
"""

from typing import Literal

import msgspec

from hedgerow.errors import InvalidQuery
from hedgerow.insights.funnel_matching import Rules
from hedgerow.query import membership
from hedgerow.query.definitions_filters import PropertyFilter
from hedgerow.query.definitions_funnels import (
    FunnelAttribution,
    FunnelExclusion,
    FunnelsFilter,
    FunnelsQuery,
)
from hedgerow.query.definitions_nodes import BreakdownFilter, EventsNode

SECONDS = {
    "second": 1,
    "minute": 60,
    "hour": 3_600,
    "day": 86_400,
    "week": 604_800,
    "month": 31 * 86_400,
}
DEFAULT_WINDOW = 14
DEFAULT_LIMIT = 25

LISTED = frozenset({"event", "person", "event_metadata", "hogql"})
"""Breakdown types whose values are lists of texts."""


class FunnelBreakdown(msgspec.Struct, frozen=True, kw_only=True):
    """What tells the rows of a funnel apart."""

    type: Literal["event", "person", "event_metadata", "hogql", "group", "cohort"]
    keys: tuple[str, ...] = ()
    """Properties, columns or expressions; empty for cohorts."""

    cohorts: tuple[int, ...] = ()
    """Ids in the order asked, 0 for everyone."""

    group_index: int | None = None
    normalize_url: bool = False
    listed: bool = True
    """Whether values are lists of texts rather than one."""

    limit: int = DEFAULT_LIMIT
    """How many values keep a row of their own."""

    pooled: bool = False
    """Whether steps sum the values beyond the limit in a row 'Other'."""


class Funnel(msgspec.Struct, frozen=True, kw_only=True):
    """A funnel query with every default filled in. Steps are numbered from 1."""

    query: FunnelsQuery
    rules: Rules
    viz: Literal["steps", "time_to_convert", "trends"]
    first: int
    """Where conversion starts; only for trends and time_to_convert."""

    last: int
    """Where it ends."""

    exclusions: tuple[FunnelExclusion, ...]
    attribution: FunnelAttribution
    breakdown: FunnelBreakdown | None
    bins: int | None
    expression: str | None
    """What tells actors apart, if neither person nor group."""


def funnel(query: FunnelsQuery) -> Funnel:
    """Return what ``query`` asks. Raises InvalidQuery naming the field."""
    given = query.funnels_filter or FunnelsFilter()
    steps = len(query.series)
    if steps < 2:
        raise InvalidQuery(
            f"A funnel of {steps} step is none.",
            hint="Give 'series' at least two steps.",
            attr="series",
        )
    if query.sampling_factor not in (None, 1):
        raise InvalidQuery(
            f"'samplingFactor' {query.sampling_factor} is not supported.",
            hint="Leave it out: funnels are always computed over all events.",
            attr="samplingFactor",
        )
    first, last = _range(given, steps)
    order = given.order_type or "ordered"
    exclusions = tuple(given.exclusions or ())
    for number, exclusion in enumerate(exclusions):
        _check_exclusion(exclusion, query.series, order, number)
    viz = given.viz_type or "steps"
    breakdown = _breakdown(query.breakdown_filter)
    attributed = _attributed(given, steps, order)
    by_event = breakdown is not None and breakdown.type != "cohort"
    return Funnel(
        query=query,
        rules=Rules(
            steps=steps,
            window_us=_window_us(given),
            order=order,
            optional=_optional(query.series, order, viz),
            attributed=attributed if by_event else None,
        ),
        viz="steps" if viz == "flow" else viz,
        first=first,
        last=last,
        exclusions=exclusions,
        attribution=given.attribution_type or "first_touch",
        breakdown=breakdown,
        bins=given.bin_count,
        expression=_expression(query, given),
    )


def _window_us(given: FunnelsFilter) -> int:
    interval = given.window_interval or DEFAULT_WINDOW
    interval = interval if interval > 0 else DEFAULT_WINDOW
    return interval * SECONDS[given.window_unit or "day"] * 1_000_000


def _range(given: FunnelsFilter, steps: int) -> tuple[int, int]:
    start = given.from_step if given.from_step is not None else 0
    end = given.to_step if given.to_step is not None else steps - 1
    if not 0 <= start <= steps - 2:
        raise InvalidQuery(
            f"'funnelFromStep' {start} is outside the funnel.",
            hint=f"Give a number from 0 to {steps - 2}.",
            attr="funnelsFilter.funnelFromStep",
        )
    if not 1 <= end <= steps - 1 or start >= end:
        raise InvalidQuery(
            f"'funnelToStep' {end} does not lie behind step {start} of {steps} steps.",
            hint=f"Give a number from {start + 1} to {steps - 1}.",
            attr="funnelsFilter.funnelToStep",
        )
    return start + 1, end + 1


def _check_exclusion(
    exclusion: FunnelExclusion, series: list[EventsNode], order: str, number: int
) -> None:
    start, end, last = exclusion.from_step, exclusion.to_step, len(series) - 1
    attr = f"funnelsFilter.exclusions[{number}]"
    if start < 0 or start >= end or end > last:
        raise InvalidQuery(
            f"An exclusion from step {start} to step {end} of {last + 1} steps is none.",
            hint=f"'funnelFromStep' < 'funnelToStep', both from 0 to {last}.",
            attr=attr,
        )
    if order == "unordered" and (start, end) != (0, last):
        raise InvalidQuery(
            f"With order 'unordered' an exclusion from step {start} to {end} means nothing.",
            hint=f"Let it span all steps, 0 to {last}.",
            attr=attr,
        )
    for place in range(start, end + 1):
        step = series[place]
        if step.event == exclusion.event and _conditions(step) <= _conditions(exclusion):
            raise InvalidQuery(
                f"Excluding {exclusion.event!r} would exclude step {place} itself.",
                hint="Exclude another event, or between other steps.",
                attr=attr,
            )


def _conditions(node: EventsNode) -> set[str]:
    """Return a node's filters in a form in which equal ones are equal."""
    return {_condition(one) for one in node.filters()}


def _condition(where: PropertyFilter) -> str:
    values = where.value if isinstance(where.value, list) else [where.value]
    members = sorted(_condition(one) for one in where.values or ())
    texts = sorted(msgspec.json.encode(value).decode() for value in values)
    parts = (where.type or "event", where.key, where.operator or "exact", texts)
    return repr((*parts, where.group_type_index, bool(where.negation), members))


def _optional(series: list[EventsNode], order: str, viz: str) -> frozenset[int]:
    optional = frozenset(n for n, step in enumerate(series, 1) if step.optional_in_funnel)
    if not optional:
        return optional
    if order == "unordered" or viz not in {"steps", "flow"}:
        raise InvalidQuery(
            "Optional steps need an order, and the visualisation 'steps'.",
            hint="Take 'optionalInFunnel' away, or ask for ordered steps.",
            attr=f"series[{min(optional) - 1}].optionalInFunnel",
        )
    if 1 in optional:
        raise InvalidQuery(
            "The first step cannot be optional: with it a funnel begins.",
            hint="Take 'optionalInFunnel' away from it.",
            attr="series[0].optionalInFunnel",
        )
    for step, following in ((n, n + 1) for n in optional if n < len(series)):
        if following not in optional and _covers(series[following - 1], series[step - 1]):
            raise InvalidQuery(
                f"Step {following} would take every event of the optional step {step}.",
                hint="Make them differ, or make both required.",
                attr=f"series[{step - 1}].optionalInFunnel",
            )
    return optional


def _covers(broad: EventsNode, narrow: EventsNode) -> bool:
    named = broad.event is None or broad.event == narrow.event
    return named and _conditions(broad) <= _conditions(narrow)


def _attributed(given: FunnelsFilter, steps: int, order: str) -> int | None:
    if given.attribution_type != "step":
        return None
    attr = "funnelsFilter.breakdownAttributionValue"
    text = str(given.attribution_value or 0)
    if not text.isdecimal() or len(text) > len(str(steps)) or int(text) >= steps:
        raise InvalidQuery(
            f"'breakdownAttributionValue' {text!r} is no step of this funnel.",
            hint=f"Give a number from 0 to {steps - 1}.",
            attr=attr,
        )
    if order == "unordered" and int(text):
        raise InvalidQuery(
            f"With order 'unordered' there is no step {text} to attribute to.",
            hint="Attribute to step 0, or choose another 'breakdownAttributionType'.",
            attr=attr,
        )
    return int(text) + 1


def _expression(query: FunnelsQuery, given: FunnelsFilter) -> str | None:
    expression = (given.aggregate_by_hogql or "").strip()
    if expression in {"", "person_id"}:
        return None
    if query.aggregation_group_type_index is not None:
        raise InvalidQuery(
            f"Actors cannot be both groups and values of {expression!r}.",
            hint="Leave out 'aggregation_group_type_index' or 'funnelAggregateByHogQL'.",
            attr="funnelsFilter.funnelAggregateByHogQL",
        )
    return expression


def _breakdown(given: BreakdownFilter | None) -> FunnelBreakdown | None:
    if given is None:
        return None
    for name in ("breakdowns", "breakdown_histogram_bin_count"):
        if getattr(given, name):
            raise InvalidQuery(
                f"A funnel has no {name!r}.",
                hint="Name the property, or a list of them, in 'breakdown'.",
                attr=f"breakdownFilter.{name}",
            )
    asked = given.breakdown if isinstance(given.breakdown, list) else [given.breakdown]
    asked = [one for one in asked if one not in (None, "")]
    if not asked:
        return None
    kind = given.breakdown_type or "event"
    if kind == "session":
        raise InvalidQuery(
            "A funnel cannot be broken down by 'session'.",
            hint="Use an event or person property, or an expression.",
            attr="breakdownFilter.breakdown_type",
        )
    if kind == "cohort":
        cohorts = tuple(0 if one == "all" else _cohort(one) for one in asked)
        return FunnelBreakdown(
            type=kind, cohorts=cohorts, listed=False, limit=_limit(given)
        )
    if kind == "group" and given.breakdown_group_type_index is None:
        raise InvalidQuery(
            "A breakdown by group needs to know which.",
            hint="Give 'breakdown_group_type_index', 0 to 4.",
            attr="breakdownFilter.breakdown_group_type_index",
        )
    return FunnelBreakdown(
        type=kind,
        keys=tuple(str(one) for one in asked),
        group_index=given.breakdown_group_type_index,
        normalize_url=kind == "event" and bool(given.breakdown_normalize_url),
        listed=kind in LISTED or isinstance(given.breakdown, list),
        limit=_limit(given),
        pooled=kind in {"event", "person", "group"},
    )


def _limit(given: BreakdownFilter) -> int:
    if given.breakdown_hide_other_aggregation:
        raise InvalidQuery(
            "A funnel cannot hide its 'Other' row.",
            hint="Leave out 'breakdown_hide_other_aggregation'.",
            attr="breakdownFilter.breakdown_hide_other_aggregation",
        )
    return given.breakdown_limit or DEFAULT_LIMIT


def _cohort(asked: str | int | None) -> int:
    number = membership.id_of(asked)
    if number is None:
        raise InvalidQuery(
            f"{asked!r} is no cohort.",
            hint="Give cohort ids, and 'all' for everyone.",
            attr="breakdownFilter.breakdown",
        )
    return number
