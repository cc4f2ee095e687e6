"""What a batch of captured events changes: a list of steps that can be read.

``prepare`` runs the steps that look at one event at a time; ``plan`` those that need to
know what is stored. A step changes or drops drafts, or makes something of them; its name
says which. The same batch and the same ``Known`` give the same ``Changes``, always.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from time import perf_counter
from typing import Any

import msgspec

from hedgerow.ingest.drafts import Arrived, Batch, Draft, Place
from hedgerow.ingest.enrich import (
    put_campaign,
    put_device,
    put_elements_chain,
    put_place,
    put_referrer,
)
from hedgerow.ingest.gathering import gathered
from hedgerow.ingest.groups import Groups, identified, keys_of
from hedgerow.ingest.identity import MERGING, source_of
from hedgerow.ingest.kinds import Kinds
from hedgerow.ingest.people import People
from hedgerow.ingest.placing import passes_by, place
from hedgerow.ingest.privacy import hide
from hedgerow.ingest.properties import lifted
from hedgerow.ingest.sizes import json_text
from hedgerow.ingest.timestamps import happened_at
from hedgerow.model.changes import Changes, EventCount, Known, OfProject, Wanted
from hedgerow.model.events import Event

NEED_A_PERSON = MERGING | {"$groupidentify"}
"""Without person processing these mean nothing and are dropped."""

COOKIELESS = "$posthog_cookieless"
"""The id of everybody who is not to be recognised."""

Timings = defaultdict[str, float]
"""Seconds spent, by name of step."""


class Plan(msgspec.Struct, kw_only=True):
    """A batch being placed among what is known."""

    batch: Batch
    known: Known
    people: People
    groups: Groups
    kinds: Kinds
    events: list[Event] = msgspec.field(default_factory=list)
    merges: list[Any] = msgspec.field(default_factory=list)
    counts: list[EventCount] = msgspec.field(default_factory=list)
    keys: set[str] = msgspec.field(default_factory=set)
    """Names of all properties of the events."""


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


def drop_repeats(plan: Plan) -> None:
    """Keep the first event of a UUID; later ones are the same, sent again."""
    seen = set(plan.known.events)
    kept = []
    for draft in plan.batch.drafts:
        which = (draft.project.id, draft.captured.uuid)
        if which not in seen:
            seen.add(which)
            kept.append(draft)
    plan.batch.dropped += len(plan.batch.drafts) - len(kept)
    plan.batch.drafts = kept


def drop_forgotten(plan: Plan) -> None:
    """Drop what happened before its person was deleted together with the events."""
    if not plan.known.tombstones:
        return
    kept = []
    for draft in plan.batch.drafts:
        tombstone = plan.people.tombstone(draft.project.id, draft.captured.distinct_id)
        if tombstone is not None and draft.at <= tombstone.at:
            if tombstone.with_events:
                continue
            draft.personless = True
            draft.set, draft.set_once, draft.unset, draft.lifted = {}, {}, (), {}
        kept.append(draft)
    plan.batch.dropped += len(plan.batch.drafts) - len(kept)
    plan.batch.drafts = kept


def place_people(plan: Plan) -> None:
    """Say whose each event is, and what it changes about them."""
    for draft in plan.batch.drafts:
        if not passes_by(draft, plan.people):
            plan.merges.extend(place(draft, plan.people, plan.batch.warn))


def put_groups(plan: Plan) -> None:
    """Put the groups of each event; make and update those that one describes."""
    for draft in plan.batch.drafts:
        if draft.personless:
            continue
        if "$groups" in draft.properties:
            _put_keys(draft, plan)
        if draft.captured.name == "$groupidentify":
            _describe(draft, plan)


def _put_keys(draft: Draft, plan: Plan) -> None:
    groups: list[str | None] = [None] * 5
    for name, key in keys_of(draft.properties).items():
        index = _index(draft, plan, name)
        if index is not None:
            groups[index] = key
            draft.properties[f"$group_{index}"] = key
    draft.groups = tuple(groups)


def _index(draft: Draft, plan: Plan, name: str) -> int | None:
    kind, is_new = plan.groups.type_of(draft.project.id, name)
    if is_new and kind.index is None:
        plan.batch.warn(
            draft,
            "group_type_without_index",
            f"{name!r} is the sixth group type or later, so it has no index: ask for it by "
            "its name where a query wants group_type_index.",
        )
    return kind.index


def _describe(draft: Draft, plan: Plan) -> None:
    named = identified(draft.properties)
    if named is None:
        return
    name, key = named
    _index(draft, plan, name)
    group_set = draft.properties.get("$group_set")
    if not isinstance(group_set, dict):
        group_set = {}
    if plan.groups.change(draft.project, name, key, group_set, at=draft.at) is None:
        plan.batch.warn(
            draft,
            "group_properties_too_large",
            f"The properties of {name} {key!r} would take more than 512 KiB, so they stay "
            "as they were; send fewer or shorter ones.",
        )
        return
    plan.kinds.note(draft.project.id, f"group:{name}", group_set, draft.received_at)


def note_kinds(plan: Plan) -> None:
    """Note the kind of each property's first value."""
    kinds = plan.kinds
    for draft in plan.batch.drafts:
        at = draft.received_at
        kinds.note(draft.project.id, "event", draft.properties, at)
        if draft.set or draft.set_once or draft.lifted:
            kinds.note_person(draft.project.id, draft, at)


def count_names(plan: Plan) -> None:
    """Count how often each event was seen, and when first and last."""
    found: dict[OfProject, list[datetime]] = defaultdict(list)
    for draft in plan.batch.drafts:
        found[draft.project.id, draft.captured.name].append(draft.at)
    plan.counts = [
        EventCount(
            project_id=project_id, event=name, first=min(at), last=max(at), count=len(at)
        )
        for (project_id, name), at in found.items()
    ]


def write_events(plan: Plan) -> None:
    """Write down each event as it is to be stored."""
    final = plan.people.final
    for draft in plan.batch.drafts:
        captured = draft.captured
        plan.keys.update(draft.properties)
        plan.events.append(
            Event(
                project_id=draft.project.id,
                uuid=captured.uuid,
                name=captured.name,
                distinct_id=captured.distinct_id,
                happened_at=draft.at,
                received_at=draft.received_at,
                person_key=final(draft.person_key),
                person_state=draft.person_state,
                personless=draft.personless,
                properties=json_text(as_stored(draft)),
                groups=draft.groups,  # type: ignore[arg-type]  # always five of them
            )
        )


def as_stored(draft: Draft) -> dict[str, Any]:
    """Return an event's properties with what it set on its person, as it was sent."""
    properties = draft.properties
    if draft.set:
        properties["$set"] = draft.set
    if draft.set_once:
        properties["$set_once"] = draft.set_once
    if draft.unset:
        properties["$unset"] = list(draft.unset)
    return properties


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

TOGETHER: tuple[Callable[[Plan], None], ...] = (
    drop_repeats,
    drop_forgotten,
    place_people,
    put_groups,
    note_kinds,
    count_names,
    write_events,
)
"""Steps that need to know what is stored, in the order of arrival."""

STEPS = (*ALONE, *TOGETHER)


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
    batch = Batch(drafts=drafts, wanted=Wanted(), place=place)
    for step in ALONE:
        started = perf_counter()
        step(batch)
        if timings is not None:
            timings[step.__name__] += perf_counter() - started
    batch.wanted = wanted(batch.drafts)
    return batch


def wanted(drafts: Sequence[Draft]) -> Wanted:
    """Return what drafts mention and the store may have."""
    asked = Wanted(
        projects={draft.project.id for draft in drafts},
        distinct_ids={(draft.project.id, draft.captured.distinct_id) for draft in drafts},
        events=[(draft.project.id, draft.captured.uuid) for draft in drafts],
    )
    for draft in drafts:
        project_id, event = draft.project.id, draft.captured
        if event.name not in NEED_A_PERSON:
            continue
        source = source_of(event.name, draft.properties)
        if source is not None:
            ids = {(project_id, event.distinct_id), (project_id, source[1])}
            asked.distinct_ids.update(ids)
            asked.whole.update(ids)
        named = identified(draft.properties)
        if event.name == "$groupidentify" and named is not None:
            asked.groups.add((project_id, *named))
    return asked


def plan(batch: Batch, known: Known, *, timings: Timings | None = None) -> Changes:
    """Return what a prepared batch changes. Use a batch once: steps work on its drafts."""
    work = Plan(
        batch=batch,
        known=known,
        people=People(known),
        groups=Groups(known),
        kinds=Kinds(known),
    )
    for step in TOGETHER:
        started = perf_counter()
        step(work)
        if timings is not None:
            timings[step.__name__] += perf_counter() - started
    return msgspec.structs.replace(
        gathered(work.people, work.groups, work.kinds),
        events=work.events,
        event_keys=frozenset(work.keys),
        counts=work.counts,
        merges=work.merges,
        warnings=batch.warnings,
        dropped=batch.dropped,
    )
