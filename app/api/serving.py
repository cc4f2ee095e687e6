"""From the table to Flask's routes: who asks, may they, what do they bring, what goes back.

Order of the questions: is there an API at all (404), whose token is it (401), does it ask
too often (429), may anything be written (403, 503), does the token reach (403), does its
owner (403), is the body right (400, 422). Only then the handler runs, in one session;
what it told is reported after the commit.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, current_app, g, render_template, request
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException

from app import settings as run_time
from app.api import idents, limits, problems, schema, shapes
from app.api import reference as reading
from app.api.call import Answer, Call, Endpoint, Upload
from app.api.routes import ENDPOINTS
from app.api.shapes import Shape
from app.audit import Actor
from app.config import VERSION
from app.errors import (
    Changed,
    Malformed,
    NotAllowed,
    NotFound,
    NotSignedIn,
    ReadOnly,
    TimeTrackerError,
    TooLarge,
    UnsupportedMediaType,
)
from app.models import Database
from app.models.people import ApiToken, User
from app.people import roles, tokens
from app.telemetry.send import identify_user, track_event

PREFIX = "/api/v1"
LONGEST_BODY = 1_000_000
"""Bytes of JSON; files have their own limit."""

EXPOSED = "ETag, Retry-After, X-Request-Id, RateLimit-Remaining, Idempotent-Replayed"
ACCEPTED = "Authorization, Content-Type, If-Match, Idempotency-Key"

blueprint = Blueprint("api", __name__, url_prefix=PREFIX)


def _now() -> datetime:
    moment: datetime = current_app.extensions["clock"]()
    return moment


def _database() -> Database:
    database: Database = current_app.extensions["database"]
    return database


@blueprint.before_request
def _is_there() -> None:
    """Answer 404 to everything where the API is switched off."""
    if not current_app.config["ENABLE_API"]:
        raise NotFound("There is nothing at this address.", hint="The API is switched off.")


@blueprint.after_request
def _for_other_sites(response: Response) -> Response:
    """Let the pages of configured origins call us, and nobody else's."""
    origin = request.headers.get("Origin", "")
    response.headers.add("Vary", "Origin")
    if origin and origin in current_app.config["API_CORS_ORIGINS"]:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = EXPOSED
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = "GET, POST, PATCH, DELETE"
            response.headers["Access-Control-Allow-Headers"] = ACCEPTED
            response.headers["Access-Control-Max-Age"] = "600"
    return response


@blueprint.errorhandler(TimeTrackerError)
def _refused(error: TimeTrackerError) -> Response:
    return problems.response(error)


@blueprint.errorhandler(StaleDataError)
def _stale(_error: StaleDataError) -> Response:
    return problems.response(
        Changed("Somebody changed this a moment before you.", hint="Read it again.")
    )


@blueprint.errorhandler(HTTPException)
def _by_http(error: HTTPException) -> Response:
    status = HTTPStatus(error.code or 500)
    made = problems.problem(status, "http", error.name, error.description or "")
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        made.headers["Allow"] = ", ".join(sorted(request.url_rule.methods or ()))  # type: ignore[union-attr]  # a method is refused of a rule that fits
    return made


@blueprint.get("/openapi.json")
def document() -> Response:
    """Return the OpenAPI document."""
    return _json(schema.document(ENDPOINTS, VERSION), HTTPStatus.OK)


@blueprint.get("/reference")
def reference() -> str:
    """Show the document as a page to read."""
    described = schema.document(ENDPOINTS, VERSION)
    return render_template(
        "api_reference.html",
        about=schema.ABOUT,
        routes=list(reading.routes(described)),
        things=list(reading.things(described)),
        codes=problems.STATUS,
    )


def _token(now: datetime) -> ApiToken:
    """Return the token of this request, or raise NotSignedIn."""
    kind, _, text = request.headers.get("Authorization", "").partition(" ")
    found = None
    if kind.lower() == "bearer" and text:
        with _database().reading() as session:
            found = tokens.find(session, text.strip(), now)
            session.expunge_all()
    if found is None:
        raise NotSignedIn(
            "This needs a token that is valid." if text else "This needs a token.",
            hint="Send Authorization: Bearer tt_…; tokens are made in the profile.",
        )
    return found


def _refuse(endpoint: Endpoint, token: ApiToken, call: Call) -> None:
    """Raise where the installation, the token or its owner does not allow this."""
    config = current_app.config
    if endpoint.writes and not config["ENABLE_API_WRITE"]:
        raise NotAllowed("The API of this installation can only be read.")
    if endpoint.writes and config["READ_ONLY"]:
        raise ReadOnly(
            "This installation is read-only at the moment.", hint="Try again later."
        )
    if endpoint.scope not in token.scopes:
        raise NotAllowed(
            f"This token has not the scope {endpoint.scope!r}.",
            hint="Make one that has, in the profile.",
        )
    if endpoint.act is not None:
        roles.demand(call.user, endpoint.act, call.settings)
    if endpoint.switch and not config[endpoint.switch]:
        what = endpoint.switch.removeprefix("ENABLE_").lower()
        raise NotAllowed(f"{what.capitalize()} are disabled on this installation.")


def _json_body(shape: Shape) -> dict[str, Any]:
    if request.content_length is not None and request.content_length > LONGEST_BODY:
        raise TooLarge(f"The body is larger than {LONGEST_BODY:,} bytes.")
    raw = request.get_data()
    if raw and request.mimetype != "application/json":
        raise UnsupportedMediaType(
            f"A body of {request.mimetype[:60]!r} cannot be read here.",
            hint="Send JSON with Content-Type: application/json.",
        )
    try:
        value = json.loads(raw) if raw else {}
    except (ValueError, RecursionError) as error:
        raise Malformed("The body is no JSON.", hint=str(error)[:200]) from error
    if not isinstance(value, dict):
        raise Malformed("The body is no JSON object.", hint="Send { … }.")
    return shapes.read(shape, value)


def _file() -> Upload:
    sent = request.files.get("file")
    if sent is None:
        raise shapes.InvalidFields([shapes.Complaint("file", "This is needed.")])
    limit = int(current_app.config["IMPORT_MAX_MB"]) * 1_000_000
    content = sent.stream.read(limit + 1)
    if len(content) > limit:
        raise TooLarge(
            f"The file is larger than {limit // 1_000_000} MB.",
            hint="Divide it, or raise IMPORT_MAX_MB.",
        )
    return Upload((sent.filename or "file.csv")[-255:], content)


def _fill(call: Call, endpoint: Endpoint, address: Mapping[str, str]) -> None:
    """Read what the request brings."""
    numbered = {name for name in address if name in idents.PREFIXES}
    call.path = {name: idents.found(name, address[name]) for name in numbered}
    call.words = {name: address[name] for name in address if name not in numbered}
    asked = {name: ",".join(request.args.getlist(name)) for name in request.args}
    call.query = shapes.read(Shape("", endpoint.query), asked, text=True)
    if endpoint.takes_file:
        call.upload = _file()
        shape = endpoint.body or Shape("", {})
        call.body = shapes.read(shape, request.form.to_dict(), text=True)
    elif endpoint.method in {"POST", "PATCH"}:
        call.body = _json_body(endpoint.body or Shape("", {}))
    call.if_match = _if_match()


def _if_match() -> int | None:
    given = request.headers.get("If-Match", "").strip()
    if given in {"", "*"}:
        return None
    found = re.fullmatch(r'"([0-9]{1,9})"', given)
    return int(found[1]) if found else -1  # an ETag we never gave fits no version


def _serve(endpoint: Endpoint, address: Mapping[str, str]) -> Response:
    now = _now()
    token = _token(now)
    rate: limits.Rate = current_app.extensions.setdefault("api_rate", limits.Rate())
    g.rate_left = rate.count(token.id, now, most=current_app.config["API_RATE_PER_MINUTE"])
    _note_use(token, now)
    with _database().session(writes=False) as session:
        call = _call(session, token, now)
        _refuse(endpoint, token, call)
        _fill(call, endpoint, address)
        if not endpoint.writes:
            return _response(endpoint, endpoint.does(call), call)
    with _database().session(writes=True) as session:
        call.session = session
        call.user = session.get_one(User, token.user_id)
        return _written(endpoint, call)


def _call(session: Session, token: ApiToken, now: datetime) -> Call:
    config = current_app.config
    current_app.extensions.setdefault("api_seen", {})
    return Call(
        session=session,
        user=session.get_one(User, token.user_id),
        now=now,
        settings=run_time.in_force(session, config),
        config=config,
        database=_database(),
        extensions=current_app.extensions,
        address=(config["PUBLIC_URL"] or request.url_root).rstrip("/"),
        actor=Actor(
            user_id=token.user_id,
            via="api",
            ip=request.remote_addr if config["AUDIT_STORE_IP"] else None,
            request_id=g.get("request_id"),
        ),
    )


def _written(endpoint: Endpoint, call: Call) -> Response:
    """Run a handler that changes something, once for each Idempotency-Key."""
    keeps = endpoint.method == "POST" and not endpoint.secret
    key = request.headers.get("Idempotency-Key", "") if keeps else ""
    if len(key) > limits.LONGEST_KEY:
        raise Malformed(f"An Idempotency-Key has at most {limits.LONGEST_KEY} characters.")
    whole_body = call.upload.content if call.upload else request.get_data()
    same = limits.fingerprint(request.method, request.path, whole_body)
    if key:
        kept = limits.before(call.session, call.user, key, same, call.now)
        if kept is not None:
            made = _json(kept.body, HTTPStatus(kept.status))
            made.headers.update({**kept.headers, "Idempotent-Replayed": "true"})
            return made
    answer = endpoint.does(call)
    if key:
        status = answer.status or endpoint.status
        whole = limits.Kept(status, answer.body, answer.headers)
        limits.keep(call.session, call.user, key, same, whole, call.now)
    call.session.commit()
    return _response(endpoint, answer, call)


def _response(endpoint: Endpoint, answer: Answer, call: Call) -> Response:
    for subject, name, properties in call.told:
        track_event(subject.id, name, properties)
    for user in call.identified:
        identify_user(user, logged_in=False)
    for act in call.afterwards:
        act()
    made = answer.stream or _json(answer.body, answer.status or endpoint.status)
    made.headers.update(answer.headers)
    made.headers["RateLimit-Remaining"] = str(g.rate_left)
    return made


def _json(body: Any, status: int) -> Response:
    if status == HTTPStatus.NO_CONTENT:
        return Response(status=status)
    text = json.dumps(body, ensure_ascii=False)
    return Response(text, status, mimetype="application/json")


def _note_use(token: ApiToken, now: datetime) -> None:
    if not tokens.is_stale(token, now) or current_app.config["READ_ONLY"]:
        return
    with _database().writing() as session:
        kept = session.get(ApiToken, token.id)
        if kept is not None:
            kept.last_used_at = now


def _view(endpoint: Endpoint) -> Callable[..., Response]:
    def view(**address: str) -> Response:
        return _serve(endpoint, address)

    return view


for _row in ENDPOINTS:
    blueprint.add_url_rule(
        re.sub(r"\{(\w+)\}", r"<string:\1>", _row.path),
        endpoint=_row.name,
        view_func=_view(_row),
        methods=[_row.method],
    )
