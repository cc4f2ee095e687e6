"""The texts of version properties, for filters that compare versions (``fleet`` §1.5).

Asked only for questions that compare some; a few hundred texts, found by one grouping.
"""

from collections.abc import Callable

import msgspec
from sqlglot import exp

from hedgerow.errors import QueryTooLarge
from hedgerow.insights.results import Run
from hedgerow.insights.shown import written
from hedgerow.model import tables
from hedgerow.model.ports import Statement
from hedgerow.model.projects import QueryContext
from hedgerow.query.filters_order import SCOPES, compared
from hedgerow.query.sources import Events, Persons, read, table
from hedgerow.query.values import Values

MOST = 20_000
"""Different texts of one property beyond which it holds no versions."""


def with_versions(raw: object, context: QueryContext, run: Run) -> QueryContext:
    """Return the context with the texts of every version that filters compare.

    Raises QueryTooLarge.
    """
    wanted = set(compared(raw))
    found = {
        (scope, key): _texts(scope, key, context, run)
        for scope, key in sorted(wanted)
        if scope in SCOPES
    }
    return msgspec.structs.replace(context, versions=found) if found else context


def _texts(scope: str, key: str, context: QueryContext, run: Run) -> tuple[str, ...]:
    asked = [written(make(key, context), context) for make in _SOURCES[scope]]
    found = {text for one in asked for (text,) in run(one).rows if text}
    if len(found) > MOST:
        raise QueryTooLarge(
            f"{key!r} has {len(found)} different texts.",
            hint="Compare a property that holds versions.",
            attr="properties",
        )
    return tuple(sorted(found))


def _of_events(key: str, context: QueryContext) -> Statement:
    values = Values()
    events = Events(context, values)
    text = events.property("event", key).text
    tree = events.select(exp.alias_(text, "v"), since=None, until=None)
    return _distinct(tree, values)


def _of_persons(key: str, context: QueryContext) -> Statement:
    values = Values()
    persons = Persons(context, values)
    text = persons.property("person", key).text
    return _distinct(persons.select(exp.alias_(text, "v")), values)


def _of_states(key: str, context: QueryContext) -> Statement:
    """Return the question for what persons were like before."""
    values = Values()
    persons = Persons(context, values)
    text = read(persons, "person_states", "s", scope="person", key=key).text
    tree = table(tables.PERSON_STATES.name, "s", context, values, exp.alias_(text, "v"))
    return _distinct(tree, values)


def _distinct(tree: exp.Select, values: Values) -> Statement:
    tree = tree.distinct().limit(MOST + 1)
    return Statement(tree=tree, values=values.by_name)


_SOURCES: dict[str, tuple[Callable[[str, QueryContext], Statement], ...]] = {
    "event": (_of_events,),
    "person": (_of_persons, _of_states),
}
