"""JSON and errors over HTTP: one shape for both JSON edges.

``{"type", "code", "detail", "attr"}`` as PostHog answers, with the status that fits the
error's code. ``detail`` is a sentence that says what to change; the Python SDK shows it.
"""

from typing import Any

import msgspec
from starlette.responses import Response

from hedgerow.errors import HedgerowError

STATUS = {
    "missing_token": 401,
    "invalid_token": 401,
    "mixed_tokens": 401,
    "not_authenticated": 401,
    "permission_denied": 403,
    "not_found": 404,
    "unknown_release": 404,
    "fleet_not_configured": 404,
    "method_not_allowed": 405,
    "conflict": 409,
    "body_too_large": 413,
    "event_too_large": 413,
    "query_too_large": 413,
    "unsupported_media_type": 415,
    "throttled": 429,
    "query_cancelled": 499,
    "provider_unavailable": 502,
    "inbox_unavailable": 503,
    "store_unavailable": 503,
    "query_timed_out": 504,
    "flush_timed_out": 504,
    "error": 500,
    "bad_setting": 500,
}
"""By error code; a code that is not here is the caller's mistake, 400."""

RETRY_AFTER_S = {"inbox_unavailable": 5, "store_unavailable": 5, "throttled": 30}
"""Seconds after which another try may succeed."""

_TYPES = {401: "authentication_error", 403: "authentication_error", 429: "throttled"}


class Refusal(msgspec.Struct, frozen=True):
    """The one shape of an error."""

    type: str
    code: str
    detail: str
    attr: str | None


def status_of(code: str) -> int:
    """Return the HTTP status of an error code."""
    return STATUS.get(code, 400)


def refusal_body(error: HedgerowError) -> Refusal:
    """Return what a client is told about an error."""
    return Refusal(_type(error.code), error.code, str(error), error.attr)


def json_reply(
    value: Any, status: int = 200, *, headers: dict[str, str] | None = None
) -> Response:
    """Return ``value`` as JSON."""
    return Response(
        msgspec.json.encode(value), status, media_type="application/json", headers=headers
    )


def refusal(error: HedgerowError) -> Response:
    """Turn any deliberate error into the one JSON shape that clients know."""
    wait_s = RETRY_AFTER_S.get(error.code)
    headers = None if wait_s is None else {"Retry-After": str(wait_s)}
    return json_reply(refusal_body(error), status_of(error.code), headers=headers)


def _type(code: str) -> str:
    status = status_of(code)
    if status >= 500:
        return "server_error"
    if status in _TYPES:
        return _TYPES[status]
    return "validation_error" if code.startswith("invalid_input") else "invalid_request"
