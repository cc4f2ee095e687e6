"""Every refusal of the API in one shape: ``application/problem+json`` (RFC 9457).

``type`` is an address on the page that describes the API, ``errors`` names each field
with what is wrong about it. What went wrong inside stays inside.
"""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from flask import Response, g

from app.api.shapes import Complaint, InvalidFields
from app.errors import TimeTrackerError, TooManyTries

STATUS: Mapping[str, int] = {
    "invalid_input": 422,
    "malformed": 400,
    "unsupported_media_type": 415,
    "not_signed_in": 401,
    "account_refused": 401,
    "not_allowed": 403,
    "not_found": 404,
    "conflict": 409,
    "changed": 412,
    "overlap": 409,
    "locked": 409,
    "referenced": 409,
    "too_large": 413,
    "too_many_tries": 429,
    "read_only": 503,
    "store_unavailable": 503,
    "unreachable": 502,
}
"""Code of an error → status; any other is a 500."""

RETRY_READ_ONLY_S = 300
TYPES = "/api/v1/reference#"


def response(error: TimeTrackerError) -> Response:
    """Return a deliberate error as its problem."""
    status = HTTPStatus(STATUS.get(error.code, 500))
    if isinstance(error, InvalidFields):
        complaints = error.complaints
        title, detail = "Some fields cannot be taken as they are.", str(error)
    else:
        complaints = [Complaint(error.attr, error.what)] if error.attr else []
        title, detail = error.what, error.hint
    made = problem(status, error.code, title, detail, complaints=complaints)
    if isinstance(error, TooManyTries):
        made.headers["Retry-After"] = str(error.retry_after_s)
    if error.code == "read_only":
        made.headers["Retry-After"] = str(RETRY_READ_ONLY_S)
    if status == HTTPStatus.UNAUTHORIZED:
        made.headers["WWW-Authenticate"] = 'Bearer realm="TimeTracker"'
    return made


def problem(
    status: HTTPStatus,
    code: str,
    title: str,
    detail: str = "",
    *,
    complaints: Sequence[Complaint] = (),
) -> Response:
    """Return a problem of this status."""
    body: dict[str, Any] = {
        "type": TYPES + code,
        "title": title,
        "status": int(status),
        "detail": detail,
        "errors": [{"field": one.field, "message": one.message} for one in complaints],
        "request_id": g.get("request_id", ""),
    }
    text = json.dumps(body, ensure_ascii=False)
    return Response(text, status, mimetype="application/problem+json")
