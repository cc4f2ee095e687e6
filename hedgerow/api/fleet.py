"""Figures of a fleet, one address each, and the installations themselves (``fleet`` §5)."""

import csv
import io
from collections.abc import Mapping
from typing import Any

import msgspec

from hedgerow.api.callers import Caller
from hedgerow.api.endpoints import Download
from hedgerow.errors import FleetNotConfigured, InvalidInput, NotFound
from hedgerow.insights.fleet.exporting import main_table
from hedgerow.insights.fleet.figures import FIGURES
from hedgerow.insights.fleet.settings import settings_of

PLANNED = frozenset({"public_table", "public_cross"})
"""Figures that are asked by queries only."""


class FigureParams(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Parameters of the figures, as query strings; ``properties`` as JSON."""

    as_of: str | None = None
    date_from: str | None = None
    date_to: str | None = None
    at: str | None = None
    window_days: int | None = None
    interval: str | None = None
    week_start: int | None = None
    fold: str | None = None
    environments: str | None = None
    established: bool | None = None
    exclude_clones: bool | None = None
    properties: str | None = None
    silent_after_days: int | None = None
    gone_after_days: int | None = None
    format: str | None = None
    limit: int | None = None
    cursor: int | None = None
    pre: str | None = None
    version: str | None = None
    horizon: int | None = None
    eligible_days: int | None = None
    source: str | None = None
    within: str | None = None
    property: str | None = None
    event: str | None = None
    by: str | None = None
    min_installations: int | None = None
    state: str | None = None
    version_lt: str | None = None
    behind_gte: int | None = None


def figure(
    caller: Caller, _body: None, params: FigureParams, *, figure: str
) -> Mapping[str, Any]:
    """Answer one figure, such as states, versions or adoption; ``format=csv`` its table."""
    name = figure.replace("-", "_")
    if name not in FIGURES or name in PLANNED or (figure != name.replace("_", "-")):
        known = sorted(one.replace("_", "-") for one in FIGURES if one not in PLANNED)
        raise NotFound(
            f"There is no figure {figure!r}.", hint=f"Use one of {', '.join(known)}."
        )
    given = _given(params)
    shape = given.pop("format", "json")
    if shape not in {"json", "csv"}:
        raise InvalidInput(
            f"{shape!r} is no format.", hint="Use json or csv.", attr="format"
        )
    overview = name == "overview"
    answer = _overview(caller, given) if overview else asked(caller, name, given)
    told: Mapping[str, Any] = answer if shape == "json" else _table(name, answer)
    return told


def asked(caller: Caller, name: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a figure's answer. Raises FleetNotConfigured before the first heartbeat."""
    query = {"kind": "FleetQuery", "figure": name, "params": dict(params)}
    answer = caller.parts.ask(caller.project.id, query, cancel=caller.cancel)
    if not answer["results"]["configured"]:
        event = settings_of(caller.project.fleet).heartbeat_event
        raise FleetNotConfigured(
            f"No installation has sent {event!r} yet.",
            hint="Send one, or name another heartbeat_event in the fleet's settings.",
        )
    return answer


def _overview(caller: Caller, given: dict[str, Any]) -> Mapping[str, Any]:
    """Return the overview with what is asked of this moment."""
    answer = asked(caller, "overview", given)
    kept = {"environments", "established", "exclude_clones", "properties"}
    now = {name: value for name, value in given.items() if name in kept}
    moments = {name: asked(caller, name, now)["results"] for name in ("active", "today")}
    return {**answer, "results": {**answer["results"], **moments}}


def _table(name: str, answer: Mapping[str, Any]) -> Any:
    """Return a figure's main table as a file."""
    columns, rows = main_table(name, answer["results"])
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows(rows)
    return Download(
        iter([out.getvalue().encode()]), "text/csv; charset=utf-8", f"{name}.csv"
    )


def _given(params: FigureParams) -> dict[str, Any]:
    """Return what was asked for, as a query says it. Raises InvalidInput."""
    found = {
        name: value
        for name in params.__struct_fields__
        if (value := getattr(params, name)) is not None
    }
    if "properties" in found:
        try:
            found["properties"] = msgspec.json.decode(found["properties"])
        except msgspec.DecodeError as error:
            raise InvalidInput(
                f"properties is no JSON: {error}.",
                hint='Write [{"key": "platform", "value": "Linux"}].',
                attr="properties",
            ) from error
    return found
