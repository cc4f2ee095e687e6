"""Which versions' installations use a feature (``fleet`` §2.15)."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from hedgerow.errors import InvalidQuery
from hedgerow.insights.fleet.errors import uses
from hedgerow.insights.fleet.observations import Installation, Ranked
from hedgerow.insights.fleet.params import Asked
from hedgerow.insights.fleet.population import Fleet
from hedgerow.insights.fleet.states import Member
from hedgerow.insights.fleet.statistics import share_of, wilson
from hedgerow.model.ports import Statement


def feature_uses(asked: Asked) -> Statement:
    """Return the question for the uses. Raises InvalidQuery without an event."""
    if not asked.params.event:
        raise InvalidQuery(
            "Feature usage needs an event.",
            hint="Give its name as 'event'.",
            attr="params.event",
        )
    return uses(asked)


def features(fleet: Fleet) -> dict[str, Any]:
    """Count by version the installations, or users, that used a feature."""
    if fleet.asked.params.by == "users":
        return {"rows": _by_users(fleet)}
    rows = []
    for version, people in _by_version(fleet).values():
        used = sum(used for _, used in people)
        rows.append(
            {
                "version": fleet.label(version),
                "installations": len(people),
                "used": used,
                "share": share_of(used, len(people)),
                "ci": wilson(used, len(people)),
            }
        )
    return {"rows": rows}


def feature_members(fleet: Fleet) -> Iterator[Member]:
    """Yield each version's installations: with the feature used, or not."""
    if fleet.asked.params.by == "users":
        return
    for version, people in _by_version(fleet).values():
        for one, used in people:
            yield {"version": fleet.label(version), "used": used}, one


def _by_version(
    fleet: Fleet,
) -> dict[int, tuple[Ranked, list[tuple[Installation, bool]]]]:
    """Return who reported in the range, by version at its end, and whether they used it."""
    used: dict[int, set[int]] = defaultdict(set)
    for one, (at, text) in fleet.rows("uses"):
        found = fleet.catalogue.find(text)
        if found is None or not found.ordered:
            found = one.version_at_moment(at)
        if found is not None:
            used[one.key].add(found.ord)
    day, width = fleet.asked.as_of, len(fleet.asked.days)
    rows: dict[int, tuple[Ranked, list[tuple[Installation, bool]]]] = {}
    for one in fleet.installations:
        version = one.version_at(day)
        if version is not None and version.ordered and one.active(day, width):
            _, people = rows.setdefault(version.ord, (version, []))
            people.append((one, version.ord in used[one.key]))
    return dict(sorted(rows.items()))


def _by_users(fleet: Fleet) -> list[dict[str, Any]]:
    """Return how many persons used it, by the version that their events name."""
    people: dict[int, set[int]] = defaultdict(set)
    named: dict[int, Ranked] = {}
    for key, _, text in fleet.more["uses"]:
        found = fleet.catalogue.find(text)
        if found is not None and found.ordered:
            named.setdefault(found.ord, found)
            people[found.ord].add(key)
    return [
        {"version": fleet.label(named[place]), "users": len(people[place])}
        for place in sorted(people)
    ]
