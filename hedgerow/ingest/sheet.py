"""A prepared batch as columns: nearly every event is a row that says nothing new of anybody.

Nine events in ten neither merge nor set anything: what matters of them is whose they are.
Such a *plain* row stands in the columns only, its properties written out as they will be
stored. An event that may change somebody has its ``Draft`` as well, and goes the long way.
A plain row whose person turns out to be new becomes a draft again (``Sheet.draft``).

A sheet is made without knowing what is stored, so it can be made in another process.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from hedgerow.ingest.drafts import Batch, Draft
from hedgerow.ingest.groups import keys_of
from hedgerow.ingest.identity import MERGING
from hedgerow.ingest.properties import lifted
from hedgerow.ingest.sizes import json_text
from hedgerow.model.changes import OfProject
from hedgerow.model.event_columns import mark_of, microseconds, moment_of
from hedgerow.model.events import CapturedEvent
from hedgerow.model.people import IngestionWarning
from hedgerow.model.projects import Project

NEED_A_PERSON = MERGING | {"$groupidentify"}
"""Without person processing these mean nothing and are dropped."""

GROUP_COLUMNS = frozenset(f"$group_{index}" for index in range(5))
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class News(msgspec.Struct, frozen=True, kw_only=True):
    """Properties that no plain row before this one had, with their values."""

    row: int
    properties: dict[str, Any]
    lifted: dict[str, Any]


class Sheet(msgspec.Struct, kw_only=True):
    """Events in the order in which they arrived; lists have one value for each."""

    projects: dict[int, Project]
    whose: list[OfProject]
    """Distinct ids, each once."""

    ids: list[int]
    """Place in ``whose``."""

    uuids: list[str]
    names: list[str]
    at: list[int]
    """Microseconds since 1970, UTC; so is ``received_at``."""

    received_at: list[int]
    personless: list[bool]
    texts: list[str]
    """Properties as JSON; those of drafts are written at the end."""

    shapes: list[int]
    """Place in ``lifted``."""

    lifted: list[frozenset[str]]
    """Sets of names of properties that describe the person as well."""

    drafts: dict[int, Draft]
    """By row, in order."""

    groups: dict[int, dict[str, str]]
    """Row to group type and key, of plain rows that name some."""

    news: list[News]
    marks: bytes
    """``mark_of`` each row as it was prepared, none dropped yet."""

    keys: set[str]
    """Names of all properties of plain rows."""

    warnings: list[IngestionWarning]
    dropped: int

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.uuids)

    def draft(self, row: int) -> Draft:
        """Return the draft of a row; a plain one's is made."""
        present = self.drafts.get(row)
        if present is not None:
            return present
        project_id, distinct_id = self.whose[self.ids[row]]
        properties = _decode(self.texts[row])
        return Draft(
            project=self.projects[project_id],
            received_at=moment_of(self.received_at[row]),
            captured=CapturedEvent(
                uuid=self.uuids[row], name=self.names[row], distinct_id=distinct_id
            ),
            sent_at=None,
            properties=properties,
            at=moment_of(self.at[row]),
            set={},
            set_once={},
            lifted={} if self.personless[row] else lifted(properties),
            personless=self.personless[row],
        )

    def lifted_of(self, row: int) -> dict[str, Any]:
        """Return those properties of a plain row that describe its person as well."""
        names = self.lifted[self.shapes[row]]
        if not names:
            return {}
        properties = _decode(self.texts[row])
        return {name: value for name, value in properties.items() if name in names}

    def without(self, rows: Iterable[int]) -> "Sheet":
        """Return the sheet without some rows, which count as dropped."""
        gone = set(rows)
        if not gone:
            return self
        kept = [row for row in range(len(self)) if row not in gone]
        places = {row: place for place, row in enumerate(kept)}

        def column(values: list[Any]) -> list[Any]:
            return [values[row] for row in kept]

        less = msgspec.structs.replace(
            self,
            ids=column(self.ids),
            uuids=column(self.uuids),
            names=column(self.names),
            at=column(self.at),
            received_at=column(self.received_at),
            personless=column(self.personless),
            texts=column(self.texts),
            shapes=column(self.shapes),
            drafts={places[row]: one for row, one in self.drafts.items() if row in places},
            groups={places[row]: one for row, one in self.groups.items() if row in places},
            dropped=self.dropped + len(gone),
        )
        if any(one.row in gone for one in self.news):
            less.news = less.looked_through()
        else:
            less.news = [
                msgspec.structs.replace(one, row=places[one.row]) for one in self.news
            ]
        return less

    def looked_through(self) -> list[News]:
        """Return anew what each plain row was the first to have."""
        fresh = Fresh()
        for row in range(len(self)):
            if row not in self.drafts:
                draft = self.draft(row)
                fresh.look(row, draft.project.id, draft.properties, draft.lifted)
        return fresh.news


class Fresh:
    """Finds which properties are the first of their name among plain rows."""

    def __init__(self) -> None:
        self.news: list[News] = []
        self._seen: dict[int, set[str]] = {}
        self._lifted: dict[int, set[str]] = {}

    def look(
        self,
        row: int,
        project_id: int,
        properties: dict[str, Any],
        lifted: dict[str, Any],
    ) -> None:
        """Note what a row is the first to have; null is not a value."""
        seen = self._seen.setdefault(project_id, set())
        on_person = self._lifted.setdefault(project_id, set())
        if properties.keys() <= seen and lifted.keys() <= on_person:
            return
        new = _new(properties, seen)
        new_lifted = _new(lifted, on_person)
        if new or new_lifted:
            self.news.append(News(row=row, properties=new, lifted=new_lifted))


def _new(properties: dict[str, Any], seen: set[str]) -> dict[str, Any]:
    new = {
        name: value
        for name, value in properties.items()
        if value is not None and name not in seen
    }
    seen.update(new)
    return new


def is_plain(draft: Draft) -> bool:
    """Whether an event changes nobody, as far as can be told from itself."""
    return not (
        draft.set
        or draft.set_once
        or draft.unset
        or draft.captured.name in NEED_A_PERSON
        or (
            "$groups" in draft.properties and not GROUP_COLUMNS.isdisjoint(draft.properties)
        )
    )


def as_sheet(batch: Batch, *, plain: Callable[[Draft], bool] = is_plain) -> Sheet:
    """Return a prepared batch as columns. Raises what writing its properties raises."""
    drafts = batch.drafts
    ids: dict[OfProject, int] = {}
    received: dict[Any, int] = {}
    shapes: dict[tuple[str, ...], int] = {}
    fresh = Fresh()
    made = Sheet(
        projects={draft.project.id: draft.project for draft in drafts},
        whose=[],
        ids=[
            ids.setdefault((draft.project.id, draft.captured.distinct_id), len(ids))
            for draft in drafts
        ],
        uuids=[draft.captured.uuid for draft in drafts],
        names=[draft.captured.name for draft in drafts],
        at=[microseconds(draft.at) for draft in drafts],
        received_at=[],
        personless=[draft.personless for draft in drafts],
        texts=[],
        shapes=[shapes.setdefault(tuple(draft.lifted), len(shapes)) for draft in drafts],
        lifted=[],
        drafts={},
        groups={},
        news=fresh.news,
        marks=b"".join(mark_of(draft.project.id, draft.captured.uuid) for draft in drafts),
        keys=set(),
        warnings=batch.warnings,
        dropped=batch.dropped,
    )
    made.whose = list(ids)
    made.lifted = [frozenset(names) for names in shapes]
    for row, draft in enumerate(drafts):
        at = received.get(draft.received_at)
        if at is None:
            at = received[draft.received_at] = microseconds(draft.received_at)
        made.received_at.append(at)
        if not plain(draft):
            made.drafts[row] = draft
            made.texts.append("")
            continue
        properties = draft.properties
        made.texts.append(json_text(properties))
        made.keys.update(properties)
        fresh.look(row, draft.project.id, properties, draft.lifted)
        if "$groups" in properties and not draft.personless:
            made.groups[row] = keys_of(properties)
    return made


def repeated(sheet: Sheet, stored: set[OfProject]) -> list[int]:
    """Return the rows whose event is stored, or stands in a row before."""
    project_of = [project_id for project_id, _ in sheet.whose]
    marks: Sequence[OfProject] = [
        (project_of[place], uuid)
        for place, uuid in zip(sheet.ids, sheet.uuids, strict=True)
    ]
    if not stored and len(set(marks)) == len(marks):
        return []
    seen, rows = set(stored), []
    for row, mark in enumerate(marks):
        if mark in seen:
            rows.append(row)
        seen.add(mark)
    return rows
