"""Who is behind a figure: the persons that made a point, a bar, a step or a cell.

A figure on a page knows its question and what makes it that figure (``who``: a series and
a day, a step, a row). Both together are an actors query; its count and the figure agree.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.responses import Response

from hedgerow.errors import InvalidInput
from hedgerow.insights import listings
from hedgerow.meta import cohorts
from hedgerow.web.charts import choose
from hedgerow.web.visits import Visit

SHOWN = 100
MOST = 10_000
"""Persons that "save as cohort" takes at once."""


def behind(visit: Visit) -> Response:
    """GET …/behind?query=…&who=… — the list, in a dialog."""
    source = source_of(_json(visit, "query"), _json(visit, "who"))
    offset = int(visit.text("offset", "0")) if visit.text("offset", "0").isdecimal() else 0
    answer = visit.ask(
        {
            "kind": "ActorsQuery",
            "source": source,
            "select": ["actor"],
            "limit": SHOWN,
            "offset": offset,
        }
    )
    actors = [shown(row[0], visit) for row in answer["results"]]
    again = {"query": visit.text("query"), "who": visit.text("who")}
    more = urlencode({**again, "offset": offset + SHOWN})
    return visit.render(
        "_behind.html" if offset == 0 else "_behind_rows.html",
        actors=actors,
        more=visit.path(f"behind?{more}") if answer.get("hasMore") else "",
        asked=again,
        title=_title(_json(visit, "who")),
    )


def save_as_cohort(visit: Visit) -> Response:
    """POST …/behind/cohort — keep exactly these persons as a static cohort."""
    source = source_of(_json(visit, "query"), _json(visit, "who"))
    answer = visit.ask(
        {"kind": "ActorsQuery", "source": source, "select": ["id"], "limit": MOST}
    )
    uuids = [str(row[0]) for row in answer["results"]]
    with visit.services.metadata.writing() as session:
        row = cohorts.create(
            session,
            visit.here.id,
            visit.text("name") or "Persons behind a figure",
            {},
            now=visit.now,
            created_by=visit.who.id,
        )
        row.is_static = True
    done = visit.services.command(
        visit.here.id, {"do": "static_cohort_add", "cohort_id": row.id, "persons": uuids}
    )
    kept = int(done["changed"])
    with visit.services.metadata.writing() as session:
        held = cohorts.by_id(session, visit.here.id, row.id)
        cohorts.counted(session, held, kept, visit.now)
    return visit.go(visit.path(f"cohorts/{row.id}"), notice=f"{kept:,} persons kept")


def source_of(query: Mapping[str, Any], who: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an ActorsQuery asks: the question, and which of its figures."""
    query = choose.unwrapped(query)
    match query.get("kind"):
        case "FunnelsQuery":
            return {"kind": "FunnelsActorsQuery", "source": query, **who}
        case "PathsQuery":
            wanted = {**(query.get("pathsFilter") or {}), **who}
            return {
                "kind": "InsightActorsQuery",
                "source": {**query, "pathsFilter": wanted},
            }
        case "TrendsQuery" | "RetentionQuery" | "StickinessQuery" | "LifecycleQuery":
            return {"kind": "InsightActorsQuery", "source": query, **who}
        case "FleetQuery":
            row = {**(who.get("row") or {})}
            row |= {"day": who["day"]} if "day" in who else {}
            return {"kind": "FleetActorsQuery", "source": query, "row": row}
        case kind:
            raise InvalidInput(
                f"Nobody is known behind a figure of the kind {kind!r}.",
                hint="Ask it as trends, a funnel, retention or paths.",
                attr="query",
            )


def shown(actor: Mapping[str, Any], visit: Visit) -> dict[str, Any]:
    """Return a person or a group as a row of a list."""
    properties = actor.get("properties") or {}
    if "group_type_index" in actor:
        name = str(properties.get("name") or actor["id"])
        return {"name": name, "to": "", "detail": "", "id": actor["id"]}
    ids = [str(one) for one in actor.get("distinct_ids") or []]
    name = listings.display_name(properties, ids, visit.here) or str(actor["id"])
    told = [
        str(properties[key])
        for key in ("role", "$browser", "$os", "current_version")
        if properties.get(key)
    ]
    return {
        "name": name,
        "to": visit.path(f"persons/{actor['id']}"),
        "detail": ", ".join(told),
        "id": actor["id"],
    }


def _title(who: Mapping[str, Any]) -> str:
    step = who.get("funnelStep")
    if isinstance(step, int):
        return f"Reached step {step}" if step > 0 else f"Dropped off before step {-step}"
    if who.get("pathStartKey"):
        return f"{who['pathStartKey'].partition('_')[2]} → {who['pathEndKey'].partition('_')[2]}"
    row = who.get("row") or {}
    told = [str(value) for value in row.values() if isinstance(value, str)]
    told += [str(who[key]) for key in ("breakdown", "status", "day") if key in who]
    return " · ".join(told) or "Persons behind this figure"


def _json(visit: Visit, name: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(visit.text(name) or "{}", type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise InvalidInput(
            f"{name!r} is no JSON: {visit.text(name)[:60]!r}.",
            hint="Click the figure again.",
            attr=name,
        ) from error
