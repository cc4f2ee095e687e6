"""A dashboard as a PDF: every tile as it stands on the screen at this moment.

Range and filters are those of the address, so what was looked at is what is printed. A
figure that cannot be had says on the paper why, in its own place, like on the screen.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import msgspec
from starlette.responses import Response

from hedgerow.meta import boards
from hedgerow.meta.tables import Dashboard
from hedgerow.web import ranges, rendering
from hedgerow.web.charts.spec import Chart
from hedgerow.web.dashboards import figure, screen_filters, screen_range
from hedgerow.web.ranges import Range
from hedgerow.web.visits import Visit

DOCUMENT = "hedgerow.web.document"
"""Loaded when the first PDF is asked for: few are, and a start need not wait for it."""


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """One tile on paper: a figure, a text, or why there is no figure."""

    title: str = ""
    notes: list[str] = []
    """Lines under the title: what it says, of which time."""

    chart: Chart | None = None
    text: str = ""


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A dashboard on paper."""

    title: str
    notes: list[str]
    blocks: list[Block]


def pdf(visit: Visit) -> Response:
    """GET …/dashboards/{dashboard_id}/pdf"""
    number = int(visit.request.path_params["dashboard_id"])
    with visit.services.metadata.reading() as session:
        row = boards.dashboard(session, visit.here.id, number)
        tiles = boards.tiles(session, row.id)
    blocks = []
    for tile, insight in tiles:
        if insight is None:
            blocks.append(Block(text=tile.text or ""))
        else:
            shown = figure(visit, row, tile, insight, place="", linked=False)
            blocks.append(_block(visit, shown))
    body: bytes = import_module(DOCUMENT).document(
        Sheet(title=row.name or "Untitled", notes=_notes(visit, row), blocks=blocks),
        sorted(rendering.DIST.glob("inter-*.woff2")),
    )
    return Response(
        body,
        media_type="application/pdf",
        headers={
            **rendering.HEADERS,
            "Content-Disposition": f'attachment; filename="dashboard-{row.id}.pdf"',
        },
    )


def _notes(visit: Visit, row: Dashboard) -> list[str]:
    """Return what holds for every figure: range, filters, the moment, the zone."""
    chosen = screen_range(visit, row)
    where = [" ".join(ranges.said(one)).strip() for one in screen_filters(visit, row)]
    notes = [row.description, _when(visit, chosen, "Each figure with its own range")]
    if where:
        notes.append(f"Only where {', and '.join(where)}")
    at = visit.local_now
    notes.append(f"As of {at.day} {at:%b %Y, %H:%M}, times in {visit.here.timezone}")
    return [note for note in notes if note]


def _when(visit: Visit, chosen: Range, none: str) -> str:
    days = ranges.dates(chosen, visit.local_now)
    return ranges.label(chosen, none) + (f", {days}" if days else "")


def _block(visit: Visit, shown: Mapping[str, Any]) -> Block:
    insight, error, chart = shown["insight"], shown["error"], shown["chart"]
    title = insight.name or "Untitled"
    if error is not None:
        return Block(title=title, text=f"{error.what} {error.hint}")
    asked = shown["query"].get("dateRange") or {}
    of = Range(
        date_from=str(asked.get("date_from") or ""), date_to=str(asked.get("date_to") or "")
    )
    notes = [insight.description, _when(visit, of, ""), chart.summary]
    return Block(title=title, notes=[note for note in notes if note], chart=chart)
