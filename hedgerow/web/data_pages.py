"""The vocabulary of a project: events and properties found, what people say of them, notes."""

from datetime import datetime
from typing import Any

from starlette.responses import Response

from hedgerow.errors import InvalidInput
from hedgerow.meta import audit, boards, catalog, watches
from hedgerow.web import vocabulary
from hedgerow.web.charts.choose import events_of
from hedgerow.web.editor_choices import group_types
from hedgerow.web.visits import Visit

TABS = (("events", "Events"), ("properties", "Properties"), ("annotations", "Annotations"))
SHOWN = 500
ANNOTATION_MAX = 400


def events(visit: Visit) -> Response:
    """GET …/data — every event name seen, with volume, last time and description."""
    search = visit.text("search")
    found = vocabulary.events(visit, search, limit=SHOWN)
    with visit.services.metadata.reading() as session:
        said = catalog.events(session, visit.here.id)
        saved, _ = boards.insights(session, visit.here.id, limit=1000)
    asked: dict[str, int] = {}
    for insight in saved:
        for name in events_of(insight.query):
            asked[name] = asked.get(name, 0) + 1
    rows = [
        {
            "name": row["name"],
            "volume": row["volume"],
            "first": vocabulary.instant(row["first_seen"]),
            "last": vocabulary.instant(row["last_seen"]),
            "said": said.get(row["name"]),
            "asked": asked.get(row["name"], 0),
        }
        for row in found
    ]
    hidden = [row for row in rows if row["said"] is not None and row["said"].hidden]
    shown = [row for row in rows if row not in hidden or visit.text("hidden")]
    return _render(
        visit, "events", "data_events.html", rows=shown, hidden=len(hidden), search=search
    )


def _render(visit: Visit, tab: str, template: str, **values: Any) -> Response:
    return visit.render(template, here="data", tabs=TABS, tab=tab, **values)


def describe_event(visit: Visit) -> Response:
    """POST …/data/events — description, verified, hidden."""
    name = visit.text("name")
    fields = {
        "description": visit.text("description"),
        "verified": bool(visit.text("verified")),
        "hidden": bool(visit.text("hidden")),
    }
    with visit.services.metadata.writing() as session:
        catalog.describe_event(session, visit.here.id, name, fields)
        _note(visit, session, "described", ("event", name), fields)
    return visit.go(visit.path("data"), notice=f"{name} described")


def properties(visit: Visit) -> Response:
    """GET …/data/properties?scope=…"""
    scope, search = visit.text("scope", "event"), visit.text("search")
    scopes = [("event", "Events"), ("person", "Persons")]
    scopes += [(f"group:{one.index}", f"Groups: {one.name}") for one in group_types(visit)]
    found = vocabulary.properties(visit, scope, search, limit=SHOWN)
    with visit.services.metadata.reading() as session:
        said = catalog.properties(session, visit.here.id)
    kept = _kept_scope(visit, scope)
    rows = [
        {
            "name": row["name"],
            "type": row.get("type"),
            "said": said.get((kept, row["name"])),
        }
        for row in found
    ]
    return _render(
        visit,
        "properties",
        "data_properties.html",
        rows=rows,
        scope=scope,
        scopes=scopes,
        kinds=catalog.KINDS,
        search=search,
    )


def _kept_scope(visit: Visit, scope: str) -> str:
    """Return a scope as definitions are kept: groups by the name of their type."""
    kind, _, index = scope.partition(":")
    if kind != "group":
        return kind
    names = {str(one.index): one.name for one in group_types(visit)}
    return f"group:{names.get(index, '')}"


def describe_property(visit: Visit) -> Response:
    """POST …/data/properties — description, type, verified, hidden."""
    scope, name = visit.text("scope", "event"), visit.text("name")
    fields = {
        "description": visit.text("description"),
        "kind": visit.text("kind") or None,
        "verified": bool(visit.text("verified")),
        "hidden": bool(visit.text("hidden")),
    }
    with visit.services.metadata.writing() as session:
        place = (_kept_scope(visit, scope), name)
        catalog.describe_property(session, visit.here.id, place, fields)
        _note(visit, session, "described", ("property", name), fields)
    return visit.go(
        visit.path(f"data/properties?scope={scope}"), notice=f"{name} described"
    )


def annotations(visit: Visit) -> Response:
    """GET …/data/annotations — notes at moments, drawn on charts."""
    with visit.services.metadata.reading() as session:
        rows, _ = watches.annotations(session, visit.here.id, limit=200)
    return _render(visit, "annotations", "data_annotations.html", rows=rows)


def annotate(visit: Visit) -> Response:
    """POST …/data/annotations"""
    content = visit.text("content")
    if not 1 <= len(content) <= ANNOTATION_MAX:
        raise InvalidInput(
            f"The note has {len(content)} characters.",
            hint=f"Use 1 to {ANNOTATION_MAX}.",
            attr="content",
        )
    try:
        at = datetime.fromisoformat(visit.text("at")).replace(tzinfo=visit.zone)
    except ValueError as error:
        raise InvalidInput(
            f"{visit.text('at')!r} is no time.", hint="Choose a day and an hour.", attr="at"
        ) from error
    with visit.services.metadata.writing() as session:
        row = watches.annotate(
            session, visit.here.id, content, at, now=visit.now, created_by=visit.who.id
        )
        _note(visit, session, "created", ("annotation", row.id), {"content": content})
    return visit.go(visit.path("data/annotations"), notice="Noted")


def remove_annotation(visit: Visit) -> Response:
    """POST …/data/annotations/{annotation_id}/delete"""
    number = int(visit.request.path_params["annotation_id"])
    with visit.services.metadata.writing() as session:
        row = watches.annotation(session, visit.here.id, number)
        _note(visit, session, "deleted", ("annotation", row.id), {"content": row.content})
        session.delete(row)
    return visit.go(visit.path("data/annotations"), notice="The note is gone")


def _note(
    visit: Visit, session: Any, action: str, subject: tuple[str, Any], after: dict[str, Any]
) -> None:
    by = audit.actor(visit.who, visit.now)
    audit.note(session, by, action, subject, project_id=visit.here.id, after=after)
