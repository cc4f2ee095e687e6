"""The question in a report's address: read, shown as chips, changed by links.

Each report has its own start: what it shows when nothing is asked. An address carries
only what differs from that, so that links stay short and relative ranges relative.
"""

from dataclasses import replace
from typing import Any, NamedTuple

from flask import request, url_for

from app.languages import gettext as _
from app.reports import filters
from app.reports.detail import Names
from app.reports.filters import NUMBERS, Question

REPORTS = ("summary", "detailed", "weekly", "billable", "user")
ENDPOINTS = {
    "summary": "reports.show",
    "detailed": "reports.detailed",
    "weekly": "reports.weekly",
    "billable": "reports.billable",
    "user": "reports.month",
}
STARTS = {
    "summary": Question(),
    "detailed": Question(),
    "weekly": Question(range="this_week", group=("user",)),
    "billable": Question(),
    "user": Question(),
}
"""What each report shows when nothing is asked."""

NOT_ASKED = ("page", "saved", "q", "report")
"""Words of an address that are no part of the question."""


class Chip(NamedTuple):
    """A filter in force."""

    name: str
    value: str
    without: str
    """Address of the same report without it."""


class Tab(NamedTuple):
    """Another report of the same question."""

    name: str
    text: str
    address: str


def asked(report: str) -> Question:
    """Return the question in the address."""
    given = {
        name: ",".join(request.args.getlist(name))
        for name in request.args
        if name not in NOT_ASKED
    }
    given = {name: value.strip(",") for name, value in given.items()}
    return filters.parse({k: v for k, v in given.items() if v != ""}, start=STARTS[report])


def address(report: str, question: Question, **more: Any) -> str:
    """Return where a report answers this question."""
    query: dict[str, Any] = dict(filters.as_query(question, start=STARTS[report]))
    return url_for(ENDPOINTS[report], **query, **more)


def changed(question: Question, field: str, value: Any) -> Question:
    """Return the question with one field changed."""
    fields: dict[str, Any] = {field: value}
    return replace(question, **fields)


def narrowed(question: Question, name: str, key: Any) -> Question:
    """Return the question that lists the entries of one row; steps of time by ``within``."""
    match name:
        case "billable":
            return replace(question, billable=bool(key))
        case "tag":
            if key is None:
                return question
            return replace(question, tags=(key,), tag_mode="any")
        case "day" | "week" | "month":
            return question
        case _:
            return changed(question, f"{name}s", (key or 0,))


def tabs(report: str, question: Question) -> list[Tab]:
    """Return all reports, each asked the same as far as it can."""
    texts = {
        "summary": _("Summary"),
        "detailed": _("Detailed"),
        "weekly": _("Weekly"),
        "billable": _("Billable"),
        "user": _("Person"),
    }
    made = []
    for name in REPORTS:
        other = question
        if name in {"weekly", "user"} or report in {"weekly", "user"}:
            start = STARTS[name]
            other = replace(
                question, range=start.range, first=None, last=None, group=start.group
            )
        made.append(Tab(name, texts[name], address(name, other)))
    return made


def chips(report: str, question: Question, names: Names) -> list[Chip]:
    """Return the filters in force, each with the way to drop it."""
    found: list[tuple[str, str, Question]] = []
    known: dict[str, Any] = {
        "users": names.users,
        "clients": {number: named.name for number, named in names.clients.items()},
        "projects": {number: named.name for number, named in names.projects.items()},
        "tasks": names.tasks,
        "tags": names.tags,
    }
    labels = {
        "users": _("Person"), "clients": _("Client"), "projects": _("Project"),
        "tasks": _("Task"), "tags": _("Tag"),
    }  # fmt: skip
    for field in NUMBERS:
        chosen: tuple[int, ...] = getattr(question, field)
        for number in chosen:
            rest = tuple(other for other in chosen if other != number)
            value = known[field].get(number) if number else _("None")
            found.append(
                (labels[field], value or f"#{number}", changed(question, field, rest))
            )
    found += _flags(question)
    return [Chip(name, text, address(report, q)) for name, text, q in found]


def _flags(question: Question) -> list[tuple[str, str, Question]]:
    found: list[tuple[str, str, Question]] = []
    if question.tags and question.tag_mode != "any":
        mode = {"all": _("all of them"), "none": _("none of them")}[question.tag_mode]
        found.append((_("Tags"), mode, replace(question, tag_mode="any")))
    if question.billable is not None:
        text = _("Billable") if question.billable else _("Not billable")
        found.append((_("Only"), text, replace(question, billable=None)))
    if question.incomplete is not None:
        text = _("Incomplete") if question.incomplete else _("Complete")
        found.append((_("Only"), text, replace(question, incomplete=None)))
    found += [
        (
            _("Source"),
            source_name(source),
            replace(question, sources=tuple(s for s in question.sources if s != source)),
        )
        for source in question.sources
    ]
    if not question.archived:
        found.append((_("Archived"), _("left out"), replace(question, archived=True)))
    if question.zone:
        found.append((_("Days in"), question.zone, replace(question, zone="")))
    return found


def source_name(source: str) -> str:
    """Return what a source of entries is called."""
    names = {
        "timer": _("Timer"),
        "manual": _("By hand"),
        "week": _("Week grid"),
        "import": _("Import"),
        "api": _("API"),
    }
    return names[source]
