"""Which version errs more: errors for each installation and day (``fleet`` §2.14)."""

import math
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import msgspec
from sqlglot import exp

from hedgerow.insights.fleet.observations import Ranked
from hedgerow.insights.fleet.params import Asked, begin_of
from hedgerow.insights.fleet.population import Fleet
from hedgerow.insights.fleet.reported import first_of
from hedgerow.insights.fleet.states import Member
from hedgerow.insights.fleet.statistics import Z
from hedgerow.model.ports import Statement
from hedgerow.query.sources import Events
from hedgerow.query.trees import Tree
from hedgerow.query.values import Values

NONE_SEEN = 3.688879
"""Upper end of the 95 % interval of a count of which nothing was seen: -ln(0.025)."""

WORSE_RATIO = 1.25
WORSE_Z = 2.575829
ENOUGH = 5
"""Errors of the newer version below which nothing can be said."""


class Tally(msgspec.Struct, kw_only=True):
    """Errors and days of one version, by installation."""

    days: dict[int, int] = msgspec.field(default_factory=lambda: defaultdict(int))
    errors: dict[int, int] = msgspec.field(default_factory=lambda: defaultdict(int))

    @property
    def total(self) -> int:
        """All errors."""
        return sum(self.errors.values())

    @property
    def exposure(self) -> int:
        """All installation-days."""
        return sum(self.days.values())

    @property
    def rate(self) -> float | None:
        """Errors for each installation and day; None without any day."""
        return self.total / self.exposure if self.exposure else None

    def error(self) -> float:
        """Return the rate's standard error: errors come in heaps from few machines."""
        rate, people = self.rate or 0.0, self.days.keys() | self.errors.keys()
        n, spread = len(people), 0.0
        if n > 1:
            squares = sum(
                (self.errors.get(one, 0) - rate * self.days.get(one, 0)) ** 2
                for one in people
            )
            spread = math.sqrt(n / (n - 1) * squares)
        return max(spread, math.sqrt(self.total)) / self.exposure

    def interval(self) -> list[float] | None:
        """Return the rate's 95 % interval; None where it cannot be said."""
        rate = self.rate
        if rate is None:
            return None
        if not self.total:
            return [0.0, NONE_SEEN / self.exposure]
        if len(self.days.keys() | self.errors.keys()) == 1:
            return None
        width = Z * self.error() / rate
        return [rate * math.exp(-width), rate * math.exp(width)]


def faults(asked: Asked) -> Statement:
    """Return the question for all errors of the range: who, when, version, weight."""
    error = asked.settings.error_filter
    values = Values()
    events = Events(asked.context, values)
    is_error = events.property("event", error.key).text.eq(values.bind(error.value))
    return _told(asked, events, is_error, [events.property("event", "occurrences").text])


def uses(asked: Asked) -> Statement:
    """Return the question for all uses of a feature in the range."""
    values = Values()
    events = Events(asked.context, values)
    is_it = events.column("event").eq(values.bind(asked.params.event or ""))
    return _told(asked, events, is_it, [])


def _told(asked: Asked, events: Events, wanted: Tree, more: list[Tree]) -> Statement:
    columns = [
        events.person_key(),
        events.dialect.microseconds(events.column("timestamp")),
        first_of(asked.settings.version_properties, events),
        *more,
    ]
    named = [exp.alias_(tree, f"c{place}") for place, tree in enumerate(columns)]
    tree = events.select(
        *named,
        since=begin_of(asked.date_from, asked.zone),
        until=asked.at,
        where=[wanted, exp.not_(events.column("personless"))],
    )
    return Statement(tree=tree, values=events.values.by_name)


def errors(fleet: Fleet) -> dict[str, Any]:
    """Tell each version's errors, and whether the newest errs more than the one before."""
    tallies, named = _tallies(fleet)
    rows = [
        {
            "version": fleet.label(named[place]),
            "installations": len(tally.days),
            "installation_days": tally.exposure,
            "errors": tally.total,
            "rate": tally.rate,
            "ci": tally.interval(),
            "affected": len(tally.errors),
        }
        for place, tally in sorted(tallies.items())
    ]
    least = fleet.asked.params.min_installations
    large = [place for place in sorted(tallies) if len(tallies[place].days) >= least]
    comparison = None
    if len(large) > 1:
        before, after = large[-2:]
        comparison = {
            "version": fleet.label(named[after]),
            "previous": fleet.label(named[before]),
            **_compared(tallies[before], tallies[after]),
        }
    return {"rows": rows, "comparison": comparison}


def error_members(fleet: Fleet) -> Iterator[Member]:
    """Yield the installations of each version: with errors, or without."""
    tallies, named = _tallies(fleet)
    for place, tally in sorted(tallies.items()):
        for key in sorted(tally.days.keys() | tally.errors.keys()):
            told = {"version": fleet.label(named[place]), "affected": key in tally.errors}
            yield told, fleet.by_key[key]


def _tallies(fleet: Fleet) -> tuple[dict[int, Tally], dict[int, Ranked]]:
    """Return what each version's installations did in the range, by its place."""
    tallies: dict[int, Tally] = defaultdict(Tally)
    named: dict[int, Ranked] = {}
    for one in fleet.installations:
        for first, last, version in one.held(1, fleet.asked.date_from, fleet.asked.as_of):
            if version is not None and version.ordered:
                named.setdefault(version.ord, version)
                tallies[version.ord].days[one.key] += last - first + 1
    for one, (at, text, occurrences) in fleet.rows("faults"):
        found = fleet.catalogue.find(text)
        if found is None or not found.ordered:
            found = one.version_at_moment(at)
        if found is not None and found.ordered:
            named.setdefault(found.ord, found)
            tallies[found.ord].errors[one.key] += _weight(occurrences)
    return tallies, named


def _weight(text: str | None) -> int:
    """Return how many errors an event stands for: an integer of at least 1, else 1."""
    return max(1, int(text)) if text and text.isascii() and text.isdigit() else 1


def _compared(before: Tally, after: Tally) -> dict[str, Any]:
    """Return how much more often the newer version errs, and how sure that is."""
    new, old = after.rate or 0.0, before.rate or 0.0
    spread = math.sqrt(2)
    if before.total:
        spread = before.error() / old
    else:
        old = 0.5 / before.exposure
    ratio, z, interval = new / old, None, None
    if after.total:
        both = math.hypot(after.error() / new, spread)
        z = math.log(ratio) / both
        interval = [ratio * math.exp(-Z * both), ratio * math.exp(Z * both)]
    enough = after.total >= ENOUGH
    worse = enough and ratio >= WORSE_RATIO and z is not None and z > WORSE_Z
    return {"ratio": ratio, "ci": interval, "z": z, "enough": enough, "worse": worse}
