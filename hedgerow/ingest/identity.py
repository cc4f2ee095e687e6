"""Two ids, one person: ``$identify``, ``$create_alias``, ``$merge_dangerously``.

An event names a *source* id beside its own, the *target*. Whether the two become one is
decided by a short list of rules, read from the top (wire-protocol, section 9): the same
id, ids that many people share by mistake, a source that has already been identified; then
who of the two is known as a person. The target survives, its properties win.

Merging people by mistake cannot be undone by sending more events, so whatever looks like
a mistake is refused, with a warning: the event itself is stored either way.
"""

from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from hedgerow.ingest.people import People
from hedgerow.ingest.sizes import DISTINCT_ID_LIMIT, json_text
from hedgerow.model.people import Merge, MergeKind, Person

ANY_CASE = frozenset(
    [
        "anonymous",
        "guest",
        "distinctid",
        "distinct_id",
        "id",
        "not_authenticated",
        "email",
        "undefined",
        "true",
        "false",
    ]
)
EXACT_CASE = frozenset({"[object Object]", "NaN", "None", "none", "null", "0"})
MERGING = frozenset({"$identify", "$create_alias", "$merge_dangerously"})
"""Names of events that may ask for two ids to be one person."""

QUOTES = ("'", '"')


class Asked(NamedTuple):
    """One request to make two ids one person."""

    kind: MergeKind
    project_id: int
    source_id: str
    target_id: str
    at: datetime
    """When the event happened, UTC."""

    event_uuid: str | None


class Outcome(NamedTuple):
    """What came of it."""

    merges: tuple[Merge, ...] = ()
    gained: dict[str, Any] | None = None
    """Properties the target takes over from the source; None: nothing was merged."""

    warning: tuple[str, str] | None = None
    """Type and sentence, where the request was refused."""


def is_illegal(distinct_id: str) -> bool:
    """Whether an id is one that programs send by mistake for many different people."""
    bare = distinct_id.strip()
    if len(bare) >= 2 and bare[0] in QUOTES and bare[-1] == bare[0]:
        bare = bare[1:-1].strip()
    return not bare or bare in EXACT_CASE or bare.lower() in ANY_CASE


def source_of(name: str, properties: dict[str, Any]) -> tuple[MergeKind, str] | None:
    """Return how and with which id an event asks to merge; None: it does not."""
    match name:
        case "$identify":
            source = properties.get("$anon_distinct_id")
            kind: MergeKind = "$identify"
        case "$create_alias" | "$merge_dangerously":
            source = properties.get("alias")
            kind = "$create_alias" if name == "$create_alias" else "$merge_dangerously"
        case _:
            return None
    text = _as_distinct_id(source)
    return (kind, text) if text else None


def _as_distinct_id(value: Any) -> str:
    """Return an id that an event names as it would stand on an event of its own."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json_text(value)
    return text.replace("\0", "\ufffd")[:DISTINCT_ID_LIMIT]


def merge(asked: Asked, people: People) -> Outcome:
    """Make two ids one person, or say why not.

    The target's person exists afterwards wherever the two were allowed to be one, and
    counts as identified.
    """
    if asked.source_id == asked.target_id:
        return Outcome()
    for distinct_id in (asked.source_id, asked.target_id):
        if is_illegal(distinct_id):
            return Outcome(warning=_illegal(asked, distinct_id))
    project_id = asked.project_id
    source_key = people.key_of(project_id, asked.source_id)
    target_key = people.key_of(project_id, asked.target_id)
    source = people.persons.get(source_key)
    if source_key == target_key:
        return _identified(asked, people, target_key)
    if source and source.is_identified and asked.kind in {"$identify", "$create_alias"}:
        return Outcome(warning=_already(asked))
    if source and target_key not in people.persons:
        people.join(target_key, source_key, project_id)
        return _identified(asked, people, source_key)
    return unite(asked, people, source_key, target_key)


def unite(asked: Asked, people: People, source_key: int, target_key: int) -> Outcome:
    """Let the target take over the source's ids, events and, unless its own, properties."""
    project_id = asked.project_id
    source_ids = people.ids_of(source_key)
    source = people.remove(source_key)
    people.join(source_key, target_key, project_id)
    outcome = _identified(asked, people, target_key)
    if source is None:
        return outcome
    target = people.persons[target_key]
    if source.created_at < target.created_at:
        people.put(msgspec.structs.replace(target, created_at=source.created_at))
    log = Merge(
        project_id=project_id,
        at=asked.at,
        kind=asked.kind,
        event_uuid=asked.event_uuid,
        source_key=source_key,
        source_uuid=source.uuid,
        source_distinct_ids=source_ids,
        target_key=target_key,
    )
    lacking = source.properties.keys() - target.properties.keys()
    gained = {name: value for name, value in source.properties.items() if name in lacking}
    return Outcome(merges=(log,), gained=gained)


def _identified(asked: Asked, people: People, key: int) -> Outcome:
    person = people.persons.get(key)
    if person is None:
        people.make(asked.project_id, asked.target_id, key, at=asked.at, is_identified=True)
    elif not person.is_identified:
        people.put(_as_identified(person))
    return Outcome(gained={})


def _as_identified(person: Person) -> Person:
    return msgspec.structs.replace(person, is_identified=True)


def _illegal(asked: Asked, distinct_id: str) -> tuple[str, str]:
    details = (
        f"{asked.kind} names {distinct_id!r}, an id that many people share by mistake, so "
        f"{asked.source_id!r} and {asked.target_id!r} were not merged; send the id of one "
        "person, or leave the call out until there is one."
    )
    return "illegal_distinct_id", details


def _already(asked: Asked) -> tuple[str, str]:
    details = (
        f"{asked.kind} would merge {asked.source_id!r} into {asked.target_id!r}, but the "
        "first has been identified before, so both stay; call reset() when a person signs "
        "out, or send $merge_dangerously if they really are one."
    )
    return "cannot_merge_already_identified", details
