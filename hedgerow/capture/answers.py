"""What capture sends back: a status, a body, and headers for browsers of any origin.

Raw ASGI rather than a framework's response, since this is the path that every event
takes. Everything here answers CORS, errors included: without those headers a browser
hides even the reason of a refusal from its page.
"""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

import msgspec

from hedgerow.errors import HedgerowError
from hedgerow.replies import RETRY_AFTER_S, refusal_body, status_of

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Header = tuple[bytes, bytes]

JSON = b"application/json"


class Answer(msgspec.Struct, frozen=True):
    """One reply, before the headers that all replies have."""

    status: int
    body: bytes
    content_type: bytes = JSON
    headers: tuple[Header, ...] = ()


ACCEPTED = Answer(200, b'{"status": 1}')
"""What SDKs wait for. Any other 2xx makes some of them send everything again."""

NO_CONTENT = Answer(204, b"")

_OF_ALL: tuple[Header, ...] = (
    (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
    (b"access-control-expose-headers", b"Retry-After"),
    (b"access-control-max-age", b"86400"),
    (b"vary", b"Origin"),
)
_ANY_ORIGIN: tuple[Header, ...] = ((b"access-control-allow-origin", b"*"), *_OF_ALL)


def json_answer(value: Any, status: int = 200) -> Answer:
    """Return ``value`` as JSON."""
    return Answer(status, msgspec.json.encode(value))


def refused(error: HedgerowError) -> Answer:
    """Return an error as SDKs know it."""
    return Answer(
        status_of(error.code),
        msgspec.json.encode(refusal_body(error)),
        headers=retry_after(RETRY_AFTER_S.get(error.code)),
    )


def retry_after(seconds: int | None) -> tuple[Header, ...]:
    """Return the header that says when to send again, if there is anything to say."""
    return () if seconds is None else ((b"retry-after", str(seconds).encode()),)


async def reply(send: Send, answer: Answer, asked_with: Iterable[Header]) -> None:
    """Send an answer, with CORS headers that fit the headers of the request."""
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": headers_of(answer, asked_with),
        }
    )
    await send({"type": "http.response.body", "body": answer.body})


def headers_of(answer: Answer, asked_with: Iterable[Header]) -> list[Header]:
    """Return all headers of an answer to a request with these headers."""
    return [
        (b"content-type", answer.content_type),
        *answer.headers,
        *_cors(asked_with),
        (b"content-length", b"%d" % len(answer.body)),
    ]


def _cors(asked_with: Iterable[Header]) -> tuple[Header, ...]:
    origin = wanted = None
    for name, value in asked_with:
        if name == b"origin":
            origin = value
        elif name == b"access-control-request-headers":
            wanted = value
    if origin is None:
        return _ANY_ORIGIN
    mirrored: tuple[Header, ...] = (
        (b"access-control-allow-origin", origin),
        (b"access-control-allow-credentials", b"true"),
        *_OF_ALL,
    )
    if wanted is None:
        return mirrored
    return (*mirrored, (b"access-control-allow-headers", wanted))
