"""Everything in one process until it is told to stop.

Nearly all requests are captures. The usual ones go from the socket straight to capture
(``capture.door``), the others to its raw ASGI callable; the framework gets the rest. One
process with one event loop, because one process owns the events database.
"""

import asyncio
import json
import logging
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from typing import Any

import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from hedgerow.alerts import posting, telling
from hedgerow.api import forgetting, health
from hedgerow.api.parts import Parts
from hedgerow.api.questions import Questions
from hedgerow.api.routes import routes as api_routes
from hedgerow.capture.door import Door
from hedgerow.capture.endpoints import handles
from hedgerow.errors import BadSetting, HedgerowError
from hedgerow.inbox import MIB
from hedgerow.meta import access, accounts
from hedgerow.replies import refusal
from hedgerow.serve.alerting import Alerting, letters
from hedgerow.serve.errands import Errands
from hedgerow.serve.expiring import Hourly
from hedgerow.serve.figures import checks, figures
from hedgerow.serve.house import House
from hedgerow.serve.publishing import Nightly
from hedgerow.serve.tuning import thrifty, tuned
from hedgerow.settings import Settings
from hedgerow.web.identity import provider_of
from hedgerow.web.pages import routes as web_routes
from hedgerow.web.services import Services

LOG = logging.getLogger(__name__)
RUNNING = "running.json"
"""In the data folder while a server runs: its address and process id."""

BACKLOG = 1024
"""Connections that may wait to be accepted."""

LAST_ANSWERS_S = 1
"""Seconds that requests under way have after the signal to stop."""

KEEP_ALIVE_S = 75
"""Seconds a connection may rest; longer than the pauses of any SDK between its batches."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


def serve(settings: Settings, *, say: Callable[[str], None] = print) -> None:
    """Run everything until SIGINT or SIGTERM, then store what was acknowledged and end.

    Raises BadSetting when the port is taken, StoreUnavailable when the data cannot be
    opened.
    """
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    thrifty()
    listening = _listening(settings.host, settings.port)
    house = House(settings)
    try:
        _tell_of_a_crash(house, say)
        house.start()
        tuned()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(house, listening, say))
    finally:
        listening.close()
        house.close()
        say("Stopped; everything acknowledged is kept.")


def _tell_of_a_crash(house: House, say: Callable[[str], None]) -> None:
    """Say what the last run left to do, if it ended without a clean stop."""
    if not (house.folder / RUNNING).exists():
        return
    waiting = max(house.inbox.last_position() - house.store.position(), 0)
    todo = (
        f"{waiting:,} acknowledged requests wait in the inbox and are stored now."
        if waiting
        else "Everything acknowledged was stored already."
    )
    say(f"The last run ended without a clean stop; nothing is lost. {todo}")


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
        public_url=house.settings.public_url,
    )
    framework = Starlette(
        routes=[
            *health.routes(checks(house), lambda: figures(house)),
            *forgetting.routes(parts, trusted_proxies=house.settings.trusted_proxies),
            *api_routes(parts, version("hedgerow")),
            *web_routes(services_of(house)),
        ],
        exception_handlers={Exception: last_resort},
    )
    capture = house.capture

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and handles(scope["path"], scope["method"]):
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
        try_alert=lambda alert: telling.try_out(
            house.metadata, house.settings, alert, address(house.settings), house.clock()
        ),
        try_subscription=lambda row, to: posting.try_out(
            house.settings, row, letters(house, address(house.settings)).write, to
        ),
        provider=provider_of(house.settings),
    )


class _Server(uvicorn.Server):
    """Uvicorn, told to stop by us rather than by signals of its own."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _run(house: House, listening: socket.socket, say: Callable[[str], None]) -> None:
    questions = Questions(house.settings.query_threads, house.clock)
    server = _Server(
        uvicorn.Config(
            application(house, questions),
            http=partial(Door, house.capture),  # type: ignore[arg-type]  # called like a class
            interface="asgi3",
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=LAST_ANSWERS_S,
        )
    )
    loop = asyncio.get_running_loop()
    for one in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(one, _stop, server)
    errands = Errands(house.folder, house.errands)
    hourly = Hourly(house.hourly)
    nightly = Nightly(house)
    alerting = Alerting(house, address(house.settings))
    note = house.folder / RUNNING
    try:
        note.write_text(
            json.dumps({"local_url": _local(house.settings), "pid": os.getpid()})
        )
        errands.start()
        hourly.start()
        nightly.start()
        alerting.start()
        _announce(house, say)
        await server.serve(sockets=[listening])
    finally:
        note.unlink(missing_ok=True)
        hourly.stop()
        nightly.stop()
        alerting.stop()
        errands.stop()
        questions.close()


def _stop(server: uvicorn.Server) -> None:
    server.should_exit = True


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


def _listening(host: str, port: int) -> socket.socket:
    """Return a socket that takes connections from now on. Raises BadSetting."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
        made.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        made.close()
        raise BadSetting(
            f"Hedgerow cannot listen on {host}:{port}: {error}.",
            hint="Choose another with --host and --port.",
        ) from error
    return made


async def last_resort(request: Request, error: Exception) -> Response:
    """Answer what nobody foresaw: the log has the traceback, the caller a sentence."""
    LOG.error("%s %s failed.", request.method, request.url.path, exc_info=error)
    unforeseen = HedgerowError(
        "Hedgerow failed to answer this.", hint="Its log says why; try again."
    )
    return refusal(unforeseen)
