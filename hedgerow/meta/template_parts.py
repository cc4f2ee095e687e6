"""What templates of dashboards are made of: questions, places, cohorts."""

from typing import Any

import msgspec


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """A question with its name, and its place if it is a tile."""

    name: str
    description: str
    query: dict[str, Any]
    layout: dict[str, int] = msgspec.field(default_factory=dict)


class SavedCohort(msgspec.Struct, frozen=True, kw_only=True):
    """A cohort to be made along with a dashboard."""

    name: str
    description: str
    filters: dict[str, Any]


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """A dashboard that can be made in one step."""

    key: str
    """Stable; what ``from_template`` is given."""

    name: str
    description: str
    tiles: tuple[Saved, ...]
    insights: tuple[Saved, ...] = ()
    cohorts: tuple[SavedCohort, ...] = ()
    union_properties: dict[str, list[str]] = msgspec.field(default_factory=dict)
    """Added to the project's rules for lists that unite (``events.md`` §5)."""


def trend(
    event: str | None,
    display: str,
    *,
    math: str = "total",
    since: str = "-30d",
    by: str = "",
    where: tuple[dict[str, Any], ...] = (),
) -> dict[str, Any]:
    """Return a trend of one event."""
    query: dict[str, Any] = {
        "kind": "TrendsQuery",
        "dateRange": {"date_from": since},
        "interval": "day",
        "series": [{"kind": "EventsNode", "event": event, "math": math}],
        "trendsFilter": {"display": display},
    }
    if since == "-24h":
        query["dateRange"]["explicitDate"] = True  # to the minute, not from midnight
    if by:
        query["breakdownFilter"] = {"breakdown": by, "breakdown_type": "event"}
    if where:
        query["properties"] = list(where)
    return query


def is_(key: str, value: str, of: str = "event", operator: str = "exact") -> dict[str, Any]:
    """Return a filter: a property has a value."""
    return {"key": key, "type": of, "operator": operator, "value": [value]}


def has(key: str, of: str = "event") -> dict[str, Any]:
    """Return a filter: a property is set."""
    return {"key": key, "type": of, "operator": "is_set"}


def persons(*criteria: dict[str, Any]) -> dict[str, Any]:
    """Return a cohort of those who meet all criteria."""
    return {
        "properties": {"type": "AND", "values": [{"type": "AND", "values": list(criteria)}]}
    }


def with_(query: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a question with more fields."""
    return {**query, **more}


def at(x: int, y: int, w: int, h: int = 6) -> dict[str, int]:
    """Return a tile's place on twelve columns."""
    return {"x": x, "y": y, "w": w, "h": h}
