"""The events a funnel is about, one actor after the other, by time.

One statement, whatever is asked of the funnel: for each event that takes part its actor,
its time, which steps and exclusions it matches (as bits), and its value of the breakdown.
For ordered and unordered funnels events that match nothing are left in the database; a
strict funnel needs them all, since any of them breaks a run.

What comes back is a row for each actor and value, with lists that hold something of each
event: so it is people that an answer must have room for, not events. ``journeys`` reads
the rows back as the events that ``funnel_matching`` knows.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby, repeat
from operator import itemgetter
from typing import Any

from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.insights.funnel_checks import Funnel, FunnelBreakdown
from hedgerow.insights.funnel_matching import StepEvent, Value
from hedgerow.insights.funnel_values import Journey
from hedgerow.model.ports import Rows, Statement
from hedgerow.model.projects import QueryContext
from hedgerow.query import expressions
from hedgerow.query.breakdowns import text_of
from hedgerow.query.dates import Range
from hedgerow.query.definitions_nodes import Breakdown, EventsNode
from hedgerow.query.filters import conditions
from hedgerow.query.membership import in_cohort
from hedgerow.query.sources import Events, at_event_time
from hedgerow.query.trees import Tree, call, number_literal, text_literal
from hedgerow.query.values import Values

FIRST_TIME = "first_time_for_user"
FIRST_MATCHING = frozenset(
    {"first_time_for_user_with_filters", "first_matching_event_for_user"}
)
TRAILING = r"[/\\?#]+$"
"""What a normalized address loses at its end."""


def statement(
    funnel: Funnel, context: QueryContext, span: Range, *, detail: bool = False
) -> Statement:
    """Return the SELECT of the funnel's events, a row for each actor and value.

    Columns: actor; lists, by event, of microseconds, bits of steps and bits of exclusions
    (NULL without any); with ``detail`` of the event's uuid and its person's key; then the
    value of the breakdown. Rows come by actor, events in no order.
    """
    values = Values()
    events = Events(context, values, at_event=at_event_time(funnel.query.modifiers))
    keys = funnel.breakdown.keys if funnel.breakdown else ()
    cohorts = funnel.breakdown is not None and funnel.breakdown.type == "cohort"
    shown = [f"value_{number}" for number in range(1 if cohorts else len(keys))]
    marked = select(funnel, events, span, detail=detail)
    tree = gathered(marked, shown, detail=detail, excluding=bool(funnel.exclusions))
    if not shown and funnel.rules.order != "unordered":
        first = exp.Mod(this=exp.column("steps", table="m"), expression=number_literal(2))
        tree = tree.having(exp.Max(this=first).eq(number_literal(1)), copy=False)
    return Statement(tree=tree.order_by("actor", copy=False), values=values.by_name)


def gathered(
    marked: exp.Query, shown: Sequence[str], *, detail: bool, excluding: bool
) -> exp.Select:
    """Return a row for each actor and value, with lists of what is told of its events."""
    listed = ["at", "steps", "exclusions", *(("uuid", "person") if detail else ())]
    lists = [
        exp.null().as_(name)
        if name == "exclusions" and not excluding
        else exp.ArrayAgg(this=exp.column(name, table="m")).as_(name)
        for name in listed
    ]
    told = [exp.column(name, table="m") for name in ("actor", *shown)]
    query = exp.Select(expressions=[told[0], *lists, *told[1:]])
    query = query.from_(marked.subquery("m", copy=False), copy=False)
    return query.group_by(*[one.copy() for one in told], copy=False)


def select(
    funnel: Funnel, events: Events, span: Range, *, detail: bool = False
) -> exp.Select:
    """Return that SELECT over a source, in no order, to be built upon."""
    query = funnel.query
    steps = [
        _matches(step, events, span, number) for number, step in enumerate(query.series)
    ]
    out = [
        node_condition(node, events, f"funnelsFilter.exclusions[{number}]")
        for number, node in enumerate(funnel.exclusions)
    ]
    actor = actor_of(funnel, events)
    where = conditions(query.properties, events, test_accounts=query.filter_test_accounts)
    if not _counts_persons(funnel):
        where.append(_said(actor))
    if funnel.rules.order != "strict":
        where.append(exp.paren(exp.or_(*[one.copy() for one in (*steps, *out)])))
    shown, members = breakdown_columns(funnel.breakdown, events)
    where += members
    columns: list[Tree] = [
        actor.as_("actor"),
        events.dialect.microseconds(events.column("timestamp")).as_("at"),
        _bits(steps).as_("steps"),
        _bits(out).as_("exclusions"),
    ]
    if detail:
        columns.append(exp.cast(events.column("uuid"), "text").as_("uuid"))
        columns.append(events.person_key().as_("person"))
    columns += [one.as_(f"value_{number}") for number, one in enumerate(shown)]
    return events.select(*columns, since=span.start, until=span.end, where=where)


def actor_of(funnel: Funnel, events: Events) -> Tree:
    """Return what is counted: the person's key, a group's key, or an expression as text."""
    index = funnel.query.aggregation_group_type_index
    if index is not None:
        return events.group_key(index)
    if funnel.expression is not None:
        attr = "funnelsFilter.funnelAggregateByHogQL"
        return expression_text(funnel.expression, events, attr)
    return events.person_key()


def expression_text(text: str, events: Events, attr: str) -> Tree:
    """Return the value of an expression as text. Raises InvalidQuery naming ``attr``."""
    try:
        return expressions.as_text(expressions.scalar(text, events), events)
    except InvalidQuery as error:
        raise InvalidQuery(error.what, hint=error.hint, attr=attr) from error


def _counts_persons(funnel: Funnel) -> bool:
    return funnel.query.aggregation_group_type_index is None and funnel.expression is None


def _said(text: Tree) -> Tree:
    """Return whether a text is there; events without group or value are no one's."""
    return call("coalesce", text.copy(), text_literal("")).neq(text_literal(""))


def node_condition(node: EventsNode, events: Events, path: str) -> Tree:
    """Return whether an event is of a node's name and passes its filters."""
    parts = conditions(node.filters(), events, path=f"{path}.properties")
    if node.event is not None:
        parts = [events.column("event").eq(events.values.bind(node.event)), *parts]
    return exp.and_(*parts) if parts else exp.true()


def _matches(step: EventsNode, events: Events, span: Range, number: int) -> Tree:
    """Return whether an event is this step; with first-time math, also the first such."""
    path = f"series[{number}]"
    found = node_condition(step, events, path)
    if step.math != FIRST_TIME and step.math not in FIRST_MATCHING:
        return found
    history = Events(events.context, events.values, at_event=events.at_event)
    sought = step.filters() if step.math in FIRST_MATCHING else []
    node = EventsNode(event=step.event, properties=sought)
    first = history.select(
        history.person_key().as_("person_key"),
        exp.Min(this=history.column("timestamp")).as_("at"),
        since=None,
        until=span.end,
        where=[node_condition(node, history, path)],
    ).group_by(history.person_key())
    alias = f"first_{number}"
    same = exp.column("person_key", table=alias).eq(events.person_key())
    events.join(alias, first, same, side="left")
    return exp.and_(found, events.column("timestamp").eq(exp.column("at", table=alias)))


def _bits(matched: Sequence[Tree]) -> Tree:
    """Return a number whose bit k tells whether the k-th condition holds."""
    total: Tree = number_literal(0)
    for place, condition in enumerate(matched):
        bit = exp.If(this=condition.copy(), true=number_literal(1 << place))
        total = exp.Add(
            this=total, expression=exp.Case(ifs=[bit], default=number_literal(0))
        )
    return total


def breakdown_columns(
    breakdown: FunnelBreakdown | None, events: Events
) -> tuple[list[Tree], list[Tree]]:
    """Return the columns of an event's value, and conditions on it.

    Texts, never NULL; for cohorts one number whose bit k tells of membership in the k-th.
    """
    if breakdown is None:
        return [], []
    if breakdown.type == "cohort":
        inside = [_in_cohort(one, events) for one in breakdown.cohorts]
        return [_bits(inside)], [exp.paren(exp.or_(*[one.copy() for one in inside]))]
    return [_text(key, breakdown, events) for key in breakdown.keys], []


def _in_cohort(number: int, events: Events) -> Tree:
    if number == 0:
        return exp.true()
    if number not in events.context.cohorts:
        raise InvalidQuery(
            f"There is no cohort {number}.",
            hint="Choose one of the project's cohorts; this one may have been deleted.",
            attr="breakdownFilter.breakdown",
        )
    return in_cohort(number, events)


def _text(key: str, breakdown: FunnelBreakdown, events: Events) -> Tree:
    if breakdown.type == "hogql":
        text = expression_text(key, events, "breakdownFilter.breakdown")
    else:
        by = Breakdown(
            property=key, type=breakdown.type, group_type_index=breakdown.group_index
        )
        text = text_of(by, events)
    shown = call("coalesce", text, text_literal(""))
    if not breakdown.normalize_url:
        return shown
    cut = call(
        "nullif", events.dialect.replace_pattern(shown, TRAILING, ""), text_literal("")
    )
    return call("coalesce", cut, text_literal("/"))


def journeys(rows: Rows, funnel: Funnel, *, detail: bool = False) -> Iterator[Journey]:
    """Yield each actor with its events by time; simultaneous ones by what they match.

    An event's key is its place among all; with ``detail`` its uuid and its person.
    """
    marks = _marks(funnel)
    width = 6 if detail else 4
    value_of_row = _value_reader(funnel.breakdown, width)
    number = 0
    for actor, group in groupby(rows.rows, key=itemgetter(0)):
        told = [event for row in group for event in _told(row, width, value_of_row(row))]
        told.sort(key=itemgetter(0, 1, 2, 3))
        events = []
        for at, steps, exclusions, _, key, value in told:
            number += 1
            whose = key if detail else number
            events.append(StepEvent(at, marks(steps, exclusions), whose, value))
        yield actor, events


def _told(row: Sequence[Any], width: int, value: Value) -> Iterator[tuple[Any, ...]]:
    """Yield time, steps, exclusions, value as columns, key and value of a row's events."""
    columns = row[width:]
    keys = zip(*row[4:width], strict=True) if width > 4 else repeat(None)
    lists = zip(row[1], row[2], row[3] or repeat(0), keys, strict=False)
    for at, steps, exclusions, key in lists:
        yield at, steps, exclusions, columns, key, value


def _marks(funnel: Funnel) -> Any:
    """Return a function from the two sets of bits to an event's marks, in order of trial."""

    @lru_cache(maxsize=4096)
    def marks(steps: int, exclusions: int) -> tuple[int, ...]:
        out = {
            -step
            for place, one in enumerate(funnel.exclusions)
            if exclusions >> place & 1
            for step in range(one.from_step + 2, one.to_step + 2)
        }
        done = [n for n in range(funnel.rules.steps, 0, -1) if steps >> n - 1 & 1]
        return (*sorted(out), *done)

    return marks


def _value_reader(breakdown: FunnelBreakdown | None, width: int) -> Any:
    """Return a function from a row to the event's value of the breakdown."""
    if breakdown is None:
        return lambda _: None
    if breakdown.type == "cohort":
        cohorts = breakdown.cohorts

        @lru_cache(maxsize=4096)
        def members(bits: int) -> Value:
            return tuple(one for place, one in enumerate(cohorts) if bits >> place & 1)

        return lambda row: members(row[width])
    if not breakdown.listed:
        return itemgetter(width)
    return lambda row: tuple(row[width:])
