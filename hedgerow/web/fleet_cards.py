"""What each card of the fleet's screen asks and says: figure → chart and one or two sentences."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from statistics import median
from typing import Any, NamedTuple

from hedgerow.errors import UnknownRelease
from hedgerow.web import drawing
from hedgerow.web.charts import fleet_parts, fleet_versions, words
from hedgerow.web.charts.fleet_words import days, share
from hedgerow.web.charts.spec import Chart, Grid, Table
from hedgerow.web.visits import Visit

Answer = Mapping[str, Any]
LONG_RANGES = frozenset({"-180d", "-365d"})
"""Ranges drawn by week."""

ENOUGH_EXPECTED = 20
MISSING = 0.7
"""Reports below this part of the usual number are a matter of collecting, first of all."""

WEEKS = 4
SMOOTHED_DAYS = 7
"""Days each day of the stack looks back, so that machines off at weekends make no teeth."""

STATES = (
    ("", "All"),
    ("reporting", "Reporting"),
    ("silent", "Silent"),
    ("gone", "Gone"),
    ("never_reported", "Never reported"),
)


class Shown(NamedTuple):
    """What a card shows."""

    chart: Chart
    query: dict[str, Any]
    """The question, for the people behind a figure."""

    sql: str
    notes: list[str]
    tone: str = ""
    """``bad`` or ``warn`` where the first note is something to act on."""


def params_of(visit: Visit) -> dict[str, Any]:
    """Return what was chosen at the top, as every figure takes it."""
    found: dict[str, Any] = {}
    if visit.text("environments") == "all":
        found["environments"] = "all"
    if visit.text("established") == "1":
        found["established"] = True
    return found


def query_of(
    visit: Visit, figure: str, params: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the question for a figure, with what was chosen at the top."""
    return {
        "kind": "FleetQuery",
        "figure": figure,
        "params": {**params_of(visit), **(params or {})},
    }


def asked(visit: Visit, figure: str, params: Mapping[str, Any] | None = None) -> Answer:
    """Ask a figure."""
    refresh = "force_blocking" if visit.text("refresh") else "blocking"
    return visit.ask(query_of(visit, figure, params), refresh=refresh)


def rows(visit: Visit, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return a page of installations."""
    found: dict[str, Any] = asked(visit, "installations", {"as_of": "today", **params})[
        "results"
    ]
    return found


def _shown(
    visit: Visit,
    figure: str,
    params: Mapping[str, Any],
    draw: Callable[[Answer], tuple[Chart, list[str]]],
) -> Shown:
    answer = asked(visit, figure, params)
    chart, notes = draw(answer["results"])
    query = query_of(visit, figure, params)
    return Shown(chart, query, str(answer.get("hogql") or ""), notes)


def _since(visit: Visit) -> dict[str, Any]:
    return {"date_from": visit.text("from", "-90d")}


def now(visit: Visit) -> dict[str, Any]:
    """Return the figures of the top row."""
    active = asked(visit, "active")["results"]
    before = (visit.now - timedelta(days=1)).isoformat()
    earlier = asked(visit, "active", {"at": before})["results"]
    today = asked(visit, "today")["results"]
    overview = asked(visit, "overview")["results"]
    newest, adopted, lag = overview["newest"], overview["adoption"], overview["lag"]
    on_it = next(
        (s for s in reversed((adopted or {}).get("share", [])) if s is not None), None
    )
    released = newest["released_at"]
    usual = _usual(visit)
    return {
        "active": active,
        "change": active["last_24h"] - earlier["last_24h"],
        "today": today,
        "overview": overview,
        "states": overview["states"],
        "on_newest": words.percent(on_it),
        "newest": newest,
        "age": _age(visit, released) if released else "",
        "lag": days(lag["median"]) if lag else words.NONE,
        "usual": words.exact(usual),
        "few_reports": today["projected"] is not None
        and usual >= ENOUGH_EXPECTED
        and today["projected"] < MISSING * usual,
        "warnings": overview["warnings"],
    }


def _usual(visit: Visit) -> float:
    """Return how many report on this day of the week: the median of four weeks."""
    days = {"date_from": f"-{7 * WEEKS}d"}
    told = asked(visit, "active_over_time", days)["results"]
    daily = dict(zip(told["days"], told["daily"], strict=True))
    today = visit.local_now.date()
    before = [(today - timedelta(weeks=week)).isoformat() for week in range(1, WEEKS + 1)]
    return float(median(daily.get(day, 0) for day in before))


def _age(visit: Visit, released: str) -> str:
    return days((visit.local_now.date() - date.fromisoformat(released[:10])).days)


def versions(visit: Visit) -> Shown:
    """The stack of versions over time."""
    since = visit.text("from", "-90d")
    interval = "week" if since in LONG_RANGES else "day"
    params: dict[str, Any] = {
        "date_from": since,
        "interval": interval,
        "fold": visit.text("fold", "minor"),
    }
    if interval == "day":
        params["window_days"] = SMOOTHED_DAYS
    releases = (asked(visit, "lag")["results"].get("by_release")) or []

    def draw(answer: Answer) -> tuple[Chart, list[str]]:
        chart = fleet_versions.stack(answer, interval=interval, releases=releases)
        notes = []
        if interval == "day":
            notes.append("Each day counts who reported in the seven days up to it.")
        if answer["source"] == "inferred":
            notes.append(
                "Release dates are inferred from reports: there is no list of releases."
            )
        if answer["provisional"]:
            notes.append("Reports of the last two days may still arrive.")
        return chart, notes

    return _shown(visit, "versions_over_time", params, draw)


def adoption(visit: Visit) -> Shown:
    """The last five releases over each other."""
    released = asked(visit, "lag")["results"].get("by_release") or []
    latest = [row["version"] for row in reversed(released)][: fleet_versions.COMPARED]
    answers = []
    for version in latest:
        try:
            answers.append(asked(visit, "adoption", {"version": version}))
        except UnknownRelease:
            continue
    told = [one["results"] for one in answers]
    notes = [fleet_versions.reached(told[0])] if told else []
    notes.append("Those who report probably update sooner than those who do not.")
    sql = str(answers[0].get("hogql") or "") if answers else ""
    params = {"version": latest[0]} if latest else {}
    return Shown(
        fleet_versions.adoption(told), query_of(visit, "adoption", params), sql, notes
    )


def lag(visit: Visit) -> Shown:
    """How long installations take to update."""

    def draw(answer: Answer) -> tuple[Chart, list[str]]:
        told = (
            f"Estimated: half update within {days(answer['median'])}."
            if answer["median"] is not None
            else "Fewer than half have updated yet, so there is no median."
        )
        assumed = (
            "Assumes that installations which stopped reporting would have updated "
            "like the others."
        )
        return fleet_versions.lag(answer), [told, assumed] if answer["curve"] else []

    return _shown(visit, "lag", {}, draw)


def behind(visit: Visit) -> Shown:
    """How far behind the newest release."""

    def draw(answer: Answer) -> tuple[Chart, list[str]]:
        notes = []
        if answer["median_days_behind"]:
            notes.append(
                f"Half could have updated for {days(answer['median_days_behind'])} or more."
            )
        if answer["on_yanked"]:
            notes.append(f"{words.exact(answer['on_yanked'])} run a yanked release.")
        return fleet_parts.behind(answer), notes

    return _shown(visit, "behind", {}, draw)


def flow(visit: Visit) -> Shown:
    """Who came, returned, fell silent."""
    clones = asked(visit, "clones", {"limit": 1})["results"]["suspected"]

    def draw(answer: Answer) -> tuple[Chart, list[str]]:
        return drawing.marked(visit, fleet_parts.flow(answer)), [
            "Silence is not death: a machine may be off, cut off, opted out or removed.",
            (
                f"An id is not a machine: {words.exact(clones)} suspected clones, "
                f"{words.exact(answer['seen_once'])} seen once only."
            ),
            *[_burst(one) for one in answer["bursts"]],
        ]

    return _shown(visit, "flow", {"date_from": "-30d"}, draw)


def _burst(one: Answer) -> str:
    told = f"Burst of {words.exact(one['new'])} new ones on {one['day']}"
    if one["property"] is None:
        return f"{told}."
    part = words.percent(one["share"], digits=0)
    return f"{told}; {part} of them say {one['property']} {one['value']}."


def paths(visit: Visit) -> Shown:
    """Which updates happened."""

    def draw(answer: Answer) -> tuple[Chart, list[str]]:
        rollbacks = answer["rollbacks"]
        notes = [f"{words.exact(rollbacks)} went back within a week."] if rollbacks else []
        return fleet_parts.paths(answer), notes

    return _shown(visit, "paths", _since(visit), draw)


def _distribution(visit: Visit, name: str, heading: str) -> Shown:
    def draw(answer: Answer) -> tuple[Chart, list[str]]:
        known = answer["total"] - answer["unknown"]
        notes = (
            [f"Shares are of {words.exact(known)} that told it."]
            if answer["unknown"]
            else []
        )
        return fleet_parts.distribution(answer, heading=heading), notes

    return _shown(visit, "distribution", {"property": name}, draw)


def platform(visit: Visit) -> Shown:
    """Operating systems."""
    return _distribution(visit, "platform", "Platform")


def deployment(visit: Visit) -> Shown:
    """Ways of deployment."""
    return _distribution(visit, "deployment_method", "Deployment")


def python(visit: Visit) -> Shown:
    """Versions of Python."""
    return _distribution(visit, "python_minor", "Python")


def auth(visit: Visit) -> Shown:
    """Ways of signing in."""
    return _distribution(visit, "auth_method", "Sign-in")


def offsets(visit: Visit) -> Shown:
    """Where the clocks are."""
    return _distribution(visit, "utc_offset", "Offset")


def errors(visit: Visit) -> Shown:
    """Errors by version, and whether the newest is worse."""
    answer = asked(visit, "errors", _since(visit))
    told = answer["results"]
    compared = told["comparison"]
    worse = compared is not None and compared["worse"]
    notes = [fleet_parts.compared(compared)] if told["rows"] else []
    left = len(told["rows"]) - fleet_parts.VERSIONS_SHOWN
    if left > 0:
        notes.append(f"{words.exact(left)} older versions are in the CSV.")
    return Shown(
        fleet_parts.errors(told),
        query_of(visit, "errors", _since(visit)),
        str(answer.get("hogql") or ""),
        notes,
        "bad" if worse else "",
    )


def support(visit: Visit) -> Shown:
    """Ends of support."""

    def draw(answer: Answer) -> tuple[Chart, list[str]]:
        notes = []
        if answer["rows"]:
            part = share(answer["exposed"], answer["total"], answer["ci"])
            notes.append(
                f"{words.exact(answer['exposed'])} run a series without support"
                f"{f', {part}' if part else ''}; "
                f"{words.exact(answer['within_90_days'])} more within 90 days."
            )
        return fleet_parts.supported(answer), notes

    return _shown(visit, "eol", {}, draw)


def survival(visit: Visit) -> Shown:
    """How long installations stay."""
    return _shown(visit, "survival", {}, lambda answer: (fleet_parts.survival(answer), []))


def regularity(visit: Visit) -> Shown:
    """How regularly installations report."""

    def draw(answer: Answer) -> tuple[Chart, list[str]]:
        told: list[str] = []
        if answer["installations"]:
            told = [
                f"Half report on {words.percent(answer['median'], digits=0)} of their days or more.",
                f"{words.percent(answer['share_90'], digits=0)} miss at most one day in ten.",
                (
                    f"{words.exact(answer['late'])} reports came more than two days late, "
                    f"{words.exact(answer['clock_ahead'])} from a clock that runs ahead, "
                    f"{words.exact(answer['without_version'])} without a version."
                ),
            ]
        empty = Table(columns=[], rows=[])
        summary = told[0] if told else "Nobody reported in these days."
        return Grid(summary=summary, table=empty), told or [summary]

    return _shown(visit, "regularity", {}, draw)
