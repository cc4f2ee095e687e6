"""What was asked: the parts of a raw ASGI request that capture looks at.

Everything is read once, into a struct. The body is read up to the limit; a request that
announces more is refused before its first byte.
"""

import asyncio
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from hedgerow.capture.answers import Header, Receive, Scope
from hedgerow.capture.encodings import too_large
from hedgerow.capture.wire import Hints, PathKind
from hedgerow.errors import BadCapture, InboxUnavailable

_ENCODINGS = frozenset({"gzip", "deflate"})
_ENCODINGS_OF_V1 = frozenset({"gzip", "deflate", "br", "zstd"})
SLOWEST_S = 120.0
"""Room is kept for a body while it comes; one that never ends must give it back."""

_FORM = b"application/x-www-form-urlencoded"


class Asked(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One request."""

    method: str
    path: str
    """Without its final slash."""

    query: dict[str, str]
    headers: dict[bytes, bytes]
    """By lower-case name."""

    ip: str | None
    body: bytes = b""

    def header(self, name: bytes) -> str:
        """Return a header as text; empty if it was not sent."""
        return self.headers.get(name, b"").decode("latin-1")


def asked(scope: Scope, *, trusted_proxies: int) -> Asked:
    """Return a request without its body."""
    headers = dict(scope["headers"])
    return Asked(
        method=scope["method"],
        path=scope["path"].rstrip("/"),
        query=query_of(scope["query_string"]),
        headers=headers,
        ip=address_of(scope.get("client"), headers, trusted_proxies),
    )


def query_of(raw: bytes) -> dict[str, str]:
    """Return the query's fields; of several with one name the last."""
    return dict(parse_qsl(raw.decode("latin-1"))) if raw else {}


def address_of(
    client: Any, headers: dict[bytes, bytes], trusted_proxies: int
) -> str | None:
    """Return the client's address as the outermost trusted proxy saw it."""
    direct = str(client[0]) if client else None
    if not trusted_proxies:
        return direct
    seen = [part.strip() for part in headers.get(b"x-forwarded-for", b"").split(b",")]
    if not seen[-1]:
        return direct
    return seen[-min(trusted_proxies, len(seen))].decode("latin-1") or direct


def size_of(request: Asked, limit: int) -> int:
    """Return the bytes to expect; ``limit`` where they are not announced. Raises body_too_large."""
    announced = request.headers.get(b"content-length", b"")
    if not announced.isdigit():
        return limit if b"transfer-encoding" in request.headers else 0
    if int(announced) > limit:
        raise too_large(int(announced), limit)
    return int(announced)


async def with_body(request: Asked, receive: Receive, limit: int) -> Asked:
    """Return the request with its body, at most ``limit`` bytes.

    Raises body_too_large, and InboxUnavailable where it takes too long to come.
    """
    size_of(request, limit)
    try:
        async with asyncio.timeout(SLOWEST_S):
            message = await receive()
            body = message.get("body", b"")
            if message.get("more_body"):
                body = await _rest(body, receive, limit)
    except TimeoutError as error:
        raise InboxUnavailable(
            f"The body did not arrive within {SLOWEST_S:.0f} s.",
            hint="Send it again, fewer events at a time.",
        ) from error
    if len(body) > limit:
        raise too_large(len(body), limit)
    return msgspec.structs.replace(request, body=body)


def hints_of(request: Asked, path: PathKind) -> Hints:
    """Return what must be kept beside the body to read it later."""
    headers, query = request.headers, request.query
    encoding = headers.get(b"content-encoding", b"")
    return Hints(
        path=path,
        form=headers.get(b"content-type", b"").lower().startswith(_FORM)
        and not query.get("data"),
        compression=query["compression"].lower() if "compression" in query else "",
        content_encoding=_known(encoding, path) if encoding else "",
        sent_ms=_sent_ms(query["_"]) if "_" in query else None,
        ip=request.ip,
        user_agent=request.header(b"user-agent") or None,
        host=request.header(b"host") or None,
    )


def _known(encoding: bytes, path: PathKind) -> str:
    """Return a content encoding that a path knows; others mean nothing."""
    name = encoding.decode("latin-1").strip().lower()
    return name if name in (_ENCODINGS_OF_V1 if path == "v1" else _ENCODINGS) else ""


def _sent_ms(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def payload_of(request: Asked) -> bytes:
    """Return the query's ``data`` if there is any, else the body."""
    data = request.query.get("data")
    return data.encode("utf-8", "surrogateescape") if data else request.body


async def _rest(start: bytes, receive: Receive, limit: int) -> bytes:
    pieces, size = [start], len(start)
    while True:
        message: dict[str, Any] = dict(await receive())
        if message["type"] == "http.disconnect":
            raise BadCapture(
                "undecodable_body", "The body was cut off.", hint="Send it again."
            )
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if size > limit:
            raise too_large(size, limit)
        if not message.get("more_body"):
            return b"".join(pieces)


__all__ = [
    "Asked",
    "Header",
    "address_of",
    "asked",
    "hints_of",
    "payload_of",
    "query_of",
    "size_of",
    "with_body",
]
