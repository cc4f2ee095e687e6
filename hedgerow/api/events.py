"""Events: explore them, find one, write them out as a file."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from hedgerow.api.callers import Caller
from hedgerow.api.endpoints import Download, Listing, Page, listing
from hedgerow.api.filters import filters_of
from hedgerow.api.people import TIMEOUT_S, context_of, run
from hedgerow.errors import InvalidInput, NotFound
from hedgerow.insights import event_pages
from hedgerow.insights.event_pages import Wanted
from hedgerow.model.ports import Reader
from hedgerow.model.projects import QueryContext
from hedgerow.query.definitions_filters import PropertyFilter

EXPORT_PAGE = 10_000
"""Events read at a time by an export."""

COLUMNS = ("uuid", "event", "distinct_id", "timestamp", "properties")
"""Of an exported CSV; properties are JSON."""


Order = Literal["timestamp", "-timestamp", '["timestamp"]', '["-timestamp"]']


class EventSearch(Page, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which events."""

    event: str | None = None
    distinct_id: str | None = None
    person_id: str | None = None
    after: str | None = None
    """A date or time, or relative such as ``-24h``; exclusive, as is ``before``."""

    before: str | None = None
    properties: str | None = None
    """A JSON list of property filters."""

    orderBy: Order = "-timestamp"  # noqa: N815  the wire's name
    """Alone, or as PostHog's own pages send it, in a list."""


class Export(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which events to write, and how."""

    format: Literal["ndjson", "csv"] = "ndjson"
    event: str | None = None
    distinct_id: str | None = None
    after: str | None = None
    before: str | None = None
    properties: str | None = None


def list_events(caller: Caller, _body: None, page: EventSearch) -> Listing:
    """List events, newest first."""
    wanted = _wanted(page)
    context = context_of(caller, wanted.properties)
    statement = event_pages.newest(
        msgspec.structs.replace(wanted, person_id=page.person_id),
        context,
        limit=page.limit + 1,
        offset=page.offset,
        oldest_first="-" not in page.orderBy,
    )
    found = _told(caller, statement, context)
    more = len(found) > page.limit
    return listing(caller.url, page, found[: page.limit], total=None, more=more)


def read_event(
    caller: Caller, _body: None, _params: None, *, event_uuid: str
) -> Mapping[str, Any]:
    """Show one event."""
    context = context_of(caller)
    found = []
    if len(event_uuid) == 36:
        one = Wanted(uuid=event_uuid)
        statement = event_pages.newest(one, context, limit=1, offset=0, oldest_first=True)
        found = _told(caller, statement, context)
    if not found:
        raise NotFound(
            f"There is no event {event_uuid!r} in this project.",
            hint="Use the 'uuid' of an event.",
        )
    return found[0]


def export(caller: Caller, _body: None, params: Export) -> Download:
    """Write events out, oldest first, as NDJSON or CSV."""
    media = "text/csv" if params.format == "csv" else "application/x-ndjson"
    wanted = _wanted(params)
    context = context_of(caller, wanted.properties)
    # Whatever must be refused is refused here, before the first byte is sent:
    event_pages.onward(wanted, context, behind=None, limit=1)
    pages = exported(caller.parts.reader, context, wanted, params.format)
    return Download(pages, media, f"events.{params.format}")


def exported(
    reader: Reader, context: QueryContext, wanted: Wanted, shape: Literal["ndjson", "csv"]
) -> Iterator[bytes]:
    """Yield events as lines, oldest first, a page of them at a time."""
    behind = None
    yield _csv([COLUMNS]) if shape == "csv" else b""
    while True:
        statement = event_pages.onward(wanted, context, behind=behind, limit=EXPORT_PAGE)
        rows = reader.run(statement, timeout_s=TIMEOUT_S).rows
        lines = [event_pages.exported(row) for row in rows]
        if shape == "csv":
            yield _csv([_cells(one) for one in lines])
        else:
            yield b"".join(msgspec.json.encode(one) + b"\n" for one in lines)
        if len(rows) < EXPORT_PAGE:
            return
        behind = event_pages.key_of(rows[-1])


def wanted_of(
    *,
    event: str | None = None,
    distinct_id: str | None = None,
    after: str | None = None,
    before: str | None = None,
    properties: str | None = None,
) -> Wanted:
    """Return which events are meant. Raises InvalidInput for filters that cannot be read."""
    try:
        filters = msgspec.convert(filters_of(properties), list[PropertyFilter])
    except msgspec.ValidationError as error:
        raise InvalidInput(
            f"A filter in 'properties' cannot be read: {error}.",
            hint='Write [{"key": …, "type": …, "operator": …, "value": …}].',
            attr="properties",
        ) from error
    return Wanted(
        event=event,
        distinct_id=distinct_id,
        after=None if after == "all" else after,
        before=before,
        properties=tuple(filters),
    )


def _wanted(params: EventSearch | Export) -> Wanted:
    return wanted_of(
        event=params.event,
        distinct_id=params.distinct_id,
        after=params.after,
        before=params.before,
        properties=params.properties,
    )


def _told(caller: Caller, statement: Any, context: QueryContext) -> list[dict[str, Any]]:
    rows = run(caller, statement)
    keys = event_pages.persons_in(rows)
    ids = run(caller, event_pages.ids_of(keys, context)) if keys else None
    return event_pages.result(rows, ids)


def _cells(event: Mapping[str, Any]) -> list[str]:
    plain = {**event, "properties": bytes(event["properties"]).decode()}
    plain["timestamp"] = event["timestamp"].isoformat()
    return [str(plain[name]) for name in COLUMNS]


def _csv(rows: Any) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()
