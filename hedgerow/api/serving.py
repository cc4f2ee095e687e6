"""From the table of endpoints to Starlette routes.

A request is read, then everything else happens in one of a bounded number of threads:
who calls, whether they may, decoding, the answer, its JSON. Questions have threads of
their own, so that they hold up nothing else, and are cancelled when nobody waits for them any more.
"""

import asyncio
import functools
import logging
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import anyio
import msgspec
from anyio import to_thread
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from hedgerow.api import callers
from hedgerow.api.callers import Caller
from hedgerow.api.endpoints import Download, Endpoint
from hedgerow.api.parts import Parts
from hedgerow.api.requests import body_of, params_of
from hedgerow.errors import HedgerowError, MethodNotAllowed, NotFound
from hedgerow.replies import refusal

THREADS = 24
"""Requests worked on at the same time, and as many questions apart from them. (How many
of those run at a time, the store decides.)"""

PROJECT = "/api/projects/{project_id}"

METHODS = ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS")
"""All are taken here, so that a wrong one is refused in the one JSON shape too."""

NUMBERED = frozenset(
    {
        "alert_id", "annotation_id", "cohort_id", "dashboard_id", "experiment_id",
        "subscription_id", "tile_id",
    }
)  # fmt: skip
"""Names in addresses that stand for whole numbers."""

log = logging.getLogger(__name__)


class BodyTooLarge(HedgerowError):
    """A request larger than the setting ``max_body_mib``."""

    code = "body_too_large"


class _Slash(Convertor[str]):
    """A slash at the end of an address, which is accepted and not required."""

    regex = "/?"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class _Room(_Slash):
    """What holds projects: PostHog has two words for it."""

    regex = "projects|environments"


class _Whole(_Slash):
    """A name as events and properties have them: slashes may be in it."""

    regex = ".+?"


register_url_convertor("slash", _Slash())
register_url_convertor("whole", _Whole())
register_url_convertor("room", _Room())


def routes(endpoints: Sequence[Endpoint], parts: Parts) -> list[Route]:
    """Return a route for each address of the table, and one for unknown addresses."""
    threads = anyio.CapacityLimiter(THREADS)
    questions = anyio.CapacityLimiter(THREADS)
    by_path: dict[str, dict[str, Endpoint]] = {}
    for one in endpoints:
        by_path.setdefault(one.path, {})[one.method] = one
    made = []
    for path in sorted(by_path, key=_literal_first):
        answer = functools.partial(
            _answer, methods=by_path[path], parts=parts, limiters=(threads, questions)
        )
        made.append(Route(_address(path), _named(answer), methods=METHODS))
    made.append(Route("/api/{rest:path}", _unknown, methods=METHODS))
    return made


async def _answer(
    request: Request,
    *,
    methods: Mapping[str, Endpoint],
    parts: Parts,
    limiters: tuple[anyio.CapacityLimiter, anyio.CapacityLimiter],
) -> Response:
    """Answer one request, whatever happens, in the one JSON shape."""
    try:
        endpoint = methods.get("GET" if request.method == "HEAD" else request.method)
        if endpoint is None:
            raise MethodNotAllowed(
                f"{request.method} is not possible here.",
                hint=f"Use {' or '.join(sorted(methods))}.",
            )
        raw = await _body(request, parts.max_body_bytes)
        work = functools.partial(_perform, endpoint, parts, request, raw)
        return await _run(request, work, limiters[1] if endpoint.asks else limiters[0])
    except HedgerowError as error:
        return _refused(error, methods)
    except ClientDisconnect:
        return Response(status_code=499)


def _refused(error: HedgerowError, methods: Mapping[str, Endpoint]) -> Response:
    """Return a refusal with the header that HTTP wants beside its status."""
    reply = refusal(error)
    if reply.status_code == 401:
        reply.headers["WWW-Authenticate"] = "Bearer"
    elif reply.status_code == 405:
        reply.headers["Allow"] = ", ".join(sorted(methods))
    return reply


def _perform(
    endpoint: Endpoint, parts: Parts, request: Request, raw: bytes, cancel: threading.Event
) -> Response:
    """Do everything but waiting: checked, decoded, answered, encoded, in one thread."""
    now = parts.clock()
    key, user = callers.caller_of(parts, request.headers.get("authorization"), now)
    named = {
        name: value
        for name, value in request.path_params.items()
        if name not in {"slash", "room"}
    }
    project = None
    if endpoint.scope:
        callers.require_scope(key, endpoint.scope)
    if endpoint.path.startswith(PROJECT):
        project = callers.project_of(parts, key, user, named.pop("project_id"))
        role = endpoint.role or callers.role_for(endpoint.scope or ":read")
        callers.require_role(parts, user, project, role)
    caller = Caller(
        parts=parts,
        user=user,
        key=key,
        now=now,
        cancel=cancel,
        url=_seen(request, parts.public_url),
        body=raw,
        of_path=project,
    )
    params = params_of(endpoint, dict(request.query_params))
    answer = endpoint.answer(caller, body_of(endpoint, raw), params, **_numbers(named))
    return _reply(endpoint, answer)


def _seen(request: Request, public_url: str) -> str:
    """Return the address as its caller wrote it: a proxy before us may speak TLS."""
    if not public_url:
        return str(request.url)
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{public_url.rstrip('/')}{request.url.path}{query}"


def _reply(endpoint: Endpoint, answer: Any) -> Response:
    if isinstance(answer, Download):
        headers = {"Content-Disposition": f'attachment; filename="{answer.filename}"'}
        return StreamingResponse(
            answer.chunks, media_type=answer.media_type, headers=headers
        )
    if endpoint.gives is None:
        return Response(status_code=204)
    return Response(
        msgspec.json.encode(answer), endpoint.status, media_type="application/json"
    )


async def _run(request: Request, work: Any, limiter: anyio.CapacityLimiter) -> Response:
    """Work in a thread; when the caller hangs up, tell the work to stop."""
    cancel = threading.Event()

    async def hang_up() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        cancel.set()

    watch = asyncio.create_task(hang_up())
    try:
        return await to_thread.run_sync(functools.partial(work, cancel), limiter=limiter)
    finally:
        watch.cancel()


async def _body(request: Request, limit: int) -> bytes:
    """Return the body. Raises BodyTooLarge before reading more than ``limit`` bytes."""
    said = request.headers.get("content-length", "0")
    size, chunks = int(said) if said.isdecimal() else 0, []
    if size <= limit:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                break
            chunks.append(chunk)
    if size > limit:
        raise BodyTooLarge(
            f"The body is larger than {limit // 1024**2} MiB.", hint="Send it in parts."
        )
    return b"".join(chunks)


async def _unknown(request: Request) -> Response:
    return refusal(
        NotFound(
            f"There is nothing at {request.url.path}.", hint="GET /api/schema lists all."
        )
    )


def _named(answer: Any) -> Any:
    """Return an endpoint that Starlette takes for a function and hands a request."""

    async def endpoint(request: Request) -> Response:
        response: Response = await answer(request)
        return response

    return endpoint


def _literal_first(path: str) -> tuple[str, ...]:
    """Order addresses so that ``/persons/merge`` is asked before ``/persons/{id}``."""
    return tuple("~" if part.startswith("{") else part for part in path.split("/"))


def _address(path: str) -> str:
    path = path.replace("{name}", "{name:whole}")
    return path.replace("/api/projects", "/api/{room:room}", 1) + "{slash:slash}"


def _numbers(named: Mapping[str, str]) -> dict[str, Any]:
    """Return what stands in an address, numbers as numbers. Raises NotFound."""
    found: dict[str, Any] = {}
    for name, value in named.items():
        if name not in NUMBERED:
            found[name] = value
        elif value.isdecimal() and len(value) < 10:
            found[name] = int(value)
        else:
            raise NotFound(f"{value!r} is no number.", hint="Use the 'id' of the object.")
    return found
