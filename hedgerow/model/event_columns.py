"""Many events, ready to be stored, as one list for each of their fields.

A writer that moves tens of thousands of events a second has no time to make an object of
each only for the store to take it apart again. As a sequence it gives whole events where
somebody wants to look at one.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import md5
from typing import overload

import msgspec

from hedgerow.model.events import Event

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    """Return a time as microseconds since 1970."""
    return (moment - EPOCH) // MICROSECOND


def mark_of(project_id: int, uuid: str) -> bytes:
    """Return 16 bytes that tell an event from nearly all others."""
    return md5(f"{project_id}/{uuid}".encode(), usedforsecurity=False).digest()


def moment_of(number: int) -> datetime:
    """Return the time, in UTC, of so many microseconds since 1970."""
    return EPOCH + number * MICROSECOND


class EventColumns(msgspec.Struct, kw_only=True, eq=False):
    """Fields of ``Event``, each a list with one value for each event."""

    project_ids: list[int]
    uuids: list[str]
    names: list[str]
    distinct_ids: list[str]
    happened_at: list[int]
    """Microseconds since 1970, UTC; so is ``received_at``."""

    received_at: list[int]
    person_keys: list[int]
    person_states: list[int | None]
    personless: list[bool]
    groups: list[list[str | None]]
    """Five lists, by group type index."""

    properties: list[str]

    def __len__(self) -> int:
        """Return how many events there are."""
        return len(self.uuids)

    @overload
    def __getitem__(self, place: int) -> Event: ...
    @overload
    def __getitem__(self, place: slice) -> list[Event]: ...
    def __getitem__(self, place: int | slice) -> Event | list[Event]:
        """Return one event, or some."""
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        first, second, third, fourth, fifth = (one[place] for one in self.groups)
        return Event(
            project_id=self.project_ids[place],
            uuid=self.uuids[place],
            name=self.names[place],
            distinct_id=self.distinct_ids[place],
            happened_at=moment_of(self.happened_at[place]),
            received_at=moment_of(self.received_at[place]),
            person_key=self.person_keys[place],
            person_state=self.person_states[place],
            personless=self.personless[place],
            properties=self.properties[place],
            groups=(first, second, third, fourth, fifth),
        )

    def __iter__(self) -> Iterator[Event]:
        """Yield each event."""
        return (self[place] for place in range(len(self)))

    def __eq__(self, other: object) -> bool:
        """Whether these are the same events, in whatever form."""
        if not isinstance(other, EventColumns | Sequence):
            return NotImplemented
        return list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # lists can change, so there is no hash


Events = Sequence[Event] | EventColumns
"""Events one by one, or as columns."""


def as_columns(events: Events) -> EventColumns:
    """Return events as columns, whatever form they have."""
    if isinstance(events, EventColumns):
        return events
    return EventColumns(
        project_ids=[one.project_id for one in events],
        uuids=[one.uuid for one in events],
        names=[one.name for one in events],
        distinct_ids=[one.distinct_id for one in events],
        happened_at=[microseconds(one.happened_at) for one in events],
        received_at=[microseconds(one.received_at) for one in events],
        person_keys=[one.person_key for one in events],
        person_states=[one.person_state for one in events],
        personless=[one.personless for one in events],
        groups=[[one.groups[place] for one in events] for place in range(5)],
        properties=[one.properties for one in events],
    )
