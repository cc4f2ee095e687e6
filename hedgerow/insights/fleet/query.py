"""``FleetQuery``: one figure about the installations, answered like every insight.

All statements are known beforehand; the figure is computed of their rows. Where an earlier
publication matters, everything is asked twice, as of both days.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec

from hedgerow.errors import InvalidQuery
from hedgerow.insights.fleet.figures import FIGURES, Ask, Figure
from hedgerow.insights.fleet.observations import Installation
from hedgerow.insights.fleet.params import (
    Asked,
    Params,
    asked,
    day_of,
    end_of,
    iso,
    params_of,
)
from hedgerow.insights.fleet.population import Fleet, fleet, moves_of
from hedgerow.insights.fleet.reports import itself, moves, reports, summed
from hedgerow.insights.fleet.settings import settings_of
from hedgerow.insights.fleet.signatures import signatures
from hedgerow.insights.fleet.spellings import with_spellings
from hedgerow.insights.results import Run
from hedgerow.model.ports import Rows, Statement
from hedgerow.model.projects import QueryContext
from hedgerow.query.definitions import FleetQuery


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A figure with what is asked of it."""

    figure: Figure
    asked: Asked
    earlier: Asked | None
    """The same as of the last publication."""


def beforehand(query: FleetQuery, context: QueryContext, run: Run) -> QueryContext:
    """Return the context with all version texts of the fleet. Raises InvalidQuery."""
    return with_spellings(question_of(query, context).asked, run)


def statements(query: FleetQuery, context: QueryContext) -> list[Statement]:
    """Return what to ask. Raises InvalidQuery."""
    question = question_of(query, context)
    return [ask(one) for _, _, ask, one in _asks(question)]


def statements_of_each(query: FleetQuery, context: QueryContext) -> list[Statement]:
    """Return what to ask for the installations behind a figure. Raises InvalidQuery."""
    question = question_of(query, context)
    return [ask(one) for _, _, ask, one in _asks(question, each=True)]


def result(query: FleetQuery, context: QueryContext, answers: list[Rows]) -> dict[str, Any]:
    """Return the figure with what every figure says of itself. Raises UnknownRelease."""
    question = question_of(query, context)
    now, earlier = fleets(question, answers)
    figure, params = question.figure, question.asked.params
    if figure.compared is not None:
        told = figure.compared(now, earlier)
    elif figure.compute is not None:
        told = figure.compute(now)
    else:
        raise TypeError(figure)
    common = {
        "as_of": iso(now.asked.as_of),
        "timezone": context.project.timezone,
        "source": now.source,
        "excluded_environment": now.excluded,
        "provisional": now.asked.provisional,
        "configured": now.configured,
    }
    if params.format == "csv":
        raise InvalidQuery(
            "A query answers as JSON.",
            hint="Get the figure's own address with ?format=csv.",
            attr="params.format",
        )
    return {"results": {**common, **told}}


def question_of(query: FleetQuery, context: QueryContext) -> Question:
    """Return what a query asks. Raises InvalidQuery."""
    figure = FIGURES.get(query.figure)
    if figure is None:
        raise InvalidQuery(
            f"There is no figure {query.figure!r}.",
            hint=f"Use one of {', '.join(FIGURES)}.",
            attr="figure",
        )
    params = params_of(query.params or {}, query.figure, figure.takes)
    settings = settings_of(context.project.fleet)
    now = asked(params, query.figure, settings, context)
    return Question(figure=figure, asked=now, earlier=_earlier(params, now, context))


def _earlier(params: Params, now: Asked, context: QueryContext) -> Asked | None:
    if params.published_as_of is None:
        return None
    day = day_of(params.published_as_of, context, "published_as_of")
    if day > now.as_of:
        raise InvalidQuery(
            f"{iso(day)} is after {iso(now.as_of)}.",
            hint="Give the day of an earlier publication.",
            attr="params.published_as_of",
        )
    return msgspec.structs.replace(now, as_of=day, at=end_of(day, now.zone))


def fleets(
    question: Question, answers: list[Rows], *, each: bool = False
) -> tuple[Fleet, Fleet | None]:
    """Return the fleet of the answers, and that of the last publication."""
    found: dict[bool, dict[str, Rows]] = {False: {}, True: {}}
    for (is_earlier, name, *_), rows in zip(
        _asks(question, each=each), answers, strict=True
    ):
        found[is_earlier][name] = rows
    earlier = question.earlier
    before = None if earlier is None else fleet(earlier, found[True])
    return fleet(question.asked, found[False]), before


def _asks(
    question: Question, *, each: bool = False
) -> Iterator[tuple[bool, str, Ask, Asked]]:
    """Yield what to ask: whether of the earlier day, the name of its rows, how, of whom.

    ``each`` is for who is behind a figure: then every installation has to be known.
    """
    for is_earlier, one in ((False, question.asked), (True, question.earlier)):
        if one is None:
            continue
        sums = one.plain and not each and question.figure.alike(one)
        if sums:
            yield is_earlier, "summed", summed, one
        else:
            yield is_earlier, "reports", reports, one
        further = dict(question.figure.beside if sums else question.figure.asks)
        if sums:
            for window in question.figure.windows(one):
                further[moves_of(window)] = partial(moves, window=window)
        yield is_earlier, "question", itself, one
        if one.params.exclude_clones:
            further["signatures"] = signatures
        for name, ask in further.items():
            yield is_earlier, name, ask, one


def chosen(
    query: FleetQuery, row: dict[str, Any], context: QueryContext, answers: list[Rows]
) -> list[Installation]:
    """Return the installations behind a row of a figure, each once. Raises InvalidQuery."""
    question = question_of(query, context)
    now, _ = fleets(question, answers, each=True)
    found: dict[int, Installation] = {}
    known: set[str] = set()
    for told, one in question.figure.members(now):
        known |= told.keys()
        if all(name in told and told[name] == value for name, value in row.items()):
            found.setdefault(one.key, one)
    for name in row:
        if known and name not in known:
            raise InvalidQuery(
                f"Rows of {query.figure!r} have no {name!r}.",
                hint=f"Use {', '.join(sorted(known))}.",
                attr=f"row.{name}",
            )
    return list(found.values())
