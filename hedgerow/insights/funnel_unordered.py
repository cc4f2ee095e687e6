"""How many different steps did one actor complete within a window, in any order?

Each step has a queue of events. A new event first makes room: the oldest queued event
leaves once it is more than a window old, or once every step has an event; before it
leaves, what stands in the queues is recorded if it is more than ever before. Then the
event joins one queue: of the steps it matches, the one that waited longest.

An exclusion empties all queues and takes nothing away that was recorded. Two readers ask:
``match`` for how far the actor got, ``credits`` for how far in each period (conversion
over time), where every event that leaves opens the period it happened in.
"""

from collections import deque
from collections.abc import Callable, Sequence

from hedgerow.insights.funnel_matching import Attempt, Rules, StepEvent, Value


class _Queues:
    """What is waiting, per step; the oldest event is first to leave."""

    def __init__(self, rules: Rules, value: Value) -> None:
        self.rules = rules
        self.value = value
        self.by_step: list[deque[StepEvent]] = [deque() for _ in range(rules.steps)]

    def filled(self) -> int:
        return sum(1 for queue in self.by_step if queue)

    def heads(self) -> list[StepEvent]:
        """Return the oldest event of each step that has one, by time."""
        heads = [queue[0] for queue in self.by_step if queue]
        return sorted(heads, key=lambda event: event.at)

    def leaving(self, at: int) -> StepEvent | None:
        """Return the event that must leave before one at ``at`` comes, if any."""
        heads = self.heads()
        if not heads:
            return None
        late = at - heads[0].at > self.rules.window_us
        return heads[0] if late or len(heads) == self.rules.steps else None

    def remove(self, event: StepEvent) -> None:
        for queue in self.by_step:
            if queue and queue[0] is event:
                queue.popleft()
                return

    def add(self, event: StepEvent) -> None:
        if event.marks[0] < 0:  # exclusions come first
            for queue in self.by_step:
                queue.clear()
            return
        if self.rules.attributed and not self.filled() and event.value != self.value:
            return
        steps = sorted(event.marks)
        waited = min(steps, key=lambda step: self._newest(step - 1))
        self.by_step[waited - 1].append(event)

    def _newest(self, index: int) -> float:
        queue = self.by_step[index]
        return queue[-1].at if queue else float("-inf")


def match(events: Sequence[StepEvent], rules: Rules, value: Value = None) -> Attempt | None:
    """Return the most steps completed within one window; None: not one.

    With ``rules.attributed``, the event that would be first in empty queues must carry
    ``value``.
    """
    queues = _Queues(rules, value)
    chain: list[StepEvent] = []
    for event in in_order(events):
        while leaving := queues.leaving(event.at):
            chain = max(chain, queues.heads(), key=len)
            queues.remove(leaving)
        if len(chain) == rules.steps:
            break
        queues.add(event)
    chain = max(chain, queues.heads(), key=len)
    if not chain:
        return None
    return Attempt(len(chain), (1 << len(chain)) - 1, tuple(chain))


def credits_by_period(
    events: Sequence[StepEvent],
    rules: Rules,
    period_of: Callable[[int], int],
    value: Value = None,
) -> dict[int, int]:
    """Return for each period in which an attempt began the most steps completed."""
    queues = _Queues(rules, value)
    most: dict[int, int] = {}

    def credit(leaving: StepEvent) -> None:
        period = period_of(leaving.at)
        most[period] = max(most.get(period, 0), queues.filled())
        queues.remove(leaving)

    for event in in_order(events):
        while leaving := queues.leaving(event.at):
            credit(leaving)
        queues.add(event)
    while heads := queues.heads():
        credit(heads[0])
    return most


def in_order(events: Sequence[StepEvent]) -> list[StepEvent]:
    """Return the events by time; of simultaneous ones lower steps first, exclusions last."""

    def place(event: StepEvent) -> tuple[int, bool, int]:
        excluding = any(mark < 0 for mark in event.marks)
        return event.at, excluding, min(map(abs, event.marks), default=0)

    return sorted(events, key=place)
