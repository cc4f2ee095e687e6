"""Questions: ask, wait or come back later, cancel."""

from collections.abc import Mapping
from typing import Any, Literal
from uuid import uuid4

import msgspec

from hedgerow.api.callers import Caller
from hedgerow.api.questions import Asked
from hedgerow.errors import InvalidInput

Refresh = Literal["blocking", "force_blocking", "async", "force_cache"]
"""``blocking``: cached if still true, else computed. ``force_blocking``: computed.
``async``: computed in the background. ``force_cache``: cached or nothing."""


class Question(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A question and how to answer it."""

    query: dict[str, Any]
    refresh: Refresh = "blocking"
    client_query_id: str | None = None
    """A name of the asker's choice, 1 to 200 characters, to ask after it or cancel it."""


def ask(caller: Caller, body: Question, _params: None) -> Mapping[str, Any]:
    """Answer a question, or begin to."""
    name = _checked_name(body.client_query_id)
    questions = caller.parts.questions
    if body.refresh == "async":
        asked = questions.begin(caller.project.id, name or uuid4().hex)
        later = msgspec.structs.replace(caller, cancel=asked.cancel)
        questions.start(asked, lambda _: answered(later, body.query, "blocking"))
        return {"query_status": status(asked)}
    if name is None:
        return answered(caller, body.query, body.refresh)
    asked = questions.begin(caller.project.id, name, caller.cancel)
    try:
        return answered(caller, body.query, body.refresh)
    finally:
        questions.end(asked)


def poll(
    caller: Caller, _body: None, _params: None, *, client_query_id: str
) -> Mapping[str, Any]:
    """Tell how far an asynchronous question is, and its answer once it is there."""
    asked = caller.parts.questions.find(caller.project.id, client_query_id)
    return {"query_status": status(asked)}


def cancel(caller: Caller, _body: None, _params: None, *, client_query_id: str) -> None:
    """Stop answering a question."""
    caller.parts.questions.cancel(caller.project.id, client_query_id)


def answered(caller: Caller, query: Any, refresh: Refresh) -> Mapping[str, Any]:
    """Return what a question answers, with the envelope of ``insights.answer``."""
    return caller.parts.ask(caller.project.id, query, refresh=refresh, cancel=caller.cancel)


def status(asked: Asked) -> dict[str, Any]:
    """Return a question's state as PostHog's clients expect it."""
    return {
        "id": asked.id,
        "complete": asked.ended_at is not None,
        "error": asked.error is not None,
        "error_message": None if asked.error is None else str(asked.error),
        "results": asked.answer,
        "start_time": asked.started_at,
        "end_time": asked.ended_at,
        "query_async": True,
    }


def _checked_name(name: str | None) -> str | None:
    if name is not None and not 1 <= len(name) <= 200:
        raise InvalidInput(
            f"client_query_id has {len(name)} characters.",
            hint="Use 1 to 200.",
            attr="client_query_id",
        )
    return name
