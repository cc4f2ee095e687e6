"""The installations themselves, as a list (``fleet`` §5)."""

from collections.abc import Iterator
from typing import Any

from hedgerow.insights.fleet.behind import standing
from hedgerow.insights.fleet.observations import Installation
from hedgerow.insights.fleet.params import Asked, iso
from hedgerow.insights.fleet.population import Fleet
from hedgerow.insights.fleet.reports import shared, statement
from hedgerow.insights.fleet.states import Member, page, state
from hedgerow.model.ports import Statement

SHOWN = 100
DIMENSIONS = """
    SELECT k, ANY_VALUE(person) AS person, ARG_MAX(platform, (at, arrived)) FILTER (WHERE platform <> '') AS platform,
      ARG_MAX(deployment, (at, arrived)) FILTER (WHERE deployment <> '') AS deployment
    FROM reported GROUP BY k"""


def dimensions(asked: Asked) -> Statement:
    """Return the question for each installation's platform and deployment method."""
    settings = asked.settings
    more = {
        "platform": settings.platform_property,
        "deployment": settings.deployment_property,
    }
    return shared(statement(DIMENSIONS, asked, more=more))


def installations(fleet: Fleet) -> dict[str, Any]:
    """List the installations, those first whose last report is latest."""
    known = {one.key: row for one, row in fleet.rows("dimensions")}
    chosen = [one for _, one in installation_members(fleet)]
    chosen.sort(key=lambda one: (-(one.ends[-1] if one.ends else 0), one.id))
    shown, following = page(chosen, fleet.asked, SHOWN)
    rows = [_row(one, known.get(one.key, (None, None, None)), fleet) for one in shown]
    return {"count": len(chosen), "rows": rows, "next_cursor": following}


def installation_members(fleet: Fleet) -> Iterator[Member]:
    """Yield the installations that are asked for."""
    asked, day = fleet.asked, fleet.asked.as_of
    params = asked.params
    below = fleet.catalogue.ord_of(params.version_lt)
    for one in fleet.installations:
        version, now = one.version_at(day), state(one, day, asked)
        if params.state is not None and now != params.state:
            continue
        if below is not None and not (version is not None and 0 <= version.ord < below):
            continue
        stands = standing(version, fleet)
        if params.behind_gte is not None and (stands.releases or 0) < params.behind_gte:
            continue
        yield {"distinct_id": one.id, "state": now}, one


def _row(one: Installation, known: tuple[Any, ...], fleet: Fleet) -> dict[str, Any]:
    day = fleet.asked.as_of
    last, first = one.last_beat(day), one.first_beat
    person, platform, deployment = known
    return {
        "distinct_id": one.id,
        "person_id": person,
        "state": state(one, day, fleet.asked),
        "version": fleet.label_at(one, day),
        "releases_behind": standing(one.version_at(day), fleet).releases
        if fleet.releases
        else None,
        "platform": platform,
        "deployment_method": deployment,
        "first_seen": None if first is None else iso(first),
        "last_heartbeat": None if last is None else iso(last),
    }
