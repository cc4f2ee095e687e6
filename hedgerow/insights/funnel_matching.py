"""How far did one actor get in a funnel, and by which events?

The exact procedure for ordered and strict funnels. Everything else about a funnel (whose
events, which values, what is shown) happens around it: here come one actor's events in
order of time, each with the steps it matches, and out goes one ``Attempt``.

For every step there is a *slot*: the newest chain of events that reached it. An event of
step k extends the chain in slot k-1 into slot k if the chain's first event is at most one
window ago. A later first event makes a new chain, which overtakes the old one step by
step. ``best`` remembers the chain that first got furthest: it gives the times.

What surprises: the window runs from the first step; one event fills one step only;
simultaneous events convert in any order; an exclusion inside the window drops the actor
altogether, also when nothing follows. ``funnel_unordered`` and ``funnel_periods`` have the
other two procedures. Times are integers in microseconds, so that a window means exactly
what it says.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import msgspec

Value = str | int | tuple[str, ...] | tuple[int, ...] | None
"""What a breakdown tells apart: a text, several texts, a cohort's id; None: no breakdown.
An event may be in several cohorts."""

NEAR_TIE_US = 50_000
"""Events this close to the first of their group count as simultaneous."""


_ENTRANCE = (1,)
"""The marks of an event that is the first step and nothing else."""


class StepEvent(NamedTuple):
    """One event of one actor, and what it means for the funnel."""

    at: int
    """Microseconds since 1970, UTC."""

    marks: tuple[int, ...]
    """In the order they are tried: exclusions (-k: not on the way to step k), then steps
    from the highest, numbered from 1. Empty: breaks a strict run, and no more."""

    key: int | tuple[str, int] = 0
    """Tells it from every other event of the actor: a number, or its uuid and person."""

    value: Value = None
    """Its value of the breakdown."""


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What matching needs to know of a funnel. Steps are numbered from 1."""

    steps: int
    """How many there are, at least 2."""

    window_us: int
    """Longest time from the first event to the last, in microseconds; exactly this is inside."""

    order: Literal["ordered", "strict", "unordered"] = "ordered"
    optional: frozenset[int] = frozenset()
    attributed: int | None = None
    """The step whose event must carry the value matched for; None: any event may."""


class Attempt(NamedTuple):
    """How far one actor got for one value of the breakdown."""

    reached: int
    """Highest step, at least 1."""

    touched: int
    """Bit k-1 is set when step k was done."""

    chain: tuple[StepEvent, ...]
    """The events of the required steps, in order of time."""

    def gaps(self) -> tuple[float, ...]:
        """Return the seconds from each event of the chain to the next."""
        return tuple((b.at - a.at) / 1_000_000 for a, b in pairwise(self.chain))


class _Slot(NamedTuple):
    """A chain that got to some step. ``start`` is the time of its first event."""

    start: int
    excluded: bool
    chain: tuple[StepEvent, ...]
    touched: int


class _Matcher:
    """The slots and the best attempt of one actor, while events pass by."""

    def __init__(self, rules: Rules, value: Value) -> None:
        self.rules = rules
        self.value = value
        self.slots: list[_Slot | None] = [None] * (rules.steps + 1)
        self.reached = 0
        self.best: _Slot | None = None

    def one(self, event: StepEvent) -> None:
        """Take an event that stands alone in its moment, or beside its likes."""
        for mark in event.marks:
            self._try(mark, event, tied=False)
        if self.rules.order == "strict":
            matched = {mark for mark in event.marks if mark > 0}
            for step in range(1, self.rules.steps + 1):
                if step not in matched:
                    self.slots[step] = None

    def tied(self, group: Sequence[StepEvent]) -> None:
        """Take events of one moment that match different steps: lower steps go first."""
        at = group[0].at
        marks = [(mark, event) for event in group for mark in event.marks if mark > 0]
        for mark, event in sorted(marks, key=lambda pair: pair[0]):
            self._try(mark, event._replace(at=at), tied=True)

    def _try(self, mark: int, event: StepEvent, *, tied: bool) -> None:
        step = abs(mark)
        before, at_step = self._predecessor(step, event.at)
        if before is None:
            return
        here = self.slots[step]
        if here is not None and here.start == before.start:
            return  # that attempt has its step: the earliest event keeps it
        if mark < 0:
            self._exclude(at_step, before, event.at)
        elif not (tied and any(event.key == one.key for one in before.chain)):
            self._extend(step, before, event)

    def _predecessor(self, step: int, at: int) -> tuple[_Slot | None, int]:
        """Return the chain this step would extend, and the step where it stands."""
        for place in range(step - 1, 0, -1):
            slot = self.slots[place]
            if slot is not None and at - slot.start <= self.rules.window_us:
                return slot, place
            if place not in self.rules.optional:
                return None, place
        return _Slot(at, excluded=False, chain=(), touched=0), 0

    def _exclude(self, place: int, before: _Slot, at: int) -> None:
        if before.excluded:
            return
        self.slots[place] = before._replace(excluded=True)
        best = self.best
        in_window = best is not None and at - best.start <= self.rules.window_us
        if best is not None and self.reached == place and in_window:
            self.best = best._replace(excluded=True)

    def _extend(self, step: int, before: _Slot, event: StepEvent) -> None:
        if step == self.rules.attributed and event.value != self.value:
            return
        chain = before.chain if step in self.rules.optional else (*before.chain, event)
        reached = _Slot(
            before.start, before.excluded, chain, before.touched | 1 << step - 1
        )
        if not before.excluded:
            self.slots[step] = reached
        tainted = self.best is not None and self.best.excluded
        if step > self.reached or (step == self.reached and tainted):
            self.reached, self.best = step, reached


def match(events: Sequence[StepEvent], rules: Rules, value: Value = None) -> Attempt | None:
    """Return the attempt of an ordered or strict funnel; None: not in it, or excluded.

    ``events`` are one actor's, by time. ``value`` is what the event of the attributed
    step must carry.
    """
    if rules.attributed is None and all(one.marks == _ENTRANCE for one in events):
        return Attempt(1, 1, tuple(events[:1])) if events else None  # most never go on
    matcher = _Matcher(rules, value)
    for group in _moments(events, _tolerance(events, rules)):
        if all(event.marks == group[0].marks for event in group):
            for event in group:
                matcher.one(event)
        else:
            matcher.tied(group)
        if matcher.slots[rules.steps] is not None:
            break
    best = matcher.best
    if best is None or best.excluded:
        return None
    return Attempt(matcher.reached, best.touched, best.chain)


def _tolerance(events: Sequence[StepEvent], rules: Rules) -> int:
    excluding = any(mark < 0 for event in events for mark in event.marks)
    return 0 if rules.order == "strict" or excluding else NEAR_TIE_US


def _moments(events: Sequence[StepEvent], tolerance_us: int) -> Iterator[list[StepEvent]]:
    """Yield the events in groups that began together, measured from each group's first."""
    group: list[StepEvent] = []
    for event in events:
        if group and event.at - group[0].at > tolerance_us:
            yield group
            group = []
        group.append(event)
    if group:
        yield group


def found(attempt: Attempt, step: int, rules: Rules) -> bool:
    """Return whether step N was done; for -N whether the one before was, and N was not."""
    if step > 0:
        return bool(attempt.touched >> step - 1 & 1)
    missed = -step
    before = max(one for one in range(1, missed) if one not in rules.optional)
    done = attempt.touched >> before - 1 & 1
    return bool(done and not attempt.touched >> missed - 1 & 1)


def time_of(attempt: Attempt, step: int, rules: Rules) -> int:
    """Return when a step was done, or if it is optional the required one before it."""
    required = sum(1 for one in range(1, step + 1) if one not in rules.optional)
    return attempt.chain[min(required, len(attempt.chain)) - 1].at
