"""One's own account: name, password, where one is signed in; and new projects."""

from zoneinfo import available_timezones

from starlette.responses import Response

from hedgerow.errors import HedgerowError, InvalidInput, NotAllowed
from hedgerow.meta import access, accounts, audit, credentials, projects
from hedgerow.meta.projects import ProjectFields
from hedgerow.web.visits import Visit, my_projects


def page(visit: Visit) -> Response:
    """GET /account"""
    return _page(visit)


def _page(visit: Visit, error: HedgerowError | None = None) -> Response:
    with visit.services.metadata.reading() as session:
        sessions = access.sessions_of(session, visit.who.id)
    return visit.render(
        "account.html",
        status=400 if error else 200,
        error=error,
        sessions=sessions,
        projects=my_projects(visit),
    )


def change(visit: Visit) -> Response:
    """POST /account — the name, or a new password, which ends all other sessions."""
    new = str(visit.form.get("new_password") or "")
    try:
        with visit.services.metadata.writing() as session:
            user = accounts.user_by_id(session, visit.who.id)
            if "name" in visit.form:
                user.name = visit.text("name")[:200]
            if new:
                given = str(visit.form.get("password") or "")
                if not credentials.password_fits(given, user.password_hash):
                    raise InvalidInput(
                        "This is not your present password.",
                        hint="Try again.",
                        attr="password",
                    )
                accounts.change_password(session, user.id, new)
                kept = visit.session.id if visit.session else None
                access.close_all(session, user.id, but=kept)
                by = audit.actor(user, visit.now)
                audit.note(session, by, "changed", ("password", user.email))
    except HedgerowError as error:
        return _page(visit, error)
    return visit.go("/account", notice="Saved")


def close(visit: Visit) -> Response:
    """POST /account/sessions/{session_id}/close — sign out one browser."""
    number = int(visit.request.path_params["session_id"])
    with visit.services.metadata.writing() as session:
        access.close_session(session, number, visit.who.id)
    return visit.go("/account", notice="Signed out there")


def new_project(visit: Visit) -> Response:
    """GET /projects/new — for administrators."""
    _administrators_only(visit)
    return visit.render("new_project.html", error=None, zones=sorted(available_timezones()))


def create_project(visit: Visit) -> Response:
    """POST /projects/new"""
    _administrators_only(visit)
    fields = ProjectFields(
        name=visit.text("name"), timezone=visit.text("timezone") or "UTC", week_start_day=1
    )
    try:
        with visit.services.metadata.writing() as session:
            row = projects.create(session, fields, visit.now)
            by = audit.actor(visit.who, visit.now)
            audit.note(session, by, "created", ("project", row.id), project_id=row.id)
    except HedgerowError as error:
        zones = sorted(available_timezones())
        return visit.render("new_project.html", status=400, error=error, zones=zones)
    visit.services.directory.refresh()
    return visit.go(f"/p/{row.id}/start")


def _administrators_only(visit: Visit) -> None:
    if not visit.who.is_admin:
        raise NotAllowed(
            "Only an administrator of this server makes projects.", hint="Ask one of them."
        )
