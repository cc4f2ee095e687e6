"""Capture v1, ``/i/v1/analytics/events``: the newer protocol's door.

Its SDKs say token, clock and version in headers and want a verdict for each event. What
concerns the whole request is refused as ``{"error", "error_description"}``. When the inbox
refuses at once, the answer is 503 and the SDK sends all of it again; when the disk fails
under a request, its verdicts are ``retry`` and the SDK sends just those events again.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import msgspec

from hedgerow.capture.answers import Answer, Receive, json_answer, retry_after
from hedgerow.capture.fields import canonical_uuid
from hedgerow.capture.intake import Intake
from hedgerow.capture.requests import Asked, hints_of, size_of, with_body
from hedgerow.capture.tokens import checked_token
from hedgerow.capture.verdicts import NOT_PERSISTED, V1Request, Verdicts, is_rfc_3339
from hedgerow.errors import BadCapture, HedgerowError, InboxUnavailable
from hedgerow.replies import status_of

ENCODINGS = frozenset({"", "identity", "gzip", "deflate", "br", "zstd"})
RETRY_AFTER_S = 1
_REQUIRED = (
    b"content-type",
    b"user-agent",
    b"posthog-sdk-info",
    b"posthog-attempt",
    b"posthog-request-id",
    b"posthog-request-timestamp",
)
_TAGS = {
    "invalid_json": "request_parsing_error",
    "undecodable_body": "request_parsing_error",
}
"""Codes of the older protocol that have a name of their own here."""


async def take(intake: Intake, request: Asked, receive: Receive) -> Answer:
    """Answer with a verdict for each event, once those that are kept are on disk."""
    now = datetime.now(UTC)
    hints = hints_of(request, "v1")
    try:
        hints = msgspec.structs.replace(
            hints, v1=_said(request), form=False, compression=""
        )
        with intake.admission.room(size_of(request, intake.limit)):
            request = await with_body(request, receive, intake.limit)
            checked = await intake.checked(hints, request.body)
            project = intake.project(checked.token)
            verdicts = checked.verdicts or {}
            if checked.events:
                hints = intake.whole(hints, checked, project, now)
                kept = intake.kept(project, now, hints, request.body)
                verdicts = await _once_on_disk(kept, verdicts)
    except HedgerowError as error:
        intake.note_refusal(request, now, hints, error)
        return _refused(error)
    intake.note(request, now, project, events=checked.events)
    return json_answer({"results": verdicts})


async def _once_on_disk(kept: Awaitable[None], verdicts: Verdicts) -> Verdicts:
    """Return the verdicts, those on kept events changed if the disk failed."""
    try:
        await kept
    except InboxUnavailable:
        return {
            uuid: verdict if verdict.result == "drop" else NOT_PERSISTED
            for uuid, verdict in verdicts.items()
        }
    return verdicts


def _said(request: Asked) -> V1Request:
    """Return what the headers say. Raises BadCapture for what they lack."""
    token = _token(request.header(b"authorization"))
    missing = [name.decode() for name in _REQUIRED if not request.header(name).strip()]
    if missing:
        raise BadCapture(
            "missing_required_headers",
            f"These headers are missing: {', '.join(missing)}.",
            hint="Send them all.",
        )
    media_type = request.header(b"content-type").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise _unsupported(f"The content type is {media_type!r}.", "Send application/json.")
    encoding = request.header(b"content-encoding").strip().lower()
    if encoding not in ENCODINGS:
        raise _unsupported(
            f"The content encoding is {encoding!r}.", "Use gzip, deflate, br or zstd."
        )
    for name, is_right, wanted in _CHECKED:
        if not is_right(request.header(name)):
            raise _wrong_header(name.decode(), request.header(name), wanted)
    return V1Request(
        token=token,
        sdk=request.header(b"posthog-sdk-info"),
        sent_at=request.header(b"posthog-request-timestamp"),
    )


def _token(authorization: str) -> str:
    scheme, _, token = authorization.strip().partition(" ")
    if scheme and scheme.lower() != "bearer":
        raise _wrong_header("authorization", scheme, "Bearer and the project token")
    return checked_token(token)


def _is_attempt(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) < 10 and int(value) >= 1


def _is_uuid(value: str) -> bool:
    return canonical_uuid(value) is not None


_CHECKED: tuple[tuple[bytes, Callable[[str], bool], str], ...] = (
    (b"posthog-attempt", _is_attempt, "a number from 1"),
    (b"posthog-request-id", _is_uuid, "a UUID"),
    (b"posthog-request-timestamp", is_rfc_3339, "a time as in RFC 3339"),
)


def _wrong_header(name: str, value: str, wanted: str) -> BadCapture:
    return BadCapture(
        "invalid_header_value", f"{name} is {value!r:.80}.", hint=f"It must be {wanted}."
    )


def _unsupported(what: str, hint: str) -> BadCapture:
    return BadCapture("unsupported_media_type", what, hint=hint)


def _refused(error: HedgerowError) -> Answer:
    tag = _TAGS.get(error.code, error.code)
    return Answer(
        status_of(error.code),
        msgspec.json.encode({"error": tag, "error_description": str(error)}),
        headers=retry_after(RETRY_AFTER_S if isinstance(error, InboxUnavailable) else None),
    )
