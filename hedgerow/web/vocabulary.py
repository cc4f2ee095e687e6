"""Which names and values a project's data have, for completing what people type.

All of it is asked of the data like any other question; nothing here knows a table.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hedgerow.web.visits import Visit


def events(visit: Visit, search: str = "", *, limit: int = 100) -> list[Mapping[str, Any]]:
    """Return event names seen, most frequent first: ``name``, ``volume``, ``last_seen``."""
    answer = visit.ask(
        {"kind": "EventNamesQuery", "search": search or None, "limit": limit}
    )
    return list(answer["results"])


def known(visit: Visit) -> dict[str, datetime]:
    """Return when each event name was last seen."""
    return {row["name"]: instant(row["last_seen"]) for row in events(visit, limit=1000)}


def properties(
    visit: Visit, scope: str, search: str = "", *, event: str = "", limit: int = 100
) -> list[Mapping[str, Any]]:
    """Return property names of ``scope`` (event, person, group:<index>) with their ``type``."""
    kind, _, index = scope.partition(":")
    query: dict[str, Any] = {
        "kind": "PropertyNamesQuery",
        "type": kind,
        "search": search or None,
        "limit": limit,
    }
    if kind == "group":
        query["group_type_index"] = int(index or 0)
    if event and kind == "event":
        query["event"] = event
    return list(visit.ask(query)["results"])


def values(visit: Visit, scope: str, key: str, search: str = "") -> list[Mapping[str, Any]]:
    """Return the most frequent values of a property: ``name``, ``count``."""
    kind, _, index = scope.partition(":")
    query: dict[str, Any] = {
        "kind": "PropertyValuesQuery",
        "type": kind,
        "key": key,
        "search": search or None,
    }
    if kind == "group":
        query["group_type_index"] = int(index or 0)
    return list(visit.ask(query)["results"])


def instant(value: Any) -> datetime:
    """Return a time of an answer, which is text or a time already, in UTC."""
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
