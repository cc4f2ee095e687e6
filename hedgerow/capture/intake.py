"""Events, from a request to the disk: read, check, find the project, keep, then answer.

Both protocols take these steps; they differ in what they say about it. Every request is
noted with its verdict, so that whoever misses events can see what became of them.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from hedgerow.capture import cookieless, wire
from hedgerow.capture.admission import Admission
from hedgerow.capture.answers import ACCEPTED, NO_CONTENT, Answer, Receive, refused
from hedgerow.capture.encodings import MIB
from hedgerow.capture.gathering import Gathering
from hedgerow.capture.requests import Asked, hints_of, payload_of, size_of, with_body
from hedgerow.capture.salts import Salts
from hedgerow.capture.sightings import Sighting, Sightings
from hedgerow.capture.tokens import unknown_token
from hedgerow.capture.wire import Checked, Hints, PathKind
from hedgerow.errors import HedgerowError, InboxUnavailable
from hedgerow.inbox import Outcome, SqliteInbox, Told
from hedgerow.inbox_file import Entry
from hedgerow.model.projects import Project
from hedgerow.settings import Settings

ProjectOf = Callable[[str], Project | None]
"""The project of a token, from memory."""

QUICKLY_READ = 64 * 1024
"""Bytes; a larger body is read in a thread, so that others need not wait for it."""

_ENCODE = msgspec.json.Encoder().encode


class Intake:
    """Takes requests for events. Used by the one event loop only."""

    def __init__(
        self,
        project_of: ProjectOf,
        inbox: SqliteInbox,
        settings: Settings,
        *,
        bodies_bytes: int,
    ) -> None:
        self.limit = settings.max_body_mib * MIB
        self.admission = Admission(bodies_bytes)
        self.sightings = Sightings()
        self._project_of = project_of
        self._gathering = Gathering(inbox)
        self.salts = Salts(Path(settings.data))

    async def take(self, request: Asked, receive: Receive, path: PathKind) -> Answer:
        """Answer 200 once the events are on disk, or say why they cannot be taken."""
        now = datetime.now(UTC)
        hints = hints_of(request, path)
        try:
            with self.admission.room(size_of(request, self.limit)):
                request = await with_body(request, receive, self.limit)
                body = payload_of(request)
                checked = await self.checked(hints, body)
                project = self.project(checked.token)
                whole = self.whole(hints, checked, project, now)
                await self.kept(project, now, whole, body)
        except HedgerowError as error:
            return self._refused(request, now, hints, error)
        return self._accepted(request, now, project, checked)

    def take_small(
        self, request: Asked, path: PathKind, answer: Callable[[Answer], None]
    ) -> None:
        """Do as ``take`` does, without a coroutine, for a request with its small body.

        ``answer`` is called once, now or later, in the event loop.
        """
        now = datetime.now(UTC)
        hints = hints_of(request, path)
        body = payload_of(request)

        def told(outcome: Outcome) -> None:
            if isinstance(outcome, InboxUnavailable):
                answer(self._refused(request, now, hints, outcome))
            else:
                answer(self._accepted(request, now, project, checked))

        try:
            checked = wire.check(hints, body, self.limit)
            project = self.project(checked.token)
            self._put(project, now, self.whole(hints, checked, project, now), body, told)
        except HedgerowError as error:
            answer(self._refused(request, now, hints, error))

    async def checked(self, hints: Hints, body: bytes) -> Checked:
        """Return what a body holds. Raises BadCapture."""
        if len(body) <= QUICKLY_READ:
            return wire.check(hints, body, self.limit)
        async with self.admission.inflating:
            return await asyncio.to_thread(wire.check, hints, body, self.limit)

    def project(self, token: str) -> Project:
        """Return the project of a token. Raises invalid_token."""
        project = self._project_of(token)
        if project is None:
            raise unknown_token(token)
        return project

    def whole(
        self, hints: Hints, checked: Checked, project: Project, now: datetime
    ) -> Hints:
        """Return the hints with all that is needed to read the body later."""
        if checked.lacks_uuid:
            hints = msgspec.structs.replace(hints, seed=wire.new_seed(now))
        if checked.is_cookieless:
            salt = self.salts.of_day(now)
            parts = str(project.id), hints.ip, hints.user_agent, hints.host
            found = cookieless.visitor_id(salt, *parts)
            hints = msgspec.structs.replace(hints, visitor_id=found)
        return hints

    def kept(
        self, project: Project, now: datetime, hints: Hints, body: bytes
    ) -> Awaitable[None]:
        """Put a request into the inbox; raises InboxUnavailable when that is full.

        To be awaited until it is on disk; raises InboxUnavailable when that fails.
        """
        waiter: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

        def told(outcome: Outcome) -> None:
            if not waiter.done():  # else its client went away
                waiter.set_result(outcome)

        self._put(project, now, hints, body, told)
        return _on_disk(waiter)

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

    def _put(
        self, project: Project, now: datetime, hints: Hints, body: bytes, told: Told
    ) -> None:
        entry = Entry(project.id, "capture", now.timestamp(), _ENCODE(hints), body)
        self._gathering.keep(entry, told)

    def _accepted(
        self, request: Asked, now: datetime, project: Project, checked: Checked
    ) -> Answer:
        self.note(request, now, project, events=checked.events)
        return NO_CONTENT if request.query.get("beacon") == "1" else ACCEPTED

    def _refused(
        self, request: Asked, now: datetime, hints: Hints, error: HedgerowError
    ) -> Answer:
        self.note_refusal(request, now, hints, error)
        return refused(error)

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


async def _on_disk(waiter: "asyncio.Future[Outcome]") -> None:
    outcome = await waiter
    if isinstance(outcome, InboxUnavailable):
        raise outcome
