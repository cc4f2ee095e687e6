"""First run, signing in and out, and choosing a new password.

The first run is let in by a one-time link that the server printed as it started: whoever
can read its terminal may make the first administrator. After that the link is worth
nothing.
"""

from zoneinfo import available_timezones

from sqlalchemy.orm import Session
from starlette.responses import Response

from hedgerow.errors import HedgerowError, NotAuthenticated, NotFound
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
            cookie = open_session(visit, session, user)
            project_id = row.id
    except HedgerowError as error:
        return _setup_form(visit, error)
    visit.services.directory.refresh()
    return signed_in(visit, cookie, f"/p/{project_id}/start")


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
        return visit.go(next_page(visit))
    return form(visit)


def form(
    visit: Visit,
    error: HedgerowError | None = None,
    *,
    status: int = 200,
    then: str | None = None,
) -> Response:
    """Return the sign-in page: by password, at the provider, or both.

    ``then`` is the page that was wanted, where the address does not say it.
    """
    settings, provider = visit.services.settings, visit.services.provider
    return visit.render(
        "signin.html",
        status=status,
        error=error,
        next=then or next_page(visit),
        provider=provider.name if provider else "",
        local=not (provider and settings.oidc_only) or visit.text("local") == "1",
    )


def signin(visit: Visit) -> Response:
    """POST /signin — open a session; failures are slow and limited."""
    services = visit.services
    client = visit.request.client
    try:
        user = accounts.sign_in(
            services.metadata,
            visit.text("email"),
            str(visit.form.get("password") or ""),
            address=client.host if client else "",
            now=visit.now,
        )
        if services.provider and services.settings.oidc_only and not user.is_admin:
            raise NotAuthenticated(
                "Passwords are for administrators only here.",
                hint=f"Sign in with {services.provider.name}.",
            )
    except HedgerowError as error:
        return form(visit, error, status=429 if error.code == "throttled" else 401)
    with services.metadata.writing() as session:
        cookie = open_session(visit, session, user)
    return signed_in(visit, cookie, next_page(visit))


def signout(visit: Visit) -> Response:
    """POST /signout — end this browser's session, and where wanted the provider's."""
    end = None
    if visit.session is not None:
        with visit.services.metadata.writing() as session:
            access.close_session(session, visit.session.id, visit.who.id)
        provider, token = visit.services.provider, visit.session.id_token
        if provider is not None and token:
            end = provider.end(token, f"{visit.public_url}/signin")
    reply = visit.go("/signin") if end is None else moving_on(visit, end)
    reply.delete_cookie(SESSION)
    return reply


def moving_on(visit: Visit, end: str) -> Response:
    """Return a page that goes on to the provider, to end its session too.

    A page, since a form may lead to our own addresses only (``form-action``).
    """
    reply = visit.render("signed_out.html", target=end)
    reply.headers["Refresh"] = f"0; url={end}"
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
            cookie = open_session(visit, session, user)
    except HedgerowError as error:
        return visit.render("password.html", status=400, error=error, email=user.email)
    return signed_in(visit, cookie, "/")


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


def open_session(
    visit: Visit, session: Session, user: User, *, id_token: str | None = None
) -> str:
    """Start a session of this browser and return the text of its cookie."""
    client = visit.request.client
    return access.open_session(
        session,
        user,
        now=visit.now,
        address=client.host if client else "",
        agent=visit.request.headers.get("User-Agent", ""),
        id_token=id_token,
    )


def signed_in(visit: Visit, cookie: str, to: str) -> Response:
    """Send a browser on with its new session."""
    reply = visit.go(to)
    set_cookie(visit, reply, SESSION, cookie)
    reply.delete_cookie(GUEST)
    return reply


def next_page(visit: Visit) -> str:
    """Return where to go afterwards: only ever a page of ours."""
    asked = visit.text("next", "/")
    own = asked.startswith("/") and not asked.startswith("//") and "\\" not in asked
    return asked if own else "/"
