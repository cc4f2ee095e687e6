"""Reports: the question as chips in the address, the answer as bars, ring and tables."""

import time
from dataclasses import replace

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.people import roles
from app.reports import answer, detail, filters
from app.reports.filters import Question
from app.views import context, report_words
from app.views.context import db, settings
from app.views.reports_asked import address
from app.views.reports_shown import (
    MOST_LINES,
    common,
    in_lines,
    inside,
    look,
    rest,
    slices,
    tell,
)

blueprint = Blueprint("reports", __name__, url_prefix="/reports")

PAGE = 100
"""Entries of a page of the detailed report."""


@blueprint.get("")
def show() -> str | Response:
    """Answer by groups; a viewer without a shared report is led to those there are."""
    if not (
        roles.may(context.user(), "reports.own", settings()) or "saved" in request.args
    ):
        return redirect(url_for("saved.index"))
    began = time.monotonic()
    seen = look("summary")
    found = answer.grouped(db(), seen, seen.question.group, bars=True)
    names = detail.names(db())
    lines = in_lines(seen.question.group, found.groups, names, seen, inside(seen))
    whole = sum(group.sums.seconds for group in found.groups.values())
    page = render_template(
        "reports.html",
        **common("summary", seen, names),
        total=found.total,
        lines=lines,
        cut=any(len(group.under) > MOST_LINES for group in found.groups.values()),
        most=MOST_LINES,
        more=rest(found.groups.values(), names, seen.question.group[0]),
        buckets=sorted(found.buckets.items()),
        top=_top(found),
        slices=slices(lines, found.total, whole),
        days_worked=len(found.buckets) if seen.question.unit == "day" else 0,
        groups=[(n, report_words.group_name(n)) for n in filters.GROUPS + filters.UNITS],
        units=[(unit, report_words.group_name(unit),
                address("summary", replace(seen.question, unit=unit)))
               for unit in filters.UNITS],
        tagged="tag" in seen.question.group
        and whole > found.total.seconds,
    )  # fmt: skip
    tell("summary", seen, len(lines), began)
    return page


def _top(found: answer.Answer) -> int:
    """Return the height of the bars' axis in seconds: a round number of hours."""
    most = max((bar.seconds for bar in found.buckets.values()), default=0)
    hours: int
    for hours in (1, 2, 4, 8, 10, 12, 16, 24):
        if most <= hours * 3600:
            return hours * 3600
    step: int = 10 ** (len(str(most // 3600)) - 1) * 3600
    return -(-most // step) * step


@blueprint.get("/detailed")
def detailed() -> str:
    """List the entries every figure is made of."""
    began = time.monotonic()
    seen = look("detailed")
    total = answer.grouped(db(), seen, ()).total
    page = max(1, request.args.get("page", 1, type=int))
    picked = detail.touching(db(), seen)
    number, found = detail.turned_to(db(), seen, picked, page, PAGE)
    lines = list(found)
    names = detail.names(db())
    shown = render_template(
        "reports_detailed.html",
        **common("detailed", seen, names),
        total=total,
        lines=lines,
        number=number,
        page=page,
        pages=max(1, -(-number // PAGE)),
        clients=seen.clients,
        sorts=_sorts(seen.question),
        everyone=len({line.item.user_id for line in lines}) > 1,
    )
    tell("detailed", seen, number, began)
    return shown


def _sorts(question: Question) -> dict[str, tuple[str, str]]:
    """Return for each column that sorts: where its heading leads, how it is sorted now."""
    columns = {"date": "-date", "duration": "-duration", "project": "project",
               "user": "user", "description": "description"}  # fmt: skip
    found = {}
    for name, sort in columns.items():
        turned = name if question.sort == sort and sort.startswith("-") else sort
        state = {f"-{name}": "descending", name: "ascending"}.get(question.sort, "")
        found[name] = (address("detailed", replace(question, sort=turned)), state)
    return found
