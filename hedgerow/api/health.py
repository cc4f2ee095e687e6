"""Whether Hedgerow lives and is ready, and its figures for Prometheus. No key is asked."""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hedgerow.replies import json_reply

Checks = Mapping[str, Callable[[], str | None]]
"""By part: returns what is wrong with it in one sentence, or None."""

Figures = Callable[[], Mapping[str, float]]
"""Returns figures by their Prometheus names, each with its unit in the name."""


def routes(checks: Checks, figures: Figures) -> list[Route]:
    """Return ``/_health``, ``/_ready`` and ``/metrics``."""

    async def health(_: Request) -> Response:
        return json_reply({"status": "ok"})

    async def ready(_: Request) -> Response:
        wrong = await run_in_threadpool(failures, checks)
        return json_reply(
            {"status": "unavailable" if wrong else "ok", "wrong": wrong},
            503 if wrong else 200,
        )

    async def metrics(_: Request) -> Response:
        text = prometheus(await run_in_threadpool(figures))
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    return [
        Route("/_health", health, methods=["GET"]),
        Route("/_ready", ready, methods=["GET"]),
        Route("/metrics", metrics, methods=["GET"]),
    ]


def failures(checks: Checks) -> dict[str, str]:
    """Return what is wrong, by part; empty: all is well."""
    found = {part: check() for part, check in checks.items()}
    return {part: wrong for part, wrong in found.items() if wrong is not None}


def prometheus(figures: Mapping[str, Any]) -> str:
    """Return figures in Prometheus's text format; names that end in _total only grow."""
    lines = []
    for name, value in figures.items():
        kind = "counter" if name.endswith("_total") else "gauge"
        lines += [f"# TYPE {name} {kind}", f"{name} {value}"]
    return "\n".join(lines) + "\n"
