"""A batch of captured events, looked at one by one: a list of steps that can be read.

``prepare`` runs the steps that look at one event and need to know nothing else; what needs
to know what is stored follows in ``together``. A step changes or drops drafts; its name
says which.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from time import perf_counter

from hedgerow.ingest.drafts import Arrived, Batch, Draft, Place
from hedgerow.ingest.enrich import (
    put_campaign,
    put_device,
    put_elements_chain,
    put_place,
    put_referrer,
)
from hedgerow.ingest.privacy import hide
from hedgerow.ingest.properties import lifted
from hedgerow.ingest.sheet import NEED_A_PERSON
from hedgerow.ingest.timestamps import happened_at

COOKIELESS = "$posthog_cookieless"
"""The id of everybody who is not to be recognised."""

Timings = defaultdict[str, float]
"""Seconds spent, by name of step."""


def put_time(batch: Batch) -> None:
    """Put when each event happened."""
    for draft in batch.drafts:
        event = draft.captured
        ignore = draft.properties.get("$ignore_sent_at") is True
        draft.at = happened_at(
            event.timestamp,
            received_at=draft.received_at,
            sent_at=None if ignore else draft.sent_at,
            offset_ms=event.offset_ms,
        )


def drop_unperson(batch: Batch) -> None:
    """Tell personless events; drop those that mean nothing without a person."""
    kept = []
    for draft in batch.drafts:
        properties = draft.properties
        wanted = properties.get("$process_person_profile")
        if wanted is True:
            del properties["$process_person_profile"]
        if wanted is False or draft.captured.distinct_id == COOKIELESS:
            if draft.captured.name in NEED_A_PERSON:
                batch.dropped += 1
                batch.warn(
                    draft,
                    "event_needs_a_person",
                    f"{draft.captured.name} of {draft.captured.distinct_id!r} says that nobody "
                    "is to be known, so it was dropped; leave out $process_person_profile.",
                )
                continue
            draft.personless = True
        if draft.personless or draft.captured.name == "$groupidentify":
            draft.set, draft.set_once, draft.unset = {}, {}, ()
        kept.append(draft)
    batch.drafts = kept


def put_lifted(batch: Batch) -> None:
    """Put what each event says about its person by the way."""
    for draft in batch.drafts:
        if not draft.personless and draft.captured.name != "$groupidentify":
            draft.lifted = lifted(draft.properties)


ALONE: tuple[Callable[[Batch], None], ...] = (
    put_time,
    drop_unperson,
    put_elements_chain,
    put_device,
    put_campaign,
    put_referrer,
    put_place,
    hide,
    put_lifted,
)
"""Steps that look at one event at a time."""


def prepare(
    arrived: Sequence[Arrived],
    *,
    place: Place | None = None,
    timings: Timings | None = None,
) -> Batch:
    """Read requests into a batch and take the steps that need to know nothing."""
    drafts = [
        Draft(
            project=one.project,
            received_at=one.received_at,
            captured=event,
            sent_at=one.request.sent_at,
            properties=dict(event.properties),
            at=one.received_at,
            set=event.set,
            set_once=event.set_once,
            unset=event.unset,
            user_agent=one.request.user_agent,
        )
        for one in arrived
        for event in one.request.events
    ]
    batch = Batch(drafts=drafts, place=place)
    for step in ALONE:
        started = perf_counter()
        step(batch)
        if timings is not None:
            timings[step.__name__] += perf_counter() - started
    return batch
