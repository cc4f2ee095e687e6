"""What a batch of captured events changes: the steps that need to know what is stored.

They work on a ``Sheet``, in the order of arrival. The same sheet and the same ``Known``
give the same ``Changes``, always. Most rows are plain: whose such an event is takes two
look-ups, and nothing changes. Whatever else a row is goes the long way (``placing``), and
both ways come to the same.
"""

from collections.abc import Callable
from time import perf_counter
from typing import Any

import msgspec

from hedgerow.ingest.batch import Timings
from hedgerow.ingest.drafts import Batch, Draft
from hedgerow.ingest.gathering import gathered
from hedgerow.ingest.groups import Groups, identified, keys_of
from hedgerow.ingest.identity import source_of
from hedgerow.ingest.kinds import Kinds
from hedgerow.ingest.people import People
from hedgerow.ingest.placing import newcomer, passes_by, place
from hedgerow.ingest.sheet import NEED_A_PERSON, Sheet, repeated
from hedgerow.ingest.sizes import json_text
from hedgerow.model.changes import Changes, EventCount, Known, OfProject, Wanted
from hedgerow.model.event_columns import EventColumns, microseconds, moment_of
from hedgerow.model.people import GroupType, IngestionWarning

Notes = list[IngestionWarning]


class Plan(msgspec.Struct, kw_only=True):
    """A sheet being placed among what is known."""

    sheet: Sheet
    known: Known
    people: People
    groups: Groups
    kinds: Kinds
    keys: list[int] = msgspec.field(default_factory=list)
    """Of persons, by row; so is ``states``."""

    states: list[int | None] = msgspec.field(default_factory=list)
    columns: list[list[str | None]] = msgspec.field(default_factory=list)
    """Group keys by index, then by row."""

    events: EventColumns | None = None
    merges: list[Any] = msgspec.field(default_factory=list)
    counts: list[EventCount] = msgspec.field(default_factory=list)

    def warn(self, draft: Draft, type_: str, details: str) -> None:
        """Note that an event is probably not what its sender meant."""
        Batch(drafts=[], warnings=self.sheet.warnings).warn(draft, type_, details)


def drop_repeats(plan: Plan) -> None:
    """Keep the first event of a UUID; later ones are the same, sent again."""
    plan.sheet = plan.sheet.without(repeated(plan.sheet, plan.known.events))


def drop_forgotten(plan: Plan) -> None:
    """Drop what happened before its person was deleted together with the events."""
    if not plan.known.tombstones:
        return
    sheet, gone = plan.sheet, []
    is_changed = False
    for row, place_ in enumerate(sheet.ids):
        tombstone = plan.people.tombstone(*sheet.whose[place_])
        if tombstone is None or sheet.at[row] > microseconds(tombstone.at):
            continue
        if tombstone.with_events:
            gone.append(row)
            continue
        sheet.personless[row] = True
        sheet.groups.pop(row, None)
        if (draft := sheet.drafts.get(row)) is not None:
            draft.personless = True
            draft.set, draft.set_once, draft.unset, draft.lifted = {}, {}, (), {}
        is_changed = True
    if is_changed:
        sheet.news = sheet.looked_through()
    plan.sheet = sheet.without(gone)


def place_people(plan: Plan) -> None:
    """Say whose each event is, and what it changes about them."""
    sheet, people = plan.sheet, plan.people
    whose, lifted, shapes, personless = (
        sheet.whose,
        sheet.lifted,
        sheet.shapes,
        sheet.personless,
    )
    drafts, key_of, person_of = sheet.drafts, people.keys.get, people.persons.get
    for row, place_ in enumerate(sheet.ids):
        draft = drafts.get(row)
        if draft is None:
            key = key_of(whose[place_], 0)
            person = person_of(key)
            if personless[row]:
                key = key or people.key_of(*whose[place_])
                plan.keys.append(key)
                plan.states.append(person.state if person else None)
                continue
            if (
                person is not None
                and person.state
                and lifted[shapes[row]] <= person.properties.keys()
            ):
                plan.keys.append(key)
                plan.states.append(person.state)
                continue
            if person is None:
                person = newcomer(
                    whose[place_],
                    sheet.lifted_of(row),
                    people,
                    at=moment_of(sheet.at[row]),
                    uuid=sheet.uuids[row],
                )
                if person is not None:
                    plan.keys.append(person.key)
                    plan.states.append(person.state)
                    continue
            draft = sheet.draft(row)
        if not passes_by(draft, people):
            plan.merges.extend(place(draft, people, plan.warn))
        plan.keys.append(draft.person_key)
        plan.states.append(draft.person_state)


def put_groups(plan: Plan) -> None:
    """Put the groups of each event; make and update those that one describes."""
    sheet = plan.sheet
    plan.columns = [[None] * len(sheet) for _ in range(5)]
    for row in sorted({*sheet.drafts, *sheet.groups}):
        draft = sheet.drafts.get(row)
        if draft is None:
            found = _put_keys(row, sheet.groups[row], plan)
            sheet.texts[row] = _with(sheet.texts[row], found)
            continue
        if draft.personless:
            continue
        if "$groups" in draft.properties:
            draft.properties.update(_put_keys(row, keys_of(draft.properties), plan))
        if draft.captured.name == "$groupidentify":
            _describe(draft, plan)


def _put_keys(row: int, keys: dict[str, str], plan: Plan) -> dict[str, str]:
    """Put group keys into their columns and return them as properties."""
    found = {}
    project_id, _ = plan.sheet.whose[plan.sheet.ids[row]]
    for name, key in keys.items():
        kind, is_new = plan.groups.type_of(project_id, name)
        if is_new and kind.index is None:
            _warn_of_index(plan.sheet.draft(row), plan, name)
        if kind.index is not None:
            plan.columns[kind.index][row] = key
            found[f"$group_{kind.index}"] = key
    return found


def _with(text: str, more: dict[str, str]) -> str:
    """Return properties, of which there are some, with more at their end."""
    return f"{text[:-1]},{json_text(more)[1:]}" if more else text


def _warn_of_index(draft: Draft, plan: Plan, name: str) -> None:
    plan.warn(
        draft,
        "group_type_without_index",
        f"{name!r} is the sixth group type or later, so it has no index: ask for it by "
        "its name where a query wants group_type_index.",
    )


def _describe(draft: Draft, plan: Plan) -> None:
    named = identified(draft.properties)
    if named is None:
        return
    name, key = named
    kind: GroupType
    kind, is_new = plan.groups.type_of(draft.project.id, name)
    if is_new and kind.index is None:
        _warn_of_index(draft, plan, name)
    group_set = draft.properties.get("$group_set")
    if not isinstance(group_set, dict):
        group_set = {}
    if plan.groups.change(draft.project, name, key, group_set, at=draft.at) is None:
        plan.warn(
            draft,
            "group_properties_too_large",
            f"The properties of {name} {key!r} would take more than 512 KiB, so they stay "
            "as they were; send fewer or shorter ones.",
        )
        return
    plan.kinds.note(draft.project.id, f"group:{name}", group_set, draft.received_at)


def note_kinds(plan: Plan) -> None:
    """Note the kind of each property's first value."""
    kinds, sheet = plan.kinds, plan.sheet
    news = {one.row: one for one in sheet.news}
    for row in sorted({*sheet.drafts, *news}):
        project_id, _ = sheet.whose[sheet.ids[row]]
        draft = sheet.drafts.get(row)
        if draft is not None:
            at = draft.received_at
            kinds.note(project_id, "event", draft.properties, at)
            if draft.set or draft.set_once or draft.lifted:
                kinds.note_person(project_id, draft, at)
            continue
        at = moment_of(sheet.received_at[row])
        kinds.note(project_id, "event", news[row].properties, at)
        if news[row].lifted:
            kinds.note_lifted(project_id, news[row].lifted, at)
    for row in sheet.groups:
        project_id, _ = sheet.whose[sheet.ids[row]]
        found = {
            f"$group_{index}": column[row]
            for index, column in enumerate(plan.columns)
            if column[row] is not None
        }
        kinds.note(project_id, "event", found, moment_of(sheet.received_at[row]))


def count_names(plan: Plan) -> None:
    """Count how often each event was seen, and when first and last."""
    found: dict[OfProject, list[int]] = {}
    sheet = plan.sheet
    project_of = [project_id for project_id, _ in sheet.whose]
    for place_, name, at in zip(sheet.ids, sheet.names, sheet.at, strict=True):
        named = (project_of[place_], name)
        if (moments := found.get(named)) is None:
            moments = found[named] = []
        moments.append(at)
    plan.counts = [
        EventCount(
            project_id=project_id,
            event=name,
            first=moment_of(min(at)),
            last=moment_of(max(at)),
            count=len(at),
        )
        for (project_id, name), at in found.items()
    ]


def write_events(plan: Plan) -> None:
    """Write down each event as it is to be stored."""
    sheet, final = plan.sheet, plan.people.final
    for row, draft in sheet.drafts.items():
        sheet.keys.update(draft.properties)
        sheet.texts[row] = json_text(as_stored(draft))
    for index, column in enumerate(plan.columns):
        if any(column):
            sheet.keys.add(f"$group_{index}")
    keys = plan.keys
    plan.events = EventColumns(
        project_ids=[sheet.whose[place_][0] for place_ in sheet.ids],
        uuids=sheet.uuids,
        names=sheet.names,
        distinct_ids=[sheet.whose[place_][1] for place_ in sheet.ids],
        happened_at=sheet.at,
        received_at=sheet.received_at,
        person_keys=[final(key) for key in keys] if plan.people.moved else keys,
        person_states=plan.states,
        personless=sheet.personless,
        groups=plan.columns,
        properties=sheet.texts,
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


def wanted(sheet: Sheet) -> Wanted:
    """Return what events mention and the store may have."""
    project_of = [project_id for project_id, _ in sheet.whose]
    asked = Wanted(
        projects=set(sheet.projects),
        distinct_ids=set(sheet.whose),
        events=[
            (project_of[place_], uuid)
            for place_, uuid in zip(sheet.ids, sheet.uuids, strict=True)
        ],
        marks=sheet.marks,
    )
    for draft in sheet.drafts.values():
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


def plan(sheet: Sheet, known: Known, *, timings: Timings | None = None) -> Changes:
    """Return what events change. Use a sheet once: steps work on it."""
    work = Plan(
        sheet=sheet,
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
        event_keys=frozenset(work.sheet.keys),
        counts=work.counts,
        merges=work.merges,
        warnings=work.sheet.warnings,
        dropped=work.sheet.dropped,
    )
