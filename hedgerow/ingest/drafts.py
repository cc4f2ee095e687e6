"""An event on its way from captured to stored, and the batch it travels in.

Between the two it is a ``Draft``: what came, plus what has been found out so far. Steps
change drafts in place; the batch as a whole goes in and comes out as values, so a step can
be tested alone and a batch planned twice gives the same twice.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from hedgerow.model.events import CapturedEvent, CapturedRequest
from hedgerow.model.people import IngestionWarning
from hedgerow.model.projects import Project

Place = Callable[[str], Mapping[str, Any]]
"""Says where an IP address is: ``$geoip_…`` properties, or nothing."""


class Arrived(msgspec.Struct, frozen=True, kw_only=True):
    """One capture request, read, with its project as it is set up now."""

    project: Project
    received_at: datetime
    """UTC."""

    request: CapturedRequest


class Draft(msgspec.Struct, kw_only=True, gc=False):
    """One event while it is being worked on."""

    project: Project
    received_at: datetime
    captured: CapturedEvent
    sent_at: datetime | None
    properties: dict[str, Any]
    """Its own copy: steps add and remove."""

    at: datetime
    """When it happened, UTC; until ``put_time`` has run, when it arrived."""

    set: dict[str, Any]
    set_once: dict[str, Any]
    unset: tuple[str, ...] = ()
    lifted: dict[str, Any] = msgspec.field(default_factory=dict)
    """Properties of the event that describe its person as well."""

    personless: bool = False
    user_agent: str | None = None
    """Of the request, where that speaks for the person."""

    person_key: int = 0
    person_state: int | None = None
    groups: tuple[str | None, ...] = (None, None, None, None, None)


class Batch(msgspec.Struct, kw_only=True):
    """Drafts in the order in which they arrived, and what was noticed about them."""

    drafts: list[Draft]
    place: Place | None = None
    warnings: list[IngestionWarning] = msgspec.field(default_factory=list)
    dropped: int = 0

    def warn(self, draft: Draft, type_: str, details: str) -> None:
        """Note that an event is probably not what its sender meant."""
        self.warnings.append(
            IngestionWarning(
                project_id=draft.project.id,
                type=type_,
                details=details,
                event_uuid=draft.captured.uuid,
                distinct_id=draft.captured.distinct_id,
                at=draft.received_at,
            )
        )
