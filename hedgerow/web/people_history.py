"""How the properties of a person came to be what they are: every change, newest first."""

from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from hedgerow.insights import listings
from hedgerow.web.activity import value_text
from hedgerow.web.people import find, run
from hedgerow.web.visits import Visit

PAGE = 50
MOST_STATES = 2_000
"""Changes further back than these states are not told here."""


def page(visit: Visit) -> Response:
    """GET …/persons/{person_id}/history — a piece of the person's page, or a page alone."""
    found = find(visit, str(visit.request.path_params["person_id"]))
    context = visit.services.context(visit.here.id)
    key = run(visit, listings.person(found["id"], context)).rows[0][1]
    states = run(visit, listings.history(key, context, limit=MOST_STATES)).rows
    changes = listings.changes(states)
    offset = int(visit.text("offset")) if visit.text("offset").isdecimal() else 0
    address = visit.path(f"persons/{quote(found['id'], safe='')}/history")
    more = ""
    if offset + PAGE < len(changes):
        more = f"{address}?offset={offset + PAGE}"
    rows = [_shown(one) for one in changes[offset : offset + PAGE]]
    template = "_person_history.html" if visit.is_partial else "person_history.html"
    return visit.render(
        template, here="persons", person=found, changes=rows, more=more, first=not offset
    )


def _shown(change: dict[str, Any]) -> dict[str, Any]:
    return {
        "property": change["property"],
        "at": change["at"],
        "before": value_text(change["before"]) if "before" in change else None,
        "after": value_text(change["after"]) if "after" in change else None,
        "event_uuid": change["event_uuid"],
    }
