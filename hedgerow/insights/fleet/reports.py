"""The statement that draws a fleet's events together, one row for each installation.

Every figure needs it; some ask one more, over the same ``reported``: the project's fleet
events with short names, of which all statements here and in the figures are made.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import timedelta
from functools import cache

import msgspec
from sqlglot import exp, parse_one

from hedgerow.errors import InvalidQuery
from hedgerow.insights.fleet.params import Asked, begin_of, end_of, iso
from hedgerow.model.ports import Statement
from hedgerow.query import buckets, filters
from hedgerow.query.dates import Range
from hedgerow.query.definitions import Where, refusal
from hedgerow.query.sources import Events
from hedgerow.query.trees import Tree, text_literal
from hedgerow.query.values import Values

AHEAD = timedelta(hours=1)
"""A heartbeat this much later than its arrival takes no part."""

WORD = re.compile(r"[a-z_]+")

OBSERVED = """
    SELECT k, at, day, arrived, 0 AS step, old AS v FROM reported WHERE kind = 'update'
    UNION ALL SELECT k, at, day, arrived, 1, new FROM reported WHERE kind = 'update'
    UNION ALL SELECT k, at, day, arrived, 2, version FROM reported WHERE kind <> 'update'"""
CHANGED = """
    SELECT k, at, day, step, arrived, v FROM observed WHERE NOT v IS NULL
    QUALIFY v IS DISTINCT FROM LAG(v) OVER (PARTITION BY k ORDER BY at, step, arrived)
      OR (step > 0 AND LAG(step) OVER (PARTITION BY k ORDER BY at, step, arrived) = 0)"""
HISTORY = """
    SELECT k, LIST(at ORDER BY at, step, arrived) AS ats, LIST(day ORDER BY at, step, arrived) AS days,
      LIST(step ORDER BY at, step, arrived) AS steps, LIST(v ORDER BY at, step, arrived) AS vs
    FROM changed GROUP BY k"""
DAYS = "SELECT DISTINCT k, day FROM reported WHERE kind = 'beat'"
STRETCHES = """
    SELECT k, MIN(day) AS a, MAX(day) AS b FROM (
      SELECT k, day, day - ROW_NUMBER() OVER (PARTITION BY k ORDER BY day) AS g FROM days)
    GROUP BY k, g"""
BEATS = """
    SELECT k, LIST(a ORDER BY a) AS a, LIST(b ORDER BY a) AS b FROM stretches GROUP BY k"""
KNOWN = """
    SELECT k, MIN(id) AS id,
      COALESCE(ARG_MAX(environment, (at, arrived)), ANY_VALUE(of_person)) AS environment,
      ARG_MAX(fits, (kind = 'beat', at, arrived)) AS fits
    FROM reported GROUP BY k"""
WHOLE = """
    SELECT known.k, known.id, known.environment, known.fits, beats.a, beats.b,
      history.ats, history.days, history.steps, history.vs
    FROM known LEFT JOIN beats ON beats.k = known.k LEFT JOIN history ON history.k = known.k
    ORDER BY known.k"""
SPELLINGS = "SELECT v, COUNT(*) AS n FROM observed WHERE NOT v IS NULL GROUP BY v"

STEPS = {
    "observed": OBSERVED,
    "changed": CHANGED,
    "history": HISTORY,
    "days": DAYS,
    "stretches": STRETCHES,
    "beats": BEATS,
    "known": KNOWN,
}


def reports(asked: Asked) -> Statement:
    """Return the question for all installations up to the moment asked about.

    Columns: key, id, environment, whether the filters fit; lists of the first and last day
    of each stretch of reports; lists of moment, day, step and text of each change of version.
    """
    return shared(statement(WHOLE, asked, steps=STEPS))


def itself(asked: Asked) -> Statement:
    """Return the question itself, and whether any heartbeat was ever seen, as a row.

    A kept answer is found by it: nothing else tells in which days a relative date resulted.
    """
    since, until = iso(asked.date_from), iso(asked.as_of)
    ends = "may still change" if asked.provisional else "settled"
    values = Values()
    told = values.bind(f"{asked.figure}, {since} to {until}, {ends}")
    events = Events(asked.context, values)
    beat = events.column("event").eq(values.bind(asked.settings.heartbeat_event))
    some = events.select(exp.Literal.number(1), since=None, until=None, where=[beat])
    seen = exp.Exists(this=some.limit(1))
    tree = exp.select(exp.alias_(told, "asked"), exp.alias_(seen, "seen"))
    return Statement(tree=tree, values=values.by_name)


def spellings(asked: Asked) -> Statement:
    """Return the question for every version text and how often it was observed."""
    return shared(statement(SPELLINGS, asked, steps=["observed"]))


def shared(found: Statement) -> Statement:
    """Return a statement of which all figures of a day need the same rows."""
    return msgspec.structs.replace(found, shared=True)


def statement(
    template: str,
    asked: Asked,
    *,
    steps: Iterable[str] = (),
    since: int | None = None,
    more: Mapping[str, str] | None = None,
) -> Statement:
    """Return a constant SELECT over ``reported``, with the steps it needs before it.

    ``since`` bounds the days read; ``more`` names further columns and their properties.
    """
    values = Values()
    events = Events(asked.context, values)
    tree = _parsed(template).copy()
    columns = [
        exp.alias_(events.property("event", name).text, alias)
        for alias, name in (more or {}).items()
    ]
    used = set(WORD.findall(" ".join([template, *(STEPS[name] for name in steps)])))
    rows = reported(events, asked, since=since, more=columns, used=used)
    tree.with_("reported", as_=rows, materialized=False, copy=False)
    for name in steps:
        tree.with_(name, as_=_parsed(STEPS[name]).copy(), materialized=False, copy=False)
    return Statement(tree=tree, values=values.by_name)


@cache
def _parsed(template: str) -> exp.Query:
    """Return the tree of a constant SELECT, to be copied."""
    tree = parse_one(template, dialect="duckdb")
    if not isinstance(tree, exp.Query):
        raise TypeError(tree)
    return tree


def reported(
    events: Events,
    asked: Asked,
    *,
    since: int | None,
    more: Iterable[Tree],
    used: Collection[str],
) -> exp.Select:
    """Return the fleet events from day ``since`` up to the moment asked about.

    Columns are those of ``COLUMNS`` that are ``used``, and ``more``.
    """
    settings = asked.settings
    name, at, arrived = (events.column(one) for one in ("event", "timestamp", "created_at"))
    beat = name.eq(events.values.bind(settings.heartbeat_event))
    late = events.dialect.later(arrived, round(AHEAD.total_seconds()))
    named = (settings.heartbeat_event, settings.update_event, settings.install_event)
    wanted = [events.values.bind(one) for one in dict.fromkeys(named) if one is not None]
    return events.select(
        *(
            exp.alias_(make(events, asked), alias)
            for alias, make in COLUMNS.items()
            if alias in used
        ),
        *more,
        since=None if since is None else begin_of(since, asked.zone),
        until=asked.at,
        where=[
            exp.In(this=name.copy(), expressions=wanted),
            exp.not_(events.column("personless")),
            exp.not_(exp.paren(exp.and_(beat, at > late))),
        ],
    )


def _kind(events: Events, asked: Asked) -> Tree:
    """Return ``beat``, ``update`` or ``install``."""
    settings, branches = asked.settings, []
    for kind, event in (
        ("beat", settings.heartbeat_event),
        ("update", settings.update_event),
        ("install", settings.install_event),
    ):
        if event is not None:
            is_it = events.column("event").eq(events.values.bind(event))
            branches.append(exp.If(this=is_it, true=text_literal(kind)))
    return exp.Case(ifs=branches)


def _old(events: Events, asked: Asked) -> Tree:
    return _of_updates(asked.settings.old_version_property, events, asked)


def _new(events: Events, asked: Asked) -> Tree:
    new = _of_updates(asked.settings.new_version_property, events, asked)
    return exp.func("coalesce", new, _version(events, asked))


def _version(events: Events, asked: Asked) -> Tree:
    return first_of(asked.settings.version_properties, events)


def _environment(events: Events, asked: Asked) -> Tree:
    return events.property("event", asked.settings.environment_property).text


def _of_person(events: Events, asked: Asked) -> Tree:
    return events.property("person", asked.settings.environment_property).text


def _of_updates(name: str, events: Events, asked: Asked) -> Tree:
    """Return a property of update events; elsewhere it is not even looked for."""
    update = asked.settings.update_event
    if update is None:
        return exp.null()
    is_it = events.column("event").eq(events.values.bind(update))
    text = events.property("event", name).text
    return exp.Case(ifs=[exp.If(this=is_it, true=text)])


def first_of(names: list[str], events: Events) -> Tree:
    """Return the first of some properties that an event has, as text."""
    texts = [events.property("event", name).text for name in names]
    return exp.func("coalesce", *texts) if len(texts) > 1 else texts[0]


def day_of(events: Events, asked: Asked) -> Tree:
    """Return the number of an event's local day."""
    first = events.context.first_event_at or asked.at
    lower = min(first, asked.at)
    spread = Range(
        zone=asked.zone,
        interval="day",
        week_start_day=0,
        start=lower,
        end=end_of(asked.as_of, asked.zone),
        lower=lower,
        buckets=(),
    )
    local = buckets.local_time(spread, events.column("timestamp"), events.dialect)
    return events.dialect.day_number(local)


def fits(asked: Asked, events: Events) -> Tree:
    """Return whether an event, or its person, is what the question's filters ask for."""
    where = wanted(asked.params.properties)
    if not where:
        return exp.true()
    found = filters.conditions(where, events, path="params.properties")
    return exp.func("coalesce", exp.and_(*found), exp.false())


def wanted(raw: object) -> Where:
    """Return the filters of a question; names of properties are none. Raises InvalidQuery."""
    if isinstance(raw, list) and all(isinstance(one, str) for one in raw):
        return None
    try:
        found: Where = msgspec.convert(raw, Where)
    except msgspec.ValidationError as error:
        told = refusal(str(error))
        attr = f"params.properties{told.attr or ''}"
        raise InvalidQuery(told.what, hint=told.hint, attr=attr) from error
    return found


COLUMNS: Mapping[str, Callable[[Events, Asked], Tree]] = {
    "k": lambda events, _: events.person_key(),
    "id": lambda events, _: events.column("distinct_id"),
    "person": lambda events, _: exp.cast(events.person_column("uuid"), "text"),
    "kind": _kind,
    "at": lambda events, _: events.dialect.microseconds(events.column("timestamp")),
    "arrived": lambda events, _: events.dialect.microseconds(events.column("created_at")),
    "day": day_of,
    "version": _version,
    "old": _old,
    "new": _new,
    "environment": _environment,
    "of_person": _of_person,
    "fits": lambda events, asked: fits(asked, events),
}
"""What ``reported`` tells of an event: the installation's key, the id it used, the person's
id, what it is, when it happened and arrived (microseconds), the local day, its versions, its
environment and that of its person, and whether the filters of the question fit."""
