"""What members see and do about the fleet's public page (``fleet`` §4.5)."""

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from hedgerow.api import fleet_publishing
from hedgerow.api.callers import Caller


def read_publication(caller: Caller, _body: None, _params: None) -> Mapping[str, Any]:
    """Show the last publication of the fleet's page, and what the next one would hide."""
    parts, project = caller.parts, caller.project
    found, last = fleet_publishing.preview(
        parts.metadata, parts.reader, project, caller.now
    )
    return {
        "next_at": fleet_publishing.due_at(project, caller.now).astimezone(UTC),
        "last": last.page or None,
        "next": found.last.page,
        "replaced": found.replaced,
        "reasons": found.reasons,
    }


def publish(caller: Caller, _body: None, _params: None) -> Mapping[str, Any]:
    """Publish the fleet's page now instead of at night; the rules hold all the same."""
    parts = caller.parts
    found = fleet_publishing.publish(
        parts.metadata, parts.reader, caller.project, caller.now
    )
    return {
        "page": found.last.page,
        "replaced": found.replaced,
        "reasons": found.reasons,
    }
