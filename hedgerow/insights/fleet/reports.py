"""Statements about a fleet: of the tables kept beside its events, or of the events.

A statement is a constant SELECT over steps with short names, such as ``stretches`` or
``versions``; ``statement`` puts those before it that it uses. ``reported`` are the fleet
events themselves, for what nothing is kept of.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache

import msgspec
from sqlglot import exp, parse_one

from hedgerow.insights.fleet.digest import digest
from hedgerow.insights.fleet.observations import is_missing
from hedgerow.insights.fleet.params import Asked, begin_of, iso
from hedgerow.insights.fleet.reported import reported, wanted
from hedgerow.model.ports import Statement, Value
from hedgerow.query.sources import Events, Persons
from hedgerow.query.trees import Tree
from hedgerow.query.values import Values

WORD = re.compile(r"[a-z_]+")
FAR = 10_000_000
"""A day after all others."""

DIGESTED = frozenset({"fleet_stretches", "fleet_changes"})

STRETCHES = """
    SELECT person_key AS k, id, beat, first_day AS a, LEAST(last_day, $until) AS b, environment,
      platform, platform_release, machine, python, deployment, auth, zone, size, public
    FROM fleet_stretches WHERE project_id = $project AND first_day <= $until"""
BEGUN = """
    SELECT k, MIN(id), COUNT(CASE WHEN kind = 'beat' THEN 1 END) > 0, day, day,
      ARG_MAX(environment, (at, arrived)), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM begun GROUP BY k, day"""
CHANGES = """
    SELECT person_key AS k, place, at, day, step, version AS v
    FROM fleet_changes WHERE project_id = $project AND day <= $until"""
OBSERVED = """
    SELECT k, at, day, arrived, 0 AS step, old AS v FROM {0} WHERE kind = 'update'
    UNION ALL SELECT k, at, day, arrived, 1, new FROM {0} WHERE kind = 'update'
    UNION ALL SELECT k, at, day, arrived, 2, version FROM {0} WHERE kind <> 'update'"""
CHANGES_BEGUN = """
    SELECT k, 1000000000 + ROW_NUMBER() OVER (PARTITION BY k ORDER BY at, step, arrived, v), at, day, step, v
    FROM seen_begun WHERE NOT v IS NULL"""
KNOWN = """
    SELECT k, MIN(id) AS id, ARG_MAX(environment, b) AS environment FROM stretches GROUP BY k"""
VERSIONS = """
    SELECT k, place, day, v FROM changes WHERE NOT LIST_CONTAINS($missing, v)"""
EXTENTS = """
    SELECT k, MIN(a) AS first, MAX(b) AS last, SUM(b - a + 1) AS days FROM stretches WHERE beat GROUP BY k"""
CURRENT = "SELECT k, ARG_MAX(v, place) AS v FROM versions GROUP BY k"
PERSON_ENVIRONMENT = "of_person"
PEOPLE = """
    SELECT known.k, known.id, COALESCE(known.environment, of_person) AS environment
    FROM known LEFT JOIN persons AS p ON p.project_id = $project AND p.person_key = known.k"""
OF_DAYS = """
    SELECT k, TO_JSON(LIST(a ORDER BY a)) AS a, TO_JSON(LIST(b ORDER BY a)) AS b FROM stretches WHERE beat GROUP BY k"""
HISTORY = """
    SELECT k, TO_JSON(LIST(at ORDER BY place)) AS ats, TO_JSON(LIST(day ORDER BY place)) AS days,
      TO_JSON(LIST(step ORDER BY place)) AS steps, TO_JSON(LIST(v ORDER BY place)) AS vs
    FROM changes GROUP BY k"""
INTERVALS = """
    SELECT stretches.k, people.environment, a AS d,
      LEAST(b + $window, LEAD(a, 1, $far) OVER (PARTITION BY stretches.k ORDER BY a)) AS e
    FROM stretches JOIN people ON people.k = stretches.k
    LEFT JOIN extents ON extents.k = stretches.k
    WHERE beat AND (NOT $established OR extents.days > 1)"""
TENURES = """
    SELECT k, v, day AS c, LEAD(day, 1, $far) OVER (PARTITION BY k ORDER BY place) AS f FROM versions
    UNION ALL SELECT k, NULL, -$far, MIN(day) FROM versions GROUP BY k"""
HELD = """
    SELECT intervals.environment, tenures.v, GREATEST(d, c) AS d, LEAST(e, f) AS e
    FROM intervals LEFT JOIN tenures ON tenures.k = intervals.k AND d < f AND c < e
    WHERE GREATEST(d, c) < LEAST(e, f)"""
FITTING = (
    "SELECT k, ARG_MAX(fits, (kind = 'beat', at, arrived)) AS fits FROM whole GROUP BY k"
)
WHOLE = """
    SELECT people.k, people.id, people.environment, {fits} AS fits, of_days.a, of_days.b,
      history.ats, history.days, history.steps, history.vs
    FROM people LEFT JOIN of_days ON of_days.k = people.k
    LEFT JOIN history ON history.k = people.k {fitting} ORDER BY people.k"""
ALL_FIT = WHOLE.format(fits="TRUE", fitting="")
SOME_FIT = WHOLE.format(
    fits="fitting.fits", fitting="LEFT JOIN fitting ON fitting.k = people.k"
)
SUMMED = """
    SELECT MIN(people.k) AS k, MIN(people.id) AS id, people.environment,
      NOT $established OR COALESCE(extents.days > 1, FALSE) AS fits, extents.first, extents.last,
      current.v, COUNT(*) AS n
    FROM people LEFT JOIN extents ON extents.k = people.k LEFT JOIN current ON current.k = people.k
    GROUP BY people.environment, 4, extents.first, extents.last, current.v"""
MOVES = """
    SELECT environment, v, day, SUM(n) AS n FROM (
      SELECT environment, v, d AS day, COUNT(*) AS n FROM held GROUP BY environment, v, d
      UNION ALL SELECT environment, v, e, -COUNT(*) FROM held GROUP BY environment, v, e)
    GROUP BY environment, v, day"""
TEXTS = "SELECT DISTINCT v FROM changes"
COUNTS = "SELECT v, COUNT(*) AS n FROM seen WHERE v IN $texts GROUP BY v"


def reports(asked: Asked) -> Statement:
    """Return the question for all installations up to the moment asked about.

    Columns: key, id, environment, whether the filters fit; lists of the first and last day
    of each stretch of reports; lists of moment, day, step and text of each change of version.
    Lists come as JSON: they are fetched in half the time, and read only by who needs them.
    """
    return shared(
        statement(ALL_FIT if wanted(asked.params.properties) is None else SOME_FIT, asked)
    )


def summed(asked: Asked) -> Statement:
    """Return the same where only the first and last report and the version matter.

    One row for all that agree in these: key and id of one, environment, whether it is asked
    for, first and last day, text of the version, and how many they are.
    """
    return shared(statement(SUMMED, asked))


def moves(asked: Asked, window: int) -> Statement:
    """Return the question for how the number active in a window changes, day by day.

    Columns: environment, text of the version, day, by how many.
    """
    return shared(statement(MOVES, asked, given={"window": window}))


def missing(spellings: Iterable[str]) -> list[str]:
    """Return the texts that say no version."""
    return ["", *(text for text in spellings if is_missing(text))]


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


def texts(asked: Asked) -> Statement:
    """Return the question for every text that was ever said to be a version."""
    return shared(statement(TEXTS, asked))


def counts(asked: Asked, alike: list[str]) -> Statement:
    """Return the question for how often each of some texts was observed."""
    return shared(statement(COUNTS, asked, given={"texts": alike}))


def shared(found: Statement) -> Statement:
    """Return a statement of which all figures of a day need the same rows."""
    return msgspec.structs.replace(found, shared=True)


def statement(
    template: str,
    asked: Asked,
    *,
    since: int | None = None,
    more: Mapping[str, str] | None = None,
    given: Mapping[str, Value] | None = None,
) -> Statement:
    """Return a constant SELECT with the steps it uses before it.

    ``since`` bounds the days read of ``reported``; ``more`` names further columns of it and
    their properties; ``given`` are the values of the template's own ``$names``.
    """
    steps = _steps(asked)
    used = set(WORD.findall(template))
    for name, text in reversed(steps.items()):
        if name in used:
            used.update(WORD.findall(text))
    making = _Making(asked, used, given or {})
    tree = making.parsed(template)
    for name, text in steps.items():
        if name not in used:
            continue
        query = making.parsed(text) if text else making.made(name, since, more or {})
        tree.with_(name, as_=query, materialized=False, copy=False)
    kept = digest(asked) if used & DIGESTED else None
    return Statement(tree=tree, values=making.values.by_name, digest=kept)


def _steps(asked: Asked) -> dict[str, str]:
    """Return the text of each step, each after those that it needs; empty: it is made."""
    begun = asked.partial
    return {
        "reported": "",
        "begun": "",
        "whole": "",
        "stretches": f"{STRETCHES} UNION ALL {BEGUN}" if begun else STRETCHES,
        "seen": OBSERVED.format("reported"),
        "seen_begun": OBSERVED.format("begun"),
        "changes": f"{CHANGES} UNION ALL {CHANGES_BEGUN}" if begun else CHANGES,
        "known": KNOWN,
        "people": PEOPLE,
        "versions": VERSIONS,
        "extents": EXTENTS,
        "current": CURRENT,
        "intervals": INTERVALS,
        "tenures": TENURES,
        "held": HELD,
        "of_days": OF_DAYS,
        "history": HISTORY,
        "fitting": FITTING,
    }


class _Making:
    """One statement being made: its values, and the steps that are no constants."""

    def __init__(self, asked: Asked, used: set[str], given: Mapping[str, Value]) -> None:
        self._asked, self._used, self.values = asked, used, Values()
        self._given = {
            "project": asked.context.project.id,
            "until": asked.as_of - 1 if asked.partial else asked.as_of,
            "missing": missing(asked.context.spellings),
            "established": asked.params.established,
            "far": FAR,
            **given,
        }

    def parsed(self, template: str) -> exp.Query:
        """Return the tree of a constant SELECT, its ``$names`` bound to values."""

        def bound(node: Tree) -> Tree:
            if isinstance(node, exp.Placeholder):
                return self.values.bind(self._given[node.name])
            if isinstance(node, exp.Column) and node.name == PERSON_ENVIRONMENT:
                return self._of_person()
            return node

        tree = _parsed(template).copy().transform(bound, copy=False)
        if not isinstance(tree, exp.Query):
            raise TypeError(tree)
        return tree

    def made(self, name: str, since: int | None, more: Mapping[str, str]) -> exp.Query:
        """Return the fleet events: those asked for, those of the day begun, or all."""
        asked, events = self._asked, Events(self._asked.context, self.values)
        columns = [
            exp.alias_(events.property("event", key).text, alias)
            for alias, key in more.items()
        ]
        first = {"reported": since, "begun": asked.as_of}.get(name)
        begin = None if first is None else begin_of(first, asked.zone)
        own = columns if name == "reported" else []
        used = self._used if name == "whole" else self._used - {"fits"}
        return reported(events, asked, since=begin, more=own, used=used)

    def _of_person(self) -> Tree:
        persons = Persons(self._asked.context, self.values)
        return persons.property("person", self._asked.settings.environment_property).text


@cache
def _parsed(template: str) -> exp.Query:
    """Return the tree of a constant SELECT, to be copied."""
    tree = parse_one(template, dialect="duckdb")
    if not isinstance(tree, exp.Query):
        raise TypeError(tree)
    return tree
