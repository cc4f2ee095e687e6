"""One id on several machines: suspected when what it says goes back and forth (§1.4)."""

from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from hedgerow.insights.fleet.observations import Catalogue, Installation
from hedgerow.insights.fleet.params import Asked
from hedgerow.insights.fleet.reports import statement
from hedgerow.model.ports import Statement

LOOKED_BACK = 14
"""Days."""

SUSPICIOUS_DAYS = 2
BACK_AND_FORTH = 2
"""Changes within a day: an update changes once, and so does a move."""

TWICE_CHANGED = """
    SELECT k, day, at, version, platform, machine, deployment FROM reported
    WHERE kind = 'beat' QUALIFY COUNT(*) OVER (PARTITION BY k, day) > 2
    ORDER BY k, at, arrived"""

Signature = tuple[Any, ...]


def signatures(asked: Asked) -> Statement:
    """Return the question for the heartbeats of days with more than two of them."""
    settings = asked.settings
    return statement(
        TWICE_CHANGED,
        asked,
        since=asked.as_of - LOOKED_BACK + 1,
        more={
            "platform": settings.platform_property,
            "machine": settings.machine_property,
            "deployment": settings.deployment_property,
        },
    )


def clone_days(
    rows: Iterable[tuple[Any, ...]], people: Iterable[Installation], catalogue: Catalogue
) -> dict[int, dict[int, set[Signature]]]:
    """Return, for each suspected installation, its suspicious days and what it said then."""
    by_key = {one.key: one for one in people}
    said: dict[int, dict[int, list[Signature]]] = defaultdict(lambda: defaultdict(list))
    for key, day, at, text, *rest in rows:
        one = by_key.get(key)
        if one is None:
            continue
        version = catalogue.find(text) or one.version_at_moment(at)
        same = None if version is None else version.same
        said[key][day].append((same, *rest))
    found = {}
    for key, days in said.items():
        odd = {
            day: set(all_)
            for day, all_ in days.items()
            if sum(one != other for one, other in pairwise(all_)) >= BACK_AND_FORTH
        }
        if len(odd) >= SUSPICIOUS_DAYS:
            found[key] = odd
    return found
