"""Who is who, while a batch is being planned.

``People`` starts from what the store knows and is changed event by event: new distinct
ids get keys, persons are made, their properties change, two become one. At the end it
says what is different from the store. Nothing else in ``ingest`` keeps state.

A key is a number for whoever is behind one or more distinct ids; a person may or may not
be known under it. When two keys become one, the losing key is remembered in ``moved``, so
that events planned before, and rows stored before, follow.
"""

from datetime import datetime
from hashlib import sha1
from typing import Any
from uuid import UUID

import msgspec

from hedgerow.model.changes import Known, OfProject, PersonState, Tombstone
from hedgerow.model.people import Person

NAMESPACE = UUID("6f2d3c5e-0b0a-5f0e-9a51-2f9e6b1d7c44")
"""Of all person UUIDs: the same project and distinct id give the same person, always."""


_NAMESPACE = NAMESPACE.bytes


def person_uuid(project_id: int, distinct_id: str) -> str:
    """Return the UUID (v5) of the person first seen under ``distinct_id``."""
    name = f"{project_id}/{distinct_id}".encode()
    digits = sha1(_NAMESPACE + name, usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digits[16], 16) & 3]
    return (
        f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-"
        f"{digits[20:32]}"
    )


class People:
    """Distinct ids, keys and persons as they are at one moment of a batch."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self.known_keys = known.keys
        self.first_new_key = known.next_key
        self.keys: dict[OfProject, int] = dict(known.keys)
        self.persons: dict[int, Person] = dict(known.persons)
        self.next_key = known.next_key
        self.next_state = known.next_state
        self.moved: dict[int, int] = {}
        self.states: list[PersonState] = []
        self._ids: dict[int, list[str]] = {k: list(v) for k, v in known.ids.items()}
        self._new_ids: dict[OfProject, None] = {}

    def tombstone(self, project_id: int, distinct_id: str) -> Tombstone | None:
        """Return what is remembered of a deleted id."""
        return self._known.tombstones.get((project_id, distinct_id))

    def key_of(self, project_id: int, distinct_id: str) -> int:
        """Return the key behind an id; an id never seen gets a new one."""
        key = self.keys.get((project_id, distinct_id))
        if key is None:
            key = self.next_key
            self.next_key += 1
            self.give(project_id, distinct_id, key)
        return key

    def give(self, project_id: int, distinct_id: str, key: int) -> None:
        """Let an id belong to a key from now on."""
        self.keys[project_id, distinct_id] = key
        self._new_ids[project_id, distinct_id] = None
        self._ids.setdefault(key, []).append(distinct_id)

    def ids_of(self, key: int) -> tuple[str, ...]:
        """Return all ids of a key; only for keys wanted whole, or made in this batch."""
        return tuple(self._ids.get(key, ()))

    def make(
        self,
        project_id: int,
        distinct_id: str,
        key: int,
        *,
        at: datetime,
        is_identified: bool = False,
    ) -> Person:
        """Make a person without properties behind a key; a state follows with them."""
        person = Person(
            key=key,
            project_id=project_id,
            uuid=person_uuid(project_id, distinct_id),
            properties={},
            created_at=at,
            is_identified=is_identified,
            state=0,
        )
        self.persons[key] = person
        return person

    def add(
        self,
        whose: OfProject,
        properties: dict[str, Any],
        text: str,
        *,
        at: datetime,
        event_uuid: str,
    ) -> Person:
        """Make a person with properties (``text`` is their JSON) behind an id."""
        project_id, distinct_id = whose
        key, state = self.key_of(project_id, distinct_id), self.next_state
        self.next_state += 1
        self.persons[key] = person = Person(
            key=key,
            project_id=project_id,
            uuid=person_uuid(project_id, distinct_id),
            properties=properties,
            created_at=at,
            is_identified=False,
            state=state,
        )
        self.states.append(
            PersonState(
                id=state,
                project_id=project_id,
                person_key=key,
                at=at,
                event_uuid=event_uuid,
                properties=text,
            )
        )
        return person

    def put(self, person: Person) -> None:
        """Keep a person whose properties are as before."""
        self.persons[person.key] = person

    def change(
        self,
        person: Person,
        properties: dict[str, Any],
        text: str,
        *,
        at: datetime,
        event_uuid: str | None,
    ) -> Person:
        """Give a person new properties (``text`` is their JSON) and a state of its own."""
        state = self.next_state
        self.next_state += 1
        changed = msgspec.structs.replace(person, properties=properties, state=state)
        self.persons[person.key] = changed
        self.states.append(
            PersonState(
                id=state,
                project_id=person.project_id,
                person_key=person.key,
                at=at,
                event_uuid=event_uuid,
                properties=text,
            )
        )
        return changed

    def join(self, source: int, target: int, project_id: int) -> None:
        """Hand everything of one key to another; persons are the caller's business."""
        for distinct_id in self._ids.pop(source, []):
            self.give(project_id, distinct_id, target)
        self.moved[source] = target

    def remove(self, key: int) -> Person | None:
        """Let the person behind a key be no more; the key and its ids stay."""
        return self.persons.pop(key, None)

    def forget(self, project_id: int, key: int) -> None:
        """Let the ids of a key belong to nobody."""
        for distinct_id in self._ids.pop(key, []):
            del self.keys[project_id, distinct_id]
            self._new_ids.pop((project_id, distinct_id), None)

    def final(self, key: int) -> int:
        """Return the key that ``key`` has become."""
        while (further := self.moved.get(key)) is not None:
            key = further
        return key

    def final_states(self) -> list[PersonState]:
        """Return the new states, under the keys that their persons have in the end."""
        return [
            one
            if (key := self.final(one.person_key)) == one.person_key
            else msgspec.structs.replace(one, person_key=key)
            for one in self.states
        ]

    def changed_persons(self) -> list[Person]:
        """Return the persons that the store does not have like this."""
        before = self._known.persons
        return [p for key, p in self.persons.items() if p is not before.get(key)]

    def gone(self) -> list[int]:
        """Return the keys whose persons the store has and should not have."""
        return [key for key in self._known.persons if key not in self.persons]

    def changed_ids(self) -> list[tuple[int, str, int]]:
        """Return project, distinct id and key of the ids that the store has otherwise."""
        before = self._known.keys
        return [
            (project_id, distinct_id, key)
            for project_id, distinct_id in self._new_ids
            if (key := self.keys[project_id, distinct_id])
            != before.get((project_id, distinct_id))
        ]
