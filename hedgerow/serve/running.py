"""Everything in one process until it is told to stop.

Capture is asked first, as a raw ASGI callable: nearly all requests are its, and the
framework stays out of the way. One worker process, because one process owns the events
database.
"""

import asyncio
import json
import logging
import os
import signal
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from importlib.metadata import version
from typing import Any

from granian.constants import Interfaces
from granian.server.embed import Server
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from hedgerow.api import health
from hedgerow.api.parts import Parts
from hedgerow.api.questions import Questions
from hedgerow.api.routes import routes as api_routes
from hedgerow.capture.endpoints import handles
from hedgerow.errors import BadSetting, HedgerowError
from hedgerow.inbox import MIB
from hedgerow.meta import access, accounts
from hedgerow.replies import refusal
from hedgerow.serve.errands import Errands
from hedgerow.serve.figures import checks, figures
from hedgerow.serve.house import House
from hedgerow.settings import Settings
from hedgerow.web.pages import routes as web_routes
from hedgerow.web.services import Services

LOG = logging.getLogger(__name__)
RUNNING = "running.json"
"""In the data folder while a server runs: its address and process id."""

BACKLOG = 1024
"""Connections that may wait to be accepted."""

LAST_ANSWERS_S = 1.0
"""Seconds that requests under way have after the signal to stop."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


def serve(settings: Settings, *, say: Callable[[str], None] = print) -> None:
    """Run everything until SIGINT or SIGTERM, then store what was acknowledged and end.

    Raises BadSetting when the port is taken, StoreUnavailable when the data cannot be
    opened.
    """
    _refuse_taken(settings.host, settings.port)
    logging.getLogger("granian").setLevel(logging.ERROR)
    house = House(settings)
    try:
        house.start()
        asyncio.run(_run(house, say))
    finally:
        house.close()
        say("Stopped; everything acknowledged is kept.")


def application(house: House, questions: Questions) -> App:
    """Return the ASGI callable for all of Hedgerow: capture first, then the framework."""
    parts = Parts(
        metadata=house.metadata,
        directory=house.directory,
        reader=house.store,
        ask=house.asking,
        command=house.command,
        import_lines=house.import_lines,
        ingestion=house,
        clock=house.clock,
        questions=questions,
        max_body_bytes=house.settings.max_body_mib * MIB,
    )
    framework = Starlette(
        routes=[
            *health.routes(checks(house), lambda: figures(house)),
            *api_routes(parts, version("hedgerow")),
            *web_routes(services_of(house)),
        ],
        exception_handlers={Exception: last_resort},
    )
    capture = house.capture

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and handles(scope["path"]):
            await capture(scope, receive, send)
        else:
            await framework(scope, receive, send)

    return app


def services_of(house: House) -> Services:
    """Return what the screens are handed."""
    return Services(
        metadata=house.metadata,
        directory=house.directory,
        reader=house.store,
        ask=house.asking,
        context=house.asking.context,
        command=house.command,
        ingestion=house.state,
        sightings=house.capture.sightings.recent,
        settings=house.settings,
        clock=house.clock,
    )


async def _run(house: House, say: Callable[[str], None]) -> None:
    settings = house.settings
    questions = Questions(settings.query_threads, house.clock)
    server = Server(
        application(house, questions),
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGINL,
        backlog=BACKLOG,
        websockets=False,
        log_enabled=False,
    )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for one in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(one, stop.set)
    errands = Errands(house.folder, house.errands)
    serving = asyncio.create_task(server.serve())
    ending = asyncio.create_task(stop.wait())
    note = house.folder / RUNNING
    try:
        await asyncio.sleep(0)  # the server binds its port now
        note.write_text(json.dumps({"local_url": _local(settings), "pid": os.getpid()}))
        errands.start()
        _announce(house, say)
        await asyncio.wait({serving, ending}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        note.unlink(missing_ok=True)
        errands.stop()
        questions.close()
        server.stop()  # type: ignore[no-untyped-call]  # Granian leaves it so
        ending.cancel()
        await asyncio.wait({serving}, timeout=LAST_ANSWERS_S)


def address(settings: Settings) -> str:
    """Return where people find this server."""
    return settings.public_url.rstrip("/") or _local(settings)


def _local(settings: Settings) -> str:
    """Return where this machine finds this server."""
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104  it is read here, not bound
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def _announce(house: House, say: Callable[[str], None]) -> None:
    """Say where to go; before anybody has an account, by which link."""
    url = address(house.settings)
    say(f"Hedgerow is ready at {url}")
    with house.metadata.writing() as session:
        if accounts.is_set_up(session):
            return
        token = access.make_link(session, "setup", house.clock())
    say(f"Set it up, once, at {url}/setup/{token}")


def _refuse_taken(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            raise BadSetting(
                f"Hedgerow cannot listen on {host}:{port}: {error}.",
                hint="Choose another with --host and --port.",
            ) from error


async def last_resort(request: Request, error: Exception) -> Response:
    """Answer what nobody foresaw: the log has the traceback, the caller a sentence."""
    LOG.error("%s %s failed.", request.method, request.url.path, exc_info=error)
    unforeseen = HedgerowError(
        "Hedgerow failed to answer this.", hint="Its log says why; try again."
    )
    return refusal(unforeseen)
