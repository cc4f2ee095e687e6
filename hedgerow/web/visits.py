"""A visit: one request of one person, checked before a screen sees it.

``screen`` turns a plain function from visit to reply into what Starlette serves. It finds
the session and the project, refuses who may not be here, refuses a form that did not come
from one of our pages, runs the function in a thread, and turns every deliberate error into
a page or, inside a page, into a box that says what failed and what to try.

Cross-site requests: each form and each request of our scripts carries a token made from
the session's cookie, which no other site can read. Before sign-in a cookie of its own
takes the session's place.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hmac import compare_digest
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hedgerow.errors import HedgerowError, NotAllowed, NotFound
from hedgerow.meta import access, accounts, credentials, projects
from hedgerow.meta.accounts import Role
from hedgerow.meta.tables import User, WebSession
from hedgerow.model.projects import Project
from hedgerow.replies import status_of
from hedgerow.web import rendering
from hedgerow.web.services import Services

log = logging.getLogger(__name__)

SESSION = "hedgerow_session"
GUEST = "hedgerow_guest"
THEME = "theme"
MAX_AGE_S = 30 * 86400


@dataclass(frozen=True, kw_only=True)
class Visit:
    """Who asks for what, in which project, when."""

    request: Request
    services: Services
    now: datetime
    guest: str
    """Cookie that stands for a browser before anybody signed in."""

    user: User | None = None
    session: WebSession | None = None
    cookie: str = ""
    project: Project | None = None
    role: Role | None = None
    form: FormData = field(default_factory=FormData)
    cancel: threading.Event = field(default_factory=threading.Event)
    """Set when the browser does not wait any more."""

    @property
    def csrf(self) -> str:
        """What a form of ours has to send along."""
        return credentials.digest(f"form of {self.cookie or self.guest}")

    @property
    def here(self) -> Project:
        """The project of this screen; only for screens inside one."""
        if self.project is None:
            raise NotFound(
                "This page belongs to no project.", hint="Choose a project first."
            )
        return self.project

    @property
    def who(self) -> User:
        """Who is signed in; only for screens behind the sign-in."""
        if self.user is None:
            raise NotAllowed("Nobody is signed in here.", hint="Sign in first.")
        return self.user

    @property
    def zone(self) -> ZoneInfo:
        """The project's time zone; UTC outside of projects."""
        return ZoneInfo(self.project.timezone if self.project else "UTC")

    @property
    def local_now(self) -> datetime:
        """The time now in the project's zone."""
        return self.now.astimezone(self.zone)

    @property
    def is_partial(self) -> bool:
        """Whether a script asks for a piece of a page."""
        return self.request.headers.get("HX-Request") == "true"

    @property
    def public_url(self) -> str:
        """Address under which people and SDKs reach us, without a slash at its end."""
        asked = f"{self.request.url.scheme}://{self.request.url.netloc}"
        return (self.services.settings.public_url or asked).rstrip("/")

    def may(self, role: Role) -> bool:
        """Return whether the person here has at least this role in this project."""
        return accounts.reaches(self.role, role)

    def text(self, name: str, default: str = "") -> str:
        """Return a field of the form, or of the address where there is no form."""
        value = self.form.get(name) or self.request.query_params.get(name)
        return value.strip() if isinstance(value, str) else default

    def path(self, rest: str = "") -> str:
        """Return the address of a screen of this project."""
        return f"/p/{self.here.id}/{rest}"

    def ask(
        self, query: Mapping[str, Any], *, refresh: str = "blocking"
    ) -> Mapping[str, Any]:
        """Ask a question of this project's data."""
        return self.services.ask(self.here.id, query, refresh=refresh, cancel=self.cancel)

    def render(
        self, template: str, *, status: int = 200, trigger: str = "", **values: Any
    ) -> Response:
        """Return a page or a piece of one; ``trigger`` names an event for our scripts."""
        headers = {"HX-Trigger": trigger} if trigger else {}
        return rendering.response(
            template, {**common(self), **values}, status=status, headers=headers
        )

    def go(self, to: str, *, notice: str = "") -> Response:
        """Send the browser elsewhere; ``notice`` is told there once."""
        if self.is_partial:
            reply = Response(status_code=204, headers={"HX-Redirect": to})
        else:
            reply = RedirectResponse(to, status_code=303)
        if notice:
            reply.set_cookie("notice", quote(notice), max_age=20, samesite="lax")
        return reply


def common(visit: Visit) -> dict[str, Any]:
    """Return what every template may use."""
    theme = visit.request.cookies.get(THEME, "")
    return {
        "visit": visit,
        "project": visit.project,
        "user": visit.user,
        "role": visit.role,
        "csrf": visit.csrf,
        "theme": theme if theme in {"light", "dark"} else "",
        "now": visit.now,
        "local_now": visit.local_now,
        "zone": visit.zone,
        "may_edit": visit.may("editor"),
        "may_manage": visit.may("admin"),
    }


Handler = Callable[[Visit], Response]


def screen(
    handler: Handler, services: Services, needs: Role | None
) -> Callable[[Request], Any]:
    """Return the endpoint that checks a visit and lets ``handler`` answer it.

    ``needs`` is the least role in the project of the address; None: anybody may look,
    signed in or not, and the handler decides.
    """

    async def endpoint(request: Request) -> Response:
        form = FormData() if request.method in {"GET", "HEAD"} else await request.form()
        cancel = threading.Event()
        watching = asyncio.create_task(_watch(request, cancel))
        try:
            return await run_in_threadpool(_answer, request, form, cancel)
        finally:
            watching.cancel()

    def _answer(request: Request, form: FormData, cancel: threading.Event) -> Response:
        visit = replace(arrive(request, services, form), cancel=cancel)
        try:
            refused = _refusal(visit, needs)
            reply = refused or handler(visit)
        except HedgerowError as error:
            reply = failure(visit, error)
        except Exception:
            log.exception("%s %s failed", request.method, request.url.path)
            reply = failure(visit, _Unexpected())
        return with_cookies(visit, reply)

    return endpoint


async def _watch(request: Request, cancel: threading.Event) -> None:
    """Set ``cancel`` once the browser has hung up: its question is asked for nobody."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    cancel.set()


class _Unexpected(HedgerowError):
    """Something went wrong that nobody foresaw; the log has the traceback."""

    code = "error"

    def __init__(self) -> None:
        super().__init__(
            "Something went wrong here.",
            hint="Nothing of yours was lost. Try again; the server's log says more.",
        )


def arrive(request: Request, services: Services, form: FormData) -> Visit:
    """Return the visit a request makes: its session, project and role, as far as known."""
    now = services.clock()
    cookie = request.cookies.get(SESSION, "")
    guest = request.cookies.get(GUEST, "") or credentials.link_token()
    plain = Visit(request=request, services=services, now=now, guest=guest, form=form)
    number = request.path_params.get("project_id")
    project = services.directory.project_of_id(number) if number is not None else None
    with services.metadata.reading() as session:
        found = access.session_of(session, cookie, now) if cookie else None
        if found is None:
            return plain
        row, user = found
        role = accounts.role_of(session, user, project.id) if project else None
    if access.is_due(row.last_seen_at, now):
        with services.metadata.writing() as session:
            access.touch_session(session, row.id, now)
    return Visit(
        request=request,
        services=services,
        now=now,
        guest=guest,
        user=user,
        session=row,
        cookie=cookie,
        project=project if role else None,
        role=role,
        form=form,
    )


def _refusal(visit: Visit, needs: Role | None) -> Response | None:
    request = visit.request
    if request.method not in {"GET", "HEAD"} and not _is_ours(visit):
        raise NotAllowed(
            "This form did not come from one of our pages, or its page is too old.",
            hint="Reload the page and send it again.",
        )
    if needs is None:
        return None
    if visit.user is None:
        place = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return visit.go(f"/signin?next={quote(place)}")
    if visit.project is None and "project_id" in request.path_params:
        raise NotFound(
            f"There is no project {request.path_params['project_id']} for you here.",
            hint="It may have been deleted, or nobody has added you to it.",
        )
    if "project_id" in request.path_params and not visit.may(needs):
        raise NotAllowed(
            f"This needs the role {needs!r}; yours is {visit.role!r}.",
            hint="Ask an administrator of the project for it.",
        )
    return None


def _is_ours(visit: Visit) -> bool:
    sent = visit.request.headers.get("X-CSRF-Token") or visit.form.get("csrf")
    return isinstance(sent, str) and compare_digest(sent, visit.csrf)


def failure(visit: Visit, error: HedgerowError) -> Response:
    """Return a deliberate error as a page, or as a box where a piece was asked for."""
    status = status_of(error.code)
    template = "_error.html" if visit.is_partial else "error.html"
    return visit.render(template, status=status, error=error, code=status)


def with_cookies(visit: Visit, reply: Response) -> Response:
    """Give a browser that nobody is signed in with its guest cookie."""
    if visit.user is None and not visit.request.cookies.get(GUEST):
        set_cookie(visit, reply, GUEST, visit.guest)
    return reply


def set_cookie(visit: Visit, reply: Response, name: str, value: str) -> None:
    """Set a cookie that scripts cannot read and other sites cannot send."""
    reply.set_cookie(
        name,
        value,
        max_age=MAX_AGE_S,
        httponly=True,
        samesite="lax",
        secure=visit.public_url.startswith("https://"),
    )


def my_projects(visit: Visit) -> list[Project]:
    """Return the projects the person here reaches."""
    with visit.services.metadata.reading() as session:
        rows = projects.of_user(session, visit.who.id, is_admin=visit.who.is_admin)
        return [projects.plain(row) for row in rows]
