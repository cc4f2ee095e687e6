"""The servers that `bench/ingest.py` measures; the working folder is the data folder.

``durable``: capture as it is. ``volatile``: the same, acknowledged without waiting for the
disk. ``bare``: an endpoint that reads the body and answers, the ceiling of the HTTP server.
"""

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from hedgerow.capture.answers import Receive, Scope, Send
from hedgerow.capture.endpoints import Capture
from hedgerow.inbox import SqliteInbox
from hedgerow.model.projects import Project
from hedgerow.settings import Settings

PROJECT = Project(id=1, name="Bench", api_token="phc_bench")


class Volatile:
    """An inbox that forgets."""

    def append(self, *_: object) -> "Future[int]":
        """Say at once that it is kept."""
        kept: Future[int] = Future()
        kept.set_result(1)
        return kept

    def close(self) -> None:
        """Nothing was opened."""


def _served(open_inbox: Callable[[], Any]) -> Callable[..., Any]:
    opened: dict[str, Any] = {}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await opened["capture"](scope, receive, send)
            return
        await receive()
        opened["inbox"] = open_inbox()
        opened["capture"] = Capture(
            project_of={PROJECT.api_token: PROJECT}.get,
            inbox=opened["inbox"],
            settings=Settings(data="."),
        )
        await send({"type": "lifespan.startup.complete"})
        await receive()
        opened["inbox"].close()
        await send({"type": "lifespan.shutdown.complete"})

    return app


durable = _served(lambda: SqliteInbox(Path("inbox.sqlite")))
volatile = _served(Volatile)


async def bare(scope: Scope, receive: Receive, send: Send) -> None:
    """Read, and answer what capture answers."""
    if scope["type"] == "lifespan":
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{message['type']}.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", b"13")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"status": 1}'})
