"""How many get from step to step, and how long does it take?

There are two ways, and a test holds them together. The exact one reads the events the
funnel is about (``funnel_events``), actor by actor; each actor is matched for the values
it counts in (``funnel_values``, ``funnel_matching``). Where a funnel has no peculiarities
the database adds up by itself (``funnel_fast``), and only the actors with simultaneous
events are matched. What comes out takes one of three shapes: steps, a histogram of times,
or conversion rates over time. A comparison does the same again for the period before.

What is asked is made plain, or refused, in ``funnel_checks``. Who is behind a figure is
answered by ``funnel_actors`` from the very same matching, so counts agree.
"""

from typing import Any

import msgspec

from hedgerow.insights import funnel_events, funnel_fast, funnel_trends
from hedgerow.insights.funnel_checks import Funnel, funnel
from hedgerow.insights.funnel_counts import (
    Tally,
    histogram,
    median_total,
    ranked,
    samples,
    step_rows,
    tallies,
)
from hedgerow.insights.funnel_matching import Value
from hedgerow.insights.funnel_values import entries
from hedgerow.model.ports import Rows, Statement
from hedgerow.model.projects import QueryContext
from hedgerow.query.dates import Range, previous, resolve
from hedgerow.query.definitions_funnels import FunnelsQuery

LABELS = ("current", "previous")


def statements(query: FunnelsQuery, context: QueryContext) -> list[Statement]:
    """Return the statement of the period, and of the one compared with."""
    asked = _asked(query)
    build = funnel_fast.statement if funnel_fast.fits(asked) else funnel_events.statement
    return [build(asked, context, span) for span in spans(asked, context)]


def result(
    query: FunnelsQuery, context: QueryContext, answers: list[Rows]
) -> list[Any] | dict[str, Any]:
    """Return the answer of §4, §6 or §7, by the visualisation asked for.

    Steps come with ``total_median_conversion_time`` beside their ``results``.
    """
    asked = _asked(query)
    ranges = spans(asked, context)
    names = {number: cohort.name for number, cohort in context.cohorts.items()}
    match asked.viz:
        case "steps":
            return _steps(asked, answers, names)
        case "time_to_convert":
            return _times(asked, answers)
        case "trends":
            return _trends(asked, ranges, answers, names)


def spans(asked: Funnel, context: QueryContext) -> list[Range]:
    """Return the periods asked about: the current one, and the one compared with."""
    interval = asked.query.interval or "day"
    current = resolve(asked.query.date_range, context, interval=interval)
    if asked.viz == "trends":
        funnel_trends.check(current)
    before = previous(current, asked.query.compare_filter)
    return [current] if before is None else [current, before]


def _asked(query: FunnelsQuery) -> Funnel:
    """Return the funnel; a histogram has no breakdown."""
    asked = funnel(query)
    return _unbroken(asked) if asked.viz == "time_to_convert" else asked


def _unbroken(asked: Funnel) -> Funnel:
    """Return the funnel without its breakdown."""
    rules = msgspec.structs.replace(asked.rules, attributed=None)
    return msgspec.structs.replace(asked, breakdown=None, rules=rules)


def _steps(asked: Funnel, answers: list[Rows], names: dict[int, str]) -> dict[str, Any]:
    sides = [counted(asked, rows) for rows in answers]
    shown = _step_rows(asked, [ranked(side, asked) for side in sides], names)
    total = median_total(_whole(asked, answers[0], sides[0]))
    return {"results": shown, "total_median_conversion_time": total}


def counted(asked: Funnel, rows: Rows) -> dict[Value, Tally]:
    """Return the tallies of one period: what was added up, and what is matched here."""
    if not funnel_fast.fits(asked):
        return _matched(asked, rows)
    found = _matched(asked, funnel_fast.left_out(rows, asked))
    for value, tally in funnel_fast.tallies(rows, asked).items():
        found.setdefault(value, Tally.of(asked.rules.steps)).join(tally)
    return found


def _matched(asked: Funnel, rows: Rows) -> dict[Value, Tally]:
    met = entries(funnel_events.journeys(rows, asked), asked)
    return tallies(met, asked.rules.steps)


def _whole(asked: Funnel, rows: Rows, side: dict[Value, Tally]) -> dict[Value, Tally]:
    """Return tallies in which every actor counts once, whatever the breakdown."""
    if asked.breakdown is None or funnel_fast.fits(asked):
        return side
    return _matched(_unbroken(asked), rows)


def _step_rows(
    asked: Funnel, shown: list[list[tuple[Value, Tally]]], names: dict[int, str]
) -> list[Any]:
    if len(shown) == 1:
        made = [step_rows(value, tally, asked, names) for value, tally in shown[0]]
        return made if asked.breakdown else (made[0] if made else [])
    nothing = Tally.of(asked.rules.steps)
    found: list[Any] = []
    for label, side, other in zip(LABELS, shown, reversed(shown), strict=True):
        there: list[tuple[Value, Tally]] = side or [(value, nothing) for value, _ in other]
        for value, tally in there:
            rows = [
                {**row, "compare_label": label}
                for row in step_rows(value, tally, asked, names)
            ]
            found.extend([rows] if asked.breakdown else rows)
    return found


def _times(asked: Funnel, answers: list[Rows]) -> list[Any] | dict[str, Any]:
    sides = [
        samples(entries(funnel_events.journeys(rows, asked), asked), asked)
        for rows in answers
    ]
    pool = [sample for side in sides for sample in side]
    made = [histogram(side, pool, asked.bins) for side in sides]
    if len(made) == 1:
        return made[0]
    return [
        {**one, "compare_label": label} for label, one in zip(LABELS, made, strict=True)
    ]


def _trends(
    asked: Funnel, ranges: list[Range], answers: list[Rows], names: dict[int, str]
) -> list[Any]:
    found = []
    for label, span, rows in zip(LABELS, ranges, answers, strict=False):
        journeys = funnel_events.journeys(rows, asked)
        met = funnel_trends.entrances(journeys, asked, span)
        counts = funnel_trends.rates(met, len(span.buckets))
        made = funnel_trends.rows(counts, asked, span, names)
        if len(ranges) > 1:
            made = [{**row, "compare_label": label} for row in made]
        found.extend(made)
    return found
