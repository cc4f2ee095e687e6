"""A trend is made of jobs: one series, one period, one cohort, one statement each.

``jobs_of`` lists them in the order of the answer. Which events a job looks at
(``matching``) is the same for the figure and for the list of people behind it.
"""

from typing import Literal

import msgspec
from sqlglot import exp

from hedgerow.model.projects import QueryContext
from hedgerow.query import aggregations, breakdowns, filters, membership
from hedgerow.query.breakdowns import Split, split_of
from hedgerow.query.dates import Range, previous, resolve
from hedgerow.query.definitions_nodes import EventsNode, Interval
from hedgerow.query.definitions_trends import TOTAL_VALUE, TrendsQuery
from hedgerow.query.sources import Events, at_event_time
from hedgerow.query.trees import Tree
from hedgerow.query.values import Values

WORLD_LIMIT = 250

Period = Literal["current", "previous"]


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One series in one period, for everyone or one cohort."""

    query: TrendsQuery
    context: QueryContext
    series: int
    node: EventsNode
    range: Range
    split: Split
    period: Period = "current"
    cohort: int | str | None = None
    """The one cohort of this job, or ``"all"``; None: ``split`` says it all."""

    def total(self) -> bool:
        """Return whether there is one number a row, over the whole range."""
        return display_of(self.query) in TOTAL_VALUE

    def cumulative(self) -> bool:
        """Return whether numbers run up over the range."""
        return display_of(self.query) == "ActionsLineGraphCumulative"

    def names(self) -> list[str]:
        """Return the names of the columns that hold the breakdown's value."""
        count = 1 if self.split.cohorts and self.cohort is None else len(self.split.by)
        return [f"v{place}" for place in range(count)]

    def events(self, values: Values) -> Events:
        """Return the source of this job's events."""
        at_event = at_event_time(self.query.modifiers)
        return Events(self.context, values, at_event=at_event)


def display_of(query: TrendsQuery) -> str:
    """Return the display, or its default."""
    given = query.trends_filter.display if query.trends_filter else None
    return given or "ActionsLineGraph"


def range_of(query: TrendsQuery, context: QueryContext) -> Range:
    """Return the current period."""
    display = display_of(query)
    interval: Interval = "day" if display in TOTAL_VALUE else query.interval or "day"
    exact = display == "BoldNumber"
    return resolve(query.date_range, context, interval=interval, exact=exact)


def ranges_of(query: TrendsQuery, context: QueryContext) -> dict[Period, Range]:
    """Return the current period, and the previous one where it is compared with."""
    current = range_of(query, context)
    earlier = previous(current, query.compare_filter)
    if earlier is None:
        return {"current": current}
    return {"current": current, "previous": earlier}


def jobs_of(query: TrendsQuery, context: QueryContext) -> list[Job]:
    """Return the jobs of a trend in the order of its answer. Raises InvalidQuery."""
    for index, node in enumerate(query.series):
        aggregations.check(node, f"series[{index}]")
    split = split_of(query.breakdown_filter)
    if display_of(query) == "WorldMap":
        split = msgspec.structs.replace(split, limit=WORLD_LIMIT)
    alone = len(split.cohorts) == 1 or "all" in split.cohorts
    cohorts: tuple[int | str | None, ...] = split.cohorts if alone else (None,)
    return [
        Job(
            query=query,
            context=context,
            series=index,
            node=node,
            range=asked,
            split=split,
            period=period,
            cohort=cohort,
        )
        for period, asked in ranges_of(query, context).items()
        for cohort in cohorts
        for index, node in enumerate(query.series)
    ]


def matching(job: Job, events: Events) -> list[Tree]:
    """Return the conditions an event of the job fulfils, its time aside."""
    return [
        *named(job, events),
        *narrowed(job, events),
        *aggregations.has_actor(job.node, events),
    ]


def named(job: Job, events: Events) -> list[Tree]:
    """Return the condition on the event's name; none for "any event"."""
    if job.node.event is None:
        return []
    return [events.column("event").eq(events.values.bind(job.node.event))]


def narrowed(job: Job, events: Events) -> list[Tree]:
    """Return the conditions of all filters, and of the job's cohort."""
    query = job.query
    found = filters.conditions(
        query.properties, events, test_accounts=query.filter_test_accounts
    )
    path = f"series[{job.series}].properties"
    found += filters.conditions(job.node.filters(), events, path=path)
    if job.cohort is not None and job.cohort != "all":
        found.append(membership.in_cohort(job.cohort, events))
    return found


def values_of(job: Job, events: Events) -> list[Tree]:
    """Return the columns with an event's breakdown values, named as ``Job.names`` says."""
    if job.cohort is not None:
        return []
    if job.split.cohorts:
        return [_join_cohorts(job, events)]
    found = []
    for place, by in enumerate(job.split.by):
        bounds = None
        if by.histogram_bin_count is not None:
            bounds = _join_bounds(job, events, place)
        column = breakdowns.column(by, events, bounds)
        found.append(exp.alias_(column, f"v{place}"))
    return found


def _join_cohorts(job: Job, events: Events) -> Tree:
    """Join each event with every listed cohort its person is in."""
    found: exp.Query | None = None
    for number in job.split.cohorts:
        cohort = membership.cohort_named(number, events)
        members = membership.members_of(cohort, events)
        name = exp.alias_(events.values.bind(str(cohort.id)), "cohort")
        one = exp.select(name, exp.column("person_key")).from_(members.subquery("m"))
        found = one if found is None else exp.union(found, one, distinct=False)
    if found is not None:
        same = exp.column("person_key", table="c").eq(events.person_key())
        events.join("c", found, same)
    return exp.alias_(exp.column("cohort", table="c"), "v0")


def _join_bounds(job: Job, events: Events, place: int) -> str:
    """Join the smallest and largest number among the job's own events."""
    alias = f"b{place}"
    inner = job.events(events.values)
    number = breakdowns.number(job.split.by[place], inner)
    low, high = exp.Min(this=number), exp.Max(this=number.copy())
    bounds = inner.select(
        exp.alias_(low, "low"),
        exp.alias_(high, "high"),
        where=matching(job, inner),
        since=job.range.lower,
        until=job.range.end,
    )
    events.join(alias, bounds, None, side="cross")
    return alias
