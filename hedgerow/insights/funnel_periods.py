"""In which periods did one actor enter an ordered or strict funnel, and convert?

Conversion over time. Every period in which the actor does the first step opens a *run*
with slots of its own; every later step is tried on all open runs, so one event can
convert several periods at once. A run that fills the slot of the last step asked for is
converted, and closed. Those open at the end entered only, if they came as far as the
first step asked for.

An exclusion taints the run it stands in: a run tainted on the way is left out, and one
that was completed in spite of it (*spoilt*) takes all of the actor's open runs with it.
Here ties form no groups; simultaneous events are taken by step.
"""

from collections.abc import Callable, Sequence
from enum import Enum

from hedgerow.insights.funnel_matching import Rules, StepEvent, Value
from hedgerow.insights.funnel_unordered import credits_by_period, in_order


class _Taint(Enum):
    """What exclusions did to a run."""

    NONE = 0
    OPEN = 1
    """One stands after the best step."""

    SPOILT = 2
    """One stands before the best step."""


class _Run:
    """One period's attempt: when the chain of each slot began, and the best step."""

    def __init__(self, steps: int, at: int) -> None:
        self.starts: list[int | None] = [None] * (steps + 1)
        self.starts[1] = at
        self.excluded: set[int] = set()
        self.best = 1
        self.best_at = at
        self.taint = _Taint.NONE


class _Runs:
    """All runs of one actor for one value."""

    def __init__(self, rules: Rules, last: int, value: Value) -> None:
        self.rules = rules
        self.last = last
        self.value = value
        self.open: dict[int, _Run] = {}
        self.converted: set[int] = set()

    def take(self, event: StepEvent, period: int) -> None:
        for mark in event.marks:
            if mark == self.rules.attributed and event.value != self.value:
                continue
            if mark == 1:
                self._enter(event.at, period)
            else:
                self._advance(mark, event.at)
        if self.rules.order == "strict":
            self._break(event)

    def _enter(self, at: int, period: int) -> None:
        if period in self.converted:
            return
        run = self.open.get(period)
        if run is None or (run.best == 1 and run.taint is not _Taint.NONE):
            self.open[period] = _Run(self.rules.steps, at)
        else:
            run.starts[1] = at
            run.excluded.discard(1)

    def _advance(self, mark: int, at: int) -> None:
        step = abs(mark)
        for period, run in list(self.open.items()):
            start = run.starts[step - 1]
            if start is None or at - start > self.rules.window_us:
                continue
            if run.starts[step] == start:
                continue
            if mark < 0:
                self._exclude(run, step - 1, at)
            elif self._reach(run, step, at):
                del self.open[period]
                self.converted.add(period)

    def _exclude(self, run: _Run, place: int, at: int) -> None:
        if place in run.excluded:
            return
        run.excluded.add(place)
        if run.best == place and at - run.best_at <= self.rules.window_us:
            run.taint = _Taint.OPEN

    def _reach(self, run: _Run, step: int, at: int) -> bool:
        """Move a run to ``step``; return whether that converts it."""
        spoilt = step - 1 in run.excluded
        if not spoilt:
            run.starts[step] = run.starts[step - 1]
            run.excluded.discard(step)
            if step == self.last:
                return True
        if step > run.best or (step == run.best and run.taint is _Taint.OPEN):
            run.best, run.best_at = step, at
            run.taint = _Taint.SPOILT if spoilt else _Taint.NONE
        return False

    def _break(self, event: StepEvent) -> None:
        for run in self.open.values():
            for step in range(1, self.rules.steps + 1):
                if step not in event.marks:
                    run.starts[step] = None
                    run.excluded.discard(step)


def match_periods(
    events: Sequence[StepEvent],
    rules: Rules,
    reach: tuple[int, int],
    period_of: Callable[[int], int],
    *,
    value: Value = None,
) -> dict[int, bool]:
    """Return the periods the actor entered, each with whether it converted.

    ``reach`` holds the step from which an attempt counts as entered and the step at which
    it has converted. ``period_of`` turns a time in microseconds into a period.
    """
    first, last = reach
    if rules.order == "unordered":
        most = credits_by_period(events, rules, period_of, value)
        return {period: n >= last for period, n in most.items() if n >= first}
    runs = _Runs(rules, last, value)
    for event in in_order(events):
        runs.take(event, period_of(event.at))
    found = dict.fromkeys(runs.converted, True)
    if any(run.taint is _Taint.SPOILT for run in runs.open.values()):
        return found
    for period, run in runs.open.items():
        if run.best >= first and run.taint is _Taint.NONE:
            found[period] = False
    return found
