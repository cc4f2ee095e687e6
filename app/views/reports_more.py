"""Reports with a shape of their own: a week, what can be billed, one person's month."""

import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from flask import render_template
from sqlalchemy import select

from app.errors import NotFound, said
from app.languages import gettext as _
from app.models.people import User
from app.people import roles
from app.reports import billable as billing
from app.reports import detail, filters, named, person
from app.reports import weekly as weeks
from app.reports.answer import Group
from app.reports.detail import Names
from app.reports.filters import Question
from app.reports.seen import Seen, Worth
from app.tracking.days import DAY, day_of, week_number, zone
from app.views import context
from app.views.context import db, now, settings
from app.views.reports import blueprint
from app.views.reports_asked import address, narrowed
from app.views.reports_shown import (
    common,
    in_lines,
    inside,
    look,
    shared_with_viewer,
    tell,
    wanted,
)

__all__ = ["blueprint"]


@blueprint.get("/weekly")
def weekly() -> str:
    """Show people or projects by the days of a week."""
    began = time.monotonic()
    question = wanted("weekly")
    who = context.user()
    today = day_of(now(), zone(question.zone or who.timezone))
    first, last = filters.days(question, today, who.week_start)
    if (first, last) != weeks.first_day(first, who.week_start):
        first, last = weeks.first_day(min(last, max(first, today)), who.week_start)
        question = replace(question, range="custom", first=first, last=last)
    by = question.group[0] if question.group[0] in weeks.ROWS else "user"
    seen = look("weekly", replace(question, group=(by,)))
    found = weeks.ask(db(), seen, by)
    names = detail.names(db())
    within = inside(seen)
    page = render_template(
        "reports_weekly.html",
        **common("weekly", seen, names),
        week=found,
        number=week_number(first, who.week_start),
        by=by,
        rows=[_week_row(row, by, names, within) for row in weeks.in_order(found, names)],
        targets=weeks.targets(db(), found),
        today=today,
        earlier=address("weekly", _moved(seen.question, first, -7)),
        later=address("weekly", _moved(seen.question, first, 7)),
        views=[(n, text, address("weekly", replace(seen.question, group=(n,))))
               for n, text in (("user", _("People")), ("project", _("Projects")))],
    )  # fmt: skip
    tell("weekly", seen, len(found.rows), began)
    return page


def _moved(question: Question, first: date, days: int) -> Question:
    begin = first + days * DAY
    return replace(question, range="custom", first=begin, last=begin + 6 * DAY)


def _week_row(
    row: weeks.WeekRow, by: str, names: Names, within: Question
) -> tuple[weeks.WeekRow, named.Label, str]:
    label = named.label(by, row.key, names)
    link = address("detailed", narrowed(within, by, row.key))
    return row, label, link


@blueprint.get("/billable")
def billable() -> str:
    """Show what can be billed, and what stands in the way."""
    began = time.monotonic()
    seen = look("billable")
    report, levels = billing.ask_for_page(db(), seen)
    names = detail.names(db())
    within = inside(seen)
    lines = in_lines(billing.LEVELS[:levels], report.clients, names, seen, within)
    page = render_template(
        "reports_billable.html",
        **common("billable", seen, names),
        total=report.total,
        lines=lines,
        rates=_rates(report.clients.values(), levels),
        levels=levels,
        sums_id=id,
        missing=address("detailed", replace(within, billable=True)),
    )
    tell("billable", seen, len(lines), began)
    return page


def _rates(groups: Iterable[Group], levels: int) -> dict[int, list[Worth]]:
    """Return the rates within each row, by the identity of its sums."""
    found = {}
    for group in groups:
        found[id(group.sums)] = billing.rates_of(group)
        if levels > 1:
            found |= _rates(group.under.values(), levels - 1)
    return found


@blueprint.get("/person")
def month() -> str:
    """Show one person's month, to be signed."""
    began = time.monotonic()
    who = context.user()
    question = wanted("user")
    chosen = _chosen(question)
    seen = look("user", replace(question, users=(chosen.id,)))
    today = day_of(now(), zone(seen.question.zone or who.timezone))
    if (seen.last - seen.first).days > 366:
        seen = look(
            "user", replace(seen.question, range="this_month", first=None, last=None)
        )
    found = person.ask(db(), seen, chosen, today)
    names = detail.names(db())
    within = inside(seen)
    page = render_template(
        "reports_person.html",
        **common("user", seen, names),
        month=found,
        chosen=chosen,
        today=today,
        people=_people(),
        links={d.day: address("detailed", replace(within, first=d.day, last=d.day,
                                                  range="custom")) for d in found.days},
        earlier=address("user", _month_of(seen, seen.first - DAY)),
        later=address("user", _month_of(seen, seen.first.replace(day=28) + 4 * DAY)),
    )  # fmt: skip
    tell("user", seen, len(found.days), began)
    return page


def _month_of(seen: Seen, day: date) -> Question:
    first = day.replace(day=1)
    last = (first.replace(day=28) + 4 * DAY).replace(day=1) - DAY
    return replace(seen.question, range="custom", first=first, last=last)


def _people() -> list[User]:
    """Return whose month this person may look at."""
    who = context.user()
    query = select(User).order_by(User.display_name, User.id)
    if not roles.may(who, "reports.all", settings()):
        query = query.where(User.id == who.id)
    return list(db().scalars(query))


def _chosen(question: Question) -> User:
    kept = shared_with_viewer("user")
    if kept:
        return (db().get(User, question.users[0]) if question.users else None) or kept.user
    number = question.users[0] if question.users else context.user().id
    found = next((known for known in _people() if known.id == number), None)
    if found is None:
        raise NotFound(
            said(
                "There is no person number %(number)s whose time you may see.",
                number=number,
            ),
            hint="Ask somebody who manages this installation.",
        )
    return found
