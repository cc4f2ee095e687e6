"""The vocabulary of tests: people who do things, loaded as the writer would, without HTTP.

``load(store, project, persons=[…], groups=[…], events=[…])`` takes what the contract cases
hold:

    persons  {"distinct_ids": ["ann", "ann@work"], "properties": {…}, "created_at"?: "…"}
    groups   {"type": "company", "key": "acme", "properties": {…}, "created_at"?: "…"}
    events   {"event": "signed up", "distinct_id": "ann", "timestamp": "2020-01-09T12:00:00Z",
              "properties"?: {…}, "groups"?: {"company": "acme"}, "uuid"?, "$set"?, "$set_once"?}

A ``timestamp`` may be a datetime; ``timestamp_rel`` ("-2d1h") counts from ``now``. Events
are stored as captured ones are: ids in no person make an implicit person.
"""

import itertools
import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hedgerow.ingest.batch import prepare
from hedgerow.ingest.commands import plan_command
from hedgerow.ingest.commands import wanted as wanted_by_command
from hedgerow.ingest.drafts import Arrived
from hedgerow.ingest.imports import (
    plan_groups,
    plan_persons,
    read_groups,
    read_persons,
    wanted_by_groups,
    wanted_by_persons,
)
from hedgerow.ingest.sheet import as_sheet
from hedgerow.ingest.together import plan, wanted
from hedgerow.model.changes import Changes
from hedgerow.model.events import CapturedEvent, CapturedRequest
from hedgerow.model.projects import Cohort, Project, QueryContext
from hedgerow.store.on_duckdb import DuckStore

NOW = datetime(2026, 3, 15, 12, 0, tzinfo=UTC)
"""The present of tests that do not say otherwise."""

_ids = itertools.count(1)
_uuids = itertools.count(1)
_positions = itertools.count(1)


def a_project(**fields: Any) -> Project:
    """Return a project with an id never used before in this run."""
    number = next(_ids)
    return Project(
        **{"id": number, "name": f"Project {number}", "api_token": f"phc_{number}"} | fields
    )


def a_uuid() -> str:
    """Return a UUID never used before in this run."""
    return str(UUID(int=(0x0190_0000_0000_7000_8000 << 48) + next(_uuids)))


def captured(
    event: str,
    distinct_id: str,
    *,
    timestamp: datetime | str | None = None,
    properties: Mapping[str, Any] | None = None,
    uuid: str | None = None,
    set: Mapping[str, Any] | None = None,  # noqa: A002 - the field's own name
    set_once: Mapping[str, Any] | None = None,
    unset: Iterable[str] = (),
) -> CapturedEvent:
    """Return an event as the wire would."""
    at = timestamp.isoformat() if isinstance(timestamp, datetime) else timestamp
    return CapturedEvent(
        uuid=uuid or a_uuid(),
        name=event,
        distinct_id=distinct_id,
        timestamp=at,
        properties=dict(properties or {}),
        set=dict(set or {}),
        set_once=dict(set_once or {}),
        unset=tuple(unset),
    )


def store_events(
    store: DuckStore,
    project: Project,
    events: Iterable[CapturedEvent],
    *,
    received_at: datetime = NOW,
    place: Any = None,
) -> Changes:
    """Plan and commit captured events as one request; return what they changed."""
    request = CapturedRequest(token=project.api_token, sent_at=None, events=list(events))
    arrived = Arrived(project=project, received_at=received_at, request=request)
    sheet = as_sheet(prepare([arrived], place=place))
    changes = plan(sheet, store.known(wanted(sheet)))
    store.commit(changes, upto=next(_positions))
    return changes


def import_persons(
    store: DuckStore, project: Project, persons: Iterable[Any], *, at: datetime = NOW
) -> dict[str, Any]:
    """Import persons as ``…/persons/import`` does and return its answer."""
    lines = read_persons(ndjson(persons))
    position = next(_positions)
    known = store.known(wanted_by_persons(project, lines))
    changes = plan_persons(project, lines, known, at=at, position=position)
    store.commit(changes, upto=position)
    return changes.outcomes[position]


def import_groups(
    store: DuckStore, project: Project, groups: Iterable[Any], *, at: datetime = NOW
) -> dict[str, Any]:
    """Import groups as ``…/groups/import`` does and return its answer."""
    lines = read_groups(ndjson(groups))
    position = next(_positions)
    known = store.known(wanted_by_groups(project, lines))
    changes = plan_groups(project, lines, known, at=at, position=position)
    store.commit(changes, upto=position)
    return changes.outcomes[position]


def command(
    store: DuckStore, project: Project, asked: Mapping[str, Any], *, at: datetime = NOW
) -> dict[str, Any]:
    """Carry out a command as the writer does and return its outcome."""
    position = next(_positions)
    known = store.known(wanted_by_command(project, asked))
    changes = plan_command(project, asked, known, at=at, position=position)
    store.commit(changes, upto=position)
    return changes.outcomes[position]


def ndjson(lines: Iterable[Any]) -> bytes:
    """Return values as one JSON text a line."""
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def load(
    store: DuckStore,
    project: Project,
    *,
    persons: Iterable[Mapping[str, Any]] = (),
    events: Iterable[Mapping[str, Any]] = (),
    groups: Iterable[Mapping[str, Any]] = (),
    group_types: Iterable[str] = (),
    now: datetime = NOW,
) -> None:
    """Load what a contract case holds, in its order: groups, persons, events."""
    if types := list(group_types):
        command(store, project, {"do": "fix_group_types", "names": types}, at=now)
    if listed := list(groups):
        import_groups(store, project, listed, at=now)
    if people := list(persons):
        import_persons(store, project, people, at=now)
    wanted = [_captured(event, now) for event in events]
    if wanted:
        latest = max(datetime.fromisoformat(str(one.timestamp)) for one in wanted)
        store_events(store, project, wanted, received_at=max(now, latest))


def _captured(event: Mapping[str, Any], now: datetime) -> CapturedEvent:
    properties = dict(event.get("properties") or {})
    if event.get("groups"):
        properties["$groups"] = event["groups"]
    return captured(
        event["event"],
        event["distinct_id"],
        timestamp=moment(event, now),
        properties=properties,
        uuid=event.get("uuid"),
        set=event.get("$set"),
        set_once=event.get("$set_once"),
    )


def moment(event: Mapping[str, Any], now: datetime) -> datetime:
    """Return when an event happened: absolute, or relative to ``now``."""
    relative = event.get("timestamp_rel")
    if relative is None:
        given = event.get("timestamp", now)
        at = given if isinstance(given, datetime) else datetime.fromisoformat(given)
        return at if at.tzinfo else at.replace(tzinfo=UTC)
    units = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
    found = re.findall(r"(\d+)([wdhms])", relative)
    parts = {units[unit]: int(amount) for amount, unit in found}
    return now + (-1 if relative.startswith("-") else 1) * timedelta(**parts)


def context(
    store: DuckStore,
    project: Project,
    now: datetime = NOW,
    *,
    cohorts: Mapping[int, Cohort] | None = None,
) -> QueryContext:
    """Return the context of a question asked at ``now``."""
    return QueryContext(
        project=project,
        now=now,
        kinds=store.kinds(project.id),
        columns=store.columns(),
        group_types=store.group_types(project.id),
        cohorts=cohorts or {},
        first_event_at=store.first_event_at(project.id),
    )


def rows(store: DuckStore, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """Return what plain SQL answers; for looking at tables in tests."""
    return store._connection.cursor().execute(sql, list(values)).fetchall()
