"""Groups: companies, versions, platforms, or whatever events belong to together."""

from typing import Any

from starlette.responses import Response

from hedgerow.errors import NotFound
from hedgerow.insights import listings
from hedgerow.web.activity import shown, value_text
from hedgerow.web.editor_choices import group_types
from hedgerow.web.people import own_first, run
from hedgerow.web.visits import Visit

PAGE = 100


def listing(visit: Visit) -> Response:
    """GET …/groups?type=…&search=…"""
    types = group_types(visit)
    chosen = next((one for one in types if one.name == visit.text("type")), None)
    chosen = chosen or (types[0] if types else None)
    offset = int(visit.text("offset")) if visit.text("offset").isdecimal() else 0
    rows: list[dict[str, Any]] = []
    if chosen is not None:
        statement = listings.groups(
            chosen.name,
            visit.services.context(visit.here.id),
            search=visit.text("search"),
            limit=PAGE + 1,
            offset=offset,
        )
        rows = listings.groups_result(run(visit, statement), chosen.name, chosen.index)
    return visit.render(
        "groups.html",
        here="groups",
        types=types,
        chosen=chosen,
        rows=rows[:PAGE],
        search=visit.text("search"),
        older=f"?type={chosen.name}&offset={offset + PAGE}"
        if chosen and len(rows) > PAGE
        else "",
    )


def group(visit: Visit) -> Response:
    """GET …/groups/{type}/{key} — its properties and the latest events in it."""
    name, key = visit.request.path_params["type"], visit.request.path_params["key"]
    kind = next((one for one in group_types(visit) if one.name == name), None)
    statement = listings.groups(
        name, visit.services.context(visit.here.id), key=key, limit=1
    )
    found = listings.groups_result(run(visit, statement), name, kind.index) if kind else []
    if kind is None or not found:
        raise NotFound(
            f"There is no {name} {key!r} in this project.",
            hint="Look at the list of groups.",
        )
    answer = visit.ask(
        {
            "kind": "EventsQuery",
            "select": ["*", "person_display_name"],
            "after": "-90d",
            "orderBy": ["timestamp DESC"],
            "limit": 50,
            "properties": [
                {
                    "key": f"$group_{kind.index}",
                    "type": "event_metadata",
                    "operator": "exact",
                    "value": key,
                }
            ],
        }
    )
    properties = found[0]["group_properties"]
    return visit.render(
        "group.html",
        here="groups",
        group=found[0],
        properties=[
            (k, value_text(properties[k])) for k in sorted(properties, key=own_first)
        ],
        events=[shown(visit, row) for row in answer["results"]],
    )
