"""The events a retention table is made of: who, when, and whether they start or return.

Two sources. ``events`` are those of the window that start or return, with the period they
fall in; ``origins`` are start events of all time, for those kinds of retention that look for
an actor's first (``insights-retention-cohorts`` §1.4).
"""

from typing import Any

import msgspec
from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.insights.retention_window import Window, chosen
from hedgerow.model.projects import QueryContext
from hedgerow.query import breakdowns, buckets, expressions, filters
from hedgerow.query.definitions_nodes import Breakdown, BreakdownFilter
from hedgerow.query.definitions_retention import PAGEVIEW, RetentionEntity, RetentionQuery
from hedgerow.query.membership import in_cohort
from hedgerow.query.sources import Events, at_event_time
from hedgerow.query.trees import Tree, number_literal
from hedgerow.query.values import Values

EVERYONE = {"all", 0, "0"}


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """A breakdown, understood: a property or expression, or one cohort a statement."""

    type: str
    key: str = ""
    group_type_index: int | None = None
    cohorts: tuple[int | str, ...] = ()
    limit: int = 25
    normalize_url: bool = False
    hide_other: bool = False


def split_of(query: RetentionQuery) -> Split | None:
    """Return the one breakdown of the query, or None. Raises InvalidQuery for several."""
    given = query.breakdown_filter
    if given is None or (given.breakdown is None and not given.breakdowns):
        return None
    listed = given.breakdowns or []
    if len(listed) > 1:
        raise InvalidQuery(
            f"Retention takes one breakdown, not {len(listed)}.",
            hint="Keep one of them.",
            attr="breakdownFilter.breakdowns",
        )
    split = _listed(listed[0]) if listed else _single(given)
    if split is None:
        return None
    return msgspec.structs.replace(
        split,
        limit=given.breakdown_limit or 25,
        hide_other=bool(given.breakdown_hide_other_aggregation),
    )


def _listed(one: Breakdown) -> Split:
    """Return the breakdown of the list form."""
    path = "breakdownFilter.breakdowns[0]"
    if one.type == "cohort":
        raise InvalidQuery(
            "Cohorts cannot be part of a list of breakdowns.",
            hint='Use \'breakdown\' with "breakdown_type": "cohort".',
            attr=f"{path}.type",
        )
    _no_histogram(one.histogram_bin_count, f"{path}.histogram_bin_count")
    return Split(
        type=one.type or "event",
        key=one.property,
        group_type_index=one.group_type_index,
        normalize_url=bool(one.normalize_url),
    )


def _no_histogram(bins: int | None, attr: str) -> None:
    if bins is not None:
        raise InvalidQuery(
            f"Retention cannot be broken down into {bins} bins.",
            hint="Leave the number of bins out, or use a trend.",
            attr=attr,
        )


def _single(given: BreakdownFilter) -> Split | None:
    """Return the breakdown of the single form; None for an empty list."""
    kind, key = given.breakdown_type or "event", given.breakdown
    listed = key if isinstance(key, list) else [key]
    if not listed:
        return None
    if kind == "cohort":
        return Split(type=kind, cohorts=tuple(one for one in listed if one is not None))
    if len(listed) > 1:
        raise InvalidQuery(
            f"Retention takes one breakdown, not {len(listed)}.",
            hint="Keep one of them.",
            attr="breakdownFilter.breakdown",
        )
    bins = given.breakdown_histogram_bin_count
    _no_histogram(bins, "breakdownFilter.breakdown_histogram_bin_count")
    return Split(
        type=kind,
        key=str(listed[0]),
        group_type_index=given.breakdown_group_type_index,
        normalize_url=bool(given.breakdown_normalize_url),
    )


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One table to compute: the query, its shape, and the cohort it is about, if any."""

    query: RetentionQuery
    context: QueryContext
    window: Window
    split: Split | None
    cohort: int | str | None = None


def start_entity(query: RetentionQuery) -> RetentionEntity:
    """Return the event that puts an actor in a row."""
    return chosen(query).target_entity or PAGEVIEW


def return_entity(query: RetentionQuery) -> RetentionEntity:
    """Return the event that counts as coming back."""
    return chosen(query).returning_entity or PAGEVIEW


def same_entity(query: RetentionQuery) -> bool:
    """Return whether starting and returning are one thing (§1.8)."""
    one, other = start_entity(query), return_entity(query)
    return (one.id, one.properties or []) == (other.id, other.properties or [])


def events(asked: Asked, values: Values) -> exp.Select:
    """Return (actor, value, at, period, clock, starts, returns, amount) of the window."""
    source = _source(asked, values)
    starts = _matches(start_entity(asked.query), source, "targetEntity")
    returns = _matches(return_entity(asked.query), source, "returningEntity")
    columns = [*_columns(asked, source), starts.as_("starts"), returns.as_("returns")]
    columns.append(_amount(asked, source).as_("amount"))
    where = [*_where(asked, source), exp.or_(starts.copy(), returns.copy())]
    span = asked.window.asked
    return source.select(*columns, since=span.start, until=span.end, where=where)


def origins(asked: Asked, values: Values) -> exp.Select:
    """Return (actor, value, at, period, clock, starts) of start events of all time.

    For *first ever* the filters of the entity only decide ``starts``: whether the very first
    event of that name is one.
    """
    source = _source(asked, values)
    entity = start_entity(asked.query)
    starts = _matches(entity, source, "targetEntity")
    ever = chosen(asked.query).retention_type == "retention_first_ever_occurrence"
    where = _where(asked, source)
    where.append(_named(entity, source) if ever else starts.copy())
    columns = [*_columns(asked, source), starts.as_("starts")]
    return source.select(*columns, since=None, until=asked.window.asked.end, where=where)


def _source(asked: Asked, values: Values) -> Events:
    return Events(asked.context, values, at_event=at_event_time(asked.query.modifiers))


def _columns(asked: Asked, source: Events) -> list[Tree]:
    at = source.column("timestamp")
    period = buckets.index(asked.window.asked, at, source.dialect)
    return [
        _actor(asked, source).as_("actor"),
        _value(asked, source).as_("value"),
        at.as_("at"),
        period.as_("period"),
        _clock(asked, at, source).as_("clock"),
    ]


def _actor(asked: Asked, source: Events) -> Tree:
    index = asked.query.aggregation_group_type_index
    return source.person_key() if index is None else source.group_key(index)


def _value(asked: Asked, source: Events) -> Tree:
    """Return the breakdown value as text; missing is the empty text."""
    split = asked.split
    if split is None or split.type == "cohort":
        return exp.Literal.string("")
    if split.type == "hogql":
        text = expressions.as_text(expressions.scalar(split.key, source), source)
    else:
        found = source.property(split.type, split.key, split.group_type_index)
        text = source.dialect.text(found.number) if found.kind == "Numeric" else found.text
        text = exp.func("coalesce", text, found.text.copy())
    if split.normalize_url:
        text = breakdowns.normalized(text, source)
    return exp.func("coalesce", text, exp.Literal.string(""))


def _clock(asked: Asked, at: Tree, source: Events) -> Tree:
    """Return clock hours (or local days) since the window began, for 24-hour windows."""
    if chosen(asked.query).time_window_mode != "24_hour_windows":
        return number_literal(0)
    hourly = asked.window.asked.interval in {"hour", "day"}
    span = msgspec.structs.replace(asked.window.asked, interval="hour" if hourly else "day")
    return buckets.index(span, at.copy(), source.dialect)


def _amount(asked: Asked, source: Events) -> Tree:
    """Return the number that is summed, 0 where there is none (§1.8)."""
    wanted = chosen(asked.query)
    if wanted.aggregation_type not in {"sum", "avg"}:
        return number_literal(0)
    if not wanted.aggregation_property:
        raise InvalidQuery(
            f"Retention by {wanted.aggregation_type} needs a property.",
            hint="Give aggregationProperty.",
            attr="retentionFilter.aggregationProperty",
        )
    kind = wanted.aggregation_property_type or "event"
    number = source.property(kind, wanted.aggregation_property).number
    return exp.func("coalesce", number, number_literal(0))


def _where(asked: Asked, source: Events) -> list[Tree]:
    query = asked.query
    where = filters.conditions(
        query.properties, source, test_accounts=query.filter_test_accounts
    )
    if query.aggregation_group_type_index is not None:
        actor = _actor(asked, source)
        where.append(exp.func("coalesce", actor, exp.Literal.string("")).neq(""))
    if asked.cohort is not None and asked.cohort not in EVERYONE:
        where.append(in_cohort(asked.cohort, source))
    return where


def _named(entity: RetentionEntity, source: Events) -> Tree:
    if entity.id is None:
        return exp.true()
    return source.column("event").eq(source.values.bind(entity.id))


def _matches(entity: RetentionEntity, source: Events, name: str) -> Tree:
    path = f"retentionFilter.{name}.properties"
    own: Any = filters.conditions(entity.properties, source, path=path)
    met = exp.and_(_named(entity, source), *own)
    return exp.func("coalesce", met, exp.false())
