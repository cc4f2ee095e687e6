"""Events, from a request to the disk: read, check, find the project, keep, then answer.

Both protocols take these steps; they differ in what they say about it. Every request is
noted with its verdict, so that whoever misses events can see what became of them.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime

import msgspec

from hedgerow.capture import wire
from hedgerow.capture.answers import ACCEPTED, NO_CONTENT, Answer, Receive, refused
from hedgerow.capture.encodings import MIB
from hedgerow.capture.handover import Handover
from hedgerow.capture.requests import Asked, hints_of, payload_of, with_body
from hedgerow.capture.sightings import Sighting, Sightings
from hedgerow.capture.tokens import unknown_token
from hedgerow.capture.wire import Checked, Hints, PathKind
from hedgerow.errors import HedgerowError
from hedgerow.inbox import SqliteInbox
from hedgerow.model.projects import Project
from hedgerow.settings import Settings

ProjectOf = Callable[[str], Project | None]
"""The project of a token, from memory."""

_QUICKLY_READ = 64 * 1024
"""Bytes; a larger body is read in a thread, so that others need not wait for it."""

_ENCODE = msgspec.json.Encoder().encode


class Intake:
    """Takes requests for events. Used by the one event loop only."""

    def __init__(
        self, project_of: ProjectOf, inbox: SqliteInbox, settings: Settings
    ) -> None:
        self.limit = settings.max_body_mib * MIB
        self.sightings = Sightings()
        self._project_of = project_of
        self._inbox = inbox
        self._handover = Handover()

    async def take(self, request: Asked, receive: Receive, path: PathKind) -> Answer:
        """Answer 200 once the events are on disk, or say why they cannot be taken."""
        now = datetime.now(UTC)
        hints = hints_of(request, path)
        try:
            request = await with_body(request, receive, self.limit)
            body = payload_of(request)
            checked = await self.checked(hints, body)
            project = self.project(checked.token)
            if checked.lacks_uuid:
                hints = msgspec.structs.replace(hints, seed=wire.new_seed(now))
            await self.on_disk(self.append(project, now, hints, body))
        except HedgerowError as error:
            self.note_refusal(request, now, hints, error)
            return refused(error)
        self.note(request, now, project, events=checked.events)
        return NO_CONTENT if request.query.get("beacon") == "1" else ACCEPTED

    async def checked(self, hints: Hints, body: bytes) -> Checked:
        """Return what a body holds. Raises BadCapture."""
        if len(body) <= _QUICKLY_READ:
            return wire.check(hints, body, self.limit)
        return await asyncio.to_thread(wire.check, hints, body, self.limit)

    def project(self, token: str) -> Project:
        """Return the project of a token. Raises invalid_token."""
        project = self._project_of(token)
        if project is None:
            raise unknown_token(token)
        return project

    def append(
        self, project: Project, now: datetime, hints: Hints, body: bytes
    ) -> "Future[int]":
        """Put a request into the inbox. Raises InboxUnavailable when that is full."""
        return self._inbox.append(project.id, "capture", now, _ENCODE(hints), body)

    async def on_disk(self, kept: "Future[int]") -> int:
        """Wait until a request is on disk. Raises InboxUnavailable."""
        return await self._handover.result(kept)

    def note(
        self, request: Asked, now: datetime, project: Project | None, *, events: int
    ) -> None:
        """Remember a request that was accepted."""
        self._note(request, now, project, status=200, events=events)

    def note_refusal(
        self, request: Asked, now: datetime, hints: Hints, error: HedgerowError
    ) -> None:
        """Remember a request that was refused, with the project that it seems to be for."""
        token = wire.likely_token(hints, payload_of(request))
        project = self._project_of(token) if token else None
        status = refused(error).status
        self._note(request, now, project, status=status, code=error.code, detail=str(error))

    def _note(  # a sighting's fields, each named
        self,
        request: Asked,
        now: datetime,
        project: Project | None,
        *,
        status: int,
        events: int = 0,
        code: str = "",
        detail: str = "",
    ) -> None:
        sighting = Sighting(
            at=now,
            path=request.path,
            status=status,
            size_bytes=len(request.body),
            events=events,
            code=code,
            detail=detail,
            ip=request.ip,
            user_agent=request.header(b"user-agent") or None,
        )
        self.sightings.note(project.id if project else None, sighting)
