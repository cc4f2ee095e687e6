"""Ordered funnels without peculiarities, added up by the database.

Most funnels have no exclusions, optional steps or strict order, and are broken down by
touch if at all. For these the slots of ``funnel_matching`` have a form in sets:

- a *start* is an event of step 1; ``chain_2`` holds for each start the earliest step 2
  before the next start and inside the window, ``chain_3`` for each of those chains the
  earliest step 3 after it and before the next chain got as far, and so on;
- an actor reached step k if it has a chain of k; the one that was there first gives the
  times.

One pass over the actor's events finds the start before each event, and who has (nearly)
simultaneous events of different steps: those actors are left out of the sums, and their
events come back to be matched by the procedure. For everybody else comes back, for each
value and step, how many got just that far, and their gaps; that makes the same tallies.
"""

from collections.abc import Iterable
from operator import itemgetter

from sqlglot import exp

from hedgerow.insights import funnel_events
from hedgerow.insights.funnel_checks import Funnel
from hedgerow.insights.funnel_counts import Tally
from hedgerow.insights.funnel_matching import NEAR_TIE_US, Value
from hedgerow.model.ports import Rows, Statement
from hedgerow.model.projects import QueryContext
from hedgerow.query.dates import Range
from hedgerow.query.dialects import Dialect
from hedgerow.query.sources import Events, at_event_time
from hedgerow.query.trees import Tree, number_literal, select, text_literal, with_parts
from hedgerow.query.values import Values

TOUCHES = frozenset({"first_touch", "last_touch"})
MOST_STEPS = 10
"""Beyond these the statement would be longer than it is worth."""


def fits(funnel: Funnel) -> bool:
    """Return whether the database can add this funnel up."""
    breakdown = funnel.breakdown
    plain = breakdown is None or (
        breakdown.type != "cohort" and funnel.attribution in TOUCHES
    )
    rules = funnel.rules
    simple = not funnel.exclusions and not rules.optional and rules.steps <= MOST_STEPS
    return plain and simple and rules.order == "ordered" and funnel.viz == "steps"


def statement(funnel: Funnel, context: QueryContext, span: Range) -> Statement:
    """Return what the database adds up, with the events of those it leaves out.

    Rows of sums: step, actors, their gaps in microseconds, then three NULLs, the value.
    For step 1 the actors are all who entered; for others those who got just there. Rows of
    events: 0, NULLs, then actor, lists of microseconds and of bits of steps, the value.
    """
    values = Values()
    events = Events(context, values, at_event=at_event_time(funnel.query.modifiers))
    return Statement(tree=_added_up(_Stages(funnel, events, span)), values=values.by_name)


class _Stages:
    """The named parts of both statements."""

    def __init__(self, funnel: Funnel, events: Events, span: Range) -> None:
        self.funnel = funnel
        self.dialect: Dialect = events.dialect
        self.marked = funnel_events.select(funnel, events, span)
        keys = funnel.breakdown.keys if funnel.breakdown else ()
        self.values = [f"value_{number}" for number in range(len(keys))]
        self.bind = events.values.bind

    def has(self, step: int) -> Tree:
        """Return whether an event is of a step: whether its bit is set."""
        shifted = self.dialect.whole(exp.column("steps"), 1 << step - 1)
        return exp.Mod(this=exp.paren(shifted), expression=number_literal(2)).eq(
            number_literal(1)
        )

    def walked(self) -> exp.Select:
        """Return each event with the last start before it, and whether it is (nearly) tied.

        Tied are neighbours that match different steps at most 50 ms apart, and those of
        one moment that match several, or whose values may differ.
        """
        gap = exp.column("at") - exp.column("at_before")
        single = [number_literal(1 << place) for place in range(self.funnel.rules.steps)]
        several = exp.column("steps").isin(*single).not_()
        unclear = exp.true() if self.values else several  # whose value comes first?
        together = exp.and_(gap.copy().eq(number_literal(0)), unclear)
        differ = exp.column("steps").neq(exp.column("steps_before"))
        close = exp.and_(gap <= number_literal(NEAR_TIE_US), exp.or_(differ, together))
        start = exp.Case(ifs=[exp.If(this=self.has(1), true=exp.column("at"))])
        known = self.dialect.nullable
        beside = select(
            "actor",
            "at",
            "steps",
            *self.values,
            _window(exp.Lag(this=known(exp.column("at")))).as_("at_before"),
            _window(exp.Lag(this=known(exp.column("steps")))).as_("steps_before"),
            _window(exp.Max(this=start), _BEFORE.copy()).as_("at_1"),
        ).from_(exp.to_table("marked"), copy=False)
        return select(
            "actor", "at", "steps", *self.values, "at_1", close.as_("tied")
        ).from_(beside.subquery("beside", copy=False), copy=False)

    def tied(self) -> exp.Select:
        """Return the actors whose events are too close together for sets."""
        return (
            select("actor")
            .distinct()
            .from_(exp.to_table("walked"), copy=False)
            .where(exp.column("tied"), copy=False)
        )

    def chain(self, step: int) -> exp.Select:
        """Return (actor, at_1 … at_step): for each chain before it, the earliest step."""
        times = _times(step - 1)
        earliest = exp.Min(this=exp.column("at", table="x")).as_(f"at_{step}")
        inside = exp.column("at", table="x") - exp.column("at_1", table=_before(step))
        query = select(
            exp.column("actor", table="x"),
            *[exp.column(name, table=_before(step)) for name in times],
            earliest,
        )
        if step == 2:
            query = query.from_(exp.to_table("walked").as_("x"), copy=False)
            query = query.where(self.has(2), untied("x"), copy=False)
        else:
            later = exp.column("at", table="x") > exp.column(f"at_{step - 1}", table="c")
            same = exp.column("actor", table="x").eq(exp.column("actor", table="c"))
            rows = (
                select("actor", "at")
                .from_(exp.to_table("walked"), copy=False)
                .where(self.has(step), copy=False)
            )
            query = query.from_(rows.subquery("x", copy=False), copy=False).join(
                exp.to_table(f"chain_{step - 1}").as_("c"),
                on=exp.and_(same, later),
                join_type="ASOF",
                copy=False,
            )
        places = [str(place) for place in range(1, step + 1)]
        window = self.bind(self.funnel.rules.window_us)
        return query.where(inside <= window, copy=False).group_by(*places, copy=False)

    def best(self, step: int) -> exp.Select:
        """Return (actor, gap_1 …) of those who got to a step, by who was there first."""
        last = exp.column(f"at_{step}")
        gaps = [
            exp.ArgMin(
                this=exp.column(f"at_{place + 1}") - exp.column(f"at_{place}"),
                expression=last.copy(),
            ).as_(f"gap_{place}")
            for place in range(1, step)
        ]
        return (
            select("actor", *gaps)
            .from_(exp.to_table(f"chain_{step}"), copy=False)
            .group_by("actor", copy=False)
        )

    def touched(self) -> exp.Select:
        """Return (actor, value_0 …): the first value, or the last, that says something."""
        pick = exp.ArgMin if self.funnel.attribution == "first_touch" else exp.ArgMax
        said = exp.or_(*[exp.column(name).neq(text_literal("")) for name in self.values])
        picked = []
        for name in self.values:
            found: Tree = pick(this=exp.column(name), expression=exp.column("at"))
            if self.funnel.breakdown and self.funnel.breakdown.type != "group":
                found = exp.Filter(this=found, expression=exp.Where(this=said.copy()))
            picked.append(exp.func("coalesce", found, text_literal("")).as_(name))
        return (
            select("actor", *picked)
            .from_(exp.to_table("walked"), copy=False)
            .group_by("actor", copy=False)
        )


def _before(step: int) -> str:
    """Return where the chain before a step comes from: the walk itself has the starts."""
    return "x" if step == 2 else "c"


def _times(step: int) -> list[str]:
    return [f"at_{place}" for place in range(1, step + 1)]


_BEFORE = exp.WindowSpec(
    kind="ROWS",
    start="UNBOUNDED",
    start_side="PRECEDING",
    end=number_literal(1),
    end_side="PRECEDING",
)
"""All of the actor's events before this one."""


def _window(what: Tree, spec: exp.WindowSpec | None = None) -> exp.Window:
    """Return a function over the actor's events by time."""
    order = exp.Order(expressions=[exp.Ordered(this=exp.column("at"))])
    return exp.Window(this=what, partition_by=[exp.column("actor")], order=order, spec=spec)


def untied(table: str) -> Tree:
    """Return whether the actor of a row can be added up here."""
    tied = select("actor").from_(exp.to_table("tied"), copy=False).subquery(copy=False)
    return exp.not_(exp.In(this=exp.column("actor", table=table), query=tied))


def _added_up(stages: _Stages) -> exp.Query:
    steps = stages.funnel.rules.steps
    query: exp.Query = exp.union(
        _left_out(stages), _entered(stages), distinct=False, copy=False
    )
    for step in range(2, steps + 1):
        query = exp.union(query, _reached(stages, step), distinct=False, copy=False)
    parts: dict[str, exp.Query] = {"walked": stages.walked(), "tied": stages.tied()}
    if stages.values:
        parts["touched"] = stages.touched()
    for step in range(2, steps + 1):
        parts[f"chain_{step}"] = stages.chain(step)
        parts[f"best_{step}"] = stages.best(step)
    return with_parts(query, {"marked": stages.marked, **parts}, kept=parts)


def _entered(stages: _Stages) -> exp.Select:
    actors = exp.Count(this=exp.Distinct(expressions=[exp.column("actor", table="b")]))
    rows = exp.to_table("walked").as_("b")
    none = [
        exp.null().as_(f"gaps_{place}") for place in range(1, stages.funnel.rules.steps)
    ]
    query = select(number_literal(1).as_("step"), actors.as_("actors"), *none)
    return _by_value(
        query.from_(rows, copy=False).where(stages.has(1), untied("b"), copy=False), stages
    )


def _reached(stages: _Stages, step: int) -> exp.Select:
    last = stages.funnel.rules.steps
    lists: list[Tree] = [
        exp.ArrayAgg(this=exp.column(f"gap_{place}", table="b")).as_(f"gaps_{place}")
        if place < step
        else exp.null().as_(f"gaps_{place}")
        for place in range(1, last)
    ]
    count = exp.Count(this=exp.Star()).as_("actors")
    query = select(number_literal(step).as_("step"), count, *lists)
    query = query.from_(exp.to_table(f"best_{step}").as_("b"), copy=False)
    if step < last:
        further = (
            select("actor")
            .from_(exp.to_table(f"best_{step + 1}"), copy=False)
            .subquery(copy=False)
        )
        beyond = exp.In(this=exp.column("actor", table="b"), query=further)
        query = query.where(exp.not_(beyond), copy=False)
    return _by_value(query, stages)


def _by_value(query: exp.Select, stages: _Stages) -> exp.Select:
    query = query.select(
        *[exp.null().as_(name) for name in ("actor", "at", "steps")], copy=False
    )
    if not stages.values:
        return query
    same = exp.column("actor", table="t").eq(exp.column("actor", table="b"))
    values = [exp.column(name, table="t") for name in stages.values]
    touched = exp.to_table("touched").as_("t")
    return (
        query.select(*values, copy=False)
        .join(touched, on=same, copy=False)
        .group_by(*values, copy=False)
    )


def _left_out(stages: _Stages) -> exp.Select:
    """Return the events of the actors left out, in the columns of the sums."""
    among = select("actor").from_(exp.to_table("tied"), copy=False).subquery(copy=False)
    gaps = [
        exp.null().as_(f"gaps_{place}") for place in range(1, stages.funnel.rules.steps)
    ]
    told = exp.to_table("walked").as_("m")
    rows = select(exp.Star()).from_(told, copy=False)
    rows = rows.where(exp.In(this=exp.column("actor"), query=among), copy=False)
    lists = funnel_events.gathered(rows, stages.values, detail=False, excluding=False)
    query = select(number_literal(0).as_("step"), exp.null().as_("actors"), *gaps)
    query = query.select("actor", "at", "steps", *stages.values, copy=False)
    return query.from_(lists.subquery("l", copy=False), copy=False)


def left_out(rows: Rows, funnel: Funnel) -> Rows:
    """Return the events of the actors left out, as ``funnel_events`` reads them."""
    first = funnel.rules.steps + 1
    found = [
        (row[first], row[first + 1], row[first + 2], None, *row[first + 3 :])
        for row in rows.rows
        if row[0] == 0
    ]
    return Rows(columns=(), rows=sorted(found, key=itemgetter(0)))


def tallies(rows: Rows, funnel: Funnel) -> dict[Value, Tally]:
    """Return what the database added up, as the tallies the procedure would make."""
    steps = funnel.rules.steps
    found: dict[Value, Tally] = {}
    for step, actors, *rest in rows.rows:
        if not step or not actors:
            continue
        value = _value(rest[steps + 2 :], funnel)
        tally = found.setdefault(value, Tally.of(steps))
        if step == 1:
            tally.counts[0] += actors
            continue
        for place in range(1, step):
            tally.counts[place] += actors
        gaps = [[gap / 1_000_000 for gap in one] for one in rest[: step - 1]]
        for place, one in enumerate(gaps):
            tally.gaps[place].extend(one)
        if step == steps:
            tally.totals.extend(map(sum, zip(*gaps, strict=True)))
    return found


def _value(values: Iterable[str], funnel: Funnel) -> Value:
    if funnel.breakdown is None:
        return None
    texts = tuple(values)
    return texts if funnel.breakdown.listed else texts[0]
