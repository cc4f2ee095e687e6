"""The fleet: installations as a subject, one card for each figure, each loading by itself.

    /p/1/fleet?from=-90d&environments=all&fold=major&established=1

The choices stand in the address and hold for every card. What a card shows is in ``CARDS``;
the figures and their meaning are the API's (``fleet`` §2).
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from starlette.responses import Response

from hedgerow.errors import HedgerowError, InvalidInput, NotFound
from hedgerow.insights.fleet.exporting import main_table
from hedgerow.insights.fleet.settings import settings_of
from hedgerow.web import files, fleet_cards, vocabulary
from hedgerow.web.charts.spec import Cell, Column, Table
from hedgerow.web.fleet_cards import Shown, asked
from hedgerow.web.visits import Visit

SMALL = 5
"""Below so many installations a table says more than charts (``fleet`` §2.21)."""

RANGES = (
    ("-30d", "30 days"),
    ("-90d", "90 days"),
    ("-180d", "180 days"),
    ("-365d", "a year"),
)
FOLDS = (
    ("minor", "by minor version"),
    ("major", "by major version"),
    ("none", "every version"),
)
PAGE = 50


class Card(NamedTuple):
    """One card of the screen."""

    title: str
    sub: str
    width: str
    """Classes of its width on twelve columns."""

    figure: str
    """The figure behind it, for CSV."""

    shows: Callable[[Visit], Shown]


CARDS: Mapping[str, Card] = {
    "versions": Card(
        "Versions over time",
        "Reporting installations, each once, at its version of the day",
        "w12 m12",
        "versions_over_time",
        fleet_cards.versions,
    ),
    "adoption": Card(
        "Adoption of the last releases",
        "Share on a release or above, by days since it came out",
        "w6 m12",
        "adoption",
        fleet_cards.adoption,
    ),
    "lag": Card(
        "Time to update",
        "Share that has updated, by days since the newest release came out",
        "w6 m12",
        "lag",
        fleet_cards.lag,
    ),
    "behind": Card(
        "Behind the newest",
        "Releases between an installation's version and the newest",
        "w4 m6",
        "behind",
        fleet_cards.behind,
    ),
    "flow": Card(
        "New, returned, fell silent",
        "Installations a day, the last 30 days",
        "w8 m12",
        "flow",
        fleet_cards.flow,
    ),
    "paths": Card(
        "Updates",
        "From which version to which, as observed",
        "w4 m6",
        "paths",
        fleet_cards.paths,
    ),
    "platform": Card(
        "Platforms", "On the latest report", "w4 m6", "distribution", fleet_cards.platform
    ),
    "offsets": Card(
        "Time zones", "Standard offsets", "w4 m6", "distribution", fleet_cards.offsets
    ),
    "deployment": Card(
        "Deployment",
        "On the latest report",
        "w4 m6",
        "distribution",
        fleet_cards.deployment,
    ),
    "python": Card(
        "Python", "On the latest report", "w4 m6", "distribution", fleet_cards.python
    ),
    "auth": Card(
        "Sign-in", "On the latest report", "w4 m6", "distribution", fleet_cards.auth
    ),
    "errors": Card(
        "Errors by version",
        "Errors an installation and day, newest first",
        "w8 m12",
        "errors",
        fleet_cards.errors,
    ),
    "regularity": Card(
        "How regularly they report",
        "The last 28 days",
        "w4 m6",
        "regularity",
        fleet_cards.regularity,
    ),
    "survival": Card(
        "How long they stay",
        "Share still reporting, by month of the first report",
        "w8 m12",
        "survival",
        fleet_cards.survival,
    ),
    "support": Card(
        "End of support",
        "Installations on each series",
        "w4 m6",
        "eol",
        fleet_cards.support,
    ),
}


def page(visit: Visit) -> Response:
    """GET …/fleet"""
    settings = settings_of(visit.here.fleet)
    if settings.heartbeat_event not in vocabulary.known(visit):
        return visit.render("fleet_none.html", here="fleet", settings=settings)
    states = asked(visit, "states", {"limit": 1, "as_of": "today"})["results"]
    known = sum(states[name] for name in ("reporting", "silent", "gone", "never_reported"))
    values = {
        "states": states,
        "known": known,
        "small": known < SMALL,
        "cards": CARDS,
        "search": _kept(visit),
        "choices": _choices(visit),
        "public": settings.public,
    }
    if known < SMALL:
        values["rows"] = fleet_cards.rows(visit, {"limit": SMALL})["rows"]
    return visit.render("fleet.html", here="fleet", **values)


def _kept(visit: Visit, **changed: str) -> str:
    """Return the choices of the address, some of them changed, as its search part."""
    names = ("from", "environments", "fold", "established")
    kept = {name: visit.text(name) for name in names} | changed
    return urlencode({name: value for name, value in kept.items() if value})


def _choices(visit: Visit) -> dict[str, Any]:
    since, fold = visit.text("from", "-90d"), visit.text("fold", "minor")
    return {
        "range": next((text for value, text in RANGES if value == since), since),
        "ranges": [(text, "?" + _kept(visit, **{"from": value})) for value, text in RANGES],
        "fold": next((text for value, text in FOLDS if value == fold), fold),
        "folds": [(text, "?" + _kept(visit, fold=value)) for value, text in FOLDS],
        "everywhere": visit.text("environments") == "all",
        "environments": "?"
        + _kept(visit, environments="" if visit.text("environments") == "all" else "all"),
        "established": visit.text("established") == "1",
        "toggled": "?"
        + _kept(visit, established="" if visit.text("established") == "1" else "1"),
    }


def figures(visit: Visit) -> Response:
    """GET …/fleet/now — the row of figures at the top."""
    return visit.render("_fleet_now.html", **fleet_cards.now(visit))


def _chosen(visit: Visit) -> tuple[str, Card]:
    name = str(visit.request.path_params["name"])
    found = CARDS.get(name)
    if found is None:
        raise NotFound(f"There is no card {name!r}.", hint="Reload the page.")
    return name, found


def card(visit: Visit) -> Response:
    """GET …/fleet/cards/{name}"""
    name, found = _chosen(visit)
    values: dict[str, Any] = {"name": name, "card": found, "search": _kept(visit)}
    try:
        shown = found.shows(visit)
    except HedgerowError as error:
        return visit.render("_fleet_card.html", error=error, **values)
    return visit.render("_fleet_card.html", error=None, shown=shown, **values)


def export(visit: Visit) -> Response:
    """GET …/fleet/cards/{name}/csv — the figure's main table; ``as=xlsx`` for spreadsheets."""
    _, found = _chosen(visit)
    query = found.shows(visit).query
    results = visit.ask(query)["results"]
    columns, rows = main_table(found.figure, results)
    table = Table(
        columns=[Column(name=one) for one in columns],
        rows=[[Cell(text=_text(value), value=value) for value in row] for row in rows],
    )
    kind = visit.text("as", "csv")
    return files.reply(f"fleet {found.title}", table, kind if files.wanted(kind) else "csv")


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def installations(visit: Visit) -> Response:
    """GET …/fleet/installations?state=…&behind=…&version_lt=… — the list itself."""
    offset = int(visit.text("offset")) if visit.text("offset").isdecimal() else 0
    is_file = files.wanted(visit.text("as"))
    limit = 10_000 if is_file else PAGE
    error: HedgerowError | None = None
    found: dict[str, Any] = {"count": 0, "rows": [], "next_cursor": None}
    try:
        wanted = _wanted(visit)
        found = fleet_cards.rows(visit, {**wanted, "limit": limit, "cursor": offset})
    except HedgerowError as refused:
        error = refused
    if is_file and error is None:
        return files.reply("installations", _listed(found["rows"]), visit.text("as"))
    kept = {k: visit.text(k) for k in ("state", "behind", "version_lt") if visit.text(k)}
    following = found["next_cursor"]
    return visit.render(
        "fleet_installations.html",
        here="fleet",
        error=error,
        found=found,
        offset=offset,
        states=fleet_cards.STATES,
        kept=kept,
        file=f"?{urlencode({**kept, 'as': 'csv'})}",
        older=f"?{urlencode({**kept, 'offset': following})}" if following else "",
        newer=f"?{urlencode({**kept, 'offset': max(offset - PAGE, 0)})}" if offset else "",
    )


def _wanted(visit: Visit) -> dict[str, Any]:
    wanted: dict[str, Any] = {
        name: visit.text(name) for name in ("state", "version_lt") if visit.text(name)
    }
    behind = visit.text("behind")
    if behind and not behind.isdecimal():
        raise InvalidInput(
            f"{behind!r} is no number of releases.",
            hint="Give a whole number, or nothing.",
            attr="behind",
        )
    return wanted | ({"behind_gte": int(behind)} if behind else {})


def _listed(rows: list[dict[str, Any]]) -> Table:
    names = list(rows[0]) if rows else []
    return Table(
        columns=[Column(name=name) for name in names],
        rows=[[Cell(text=_text(row[n]), value=row[n]) for n in names] for row in rows],
    )
