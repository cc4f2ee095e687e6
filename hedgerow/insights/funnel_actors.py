"""Who is behind a figure of a funnel?

The same statement, the same matching as the figure itself, and then the actors instead of
their number: those who did a step, those who stopped before it, or for conversion over
time those who entered or converted in one period. So counts agree by construction.

An actor that counts in several values of the breakdown comes once for each, unless one
value is asked for. Groups are answered as groups; who is counted by an expression, such as
the session, is answered as the person of the first event that matched.
"""

from collections.abc import Iterable, Iterator

import msgspec

from hedgerow.errors import InvalidQuery
from hedgerow.insights import funnel_events, funnel_trends
from hedgerow.insights.funnel_checks import Funnel, funnel
from hedgerow.insights.funnel_counts import OTHER, ranked, tallies
from hedgerow.insights.funnel_matching import Attempt, StepEvent, Value, found
from hedgerow.insights.funnel_values import Entry, entries
from hedgerow.model.ports import Rows, Statement
from hedgerow.model.projects import QueryContext
from hedgerow.query.dates import Range, floor, moment, resolve
from hedgerow.query.definitions_funnels import FunnelsActorsQuery


class FunnelActor(msgspec.Struct, frozen=True, kw_only=True):
    """One actor counted in the figure."""

    actor: int | str
    """A person's key, or with ``group_type_index`` in the funnel a group's."""

    value: Value
    events: tuple[str, ...] = ()
    """Uuids of the events that made the step asked for, if wanted."""


def statements(query: FunnelsActorsQuery, context: QueryContext) -> list[Statement]:
    """Return the statement of the funnel's events, with what tells of single ones."""
    asked = _asked(query)
    span = _span(asked, context)
    return [funnel_events.statement(asked, context, span, detail=True)]


def actors(
    query: FunnelsActorsQuery, context: QueryContext, answers: list[Rows]
) -> list[FunnelActor]:
    """Return the actors behind the figure, ordered by key."""
    asked = _asked(query)
    wanted = _wanted(query.step_breakdown, asked)
    if asked.viz == "trends":
        everyone = _in_period(query, asked, _span(asked, context), context, answers[0])
        chosen = [one for one in everyone if wanted is None or _texts(one.value) == wanted]
    else:
        chosen = _at_step(query, asked, answers[0], wanted)
    return sorted(chosen, key=lambda one: one.actor)


def counts_groups(query: FunnelsActorsQuery) -> int | None:
    """Return the group type whose groups are counted; None: persons."""
    return query.source.aggregation_group_type_index


def _asked(query: FunnelsActorsQuery) -> Funnel:
    asked = funnel(query.source)
    period, dropped = query.trends_period_start, query.trends_drop_off
    if asked.viz == "trends":
        for value, name in (
            (period, "funnelTrendsEntrancePeriodStart"),
            (dropped, "funnelTrendsDropOff"),
        ):
            if value is None:
                raise InvalidQuery(
                    f"Actors of a trend need {name!r}.",
                    hint="Give the period's start, and whether they dropped off.",
                    attr=name,
                )
        _refuse_given(query.step, "funnelStep", "a trend")
        return asked
    _refuse_given(period, "funnelTrendsEntrancePeriodStart", "steps")
    _refuse_given(dropped, "funnelTrendsDropOff", "steps")
    step, last = query.step, asked.rules.steps
    if step is None or step in {0, -1} or abs(step) > last:
        raise InvalidQuery(
            f"'funnelStep' {step} is no figure of a funnel of {last} steps.",
            hint=f"Give 1 to {last} for who did it, -2 to -{last} for who stopped before.",
            attr="funnelStep",
        )
    return asked


def _refuse_given(value: object, name: str, shown: str) -> None:
    if value is not None:
        raise InvalidQuery(
            f"{name!r} has no meaning for a funnel shown as {shown}.",
            hint="Leave it out.",
            attr=name,
        )


def _span(asked: Funnel, context: QueryContext) -> Range:
    interval = asked.query.interval or "day"
    return resolve(asked.query.date_range, context, interval=interval)


Texts = tuple[str, ...]


def _wanted(given: object, asked: Funnel) -> Texts | None:
    """Return the value asked for as texts: "Chrome" and ["Chrome"] are the same."""
    if given is None:
        return None
    if asked.breakdown is None:
        raise InvalidQuery(
            f"The funnel has no breakdown, so nobody counts in {given!r}.",
            hint="Leave out 'funnelStepBreakdown', or give the funnel a 'breakdownFilter'.",
            attr="funnelStepBreakdown",
        )
    listed = given if isinstance(given, list) else [given]
    if asked.breakdown.type == "cohort":
        listed = [0 if one == "all" else one for one in listed]
    return tuple(_text(one) for one in listed)


def _texts(value: Value) -> Texts:
    return tuple(_text(one) for one in (value if isinstance(value, tuple) else (value,)))


def _text(value: object) -> str:
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value)) if whole and isinstance(value, float) else str(value)


def _at_step(
    query: FunnelsActorsQuery, asked: Funnel, rows: Rows, wanted: Texts | None
) -> list[FunnelActor]:
    met = list(entries(funnel_events.journeys(rows, asked, detail=True), asked))
    inside = _chosen_values(met, asked, wanted)
    step = query.step or 1
    return [
        FunnelActor(
            actor=_actor(one.actor, one.attempt.chain, asked),
            value=one.value,
            events=_events(one.attempt, step) if query.include_recordings else (),
        )
        for one in met
        if one.value in inside and found(one.attempt, step, asked.rules)
    ]


def _chosen_values(met: list[Entry], asked: Funnel, wanted: Texts | None) -> set[Value]:
    """Return the values asked for; for ``Other`` those that have no row of their own."""
    present = {one.value for one in met}
    if wanted is None:
        return present
    exact = {value for value in present if _texts(value) == wanted}
    pooled = asked.breakdown is not None and asked.breakdown.pooled
    if exact or not pooled or set(wanted) != {OTHER}:
        return exact
    rows = ranked(tallies(met, asked.rules.steps), asked)
    return present - {value for value, _ in rows}


def _actor(key: int | str, chain: Iterable[StepEvent], asked: Funnel) -> int | str:
    """Return the actor, or the person of its first event if it is neither."""
    if asked.expression is None:
        return key
    first = next(iter(chain)).key
    return first[1] if isinstance(first, tuple) else key


def _events(attempt: Attempt, step: int) -> tuple[str, ...]:
    """Return the event that made a step; for those who stopped, that of the one before."""
    place = min(step if step > 0 else -step - 1, len(attempt.chain)) - 1
    key = attempt.chain[place].key
    return (key[0],) if isinstance(key, tuple) else ()


def _in_period(
    query: FunnelsActorsQuery,
    asked: Funnel,
    span: Range,
    context: QueryContext,
    rows: Rows,
) -> Iterator[FunnelActor]:
    name = "funnelTrendsEntrancePeriodStart"
    at = moment(query.trends_period_start or "", context, name).at
    if floor(at, span.interval, span.week_start_day) != at:
        raise InvalidQuery(
            f"No {span.interval} starts at {query.trends_period_start!r}.",
            hint="Give one of the answer's 'days', in the project's time zone.",
            attr=name,
        )
    if at not in span.buckets:
        return
    period = span.buckets.index(at)
    journeys = list(funnel_events.journeys(rows, asked, detail=True))
    firsts = dict(journeys)
    for one in funnel_trends.entrances(iter(journeys), asked, span):
        if one.period == period and one.converted != query.trends_drop_off:
            actor = _actor(one.actor, firsts[one.actor], asked)
            yield FunnelActor(actor=actor, value=one.value)
