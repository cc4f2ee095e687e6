"""Events one by one: as they arrive, and those one looks for.

The live page is a stream of server-sent events. It looks at the version of the project's
data, which costs nothing, and asks only when it has changed. The explorer is a question in
the address like any other: event, filters, range, order, columns, page.
"""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from hedgerow.errors import HedgerowError
from hedgerow.web import files, rendering, vocabulary
from hedgerow.web.charts import words
from hedgerow.web.charts.spec import Cell, Column, Table
from hedgerow.web.dashboards import added_filter, bar
from hedgerow.web.live import changes
from hedgerow.web.ranges import Range
from hedgerow.web.ranges import filters as read_filters
from hedgerow.web.visits import Visit, common

PAGE = 100
EXPORTED = 50_000
"""Rows of a download; more than that is an export over the API."""

LIVE_AT_ONCE = 50
LIVE_BACK = timedelta(days=1)
"""The stream shows what arrives with a time within this; older imports stay quiet."""

NAME_LENGTH = 28
"""Characters of a person's name in a list of events; ids of machines are longer."""

GREY = frozenset({"$is_bot", "$elements_chain"})
"""Properties that the server adds, beside those that begin with ``$geoip_``."""


def live(visit: Visit) -> Response:
    """GET …/live — the page; the stream fills it."""
    rows = newest(visit, since=visit.now - LIVE_BACK, limit=LIVE_AT_ONCE)
    return visit.render("live.html", here="live", events=rows)


def live_stream(visit: Visit) -> Response:
    """GET …/live/stream — what arrives, as HTML in server-sent events."""
    return StreamingResponse(
        _stream(visit),
        media_type="text/event-stream",
        headers={**rendering.HEADERS, "X-Accel-Buffering": "no"},
    )


async def _stream(visit: Visit) -> AsyncIterator[str]:
    since = visit.services.clock()
    async for _ in changes(lambda: visit.services.reader.version(visit.here.id)):
        now = visit.services.clock()
        try:
            rows = await run_in_threadpool(arrived, visit, since)
        except HedgerowError as error:
            yield f"event: failed\ndata: {error.what} {error.hint}\n\n"
            continue
        since = now
        if rows:
            values = {**common(visit), "events": rows}
            lines = rendering.html("_event_rows.html", values).split("\n")
            yield "".join(f"data: {line}\n" for line in lines) + "\n"
        else:
            yield ": nothing new\n\n"


def arrived(visit: Visit, since: datetime) -> list[dict[str, Any]]:
    """Return what was received after ``since``, newest first."""
    # Whole seconds, one earlier: the page drops what it has already.
    local = (since - timedelta(seconds=1)).astimezone(visit.zone)
    query = _query(
        after=(since - LIVE_BACK).isoformat(),
        limit=LIVE_AT_ONCE,
        where=[f"created_at > toDateTime('{local:%Y-%m-%d %H:%M:%S}')"],
    )
    return [
        shown(visit, row) for row in visit.ask(query, refresh="force_blocking")["results"]
    ]


def newest(visit: Visit, *, since: datetime, limit: int) -> list[dict[str, Any]]:
    """Return the latest events."""
    answer = visit.ask(_query(after=since.isoformat(), limit=limit))
    return [shown(visit, row) for row in answer["results"]]


def _query(**more: Any) -> dict[str, Any]:
    return {
        "kind": "EventsQuery",
        "select": ["*", "person_display_name"],
        "orderBy": ["timestamp DESC"],
        **more,
    }


def shown(visit: Visit, row: Any) -> dict[str, Any]:
    """Return an event as a template shows it."""
    event, person = row[0], row[1]
    properties = event["properties"]
    if isinstance(properties, str):
        properties = msgspec.json.decode(properties)
    at = vocabulary.instant(event["timestamp"]).astimezone(visit.zone)
    where = [str(properties[key]) for key in ("$browser", "$os") if properties.get(key)]
    return {
        "uuid": str(event["uuid"]),
        "event": event["event"],
        "at": at,
        "clock": f"{at:%H:%M:%S}",
        "day": words.day(at, year=at.year != visit.local_now.year),
        "distinct_id": event["distinct_id"],
        "person": words.short(person["display_name"] or event["distinct_id"], NAME_LENGTH),
        "person_to": visit.path(f"persons/{person['id']}") if person["id"] else "",
        "where": ", ".join(where) or str(properties.get("$lib") or ""),
        "told": told(properties),
        "properties": [
            (key, value_text(value), key.startswith("$geoip_") or key in GREY)
            for key, value in sorted(properties.items(), key=_own_first)
        ],
        "raw": properties,
    }


def _own_first(entry: tuple[str, Any]) -> tuple[bool, str]:
    return entry[0].startswith("$"), entry[0].casefold()


def told(properties: Mapping[str, Any]) -> str:
    """Return the first few values an event brought of its own, in a line."""
    if properties.get("$current_url") or properties.get("$pathname"):
        return str(properties.get("$pathname") or properties["$current_url"])
    own = [
        value_text(value)
        for key, value in properties.items()
        if not key.startswith("$") and not isinstance(value, (dict, list))
    ]
    return ", ".join(own[:4])


def value_text(value: Any) -> str:
    """Return a property value as one reads it: text as it is, all else as JSON."""
    if isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()


def explorer(visit: Visit) -> Response:
    """GET …/events"""
    if visit.text("f_key"):
        made = msgspec.json.encode(added_filter(visit)).decode()
        kept = {
            k: v for k, v in visit.request.query_params.items() if not k.startswith("f_")
        }
        return visit.go(f"{visit.request.url.path}?{urlencode({**kept, 'where': made})}")
    columns = [name for name in visit.text("columns").split(",") if name.strip()]
    offset = int(visit.text("offset")) if visit.text("offset").isdecimal() else 0
    is_file = files.wanted(visit.text("as"))
    query = _asked(visit, offset=offset, limit=EXPORTED if is_file else PAGE)
    error, rows, more = None, [], False
    try:
        answer = visit.ask(query)
        rows = [shown(visit, row) for row in answer["results"]]
        more = bool(answer.get("hasMore"))
    except HedgerowError as refused:
        error = refused
    if is_file and error is None:
        return files.reply("events", _table(rows, columns), visit.text("as"))
    chosen = Range(date_from=visit.text("from"), date_to=visit.text("to"))
    return visit.render(
        "events.html",
        here="events",
        events=rows,
        error=error,
        columns=columns,
        offset=offset,
        newer=_page(visit, offset - PAGE) if offset else "",
        older=_page(visit, offset + PAGE) if more else "",
        order=visit.text("order", "desc"),
        **bar(visit, chosen, read_filters(visit.text("where")), none="Last 24 hours"),
    )


def _asked(visit: Visit, *, offset: int, limit: int) -> dict[str, Any]:
    query = _query(after=visit.text("from") or "-24h", limit=limit, offset=offset)
    if visit.text("to"):
        query["before"] = visit.text("to")
    if visit.text("event"):
        query["event"] = visit.text("event")
    if visit.text("person"):
        query["personId"] = visit.text("person")
    if visit.text("where"):
        query["properties"] = read_filters(visit.text("where"))
    if visit.text("order") == "asc":
        query["orderBy"] = ["timestamp ASC"]
    return query


def _page(visit: Visit, offset: int) -> str:
    asked = dict(visit.request.query_params) | {"offset": str(max(offset, 0))}
    return f"{visit.request.url.path}?{urlencode(asked)}"


def _table(rows: list[dict[str, Any]], columns: list[str]) -> Table:
    names = ["timestamp", "event", "distinct_id", "uuid"]
    wanted = columns or sorted({key for row in rows for key in row["raw"]})
    return Table(
        columns=[Column(name=name) for name in [*names, *wanted]],
        rows=[
            [
                Cell(text=row["at"].isoformat()),
                *[Cell(text=str(row[name])) for name in names[1:]],
                *[Cell(text=value_text(row["raw"].get(key, ""))) for key in wanted],
            ]
            for row in rows
        ],
    )
