"""Every path that an SDK talks to, as one raw ASGI callable in front of the framework.

``serve`` asks ``handles(path)`` and hands such requests to a ``Capture``; all others go
to the framework. A request for events is read, checked by ``wire``, matched to a project
in memory, put into the inbox as it came, and answered once the inbox says that it is on
disk. From then on the client may forget its events, and a crash of ours loses nothing.

Nothing here looks at people or at the store.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from hedgerow.capture import newer, sdk
from hedgerow.capture.answers import (
    NO_CONTENT,
    Answer,
    Receive,
    Scope,
    Send,
    refused,
    reply,
)
from hedgerow.capture.intake import Intake, ProjectOf
from hedgerow.capture.requests import Asked, asked, with_body
from hedgerow.capture.wire import PathKind
from hedgerow.errors import HedgerowError, MethodNotAllowed
from hedgerow.inbox import MIB, SqliteInbox
from hedgerow.settings import Settings

EVENTS: Mapping[str, PathKind] = {
    "/batch": "v0",
    "/e": "v0",
    "/i/v0/e": "v0",
    "/capture": "v0",
    "/track": "v0",
    "/engage": "engage",
    "/i/v0/ai/batch": "ai",
}
"""Paths that take events in any shape, and the rules that hold there."""

V1 = "/i/v1/analytics/events"

METHODS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(EVENTS, ("POST", "GET")),
    V1: ("POST",),
    **sdk.METHODS,
}
"""Each fixed path, without its final slash, and what may be done there."""

PATHS = frozenset(METHODS)

OF_SDKS = "/i/"
"""Paths that begin so are for SDKs, also those that only a later one will know."""

_UNDER = re.compile(f"{sdk.CONFIG.pattern}|{sdk.SCRIPT.pattern}")


def handles(path: str, method: str) -> bool:
    """Return whether a request belongs to capture.

    A browser's question before a request (``OPTIONS``) is answered on all paths of SDKs, but
    not on others: no foreign page shall be told that it may use somebody's session.
    """
    return (
        path.rstrip("/") in PATHS
        or _UNDER.fullmatch(path) is not None
        or (method == "OPTIONS" and path.startswith(OF_SDKS))
    )


class Capture:
    """The ASGI callable for all paths that ``handles`` names."""

    def __init__(
        self,
        *,
        project_of: ProjectOf,
        inbox: SqliteInbox,
        settings: Settings,
        bodies_bytes: int = 64 * MIB,
    ) -> None:
        """``project_of`` knows each project by its token, in memory: it is asked often.

        ``bodies_bytes``: how much of bodies may be here at once.
        """
        self.intake = Intake(project_of, inbox, settings, bodies_bytes=bodies_bytes)
        self._sdk = sdk.Sdk(project_of, Path(settings.data) / "static")
        self.trusted_proxies = settings.trusted_proxies
        self.sightings = self.intake.sightings
        """Counts and the last requests, for the screens and ``/metrics``."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        request = asked(scope, trusted_proxies=self.trusted_proxies)
        try:
            answer = await self._answer(request, receive)
        except HedgerowError as error:
            answer = refused(error)
        await reply(send, answer, request.headers.items())

    async def _answer(self, request: Asked, receive: Receive) -> Answer:
        methods = METHODS.get(request.path, ("GET",))
        if request.method == "OPTIONS":
            return NO_CONTENT
        if request.method not in methods:
            raise MethodNotAllowed(
                f"{request.path} does not take {request.method}.",
                hint=f"Use {' or '.join(methods)}.",
            )
        if request.path in EVENTS:
            return await self.intake.take(request, receive, EVENTS[request.path])
        if request.path == V1:
            return await newer.take(self.intake, request, receive)
        return self._sdk.answer(await with_body(request, receive, self.intake.limit))
