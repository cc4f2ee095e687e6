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
    if isinstance(named, str) and not named.strip().isdigit():
        found = next((one for one in known.values() if one.name == named), None)
    else:
        found = known.get(int(named))
    if found is None:
        raise InvalidQuery(
            f"There is no cohort {named!r}.",
            hint="Choose one of the project's cohorts; this one may have been deleted.",
            attr="value",
        )
    return found


def members_of(cohort: Cohort, source: Source) -> exp.Query:
    """Return a SELECT of ``person_key`` of everyone in a cohort."""
    return cohorts.members(cohort, source.context, source.values)
