"""Speaks raw ASGI to a ``Capture`` with an inbox of its own: no socket, no server."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from hedgerow.capture.endpoints import Capture
from hedgerow.capture.wire import decode_queued
from hedgerow.inbox import SqliteInbox
from hedgerow.model.projects import Project
from hedgerow.settings import Settings

TOKEN = "phc_test"
PROJECT = Project(id=7, name="Test", api_token=TOKEN)


@dataclass
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def json_or_nothing(self) -> Any:
        """Return the JSON of the body; an empty body says nothing."""
        return self.json() if self.body else {}

    @property
    def code(self) -> str:
        return self.json()["code"]


@dataclass
class Client:
    """Asks, and looks into the inbox."""

    inbox: SqliteInbox
    settings: Settings
    capture: Capture = field(init=False)

    def __post_init__(self) -> None:
        self.capture = Capture(
            project_of={TOKEN: PROJECT}.get, inbox=self.inbox, settings=self.settings
        )

    def ask(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        *,
        client: str = "10.0.0.7",
        **headers,
    ) -> Reply:
        """Send one request; ``content_type="text/plain"`` becomes a header."""
        path, _, query = target.partition("?")
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in named.items()],
            "client": (client, 4242),
        }
        pieces = [body[at : at + 65_536] for at in range(0, len(body), 65_536)] or [b""]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {
                "type": "http.request",
                "body": pieces.pop(0),
                "more_body": bool(pieces),
            }

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        asyncio.run(self.capture(scope, receive, send))
        start, *rest = sent
        return Reply(
            status=start["status"],
            headers={name.decode(): value.decode() for name, value in start["headers"]},
            body=b"".join(message["body"] for message in rest),
        )

    def post(self, target: str, value: Any, **headers) -> Reply:
        """Send a value as JSON."""
        headers.setdefault("content_type", "application/json")
        return self.ask("POST", target, json.dumps(value).encode(), **headers)

    def events(self) -> list[Any]:
        """Return every event in the inbox, decoded as the writer will."""
        queued = self.inbox.read(after=0, limit_bytes=10**9)
        return [
            event for one in queued for event in decode_queued(one.hints, one.body).events
        ]
