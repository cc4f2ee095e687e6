"""A dashboard shown to whoever has its link: read-only, revocable, with an end or a password.

The link's token is kept as a hash, so it is shown once. What a visitor sees asks the same
questions as the dashboard itself; nothing leads further in.
"""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

from starlette.responses import Response

from hedgerow.errors import HedgerowError, NotFound
from hedgerow.meta import audit, boards, credentials, shares
from hedgerow.meta.tables import Dashboard, DashboardShare
from hedgerow.web import files, prose
from hedgerow.web.dashboards import bar, figure, screen_filters, screen_range
from hedgerow.web.visits import Visit, set_cookie

UNLOCKED = "hedgerow_shared"


def listing(visit: Visit) -> Response:
    """GET …/dashboards/{dashboard_id}/shares — the links, in a dialog."""
    return _listing(visit, made="")


def _listing(visit: Visit, *, made: str) -> Response:
    with visit.services.metadata.reading() as session:
        row = boards.dashboard(session, visit.here.id, _number(visit))
        found = shares.shares(session, row.id)
    return visit.render("_shares.html", dashboard=row, shares=found, made=made)


def _number(visit: Visit) -> int:
    return int(visit.request.path_params["dashboard_id"])


def make(visit: Visit) -> Response:
    """POST …/shares — a new link, told once."""
    days = visit.text("days")
    ends = visit.now + timedelta(days=int(days)) if days.isdecimal() and int(days) else None
    with visit.services.metadata.writing() as session:
        row = boards.dashboard(session, visit.here.id, _number(visit))
        token = shares.share(
            session,
            row,
            now=visit.now,
            password=str(visit.form.get("password") or "") or None,
            expires_at=ends,
            created_by=visit.who.id,
        )
        by = audit.actor(visit.who, visit.now)
        audit.note(session, by, "shared", ("dashboard", row.id), project_id=visit.here.id)
    return _listing(visit, made=f"{visit.public_url}/shared/{token}")


def revoke(visit: Visit) -> Response:
    """POST …/shares/{share_id}/revoke — from now on the link shows nothing."""
    with visit.services.metadata.writing() as session:
        row = boards.dashboard(session, visit.here.id, _number(visit))
        shares.unshare(session, row.id, int(visit.request.path_params["share_id"]))
        by = audit.actor(visit.who, visit.now)
        audit.note(session, by, "unshared", ("dashboard", row.id), project_id=visit.here.id)
    return _listing(visit, made="")


def _arrive(visit: Visit) -> tuple[Visit, DashboardShare, Dashboard]:
    token = str(visit.request.path_params["token"])
    with visit.services.metadata.reading() as session:
        link, row = shares.shared(session, token, visit.now)
    project = visit.services.directory.project_of_id(row.project_id)
    if project is None:
        raise NotFound("This link shows nothing any more.", hint="Ask for a new one.")
    return replace(visit, project=project, role=None), link, row


def _key(link: DashboardShare) -> str:
    return credentials.digest(f"shared {link.id} {link.password_hash}")


def _is_open(visit: Visit, link: DashboardShare) -> bool:
    return not link.password_hash or visit.request.cookies.get(UNLOCKED) == _key(link)


def page(visit: Visit) -> Response:
    """GET /shared/{token}"""
    visit, link, row = _arrive(visit)
    if not _is_open(visit, link):
        return visit.render("shared_password.html", error=None)
    with visit.services.metadata.reading() as session:
        tiles = boards.tiles(session, row.id)
    chosen, where = screen_range(visit, row), screen_filters(visit, row)
    return visit.render(
        "shared.html",
        dashboard=row,
        tiles=tiles,
        places={tile.id: _tile_address(visit, tile.id) for tile, _ in tiles},
        prose=prose.html,
        **bar(visit, chosen, where, none="Each tile's own range"),
    )


def unlock(visit: Visit) -> Response:
    """POST /shared/{token} — the password of the link."""
    visit, link, _ = _arrive(visit)
    try:
        shares.unlock(link, str(visit.form.get("password") or ""))
    except HedgerowError as error:
        return visit.render("shared_password.html", status=401, error=error)
    reply = visit.go(visit.request.url.path)
    set_cookie(visit, reply, UNLOCKED, _key(link))
    return reply


def _tile_address(visit: Visit, tile_id: int) -> str:
    asked = {k: v for k, v in visit.request.query_params.items() if k in {"from", "to"}}
    base = f"/shared/{visit.request.path_params['token']}/tiles/{tile_id}"
    return f"{base}?{urlencode(asked)}" if asked else base


def tile(visit: Visit) -> Response:
    """GET /shared/{token}/tiles/{tile_id} — one figure, without a way further in."""
    visit, link, row = _arrive(visit)
    if not _is_open(visit, link):
        raise NotFound("This link wants its password.", hint="Reload the page.")
    tile_id = int(visit.request.path_params["tile_id"])
    with visit.services.metadata.reading() as session:
        found = boards.tile(session, row.id, tile_id)
        insight = boards.insight(session, row.project_id, found.insight_id or 0)
    place = _tile_address(visit, tile_id)
    shown = {**figure(visit, row, found, insight, place=place, linked=False), "query": None}
    if files.wanted(visit.text("as")) and shown["drawing"] is not None:
        return files.reply(insight.name, shown["chart"].table, visit.text("as"))
    return visit.render("_tile.html", **shown)
