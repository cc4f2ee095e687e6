"""The short way in: an ordinary capture request, answered without a task of its own.

Uvicorn reads HTTP and makes a task, a scope and several messages of each request before
any application sees it; that costs more than decoding the event. A ``Door`` is uvicorn's
protocol with one exception: a ``POST`` of moderate size to an event path goes straight to
``Intake`` and its answer straight to the socket, once it is on disk. Whatever is unusual
about a request (another method or path, a long or chunked body, ``Expect``, one that was
sent before the last one was answered, one for which there is no room) takes the usual way
through ASGI, to the same rules.
"""

import re
from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from hedgerow.capture.admission import Admission
from hedgerow.capture.answers import ACCEPTED, Answer, headers_of
from hedgerow.capture.endpoints import EVENTS, Capture
from hedgerow.capture.intake import QUICKLY_READ
from hedgerow.capture.requests import Asked, address_of, query_of
from hedgerow.capture.wire import PathKind

_KINDS: dict[bytes, tuple[str, PathKind]] = {
    path.encode() + slash: (path, kind)
    for path, kind in EVENTS.items()
    for slash in (b"", b"/")
}
_TO_ANYBODY = b"".join(b"%s: %s\r\n" % header for header in headers_of(ACCEPTED, ()))
"""Headers of the usual answer to whoever names no origin."""

_UPGRADE = re.compile(rb"\r\nupgrade:[^\r\n]*", re.IGNORECASE)


class _Waiting:
    """A request whose answer is due; uvicorn holds it as if it were one of its cycles."""

    def __init__(
        self, path: str, kind: PathKind, query: bytes, headers: dict[bytes, bytes]
    ) -> None:
        self.path, self.kind, self.query, self.headers = path, kind, query, headers
        self.body = b""
        self.admission: Admission | None = None
        """Where room is kept for it; None once that has been given back."""

        self.size = 0
        self.is_handed_on = False
        self.keep_alive = True
        self.response_complete = self.disconnected = False
        self.message_event = self

    def set(self) -> None:
        """Be told that the connection is lost; ``disconnected`` says it already."""
        if not self.is_handed_on:
            self.leave()

    def leave(self) -> None:
        """Give back the room that was kept, once."""
        if self.admission is not None:
            self.admission.leave(self.size)
            self.admission = None


class Door(HttpToolsProtocol):
    """One connection."""

    cycle: Any
    """The request under way: one of uvicorn's, or a ``_Waiting``; None before the first."""

    def __init__(self, capture: Capture, **uvicorns: Any) -> None:
        super().__init__(**uvicorns)
        self._capture = capture
        self._within = False

    def data_received(self, data: bytes) -> None:
        """Read on; an offer of HTTP/2 is declined, else the parser would drop the body."""
        if b"h2c" in data and not self._within:
            head, end, rest = data.partition(b"\r\n\r\n")
            data = _UPGRADE.sub(b"", head) + end + rest
        super().data_received(data)

    def on_message_begin(self) -> None:
        """Begin a request; the scope is made when it is known to be needed."""
        self._within = True
        self.url = b""
        self.expect_100_continue = False
        self.headers = []

    def on_headers_complete(self) -> None:
        """Choose the way."""
        waiting = self._usual()
        if waiting is not None:
            self.cycle = waiting
            return
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers.extend(headers)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        waiting = self.cycle
        if not isinstance(waiting, _Waiting):
            super().on_body(body)
        elif not waiting.response_complete:
            waiting.body = waiting.body + body if waiting.body else body

    def on_message_complete(self) -> None:
        """Hand a request on."""
        self._within = False
        waiting = self.cycle
        if not isinstance(waiting, _Waiting):
            super().on_message_complete()
            return
        waiting.keep_alive = waiting.keep_alive and self.parser.should_keep_alive()
        request = Asked(
            method="POST",
            path=waiting.path,
            query=query_of(waiting.query),
            headers=waiting.headers,
            ip=address_of(self.client, waiting.headers, self._capture.trusted_proxies),
            body=waiting.body,
        )
        answer = partial(self._answer, waiting)
        self._capture.intake.take_small(request, waiting.kind, answer)
        waiting.is_handed_on = True

    def _usual(self) -> _Waiting | None:
        """Return the request if it may take the short way."""
        path, _, query = self.url.partition(b"?")
        found = _KINDS.get(path)
        parser = self.parser
        if found is None or self.expect_100_continue or parser.get_method() != b"POST":
            return None
        if self.cycle is not None and not self.cycle.response_complete:
            return None
        if parser.get_http_version() != "1.1":
            return None
        headers = dict(self.headers)
        size = headers.get(b"content-length", b"")
        if not size.isdigit() or int(size) > QUICKLY_READ:
            return None
        admission = self._capture.intake.admission
        if not admission.enter(int(size)):
            return None
        waiting = _Waiting(*found, query, headers)
        waiting.admission, waiting.size = admission, int(size)
        return waiting

    def _answer(self, waiting: _Waiting, answer: Answer) -> None:
        waiting.leave()
        waiting.response_complete = True
        if waiting.disconnected or self.transport.is_closing():
            return
        headers = waiting.headers
        if answer is ACCEPTED and b"origin" not in headers:
            lines = _TO_ANYBODY
        else:
            lines = b"".join(
                b"%s: %s\r\n" % header for header in headers_of(answer, headers.items())
            )
        pieces = [STATUS_LINE[answer.status], lines]
        pieces += [b"%s: %s\r\n" % header for header in self.server_state.default_headers]
        if not waiting.keep_alive:
            pieces.append(b"connection: close\r\n")
        self.transport.write(b"".join((*pieces, b"\r\n", answer.body)))
        if not waiting.keep_alive:
            self.transport.close()
        self.on_response_complete()
