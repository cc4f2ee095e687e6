"""First run, signing in and out, and choosing a new password.

The first run is let in by a one-time link that the server printed as it started: whoever
can read its terminal may make the first administrator. After that the link is worth
nothing.
"""

from zoneinfo import available_timezones

from sqlalchemy.orm import Session
from starlette.responses import Response

from hedgerow.errors import HedgerowError, NotFound
from hedgerow.meta import access, accounts, audit, installing, projects
from hedgerow.meta.projects import ProjectFields
from hedgerow.meta.tables import User
from hedgerow.web.visits import GUEST, SESSION, THEME, Visit, my_projects, set_cookie

START_DASHBOARDS = ("installation-health", "user-engagement")
"""What a first project begins with: both wait for their events and fill by themselves."""


def front(visit: Visit) -> Response:
    """GET / — to the first project, to the sign-in, or to how one begins."""
    if visit.user is None:
        with visit.services.metadata.reading() as session:
            begun = accounts.is_set_up(session)
        return visit.go("/signin") if begun else visit.render("unclaimed.html")
    mine = my_projects(visit)
    if not mine:
        return (
            visit.go("/account") if not visit.user.is_admin else visit.go("/projects/new")
        )
    last = visit.request.cookies.get("project", "")
    chosen = next((one for one in mine if str(one.id) == last), mine[0])
    return visit.go(f"/p/{chosen.id}/")


def setup_page(visit: Visit) -> Response:
    """GET /setup/{token} — the form of the first run."""
    _setup_link(visit)
    return _setup_form(visit)


def setup(visit: Visit) -> Response:
    """POST /setup/{token} — make the first administrator, project and dashboards."""
    link = _setup_link(visit)
    text = visit.text
    try:
        with visit.services.metadata.writing() as session:
            user = accounts.create_user(
                session,
                text("email"),
                str(visit.form.get("password") or ""),
                now=visit.now,
                name=text("name"),
                is_admin=True,
            )
            row = projects.create(
                session,
                ProjectFields(
                    name=text("project"), timezone=text("timezone"), week_start_day=1
                ),
                visit.now,
            )
            found = access.link_of(session, link, "setup", visit.now)
            if found is not None:
                access.use_link(session, found)
            by = audit.actor(user, visit.now)
            audit.note(session, by, "created", ("project", row.id), project_id=row.id)
            for key in START_DASHBOARDS:
                installing.install(
                    session,
                    row.id,
                    installing.template(key),
                    now=visit.now,
                    created_by=user.id,
                )
            cookie = _open(visit, session, user)
            project_id = row.id
    except HedgerowError as error:
        return _setup_form(visit, error)
    visit.services.directory.refresh()
    return _signed_in(visit, cookie, f"/p/{project_id}/start")


def _setup_link(visit: Visit) -> str:
    token = str(visit.request.path_params["token"])
    with visit.services.metadata.reading() as session:
        if access.link_of(session, token, "setup", visit.now) is None:
            raise NotFound(
                "This set-up link is used up or has ended.",
                hint="Sign in, or start the server again: it prints a new link "
                "while nobody has an account.",
            )
    return token


def _setup_form(visit: Visit, error: HedgerowError | None = None) -> Response:
    return visit.render(
        "setup.html",
        status=400 if error else 200,
        error=error,
        zones=sorted(available_timezones()),
        zone_chosen=visit.text("timezone", "UTC"),
    )


def signin_page(visit: Visit) -> Response:
    """GET /signin"""
    if visit.user is not None:
        return visit.go(_next(visit))
    return visit.render("signin.html", error=None, next=_next(visit))


def signin(visit: Visit) -> Response:
    """POST /signin — open a session; failures are slow and limited."""
    client = visit.request.client
    try:
        user = accounts.sign_in(
            visit.services.metadata,
            visit.text("email"),
            str(visit.form.get("password") or ""),
            address=client.host if client else "",
            now=visit.now,
        )
    except HedgerowError as error:
        return visit.render(
            "signin.html",
            status=429 if error.code == "throttled" else 401,
            error=error,
            next=_next(visit),
        )
    with visit.services.metadata.writing() as session:
        cookie = _open(visit, session, user)
    return _signed_in(visit, cookie, _next(visit))


def signout(visit: Visit) -> Response:
    """POST /signout — end this browser's session."""
    if visit.session is not None:
        with visit.services.metadata.writing() as session:
            access.close_session(session, visit.session.id, visit.who.id)
    reply = visit.go("/signin")
    reply.delete_cookie(SESSION)
    return reply


def password_page(visit: Visit) -> Response:
    """GET /password/{token} — choose a password with a one-time link."""
    return visit.render("password.html", error=None, email=_invited(visit).email)


def password(visit: Visit) -> Response:
    """POST /password/{token} — keep it, end all other sessions, sign in."""
    user = _invited(visit)
    token = str(visit.request.path_params["token"])
    try:
        with visit.services.metadata.writing() as session:
            accounts.change_password(
                session, user.id, str(visit.form.get("password") or "")
            )
            link = access.link_of(session, token, "password", visit.now)
            if link is not None:
                access.use_link(session, link)
            access.close_all(session, user.id)
            cookie = _open(visit, session, user)
    except HedgerowError as error:
        return visit.render("password.html", status=400, error=error, email=user.email)
    return _signed_in(visit, cookie, "/")


def _invited(visit: Visit) -> User:
    token = str(visit.request.path_params["token"])
    with visit.services.metadata.reading() as session:
        link = access.link_of(session, token, "password", visit.now)
        if link is None or link.user_id is None:
            raise NotFound(
                "This link is used up or has ended.",
                hint="Ask an administrator for a new one.",
            )
        return accounts.user_by_id(session, link.user_id)


def theme(visit: Visit) -> Response:
    """POST /theme — remember light or dark for this browser."""
    reply = visit.go(visit.request.headers.get("Referer", "/"))
    chosen = visit.text("theme")
    if chosen in {"light", "dark"}:
        reply.set_cookie(THEME, chosen, max_age=365 * 86400, samesite="lax")
    else:
        reply.delete_cookie(THEME)
    return reply


def _open(visit: Visit, session: Session, user: User) -> str:
    client = visit.request.client
    return access.open_session(
        session,
        user,
        now=visit.now,
        address=client.host if client else "",
        agent=visit.request.headers.get("User-Agent", ""),
    )


def _signed_in(visit: Visit, cookie: str, to: str) -> Response:
    reply = visit.go(to)
    set_cookie(visit, reply, SESSION, cookie)
    reply.delete_cookie(GUEST)
    return reply


def _next(visit: Visit) -> str:
    """Return where to go afterwards: only ever a page of ours."""
    asked = visit.text("next", "/")
    own = asked.startswith("/") and not asked.startswith("//") and "\\" not in asked
    return asked if own else "/"
