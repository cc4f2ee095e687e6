"""Every screen: its method, its address, what serves it, and the least role it needs.

``routes`` is all that ``serve`` mounts. A role of None: the screen is outside of the
sign-in, and decides itself what it shows.
"""

import mimetypes
from collections.abc import Callable
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from hedgerow.meta.accounts import Role
from hedgerow.web import (
    account,
    activity,
    alerts,
    boards_editing,
    cohort_pages,
    dashboards,
    data_pages,
    experiments,
    explore,
    fleet,
    fleet_public,
    fleet_settings,
    groups,
    home,
    oidc,
    people,
    people_behind,
    people_history,
    printing,
    privacy_pages,
    rendering,
    settings_pages,
    sharing,
    signin,
    signon_page,
    subscriptions,
    suggest,
    system,
)
from hedgerow.web.services import Services
from hedgerow.web.visits import Visit, screen

ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
"""Best first; ``ops/bundle.mjs`` puts compressed copies beside the files."""

ONE_YEAR = "public, max-age=31536000, immutable"


class Screen(NamedTuple):
    """One row of the table."""

    method: str
    path: str
    does: Callable[[Visit], Response]
    needs: Role | None


P = "/p/{project_id:int}"
COHORT = f"{P}/cohorts/{{cohort_id:int}}"
ALERT = f"{P}/alerts/{{alert_id:int}}"
MAILED = f"{P}/subscriptions/{{subscription_id:int}}"
TRIAL = f"{P}/experiments/{{experiment_id:int}}"
NOTE = f"{P}/data/annotations/{{annotation_id:int}}"
PERSON = f"{P}/persons/{{person_id}}"
BOARD = f"{P}/dashboards/{{dashboard_id:int}}"
TILE = f"{BOARD}/tiles/{{tile_id:int}}"

SCREENS: tuple[Screen, ...] = (
    Screen("GET", "/", signin.front, None),
    Screen("GET", "/setup/{token}", signin.setup_page, None),
    Screen("POST", "/setup/{token}", signin.setup, None),
    Screen("GET", "/signin", signin.signin_page, None),
    Screen("POST", "/signin", signin.signin, None),
    Screen("POST", "/signout", signin.signout, None),
    Screen("GET", "/signin/oidc", oidc.begin, None),
    Screen("GET", oidc.BACK, oidc.callback, None),
    Screen("GET", "/password/{token}", signin.password_page, None),
    Screen("POST", "/password/{token}", signin.password, None),
    Screen("POST", "/theme", signin.theme, None),
    Screen("GET", f"{P}/", home.home, "viewer"),
    Screen("GET", f"{P}/vitals", home.vitals, "viewer"),
    Screen("GET", f"{P}/switch", home.switch, "viewer"),
    Screen("GET", f"{P}/more", home.more, "viewer"),
    Screen("GET", f"{P}/palette", home.palette, "viewer"),
    Screen("GET", f"{P}/start", home.start, "viewer"),
    Screen("GET", f"{P}/start/state", home.start_state, "viewer"),
    Screen("GET", f"{P}/dashboards", dashboards.listing, "viewer"),
    Screen("POST", f"{P}/dashboards", dashboards.create, "editor"),
    Screen("GET", BOARD, dashboards.page, "viewer"),
    Screen("GET", f"{BOARD}/tiles/{{tile_id:int}}", dashboards.tile, "viewer"),
    Screen("POST", f"{P}/dashboards/import", boards_editing.take_in, "editor"),
    Screen("POST", BOARD, boards_editing.change, "editor"),
    Screen("POST", f"{BOARD}/layout", boards_editing.arrange, "editor"),
    Screen("POST", f"{BOARD}/tiles", boards_editing.add_text, "editor"),
    Screen("POST", f"{TILE}/act", boards_editing.tile_act, "editor"),
    Screen("POST", f"{TILE}/text", boards_editing.change_text, "editor"),
    Screen("POST", f"{TILE}/remove", boards_editing.remove_tile, "editor"),
    Screen("POST", f"{BOARD}/duplicate", boards_editing.duplicate, "editor"),
    Screen("POST", f"{BOARD}/delete", boards_editing.delete, "editor"),
    Screen("POST", f"{BOARD}/restore", boards_editing.restore, "editor"),
    Screen("GET", f"{BOARD}/export", boards_editing.export, "viewer"),
    Screen("GET", f"{BOARD}/pdf", printing.pdf, "viewer"),
    Screen("GET", f"{BOARD}/shares", sharing.listing, "editor"),
    Screen("POST", f"{BOARD}/shares", sharing.make, "editor"),
    Screen("POST", f"{BOARD}/shares/{{share_id:int}}/revoke", sharing.revoke, "editor"),
    Screen("GET", "/shared/{token}", sharing.page, None),
    Screen("POST", "/shared/{token}", sharing.unlock, None),
    Screen("GET", "/shared/{token}/tiles/{tile_id:int}", sharing.tile, None),
    Screen("GET", f"{P}/insights", explore.listing, "viewer"),
    Screen("POST", f"{P}/insights", explore.save, "editor"),
    Screen("GET", f"{P}/insights/new", explore.new, "viewer"),
    Screen("POST", f"{P}/insights/edit", explore.edit, "viewer"),
    Screen("POST", f"{P}/insights/answer", explore.answer, "viewer"),
    Screen("GET", f"{P}/insights/{{short_id}}", explore.saved, "viewer"),
    Screen("POST", f"{P}/insights/{{short_id}}/delete", explore.remove, "editor"),
    Screen("POST", f"{P}/insights/{{insight_id:int}}/restore", explore.restore, "editor"),
    Screen("GET", f"{P}/live", activity.live, "viewer"),
    Screen("GET", f"{P}/live/stream", activity.live_stream, "viewer"),
    Screen("GET", f"{P}/events", activity.explorer, "viewer"),
    Screen("GET", f"{P}/persons", people.persons, "viewer"),
    Screen("GET", f"{PERSON}", people.person, "viewer"),
    Screen("GET", f"{PERSON}/cohorts", people.person_cohorts, "viewer"),
    Screen("GET", f"{PERSON}/history", people_history.page, "viewer"),
    Screen("POST", f"{PERSON}", people.change, "editor"),
    Screen("POST", f"{PERSON}/merge", people.merge, "editor"),
    Screen("POST", f"{PERSON}/split", people.split, "editor"),
    Screen("POST", f"{PERSON}/delete", people.delete, "editor"),
    Screen("GET", f"{P}/fleet", fleet.page, "viewer"),
    Screen("GET", f"{P}/fleet/now", fleet.figures, "viewer"),
    Screen("GET", f"{P}/fleet/cards/{{name}}", fleet.card, "viewer"),
    Screen("GET", f"{P}/fleet/cards/{{name}}/csv", fleet.export, "viewer"),
    Screen("GET", f"{P}/fleet/installations", fleet.installations, "viewer"),
    Screen("GET", f"{P}/groups", groups.listing, "viewer"),
    Screen("GET", f"{P}/groups/{{type}}/{{key:path}}", groups.group, "viewer"),
    Screen("GET", f"{P}/cohorts", cohort_pages.listing, "viewer"),
    Screen("POST", f"{P}/cohorts", cohort_pages.save, "editor"),
    Screen("GET", f"{P}/cohorts/new", cohort_pages.new, "viewer"),
    Screen("POST", f"{P}/cohorts/edit", cohort_pages.edit, "viewer"),
    Screen("POST", f"{P}/cohorts/size", cohort_pages.size, "viewer"),
    Screen("POST", f"{P}/cohorts/upload", cohort_pages.upload, "editor"),
    Screen("GET", COHORT, cohort_pages.page, "viewer"),
    Screen("POST", f"{COHORT}/delete", cohort_pages.delete, "editor"),
    Screen("POST", f"{COHORT}/restore", cohort_pages.restore, "editor"),
    Screen("GET", f"{P}/alerts", alerts.listing, "viewer"),
    Screen("POST", f"{P}/alerts", alerts.create, "editor"),
    Screen("GET", f"{P}/alerts/new", alerts.new, "editor"),
    Screen("POST", f"{P}/alerts/fleet", alerts.set_up_fleet, "editor"),
    Screen("GET", ALERT, alerts.page, "viewer"),
    Screen("POST", ALERT, alerts.change, "editor"),
    Screen("POST", f"{ALERT}/act", alerts.act, "editor"),
    Screen("GET", f"{P}/subscriptions", subscriptions.listing, "viewer"),
    Screen("POST", f"{P}/subscriptions", subscriptions.create, "editor"),
    Screen("GET", f"{P}/subscriptions/new", subscriptions.new, "editor"),
    Screen("GET", MAILED, subscriptions.page, "viewer"),
    Screen("POST", MAILED, subscriptions.change, "editor"),
    Screen("POST", f"{MAILED}/act", subscriptions.act, "editor"),
    Screen("POST", f"{MAILED}/leave", subscriptions.leave, "viewer"),
    Screen("GET", f"{P}/experiments", experiments.listing, "viewer"),
    Screen("POST", f"{P}/experiments", experiments.create, "editor"),
    Screen("GET", f"{P}/experiments/new", experiments.new, "viewer"),
    Screen("GET", TRIAL, experiments.page, "viewer"),
    Screen("POST", f"{TRIAL}/delete", experiments.delete, "editor"),
    Screen("POST", f"{TRIAL}/restore", experiments.restore, "editor"),
    Screen("GET", f"{P}/data", data_pages.events, "viewer"),
    Screen("POST", f"{P}/data/events", data_pages.describe_event, "editor"),
    Screen("GET", f"{P}/data/properties", data_pages.properties, "viewer"),
    Screen("POST", f"{P}/data/properties", data_pages.describe_property, "editor"),
    Screen("GET", f"{P}/data/annotations", data_pages.annotations, "viewer"),
    Screen("POST", f"{P}/data/annotations", data_pages.annotate, "editor"),
    Screen("POST", f"{NOTE}/delete", data_pages.remove_annotation, "editor"),
    Screen("GET", f"{P}/settings", settings_pages.project, "viewer"),
    Screen("POST", f"{P}/settings", settings_pages.change, "admin"),
    Screen("POST", f"{P}/settings/token", settings_pages.rotate, "admin"),
    Screen("POST", f"{P}/settings/delete", settings_pages.delete, "owner"),
    Screen("GET", f"{P}/settings/members", settings_pages.members, "viewer"),
    Screen("POST", f"{P}/settings/members", settings_pages.invite, "admin"),
    Screen("POST", f"{P}/settings/members/{{user_id:int}}", settings_pages.member, "admin"),
    Screen("GET", f"{P}/settings/keys", settings_pages.keys, "viewer"),
    Screen("POST", f"{P}/settings/keys", settings_pages.make_key, "viewer"),
    Screen(
        "POST",
        f"{P}/settings/keys/{{key_id:int}}/revoke",
        settings_pages.revoke_key,
        "viewer",
    ),
    Screen("GET", f"{P}/settings/ingestion", settings_pages.ingestion, "viewer"),
    Screen("GET", f"{P}/settings/privacy", privacy_pages.page, "viewer"),
    Screen("POST", f"{P}/settings/privacy", privacy_pages.change, "admin"),
    Screen("GET", f"{P}/settings/privacy/preview", privacy_pages.preview, "viewer"),
    Screen("GET", f"{P}/settings/fleet", fleet_settings.page, "viewer"),
    Screen("POST", f"{P}/settings/fleet", fleet_settings.change, "admin"),
    Screen("GET", f"{P}/settings/signon", signon_page.page, "admin"),
    Screen("GET", f"{P}/settings/system", system.page, "admin"),
    Screen("GET", f"{P}/settings/log", settings_pages.log, "admin"),
    Screen("GET", "/account", account.page, "viewer"),
    Screen("POST", "/account", account.change, "viewer"),
    Screen("POST", "/account/sessions/{session_id:int}/close", account.close, "viewer"),
    Screen("GET", "/projects/new", account.new_project, "viewer"),
    Screen("POST", "/projects/new", account.create_project, "viewer"),
    Screen("GET", f"{P}/behind", people_behind.behind, "viewer"),
    Screen("POST", f"{P}/behind/cohort", people_behind.save_as_cohort, "editor"),
    Screen("GET", f"{P}/suggest/{{what}}", suggest.suggest, "viewer"),
)


def routes(services: Services) -> list[BaseRoute]:
    """Return every screen as a route, and the files they are made with."""
    made: list[BaseRoute] = [Route(f"{rendering.ASSETS}{{name}}", file, name="asset")]
    made += fleet_public.routes(services)
    made += [
        Route(one.path, screen(one.does, services, one.needs), methods=[one.method])
        for one in SCREENS
    ]
    return made


async def file(request: Request) -> Response:
    """GET /assets/{name} — a bundled file; its name is made of its content."""
    name = request.path_params["name"]
    path = rendering.DIST / name
    if "/" in name or name.startswith(".") or not path.is_file():
        return Response(status_code=404)
    headers = {
        "Cache-Control": ONE_YEAR,
        "X-Content-Type-Options": "nosniff",
        "Vary": "Accept-Encoding",
    }
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    accepted = request.headers.get("Accept-Encoding", "")
    for encoding, ending in ENCODINGS:
        smaller = path.with_name(name + ending)
        if encoding in accepted and smaller.is_file():
            headers["Content-Encoding"] = encoding
            return FileResponse(smaller, headers=headers, media_type=kind)
    return FileResponse(path, headers=headers, media_type=kind)
