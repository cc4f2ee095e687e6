"""For which values of the breakdown is an actor matched, and with which of its events?

Attribution decides. By the first or last touch an actor belongs to one value, and all its
events are matched. By ``all_events`` each value sees only its own events. By ``step`` each
value sees all events, and the matcher insists that the chosen step's event carries it. So
one actor can count in several values.

What surprises: a property that is missing is the empty text, and by touch it yields to any
value that is not; for groups it does not yield. Cohorts are not attributed at all: an
actor is matched once in each.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from hedgerow.insights import funnel_matching, funnel_unordered
from hedgerow.insights.funnel_checks import Funnel, FunnelBreakdown
from hedgerow.insights.funnel_matching import Attempt, StepEvent, Value

Journey = tuple[int | str, list[StepEvent]]
"""An actor, and its events by time."""


class Entry(NamedTuple):
    """One actor counted in one value."""

    actor: int | str
    value: Value
    attempt: Attempt


def entries(journeys: Iterator[Journey], funnel: Funnel) -> Iterator[Entry]:
    """Yield how far each actor got for each value it counts in."""
    module = funnel_unordered if funnel.rules.order == "unordered" else funnel_matching
    for actor, events in journeys:
        for value, share in shares(events, funnel):
            attempt = module.match(share, funnel.rules, value)
            if attempt is not None:
                yield Entry(actor, value, attempt)


def shares(
    events: Sequence[StepEvent], funnel: Funnel
) -> list[tuple[Value, Sequence[StepEvent]]]:
    """Return the values an actor is matched for, each with the events it is matched by."""
    breakdown = funnel.breakdown
    if breakdown is None:
        return [(None, events)]
    if breakdown.type == "cohort":
        return _by_cohort(events, breakdown)
    match funnel.attribution:
        case "first_touch":
            return [(_touch(events, breakdown), events)]
        case "last_touch":
            return [(_touch(events[::-1], breakdown), events)]
        case "all_events":
            return [(value, _only(events, value)) for value in _distinct(events)]
        case "step":
            return [(value, events) for value in _at_step(events, funnel, breakdown)]


def _by_cohort(
    events: Sequence[StepEvent], breakdown: FunnelBreakdown
) -> list[tuple[Value, Sequence[StepEvent]]]:
    found: list[tuple[Value, Sequence[StepEvent]]] = []
    for cohort in breakdown.cohorts:
        members = [
            one for one in events if isinstance(one.value, tuple) and cohort in one.value
        ]
        if members:
            found.append((cohort, members))
    return found


def _touch(events: Sequence[StepEvent], breakdown: FunnelBreakdown) -> Value:
    """Return the value of the first event that says something, or the empty one."""
    yielding = breakdown.type != "group"
    for event in events:
        said = isinstance(event.value, tuple) and any(event.value)
        if said or not yielding:
            return event.value
    return empty(breakdown)


def empty(breakdown: FunnelBreakdown) -> Value:
    """Return the value of an event that has none of the properties."""
    return ("",) * len(breakdown.keys) if breakdown.listed else ""


def _only(events: Sequence[StepEvent], value: Value) -> list[StepEvent]:
    return [event for event in events if event.value == value]


def _distinct(events: Sequence[StepEvent]) -> list[Value]:
    return list(dict.fromkeys(event.value for event in events))


def _at_step(
    events: Sequence[StepEvent], funnel: Funnel, breakdown: FunnelBreakdown
) -> list[Value]:
    if funnel.rules.order == "unordered":
        return _distinct(events)
    found = _distinct([one for one in events if funnel.rules.attributed in one.marks])
    if breakdown.type == "group" and empty(breakdown) not in found:
        found.append(empty(breakdown))
    return found
