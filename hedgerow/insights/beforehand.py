"""What has to be asked before a question can be put: texts of versions, installations.

Statements are made without looking at data. Where a filter compares versions, or a cohort
has a criterion about installations, the context is filled first; all else passes through.
"""

from collections.abc import Iterator
from typing import Any

from hedgerow.insights.fleet.criteria import with_installations
from hedgerow.insights.results import Run
from hedgerow.insights.version_texts import with_versions
from hedgerow.model.projects import QueryContext


def filled(raw: object, context: QueryContext, run: Run) -> QueryContext:
    """Return the context with all that a question's filters, or cohorts, need to know.

    ``raw`` is the question's JSON. Raises InvalidQuery, QueryTooLarge.
    """
    whole = list(_with_cohorts([raw, context.project.test_account_filters], context))
    return with_installations(whole, with_versions(whole, context, run), run)


def _with_cohorts(raw: object, context: QueryContext) -> Iterator[Any]:
    """Yield a question, then the criteria of every cohort that it may name.

    A cohort is named by its number, wherever that stands: one too many does no harm.
    """
    yield raw
    left, ahead = dict(context.cohorts), [raw]
    while ahead and left:
        named = set(_numbers(ahead.pop()))
        for number in named & left.keys():
            filters = left.pop(number).filters
            ahead.append(filters)
            yield filters


def _numbers(raw: object) -> Iterator[int]:
    if isinstance(raw, dict | list | tuple):
        for inner in raw.values() if isinstance(raw, dict) else raw:
            yield from _numbers(inner)
    elif (
        isinstance(raw, str) and raw.isascii() and raw.isdecimal() and len(raw) < 10
    ) or isinstance(raw, int):
        yield int(raw)
