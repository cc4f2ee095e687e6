"""What the fleet's screen needs at once, of one reading (``fleet`` §5)."""

from typing import Any

import msgspec

from hedgerow.insights.fleet import adoption, behind, reporting, states, versions
from hedgerow.insights.fleet.params import WINDOWS
from hedgerow.insights.fleet.population import Fleet

MANY_CLONES = 0.01


def overview(fleet: Fleet) -> dict[str, Any]:
    """Tell states, newest release, versions, who is behind, adoption and flow."""
    params = fleet.asked.params
    fold = "minor" if params.fold == "none" else params.fold
    folded = msgspec.structs.replace(params, fold=fold)
    asked = msgspec.structs.replace(fleet.asked, params=folded)
    by_series = msgspec.structs.replace(fleet, asked=asked)
    window = params.window_days or WINDOWS["adoption"]
    weekly = msgspec.structs.replace(
        fleet, asked=msgspec.structs.replace(fleet.asked, window=window)
    )
    clones = reporting.clones(fleet)
    return {
        "installations": len(fleet.installations),
        "states": states.states(fleet),
        "newest": versions.newest(fleet),
        "versions": versions.versions(by_series),
        "behind": behind.behind(fleet),
        "adoption": adoption.adoption(weekly),
        "lag": adoption.lag(fleet),
        "flow": states.flow(fleet),
        "clones": clones,
        "warnings": _warnings(fleet, clones["suspected"]),
    }


def _warnings(fleet: Fleet, suspected: int) -> list[dict[str, str]]:
    found = []
    if fleet.source == "inferred":
        found.append(
            {
                "code": "inferred_releases",
                "text": "There is no list of releases: their dates are inferred from reports.",
            }
        )
    if suspected > MANY_CLONES * len(fleet.installations):
        found.append(
            {
                "code": "clones",
                "text": f"{suspected} installations seem to be several machines with one id.",
            }
        )
    if fleet.asked.provisional:
        found.append(
            {
                "code": "provisional",
                "text": "Reports of the last day may still arrive: the figures may change.",
            }
        )
    return found
