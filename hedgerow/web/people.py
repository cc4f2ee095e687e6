"""Persons: find one, and know one: properties, events, ids, cohorts; merge, split, delete.

Changes go through the inbox like everything else, so each takes its place among the
events; a page after one shows what came of it.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from starlette.responses import Response

from hedgerow.errors import InvalidInput, NotFound
from hedgerow.insights import listings
from hedgerow.meta import audit, cohorts
from hedgerow.model.ports import Rows, Statement
from hedgerow.web import vocabulary
from hedgerow.web.activity import shown, value_text
from hedgerow.web.charts import words
from hedgerow.web.dashboards import added_filter, address
from hedgerow.web.people_behind import shown as person_row
from hedgerow.web.ranges import OPERATORS, said
from hedgerow.web.ranges import filters as read_filters
from hedgerow.web.visits import Visit

PAGE = 100
EVENTS_SHOWN = 50
ACTIVE_DAYS = 60
TIMEOUT_S = 30.0


def persons(visit: Visit) -> Response:
    """GET …/persons — found by id, name, e-mail or property."""
    if visit.text("f_key"):
        return visit.go(address(visit, added=added_filter(visit)))
    offset = int(visit.text("offset")) if visit.text("offset").isdecimal() else 0
    where = read_filters(visit.text("where"))
    query: dict[str, Any] = {
        "kind": "ActorsQuery",
        "select": ["person", "created_at"],
        "orderBy": ["created_at DESC"],
        "limit": PAGE,
        "offset": offset,
    }
    if visit.text("search"):
        query["search"] = visit.text("search")
    if where:
        query["properties"] = where
    answer = visit.ask(query)
    people = [row[0] for row in answer["results"]]
    seen = _last_seen(visit, [str(one["id"]) for one in people])
    asked = {"search": visit.text("search"), "where": visit.text("where")}
    rows = [
        {
            **person_row(one, visit),
            "ids": one["distinct_ids"],
            "created": vocabulary.instant(one["created_at"]),
            "seen": seen.get(str(one["id"])),
            "identified": one.get("is_identified"),
        }
        for one in people
    ]
    return visit.render(
        "persons.html",
        here="persons",
        rows=rows,
        search=visit.text("search"),
        where=[
            (said(one), address(visit, added=[w for w in where if w is not one]))
            for one in where
        ],
        operators=OPERATORS,
        offset=offset,
        older=f"?{urlencode({**asked, 'offset': offset + PAGE})}"
        if answer["hasMore"]
        else "",
    )


def run(visit: Visit, statement: Statement) -> Rows:
    """Return what a statement answers, as long as the browser waits."""
    return visit.services.reader.run(statement, timeout_s=TIMEOUT_S, cancel=visit.cancel)


def _last_seen(visit: Visit, uuids: list[str]) -> dict[str, Any]:
    if not uuids:
        return {}
    context = visit.services.context(visit.here.id)
    found = run(visit, listings.last_seen(uuids, context)).rows
    return {uuid: listings.utc(at) for uuid, at in found}


def find(visit: Visit, person_id: str) -> dict[str, Any]:
    """Return a person by id or distinct id. Raises NotFound."""
    context = visit.services.context(visit.here.id)
    rows = run(visit, listings.person(person_id, context)).rows
    if not rows:
        raise NotFound(
            f"There is no person {person_id!r} in this project.",
            hint="They may have been merged into another or deleted; search for another id.",
        )
    ids = run(visit, listings.distinct_ids(rows[0][1], context))
    seen = run(visit, listings.last_seen([rows[0][0]], context))
    return listings.person_result(rows[0], ids, seen, context.project)


def person(visit: Visit) -> Response:
    """GET …/persons/{person_id}"""
    found = find(visit, str(visit.request.path_params["person_id"]))
    before = visit.text("before")
    events = _events(visit, found["id"], before)
    if before and visit.is_partial:
        return visit.render("_person_events.html", **events)
    return visit.render(
        "person.html",
        here="persons",
        person=found,
        properties=[
            (key, value_text(found["properties"][key]), _kind(found["properties"][key]))
            for key in sorted(found["properties"], key=own_first)
        ],
        told=_told(found["properties"]),
        activity=_activity(visit, found["id"]),
        tab=visit.text("tab", "timeline"),
        **events,
    )


def own_first(key: str) -> tuple[bool, str]:
    """Return what puts properties of one's own before those of SDKs."""
    return key.startswith("$"), key.casefold()


def _kind(value: Any) -> str:
    return {str: "text", bool: "true or false", int: "number", float: "number"}.get(
        type(value), "JSON"
    )


def _told(properties: Mapping[str, Any]) -> str:
    keys = (
        "role",
        "auth_method",
        "current_version",
        "deployment_method",
        "$geoip_country_name",
        "$browser",
        "$os",
    )
    return " · ".join(str(properties[key]) for key in keys if properties.get(key))


def _events(visit: Visit, uuid: str, before: str) -> dict[str, Any]:
    query = {
        "kind": "EventsQuery",
        "select": ["*", "person_display_name"],
        "personId": uuid,
        "after": "all",
        "orderBy": ["timestamp DESC"],
        "limit": EVENTS_SHOWN,
    }
    if before:
        query["before"] = before
    answer = visit.ask(query)
    rows = [shown(visit, row) for row in answer["results"]]
    more = ""
    if answer.get("hasMore") and rows:
        last = rows[-1]["at"].isoformat()
        more = visit.path(f"persons/{quote(uuid, safe='')}?before={quote(last)}")
    return {"events": rows, "more": more}


def _activity(visit: Visit, uuid: str) -> dict[str, Any]:
    """Return events a day of the last weeks, and their sum."""
    answer = visit.ask(
        {
            "kind": "TrendsQuery",
            "series": [{"kind": "EventsNode", "event": None}],
            "dateRange": {"date_from": f"-{ACTIVE_DAYS - 1}d"},
            "properties": [
                {
                    "key": "person_id",
                    "type": "event_metadata",
                    "operator": "exact",
                    "value": uuid,
                }
            ],
        }
    )
    row = answer["results"][0]
    data, top = row["data"], max(*row["data"], 1)
    width = 100 / len(data)
    bars = [
        (
            round(i * width + width * 0.1, 2),
            round(width * 0.8, 2),
            round(100 - v / top * 92, 1),
            v,
        )
        for i, v in enumerate(data)
    ]
    first = visit.local_now - timedelta(days=ACTIVE_DAYS - 1)
    return {
        "bars": bars,
        "total": words.exact(row["count"]),
        "days": sum(1 for v in data if v),
        "span": words.day_range(first, visit.local_now),
        "length": ACTIVE_DAYS,
    }


def person_cohorts(visit: Visit) -> Response:
    """GET …/persons/{person_id}/cohorts — asked apart: each cohort is a question."""
    uuid = find(visit, str(visit.request.path_params["person_id"]))["id"]
    return visit.render("_person_cohorts.html", cohorts=_cohorts_of(visit, uuid))


def _cohorts_of(visit: Visit, uuid: str) -> list[tuple[int, str]]:
    """Return which cohorts a person is in, of the newest hundred."""
    with visit.services.metadata.reading() as session:
        rows, _ = cohorts.listed(session, visit.here.id, limit=100)
    found = []
    for row in rows:
        answer = visit.ask(
            {
                "kind": "ActorsQuery",
                "select": ["id"],
                "search": uuid,
                "properties": [
                    {"key": "id", "type": "cohort", "value": row.id, "operator": "in"}
                ],
                "limit": 1,
            }
        )
        if answer["results"]:
            found.append((row.id, row.name))
    return found


def change(visit: Visit) -> Response:
    """POST …/persons/{person_id} — set or remove one property."""
    found = find(visit, str(visit.request.path_params["person_id"]))
    key = visit.text("key")
    if not key:
        raise InvalidInput("The property has no name.", hint="Give one.", attr="key")
    command: dict[str, Any] = {"do": "patch_person", "person": found["id"]}
    if visit.text("do") == "remove":
        command["unset"] = [key]
    else:
        command["set"] = {key: _typed(visit.text("value"))}
    _do(visit, "changed", found["id"], command)
    return visit.go(
        visit.path(f"persons/{found['id']}?tab=properties"), notice=f"{key} changed"
    )


def _typed(text: str) -> Any:
    """Return what somebody typed as JSON where it is some, else as text."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def merge(visit: Visit) -> Response:
    """POST …/persons/{person_id}/merge — take another person over."""
    target = find(visit, str(visit.request.path_params["person_id"]))
    other = find(visit, visit.text("other"))
    if other["id"] == target["id"]:
        raise InvalidInput(
            f"{visit.text('other')!r} is this very person.",
            hint="Give an id of another.",
            attr="other",
        )
    _do(
        visit,
        "merged",
        target["id"],
        {"do": "merge", "target": target["id"], "sources": [other["id"]]},
    )
    return visit.go(
        visit.path(f"persons/{target['id']}"),
        notice=f"{other['name']} is now part of this person",
    )


def split(visit: Visit) -> Response:
    """POST …/persons/{person_id}/split — give each id a person of its own again."""
    found = find(visit, str(visit.request.path_params["person_id"]))
    command: dict[str, Any] = {"do": "split", "person": found["id"]}
    if visit.text("keeps"):
        command["main_distinct_id"] = visit.text("keeps")
    _do(visit, "split", found["id"], command)
    first = quote(visit.text("keeps") or found["distinct_ids"][0], safe="")
    return visit.go(visit.path(f"persons/{first}"), notice="Split: each id is a person now")


def delete(visit: Visit) -> Response:
    """POST …/persons/{person_id}/delete — for ever, with or without what they did."""
    found = find(visit, str(visit.request.path_params["person_id"]))
    with_events = bool(visit.text("with_events"))
    _do(
        visit,
        "deleted",
        found["id"],
        {"do": "delete_person", "person": found["id"], "with_events": with_events},
    )
    return visit.go(visit.path("persons"), notice=f"{found['name']} deleted")


def _do(visit: Visit, action: str, uuid: str, command: Mapping[str, Any]) -> None:
    visit.services.command(visit.here.id, command)
    with visit.services.metadata.writing() as session:
        audit.note(
            session,
            audit.actor(visit.who, visit.now),
            action,
            ("person", uuid),
            project_id=visit.here.id,
            after=dict(command),
        )
