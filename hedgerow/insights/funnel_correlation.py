"""What did those who converted do, or what are they, more often than the others?

Everybody who entered the funnel either reached its last step or did not. For each event
somebody did on the way (after the first step, before the last one or the end of the
window), or each value of a property, the two are counted and compared by the odds ratio

    (s + 1)(F - f + 1) / ((S - s + 1)(f + 1))

with s of S successes and f of F failures. Above 1 it goes with success, else with failure.
What too few have is left out.

Two questions are asked of the database: the funnel's events, matched here as for any
funnel, and then what its actors did or are, counted there beside a list of the actors.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.insights import funnel_events
from hedgerow.insights.funnel_checks import Funnel, funnel
from hedgerow.insights.funnel_matching import found as did
from hedgerow.insights.funnel_values import Entry, entries
from hedgerow.insights.results import Run
from hedgerow.model.ports import Rows, Statement
from hedgerow.model.projects import QueryContext
from hedgerow.query.dates import Range, resolve
from hedgerow.query.definitions_funnels import FunnelCorrelationQuery
from hedgerow.query.group_source import Groups
from hedgerow.query.sources import Events, Persons, at_event_time, group_type_name
from hedgerow.query.trees import Tree, number_literal
from hedgerow.query.values import Values

MOST_ROWS = 10
"""Rows of each kind."""

ALL = "$all"
SKEWED = 10
"""Times one side may outnumber the other before ratios say little."""


class _Sides(msgspec.Struct, frozen=True, kw_only=True):
    """Who entered, and when they were on the way; entries of the lists belong together."""

    actors: list[Any]
    since: list[int]
    until: list[int]
    success: list[int]
    """1 for those who reached the last step, else 0."""

    def totals(self) -> tuple[int, int]:
        """Return the number of successes and of failures."""
        return sum(self.success), len(self.success) - sum(self.success)


def answered(
    query: FunnelCorrelationQuery, context: QueryContext, run: Run
) -> dict[str, Any]:
    """Return up to ten rows that go with success, then up to ten with failure."""
    asked = _asked(query)
    interval = asked.query.interval or "day"
    span = resolve(asked.query.date_range, context, interval=interval)
    rows = run(funnel_events.statement(asked, context, span, detail=True))
    sides = _sides(rows, asked, query)
    successes, failures = sides.totals()
    if not successes or not failures:
        return {"results": {"events": [], "skewed": True}}
    values = Values()
    tree = _tree(query, asked, (context, span), (sides, values))
    rows_ = _counted(tree, values, _enough(query, sides), run) if tree else []
    skewed = max(successes / failures, failures / successes) > SKEWED
    told = _told([_row(name, (s, f), sides.totals()) for name, s, f in sorted(rows_)])
    return {"results": {"events": told, "skewed": skewed}}


def _enough(query: FunnelCorrelationQuery, sides: _Sides) -> float:
    """Return how many actors something must be said of."""
    least = 3 if query.correlation_type == "event_with_properties" else 1
    return max(least, min(25, 0.02 * sum(sides.totals())))


def _counted(
    tree: exp.Query, values: Values, enough: float, run: Run
) -> list[tuple[Any, ...]]:
    """Return (name, successes, failures) of what enough actors have."""
    both = exp.column("s") + exp.column("f")
    rows = exp.select("named", "s", "f").from_(tree.subquery("counted"))
    rows = rows.where(both >= values.bind(float(enough)))
    return run(Statement(tree=rows, values=values.by_name)).rows


def _asked(query: FunnelCorrelationQuery) -> Funnel:
    """Return the funnel without its breakdown."""
    if query.source.step_breakdown is not None:
        raise InvalidQuery(
            "A correlation is not narrowed to one value of a breakdown.",
            hint="Leave out 'funnelStepBreakdown', or filter by the property.",
            attr="source.funnelStepBreakdown",
        )
    asked = funnel(query.source.source)
    rules = msgspec.structs.replace(asked.rules, attributed=None)
    return msgspec.structs.replace(asked, breakdown=None, rules=rules)


def _sides(rows: Rows, asked: Funnel, query: FunnelCorrelationQuery) -> _Sides:
    met = list(entries(funnel_events.journeys(rows, asked, detail=True), asked))
    last = asked.rules.steps
    by_person = query.correlation_type == "properties" and asked.expression is not None
    success = [int(did(one.attempt, last, asked.rules)) for one in met]
    since = [one.attempt.chain[0].at for one in met]
    window = asked.rules.window_us
    return _Sides(
        actors=[_person(one) if by_person else one.actor for one in met],
        since=since,
        until=[
            one.attempt.chain[-1].at if reached else start + window
            for one, reached, start in zip(met, success, since, strict=True)
        ],
        success=success,
    )


def _person(entry: Entry) -> int | str:
    """Return the person of the first event, for actors that are neither person nor group."""
    key = entry.attempt.chain[0].key
    return key[1] if isinstance(key, tuple) else entry.actor


def _tree(
    query: FunnelCorrelationQuery,
    asked: Funnel,
    when: tuple[QueryContext, Range],
    who: tuple[_Sides, Values],
) -> exp.Query | None:
    """Return a SELECT of (name, successes, failures), or None if there is nothing to ask."""
    if query.correlation_type == "properties":
        return _properties(query, asked, when[0], who)
    events = Events(when[0], who[1], at_event=at_event_time(asked.query.modifiers))
    name = events.column("event")
    if query.correlation_type == "events":
        no = {step.event for step in asked.query.series if step.event is not None}
        no |= set(query.exclude_event_names or ())
        where = (
            [name.copy().isin(*map(events.values.bind, sorted(no))).not_()] if no else []
        )
        near = _near(
            asked, events, when[1], who[0], columns=[name.as_("name")], where=where
        )
        return _by(near.subquery("near"), exp.column("name"))
    if not query.event_names:
        raise InvalidQuery(
            "Properties of which events? None is named.",
            hint="Give 'funnelCorrelationEventNames'.",
            attr="funnelCorrelationEventNames",
        )
    left_out = set(query.event_exclude_property_names or ())
    keys = sorted(key for scope, key in when[0].kinds if scope == "event")
    keys = [key for key in keys if key not in left_out]
    wanted = [name.copy().isin(*map(events.values.bind, query.event_names))]
    shown = [name.as_("name")]
    shown += [events.property("event", key).text.as_(f"v{n}") for n, key in enumerate(keys)]
    near = _near(asked, events, when[1], who[0], columns=shown, where=wanted)
    return _each(near, keys, events.values, prefix=exp.column("name"))


def _near(
    asked: Funnel,
    events: Events,
    span: Range,
    sides: _Sides,
    *,
    columns: Sequence[Tree],
    where: Sequence[Tree],
) -> exp.Select:
    """Return what the actors did on the way: actor, success, and the columns."""
    bind = events.values.bind
    listed: dict[str, Tree] = {
        name: bind(getattr(sides, name)) for name in ("actors", "since", "until", "success")
    }
    actor = funnel_events.actor_of(asked, events)
    at = events.dialect.microseconds(events.column("timestamp"))
    events.join(
        "b",
        events.dialect.listed(listed),
        exp.column("actors", table="b").eq(actor),
    )
    inside = exp.and_(
        at > exp.column("since", table="b"), at.copy() < exp.column("until", table="b")
    )
    return events.select(
        exp.column("actors", table="b").as_("actor"),
        exp.column("success", table="b").as_("success"),
        *columns,
        since=span.start,
        until=span.end,
        where=[*where, inside],
    )


def _properties(
    query: FunnelCorrelationQuery,
    asked: Funnel,
    context: QueryContext,
    who: tuple[_Sides, Values],
) -> exp.Query | None:
    """Return the counts of each value of the persons', or groups', properties of now."""
    if not query.names:
        raise InvalidQuery(
            "Which properties? None is named.",
            hint=f"Give 'funnelCorrelationNames', or [{ALL!r}] for every one.",
            attr="funnelCorrelationNames",
        )
    sides, values = who
    index = asked.query.aggregation_group_type_index
    source = Persons(context, values) if index is None else Groups(context, values, index)
    type_ = "person" if index is None else "group"
    scope = type_ if index is None else f"group:{group_type_name(context, index)}"
    known = sorted(key for one, key in context.kinds if one == scope)
    names = known if ALL in query.names else list(dict.fromkeys(query.names))
    names = [name for name in names if name not in (query.exclude_names or ())]
    lists: dict[str, Tree] = {
        "actor": values.bind(sides.actors),
        "success": values.bind(sides.success),
    }
    texts = [source.property(type_, one).text.as_(f"v{n}") for n, one in enumerate(names)]
    near = source.beside(
        source.dialect.listed(lists),
        exp.column("actor", table="b"),
        exp.column("success", table="b"),
        *texts,
    )
    return _each(near, names, values, prefix=None)


def _each(
    near: exp.Select, keys: Sequence[str], values: Values, *, prefix: Tree | None
) -> exp.Query | None:
    """Return the counts for every value of every property, one after the other."""
    parts: list[exp.Query] = []
    for number, key in enumerate(keys):
        value = exp.column(f"v{number}")
        name: Tree = exp.DPipe(this=values.bind(f"{key}::"), expression=value)
        if prefix is not None:
            head = exp.DPipe(this=prefix.copy(), expression=values.bind("::"))
            name = exp.DPipe(this=head, expression=name)
        there = value.copy().is_(exp.null()).not_()
        parts.append(_by("near", name).where(there))
    if not parts:
        return None
    query = parts[0]
    for part in parts[1:]:
        query = exp.union(query, part, distinct=False)
    return query.with_("near", as_=near, materialized=True)


def _by(rows: str | exp.Subquery, name: Tree) -> exp.Select:
    """Return (name, successes, failures): how many actors of each side have it."""
    counts = [_having(1).as_("s"), _having(0).as_("f")]
    return exp.select(name.as_("named"), *counts).from_(rows).group_by("1")


def _having(side: int) -> exp.Count:
    """Return how many actors of one side there are."""
    of_side = exp.column("success").eq(number_literal(side))
    actor = exp.Case(ifs=[exp.If(this=of_side, true=exp.column("actor"))])
    return exp.Count(this=exp.Distinct(expressions=[actor]))


def _told(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows to show: those of success by ratio, then those of failure."""
    good = [one for one in rows if one["correlation_type"] == "success"]
    bad = [one for one in rows if one["correlation_type"] == "failure"]
    good.sort(key=lambda one: -one["odds_ratio"])
    bad.sort(key=lambda one: one["odds_ratio"])
    return good[:MOST_ROWS] + bad[:MOST_ROWS]


def _row(name: str, counts: tuple[int, int], totals: tuple[int, int]) -> dict[str, Any]:
    (s, f), (successes, failures) = counts, totals
    ratio = (s + 1) * (failures - f + 1) / ((successes - s + 1) * (f + 1))
    return {
        "event": {"event": name, "properties": {}, "elements": []},
        "success_count": s,
        "failure_count": f,
        "odds_ratio": ratio,
        "correlation_type": "success" if ratio > 1 else "failure",
    }
