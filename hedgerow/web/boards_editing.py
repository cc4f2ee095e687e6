"""Changing a dashboard: its name, its tiles, their order and size; copies, files, undo.

Everything that can be dragged can also be done with a button. Deleting is undone from the
message that tells of it.
"""

from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.datastructures import UploadFile
from starlette.responses import Response

from hedgerow.errors import InvalidInput
from hedgerow.meta import boards
from hedgerow.meta.tables import Dashboard
from hedgerow.web import rendering
from hedgerow.web.arranging import Sized, acted, flowed
from hedgerow.web.dashboards import note
from hedgerow.web.ranges import filters as read_filters
from hedgerow.web.visits import Visit

FILE_LIMIT = 2_000_000
"""Bytes of a dashboard's file."""


class TileFile(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A tile in a dashboard's file: a question with its name, or a text."""

    layout: dict[str, int]
    text: str | None = None
    name: str = ""
    description: str = ""
    query: dict[str, Any] | None = None


class BoardFile(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A dashboard as a file, to be kept or taken elsewhere."""

    hedgerow_dashboard: int
    """Version of this form: 1."""

    name: str
    description: str = ""
    tags: list[str] = msgspec.field(default_factory=list)
    filters: dict[str, Any] = msgspec.field(default_factory=dict)
    tiles: list[TileFile] = msgspec.field(default_factory=list)


def _number(visit: Visit, name: str = "dashboard_id") -> int:
    return int(visit.request.path_params[name])


def change(visit: Visit) -> Response:
    """POST …/dashboards/{dashboard_id} — name, description, pin, tags, saved range."""
    form = visit.form
    fields: dict[str, Any] = {
        name: visit.text(name) for name in ("name", "description") if name in form
    }
    if "tags" in form:
        fields["tags"] = [
            tag.strip() for tag in visit.text("tags").split(",") if tag.strip()
        ]
    if "pinned" in form:
        fields["pinned"] = visit.text("pinned") == "1"
    if "save_range" in form:
        fields["filters"] = {
            **({"date_from": visit.text("from")} if visit.text("from") else {}),
            **({"date_to": visit.text("to")} if visit.text("to") else {}),
            **(
                {"properties": read_filters(visit.text("where"))}
                if visit.text("where")
                else {}
            ),
        }
    with visit.services.metadata.writing() as session:
        row = boards.dashboard(session, visit.here.id, _number(visit))
        boards.change(row, fields, visit.now)
        note(visit, session, "changed", row)
    return visit.go(visit.path(f"dashboards/{row.id}"), notice="Saved")


def _sized(session: Any, dashboard_id: int) -> list[Sized]:
    return [
        (tile.id, int(tile.layout.get("w", 6)), int(tile.layout.get("h", 5)))
        for tile, _ in boards.tiles(session, dashboard_id)
    ]


def arrange(visit: Visit) -> Response:
    """POST …/layout — the order and sizes after a drag: ``[[tile, width, height], …]``."""
    try:
        wanted = msgspec.json.decode(visit.text("tiles"), type=list[tuple[int, int, int]])
    except msgspec.DecodeError as error:
        raise InvalidInput(
            "The order of the tiles cannot be read.", hint="Reload the page.", attr="tiles"
        ) from error
    with visit.services.metadata.writing() as session:
        row = boards.dashboard(session, visit.here.id, _number(visit))
        boards.lay_out(session, row.id, flowed(wanted))
        note(visit, session, "arranged", row)
    return Response(status_code=204)


def tile_act(visit: Visit) -> Response:
    """POST …/tiles/{tile_id}/act — what a drag does, by a button."""
    with visit.services.metadata.writing() as session:
        row = boards.dashboard(session, visit.here.id, _number(visit))
        moved = acted(_sized(session, row.id), _number(visit, "tile_id"), visit.text("act"))
        boards.lay_out(session, row.id, flowed(moved))
    return visit.go(visit.path(f"dashboards/{row.id}?edit=1"))


def add_text(visit: Visit) -> Response:
    """POST …/tiles — a text, or an insight that was taken off a moment ago."""
    with visit.services.metadata.writing() as session:
        row = boards.dashboard(session, visit.here.id, _number(visit))
        insight = visit.text("insight")
        boards.add_tile(
            session,
            row.id,
            insight_id=int(insight) if insight.isdecimal() else None,
            text=None if insight.isdecimal() else visit.text("text") or "Text",
        )
        note(visit, session, "changed", row)
    return visit.go(visit.path(f"dashboards/{row.id}"))


def change_text(visit: Visit) -> Response:
    """POST …/tiles/{tile_id}/text"""
    with visit.services.metadata.writing() as session:
        row = boards.dashboard(session, visit.here.id, _number(visit))
        tile = boards.tile(session, row.id, _number(visit, "tile_id"))
        if tile.text is not None:
            tile.text = visit.text("text") or "Text"
    return visit.go(visit.path(f"dashboards/{row.id}"))


def remove_tile(visit: Visit) -> Response:
    """POST …/tiles/{tile_id}/remove — its insight stays saved; undo puts it back."""
    with visit.services.metadata.writing() as session:
        row = boards.dashboard(session, visit.here.id, _number(visit))
        tile = boards.tile(session, row.id, _number(visit, "tile_id"))
        back = (
            {"insight": tile.insight_id} if tile.insight_id else {"text": tile.text or ""}
        )
        boards.remove_tile(session, row.id, tile.id)
        note(visit, session, "changed", row)
    undo = visit.path(f"dashboards/{row.id}/tiles?{urlencode(back)}")
    return visit.go(visit.path(f"dashboards/{row.id}"), notice=f"Tile taken off|{undo}")


def duplicate(visit: Visit) -> Response:
    """POST …/duplicate"""
    with visit.services.metadata.writing() as session:
        row = boards.dashboard(session, visit.here.id, _number(visit))
        copy = boards.duplicate(session, row, now=visit.now, created_by=visit.who.id)
        note(visit, session, "created", copy)
    return visit.go(visit.path(f"dashboards/{copy.id}"), notice="This is the copy")


def delete(visit: Visit) -> Response:
    """POST …/delete — hide it; undo gives it back."""
    row = _set_deleted(visit, deleted=True)
    undo = visit.path(f"dashboards/{row.id}/restore")
    return visit.go(visit.path("dashboards"), notice=f"{row.name} deleted|{undo}")


def restore(visit: Visit) -> Response:
    """POST …/restore"""
    row = _set_deleted(visit, deleted=False)
    return visit.go(visit.path(f"dashboards/{row.id}"), notice="It is back")


def _set_deleted(visit: Visit, *, deleted: bool) -> Dashboard:
    with visit.services.metadata.writing() as session:
        row = boards.dashboard(session, visit.here.id, _number(visit), deleted=True)
        boards.change(row, {"deleted": deleted}, visit.now)
        note(visit, session, "deleted" if deleted else "restored", row)
    return row


def export(visit: Visit) -> Response:
    """GET …/export — the dashboard as a file."""
    with visit.services.metadata.reading() as session:
        row = boards.dashboard(session, visit.here.id, _number(visit))
        tiles = boards.tiles(session, row.id)
    made = BoardFile(
        hedgerow_dashboard=1,
        name=row.name,
        description=row.description,
        tags=row.tags,
        filters=row.filters,
        tiles=[
            TileFile(layout=tile.layout, text=tile.text)
            if insight is None
            else TileFile(
                layout=tile.layout,
                name=insight.name,
                description=insight.description,
                query=insight.query,
            )
            for tile, insight in tiles
        ],
    )
    return Response(
        msgspec.json.format(msgspec.json.encode(made)),
        media_type="application/json",
        headers={
            **rendering.HEADERS,
            "Content-Disposition": f'attachment; filename="dashboard-{row.id}.json"',
        },
    )


def take_in(visit: Visit) -> Response:
    """POST …/dashboards/import — a dashboard from a file."""
    given = visit.form.get("file")
    if not isinstance(given, UploadFile):
        raise InvalidInput(
            "No file was chosen.", hint="Choose a dashboard's file.", attr="file"
        )
    body = given.file.read(FILE_LIMIT + 1)
    try:
        read = msgspec.json.decode(body, type=BoardFile)
    except msgspec.DecodeError as error:
        raise InvalidInput(
            f"{given.filename!r} is no dashboard of Hedgerow: {error}.",
            hint="Take a file that 'Download as file' made.",
            attr="file",
        ) from error
    with visit.services.metadata.writing() as session:
        made = boards.create_dashboard(
            session,
            visit.here.id,
            read.name,
            now=visit.now,
            description=read.description,
            filters=read.filters,
            created_by=visit.who.id,
        )
        made.tags = list(read.tags)
        for tile in read.tiles:
            _put(visit, session, made, tile)
        note(visit, session, "created", made)
    return visit.go(visit.path(f"dashboards/{made.id}"), notice="Taken in from the file")


def _put(visit: Visit, session: Any, board: Dashboard, tile: TileFile) -> None:
    if tile.query is None:
        boards.add_tile(session, board.id, text=tile.text or "", layout=tile.layout)
        return
    insight = boards.create_insight(
        session,
        visit.here.id,
        tile.query,
        now=visit.now,
        name=tile.name,
        description=tile.description,
        created_by=visit.who.id,
    )
    boards.add_tile(session, board.id, insight_id=insight.id, layout=tile.layout)
