"""Dashboards and their tiles, by hand or from a template."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy.orm import Session

from hedgerow.api.callers import Caller
from hedgerow.api.endpoints import Listing, Search, listing
from hedgerow.api.insights import InsightAnswer, insight_answer
from hedgerow.errors import InvalidInput
from hedgerow.meta import audit, boards, installing
from hedgerow.meta.tables import Dashboard, Tile
from hedgerow.query.definitions_filters import PropertyFilter


class DashboardFilters(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What holds for every tile; what is left out, each tile decides."""

    date_from: str | None = None
    date_to: str | None = None
    properties: list[dict[str, Any]] = msgspec.field(default_factory=list)


class Layout(msgspec.Struct, forbid_unknown_fields=True):
    """A place on the grid of twelve columns, in whole cells."""

    x: int
    y: int
    w: int
    h: int


class Layouts(msgspec.Struct, forbid_unknown_fields=True):
    """Places by width of the screen; on narrow ones tiles stand below one another."""

    sm: Layout


class TileFields(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A tile to be changed, by its ``id``."""

    id: int
    layouts: Layouts | UnsetType = UNSET
    color: str | UnsetType | None = UNSET
    text: str | UnsetType = UNSET
    """New words of a text tile."""

    deleted: bool = False
    """True takes it off the dashboard."""


class NewTile(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A tile to be put on a dashboard: an insight, by its number, or a text."""

    insight: int | None = None
    text: str | None = None
    layouts: Layouts | None = None
    color: str | None = None


class DashboardFields(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What may be said about a dashboard: in a change, what is given."""

    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    pinned: bool | UnsetType = UNSET
    tags: list[str] | UnsetType = UNSET
    filters: DashboardFilters | UnsetType = UNSET
    tiles: list[TileFields] | UnsetType = UNSET
    deleted: bool | UnsetType = UNSET


class FromTemplate(msgspec.Struct, forbid_unknown_fields=True):
    """Which template to use."""

    template: str
    """``installation-health`` or ``user-engagement``."""


class TileAnswer(msgspec.Struct, kw_only=True):
    """A tile as it is shown: either ``insight`` or ``text`` is there."""

    id: int
    insight: InsightAnswer | None
    text: str | None
    layouts: dict[str, dict[str, int]]
    color: str | None


class DashboardAnswer(msgspec.Struct, kw_only=True):
    """A dashboard as it is shown; in lists without its tiles."""

    id: int
    name: str
    description: str
    pinned: bool
    tags: list[str]
    filters: dict[str, Any]
    template: str | None
    created_by: int | None
    created_at: datetime
    updated_at: datetime
    deleted: bool
    tiles: list[TileAnswer] | None = None


def list_dashboards(caller: Caller, _body: None, page: Search) -> Listing:
    """List dashboards, pinned ones first."""
    with caller.parts.metadata.reading() as session:
        rows, total = boards.dashboards(
            session,
            caller.project.id,
            search=page.search,
            limit=page.limit,
            offset=page.offset,
        )
    return listing(caller.url, page, [_shown(row) for row in rows], total=total)


def create_dashboard(
    caller: Caller, body: DashboardFields, _params: None
) -> DashboardAnswer:
    """Make an empty dashboard."""
    if body.tiles is not UNSET:
        raise InvalidInput(
            "A new dashboard has no tiles yet.",
            hint="Make it first, then POST …/dashboards/<id>/tiles.",
            attr="tiles",
        )
    fields = _given(body)
    with caller.parts.metadata.writing() as session:
        row = boards.create_dashboard(
            session,
            caller.project.id,
            fields.pop("name", ""),
            now=caller.now,
            created_by=caller.user.id,
        )
        boards.change(row, fields, caller.now)
        _note(session, caller, "created", row, after=_plain(row))
        return _whole(session, row)


def from_template(caller: Caller, body: FromTemplate, _params: None) -> DashboardAnswer:
    """Make a dashboard from a template, with the insights and cohorts that belong to it."""
    wanted = installing.template(body.template)
    with caller.parts.metadata.writing() as session:
        row = installing.install(
            session,
            caller.project.id,
            wanted,
            now=caller.now,
            created_by=caller.user.id,
        )
        _note(session, caller, "created", row, after=_plain(row))
        shown = _whole(session, row)
    caller.parts.directory.refresh()
    return shown


def read_dashboard(
    caller: Caller, _body: None, _params: None, *, dashboard_id: int
) -> DashboardAnswer:
    """Show a dashboard with its tiles."""
    with caller.parts.metadata.reading() as session:
        return _whole(session, boards.dashboard(session, caller.project.id, dashboard_id))


def change_dashboard(
    caller: Caller, body: DashboardFields, _params: None, *, dashboard_id: int
) -> DashboardAnswer:
    """Change what is given and leave the rest; of ``tiles`` only those that are named."""
    fields = _given(body)
    changed_tiles = fields.pop("tiles", [])
    with caller.parts.metadata.writing() as session:
        row = boards.dashboard(
            session,
            caller.project.id,
            dashboard_id,
            deleted=fields.get("deleted") is False,
        )
        before = _plain(row)
        boards.change(row, fields, caller.now)
        for wanted in changed_tiles:
            _change_tile(session, row.id, wanted)
        session.flush()
        _note(session, caller, "changed", row, before=before, after=_plain(row))
        return _whole(session, row)


def delete_dashboard(
    caller: Caller, _body: None, _params: None, *, dashboard_id: int
) -> None:
    """Hide a dashboard; ``PATCH {"deleted": false}`` brings it back. Insights stay."""
    with caller.parts.metadata.writing() as session:
        row = boards.dashboard(session, caller.project.id, dashboard_id)
        boards.change(row, {"deleted": True}, caller.now)
        _note(session, caller, "deleted", row, before={"name": row.name})


def add_tile(
    caller: Caller, body: NewTile, _params: None, *, dashboard_id: int
) -> TileAnswer:
    """Put an insight or a text on a dashboard, where it says or in the next free place."""
    with caller.parts.metadata.writing() as session:
        row = boards.dashboard(session, caller.project.id, dashboard_id)
        if body.insight is not None:
            boards.insight(session, caller.project.id, body.insight)
        tile = boards.add_tile(
            session,
            row.id,
            insight_id=body.insight,
            text=body.text,
            layout=None
            if body.layouts is None
            else msgspec.structs.asdict(body.layouts.sm),
            color=body.color,
        )
        return next(one for one in _tiles(session, row.id) if one.id == tile.id)


def remove_tile(
    caller: Caller, _body: None, _params: None, *, dashboard_id: int, tile_id: int
) -> None:
    """Take a tile off a dashboard; its insight stays saved."""
    with caller.parts.metadata.writing() as session:
        row = boards.dashboard(session, caller.project.id, dashboard_id)
        boards.remove_tile(session, row.id, tile_id)


def _change_tile(session: Session, dashboard_id: int, wanted: TileFields) -> None:
    if wanted.deleted:
        boards.remove_tile(session, dashboard_id, wanted.id)
        return
    tile: Tile = boards.tile(session, dashboard_id, wanted.id)
    if wanted.layouts is not UNSET:
        tile.layout = boards.checked_layout(msgspec.structs.asdict(wanted.layouts.sm))
    if wanted.color is not UNSET:
        tile.color = wanted.color
    if wanted.text is not UNSET:
        if tile.insight_id is not None:
            raise InvalidInput(
                f"Tile {tile.id} shows an insight.",
                hint="Only text tiles have a text.",
                attr="tiles",
            )
        tile.text = wanted.text


def _given(body: DashboardFields) -> dict[str, Any]:
    values = {name: getattr(body, name) for name in body.__struct_fields__}
    fields = {name: value for name, value in values.items() if value is not UNSET}
    if "filters" in fields:
        fields["filters"] = _checked_filters(fields["filters"])
    return fields


def _checked_filters(filters: DashboardFilters) -> dict[str, Any]:
    try:
        msgspec.convert(filters.properties, list[PropertyFilter])
    except msgspec.ValidationError as error:
        raise InvalidInput(
            f"A filter of the dashboard cannot be read: {error}.",
            hint="Write it as in a query.",
            attr="filters.properties",
        ) from error
    plain: dict[str, Any] = msgspec.to_builtins(filters)
    return {name: value for name, value in plain.items() if value}


def _tiles(session: Session, dashboard_id: int) -> list[TileAnswer]:
    return [
        TileAnswer(
            id=tile.id,
            insight=None if shown is None else insight_answer(session, shown),
            text=tile.text,
            layouts={"sm": tile.layout},
            color=tile.color,
        )
        for tile, shown in boards.tiles(session, dashboard_id)
    ]


def _whole(session: Session, row: Dashboard) -> DashboardAnswer:
    shown = _shown(row)
    shown.tiles = _tiles(session, row.id)
    return shown


def _shown(row: Dashboard) -> DashboardAnswer:
    names = [name for name in DashboardAnswer.__struct_fields__ if name != "tiles"]
    return DashboardAnswer(**{name: getattr(row, name) for name in names})


def _plain(row: Dashboard) -> dict[str, Any]:
    names = ("name", "description", "pinned", "tags", "filters", "deleted")
    return {name: getattr(row, name) for name in names}


def _note(
    session: Session,
    caller: Caller,
    action: str,
    row: Dashboard,
    **values: Mapping[str, Any],
) -> None:
    audit.note(
        session,
        caller.actor,
        action,
        ("dashboard", row.id),
        project_id=row.project_id,
        **{name: dict(value) for name, value in values.items()},
    )
