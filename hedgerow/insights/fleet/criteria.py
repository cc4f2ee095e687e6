"""Which installations meet a cohort's criterion, such as three releases behind (``fleet`` §5).

Asked beforehand, as of now, for questions in which such a criterion stands.
"""

import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from hedgerow.errors import InvalidQuery
from hedgerow.insights.fleet.behind import standing
from hedgerow.insights.fleet.observations import Installation
from hedgerow.insights.fleet.params import Params, asked
from hedgerow.insights.fleet.population import Fleet, fleet
from hedgerow.insights.fleet.reports import reports
from hedgerow.insights.fleet.settings import settings_of
from hedgerow.insights.fleet.spellings import with_spellings
from hedgerow.insights.fleet.states import state
from hedgerow.insights.results import Run
from hedgerow.insights.shown import written
from hedgerow.model.projects import QueryContext
from hedgerow.model.versions import parse
from hedgerow.query.definitions_cohorts import FleetLeaf

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "exact": operator.eq,
    "is_not": operator.ne,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
EQUALITIES = frozenset({"exact", "is_not"})


def with_installations(raw: object, context: QueryContext, run: Run) -> QueryContext:
    """Return the context with the installations that meet each fleet criterion.

    Raises InvalidQuery for a criterion that cannot be.
    """
    leaves = {one.name: one for one in _leaves(raw)}
    if not leaves:
        return context
    settings = settings_of(context.project.fleet)
    question = asked(Params(as_of="today"), "installations", settings, context)
    spelled = with_spellings(question, run)
    question = msgspec.structs.replace(question, context=spelled)
    now = fleet(question, {"reports": run(written(reports(question), context))})
    found = {name: tuple(_meeting(leaf, now)) for name, leaf in leaves.items()}
    return msgspec.structs.replace(context, installations=found)


def _leaves(raw: object) -> Iterator[FleetLeaf]:
    if isinstance(raw, dict):
        if raw.get("type") == "fleet" and "key" in raw:
            try:
                yield msgspec.convert(raw, FleetLeaf)
            except msgspec.ValidationError:
                return  # whoever reads the criteria says what is wrong
        for inner in raw.values():
            yield from _leaves(inner)
    elif isinstance(raw, list | tuple):
        for inner in raw:
            yield from _leaves(inner)


def _meeting(leaf: FleetLeaf, now: Fleet) -> Iterable[int]:
    """Return the keys of the installations that meet a criterion. Raises InvalidQuery."""
    values = leaf.value if isinstance(leaf.value, list) else [leaf.value]
    name = (
        leaf.operator.removeprefix("version_") if leaf.key == "version" else leaf.operator
    )
    name = {"eq": "exact", "neq": "is_not"}.get(name, name)
    single = len(values) == 1 or name in EQUALITIES
    if name not in COMPARISONS or not values or not single:
        raise _refused(leaf)
    if leaf.key == "state" and name not in EQUALITIES:
        raise _refused(leaf)
    wanted = [_limit(leaf, value, now) for value in values]
    join = all if name == "is_not" else any
    compare = COMPARISONS[name]
    for one in now.installations:
        value = _value(leaf.key, one, now)
        if value is not None and join(compare(value, limit) for limit in wanted):
            yield one.key


def _limit(leaf: FleetLeaf, value: Any, now: Fleet) -> Any:
    if leaf.key == "state" and isinstance(value, str):
        return value
    if leaf.key == "version":
        key = parse(value, now.asked.settings.version_scheme).key
        if key is not None:
            return key
    elif leaf.key != "state" and isinstance(value, int | float):
        return value
    raise _refused(leaf)


def _value(key: str, one: Installation, now: Fleet) -> Any:
    """Return what an installation is as to a criterion; None: it cannot be said."""
    day = now.asked.as_of
    if key == "state":
        return state(one, day, now.asked)
    version = one.version_at(day)
    if key == "version":
        return None if version is None else version.version.key
    stands = standing(version, now)
    if stands.where == "ahead":
        return 0
    return stands.releases if key == "releases_behind" else stands.days


def _refused(leaf: FleetLeaf) -> InvalidQuery:
    return InvalidQuery(
        f"{leaf.key!r} of an installation cannot be compared by {leaf.operator!r} "
        f"with {leaf.value!r}.",
        hint="Compare states by exact or is_not, numbers and versions also by gt, gte, lt, lte.",
        attr="filters.properties",
    )
