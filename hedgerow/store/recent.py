"""Who was there a moment ago: distinct ids and persons kept in memory for the next batch.

People who do something now did something a minute ago, so most look-ups are answered
here. The writer is the only one who writes, and hands over every change once it has been
committed; so what is kept never differs from the tables, and what is not kept is merely
looked up. Deletions are rare: they empty the memory.
"""

from typing import Any

from hedgerow.model.changes import Changes, OfProject
from hedgerow.model.people import Person

MOST_IDS = 100_000
MOST_PERSONS = 20_000
LARGE = 4096
"""Characters of JSON; a person with more is looked up each time, to bound the memory."""


class Recent:
    """Distinct ids with their keys, and keys with their persons."""

    def __init__(self) -> None:
        self.keys: dict[OfProject, int] = {}
        self.persons: dict[int, Person | None] = {}
        """None: surely nobody."""

    def take(self, changes: Changes) -> None:
        """Take over what has been committed."""
        if changes.erase or changes.delete_projects:
            self.keys.clear()
            self.persons.clear()
            return
        for project_id, distinct_id, key in changes.distinct_ids:
            self.keys[project_id, distinct_id] = key
        for key in changes.gone:
            self.persons[key] = None
        for person in changes.persons:
            self.persons[person.key] = person
        for state in changes.states:
            if len(state.properties) > LARGE:
                self.persons.pop(state.person_key, None)
        _halve(self.keys, MOST_IDS)
        _halve(self.persons, MOST_PERSONS)


def _halve(memory: dict[Any, Any], most: int) -> None:
    """Drop the older half of what is too much."""
    if len(memory) > most:
        for key in list(memory)[: len(memory) // 2]:
            del memory[key]
