"""``FleetQuery`` and its actors as they are written (``fleet`` §2)."""

from typing import Any

import msgspec

from hedgerow.query.definitions_nodes import Question


class FleetQuery(Question, frozen=True, kw_only=True, tag_field="kind", tag="FleetQuery"):
    """One figure about the installations."""

    figure: str
    params: dict[str, Any] | None = None


class FleetActorsQuery(
    Question, frozen=True, kw_only=True, tag_field="kind", tag="FleetActorsQuery"
):
    """The installations behind one row of a figure."""

    source: FleetQuery
    row: dict[str, Any] = msgspec.field(default_factory=dict)
    """The identifying keys of the row, such as ``{"version": "2.9.0"}``."""
