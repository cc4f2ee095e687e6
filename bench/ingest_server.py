"""The servers that `bench/ingest.py` measures; the working folder is the data folder.

    python -m bench.ingest_server durable|volatile|bare PORT

``durable``: capture as it is. ``volatile``: the same, acknowledged without waiting for the
disk. ``bare``: the same way in, which answers without a look, the ceiling of the server.
"""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import uvicorn
import uvloop

from hedgerow.capture.answers import ACCEPTED, Answer
from hedgerow.capture.door import Door
from hedgerow.capture.endpoints import Capture
from hedgerow.capture.intake import Intake
from hedgerow.inbox import MIB, SqliteInbox, Told
from hedgerow.model.projects import Project
from hedgerow.serve.tuning import tuned
from hedgerow.settings import Settings

PROJECT = Project(id=1, name="Bench", api_token="phc_bench")


class Volatile:
    """An inbox that forgets."""

    def put(self, _: object, told: Told) -> None:
        """Say at once that it is kept."""
        told(1)

    def refuse_if_full(self, _: int) -> None:
        """Never be full."""

    def close(self) -> None:
        """Nothing was opened."""


class Bare(Intake):
    """Takes everything without a look."""

    def take_small(self, *asked: object) -> None:
        """Answer what capture answers."""
        answer: Callable[[Answer], None] = asked[-1]
        answer(ACCEPTED)


def main(name: str, port: str) -> None:
    """Serve until told to stop."""
    tuned()
    settings = Settings(data=".")
    project_of = {PROJECT.api_token: PROJECT}.get
    inbox = SqliteInbox(Path("inbox.sqlite")) if name == "durable" else Volatile()
    capture = Capture(project_of=project_of, inbox=inbox, settings=settings)
    if name == "bare":
        capture.intake = Bare(project_of, inbox, settings, bodies_bytes=64 * MIB)
    config = uvicorn.Config(
        capture,
        port=int(port),
        http=partial(Door, capture),
        interface="asgi3",
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        backlog=1024,
    )
    uvloop.run(uvicorn.Server(config).serve())
    inbox.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
