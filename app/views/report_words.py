"""What reports and exports say of themselves: range, zone, week, rounding, names."""

from collections.abc import Sequence
from typing import Any

from flask import current_app

from app.languages import gettext as _
from app.languages import ngettext
from app.models.people import User
from app.reports.filters import Question
from app.reports.seen import Seen
from app.telemetry.experiments import variant
from app.tracking.rounding import Rule
from app.views import context
from app.views.words import day as day_text
from app.views.words import money as money_text

EXPERIMENT = "export_dialog"
RANGE_WORDS = {"week", "month", "quarter", "year"}


def group_name(name: str) -> str:
    """Return what a grouping is called."""
    names = {
        "client": _("Client"),
        "project": _("Project"),
        "task": _("Task"),
        "user": _("Person"),
        "tag": _("Tag"),
        "billable": _("Billable"),
        "day": _("Day"),
        "week": _("Week"),
        "month": _("Month"),
    }
    return names[name]


def dataset_name(dataset: str) -> str:
    """Return what a dataset is called."""
    names = {
        "entries": _("Entries"),
        "summary": _("Summary"),
        "weekly": _("Week"),
        "billable": _("Billable"),
        "clients": _("Clients"),
        "projects": _("Projects"),
        "tasks": _("Tasks"),
        "users": _("Users"),
        "audit": _("Audit"),
    }
    return names[dataset]


def range_text(seen: Seen) -> str:
    """Return the days of a report."""
    if seen.question.range == "all":
        return _("All time")
    first, last = day_text(seen.first, "d MMM y"), day_text(seen.last, "d MMM y")
    return first if seen.first == seen.last else f"{first} – {last}"  # noqa: RUF001 - a range has an en dash


def zone_text(question: Question) -> str:
    """Return whose days they are."""
    if question.zone:
        return _("days in %(zone)s", zone=question.zone)
    return _("days in the zone of each entry")


def week_text(user: User) -> str:
    """Return where weeks begin."""
    names = {0: _("Sunday"), 1: _("Monday"), 6: _("Saturday")}
    return _("weeks begin on %(day)s", day=names[user.week_start])


def rounding_text(seen: Seen) -> str:
    """Return which rules were in force."""
    if seen.question.rounding == "exact":
        return _("exact, rounding switched off")
    said = rule_text(seen.general)
    own = len({rule for rule in seen.rules.values() if rule != seen.general})
    if own:
        more = ngettext("%(n)d own rule of projects", "%(n)d own rules of projects", own)
        return f"{said}; {more}"
    return said


def rule_text(rule: Rule) -> str:
    """Return a rule in words."""
    if rule.is_exact:
        return _("exact to the second")
    ways = {"nearest": _("to the nearest"), "up": _("up to"), "down": _("down to")}
    levels = {"entry": _("each entry"), "day": _("each person's day on a project")}
    said = _(
        "%(what)s rounded %(how)s %(n)d min",
        what=levels[rule.level],
        how=ways[rule.method],
        n=rule.minutes or 1,
    )
    if rule.minimum:
        return f"{said}, {_('at least %(n)d min', n=rule.minimum)}"
    return said


def notes(seen: Seen, amounts: Sequence[tuple[str, int]] = ()) -> list[str]:
    """Return the lines that stand above an export."""
    said = [
        f"{range_text(seen)} · {zone_text(seen.question)} · {week_text(seen.user)}",
        rounding_text(seen),
    ]
    if amounts:
        said.append(" · ".join(money_text(minor, currency) for currency, minor in amounts))
    return said


def range_word(question: Question) -> str:
    """Return the range as events tell it."""
    if question.range in {"today", "yesterday"}:
        return "today"
    word = question.range.partition("_")[2]
    return word if word in RANGE_WORDS else "custom"


def own_variant() -> str:
    """Return which export dialog this person sees."""
    person = context.user()
    return variant(current_app.config, EXPERIMENT, person.id)


def experiment() -> dict[str, Any]:
    """Return what events of reports and exports say about the experiment."""
    return {"experiment_variant": own_variant()}
