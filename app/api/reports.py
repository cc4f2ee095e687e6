"""Reports: the question of the screens as JSON, the same answer as on screen."""

import time
from collections.abc import Mapping
from datetime import date
from typing import Any

from app.api import entries, kinds
from app.api.call import Answer, Call
from app.api.idents import word_or_none
from app.api.shapes import Field, Shape, given, may, nested
from app.people import roles
from app.reports import answer, filters
from app.reports.answer import Group, Key, Sums
from app.reports.filters import Question
from app.telemetry.experiments import variant

MOST_ROWS = 1_000_000
PERIODS = {"today", "week", "month", "quarter", "year"}

ASKED: dict[str, Field] = {
    **entries.FILTERS,
    "group": may(
        kinds.list_of(kinds.one_of(*filters.GROUPS, *filters.UNITS), 2, least=1),
        "One or two levels.",
    ),
    "unit": may(kinds.one_of(*filters.UNITS), "Step of `buckets`."),
    "zone": may(kinds.text(64), "One zone for all days; each entry's own unless given."),
    "rounding": may(kinds.one_of(*filters.ROUNDINGS)),
    "archived": may(kinds.flag, "Whether entries of archived projects count."),
}
QUESTION = Shape("ReportQuestion", ASKED)

MONEY = Shape(
    "Money",
    {"currency": given(kinds.text(3)), "amount": given(kinds.whole(), "Minor units.")},
)
SUMS = Shape(
    "Sums",
    {
        "seconds": given(kinds.whole(), "Exact."),
        "rounded_seconds": given(kinds.whole(), "As the rules of rounding show it."),
        "billable_seconds": given(kinds.whole(), "Rounded, of what is billable."),
        "entries": given(kinds.whole()),
        "amounts": given(
            kinds.list_of(nested(MONEY), 400), "None for who may not see rates.", null=True
        ),
        "unpriced_seconds": given(kinds.whole(), "Billable, but no rate holds."),
        "running": given(kinds.flag, "Something in it still runs."),
    },
)
UNDER = Shape(
    "ReportRow",
    {
        "key": given(
            kinds.shown(type=["string", "boolean", "null"]),
            "Id, day or true/false; null is none.",
        ),
        **SUMS.fields,
        "rows": given(
            kinds.shown(type="array", items={"$ref": "#/components/schemas/ReportRow"}),
            "The second level.",
        ),
    },
)
BUCKET = Shape(
    "ReportBucket",
    {
        "first": given(kinds.day, "First day of this step of time."),
        "seconds": given(kinds.whole()),
        "billable_seconds": given(kinds.whole()),
    },
)
REPORT = Shape(
    "Report",
    {
        "first": given(kinds.day),
        "last": given(kinds.day),
        "zone": given(kinds.text(64), "Empty: each entry in its own."),
        "week_start": given(kinds.number_of(0, 1, 6)),
        "group": given(kinds.list_of(kinds.one_of(*filters.GROUPS, *filters.UNITS), 2)),
        "total": given(nested(SUMS)),
        "rows": given(kinds.list_of(nested(UNDER), MOST_ROWS)),
        "buckets": given(kinds.list_of(nested(BUCKET), MOST_ROWS)),
    },
)


def query_report(call: Call) -> Answer:
    """Add up time by one or two groups: what the screen Reports shows.

    Every number is that of the screen and of the exports; entries with two tags count
    under both, the total counts them once.
    """
    began = time.monotonic()
    given_ = {name: value for name, value in call.body.items() if value is not None}
    question = filters.parse(given_, start=Question())
    found = answer.summary(call.session, call.user, question, call.now, call.settings)
    money = roles.may(call.user, "rates.see", call.settings)
    rows = _rows(question.group, found.groups, money=money)
    took = round((time.monotonic() - began) * 1000)
    _tell(call, question, (found.last - found.first).days + 1, (len(rows), took))
    return Answer(
        body={
            "first": found.first.isoformat(),
            "last": found.last.isoformat(),
            "zone": question.zone,
            "week_start": call.user.week_start,
            "group": list(question.group),
            "total": _sums(found.total, money=money),
            "rows": rows,
            "buckets": [
                {
                    "first": day.isoformat(),
                    "seconds": bar.seconds,
                    "billable_seconds": bar.billable,
                }
                for day, bar in sorted(found.buckets.items())
            ],
        }
    )


def _sums(sums: Sums, *, money: bool) -> dict[str, Any]:
    amounts = [
        {"currency": code, "amount": amount}
        for code, amount in sorted(sums.amounts.items())
    ]
    return {
        "seconds": sums.seconds,
        "rounded_seconds": sums.rounded,
        "billable_seconds": sums.billable,
        "entries": sums.entries,
        "amounts": amounts if money else None,
        "unpriced_seconds": sums.unpriced,
        "running": sums.running,
    }


def _rows(
    names: tuple[str, ...], groups: Mapping[Key, Group], *, money: bool
) -> list[dict[str, Any]]:
    """Return rows of one level: time in its order, all else the longest first."""
    name, rest = names[0], names[1:]
    in_order = sorted(
        groups.values(),
        key=lambda group: (
            (0, str(group.key))
            if name in filters.UNITS
            else (-group.sums.seconds, str(group.key))
        ),
    )
    return [
        {
            "key": _key(name, group.key),
            **_sums(group.sums, money=money),
            "rows": _rows(rest, group.under, money=money) if rest else [],
        }
        for group in in_order
    ]


def _key(name: str, key: Key) -> str | bool | None:
    if isinstance(key, date):
        return key.isoformat()
    if isinstance(key, bool) or key is None:
        return key
    return word_or_none(name, key) if isinstance(key, int) else str(key)


def _tell(call: Call, question: Question, days: int, figures: tuple[int, int]) -> None:
    """Report a question, once for each distinct one in ten minutes."""
    mark = repr(sorted(filters.as_query(question).items()))
    if not call.first_of(("report", mark)):
        return
    period = question.range.partition("_")[2] or question.range
    if question.range == "yesterday":
        period = "today"
    call.tell(
        "report.viewed",
        {
            "experiment_variant": variant(call.config, "export_dialog", call.user.id),
            "report_type": "summary",
            "date_range": period if period in PERIODS else "custom",
            "range_days": min(days, 100_000),
            "group_by": list(question.group),
            "rows": figures[0],
            "duration_ms": figures[1],
            "filters_used": question.filters_used,
        },
    )
