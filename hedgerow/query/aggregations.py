"""Math: what is counted or computed over the events of a series (``insights-trends`` §3).

``measure`` says how the rows of one group become a number. Math that needs more than one
grouping (actives, first times, counts per actor) is told by ``shape``; the insight builds
its statement.
"""

from typing import Literal

from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.query import expressions, sessions
from hedgerow.query.definitions_nodes import ACTOR_MATH, PROPERTY_MATH, EventsNode
from hedgerow.query.dialects import Dialect
from hedgerow.query.sources import Events
from hedgerow.query.trees import Tree, text_literal

Shape = Literal["plain", "per_actor", "active", "first"]
QUANTILES = {"median": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99}
WINDOW_DAYS = {"weekly_active": 7, "monthly_active": 30}
FIRST = frozenset({"first_time_for_user", "first_matching_event_for_user"})
UNIQUE = frozenset({"dau", "weekly_active", "monthly_active", "unique_group"})
"""Math that counts distinct actors."""


def shape(math: str | None) -> Shape:
    """Return how a series' number comes about."""
    if math in WINDOW_DAYS:
        return "active"
    if math in FIRST:
        return "first"
    return "per_actor" if math in ACTOR_MATH else "plain"


def check(node: EventsNode, path: str) -> None:
    """Refuse math that lacks what it needs, or is not for this kind of query."""
    math = node.math
    needs: dict[str, tuple[str, object]] = {
        "unique_group": ("math_group_type_index", node.math_group_type_index)
    }
    needs |= dict.fromkeys(PROPERTY_MATH, ("math_property", node.math_property))
    needs |= {"hogql": ("math_hogql", node.math_hogql)}
    name, value = needs.get(math or "total", ("", ""))
    if value is None:
        raise InvalidQuery(
            f"The math {math!r} needs {name!r}.", hint="Add it.", attr=f"{path}.{name}"
        )
    if by_session(node) and node.math_property not in sessions.NUMBERS:
        raise InvalidQuery(
            f"Sessions have no number {node.math_property!r}.",
            hint=f"Use one of {', '.join(sorted(sessions.NUMBERS))}.",
            attr=f"{path}.math_property",
        )
    if math == "first_time_for_user_with_filters":
        raise InvalidQuery(
            f"The math {math!r} is for steps of funnels.",
            hint="Use first_matching_event_for_user.",
            attr=f"{path}.math",
        )


def by_session(node: EventsNode) -> bool:
    """Return whether the math is over a number of sessions, each of which counts once."""
    return node.math in PROPERTY_MATH and (
        node.math_property_type == "session_properties"
        or node.math_property == sessions.DURATION
    )


def counts_groups(node: EventsNode) -> int | None:
    """Return the group type whose groups are the actors; None: persons."""
    return node.math_group_type_index if node.math in UNIQUE else None


def actor(node: EventsNode, events: Events) -> Tree:
    """Return who is counted: the person's key, or the group's."""
    index = counts_groups(node)
    return events.person_key() if index is None else events.group_key(index)


def has_actor(node: EventsNode, events: Events) -> list[Tree]:
    """Return the condition that an event has somebody to count; persons always are there."""
    index = counts_groups(node)
    if index is None:
        return []
    key = events.group_key(index)
    return [
        key.neq(text_literal("")),
        exp.not_(exp.Is(this=key.copy(), expression=exp.null())),
    ]


def measure(node: EventsNode, events: Events, path: str) -> Tree:
    """Return the number of a group of rows, never NULL; ``path`` names the node in errors."""
    math = node.math or "total"
    if math == "total":
        return exp.Count(this=exp.Star())
    if math in UNIQUE:
        return distinct(actor(node, events))
    if math == "unique_session":
        session = events.property("event", "$session_id").text
        return distinct(exp.func("coalesce", session, text_literal("")))
    if math == "hogql":
        with expressions.written_in(f"{path}.math_hogql"):
            return filled(expressions.aggregate(node.math_hogql or "", events))
    return over(math, _number(node, events), events.dialect)


def over(math: str, number: Tree, dialect: Dialect) -> Tree:
    """Return a sum, mean, extreme or quantile of numbers, 0 where there is none."""
    if math in QUANTILES:
        return filled(dialect.quantile(number, QUANTILES[math]))
    functions = {"sum": exp.Sum, "avg": exp.Avg, "min": exp.Min, "max": exp.Max}
    return filled(functions[math](this=number))


def distinct(value: Tree) -> Tree:
    """Return ``count(DISTINCT value)``."""
    return exp.Count(this=exp.Distinct(expressions=[value]))


def filled(value: Tree) -> Tree:
    """Return a number with 0 for NULL."""
    return exp.func("coalesce", value, exp.Literal.number(0))


def _number(node: EventsNode, events: Events) -> Tree:
    type_ = "person" if node.math_property_type == "person_properties" else "event"
    return events.property(type_, node.math_property or "").number
