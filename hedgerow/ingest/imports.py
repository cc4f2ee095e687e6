"""Persons and groups brought along: one JSON object a line.

    {"distinct_ids": ["ann", "ann@work"], "properties": {…}, "created_at": "2024-05-01T08:00:00Z"}
    {"type": "company", "key": "acme", "properties": {…}, "created_at": "…"}

All ids of a line become one person; persons they belonged to are merged into that of the
first id which had one. Properties act as ``$set``, a group's as ``$group_set``. A bad line
is reported with its number and reason, and the others count.

The answer: ``{"created", "updated", "merged", "failed", "errors": [{"line", "detail"}]}``.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from hedgerow.ingest.gathering import gathered
from hedgerow.ingest.groups import Groups
from hedgerow.ingest.identity import Asked, is_illegal, merge
from hedgerow.ingest.kinds import Kinds
from hedgerow.ingest.people import People
from hedgerow.ingest.privacy import hidden
from hedgerow.ingest.properties import changed
from hedgerow.ingest.sizes import (
    DISTINCT_ID_LIMIT,
    KEY_LIMIT,
    PROPERTIES_LIMIT,
    json_text,
    text_of_key,
)
from hedgerow.ingest.timestamps import parsed
from hedgerow.model.changes import Changes, Known, Wanted
from hedgerow.model.people import Merge, Person
from hedgerow.model.projects import Project

MOST_ERRORS = 100
"""Bad lines described one by one; ``failed`` counts all."""

_decode = msgspec.json.Decoder().decode


class BadLine(Exception):
    """Why a line cannot be imported."""


class PersonLine(msgspec.Struct, frozen=True, kw_only=True):
    """One person to import."""

    distinct_ids: tuple[str, ...]
    properties: dict[str, Any]
    created_at: datetime | None


class GroupLine(msgspec.Struct, frozen=True, kw_only=True):
    """One group to import."""

    type: str
    key: str
    properties: dict[str, Any]
    created_at: datetime | None


class Report:
    """What an import came to, line by line."""

    def __init__(self) -> None:
        self.created = self.updated = self.merged = self.failed = 0
        self.errors: list[dict[str, Any]] = []

    def bad(self, line: int, detail: str) -> None:
        """Count a bad line and describe it."""
        self.failed += 1
        if len(self.errors) < MOST_ERRORS:
            self.errors.append({"line": line, "detail": detail})

    def answer(self) -> dict[str, Any]:
        """Return the answer of the import."""
        return {
            "created": self.created,
            "updated": self.updated,
            "merged": self.merged,
            "failed": self.failed,
            "errors": self.errors,
        }


PersonLines = list[tuple[int, PersonLine | str]]
"""Number of the line, from 1, and what it says or why it says nothing."""

GroupLines = list[tuple[int, GroupLine | str]]


def read_persons(body: bytes) -> PersonLines:
    """Read the lines of an import of persons."""
    return [(number, _try(_person_line, line)) for number, line in _lines(body)]


def read_groups(body: bytes) -> GroupLines:
    """Read the lines of an import of groups."""
    return [(number, _try(_group_line, line)) for number, line in _lines(body)]


def _lines(body: bytes) -> list[tuple[int, bytes]]:
    lines = body.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    return [(n, line) for n, line in enumerate(lines, start=1) if line.strip()]


def _try(read: Any, line: bytes) -> Any:
    try:
        return read(_object(line))
    except BadLine as bad:
        return str(bad)


def _object(line: bytes) -> dict[str, Any]:
    try:
        value = _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadLine(f"Not JSON: {error}. Put one JSON object on each line.") from error
    if not isinstance(value, dict):
        raise BadLine(f"Expected a JSON object, got {json_text(value)[:80]}.")
    return value


def _person_line(value: dict[str, Any]) -> PersonLine:
    _only(value, ("distinct_ids", "properties", "created_at"))
    ids = value.get("distinct_ids")
    if not isinstance(ids, list) or not ids:
        raise BadLine("'distinct_ids' is missing: give a list of at least one id.")
    texts = [text_of_key(one) for one in ids]
    if any(text is None or not text.strip() for text in texts):
        raise BadLine("'distinct_ids' holds an empty id or one that is no text.")
    unique = tuple(dict.fromkeys(str(text)[:DISTINCT_ID_LIMIT] for text in texts))
    illegal = [one for one in unique if is_illegal(one)] if len(unique) > 1 else []
    if illegal:
        raise BadLine(
            f"{illegal[0]!r} is an id that many people share by mistake, so it cannot be "
            "merged; leave it out."
        )
    return PersonLine(
        distinct_ids=unique, properties=_properties(value), created_at=_created_at(value)
    )


def _group_line(value: dict[str, Any]) -> GroupLine:
    _only(value, ("type", "key", "properties", "created_at"))
    name, key = value.get("type"), text_of_key(value.get("key"))
    if not isinstance(name, str) or not name:
        raise BadLine("'type' is missing: give the group type's name, such as \"company\".")
    if not key:
        raise BadLine("'key' is missing: give the group's key, a text or a number.")
    return GroupLine(
        type=name[:KEY_LIMIT],
        key=key,
        properties=_properties(value),
        created_at=_created_at(value),
    )


def _only(value: dict[str, Any], names: Sequence[str]) -> None:
    for name in value:
        if name not in names:
            raise BadLine(
                f"{name!r} is not a field of an import; they are {', '.join(names)}."
            )


def _properties(value: dict[str, Any]) -> dict[str, Any]:
    properties = value.get("properties")
    if properties is None:
        return {}
    if not isinstance(properties, dict):
        raise BadLine("'properties' is not an object.")
    if len(json_text(properties).encode()) > PROPERTIES_LIMIT:
        raise BadLine("'properties' takes more than 512 KiB; send fewer or shorter ones.")
    return properties


def _created_at(value: dict[str, Any]) -> datetime | None:
    given = value.get("created_at")
    if given is None:
        return None
    moment = parsed(given) if isinstance(given, str) else None
    if moment is None:
        raise BadLine(
            f"'created_at' is {given!r}, not a time such as \"2024-05-01T08:00:00Z\"."
        )
    return moment


def wanted_by_persons(project: Project, lines: PersonLines) -> Wanted:
    """Return what an import of persons mentions."""
    ids = {
        (project.id, distinct_id)
        for _, line in lines
        if isinstance(line, PersonLine)
        for distinct_id in line.distinct_ids
    }
    return Wanted(projects={project.id}, distinct_ids=ids, whole=ids)


def wanted_by_groups(project: Project, lines: GroupLines) -> Wanted:
    """Return what an import of groups mentions."""
    return Wanted(
        projects={project.id},
        groups={
            (project.id, line.type, line.key)
            for _, line in lines
            if isinstance(line, GroupLine)
        },
    )


def plan_persons(
    project: Project, lines: PersonLines, known: Known, *, at: datetime, position: int
) -> Changes:
    """Return what an import of persons changes; ``at`` is when it arrived."""
    people, kinds, report = People(known), Kinds(known), Report()
    merges: list[Merge] = []
    for number, line in lines:
        if isinstance(line, str):
            report.bad(number, line)
            continue
        existed = any(
            people.persons.get(people.keys.get((project.id, one), 0))
            for one in line.distinct_ids
        )
        logged, gained = _one_person(project, line, people, at)
        merges += logged
        report.merged += len(logged)
        if not _describe(project, line, people, gained, at):
            report.bad(number, "The person's properties would take more than 512 KiB.")
            continue
        kinds.note(project.id, "person", line.properties, at)
        if existed:
            report.updated += 1
        else:
            report.created += 1
    changes = gathered(people, Groups(known), kinds)
    return msgspec.structs.replace(
        changes, merges=merges, outcomes={position: report.answer()}
    )


def _one_person(
    project: Project, line: PersonLine, people: People, at: datetime
) -> tuple[list[Merge], dict[str, Any]]:
    """Make all ids of a line one person; return what merged and what it gains by that."""
    ids = line.distinct_ids
    target = next(
        (i for i in ids if people.persons.get(people.key_of(project.id, i))), ids[0]
    )
    key = people.key_of(project.id, target)
    if key not in people.persons:
        people.make(project.id, target, key, at=line.created_at or at)
    merges: list[Merge] = []
    gained: dict[str, Any] = {}
    for one in ids:
        asked = Asked(
            kind="import",
            project_id=project.id,
            source_id=one,
            target_id=target,
            at=at,
            event_uuid=None,
        )
        outcome = merge(asked, people)
        merges += outcome.merges
        gained = (outcome.gained or {}) | gained
    return merges, gained


def _describe(
    project: Project, line: PersonLine, people: People, gained: dict[str, Any], at: datetime
) -> bool:
    """Give a line's person its properties and creation; False: they grew too large."""
    person = people.persons[people.key_of(project.id, line.distinct_ids[0])]
    if line.created_at is not None and line.created_at < person.created_at:
        person = msgspec.structs.replace(person, created_at=line.created_at)
        people.put(person)
    base = gained | person.properties
    own = hidden(line.properties, project)
    after = changed(base, own=own, once={}, lifted={}) or base
    if after is person.properties and person.state:
        return True
    text = json_text(after)
    if len(text.encode()) > PROPERTIES_LIMIT:
        if not person.state:
            people.change(person, {}, "{}", at=at, event_uuid=None)
        return False
    _change_if_needed(people, person, after, text, at)
    return True


def _change_if_needed(
    people: People, person: Person, after: dict[str, Any], text: str, at: datetime
) -> None:
    if not person.state or text != json_text(person.properties):
        people.change(person, after, text, at=at, event_uuid=None)


def plan_groups(
    project: Project, lines: GroupLines, known: Known, *, at: datetime, position: int
) -> Changes:
    """Return what an import of groups changes; ``at`` is when it arrived."""
    groups, kinds, report = Groups(known), Kinds(known), Report()
    for number, line in lines:
        if isinstance(line, str):
            report.bad(number, line)
            continue
        groups.type_of(project.id, line.type)
        existed = groups.exists(project.id, line.type, line.key)
        properties = hidden(line.properties, project)
        made = groups.change(
            project, line.type, line.key, properties, at=at, created_at=line.created_at
        )
        if made is None:
            report.bad(number, "The group's properties would take more than 512 KiB.")
            continue
        kinds.note(project.id, f"group:{line.type}", properties, at)
        if existed:
            report.updated += 1
        else:
            report.created += 1
    changes = gathered(People(known), groups, kinds)
    return msgspec.structs.replace(changes, outcomes={position: report.answer()})
