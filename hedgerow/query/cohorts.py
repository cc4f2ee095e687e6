"""Who is in a cohort, as a subquery (``insights-retention-cohorts`` §4).

A cohort is part of the question that uses it: its criteria are compiled where they are
needed, so membership is always that of the moment of asking. Only static cohorts have rows
of their own. A reference to another cohort is compiled in place; ``check`` has refused loops
when the cohort was saved, and a loop made by other means is refused here.

Windows of behaviour run back from now in the project's zone: they start at the start of a
local day, but for counted events, whose window starts at the very moment.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.model import tables
from hedgerow.model.projects import Cohort, QueryContext
from hedgerow.query import filters
from hedgerow.query.dates import end_of_day, midnight, moment, shifted
from hedgerow.query.definitions_cohorts import (
    COHORT_TYPES,
    SECONDS,
    BehaviourLeaf,
    CohortLeaf,
    FleetLeaf,
    Group,
    Leaf,
    PersonLeaf,
    Unit,
    check,
    decode,
    is_empty,
    references,
    units,
)
from hedgerow.query.definitions_filters import PropertyFilter
from hedgerow.query.definitions_filters import leaf as saved_filter
from hedgerow.query.dialects import dialect_of
from hedgerow.query.sources import Events, Persons, table, timed
from hedgerow.query.trees import Tree, number_literal
from hedgerow.query.values import Values

__all__ = ["check", "check_references", "members"]

STEP = {
    "hour": ("h", 1),
    "day": ("d", 1),
    "week": ("d", 7),
    "month": ("m", 1),
    "year": ("y", 1),
}
"""Units of a window as those of ``dates.shifted``."""

NUMBERS = {"gte": exp.GTE, "lte": exp.LTE, "gt": exp.GT, "lt": exp.LT, "eq": exp.EQ}


class _Scope:
    """What a cohort is compiled with: one statement's values, and the way down to here."""

    def __init__(
        self, context: QueryContext, values: Values, above: tuple[int, ...]
    ) -> None:
        self.context, self.values, self.above = context, values, above
        self.now = context.now.astimezone(ZoneInfo(context.project.timezone))

    def events(self) -> Events:
        return Events(self.context, self.values)


def members(
    cohort: Cohort, context: QueryContext, values: Values, *, above: tuple[int, ...] = ()
) -> exp.Query:
    """Return a SELECT of ``person_key`` of everyone in a cohort, each once."""
    if cohort.id in above:
        raise _loop()
    if cohort.is_static:
        return _hand_picked(cohort, context, values)
    scope = _Scope(context, values, (*above, cohort.id))
    criteria = decode(cohort.filters)
    persons = Persons(context, values)
    condition = _condition(criteria.root, persons, scope)
    if criteria.filter_test_accounts:
        condition = exp.and_(condition, *_no_test_accounts(persons))
    return persons.select(persons.person_key().as_("person_key"), where=[condition])


def check_references(
    cohort_id: int | None, raw: Mapping[str, Any], known: Mapping[int, Cohort]
) -> None:
    """Refuse criteria that would lead back to the cohort they define.

    ``cohort_id`` is None for a cohort not saved yet, which nothing can refer to.
    """
    ahead = list(references(decode(raw).root))
    seen: set[int] = set()
    while ahead:
        one = ahead.pop()
        if one == cohort_id:
            raise _loop()
        if one in seen or one not in known:
            continue
        seen.add(one)
        ahead += references(decode(known[one].filters).root)


def _loop() -> InvalidQuery:
    return InvalidQuery(
        "Cohorts cannot reference other cohorts in a loop.",
        hint="Take one of the references out.",
        attr="filters.properties",
    )


def _hand_picked(cohort: Cohort, context: QueryContext, values: Values) -> exp.Query:
    key = exp.column("person_key", table="c")
    rows = table(tables.COHORT_PEOPLE.name, "c", context, values, key)
    return rows.where(exp.column("cohort_id", table="c").eq(values.bind(cohort.id)))


def _no_test_accounts(persons: Persons) -> list[Tree]:
    """Return the project's person filters for internal accounts; event filters say nothing."""
    saved = persons.context.project.test_account_filters
    about_persons = [one for one in saved if one.get("type") in {"person", *COHORT_TYPES}]
    path = "test_account_filters"
    return filters.conditions(
        [saved_filter(one, path) for one in about_persons], persons, path=path
    )


def _condition(part: Group | Leaf, persons: Persons, scope: _Scope) -> Tree:
    """Return who meets a part, as a condition on a person's row."""
    if isinstance(part, Group):
        met = [_condition(one, persons, scope) for one in part.parts if not is_empty(one)]
        if not met:
            return exp.false()  # an empty tree has no members
        return exp.and_(*met) if part.type == "AND" else exp.or_(*met)
    held = _held(part, persons, scope)
    if not part.negation:
        return held
    return exp.not_(
        exp.func("coalesce", held, exp.false())
    )  # lacking the property is outside


def _held(part: Leaf, persons: Persons, scope: _Scope) -> Tree:
    match part:
        case PersonLeaf():
            return _person(part, persons)
        case CohortLeaf():
            inside = _in_other(int(part.value), persons, scope)
            return exp.not_(inside) if part.operator == "not_in" else inside
        case BehaviourLeaf():
            return _inside(persons, _did(part, scope))
        case FleetLeaf():
            return _installations(part, persons)


def _installations(leaf: FleetLeaf, persons: Persons) -> Tree:
    """Return who meets a criterion on installations: known beforehand."""
    keys = persons.context.installations.get(leaf.name)
    if keys is None:
        raise InvalidQuery(
            f"Criteria on installations, such as {leaf.key!r}, cannot be asked here.",
            hint="Ask by a query, or through the cohort's own page.",
            attr="filters.properties",
        )
    if not keys:
        return exp.false()
    listed = persons.dialect.listed({"k": persons.values.bind(list(keys))})
    return _inside(persons, listed)


def _in_other(number: int, persons: Persons, scope: _Scope) -> Tree:
    """Return who is in another cohort; one that is not there (any more) has no members."""
    other = scope.context.cohorts.get(number)
    if other is None:
        return exp.false()
    return _inside(persons, members(other, scope.context, scope.values, above=scope.above))


def _inside(persons: Persons, query: exp.Query) -> Tree:
    return exp.In(this=persons.person_key(), query=query.subquery())


def _person(leaf: PersonLeaf, persons: Persons) -> Tree:
    one = PropertyFilter(
        key=leaf.key, operator=leaf.operator, value=leaf.value, type="person"
    )
    if leaf.type == "person_metadata":
        created = timed(persons, persons.column("created_at"))
        return filters.compared(created, leaf.operator, one, persons)
    return filters.predicate(one, persons)


def _did(leaf: BehaviourLeaf, scope: _Scope) -> exp.Query:
    match leaf.value:
        case "performed_event":
            since, until = _window(leaf, scope)
            return _doers(leaf, scope, since, until)
        case "performed_event_multiple":
            return _counted(leaf, scope)
        case "performed_event_first_time":
            since, until = _window(leaf, scope)
            first = exp.Min(this=exp.column("timestamp", table="e"))
            inside = exp.and_(
                first >= scope.values.bind(since), first.copy() <= scope.values.bind(until)
            )
            return _doers(leaf, scope, None, until, having=inside)
        case "performed_event_regularly":
            return _regularly(leaf, scope)
        case "performed_event_sequence":
            return _in_sequence(leaf, scope)
        case "stopped_performing_event":
            since, until = _window(leaf, scope)
            return _doers(leaf, scope, since, until).except_(
                _doers(leaf, scope, _later_start(leaf, scope), until)
            )
        case "restarted_performing_event":
            return _restarted(leaf, scope)


def _doers(
    leaf: BehaviourLeaf,
    scope: _Scope,
    since: datetime | None,
    until: datetime,
    *,
    having: Tree | None = None,
) -> exp.Select:
    """Return who did the leaf's event in a window, each once."""
    events = scope.events()
    key = events.person_key()
    where = _matches(leaf, leaf.key, events)
    query = events.select(key.as_("person_key"), since=since, until=until, where=where)
    query = query.group_by(key.copy())
    return query if having is None else query.having(having)


def _matches(leaf: BehaviourLeaf, name: str, events: Events) -> list[Tree]:
    """Return the conditions on an event of this leaf. The filters belong to its own event."""
    named = events.column("event").eq(events.values.bind(name))
    if name != leaf.key or not leaf.event_filters:
        return [named]
    return [named, *(filters.predicate(one, events) for one in leaf.event_filters)]


def _ago(scope: _Scope, count: int, unit: Unit, *, whole_day: bool = True) -> datetime:
    """Return the moment so many units before now, at the start of its day."""
    letter, each = STEP[unit]
    at = shifted(scope.now, letter, -count * each)
    return midnight(at) if whole_day else at


def _window(
    leaf: BehaviourLeaf, scope: _Scope, *, whole_day: bool = True
) -> tuple[datetime, datetime]:
    """Return the ends of the leaf's window, both inclusive."""
    until = end_of_day(scope.now)
    if leaf.explicit_datetime is None:
        count, unit = units(leaf.time_value, leaf.time_interval, "time_value")
        return _ago(scope, count, unit, whole_day=whole_day), until
    since = _explicit(leaf.explicit_datetime, scope, "explicit_datetime")
    if leaf.explicit_datetime_to is not None:
        until = _explicit(leaf.explicit_datetime_to, scope, "explicit_datetime_to")
    return since, until


def _explicit(text: str, scope: _Scope, attr: str) -> datetime:
    """Return a date as given; one relative in days or longer begins with its day."""
    at = moment(text, scope.context, attr)
    if at.unit in {"d", "w", "m", "q", "y"}:
        return end_of_day(at.at) if attr.endswith("_to") else midnight(at.at)
    if at.day_only and attr.endswith("_to"):
        return end_of_day(at.at)
    return at.at


def _later_start(leaf: BehaviourLeaf, scope: _Scope) -> datetime:
    count, unit = units(leaf.seq_time_value, leaf.seq_time_interval, "seq_time_value")
    return _ago(scope, count, unit)


def _compared(count: Tree, leaf: BehaviourLeaf) -> Tree:
    """Return whether a count satisfies the leaf's operator."""
    name = "eq" if leaf.operator in {None, "exact"} else str(leaf.operator)
    return NUMBERS[name](this=count, expression=number_literal(leaf.operator_value or 1))


def _counted(leaf: BehaviourLeaf, scope: _Scope) -> exp.Query:
    """At least one time, or it would be said of those who never did it."""
    since, until = _window(leaf, scope, whole_day=False)
    return _doers(
        leaf, scope, since, until, having=_compared(exp.Count(this=exp.Star()), leaf)
    )


def _regularly(leaf: BehaviourLeaf, scope: _Scope) -> exp.Query:
    """Periods are counted back from the end of yesterday; the last ``total_periods`` count."""
    count, unit = units(leaf.time_value, leaf.time_interval, "time_value")
    total, least = leaf.total_periods or 1, leaf.min_periods or 1
    letter, each = STEP[unit]
    end = midnight(scope.now)
    edges = [shifted(end, letter, -count * each * k) for k in range(total + 1)]
    events = scope.events()
    at = events.column("timestamp")
    period = exp.Case(
        ifs=[
            exp.If(this=at.copy() >= scope.values.bind(edge), true=number_literal(k))
            for k, edge in enumerate(edges[1:])
        ]
    )
    key = events.person_key()
    rows = events.select(
        key.as_("person_key"),
        period.as_("period"),
        since=max(edges[-1], _ago(scope, count * total, unit)),
        until=end - timedelta(microseconds=1),
        where=_matches(leaf, leaf.key, events),
    ).subquery("did")
    met = (
        exp.select("person_key", "period")
        .from_(rows)
        .group_by("person_key", "period")
        .having(_compared(exp.Count(this=exp.Star()), leaf))
    ).subquery("met")
    enough = exp.Count(this=exp.Star()) >= number_literal(least)
    return exp.select("person_key").from_(met).group_by("person_key").having(enough)


def _in_sequence(leaf: BehaviourLeaf, scope: _Scope) -> exp.Query:
    """For each second event, the latest first one strictly before it is the nearest one."""
    since, until = _window(leaf, scope)
    count, unit = units(leaf.seq_time_value, leaf.seq_time_interval, "seq_time_value")

    def times(name: str) -> exp.Subquery:
        events = scope.events()
        at = events.column("timestamp").as_("at")
        key = events.person_key().as_("person_key")
        where = _matches(leaf, name, events)
        return events.select(key, at, since=since, until=until, where=where).subquery()

    first = times(leaf.key).as_("first")
    second = times(leaf.seq_event or "").as_("second")
    key = exp.column("person_key", table="second")
    at, before = exp.column("at", table="second"), exp.column("at", table="first")
    same = exp.and_(key.eq(exp.column("person_key", table="first")), at > before)
    latest = dialect_of(scope.context).later(before.copy(), count * SECONDS[unit])
    query = exp.select(key.copy().as_("person_key")).from_(second)
    query = query.join(first, on=same, join_type="ASOF")
    return query.where(at.copy() <= latest).distinct()


def _restarted(leaf: BehaviourLeaf, scope: _Scope) -> exp.Query:
    """Did it lately, not between the two days, and not for the first time lately.

    The days are whole ones: the one that begins the later window is also the last on which
    nothing may have been done.
    """
    since, until = _window(leaf, scope)
    later = _later_start(leaf, scope)
    first = exp.Min(this=exp.column("timestamp", table="e"))
    last_in_gap = exp.Max(
        this=exp.Case(
            ifs=[
                exp.If(
                    this=exp.and_(
                        exp.column("timestamp", table="e") >= scope.values.bind(since),
                        exp.column("timestamp", table="e")
                        <= scope.values.bind(end_of_day(later)),
                    ),
                    true=number_literal(1),
                )
            ],
            default=number_literal(0),
        )
    )
    lately = exp.Max(this=exp.column("timestamp", table="e")) >= scope.values.bind(later)
    old_hand = first < scope.values.bind(later)
    rested = last_in_gap.eq(number_literal(0))
    return _doers(leaf, scope, None, until, having=exp.and_(lately, old_hand, rested))
