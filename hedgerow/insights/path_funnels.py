"""What did a funnel's actors do before, after, or between its steps?

Two questions to the database: the funnel's own events, matched here, which tell when each
actor was at the step asked for; and the items of everybody, of which those inside an
actor's own stretch of time are kept. Matching is by the funnel's actor, be it person,
group or session; sessions of the path are a person's, and end with a pause as long as the
funnel's window.
"""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

import msgspec
from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.insights import funnel_events, path_items
from hedgerow.insights.funnel_checks import Funnel, funnel
from hedgerow.insights.funnel_matching import Attempt, found, time_of
from hedgerow.insights.funnel_values import entries
from hedgerow.insights.path_sessions import Anchor, Visit, shown
from hedgerow.model.ports import Rows, Statement
from hedgerow.model.projects import QueryContext
from hedgerow.query.dates import resolve
from hedgerow.query.definitions_funnels import FunnelPathsFilter
from hedgerow.query.definitions_paths import PathsQuery
from hedgerow.query.sources import Events, at_event_time
from hedgerow.query.values import Values

BETWEEN = "funnel_path_between_steps"
AFTER = "funnel_path_after_step"
Stretch = tuple[float, float]
"""First and last moment, both inside, in microseconds since 1970."""


def statements(
    query: PathsQuery, around: FunnelPathsFilter, context: QueryContext
) -> list[Statement]:
    """Return what must be read: the funnel's events, and everybody's items."""
    asked = _funnel(around)
    funnel_span = resolve(
        asked.query.date_range, context, interval=asked.query.interval or "day"
    )
    values = Values()
    events = Events(context, values, at_event=at_event_time(query.modifiers))
    span = path_items.span(query, context)
    items = path_items.select(
        query, events, span, actor=funnel_events.actor_of(asked, events)
    )
    ordered = (
        exp.select("actor", "person", "at", "item")
        .from_(items.subquery("items"))
        .order_by("person", "at", "uuid")
    )
    return [
        funnel_events.statement(asked, context, funnel_span),
        Statement(tree=ordered, values=values.by_name),
    ]


def sessions(
    around: FunnelPathsFilter, anchor: Anchor, answers: list[Rows]
) -> Iterator[tuple[int, list[Visit]]]:
    """Yield each person's key with each part of a session that is shown."""
    asked = _funnel(around)
    stretches = _stretches(asked, around, answers[0])
    for person, rows in groupby(answers[1].rows, key=itemgetter(1)):
        visits = [
            Visit(at, item)
            for actor, _, at, item in rows
            if actor in stretches and stretches[actor][0] <= at <= stretches[actor][1]
        ]
        for session in shown(visits, asked.rules.window_us, anchor):
            yield person, session


def _funnel(around: FunnelPathsFilter) -> Funnel:
    """Return the funnel without its breakdown, which only says how it is shown."""
    asked = funnel(around.source)
    rules = msgspec.structs.replace(asked.rules, attributed=None)
    asked = msgspec.structs.replace(asked, breakdown=None, rules=rules)
    step, least = around.step, 2 if around.path_type == BETWEEN else 1
    if not least <= abs(step) <= rules.steps or step == -1 or (step < 0 and least == 2):
        raise InvalidQuery(
            f"'funnelStep' {step} is no step these paths can be around.",
            hint=f"Give a number from {least} to {rules.steps}.",
            attr="funnelPathsFilter.funnelStep",
        )
    return asked


def _stretches(
    asked: Funnel, around: FunnelPathsFilter, rows: Rows
) -> dict[int | str, Stretch]:
    """Return for each of the funnel's actors at the step when its events count."""
    met = entries(funnel_events.journeys(rows, asked), asked)
    return {
        one.actor: _stretch(one.attempt, asked, around)
        for one in met
        if found(one.attempt, around.step, asked.rules)
    }


def _stretch(attempt: Attempt, asked: Funnel, around: FunnelPathsFilter) -> Stretch:
    if around.step < 0:
        at = attempt.chain[-1].at
        if around.path_type == AFTER:
            return at + asked.rules.window_us, float("inf")
        return float("-inf"), at
    at = time_of(attempt, around.step, asked.rules)
    if around.path_type == AFTER:
        return at, float("inf")
    if around.path_type == BETWEEN:
        return time_of(attempt, around.step - 1, asked.rules), at
    return float("-inf"), at
