"""What do people do one after the other?

Each person's events fall into sessions; in a session equal neighbours collapse, an anchor
chooses the part that is shown, and each item with the next one makes an edge. The answer
is the heaviest edges, as far as they hang together from the first items on.

All of it is one statement: windows over the person's events number sessions and places
(``path_windows``). Edges beyond the limit are cut by the statement, so that what comes
back is small; those left without a root are dropped here. What items are called is in
``path_items``; the same procedure for one person, asked for paths around a funnel's step,
in ``path_sessions`` and ``path_funnels``.

What surprises: sessions count, not persons; times are in milliseconds.
"""

from typing import Any

from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.insights import path_funnels, path_items, path_windows
from hedgerow.insights.path_sessions import Anchor, Edge, edges, rooted
from hedgerow.model.ports import Rows, Statement
from hedgerow.model.projects import QueryContext
from hedgerow.query.definitions_paths import PathsFilter, PathsQuery
from hedgerow.query.sources import Events, at_event_time
from hedgerow.query.trees import Tree, number_literal, text_literal
from hedgerow.query.values import Values

SESSION_US = 30 * 60 * 1_000_000
"""The pause that begins a new session, in microseconds."""

DEFAULT_STEPS = 5
DEFAULT_EDGES = 50


def statements(query: PathsQuery, context: QueryContext) -> list[Statement]:
    """Return what must be read: the edges, or what paths around a funnel need."""
    check(query)
    if query.funnel_paths_filter is not None:
        return path_funnels.statements(query, query.funnel_paths_filter, context)
    values = Values()
    asked = query.paths_filter or PathsFilter()
    events = Events(context, values, at_event=at_event_time(query.modifiers))
    return [Statement(tree=_edges(asked, query, events), values=values.by_name)]


def result(
    query: PathsQuery,
    context: QueryContext,  # noqa: ARG001 - the same for every insight
    answers: list[Rows],
) -> list[dict[str, Any]]:
    """Return the edges, heaviest first, that hang together from the first items on."""
    asked = query.paths_filter or PathsFilter()
    if query.funnel_paths_filter is None:
        names = ("source", "target", "value", "average_conversion_time")
        rows = [dict(zip(names, row, strict=True)) for row in answers[0].rows]
        return rooted(rows)
    around = path_funnels.sessions(query.funnel_paths_filter, anchor(asked), answers)
    found = edges(session for _, session in around)
    return rooted(_heaviest(found, asked))


def check(query: PathsQuery) -> None:
    """Refuse what paths do not know."""
    if query.aggregation_group_type_index is not None:
        raise InvalidQuery(
            "Paths are always those of persons.",
            hint="Leave out 'aggregation_group_type_index'.",
            attr="aggregation_group_type_index",
        )
    if query.sampling_factor not in (None, 1):
        raise InvalidQuery(
            f"'samplingFactor' {query.sampling_factor} is not supported.",
            hint="Leave it out: paths are always computed over all events.",
            attr="samplingFactor",
        )


def anchor(asked: PathsFilter) -> Anchor:
    """Return which part of a session is shown."""
    return Anchor(
        start=path_items.point(asked.start_point),
        end=path_items.point(asked.end_point),
        limit=asked.step_limit or DEFAULT_STEPS,
    )


def steps(query: PathsQuery, events: Events) -> exp.Select:
    """Return a SELECT to be completed over every item shown and the one after it."""
    items = path_items.select(query, events, path_items.span(query, events.context))
    asked = query.paths_filter or PathsFilter()
    return path_windows.steps(items, SESSION_US, anchor(asked), events.values)


def key_of(item: str, after: int = 0) -> Tree:
    """Return a column of ``steps`` with its place before it, such as ``2_/about``."""
    place: Tree = exp.column("place")
    if after:
        place = exp.paren(place + number_literal(after))
    number = exp.DPipe(this=exp.cast(place, "text"), expression=text_literal("_"))
    return exp.DPipe(this=number, expression=exp.column(item))


def _edges(asked: PathsFilter, query: PathsQuery, events: Events) -> exp.Select:
    count = exp.Count(this=exp.Star())
    seconds = exp.Div(
        this=exp.Avg(this=exp.column("took")), expression=number_literal(1000)
    )
    found = (
        steps(query, events)
        .select(
            key_of("item").as_("source"),
            key_of("next_item", 1).as_("target"),
            count.as_("value"),
            seconds.as_("average_conversion_time"),
        )
        .where(exp.column("next_item").is_(exp.null()).not_())
        .group_by("place", "item", "next_item")
    )
    if asked.min_edge_weight is not None:
        found = found.having(count.copy() >= events.values.bind(asked.min_edge_weight))
    if asked.max_edge_weight is not None:
        found = found.having(count.copy() <= events.values.bind(asked.max_edge_weight))
    ordered = found.order_by(exp.column("value").desc(), "source", "target")
    return ordered.limit(asked.edge_limit or DEFAULT_EDGES)


def _heaviest(
    found: dict[tuple[str, str], Edge], asked: PathsFilter
) -> list[dict[str, Any]]:
    least = asked.min_edge_weight if asked.min_edge_weight is not None else 0
    most = asked.max_edge_weight if asked.max_edge_weight is not None else float("inf")
    heavy = [(key, edge) for key, edge in found.items() if least <= edge.count <= most]
    heavy.sort(key=lambda pair: (-pair[1].count, pair[0]))
    return [
        {
            "source": source,
            "target": target,
            "value": edge.count,
            "average_conversion_time": edge.total_us / edge.count / 1000,
        }
        for (source, target), edge in heavy[: asked.edge_limit or DEFAULT_EDGES]
    ]
