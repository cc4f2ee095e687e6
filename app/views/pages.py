"""What every page shares: guards before, headers after, error pages, words for templates.

Before a request: is it a first run, is the form's CSRF token right, may anything change
at all? After it: a strict Content Security Policy (own scripts and styles only, nothing
inline) and no caching of personal pages. Deliberate errors become a status and a page in
one place; anything else is a 500 with a request id and no details.
"""

import hmac
import json
import logging
import secrets
import traceback
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast

from flask import (
    Flask,
    Response,
    current_app,
    g,
    redirect,
    render_template,
    request,
    url_for,
)
from jinja2 import StrictUndefined
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from app.errors import NotSignedIn, TimeTrackerError, TooManyTries, said
from app.languages import told
from app.people import accounts
from app.telemetry import send
from app.views import context, words
from app.views.cookies import DatabaseSessions

log = logging.getLogger("timetracker")

STATUS = {
    "invalid_input": 422,
    "not_signed_in": 401,
    "account_refused": 401,
    "not_allowed": 403,
    "not_found": 404,
    "conflict": 409,
    "changed": 409,
    "overlap": 409,
    "locked": 409,
    "referenced": 409,
    "too_large": 413,
    "too_many_tries": 429,
    "read_only": 503,
}

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Own files only, nothing inline."""

OPEN_TO_ALL = {"static", "system.health", "system.ready", "system.metrics"}
"""Endpoints that neither the first run nor a missing form token closes."""

READ_ONLY_EXCEPT = {"signin.sign_in", "signin.sign_out", "signin.password"}


def prepare(app: Flask) -> None:
    """Put all of this around the application's views."""
    app.session_interface = DatabaseSessions()
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    words.teach(app)
    app.before_request(_before)
    app.after_request(_after)
    app.teardown_request(context.close)
    app.register_error_handler(TimeTrackerError, _deliberate)
    app.register_error_handler(HTTPException, _by_http)
    app.register_error_handler(StaleDataError, _stale)
    app.register_error_handler(Exception, _unhandled)
    app.extensions["assets"] = _assets(Path(app.static_folder or ""))


def _assets(folder: Path) -> dict[str, str]:
    """Return name → hashed name of what was bundled; empty before the first bundle."""
    manifest = folder / "manifest.json"
    if not manifest.exists():
        return {}
    found: dict[str, str] = json.loads(manifest.read_text())
    return found


def _before() -> AnyResponse | None:
    g.request_id = secrets.token_hex(8)
    g.is_secure = request.is_secure
    of_api = request.path.startswith("/api/")
    if request.endpoint in OPEN_TO_ALL or of_api:  # a token, not a cookie, speaks there
        return None
    if not _is_set_up():
        if (request.endpoint or "").startswith("setup."):
            _check_token()
            return None
        return redirect(url_for("setup.first_run"))
    if request.method in context.SAFE:
        return None
    _check_token()
    if request.endpoint not in READ_ONLY_EXCEPT:
        context.refuse_when_read_only()
    return None


def _is_set_up() -> bool:
    """Return whether the first run is over; once it is, nobody asks again."""
    if not current_app.extensions.get("set_up"):
        current_app.extensions["set_up"] = accounts.anyone(context.db())
    return bool(current_app.extensions["set_up"])


def _check_token() -> None:
    """Refuse a form that no page of ours has made for this browser."""
    if request.method in context.SAFE:
        return
    browser = context.browser_session()
    given = request.headers.get("X-CSRF-Token") or request.form.get("csrf_token", "")
    if browser.new or not hmac.compare_digest(given, browser.csrf_token()):
        response = _page(
            HTTPStatus.BAD_REQUEST,
            said("This page was open too long."),
            said(
                "Go back, load it again and repeat; nothing was changed. "
                "If it keeps happening, this browser refuses cookies."
            ),
        )
        raise HTTPException(response=response)


def _after(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", CSP)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
    if request.endpoint == "static":
        headers["Cache-Control"] = "public, max-age=31536000, immutable"
    else:
        headers.setdefault("Cache-Control", "no-store")
    if g.get("request_id"):
        headers.setdefault("X-Request-Id", g.request_id)
    return response


def is_htmx() -> bool:
    """Return whether htmx asks for a part of a page."""
    return request.headers.get("HX-Request") == "true"


def _deliberate(error: TimeTrackerError) -> AnyResponse:
    if isinstance(error, NotSignedIn):
        return _to_sign_in()
    _know_the_reader()
    status = HTTPStatus(STATUS.get(error.code, 500))
    response = _page(status, error.what, getattr(error, "hint", ""))
    if isinstance(error, TooManyTries):
        response.headers["Retry-After"] = str(error.retry_after_s)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = "300"
    return response


def _know_the_reader() -> None:
    """Let a page about an error be in the language of whoever is signed in."""
    if not request.path.startswith("/api/"):
        context.user_or_none()


def _to_sign_in() -> AnyResponse:
    here = request.full_path.rstrip("?") if request.method in context.SAFE else ""
    target = url_for("signin.sign_in", next=here if here not in {"", "/"} else None)
    if is_htmx():
        response = Response(status=HTTPStatus.UNAUTHORIZED)
        response.headers["HX-Redirect"] = url_for("signin.sign_in")
        return response
    return redirect(target)


def _stale(_error: StaleDataError) -> AnyResponse:
    return _page(
        HTTPStatus.CONFLICT,
        said("Somebody changed this a moment before you."),
        said("Load the page again to see both versions; nothing of yours was saved."),
    )


HTTP_WORDS = {
    400: (said("This request cannot be understood."), said("Go back and try again.")),
    404: (
        said("There is nothing at this address."),
        said("It may have been moved or deleted."),
    ),
    405: (said("This address cannot be used like that."), said("Start from the menu.")),
    413: (
        said("That file is too large."),
        said("Send a smaller one, or raise MAX_UPLOAD_MB."),
    ),
}


def _by_http(error: HTTPException) -> AnyResponse:
    if error.response is not None:
        return cast("AnyResponse", error.response)
    code = error.code or 500
    if code < 400:
        return redirect(request.path) if code == 308 else Response(status=code)
    _know_the_reader()
    what, hint = HTTP_WORDS.get(code, (error.description or error.name, ""))
    page = _page(HTTPStatus(code), what, hint)
    page.headers.extend(
        (name, value) for name, value in error.get_headers() if name == "Allow"
    )
    return page


def _unhandled(error: Exception) -> AnyResponse:
    """The last resort: nothing of the error reaches the page, all of it the log."""
    context.close()
    log.error("request %s failed\n%s", g.get("request_id"), traceback.format_exc())
    part = "database" if isinstance(error, SQLAlchemyError) else "unhandled"
    send.track_failure(
        part, error, user_id=_who_quietly(), status_code=HTTPStatus.INTERNAL_SERVER_ERROR
    )
    return _page(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        said("Something went wrong on our side."),
        said(
            "Nothing was saved. Try again; if it stays, tell an administrator the number below."
        ),
    )


def _who_quietly() -> int | None:
    return context.browser_session().user_id


def _page(status: HTTPStatus, what: str, hint: str) -> Response:
    """Return an error as a page, as a toast for htmx, or as JSON for programs."""
    if request.path.startswith("/api/"):
        problem = {
            "title": what,
            "detail": hint,
            "status": int(status),
            "type": "about:blank",
            "errors": [],
            "request_id": g.get("request_id", ""),
        }
        return Response(json.dumps(problem), status, mimetype="application/problem+json")
    what, hint = told(what), told(hint)
    if is_htmx():
        response = Response(status=status)
        response.headers["HX-Reswap"] = "none"
        response.headers["HX-Trigger"] = json.dumps(
            {"toast": {"text": f"{what} {hint}".strip(), "kind": "bad"}}
        )
        return response
    text = render_template("error.html", status=int(status), what=what, hint=hint)
    return Response(text, status)


def toast(
    response: Response, text: str, *, undo: int | None = None, **more: Any
) -> Response:
    """Let the page say something short, with a way to undo it."""
    said: dict[str, Any] = {"text": text, "kind": "good", **more}
    if undo is not None:
        said["undo"] = url_for("entries.undo", step=undo)
    response.headers["HX-Trigger"] = json.dumps({"toast": said, "changed": {}})
    return response
