"""What a field completes itself with, from the data: names, values, cohorts."""

from starlette.responses import Response

from hedgerow.meta import cohorts
from hedgerow.web import vocabulary
from hedgerow.web.charts import words
from hedgerow.web.visits import Visit

SHOWN = 30


def suggest(visit: Visit) -> Response:
    """GET …/suggest/{what}?search=… — events, properties of a scope, values of one."""
    match visit.request.path_params["what"]:
        case "events":
            found = _events(visit)
        case "properties" if visit.text("scope").startswith("cohort"):
            found = _cohorts(visit)
        case "properties":
            found = _properties(visit)
        case _:
            found = _values(visit)
    return visit.render("_suggestions.html", found=found)


def _events(visit: Visit) -> list[tuple[str, str]]:
    rows = vocabulary.events(visit, visit.text("search"), limit=SHOWN)
    return [(str(row["name"]), words.compact(row["volume"])) for row in rows]


def _properties(visit: Visit) -> list[tuple[str, str]]:
    scope = visit.text("scope", "event")
    if scope == "hogql":
        return []
    rows = vocabulary.properties(visit, scope, visit.text("search"), limit=SHOWN)
    return [(str(row["name"]), str(row.get("type") or "")) for row in rows]


def _values(visit: Visit) -> list[tuple[str, str]]:
    scope, key = visit.text("scope", "event"), visit.text("key")
    if scope == "cohort":
        return _cohorts(visit)
    if not key:
        return []
    last = visit.text("search").rpartition(",")[2].strip()
    rows = vocabulary.values(visit, scope, key, last)
    return [(str(row["name"]), words.compact(row["count"])) for row in rows]


def _cohorts(visit: Visit) -> list[tuple[str, str]]:
    with visit.services.metadata.reading() as session:
        rows, _ = cohorts.listed(session, visit.here.id, limit=SHOWN)
    return [(str(row.id), row.name) for row in rows]
