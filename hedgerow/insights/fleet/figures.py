"""THE table of figures: what computes each, what it takes and asks, and who is behind it.

To add a figure, write its two functions and its row.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from hedgerow.insights.fleet import (
    adoption,
    behind,
    cells,
    distribution,
    errors,
    features,
    listing,
    overview,
    paths,
    publishing,
    reporting,
    signatures,
    states,
    survival,
    versions,
)
from hedgerow.insights.fleet.params import COMMON, Asked
from hedgerow.insights.fleet.population import Fleet
from hedgerow.insights.fleet.states import Member
from hedgerow.model.ports import Statement

Compute = Callable[[Fleet], dict[str, Any]]
Members = Callable[[Fleet], Iterator[Member]]
Ask = Callable[[Asked], Statement]

PUBLIC_TAKES = frozenset({"as_of", "window_days", "k", "format"})
"""Nothing that narrows the population: no public table can be asked of a part."""


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure."""

    compute: Compute | None = None
    members: Members
    takes: frozenset[str] = COMMON
    asks: Mapping[str, Ask] = msgspec.field(default_factory=dict)
    """Further statements by the name under which the figure finds their rows."""

    alike: Callable[[Asked], bool] = lambda _: False
    """Whether of an installation only its first and last report and its version matter."""

    beside: Mapping[str, Ask] = msgspec.field(default_factory=dict)
    """Statements asked in the place of ``asks`` where it is so."""

    windows: Callable[[Asked], Iterable[int]] = lambda _: ()
    """Of how many days it counts the active ones, day by day."""

    compared: Callable[[Fleet, Fleet | None], dict[str, Any]] | None = None
    """For figures that look at an earlier publication too: instead of ``compute``."""


def _figure(compute: Compute, members: Members, *takes: str, **asks: Ask) -> Figure:
    return Figure(
        compute=compute, members=members, takes=COMMON | frozenset(takes), asks=asks
    )


def _summed(
    compute: Compute,
    members: Members,
    *takes: str,
    windows: Callable[[Asked], Iterable[int]] = lambda _: (),
    **beside: Ask,
) -> Figure:
    """Return a figure for which nobody has to be looked at one by one."""
    found = _figure(compute, members, *takes)
    return msgspec.structs.replace(
        found, alike=lambda _: True, beside=beside, windows=windows
    )


FIGURES: Mapping[str, Figure] = {
    "active": _figure(states.active, states.active_members, "at", latest=states.latest),
    "active_over_time": _summed(
        states.active_over_time,
        states.over_time_members,
        windows=lambda _: states.WINDOWS.values(),
    ),
    "states": _summed(
        states.states, states.state_members, "limit", "cursor", silent=states.silent
    ),
    "flow": _figure(states.flow, states.flow_members, newcomers=states.newcomers),
    "versions": _summed(versions.versions, versions.version_members),
    "versions_over_time": _summed(
        versions.versions_over_time,
        versions.stack_members,
        "limit",
        "pre",
        windows=versions.widths,
    ),
    "newest": _summed(versions.newest, versions.nobody),
    "adoption": _summed(
        adoption.adoption,
        adoption.adoption_members,
        "version",
        "horizon",
        windows=lambda asked: [asked.window],
    ),
    "lag": _figure(adoption.lag, adoption.lag_members, "version", "eligible_days"),
    "paths": _figure(
        paths.paths, paths.path_members, "limit", "source", declared=paths.declared
    ),
    "downgrades": _figure(paths.downgrades, paths.downgrade_members, "limit", "cursor"),
    "behind": _summed(behind.behind, behind.behind_members, "within"),
    "eol": _summed(behind.eol, behind.eol_members),
    "distribution": Figure(
        compute=distribution.distribution,
        members=distribution.distribution_members,
        takes=COMMON | {"property", "limit"},
        asks={"values": distribution.values},
        beside={"spread": distribution.spread},
        alike=distribution.is_kept,
    ),
    "survival": _summed(survival.survival, survival.survival_members),
    "errors": _figure(
        errors.errors, errors.error_members, "min_installations", faults=errors.faults
    ),
    "features": _figure(
        features.features,
        features.feature_members,
        "event",
        "by",
        uses=features.feature_uses,
    ),
    "regularity": _figure(
        reporting.regularity,
        reporting.regularity_members,
        beats=reporting.beats,
        ahead=reporting.ahead,
    ),
    "clones": _figure(
        reporting.clones,
        reporting.clone_members,
        "limit",
        signatures=signatures.signatures,
    ),
    "today": _figure(
        reporting.today,
        reporting.today_members,
        "at",
        first_beats=reporting.first_beats,
    ),
    "installations": _figure(
        listing.installations,
        listing.installation_members,
        "state",
        "version_lt",
        "behind_gte",
        "limit",
        "cursor",
        dimensions=listing.dimensions,
    ),
    "overview": _figure(
        overview.overview,
        states.state_members,
        signatures=signatures.signatures,
        newcomers=states.newcomers,
    ),
    "public_table": Figure(
        compared=publishing.public_table_figure,
        members=publishing.members,
        takes=PUBLIC_TAKES | {"property", "published_as_of"},
        asks={"public": cells.public},
    ),
    "public_cross": Figure(
        compared=publishing.public_cross_figure,
        members=publishing.members,
        takes=PUBLIC_TAKES | {"properties"},
        asks={"public": cells.public},
    ),
}
