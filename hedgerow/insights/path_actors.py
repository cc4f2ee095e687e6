"""Who is behind an edge, an item, or an end of the paths?

The keys of ``pathsFilter`` choose: those with an edge from the start key, those with an
item at the end key, those with the edge from one to the other, or those whose session, as
it is shown, ends at the drop-off key. Each person is answered with how many of their
items that was.
"""

import msgspec
from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.insights import path_funnels, paths
from hedgerow.insights.path_sessions import Visit
from hedgerow.model.ports import Rows, Statement
from hedgerow.model.projects import QueryContext
from hedgerow.query.definitions_paths import PathsFilter, PathsQuery
from hedgerow.query.sources import Events, at_event_time
from hedgerow.query.trees import Tree
from hedgerow.query.values import Values


class PathActor(msgspec.Struct, frozen=True, kw_only=True):
    """One person, and how many of their items count."""

    actor: int
    """The person's key."""

    event_count: int


def statements(query: PathsQuery, context: QueryContext) -> list[Statement]:
    """Return what must be read: the persons, or what paths around a funnel need."""
    _check(query)
    if query.funnel_paths_filter is not None:
        return path_funnels.statements(query, query.funnel_paths_filter, context)
    values = Values()
    return [Statement(tree=people(query, context, values), values=values.by_name)]


def people(query: PathsQuery, context: QueryContext, values: Values) -> exp.Select:
    """Return a SELECT of the persons: actor, event_count."""
    _check(query)
    events = Events(context, values, at_event=at_event_time(query.modifiers))
    asked = query.paths_filter or PathsFilter()
    found = paths.steps(query, events).select(
        "actor", exp.Count(this=exp.Star()).as_("event_count")
    )
    return found.where(*_conditions(asked, values)).group_by("actor").order_by("actor")


def actors(
    query: PathsQuery,
    context: QueryContext,  # noqa: ARG001 - the same for every insight
    answers: list[Rows],
) -> list[PathActor]:
    """Return the persons, ordered by key."""
    asked = query.paths_filter or PathsFilter()
    if query.funnel_paths_filter is None:
        rows = answers[0].rows
        return [PathActor(actor=actor, event_count=count) for actor, count in rows]
    counts: dict[int, int] = {}
    anchor = paths.anchor(asked)
    for person, session in path_funnels.sessions(
        query.funnel_paths_filter, anchor, answers
    ):
        counts[person] = counts.get(person, 0) + _count(session, asked)
    return [
        PathActor(actor=person, event_count=count)
        for person, count in sorted(counts.items())
        if count
    ]


def _check(query: PathsQuery) -> None:
    paths.check(query)
    asked = query.paths_filter or PathsFilter()
    if asked.path_dropoff_key and (asked.path_start_key or asked.path_end_key):
        raise InvalidQuery(
            f"'pathDropoffKey' {asked.path_dropoff_key!r} stands alone.",
            hint="Leave out 'pathStartKey' and 'pathEndKey'.",
            attr="pathsFilter.pathDropoffKey",
        )


def _conditions(asked: PathsFilter, values: Values) -> list[Tree]:
    here, after = paths.key_of("item"), paths.key_of("next_item", 1)
    ends = exp.column("next_item").is_(exp.null())
    if asked.path_dropoff_key:
        return [here.eq(values.bind(asked.path_dropoff_key)), ends]
    if asked.path_start_key and asked.path_end_key:
        edge = after.eq(values.bind(asked.path_end_key))
        return [here.eq(values.bind(asked.path_start_key)), edge]
    if asked.path_start_key:
        return [here.eq(values.bind(asked.path_start_key)), ends.not_()]
    if asked.path_end_key:
        return [here.eq(values.bind(asked.path_end_key))]
    return []


def _count(session: list[Visit], asked: PathsFilter) -> int:
    """Return how many items of a session count."""
    keys: list[str | None] = [f"{n}_{one.item}" for n, one in enumerate(session, 1)]
    found = 0
    for here, after in zip(keys, [*keys[1:], None], strict=True):
        if asked.path_dropoff_key:
            found += here == asked.path_dropoff_key and after is None
        elif asked.path_start_key and asked.path_end_key:
            found += (here, after) == (asked.path_start_key, asked.path_end_key)
        elif asked.path_start_key:
            found += here == asked.path_start_key and after is not None
        else:
            found += not asked.path_end_key or here == asked.path_end_key
    return found
