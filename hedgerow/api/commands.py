"""Changes of the events database on request: put into the inbox, like everything else.

There is one writer, and what is asked of it takes its place behind what was captured
before. A command is on disk before anything is answered; most callers then wait for what
it came to.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from hedgerow.api.callers import Caller
from hedgerow.model.ports import QueuedKind

OUTCOME_WAIT_S = 60.0


def command(
    caller: Caller, project_id: int, what: Mapping[str, Any], *, wait: bool = True
) -> Mapping[str, Any]:
    """Put a command into the inbox; return what it came to, or nothing if not waiting.

    Raises InboxUnavailable, FlushTimedOut.
    """
    return queued(caller, project_id, "command", msgspec.json.encode(what), wait=wait)


def queued(
    caller: Caller, project_id: int, kind: QueuedKind, body: bytes, *, wait: bool = True
) -> Mapping[str, Any]:
    """Put a body of ``kind`` into the inbox, likewise."""
    parts = caller.parts
    kept = parts.letterbox.append(project_id, kind, caller.now, b"{}", body)
    position = kept.result()
    return parts.ingestion.outcome(position, OUTCOME_WAIT_S) if wait else {}
