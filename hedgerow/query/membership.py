"""Whether the person of a row is in a cohort: for filters, breakdowns and expressions.

Cohorts are made of filters and filters can name cohorts, so the two modules know each
other; this is the one place where the circle is closed.
"""

from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.model.projects import Cohort
from hedgerow.query import cohorts
from hedgerow.query.sources import Source
from hedgerow.query.trees import Tree

LONGEST_ID = 18
"""Digits of an id at most."""


def in_cohort(named: str | float, source: Source) -> Tree:
    """Return whether the row's person is, now, in the cohort of an id or a name.

    Raises InvalidQuery where there is none.
    """
    cohort = cohort_named(named, source)
    members = cohorts.members(cohort, source.context, source.values)
    return exp.In(this=source.person_key(), query=members.subquery())


def cohort_named(named: str | float, source: Source) -> Cohort:
    """Return the cohort of an id (a number, or its text) or a name."""
    known = source.context.cohorts
    number = id_of(named)
    if number is None:
        found = next((one for one in known.values() if one.name == named), None)
    else:
        found = known.get(number)
    if found is None:
        raise InvalidQuery(
            f"There is no cohort {named!r}.",
            hint="Choose one of the project's cohorts; this one may have been deleted.",
            attr="value",
        )
    return found


def id_of(named: object) -> int | None:
    """Return the id that a number, or its text, says; None where it says none."""
    if isinstance(named, float):
        return int(named) if named.is_integer() else None
    text = str(named).strip()
    return int(text) if text.isdecimal() and len(text) <= LONGEST_ID else None


def members_of(cohort: Cohort, source: Source) -> exp.Query:
    """Return a SELECT of ``person_key`` of everyone in a cohort."""
    return cohorts.members(cohort, source.context, source.values)
