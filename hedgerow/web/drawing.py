"""A question → its answer → what is drawn, for every screen that shows a figure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from hedgerow.insights.fleet.settings import settings_of
from hedgerow.meta import watches
from hedgerow.web import vocabulary
from hedgerow.web.charts import choose, totals, trends, words
from hedgerow.web.charts.spec import Chart, Mark
from hedgerow.web.visits import Visit

STALE = timedelta(minutes=15)
"""An answer older than this says so in amber."""

SPARK_DAYS = 30
MARKS = 6
"""Notes and releases drawn on one plot, the latest; more would hide it."""

MOMENT = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """An answer, ready for a template."""

    query: Mapping[str, Any]
    answer: Mapping[str, Any]
    chart: Chart
    age: str
    stale: bool


def draw(visit: Visit, query: Mapping[str, Any], *, refresh: str = "blocking") -> Drawing:
    """Ask a question and return what to draw. Raises what asking raises."""
    plain = choose.unwrapped(query)
    display = (plain.get("trendsFilter") or {}).get("display")
    if plain.get("kind") == "TrendsQuery" and display == "BoldNumber":
        answer, chart = _number(visit, plain, refresh)
    else:
        answer = visit.ask(plain, refresh=refresh)
        chart = _chart(visit, plain, answer)
    at = vocabulary.instant(answer.get("last_refresh") or visit.now)
    return Drawing(
        query=plain,
        answer=answer,
        chart=marked(visit, chart),
        age=f"Computed {words.ago(at, visit.now)}",
        stale=visit.now - at > STALE,
    )


def _chart(visit: Visit, query: Mapping[str, Any], answer: Mapping[str, Any]) -> Chart:
    return choose.chart(
        query, answer, known=lambda: vocabulary.known(visit), now=visit.local_now
    )


def marked(visit: Visit, chart: Chart) -> Chart:
    """Return a plot over time with the project's notes and releases in that time as marks."""
    if (
        chart.kind != "plot"
        or not chart.x
        or not chart.x[0][:4].isdigit()
        or len(chart.x[0]) < 10
    ):
        return chart
    with visit.services.metadata.reading() as session:
        notes, _ = watches.annotations(session, visit.here.id, limit=200)
    told = [
        (note.date_marker.astimezone(visit.zone).strftime(MOMENT), note.content)
        for note in notes
    ]
    told += _releases(visit)
    marks = []
    for at, text in sorted(told):
        before = [day for day in chart.x if day <= at]
        if before and (before[-1] != chart.x[-1] or at[:10] == chart.x[-1][:10]):
            marks.append(Mark(at=before[-1], text=words.short(text, 24)))
    return msgspec.structs.replace(chart, marks=[*chart.marks, *marks[-MARKS:]])


def _releases(visit: Visit) -> list[tuple[str, str]]:
    """Return the releases of the project's list: when each came out, local, and its name."""
    found = []
    for one in settings_of(visit.here.fleet).releases:
        is_day = len(one.released_at) == len("2026-03-12")
        at = datetime.fromisoformat(one.released_at)
        local = at if is_day else vocabulary.instant(at).astimezone(visit.zone)
        found.append((local.strftime(MOMENT), one.version))
    return found


def _number(
    visit: Visit, query: Mapping[str, Any], refresh: str
) -> tuple[Mapping[str, Any], Chart]:
    """A large number also asks for the period before and for its shape by day."""
    asked = {**query, "compareFilter": {"compare": True}}
    answer = visit.ask(asked, refresh=refresh)
    chart = _chart(visit, asked, answer)
    if chart.kind != "number":
        return answer, chart
    line = visit.ask(trends.line_of(query, days=SPARK_DAYS), refresh=refresh)
    since = str((query.get("dateRange") or {}).get("date_from") or "")
    before = f"{since[1:-1]} h before" if since.endswith("h") else "period before"
    return answer, totals.number(answer["results"], line=line["results"], note=before)
