"""Whose an event is, and what it does to them: identity and properties, one event at a time.

Merging comes first, then the properties of whoever it is now, then the state that the
event saw. Refusals warn and never cost the event.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from hedgerow.ingest.drafts import Draft
from hedgerow.ingest.identity import MERGING, Asked, merge, source_of
from hedgerow.ingest.people import People
from hedgerow.ingest.properties import INITIAL, changed
from hedgerow.ingest.sizes import PROPERTIES_LIMIT, exceeds, json_text
from hedgerow.model.changes import OfProject
from hedgerow.model.people import Merge, Person

NEVER_CHANGE = frozenset({"$exception", "$$heatmap"})
"""Sent so often, and about so little, that they leave an existing person alone."""

Warn = Callable[[Draft, str, str], None]


def passes_by(draft: Draft, people: People) -> bool:
    """Place a draft that certainly leaves its person as it is; nearly all events do.

    Return whether it is one; else nothing has been done.
    """
    if draft.set or draft.set_once or draft.unset or draft.captured.name in MERGING:
        return False
    key = people.keys.get((draft.project.id, draft.captured.distinct_id))
    person = None if key is None else people.persons.get(key)
    if key is None or person is None or not person.state:
        return False
    if not draft.personless and not draft.lifted.keys() <= person.properties.keys():
        return False
    draft.person_key, draft.person_state = key, person.state
    return True


def newcomer(
    whose: OfProject, lifted: dict[str, Any], people: People, *, at: datetime, uuid: str
) -> Person | None:
    """Make the person of an event that sets nothing; None if that is not so simple.

    ``place`` would come to the same, in more steps.
    """
    properties = {INITIAL[name]: value for name, value in lifted.items()}
    properties.update(lifted)
    text = json_text(properties)
    if exceeds(text, PROPERTIES_LIMIT):
        return None
    return people.add(whose, properties, text, at=at, event_uuid=uuid)


def place(draft: Draft, people: People, warn: Warn) -> tuple[Merge, ...]:
    """Give a draft its key and state, change the person, and return what merged."""
    project_id = draft.project.id
    distinct_id = draft.captured.distinct_id
    if draft.personless:
        draft.person_key = people.key_of(project_id, distinct_id)
        known = people.persons.get(draft.person_key)
        draft.person_state = known.state if known else None
        return ()
    gained: dict[str, Any] = {}
    merges: tuple[Merge, ...] = ()
    source = source_of(draft.captured.name, draft.properties)
    if source is not None:
        merges, gained = _merge(draft, people, source, warn)
    key = people.key_of(project_id, distinct_id)
    person = people.persons.get(key)
    is_new = person is None
    if person is None:
        person = people.make(project_id, distinct_id, key, at=draft.at)
    if is_new or draft.captured.name not in NEVER_CHANGE:
        person = _change(draft, people, person, gained, warn)
    draft.person_key, draft.person_state = key, person.state
    return merges


def _merge(
    draft: Draft, people: People, source: tuple[Any, str], warn: Warn
) -> tuple[tuple[Merge, ...], dict[str, Any]]:
    kind, source_id = source
    tombstone = people.tombstone(draft.project.id, source_id)
    if tombstone is not None and draft.at <= tombstone.at:
        return (), {}
    outcome = merge(
        Asked(
            kind=kind,
            project_id=draft.project.id,
            source_id=source_id,
            target_id=draft.captured.distinct_id,
            at=draft.at,
            event_uuid=draft.captured.uuid,
        ),
        people,
    )
    if outcome.warning is not None:
        warn(draft, *outcome.warning)
    return outcome.merges, outcome.gained or {}


def _change(
    draft: Draft, people: People, person: Person, gained: dict[str, Any], warn: Warn
) -> Person:
    before = person.properties
    base = before | gained if gained else before
    after = changed(
        base,
        own=draft.set,
        once=draft.set_once,
        unset=draft.unset,
        lifted=draft.lifted,
    )
    if after is None:
        if not gained and person.state:
            return person
        after = base
    text = json_text(after)
    if exceeds(text, PROPERTIES_LIMIT):
        warn(
            draft,
            "person_properties_too_large",
            f"The properties of {draft.captured.distinct_id!r} would take more than 512 KiB, "
            "so they stay as they were; send fewer or shorter ones.",
        )
        if person.state:
            return person
        after, text = {}, "{}"
    return people.change(person, after, text, at=draft.at, event_uuid=draft.captured.uuid)
