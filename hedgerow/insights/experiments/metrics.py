"""What everybody exposed did: one value for each, as a query (insights-retention-cohorts §8.3).

Every metric becomes rows of (entity, v, d, …); an entity without a row did nothing, and counts
with 0. Metric events begin at the first exposure and end with the experiment, or, with a
conversion window, so long after the first exposure.
"""

from datetime import datetime, timedelta

from sqlglot import exp, parse_one

from hedgerow.insights.experiments.definition import SECONDS, Setting
from hedgerow.insights.experiments.exposure import entity, present
from hedgerow.model.projects import QueryContext
from hedgerow.query import expressions, filters
from hedgerow.query.definitions_nodes import EventsNode
from hedgerow.query.sources import Events
from hedgerow.query.trees import Tree, number_literal
from hedgerow.query.values import Values

AGGREGATES: dict[str | None, type[exp.AggFunc]] = {
    "sum": exp.Sum,
    "min": exp.Min,
    "max": exp.Max,
    "avg": exp.Avg,
}
EXPOSED = "exposed"


class Reading:
    """The events of one node, each beside its entity's first exposure (``x.t0``)."""

    def __init__(self, setting: Setting, context: QueryContext, values: Values) -> None:
        self.setting, self.values = setting, values
        self.events = Events(context, values)
        same = exp.column("entity", table="x").eq(entity(setting, self.events))
        self.events.join("x", exp.select("entity", "t0").from_(EXPOSED), same)

    def at(self) -> exp.Column:
        """Return the event's time."""
        return self.events.column("timestamp")

    def t0(self) -> exp.Column:
        """Return the entity's first exposure."""
        return exp.column("t0", table="x")

    def matching(self, node: EventsNode, path: str) -> list[Tree]:
        """Return the conditions on an event of this node."""
        where = [
            *present(self.setting, self.events),
            *filters.conditions(
                node.filters(),
                self.events,
                path=path,
                test_accounts=self.setting.experiment.filter_test_accounts,
            ),
        ]
        if node.event is not None:
            where.append(self.events.column("event").eq(self.values.bind(node.event)))
        return where

    def select(
        self, *columns: Tree, where: list[Tree], since: datetime, until: datetime
    ) -> exp.Select:
        """Return a SELECT over these events."""
        return self.events.select(*columns, since=since, until=until, where=where)


def _plus(time: Tree, length: timedelta) -> Tree:
    seconds = round(length.total_seconds())
    step = exp.Interval(this=exp.Literal.string(str(seconds)), unit=exp.var("SECOND"))
    return exp.paren(exp.Add(this=time, expression=step))


def _during(
    reading: Reading, *, longer: timedelta = timedelta()
) -> tuple[list[Tree], datetime]:
    """Return the conditions on a metric event's time, and until when to read."""
    setting = reading.setting
    window = setting.metric.window()
    conditions: list[Tree] = [reading.at() >= reading.t0()]
    until = setting.end + longer
    if window is not None:
        until += window
        if not longer:
            conditions.append(reading.at() < _plus(reading.t0(), window))
    conditions.append(reading.at() < reading.values.bind(until))
    return conditions, until


def measured(
    setting: Setting, context: QueryContext, values: Values, node: EventsNode, path: str
) -> exp.Select:
    """Return (entity, v): a node's events, counted or summed up for each entity."""
    reading = Reading(setting, context, values)
    times, until = _during(reading)
    where = [*times, *reading.matching(node, path)]
    value = _value(reading, node, path)
    key = exp.column("entity", table="x")
    query = reading.select(
        key.as_("entity"),
        exp.alias_(value, "v"),
        where=where,
        since=setting.start,
        until=until,
    )
    return query.group_by("1")


def before(
    setting: Setting, context: QueryContext, values: Values, node: EventsNode, path: str
) -> exp.Select:
    """Return (entity, v) of the days before the first exposure: the covariate."""
    reading = Reading(setting, context, values)
    length = timedelta(days=min(max(setting.config.cuped.lookback_days, 1), 30))
    where = [
        reading.at() >= _plus(reading.t0(), -length),
        reading.at() < reading.t0(),
        *reading.matching(node, path),
    ]
    value = _value(reading, node, path)
    key = exp.column("entity", table="x")
    since = setting.start - length
    query = reading.select(
        key.as_("entity"),
        exp.alias_(value, "v"),
        where=where,
        since=since,
        until=setting.end,
    )
    return query.group_by("1")


def _value(reading: Reading, node: EventsNode, path: str) -> Tree:
    if node.math == "hogql":
        with expressions.written_in(path.replace(".properties", ".math_hogql")):
            return expressions.aggregate(node.math_hogql or "", reading.events)
    aggregate = AGGREGATES.get(node.math)
    if aggregate is None:
        return exp.Count(this=exp.Star())
    kind = "person" if node.math_property_type == "person_properties" else "event"
    number = reading.events.property(kind, node.math_property or "").number
    return exp.func("coalesce", aggregate(this=number), number_literal(0))


def times_of(
    setting: Setting, context: QueryContext, values: Values, node: EventsNode, path: str
) -> exp.Select:
    """Return (entity, at, uuid) of a step's events from the first exposure on."""
    reading = Reading(setting, context, values)
    times, until = _during(reading)
    where = [*times, *reading.matching(node, path)]
    return reading.select(
        exp.column("entity", table="x").as_("entity"),
        reading.at().as_("at"),
        reading.events.column("uuid").as_("uuid"),
        where=where,
        since=setting.start,
        until=until,
    )


def funnel(setting: Setting, context: QueryContext, values: Values) -> exp.Select:
    """Return (entity, v): how many steps each entity completed after its exposure."""
    nodes = setting.metric.nodes()
    steps = [
        times_of(setting, context, values, node, f"metric.series[{i}].properties")
        for i, node in enumerate(nodes)
    ]
    if setting.metric.funnel_order_type == "unordered":
        done = [
            exp.select("entity", number_literal(i).as_("step"))
            .from_(step.subquery("s"))
            .distinct()
            for i, step in enumerate(steps)
        ]
        rows = exp.union(*done, distinct=False) if len(done) > 1 else done[0]
        count = exp.alias_(exp.Count(this=exp.Star()), "v")
        return exp.select("entity", count).from_(rows.subquery("d")).group_by("entity")
    return _ordered(nodes, steps)


def _ordered(nodes: list[EventsNode], steps: list[exp.Select]) -> exp.Select:
    """Return the depth of those who did the steps in order.

    Each step is taken at its earliest time after the one before: the window runs from
    exposure, so being early never hurts. No event is two steps, and the same step twice
    takes two events, one after the other.
    """
    first = exp.column("entity", table="e")
    query = exp.select(first.as_("entity"), *_soonest()).from_(steps[0].subquery("e"))
    reached = [query.group_by("1")]
    for i in range(1, len(steps)):
        event, last = exp.column("at", table="e"), exp.column("at", table="b")
        later: Tree = event > last
        if (nodes[i].event, nodes[i].filters()) != (
            nodes[i - 1].event,
            nodes[i - 1].filters(),
        ):
            another = exp.column("uuid", table="e").neq(exp.column("uuid", table="b"))
            later = exp.or_(later, exp.and_(event.copy().eq(last.copy()), another))
        same = exp.column("entity", table="e").eq(exp.column("entity", table="b"))
        reached.append(
            exp.select(exp.column("entity", table="b").as_("entity"), *_soonest())
            .from_(reached[-1].copy().subquery("b"))
            .join(steps[i].subquery("e"), on=exp.and_(same, later))
            .group_by("1")
        )
    marks = [exp.select("entity").from_(one.subquery("r")) for one in reached]
    rows = exp.union(*marks, distinct=False) if len(marks) > 1 else marks[0]
    count = exp.alias_(exp.Count(this=exp.Star()), "v")
    return exp.select("entity", count).from_(rows.subquery("m")).group_by("entity")


def _soonest() -> tuple[Tree, Tree]:
    """Return the time of the earliest event of a step, and which event that is."""
    at, uuid = exp.column("at", table="e"), exp.column("uuid", table="e")
    which = exp.ArgMin(this=uuid, expression=at.copy())
    return exp.alias_(exp.Min(this=at), "at"), exp.alias_(which, "uuid")


CAME_BACK = """
    SELECT s.entity AS entity, MAX(CASE WHEN c.at IS NULL THEN 0 ELSE 1 END) AS v
    FROM started AS s LEFT JOIN completed AS c
      ON c.entity = s.entity AND c.at >= s.at
      AND c.unit_at >= s.from_at AND c.unit_at <= s.to_at
    GROUP BY s.entity"""


def retention(setting: Setting, context: QueryContext, values: Values) -> exp.Select:
    """Return (entity, v) of those who did the start event: 1 where they came back in time."""
    metric = setting.metric
    start, completion = metric.nodes()
    unit = metric.retention_window_unit
    low = timedelta(seconds=metric.retention_window_start * SECONDS[unit])
    high = timedelta(seconds=metric.retention_window_end * SECONDS[unit])
    begun = times_of(setting, context, values, start, "metric.start_event.properties")
    edge = exp.Min if metric.start_handling == "first_seen" else exp.Max
    one = exp.alias_(edge(this=exp.column("at")), "at")
    own = exp.select("entity", one).from_(begun.subquery("b")).group_by("entity")
    at = exp.column("at", table="o")
    started = exp.select(
        exp.column("entity", table="o").as_("entity"),
        at.as_("at"),
        _plus(_truncated(at.copy(), unit, context), low).as_("from_at"),
        _plus(_truncated(at.copy(), unit, context), high).as_("to_at"),
    ).from_(own.subquery("o"))
    reading = Reading(setting, context, values)
    slack = timedelta(seconds=SECONDS[unit])  # truncation reaches to the end of its unit
    times, until = _during(reading, longer=high + slack)
    completed = reading.select(
        exp.column("entity", table="x").as_("entity"),
        reading.at().as_("at"),
        _truncated(reading.at(), unit, context).as_("unit_at"),
        where=[*times, *reading.matching(completion, "metric.completion_event.properties")],
        since=setting.start,
        until=until,
    )
    query = parse_one(CAME_BACK, into=exp.Select)
    return query.with_("started", as_=started).with_("completed", as_=completed)


def _truncated(at: Tree, unit: str, context: QueryContext) -> Tree:
    """Return the start of the local day or the hour; other units are taken to the moment."""
    if unit not in {"day", "hour"}:
        return at
    zone = exp.Literal.string(context.project.timezone)
    local = exp.func("timezone", zone, exp.func("timezone", exp.Literal.string("UTC"), at))
    return exp.TimestampTrunc(this=local, unit=exp.var(unit.upper()))
