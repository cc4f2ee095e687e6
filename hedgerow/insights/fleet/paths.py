"""From which version to which: updates, downgrades, rollbacks (``fleet`` §2.8)."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import msgspec

from hedgerow.insights.fleet.observations import Installation, Ranked, Seen
from hedgerow.insights.fleet.params import Asked, iso
from hedgerow.insights.fleet.population import Fleet
from hedgerow.insights.fleet.reports import statement
from hedgerow.insights.fleet.states import Member, page
from hedgerow.model.ports import Statement

PATHS_SHOWN = 30
DOWNGRADES_SHOWN = 1000
ROLLED_BACK_WITHIN = 7 * 24 * 3600 * 1_000_000
"""Microseconds after an update in which going back is a rollback."""

DECLARED = """
    SELECT k, day, old, new FROM reported
    WHERE kind = 'update' AND NOT old IS NULL AND NOT new IS NULL"""


class Transition(msgspec.Struct, frozen=True, kw_only=True):
    """One change of version, as observed."""

    one: Installation
    day: int
    at: int
    before: Ranked
    after: Ranked
    direction: str
    """``up``, ``down``, or ``unknown`` where one side has no place."""

    rollback: bool = False


def declared(asked: Asked) -> Statement:
    """Return the question for what update events say of themselves."""
    return statement(DECLARED, asked, since=asked.date_from)


def transitions(fleet: Fleet) -> Iterator[Transition]:
    """Yield the changes of version in the range."""
    for one in fleet.installations:
        up: Transition | None = None
        for before, after in pairwise(one.seen):
            if before.version.same == after.version.same:
                continue
            found = _transition(one, before.version, after, up)
            if found.direction == "up":
                up = found
            if fleet.asked.date_from <= found.day <= fleet.asked.as_of:
                yield found


def _transition(
    one: Installation, before: Ranked, seen: Seen, up: Transition | None
) -> Transition:
    after = seen.version
    direction = direction_of(before, after)
    return Transition(
        one=one,
        day=seen.day,
        at=seen.at,
        before=before,
        after=after,
        direction=direction,
        rollback=direction == "down"
        and up is not None
        and seen.at - up.at <= ROLLED_BACK_WITHIN
        and after.ord <= up.before.ord,
    )


def direction_of(before: Ranked, after: Ranked) -> str:
    """Return which way a change goes."""
    if not before.ordered or not after.ordered:
        return "unknown"
    return "up" if after.ord > before.ord else "down"


def paths(fleet: Fleet) -> dict[str, Any]:
    """Count the changes from each version to each other."""
    rows = _rows(fleet)
    limit = fleet.asked.params.limit or PATHS_SHOWN
    return {
        "rows": [row for row, _ in rows[:limit]],
        "other": sum(row["count"] for row, _ in rows[limit:]),
        "rollbacks": sum(one.rollback for one in transitions(fleet)),
    }


def path_members(fleet: Fleet) -> Iterator[Member]:
    """Yield the installations that took each path."""
    for row, people in _rows(fleet):
        for one in people:
            yield {"from": row["from"], "to": row["to"], "direction": row["direction"]}, one


def _rows(fleet: Fleet) -> list[tuple[dict[str, Any], list[Installation]]]:
    took: dict[tuple[int | str, int | str], list[tuple[Installation, Ranked, Ranked]]]
    took = defaultdict(list)
    for one, before, after in _steps(fleet):
        took[before.same, after.same].append((one, before, after))
    rows: list[tuple[dict[str, Any], list[Installation]]] = []
    for taken in took.values():
        people = {one.key: one for one, _, _ in taken}
        _, before, after = taken[0]
        row = {
            "from": fleet.label(before),
            "to": fleet.label(after),
            "count": len(taken),
            "installations": len(people),
            "direction": direction_of(before, after),
            "skipped": _skipped(before, after, fleet),
        }
        rows.append((row, list(people.values())))
    rows.sort(key=lambda row: (-row[0]["count"], row[0]["from"], row[0]["to"]))
    return rows


def _steps(fleet: Fleet) -> Iterator[tuple[Installation, Ranked, Ranked]]:
    if fleet.asked.params.source == "observed":
        for found in transitions(fleet):
            yield found.one, found.before, found.after
        return
    for one, (day, old, new) in fleet.rows("declared"):
        before, after = fleet.catalogue.find(old), fleet.catalogue.find(new)
        if before is None or after is None or before.same == after.same:
            continue
        if fleet.asked.date_from <= day <= fleet.asked.as_of:
            yield one, before, after


def _skipped(before: Ranked, after: Ranked, fleet: Fleet) -> int | None:
    """Return how many listed releases a step up left out."""
    if fleet.source != "list" or direction_of(before, after) != "up":
        return None
    out = fleet.releases_at(fleet.asked.as_of)
    return sum(before.ord < one.ord < after.ord for one in out)


def downgrades(fleet: Fleet) -> dict[str, Any]:
    """List the changes to a lower version, in order of time."""
    down = sorted(_downs(fleet), key=lambda found: (found.at, found.one.id))
    rows = [
        {
            "distinct_id": found.one.id,
            "day": iso(found.day),
            "from": fleet.label(found.before),
            "to": fleet.label(found.after),
            "rollback": found.rollback,
        }
        for found in down
    ]
    shown, following = page(rows, fleet.asked, DOWNGRADES_SHOWN)
    return {"rows": shown, "next_cursor": following}


def downgrade_members(fleet: Fleet) -> Iterator[Member]:
    """Yield the installations that went to a lower version."""
    for found in _downs(fleet):
        told = {
            "distinct_id": found.one.id,
            "day": iso(found.day),
            "from": fleet.label(found.before),
            "to": fleet.label(found.after),
            "rollback": found.rollback,
        }
        yield told, found.one


def _downs(fleet: Fleet) -> list[Transition]:
    return [found for found in transitions(fleet) if found.direction == "down"]
