"""Dashboards: a list, and a page of tiles.

The page is a shell that asks no question; each tile fetches itself, so a slow or failing
one holds no other. Range and filters are in the address and hold for every tile.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.responses import Response

from hedgerow.errors import HedgerowError
from hedgerow.meta import audit, boards, installing
from hedgerow.meta.tables import Dashboard, Insight, Tile
from hedgerow.meta.templates import TEMPLATES
from hedgerow.web import drawing, files, prose, ranges
from hedgerow.web.ranges import Range
from hedgerow.web.visits import Visit


def listing(visit: Visit) -> Response:
    """GET …/dashboards"""
    search, tag = visit.text("search"), visit.text("tag")
    with visit.services.metadata.reading() as session:
        every, _ = boards.dashboards(session, visit.here.id, limit=500)
        found, _ = boards.dashboards(session, visit.here.id, search=search, limit=500)
        tagged = [row for row in every if search and holds_tag(row, search)]
        wanted = {row.id for row in (*found, *tagged) if not tag or tag in row.tags}
        rows = [row for row in every if row.id in wanted]
        sizes = {row.id: len(boards.tiles(session, row.id)) for row in rows}
    return visit.render(
        "dashboards.html",
        here="dashboards",
        rows=rows,
        sizes=sizes,
        search=search,
        tag=tag,
        tags=sorted({one for row in every for one in row.tags}, key=str.casefold),
        templates=list(TEMPLATES.values()),
    )


def holds_tag(row: Dashboard, search: str) -> bool:
    """Return whether one of a dashboard's tags has this text in it."""
    return any(search.casefold() in str(one).casefold() for one in row.tags)


def create(visit: Visit) -> Response:
    """POST …/dashboards — an empty dashboard, or one from a template."""
    key = visit.text("template")
    with visit.services.metadata.writing() as session:
        if key:
            made = installing.install(
                session,
                visit.here.id,
                installing.template(key),
                now=visit.now,
                created_by=visit.who.id,
            )
        else:
            made = boards.create_dashboard(
                session,
                visit.here.id,
                visit.text("name") or "New dashboard",
                now=visit.now,
                created_by=visit.who.id,
            )
        note(visit, session, "created", made)
    visit.services.directory.refresh()
    return visit.go(visit.path(f"dashboards/{made.id}"))


def note(visit: Visit, session: Any, action: str, row: Dashboard) -> None:
    """Keep in the audit log what somebody did to a dashboard."""
    by = audit.actor(visit.who, visit.now)
    subject = ("dashboard", row.id)
    audit.note(
        session, by, action, subject, project_id=visit.here.id, after={"name": row.name}
    )


def page(visit: Visit) -> Response:
    """GET …/dashboards/{dashboard_id} — the shell; no question is asked."""
    number = int(visit.request.path_params["dashboard_id"])
    if visit.text("f_key"):  # a filter added without a script
        return visit.go(address(visit, added=added_filter(visit)))
    with visit.services.metadata.writing() as session:
        row = boards.dashboard(session, visit.here.id, number)
        row.last_opened_at = visit.now
        tiles = boards.tiles(session, row.id)
    chosen, where = screen_range(visit, row), screen_filters(visit, row)
    places = {tile.id: tile_address(visit, row.id, tile.id) for tile, _ in tiles}
    return visit.render(
        "dashboard.html",
        here="dashboards",
        dashboard=row,
        tiles=tiles,
        places=places,
        inline=_inline(visit, row, tiles) if visit.text("as") == "tables" else {},
        prose=prose.html,
        editing=visit.text("edit") == "1" and visit.may("editor"),
        **bar(visit, chosen, where, none="Each tile's own range"),
    )


def bar(
    visit: Visit, chosen: Range, where: list[dict[str, Any]], *, none: str
) -> dict[str, Any]:
    """Return what the bar of range and filters shows, each choice as an address."""
    today = visit.local_now
    return {
        "range": chosen,
        "range_label": ranges.label(chosen, none),
        "range_dates": ranges.dates(chosen, today),
        "range_choices": [
            (name, address(visit, chosen=Range(date_from=start, date_to=end)))
            for start, end, name in ranges.CHOICES
        ],
        "range_none": (none, address(visit, chosen=Range())),
        "earlier": _moved(visit, chosen, -1),
        "later": _moved(visit, chosen, 1),
        "where": [
            (ranges.said(one), address(visit, added=[w for w in where if w is not one]))
            for one in where
        ],
        "operators": ranges.OPERATORS,
    }


def _moved(visit: Visit, chosen: Range, steps: int) -> str:
    moved = ranges.shifted(chosen, visit.local_now, steps)
    return "" if moved is None else address(visit, chosen=moved)


def address(
    visit: Visit,
    *,
    chosen: Range | None = None,
    added: list[dict[str, Any]] | None = None,
) -> str:
    """Return the address of this screen with another range or other filters."""
    asked = visit.request.query_params
    now = {
        "from": asked.get("from", "") if chosen is None else chosen.date_from,
        "to": asked.get("to", "") if chosen is None else chosen.date_to,
        "where": asked.get("where", "")
        if added is None
        else (msgspec.json.encode(added).decode() if added else ""),
    }
    query = urlencode({name: value for name, value in now.items() if value})
    return visit.request.url.path + (f"?{query}" if query else "")


def screen_range(visit: Visit, row: Dashboard) -> Range:
    """Return the range of the address, else that saved with the dashboard."""
    saved = row.filters or {}
    return Range(
        date_from=visit.text("from") or str(saved.get("date_from") or ""),
        date_to=visit.text("to")
        or ("" if visit.text("from") else str(saved.get("date_to") or "")),
    )


def screen_filters(visit: Visit, row: Dashboard) -> list[dict[str, Any]]:
    """Return the filters of the address, else those saved with the dashboard."""
    text = visit.text("where")
    saved = (row.filters or {}).get("properties") or []
    return ranges.filters(text) if text else list(saved)


def added_filter(visit: Visit) -> list[dict[str, Any]]:
    """Return the filters of the address and the one of the form."""
    made = ranges.made(
        visit.text("f_key"),
        visit.text("f_scope", "event"),
        visit.text("f_operator", "exact"),
        visit.text("f_value"),
    )
    return [*ranges.filters(visit.text("where")), made]


def tile_address(visit: Visit, dashboard_id: int, tile_id: int) -> str:
    """Return where a tile fetches itself, with the range and filters of this screen."""
    asked = {
        k: v for k, v in visit.request.query_params.items() if k in {"from", "to", "where"}
    }
    query = f"?{urlencode(asked)}" if asked else ""
    return visit.path(f"dashboards/{dashboard_id}/tiles/{tile_id}{query}")


def tile(visit: Visit) -> Response:
    """GET …/dashboards/{dashboard_id}/tiles/{tile_id} — one figure, or why it is missing."""
    number = int(visit.request.path_params["dashboard_id"])
    tile_id = int(visit.request.path_params["tile_id"])
    with visit.services.metadata.reading() as session:
        row = boards.dashboard(session, visit.here.id, number)
        found = boards.tile(session, row.id, tile_id)
        insight = boards.insight(session, visit.here.id, found.insight_id or 0)
    place = tile_address(visit, row.id, tile_id)
    shown = figure(visit, row, found, insight, place=place, linked=True)
    if files.wanted(visit.text("as")) and shown["drawing"] is not None:
        return files.reply(insight.name, shown["chart"].table, visit.text("as"))
    return visit.render("_tile.html", **shown)


def figure(
    visit: Visit, row: Dashboard, found: Tile, insight: Insight, *, place: str, linked: bool
) -> Mapping[str, Any]:
    """Ask a tile's question, under the screen's range and filters, and return its state."""
    shown: dict[str, Any] = {
        "tile": found,
        "insight": insight,
        "place": place,
        "linked": linked,
        "chart": None,
        "error": None,
        "query": None,
        "age": "",
        "stale": False,
        "drawing": None,
    }
    query = ranges.applied(
        insight.query, screen_range(visit, row), screen_filters(visit, row)
    )
    refresh = visit.text("refresh") or "blocking"
    try:
        drawn = drawing.draw(visit, query, refresh=refresh)
    except HedgerowError as error:
        return {**shown, "error": error}
    return {
        **shown,
        "drawing": drawn,
        "chart": drawn.chart,
        "query": drawn.query,
        "age": drawn.age if drawn.stale or visit.text("refresh") else "",
        "stale": drawn.stale,
    }


def _inline(
    visit: Visit, row: Dashboard, tiles: list[tuple[Tile, Insight | None]]
) -> dict[int, Mapping[str, Any]]:
    """All figures at once, for a browser without scripts."""
    return {
        found.id: figure(
            visit,
            row,
            found,
            insight,
            place=tile_address(visit, row.id, found.id),
            linked=True,
        )
        for found, insight in tiles
        if insight is not None
    }
