"""The query JSON that Hedgerow accepts: a tagged union by ``kind``.

``decode`` turns JSON into one of these structs, strictly: a wrong or unknown field is
an ``InvalidQuery`` with the field's path. Each kind of question has a file of its own,
``definitions_<kind>.py``; adding one takes that file and a name in ``Query``.

Python names follow the house (``date_range``), the wire keeps PostHog's (``dateRange``).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import msgspec

from hedgerow.errors import InvalidQuery
from hedgerow.model.people import GroupType
from hedgerow.query.definitions_experiments import ExperimentQuery
from hedgerow.query.definitions_filters import PropertyFilter, Where
from hedgerow.query.definitions_fleet import FleetActorsQuery, FleetQuery
from hedgerow.query.definitions_funnels import (
    FunnelCorrelationQuery,
    FunnelsActorsQuery,
    FunnelsQuery,
)
from hedgerow.query.definitions_lifecycle import LifecycleQuery
from hedgerow.query.definitions_lists import (
    ActorsQuery,
    DataTableNode,
    EventNamesQuery,
    EventsQuery,
    InsightActorsQuery,
    InsightVizNode,
    PersonsNode,
    PropertyNamesQuery,
    PropertyValuesQuery,
)
from hedgerow.query.definitions_nodes import (
    Breakdown,
    BreakdownFilter,
    CompareFilter,
    Dates,
    EventsNode,
    Interval,
)
from hedgerow.query.definitions_paths import PathsQuery
from hedgerow.query.definitions_retention import RetentionQuery
from hedgerow.query.definitions_sql import HogQLQuery
from hedgerow.query.definitions_stickiness import StickinessActorsQuery, StickinessQuery
from hedgerow.query.definitions_trends import CalendarHeatmapQuery, TrendsQuery
from hedgerow.query.group_names import numbered

__all__ = [
    "ActorsQuery",
    "Breakdown",
    "BreakdownFilter",
    "CalendarHeatmapQuery",
    "CompareFilter",
    "DataTableNode",
    "Dates",
    "EventNamesQuery",
    "EventsNode",
    "EventsQuery",
    "ExperimentQuery",
    "FleetActorsQuery",
    "FleetQuery",
    "FunnelCorrelationQuery",
    "FunnelsActorsQuery",
    "FunnelsQuery",
    "HogQLQuery",
    "InsightActorsQuery",
    "InsightVizNode",
    "Interval",
    "LifecycleQuery",
    "PathsQuery",
    "PersonsNode",
    "PropertyFilter",
    "PropertyNamesQuery",
    "PropertyValuesQuery",
    "Query",
    "RetentionQuery",
    "StickinessActorsQuery",
    "StickinessQuery",
    "TrendsQuery",
    "Where",
    "decode",
    "kind_of",
]

Answerable = (
    TrendsQuery
    | CalendarHeatmapQuery
    | FunnelsQuery
    | RetentionQuery
    | PathsQuery
    | StickinessQuery
    | LifecycleQuery
    | HogQLQuery
    | EventsQuery
    | ActorsQuery
    | PersonsNode
    | FunnelCorrelationQuery
    | ExperimentQuery
    | FleetQuery
    | EventNamesQuery
    | PropertyNamesQuery
    | PropertyValuesQuery
)
Wrapper = InsightVizNode | DataTableNode
Query = Answerable

KINDS = tuple(
    sorted(str(struct.__struct_config__.tag) for struct in get_args(Answerable | Wrapper))
)
"""The kinds that may stand at the top of a query."""

_AT = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>[^`]*)`)?$", re.DOTALL)
_UNKNOWN = re.compile(r"^Object contains unknown field `(?P<field>[^`]*)`$")
_MISSING = re.compile(r"^Object missing required field `(?P<field>[^`]*)`$")
_KIND = re.compile(r"^Invalid value '(?P<kind>.*)'$")


def decode(raw: Any, types: Sequence[GroupType] | None = None) -> Query:
    """Return the question of a decoded JSON object, taken out of its wrapper.

    ``types`` are the project's group types, which may be named instead of numbered; without
    them a query is only checked. Raises InvalidQuery; its ``attr`` is the path of the field,
    such as ``series[0].math``.
    """
    if not isinstance(raw, Mapping):
        raise InvalidQuery(
            f"A query is a JSON object, not {type(raw).__name__}.",
            hint='Send {"kind": "TrendsQuery", …}.',
            attr="query",
        )
    if raw.get("kind") not in KINDS:
        raise InvalidQuery(
            f"No query is of kind {raw.get('kind')!r}.",
            hint=f"Use one of {', '.join(KINDS)}.",
            attr="kind",
        )
    try:
        query = msgspec.convert(numbered(raw, types), type=Answerable | Wrapper)
    except msgspec.ValidationError as error:
        raise refusal(str(error)) from error
    return query.source if isinstance(query, InsightVizNode | DataTableNode) else query


def kind_of(query: msgspec.Struct | type[msgspec.Struct]) -> str:
    """Return the ``kind`` with which a query is written."""
    return str(query.__struct_config__.tag)


def refusal(message: str) -> InvalidQuery:
    """Return msgspec's complaint in our words, with the path of the field."""
    match = _AT.match(message)
    what, path = (match["what"], match["path"] or "") if match else (message, "")
    path = path.removeprefix(".")
    if unknown := _UNKNOWN.match(what):
        path = f"{path}.{unknown['field']}".removeprefix(".")
        return InvalidQuery(
            f"{path!r} is not a field of this query.",
            hint="Remove it, or look at its spelling: nothing is silently ignored.",
            attr=path,
        )
    if missing := _MISSING.match(what):
        path = f"{path}.{missing['field']}".removeprefix(".")
        return InvalidQuery(f"{path!r} is missing.", hint="Add it.", attr=path)
    if (kind := _KIND.match(what)) and path.endswith("kind"):
        return InvalidQuery(
            f"A {kind['kind']!r} is not supported at {path!r}.",
            hint="Use one of the kinds in the documentation.",
            attr=path,
        )
    hint = f"See {path!r}." if path else "See the documentation of this query."
    return InvalidQuery(f"{what}.", hint=hint, attr=path or None)
