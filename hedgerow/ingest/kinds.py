"""What kind of property is it? Its first value other than null decides.

A JSON number makes it Numeric, a boolean Boolean, all else String. The kind governs how
filters compare; a person may set another. Kinds are kept per project and whose property it
is: an event's, a person's, or a group type's.
"""

from datetime import datetime
from typing import Any

from hedgerow.ingest.drafts import Draft
from hedgerow.ingest.properties import INITIAL
from hedgerow.model.changes import FirstValue, Known
from hedgerow.model.projects import PropertyKind, Scope

NOT_PROPERTIES = frozenset({"$set", "$set_once", "$unset", "$groups", "$group_set"})
"""Carried among an event's properties, yet about something else."""

_NONE: frozenset[str] = frozenset()
MOST = 10_000
"""So many properties of one scope are noted; a client that makes up keys stops here."""


def kind_of(value: Any) -> PropertyKind:
    """Return the kind that a value other than null gives its property."""
    if isinstance(value, bool):
        return "Boolean"
    return "Numeric" if isinstance(value, int | float) else "String"


class Kinds:
    """The kinds known, and those a batch adds."""

    def __init__(self, known: Known) -> None:
        self._settled: dict[tuple[int, Scope], set[str]] = {}
        for project_id, kinds in known.kinds.items():
            for scope, key in kinds:
                self._settled.setdefault((project_id, scope), set(NOT_PROPERTIES)).add(key)
        self.new: list[FirstValue] = []

    def note(
        self, project_id: int, scope: Scope, properties: dict[str, Any], at: datetime
    ) -> None:
        """Note the kinds of properties that had none yet."""
        settled = self._settled.get((project_id, scope))
        if settled is None:
            settled = self._settled[project_id, scope] = set(NOT_PROPERTIES)
        if properties.keys() <= settled or len(settled) >= MOST:
            return
        for key, value in properties.items():
            if value is None or key in settled:
                continue
            settled.add(key)
            self.new.append(
                FirstValue(
                    project_id=project_id, scope=scope, key=key, kind=kind_of(value), at=at
                )
            )

    def note_person(self, project_id: int, draft: Draft, at: datetime) -> None:
        """Note the kinds of what an event set on its person."""
        if draft.set:
            self.note(project_id, "person", draft.set, at)
        if draft.set_once:
            self.note(project_id, "person", draft.set_once, at)
        self.note_lifted(project_id, draft.lifted, at)

    def note_lifted(self, project_id: int, lifted: dict[str, Any], at: datetime) -> None:
        """Note the kinds of what describes a person by the way."""
        if not lifted.keys() <= self._settled.get((project_id, "person"), _NONE):
            self.note(project_id, "person", lifted, at)
            initial = {INITIAL[name]: value for name, value in lifted.items()}
            self.note(project_id, "person", initial, at)
