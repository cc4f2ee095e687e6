"""What all reports' pages share: who may ask, rows with links, the ring, what is told."""

import time
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

from flask import request

from app.languages import gettext as _
from app.models.saved import SavedFilter
from app.people import roles
from app.reports import filters, named, saved
from app.reports import seen as looking
from app.reports.answer import Group, Key, Sums
from app.reports.detail import Names
from app.reports.filters import Question
from app.reports.seen import Seen
from app.telemetry.send import track_event
from app.tracking.days import DAY
from app.views import context, report_words
from app.views.context import db, now, settings
from app.views.entries import LIST
from app.views.reports_asked import STARTS, address, asked, chips, narrowed, tabs
from app.views.words import day as day_text

SEEN_FOR_S = 600
"""The same question of the same person within ten minutes is told once."""

MOST_LINES = 500
"""Rows of a table, and below each row; what is left out is added up in one."""

IN_RING = 6
"""Slices of the ring; the rest is one grey slice."""


class Line(NamedTuple):
    """A row of the table."""

    key: Any
    name: str
    color: int
    sums: Sums
    address: str
    """The entries behind it."""
    under: list["Line"]


class Slice(NamedTuple):
    """A part of the ring."""

    name: str
    color: int
    seconds: int
    dash: float
    """Of the circumference, which is 100."""
    before: float


def look(report: str, question: Question | None = None) -> Seen:
    """Return what a report of the question in the address is seen with.

    A viewer has no report but shared ones: the question is then the one that was shared,
    seen as its owner may see it, without money, whatever else the address says.
    """
    who = context.user()
    kept = shared_with_viewer(report)
    if kept is None:
        roles.demand(who, "reports.own", settings())
        return looking.look(db(), who, question or asked(report), now(), settings())
    shared = saved.question_of(kept)[1]
    seen = looking.look(db(), kept.user, shared, now(), settings())
    return replace(seen, prices=None)


def wanted(report: str) -> Question:
    """Return the question of the page: that in the address, or the shared one."""
    kept = shared_with_viewer(report)
    return saved.question_of(kept)[1] if kept else asked(report)


def shared_with_viewer(report: str) -> SavedFilter | None:
    """Return the shared filter that a viewer has opened; None for everybody else."""
    number = request.args.get("saved", 0, type=int)
    if not number or roles.may(context.user(), "reports.own", settings()):
        return None
    kept = saved.find(db(), context.user(), number)
    of_report = kept.scope == "reports" and kept.query.get("report") == report
    return kept if of_report and kept.user.is_active else None


def common(report: str, seen: Seen, names: Names) -> dict[str, Any]:
    """Return what every report's page needs."""
    return {
        "report": report,
        "fixed": shared_with_viewer(report),
        "question": seen.question,
        "query": filters.as_query(seen.question, start=STARTS[report]),
        "export": filters.as_query(seen.question, start=LIST),
        "first": seen.first,
        "last": seen.last,
        "about": report_words.notes(seen),
        "chips": chips(report, seen.question, names),
        "tabs": tabs(report, seen.question),
        "money": roles.may(context.user(), "rates.see", settings()),
        "is_exact": seen.is_exact,
        "can_round": seen.question.rounding == "exact" or not seen.is_exact,
        "names": names,
    }


def inside(seen: Seen) -> Question:
    """Return the question with its days fixed, for the entries behind a figure."""
    if seen.question.range == "all":
        return seen.question
    return replace(seen.question, range="custom", first=seen.first, last=seen.last)


def in_lines(
    names: Sequence[str],
    groups: dict[Key, Group],
    known: Names,
    seen: Seen,
    inside: Question,
) -> list[Line]:
    """Return groups as rows in order, each with the way to its entries."""
    name, rest = names[0], names[1:]
    made = []
    for group in named.in_order(name, groups, known)[:MOST_LINES]:
        label = named.label(name, group.key, known)
        narrow = narrowed(inside, name, group.key)
        if isinstance(group.key, date):
            narrow = _step(narrow, name, group.key, seen)
        under = in_lines(rest, group.under, known, seen, narrow) if rest else []
        text = label.text or _said(name, group.key)
        link = address("detailed", narrow)
        made.append(Line(group.key, text, label.color, group.sums, link, under))
    return made


def _step(question: Question, name: str, day: date, seen: Seen) -> Question:
    """Return the question about one step of time, as far as it lies in the range."""
    following = day
    while filters.begin(name, following, seen.user.week_start) == day:
        following += DAY
    first, last = max(day, seen.first), min(following - DAY, seen.last)
    return replace(question, range="custom", first=first, last=last)


def _said(name: str, key: Key) -> str:
    if isinstance(key, date):
        styles = {"day": "EEE d MMM y", "week": "'W'ww, d MMM y", "month": "MMMM y"}
        return day_text(key, styles[name])
    if name == "billable":
        return _("Billable") if key else _("Not billable")
    return _("None")


def rest(groups: Collection[Group], known: Names, name: str) -> Sums | None:
    """Return the groups that are not shown, added up; None where all are."""
    if len(groups) <= MOST_LINES:
        return None
    left = Sums()
    for group in named.in_order(name, {g.key: g for g in groups}, known)[MOST_LINES:]:
        left.seconds += group.sums.seconds
        left.rounded += group.sums.rounded
        left.billable += group.sums.billable
        left.entries += group.sums.entries
        left.unpriced += group.sums.unpriced
        for currency, minor in group.sums.amounts.items():
            left.amounts[currency] = left.amounts.get(currency, 0) + minor
    return left


def slices(lines: Sequence[Line], total: Sums, whole: int) -> list[Slice]:
    """Return the ring: the largest groups, and the rest as one."""
    whole = whole or 1
    slices: list[Slice] = []
    before = 0.0
    shown = [line for line in lines if line.sums.seconds][:IN_RING]
    for place, line in enumerate(shown):
        dash = 100 * line.sums.seconds / whole
        color = line.color or place % 10 + 1
        slices.append(
            Slice(line.name, color, line.sums.seconds, round(dash, 2), round(before, 2))
        )
        before += dash
    left = whole - sum(line.sums.seconds for line in shown)
    if total.seconds and left > 0:
        slices.append(Slice(_("Others"), 0, left, round(100 - before, 2), round(before, 2)))
    return slices


def tell(report: str, seen: Seen, rows: int, began: float) -> None:
    """Report a question once in ten minutes."""
    browser = context.browser_session()
    query = filters.as_query(seen.question, start=STARTS[report])
    mark = repr((report, sorted(query.items())))
    last = browser.get("report", ["", 0])
    if last[0] == mark and now().timestamp() - last[1] < SEEN_FOR_S:
        return
    browser["report"] = [mark, now().timestamp()]
    track_event(
        context.user().id,
        "report.viewed",
        {
            **report_words.experiment(),
            "report_type": report,
            "date_range": report_words.range_word(seen.question),
            "range_days": min((seen.last - seen.first).days + 1, 100_000),
            "group_by": list(seen.question.group),
            "rows": rows,
            "duration_ms": round((time.monotonic() - began) * 1000),
            "filters_used": seen.question.filters_used,
        },
    )
