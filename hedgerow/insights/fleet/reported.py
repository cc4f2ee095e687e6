"""The project's fleet events with short names, of which all statements about a fleet are made."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta

import msgspec
from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.insights.fleet.params import Asked, end_of
from hedgerow.query import buckets, filters
from hedgerow.query.dates import Range
from hedgerow.query.definitions import Where, refusal
from hedgerow.query.sources import Events
from hedgerow.query.trees import Tree, text_literal

AHEAD = timedelta(hours=1)
"""A heartbeat this much later than its arrival takes no part."""


def reported(
    events: Events,
    asked: Asked,
    *,
    since: datetime | None,
    more: Iterable[Tree],
    used: Collection[str],
) -> exp.Select:
    """Return the fleet events from a moment up to that asked about.

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
        since=since,
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
