"""What a subscription mails: each figure as a sentence and a table, in text and in HTML.

A mail has no scripts, and its pictures are often not shown, so figures come as numbers.
Tables are cut to what can be read in a mail; the link leads to all of it. A figure that
cannot be computed says so in its place, and holds no other.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from hedgerow.errors import HedgerowError, NotFound
from hedgerow.meta import boards, subscriptions
from hedgerow.meta.database import Metadata
from hedgerow.meta.projects import Directory
from hedgerow.meta.subscriptions import Letter
from hedgerow.meta.tables_subscriptions import Subscription
from hedgerow.model.projects import Project
from hedgerow.web import prose, ranges, rendering, vocabulary
from hedgerow.web.charts import choose, totals
from hedgerow.web.charts.spec import Cell, Chart, Column, Number, Table
from hedgerow.web.ranges import Range

LOG = logging.getLogger(__name__)
COLUMNS, ROWS = 8, 34
"""As much of a table as a mail shows: a month of days, say."""

FIXED = 2
"""Columns of a table over time that are no time: its total and its mean."""

WIDEST = 40
"""Characters of a field in text."""

UNFORESEEN = (ArithmeticError, LookupError, TypeError, ValueError)
"""What drawing an odd answer may raise: it must not cost the other figures."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure of a letter, or a text between them."""

    name: str
    summary: str = ""
    table: Table | None = None
    cut: str = ""
    """What of the table is left out, in words; empty: nothing."""

    error: str = ""
    prose: str = ""
    """Markdown: this is a text, and nothing else is set."""


@dataclass(frozen=True, kw_only=True)
class Letters:
    """Writes what subscriptions mail; ``base`` is where people find this server."""

    metadata: Metadata
    directory: Directory
    ask: Callable[[int, Mapping[str, Any]], Mapping[str, Any]]
    base: str
    clock: Callable[[], datetime]

    def write(self, row: Subscription) -> Letter:
        """Return the letter of a subscription as of now.

        Raises NotFound where what it is of, or its project, is deleted.
        """
        project = self.directory.project_of_id(row.project_id)
        if project is None:
            raise NotFound(f"There is no project {row.project_id}.", hint="It is deleted.")
        with self.metadata.reading() as session:
            name, path, asked = _asked(session, row)
        figures = [self._figure(project, *one) for one in asked]
        zone = ZoneInfo(project.timezone)
        title = row.title or name
        values = {
            "title": title,
            "project_name": project.name,
            "figures": figures,
            "url": f"{self.base}/p/{project.id}/{path}",
            "manage": f"{self.base}/p/{project.id}/subscriptions/{row.id}",
            "said": subscriptions.said(row, project),
            "at": rendering.moment(self.clock(), zone)[:-3],
            "zone": project.timezone,
            "prose": prose.html,
        }
        missing = [f"{one.name}: {one.error}" for one in figures if one.error]
        return Letter(
            subject=f"[Hedgerow] {title}",
            text=_text(values),
            html=rendering.html("letter.html", values),
            trouble="; ".join(missing),
        )

    def _figure(
        self, project: Project, name: str, query: Mapping[str, Any] | None, text: str
    ) -> Figure:
        if query is None:
            return Figure(name=name, prose=text)
        try:
            chart = self._chart(project, choose.unwrapped(query))
        except HedgerowError as error:
            return Figure(name=name, error=str(error))
        except UNFORESEEN:
            LOG.exception("A figure of project %d could not be mailed", project.id)
            return Figure(name=name, error="It could not be drawn.")
        if chart.kind == "nothing":
            return Figure(name=name, summary=f"{chart.what}. {chart.why}")
        table, cut = fitting(chart.table, over_time=chart.kind == "plot")
        summary = _said(chart) if chart.kind == "number" else chart.summary
        return Figure(name=name, summary=summary, table=table, cut=cut)

    def _chart(self, project: Project, query: Mapping[str, Any]) -> Chart:
        display = (query.get("trendsFilter") or {}).get("display")
        number = query.get("kind") == "TrendsQuery" and display == "BoldNumber"
        if number:
            query = {**query, "compareFilter": {"compare": True}}
        answer = self.ask(project.id, query)
        if number and answer["results"]:
            return totals.number(answer["results"], note="period before")
        now = self.clock().astimezone(ZoneInfo(project.timezone))
        return choose.chart(query, answer, known=lambda: self._known(project.id), now=now)

    def _known(self, project_id: int) -> dict[str, datetime]:
        query = {"kind": "EventNamesQuery", "search": None, "limit": 1000}
        rows = self.ask(project_id, query)["results"]
        return {row["name"]: vocabulary.instant(row["last_seen"]) for row in rows}


Asked = list[tuple[str, Mapping[str, Any] | None, str]]


def _asked(session: Session, row: Subscription) -> tuple[str, str, Asked]:
    """Return name and path of what is subscribed to, and what to ask for it."""
    if row.insight_id is not None:
        insight = boards.insight(session, row.project_id, row.insight_id)
        name = insight.name or "Untitled"
        return name, f"insights/{insight.short_id}", [(name, insight.query, "")]
    board = boards.dashboard(session, row.project_id, row.dashboard_id or 0)
    saved = board.filters or {}
    chosen = Range(
        date_from=str(saved.get("date_from") or ""), date_to=str(saved.get("date_to") or "")
    )
    where = saved.get("properties") or []
    asked: Asked = []
    for tile, shown in boards.tiles(session, board.id):
        if shown is None:
            asked.append(("", None, tile.text or ""))
        else:
            query = ranges.applied(shown.query, chosen, where)
            asked.append((shown.name or "Untitled", query, ""))
    return board.name or "Untitled", f"dashboards/{board.id}", asked


def _said(number: Number) -> str:
    if number.change is None:
        return f"{number.exact}."
    if number.direction == "same":
        return f"{number.exact}, as in the period before."
    return f"{number.exact}, {number.direction} {number.change} from the period before."


def fitting(table: Table, *, over_time: bool) -> tuple[Table, str]:
    """Return as much of a table as a mail shows, and in words what was left out.

    Many buckets of time become rows, the last ones after total and mean.
    """
    cut = []
    if over_time and len(table.columns) > COLUMNS:
        table = _turned(table)
        rows, left = table.rows, max(0, len(table.rows) - ROWS)
        table = Table(columns=table.columns, rows=rows[:FIXED] + rows[FIXED + left :])
        cut += [f"{left} earlier"] if left else []
    elif len(table.rows) > ROWS:
        cut.append(f"{len(table.rows) - ROWS} more below")
        table = Table(columns=table.columns, rows=table.rows[:ROWS])
    if (more := len(table.columns) - COLUMNS) > 0:
        cut.append(f"{more} more beside")
        short = [row[:COLUMNS] for row in table.rows]
        table = Table(columns=table.columns[:COLUMNS], rows=short)
    return table, " and ".join(cut)


def _turned(table: Table) -> Table:
    names = [Column(name=row[0].text, number=True) for row in table.rows]
    rows = [
        [Cell(text=column.name), *(row[place] for row in table.rows)]
        for place, column in enumerate(table.columns)
        if place > 0
    ]
    return Table(columns=[Column(name=""), *names], rows=rows)


def _text(values: Mapping[str, Any]) -> str:
    """Return a letter for those who read no HTML."""
    parts = [f"{values['title']}\n{values['project_name']}, {values['at']}"]
    parts += [_plain(one) for one in values["figures"]] or ["There is nothing on it yet."]
    parts.append(values["url"])
    parts.append(f"Sent {values['said']} ({values['zone']}). {values['manage']}")
    return "\n\n".join(part for part in parts if part) + "\n"


def _plain(one: Figure) -> str:
    if one.prose:
        return one.prose.strip()
    told = [one.name, "-" * min(len(one.name), 72)]
    told += [f"This could not be computed: {one.error}"] if one.error else [one.summary]
    if one.table is not None and one.table.rows:
        told += ["", *_aligned(one.table)]
    if one.cut:
        told.append(f"… and {one.cut} behind the link below")
    return "\n".join(told)


def _aligned(table: Table) -> list[str]:
    lines = [[column.name for column in table.columns]]
    lines += [[cell.text for cell in row] for row in table.rows]
    short = [[" ".join(text.split())[:WIDEST] for text in line] for line in lines]
    widths = [max(len(line[n]) for line in short) for n in range(len(table.columns))]
    return [_line(line, widths, table.columns) for line in short]


def _line(line: Sequence[str], widths: Sequence[int], columns: Sequence[Column]) -> str:
    fields = [
        text.rjust(width) if column.number else text.ljust(width)
        for text, width, column in zip(line, widths, columns, strict=True)
    ]
    return "  ".join(fields).rstrip()
