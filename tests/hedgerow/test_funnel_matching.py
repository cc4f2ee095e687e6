"""The exact procedures: journeys written as text, "A0 B10" being A at 0 s and B at 10 s.

Letters are steps in order of the alphabet; "x2" excludes on the way to step 2, "." is an
event that matches nothing, "AB5" one event that matches two steps, "A0=red" carries a
value of the breakdown.
"""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgerow.insights import funnel_unordered
from hedgerow.insights.funnel_matching import Attempt, Rules, StepEvent, match
from hedgerow.insights.funnel_periods import match_periods

WINDOW = 100


def journey(text: str, repeated: dict[str, str] | None = None) -> list[StepEvent]:
    events = []
    for number, word in enumerate(text.split()):
        what, at, value = re.fullmatch(
            r"(x\d(?:,\d)*@|[A-Z]+|\.)([\d.]+)(?:=(\w+))?", word
        ).groups()
        if what.startswith("x"):
            marks = tuple(sorted(-int(step) for step in what[1:-1].split(",")))
        else:
            letters = "".join((repeated or {}).get(one, one) for one in what if one != ".")
            marks = tuple(sorted((ord(one) - 64 for one in letters), reverse=True))
        events.append(StepEvent(round(float(at) * 1e6), marks, number, value))
    return events


def rules(steps: int, order: str = "ordered", **more: object) -> Rules:
    return Rules(steps=steps, window_us=WINDOW * 1_000_000, order=order, **more)


def times(attempt: Attempt | None) -> list[float]:
    return [event.at / 1e6 for event in attempt.chain] if attempt else []


@pytest.mark.parametrize(
    ("text", "steps", "chain"),
    [
        ("A0 B10 C20", 3, [0, 10, 20]),
        ("B0 A10 C20", 3, [10]),
        ("A0 A35 B41", 2, [35, 41]),
        ("A0 B10 B20", 2, [0, 10]),
        ("A0 B100", 2, [0, 100]),
        ("A0 B100.000001", 2, [0]),
        ("A0 B60 C101", 3, [0, 60]),
        ("A0 B60 A61 C62", 3, [0, 60, 62]),
        ("A0 B10 A20 B30 C105", 3, [20, 30, 105]),
        ("A0 A10 B20 A30 B40", 2, [10, 20]),
        ("A0 B10 A200 B205", 2, [0, 10]),
        ("A0 B50 A200 B250 C260", 3, [200, 250, 260]),
        ("B5 C6", 3, []),
        ("", 2, []),
    ],
    ids=[
        "straight through",
        "a step before the first one counts for nothing",
        "the latest first step anchors",
        "the earliest second step counts",
        "exactly the window is inside",
        "a microsecond more is outside",
        "the window runs from the first step",
        "an attempt under way goes on beside a newer start",
        "a later attempt can go further",
        "the attempt that first got furthest gives the times",
        "an equal attempt later changes nothing",
        "a better attempt later replaces",
        "nobody enters without the first step",
        "no event at all",
    ],
)
def test_ordered(text: str, steps: int, chain: list[float]) -> None:
    assert times(match(journey(text), rules(steps))) == chain


def test_one_event_fills_one_step_of_a_repeated_step() -> None:
    same = {"A": "AB"}
    assert times(match(journey("A0", same), rules(2))) == [0]
    assert times(match(journey("A0 A5", same), rules(2))) == [0, 5]


@pytest.mark.parametrize(
    ("text", "reached"),
    [
        ("B5 A5", 2),
        ("A5.05 B5", 2),
        ("A5.050001 B5", 1),
        ("C0 B0.04 A0.08", 1),
        ("B1 C1 A1", 3),
        ("x2@5 A5 B6", 2),
        ("x2@5.01 A5 B6", None),
        ("A5 B5 x2@5", 2),
        ("A4 x2@5 B5", 2),
        ("AB5 .5", 1),
    ],
    ids=[
        "simultaneous steps convert in any order",
        "so do those within 50 ms",
        "but not those further apart",
        "groups are measured from their first event",
        "three at once",
        "an exclusion at the same moment is ignored",
        "but with an exclusion only exact ties count",
        "an exclusion tied with both steps is ignored",
        "an exclusion tied with the second step is ignored",
        "one event of two steps converts only once in a tie",
    ],
)
def test_ties(text: str, reached: int | None) -> None:
    events = sorted(journey(text), key=lambda event: event.at)
    attempt = match(events, rules(3 if "C" in text else 2))
    assert (attempt.reached if attempt else None) == reached


def test_a_repeated_step_in_a_tie_anchors_anew_before_the_second_is_tried() -> None:
    events = [StepEvent(1, (2, 1), "a"), StepEvent(2, (2, 1), "b"), StepEvent(2, (3,), "c")]
    exact = rules(3, "strict")  # no near ties, as 1 µs apart would be one
    assert match(events, exact).reached == 1


@pytest.mark.parametrize(
    ("text", "reached"),
    [
        ("A0 B1 C2", 3),
        ("A0 B1 .2 C3", 2),
        ("A0 B1 B2 C3", 3),
        ("A0 A1 B2", 2),
        ("A0 B1 A2 C3", 2),
        ("A0 .1 B2", 1),
        ("A0 .1 B1", 2),
        ("A0 B1 x3@2 C3", None),
        ("A0 .1 A2 B3 C4", 3),
    ],
    ids=[
        "one after the other",
        "any other event breaks the run",
        "repeating the step just done does not",
        "nor does repeating the first",
        "going back does",
        "a break before the second step",
        "nothing breaks inside a moment",
        "an exclusion drops the actor",
        "a broken run can start again",
    ],
)
def test_strict(text: str, reached: int | None) -> None:
    attempt = match(journey(text), rules(3, "strict"))
    assert (attempt.reached if attempt else None) == reached


@pytest.mark.parametrize(
    ("text", "chain"),
    [
        ("A0 x2@5", None),
        ("A0 x2@101", [0]),
        ("A0 x2@5 A200", [200]),
        ("A0 A150 x2@200", [0]),
        ("A0 x2@5 A150 B160", [150, 160]),
        ("A0 x2@5 B10", None),
        ("A0 B5 x2@10", [0, 5]),
        ("x2@0 A5 B10", [5, 10]),
        ("A0 x2@5 B10 A20 B30", [20, 30]),
    ],
    ids=[
        "no later step is needed",
        "outside the window it is harmless",
        "a clean start after the window counts",
        "the best attempt is the one out of reach",
        "a clean attempt converts, with its own times",
        "in between, the actor is dropped",
        "afterwards it changes nothing",
        "nor does it before",
        "an excluded conversion yields to a clean one",
    ],
)
def test_exclusions(text: str, chain: list[float] | None) -> None:
    attempt = match(journey(text), rules(2))
    assert (times(attempt) if attempt else None) == chain


@pytest.mark.parametrize(
    ("text", "touched", "chain"),
    [
        ("A0 B1 C2", "ABC", [0, 2]),
        ("A0 C2", "AC", [0, 2]),
        ("A0 C2 B3", "AC", [0, 2]),
        ("A0 B1", "AB", [0]),
        ("A0 B90 A95 C180", "AC", [95, 180]),
    ],
    ids=["done", "left out", "too late", "it alone", "out of its window"],
)
def test_optional_steps(text: str, touched: str, chain: list[float]) -> None:
    attempt = match(journey(text), rules(3, optional=frozenset({2})))
    assert attempt.touched == sum(1 << ord(one) - 65 for one in touched)
    assert times(attempt) == chain


@pytest.mark.parametrize(
    ("text", "value", "reached"),
    [
        ("A0=red B1=blue B2=red", "red", 2),
        ("A0=red B1=blue", "red", 1),
        ("A0=red B1=blue", "blue", 2),
    ],
    ids=["a later event has it", "none has it", "the first step may differ"],
)
def test_the_attributed_step_must_carry_the_value(
    text: str, value: str, reached: int
) -> None:
    assert match(journey(text), rules(2, attributed=2), value).reached == reached


@pytest.mark.parametrize(
    ("text", "chain"),
    [
        ("B0 A10", [0, 10]),
        ("C0 A10 B20", [0, 10, 20]),
        ("A0 B60 C120", [0, 60]),
        ("A0 A10 B105", [10, 105]),
        ("A0 B100", [0, 100]),
        ("A0 x2,3@5 B10", [10]),
        ("A0 B1 C2 x2,3@3", [0, 1, 2]),
        ("A0 B1 x2,3@50", []),
        ("A0 A1 A2", [0]),
    ],
    ids=[
        "the order does not matter",
        "times go by time",
        "only what fits the window",
        "the oldest event leaves when it is too old",
        "exactly the window is inside",
        "an exclusion forgets progress",
        "not after completion",
        "what an exclusion forgot is not recorded",
        "the same step again is one step",
    ],
)
def test_unordered(text: str, chain: list[float]) -> None:
    attempt = funnel_unordered.match(journey(text), rules(3, "unordered"))
    assert times(attempt) == chain


def test_unordered_gives_an_event_of_two_steps_to_the_one_that_waited_longest() -> None:
    attempt = funnel_unordered.match(journey("A0 AB10"), rules(2, "unordered"))
    assert attempt.reached == 2


@pytest.mark.parametrize(
    ("text", "reach", "periods"),
    [
        ("A0 B10 C20", (1, 3), {0: True}),
        ("A0 A1000 B1010", (1, 2), {0: False, 1: True}),
        ("A950 A1010 B1020", (1, 2), {0: True, 1: True}),
        ("A0 B10", (2, 3), {0: False}),
        ("A0", (2, 3), {}),
        ("A0 B5 A10", (1, 2), {0: True}),
        ("A0 x2@5", (1, 2), {}),
        ("A0 x2@5 A8", (1, 2), {0: False}),
        ("A0 x2@5 B8", (1, 2), {}),
        ("A0 A1000 x2@1005 B1010", (1, 2), {}),
        ("A0 A1000 x2@1005", (1, 2), {0: False}),
        ("A0 B5 A1000 x2@1005 B1010", (1, 2), {0: True}),
    ],
    ids=[
        "time belongs to the period of entry",
        "each period with a first step is a run",
        "one event converts the runs of two periods",
        "entered means the step asked for",
        "not there yet",
        "a converted period takes no more",
        "tainted",
        "a tainted run starts afresh",
        "completed in spite of an exclusion",
        "and then all open runs go",
        "a taint is of its run alone",
        "converted runs stay",
    ],
)
def test_periods(text: str, reach: tuple[int, int], periods: dict[int, bool]) -> None:
    steps = 3 if reach[1] == 3 else 2
    found = match_periods(
        journey(text), rules(steps), reach, lambda at: at // 1_000_000_000
    )
    assert found == periods


def test_strict_periods_break_in_every_run() -> None:
    found = match_periods(
        journey("A950 A1000 .1001 B1002"),
        rules(2, "strict"),
        (1, 2),
        lambda at: at // 10**9,
    )
    assert found == {0: False, 1: False}


def test_unordered_periods_credit_the_period_of_the_oldest_event() -> None:
    found = match_periods(
        journey("B950 A1010 A1020"), rules(2, "unordered"), (1, 2), lambda at: at // 10**9
    )
    assert found == {0: True, 1: False}


marks = st.lists(
    st.sampled_from([(1,), (2,), (3,), (2, 1), (3, 2), (3, 1), (3, 2, 1)]), max_size=9
)


@st.composite
def journeys(draw: st.DrawFn) -> list[StepEvent]:
    """Events at least a second apart, within a few windows of 100 s."""
    at, events = 0, []
    for number, one in enumerate(draw(marks)):
        at += draw(st.integers(1, 70)) * 1_000_000
        events.append(StepEvent(at, one, number))
    return events


def furthest(events: list[StepEvent], steps: int) -> int:
    """The definition: most steps for which different events follow within a window."""
    for wanted in range(steps, 0, -1):
        for chosen in itertools.combinations(events, wanted):
            fits = all(step in one.marks for step, one in enumerate(chosen, 1))
            if fits and chosen[-1].at - chosen[0].at <= WINDOW * 1_000_000:
                return wanted
    return 0


@given(journeys())
def test_the_procedure_agrees_with_the_definition(events: list[StepEvent]) -> None:
    attempt = match(events, rules(3))
    assert (attempt.reached if attempt else 0) == furthest(events, 3)


def different(events: list[StepEvent], steps: int) -> int:
    """Most different steps that different events of one window can cover, any order."""

    def cover(rest: list[StepEvent], left: frozenset[int]) -> int:
        if not rest or not left:
            return 0
        used = [
            1 + cover(rest[1:], left - {step}) for step in rest[0].marks if step in left
        ]
        return max([cover(rest[1:], left), *used])

    everything = frozenset(range(1, steps + 1))
    spans = [
        [one for one in events if first.at <= one.at <= first.at + WINDOW * 1_000_000]
        for first in events
    ]
    return max((cover(span, everything) for span in spans), default=0)


@given(journeys())
def test_any_order_never_claims_more_than_a_window_holds(events: list[StepEvent]) -> None:
    attempt = funnel_unordered.match(events, rules(3, "unordered"))
    assert (attempt.reached if attempt else 0) <= different(events, 3)


@given(journeys())
def test_any_order_agrees_where_events_match_one_step(events: list[StepEvent]) -> None:
    single = [event for event in events if len(event.marks) == 1]
    attempt = funnel_unordered.match(single, rules(3, "unordered"))
    assert (attempt.reached if attempt else 0) == different(single, 3)


@given(journeys())
def test_a_chain_rises_in_time_and_fits_the_window(events: list[StepEvent]) -> None:
    attempt = match(events, rules(3, "strict"))
    if attempt:
        chain = times(attempt)
        assert chain == sorted(set(chain))
        assert chain[-1] - chain[0] <= WINDOW
        assert attempt.touched == (1 << attempt.reached) - 1


@pytest.mark.parametrize("order", ["ordered", "strict"])
@pytest.mark.parametrize("attributed", [None, 1])
def test_who_only_enters_reached_the_first_step_by_the_first_event(
    order: str, attributed: int | None
) -> None:
    events = [StepEvent(at, (1,), at) for at in (5, 5, 40_000, 90_000_000_000)]
    attempt = match(events, rules(3, order, attributed=attributed))
    assert attempt == Attempt(1, 1, (events[0],))
