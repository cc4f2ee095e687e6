"""Home, the wait for the first event, and what stands around every page.

Around every page: one line on the way in, the list of projects, and the palette that goes
to anything by name.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response

from hedgerow.meta import boards, cohorts
from hedgerow.web import vocabulary
from hedgerow.web.charts import words
from hedgerow.web.visits import Visit, my_projects

LATE_S = 60
"""Seconds behind from which the line on the way in turns amber."""

SNIPPETS = (
    ("python", "Python"),
    ("script", "Script tag"),
    ("npm", "npm"),
    ("node", "Node"),
    ("curl", "curl"),
)
SCREENS = (
    ("", "home", "Home"),
    ("dashboards", "dashboards", "Dashboards"),
    ("insights", "trends", "Insights"),
    ("live", "live", "Live events"),
    ("events", "list", "Events"),
    ("persons", "person", "Persons"),
    ("groups", "groups", "Groups"),
    ("cohorts", "cohort", "Cohorts"),
    ("fleet", "fleet", "Fleet"),
    ("experiments", "flask", "Experiments"),
    ("alerts", "bell", "Alerts"),
    ("data", "data", "Data"),
    ("settings", "gear", "Settings"),
    ("settings/ingestion", "server", "Ingestion"),
    ("settings/keys", "lock", "API keys"),
    ("settings/members", "users", "Members"),
)
KINDS = ("Trends", "Funnel", "Retention", "Paths", "Stickiness", "Lifecycle", "SQL")


def home(visit: Visit) -> Response:
    """GET /p/{project_id}/"""
    here = visit.here.id
    with visit.services.metadata.reading() as session:
        rows, _ = boards.dashboards(session, here, limit=200)
        insights, _ = boards.insights(session, here, limit=8)
    pinned = [row for row in rows if row.pinned]
    opened = sorted(
        (row for row in rows if row.last_opened_at and not row.pinned),
        key=lambda row: row.last_opened_at or visit.now,
        reverse=True,
    )
    state = ingestion(visit)
    if state.get("last_event_at") is None and not visit.text("stay"):
        return visit.go(visit.path("start"))
    reply = visit.render(
        "home.html",
        here="home",
        pinned=pinned,
        recent=(opened or [r for r in rows if not r.pinned])[:6],
        insights=insights,
        line=vitals_line(visit),
    )
    reply.set_cookie("project", str(here), max_age=365 * 86400, samesite="lax")
    return reply


def ingestion(visit: Visit) -> Mapping[str, Any]:
    """Return the state of the project's way in."""
    return visit.services.ingestion(visit.here.id)


def vitals(visit: Visit) -> Response:
    """GET …/vitals — the line in the sidebar."""
    state, text = vitals_line(visit)
    return visit.render("_vitals.html", state=state, text=text)


def vitals_line(visit: Visit) -> tuple[str, str]:
    """Return how the way in is (good, warn, bad) and one line about it."""
    state = ingestion(visit)
    if state.get("last_event_at") is None:
        return "", "No events yet"
    behind = float(state.get("lag_ms") or 0) / 1000
    count = visit.ask(
        {
            "kind": "TrendsQuery",
            "series": [{"kind": "EventsNode", "event": None}],
            "dateRange": {"date_from": "-1h"},
            "trendsFilter": {"display": "BoldNumber"},
        }
    )["results"][0]["aggregated_value"]
    late = f"{words.duration(behind)} behind" if state.get("lag_events") else "up to date"
    return (
        "warn" if behind > LATE_S else "good",
        f"{words.compact(count)} events/h · {late}",
    )


def switch(visit: Visit) -> Response:
    """GET …/switch — the other projects."""
    return visit.render("_switch.html", projects=my_projects(visit))


def more(visit: Visit) -> Response:
    """GET …/more — on a phone, what the dock has no room for."""
    return visit.render(
        "more.html", here="more", screens=SCREENS, projects=my_projects(visit)
    )


def start(visit: Visit) -> Response:
    """GET …/start — ready-to-paste snippets, and the wait for the first event."""
    return visit.render(
        "start.html",
        here="home",
        snippets=SNIPPETS,
        chosen=visit.text("with", "python"),
        boards=_starting_boards(visit),
        **_waiting(visit),
    )


def start_state(visit: Visit) -> Response:
    """GET …/start/state — asked every second until an event is there."""
    return visit.render("_waiting.html", boards=_starting_boards(visit), **_waiting(visit))


def _starting_boards(visit: Visit) -> list[Any]:
    with visit.services.metadata.reading() as session:
        rows, _ = boards.dashboards(session, visit.here.id, limit=3)
    return list(rows)


def _waiting(visit: Visit) -> dict[str, Any]:
    state = ingestion(visit)
    if state.get("last_event_at") is None:
        return {"first": None, "rejected": state.get("rejected") or 0}
    answer = visit.ask(
        {
            "kind": "EventsQuery",
            "select": ["event", "timestamp", "distinct_id"],
            "after": "all",
            "orderBy": ["timestamp ASC"],
            "limit": 1,
        }
    )
    rows = answer["results"]
    if not rows:
        return {"first": None, "rejected": state.get("rejected") or 0}
    event, at, distinct_id = rows[0]
    age = words.ago(vocabulary.instant(at), visit.now)
    return {"first": {"event": event, "age": age, "by": distinct_id}, "rejected": 0}


def palette(visit: Visit) -> Response:
    """GET …/palette — everything with a name that holds what was typed."""
    search = visit.text("search").casefold()
    with visit.services.metadata.reading() as session:
        rows, _ = boards.dashboards(session, visit.here.id, search=search, limit=8)
        insights, _ = boards.insights(session, visit.here.id, search=search, limit=8)
        sets, _ = cohorts.listed(session, visit.here.id, search=search, limit=5)
    found = [
        ("dashboards", row.name or "Untitled", "dashboard", f"dashboards/{row.id}")
        for row in rows
    ]
    found += [
        ("trends", row.name or "Untitled", "insight", f"insights/{row.short_id}")
        for row in insights
    ]
    found += [("cohort", row.name, "cohort", f"cohorts/{row.id}") for row in sets]
    found += [
        (symbol, name, "", to) for to, symbol, name in SCREENS if search in name.casefold()
    ]
    asks = [
        (f"New {kind} insight", f"insights/new?kind={kind.lower()}")
        for kind in KINDS
        if search in f"new {kind} insight".casefold()
    ]
    events = vocabulary.events(visit, search, limit=5) if search else []
    return visit.render(
        "_palette.html",
        found=[(symbol, name, what, visit.path(to)) for symbol, name, what, to in found],
        asks=[(name, visit.path(to)) for name, to in asks],
        events=[(row["name"], _ask_about(visit, row["name"])) for row in events],
        people=visit.path("persons"),
        search=visit.text("search"),
    )


def _ask_about(visit: Visit, event: str) -> str:
    query = {
        "kind": "TrendsQuery",
        "series": [{"kind": "EventsNode", "event": event}],
        "dateRange": {"date_from": "-30d"},
    }
    text = msgspec.json.encode(query).decode()
    return str(
        visit.request.url.replace(
            path=visit.path("insights/new"), query=""
        ).include_query_params(q=text)
    )
