"""What people ask for about people: merge, split, delete, change.

Commands come through the same queue as events, so that each takes its place among them,
and one writer does it all.

A command is JSON; ``do`` says what, the rest is:

    merge            target: person UUID, sources: [person UUID, …]
    split            person: UUID, main_distinct_id?: who keeps the properties
    delete_person    person: UUID, with_events: bool
    patch_person     person: UUID, set?: {…}, unset?: [name, …]
    patch_group      type: name, key: text, set?: {…}, unset?: [name, …]
    fix_group_types  names: [name, …] in the order of their indexes; only new ones are added
    static_cohort_add, static_cohort_remove
                     cohort_id: int, distinct_ids?: [id, …], persons?: [UUID, …]
    forget_cohort    cohort_id: int
    delete_events    before: time with its zone, dry_run?: bool: only count them
    delete_project   nothing more: everything of the project goes

The outcome says what was done, or ``{"error": code, "what", "hint", "attr"}`` with a code
of ``hedgerow.errors``. Ids that nobody has are counted as ``unknown``, not refused.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from hedgerow.ingest.gathering import gathered
from hedgerow.ingest.groups import Groups
from hedgerow.ingest.identity import Asked, unite
from hedgerow.ingest.kinds import Kinds
from hedgerow.ingest.people import People, person_uuid
from hedgerow.ingest.privacy import hidden
from hedgerow.ingest.properties import changed
from hedgerow.ingest.sizes import PROPERTIES_LIMIT, json_text
from hedgerow.ingest.timestamps import parsed
from hedgerow.model.changes import (
    Changes,
    CohortPerson,
    Erase,
    EventsOf,
    Known,
    Tombstone,
    Wanted,
)
from hedgerow.model.people import Person
from hedgerow.model.projects import Project

Asking = Mapping[str, Any]


class Work:
    """A command being carried out."""

    def __init__(self, project: Project, asked: Asking, known: Known, at: datetime) -> None:
        self.project = project
        self.asked = asked
        self.known = known
        self.at = at
        self.people = People(known)
        self.groups = Groups(known)
        self.kinds = Kinds(known)
        self.more: dict[str, Any] = {}
        """Fields of ``Changes`` beside those gathered."""

    def person(self, uuid: Any, attr: str) -> Person:
        """Return the person with a UUID; raise Refused if there is none."""
        for person in self.people.persons.values():
            if person.uuid == uuid and person.project_id == self.project.id:
                return person
        raise Refused(
            "not_found",
            f"There is no person {uuid!r} here.",
            "It may be merged or deleted.",
            attr,
        )


class Refused(Exception):
    """Why a command cannot be carried out: code, what, hint, attr."""


def wanted(project: Project, asked: Asking) -> Wanted:
    """Return what a command mentions."""
    named = [asked.get("person"), asked.get("target"), *_list(asked, "sources")]
    persons = {(project.id, u) for u in [*named, *_list(asked, "persons")] if is_uuid(u)}
    ids = {(project.id, str(one)) for one in _list(asked, "distinct_ids")}
    groups = set()
    if asked.get("do") == "patch_group":
        groups = {(project.id, str(asked.get("type")), str(asked.get("key")))}
    return Wanted(
        projects={project.id},
        persons=persons,
        distinct_ids=ids,
        groups=groups,
        counted=_counted(project, asked),
    )


def _counted(project: Project, asked: Asking) -> set[EventsOf]:
    """Return the events that a receipt will have to count."""
    match asked.get("do"):
        case "delete_person" if asked.get("with_events") is True:
            return {EventsOf(project_id=project.id, person=str(asked.get("person")))}
        case "delete_events" if (before := parsed(str(asked.get("before")))) is not None:
            return {EventsOf(project_id=project.id, before=before)}
        case _:
            return set()


def is_uuid(value: Any) -> bool:
    """Whether a value is a UUID as text, in the usual form."""
    if not isinstance(value, str) or len(value) != 36:
        return False
    return value.count("-") == 4 and all(c in "0123456789abcdef-" for c in value)


def plan_command(
    project: Project, asked: Asking, known: Known, *, at: datetime, position: int
) -> Changes:
    """Return what a command changes, its outcome under ``position``."""
    work = Work(project, asked, known, at)
    do = COMMANDS.get(str(asked.get("do")))
    if do is None:
        return _refused(
            known,
            position,
            ("invalid_input", f"There is no command {asked.get('do')!r}.", "", "do"),
        )
    try:
        outcome = do(work)
    except Refused as refused:
        return _refused(known, position, refused.args)
    changes = gathered(work.people, work.groups, work.kinds)
    return msgspec.structs.replace(changes, outcomes={position: outcome}, **work.more)


def _refused(known: Known, position: int, args: tuple[Any, ...]) -> Changes:
    code, what, hint, attr = args
    return Changes(
        next_key=known.next_key,
        next_state=known.next_state,
        outcomes={position: {"error": code, "what": what, "hint": hint, "attr": attr}},
    )


def merge(work: Work) -> dict[str, Any]:
    """Merge persons into one; nothing stops it, since a person asked."""
    target = work.person(work.asked.get("target"), "target")
    sources = [work.person(uuid, "sources") for uuid in _list(work.asked, "sources")]
    merges: list[Any] = []
    gained: dict[str, Any] = {}
    for source in {one.key: one for one in sources if one.key != target.key}.values():
        asked = Asked(
            kind="api",
            project_id=work.project.id,
            source_id=work.people.ids_of(source.key)[0],
            target_id=work.people.ids_of(target.key)[0],
            at=work.at,
            event_uuid=None,
        )
        outcome = unite(asked, work.people, source.key, target.key)
        merges += outcome.merges
        gained = (outcome.gained or {}) | gained
    _write(work, target.key, gained | work.people.persons[target.key].properties)
    work.more["merges"] = merges
    return {"person": target.uuid, "merged": len(merges)}


def split(work: Work) -> dict[str, Any]:
    """Give each id of a person a person of its own.

    Without ``main_distinct_id`` the first id stays and nobody keeps the properties, since
    it is not known whose they are.
    """
    person = work.person(work.asked.get("person"), "person")
    ids = work.people.ids_of(person.key)
    main = work.asked.get("main_distinct_id")
    if main is not None and main not in ids:
        raise Refused(
            "invalid_input",
            f"{main!r} is not an id of this person.",
            f"Its ids are {', '.join(map(repr, ids[:10]))}.",
            "main_distinct_id",
        )
    if main is None:
        main = ids[0]
        _write(work, person.key, {})
    moved = [_apart(work, person, one) for one in ids if one != main]
    work.more["moved_ids"] = [(work.project.id, one, key) for one, key, _ in moved]
    return {"person": person.uuid, "made": [uuid for _, _, uuid in moved]}


def _apart(work: Work, person: Person, distinct_id: str) -> tuple[str, int, str]:
    """Make a new person of one id of another; return id, key and UUID."""
    people = work.people
    key = people.next_key
    people.next_key += 1
    people.give(work.project.id, distinct_id, key)
    made = people.make(work.project.id, distinct_id, key, at=person.created_at)
    if made.uuid == person.uuid:  # the id that the person was named after
        uuid = person_uuid(work.project.id, f"{distinct_id}\0{key}")
        made = msgspec.structs.replace(made, uuid=uuid)
    people.change(made, {}, "{}", at=work.at, event_uuid=None)
    return distinct_id, key, made.uuid


def delete_person(work: Work) -> dict[str, Any]:
    """Delete a person, and where asked its events; the receipt says what was deleted."""
    person = work.person(work.asked.get("person"), "person")
    with_events = work.asked.get("with_events") is True
    ids = work.people.ids_of(person.key)
    work.more["tombstones"] = [
        Tombstone(
            project_id=work.project.id,
            distinct_id=one,
            at=work.at,
            with_events=with_events,
        )
        for one in ids
    ]
    work.people.remove(person.key)
    if with_events:
        work.people.forget(work.project.id, person.key)
    work.more["erase"] = [
        Erase(project_id=work.project.id, person_key=person.key, with_events=with_events)
    ]
    return {
        "person": person.uuid,
        "distinct_ids": list(ids),
        "with_events": with_events,
        "events": sum(work.known.counted.values()),
        "deleted_at": work.at.isoformat(),
    }


def delete_events(work: Work) -> dict[str, Any]:
    """Delete the events that happened before a moment, or only count them."""
    before = parsed(str(work.asked.get("before")))
    if before is None:
        raise Refused(
            "invalid_input",
            f"'before' is {work.asked.get('before')!r}.",
            "Give a time such as 2026-03-01T00:00:00Z.",
            "before",
        )
    count = sum(work.known.counted.values())
    deleted = count > 0 and work.asked.get("dry_run") is not True
    if deleted:
        work.more["delete_before"] = [(work.project.id, before)]
    return {"before": before.isoformat(), "events": count, "deleted": deleted}


def patch_person(work: Work) -> dict[str, Any]:
    """Set and unset properties of a person."""
    person = work.person(work.asked.get("person"), "person")
    own = hidden(_properties(work), work.project)
    unset = [name for name in _list(work.asked, "unset") if name not in own]
    after = changed(person.properties, own=own, once={}, unset=unset, lifted={})
    _write(work, person.key, person.properties if after is None else after)
    work.kinds.note(work.project.id, "person", own, work.at)
    return {"person": person.uuid}


def patch_group(work: Work) -> dict[str, Any]:
    """Set and unset properties of a group, as said: a list that unites is put right so."""
    name, key = str(work.asked.get("type")), str(work.asked.get("key"))
    if not work.groups.exists(work.project.id, name, key):
        raise Refused(
            "not_found",
            f"There is no {name} {key!r} here.",
            "Import it, or send $groupidentify, to make it.",
            "group_key",
        )
    own = hidden(_properties(work), work.project)
    unset = _list(work.asked, "unset")
    made = work.groups.change(
        work.project, name, key, own, at=work.at, unset=unset, unites=False
    )
    if made is None:
        raise _too_large()
    work.kinds.note(work.project.id, f"group:{name}", own, work.at)
    return {"type": name, "key": key}


def fix_group_types(work: Work) -> dict[str, Any]:
    """Register group types in the order of their indexes."""
    made = [
        work.groups.type_of(work.project.id, str(n)) for n in _list(work.asked, "names")
    ]
    return {"group_types": [{"name": one.name, "index": one.index} for one, _ in made]}


def static_cohort_add(work: Work) -> dict[str, Any]:
    """Put persons into a static cohort."""
    return _cohort(work, member=True)


def static_cohort_remove(work: Work) -> dict[str, Any]:
    """Take persons out of a static cohort."""
    return _cohort(work, member=False)


def _cohort(work: Work, *, member: bool) -> dict[str, Any]:
    cohort_id = int(work.asked["cohort_id"])
    ids = [str(one) for one in _list(work.asked, "distinct_ids")]
    keys: dict[int, None] = {}
    unknown = 0
    for one in ids:
        key = work.people.keys.get((work.project.id, one))
        if key is None or key not in work.people.persons:
            unknown += 1
        else:
            keys[key] = None
    by_uuid = {person.uuid: person.key for person in work.people.persons.values()}
    for uuid in _list(work.asked, "persons"):
        if uuid in by_uuid:
            keys[by_uuid[uuid]] = None
        else:
            unknown += 1
    work.more["cohort_people"] = [
        CohortPerson(
            project_id=work.project.id, cohort_id=cohort_id, person_key=key, member=member
        )
        for key in keys
    ]
    return {"changed": len(keys), "unknown": unknown}


def forget_cohort(work: Work) -> dict[str, Any]:
    """Let all members of a static cohort leave."""
    work.more["forget_cohorts"] = [(work.project.id, int(work.asked["cohort_id"]))]
    return {}


def delete_project(work: Work) -> dict[str, Any]:
    """Delete everything of the project."""
    work.more["delete_projects"] = [work.project.id]
    return {}


COMMANDS: Mapping[str, Callable[[Work], dict[str, Any]]] = {
    one.__name__: one
    for one in (
        merge,
        split,
        delete_person,
        delete_events,
        patch_person,
        patch_group,
        fix_group_types,
        static_cohort_add,
        static_cohort_remove,
        forget_cohort,
        delete_project,
    )
}


def _list(asked: Asking, name: str) -> list[Any]:
    value = asked.get(name)
    return value if isinstance(value, list) else []


def _properties(work: Work) -> dict[str, Any]:
    given = work.asked.get("set") or {}
    if not isinstance(given, dict):
        raise Refused("invalid_input", "'set' is not an object.", "", "properties")
    return given


def _write(work: Work, key: int, properties: dict[str, Any]) -> None:
    person = work.people.persons[key]
    text = json_text(properties)
    if len(text.encode()) > PROPERTIES_LIMIT:
        raise _too_large()
    if text != json_text(person.properties) or not person.state:
        work.people.change(person, properties, text, at=work.at, event_uuid=None)


def _too_large() -> Refused:
    return Refused(
        "invalid_input",
        "The properties would take more than 512 KiB.",
        "Set fewer or shorter ones.",
        "properties",
    )
