"""The public page, computed once a day: what is replaced, what stays, and why (§4.4, §4.6).

A table is replaced only when enough installations moved in it; a few joining or leaving are
never to be seen by comparing two days. What was published is kept, never computed afresh;
so are the cells of each installation as last published, to know what moved.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from hedgerow.insights.fleet.cells import Cells, cells, public, table_of
from hedgerow.insights.fleet.params import Asked, Params, asked, iso
from hedgerow.insights.fleet.population import Fleet, fleet
from hedgerow.insights.fleet.publishing import changed, cross, moved
from hedgerow.insights.fleet.reports import reports
from hedgerow.insights.fleet.settings import FleetSettings, settings_of
from hedgerow.insights.fleet.spellings import with_spellings
from hedgerow.insights.fleet.suppression import ROUNDED_TO, rounded
from hedgerow.insights.results import Run
from hedgerow.insights.shown import written
from hedgerow.model.projects import QueryContext

FORMAT = 1
TOTAL = "total"
"""The table with one cell: how many there are."""

WITHHELD = "too few reports"
NOTE = (
    "Reporting is voluntary; many installations do not report, so read shares, not totals."
)


class Last(msgspec.Struct, kw_only=True):
    """What was published last."""

    page: dict[str, Any] = msgspec.field(default_factory=dict)
    """As readers get it; empty: nothing was published yet."""

    cells: dict[str, dict[int, str]] = msgspec.field(default_factory=dict)
    """Each installation's cell by table, as of the day each was replaced."""

    k: int = 0
    """The least number at that time."""


class Published(msgspec.Struct, kw_only=True):
    """What comes of a publication."""

    last: Last
    replaced: list[str]
    """Names of the tables that are new."""

    reasons: dict[str, str]
    """By table, why it stays as it was, or what is hidden in it: for members only."""


def read(context: QueryContext, run: Run) -> Fleet:
    """Return the fleet of the last complete day as the page counts it."""
    settings = settings_of(context.project.fleet)
    params = Params(window_days=settings.public.window_days)
    question: Asked = asked(params, "public_table", settings, context)
    question = msgspec.structs.replace(question, context=with_spellings(question, run))
    asks = {"reports": reports, "public": public}
    told = {name: run(written(ask(question), context)) for name, ask in asks.items()}
    return fleet(question, told)


def published(now: Fleet, last: Last, at: datetime, product: str) -> Published:
    """Return the page of a day after the one before it."""
    settings, day = now.asked.settings, iso(now.asked.as_of)
    k = max(settings.public.k, last.k)
    found = {name: cells(now, name) for name in settings.public.tables}
    everybody = _everybody(now, found)
    before = last.cells.get(TOTAL, {})
    between = moved(before, everybody)
    replaced, reasons = replaceable({**found, TOTAL: everybody}, last, k, between)
    kept = {name: _nameless(one, now) for name, one in last.cells.items()}
    kept |= {name: one for name, one in found.items() if name in replaced}
    if replaced:
        kept[TOTAL] = everybody  # where nobody joined or left it is what it was
    tables = _tables(now, found, last, replaced)
    page = {
        **_about(now, at, product),
        "as_of": day if replaced or not last.page else last.page["as_of"],
        "reporting": _reporting(everybody, k, last, replaced),
        "tables": tables,
        "cross": _cross(now, last, replaced),
    }
    hidden = {
        name: f"{len(set(found[name].values())) - len(tables[name].get('rows', ()))} cells hidden"
        for name in replaced
        if name in found
    }
    # the greater of both is right for this step only; the next one goes by the new k
    news = Last(page=page, cells=kept, k=settings.public.k if replaced else k)
    return Published(last=news, replaced=replaced, reasons={**hidden, **reasons})


def _nameless(before: Cells, now: Fleet) -> Cells:
    """Return cells in which those who were deleted have only a number of no meaning."""
    known = {row[0] for row in now.more["reports"]}
    free = min([0, *before])
    gone = [key for key in before if key >= 0 and key not in known]
    numbers = {key: free - place for place, key in enumerate(gone, start=1)}
    return {numbers.get(key, key): cell for key, cell in before.items()}


def _everybody(now: Fleet, found: Mapping[str, Cells]) -> Cells:
    """Return one cell for all: whoever is in any table is in each."""
    some = next(iter(found.values()), None)
    people = cells(now, "version") if some is None else some
    return dict.fromkeys(people, TOTAL)


def replaceable(
    found: Mapping[str, Cells], last: Last, k: int, between: int
) -> tuple[list[str], dict[str, str]]:
    """Return which tables may be replaced, and why the others may not."""
    replaced, reasons = [], {}
    for name, after in found.items():
        many = changed(last.cells.get(name, {}), after)
        if 0 < between < k:
            reasons[name] = f"{between} installations joined or left, fewer than {k}."
        elif many < k:
            reasons[name] = f"{many} installations changed their cell, fewer than {k}."
        else:
            replaced.append(name)
    return replaced, reasons


def _tables(
    now: Fleet, found: Mapping[str, Cells], last: Last, replaced: list[str]
) -> dict[str, Any]:
    earlier = last.page.get("tables", {})
    withheld = {"withheld": WITHHELD}
    return {
        name: _table(now, name, after) if name in replaced else earlier.get(name, withheld)
        for name, after in found.items()
    }


def _table(now: Fleet, name: str, after: Cells) -> dict[str, Any]:
    k = now.asked.settings.public.k
    shown = table_of(Counter(after.values()), name, k, now)
    if not shown.published:
        return {"withheld": WITHHELD}
    whole = sum(count for _, count in shown.rows) + (shown.other or 0)
    return {
        "as_of": iso(now.asked.as_of),
        "rows": [
            {"value": value, "count": count, "share": _percent(count, whole)}
            for value, count in shown.rows
        ],
        "other": shown.other,
        "total": shown.total,
    }


def _percent(count: int, whole: int) -> int:
    """Return a share in whole per cent, of the rounded sum."""
    return (200 * count + whole) // (2 * whole) if whole else 0


def _reporting(everybody: Cells, k: int, last: Last, replaced: list[str]) -> int | None:
    if TOTAL not in replaced:
        earlier: int | None = last.page.get("reporting")
        return earlier
    return rounded(len(everybody)) if len(everybody) >= k else None


def _cross(now: Fleet, last: Last, replaced: list[str]) -> Any:
    pair = now.asked.settings.public.cross
    if pair is None:
        return None
    earlier = last.page.get("cross")
    if not set(pair) <= set(replaced):
        same = earlier is not None and earlier["properties"] == pair
        return earlier if same else None
    found = cross(now, (pair[0], pair[1]), now.asked.settings.public.k)
    if found is None or not (found[2].enough and found[2].safe):
        return {"properties": pair, "withheld": WITHHELD}
    rows, columns, grid = found
    return {
        "properties": pair,
        "as_of": iso(now.asked.as_of),
        "rows": rows,
        "columns": columns,
        "cells": grid.shown(),
    }


def _about(now: Fleet, at: datetime, product: str) -> dict[str, Any]:
    settings: FleetSettings = now.asked.settings
    listed = [one for one in now.releases_at(now.asked.as_of) if now.source == "list"]
    newest = listed[-1] if listed else None
    return {
        "format": FORMAT,
        "product": settings.public.product or product,
        "published_at": at.isoformat(timespec="seconds"),
        "window_days": settings.public.window_days,
        "k": settings.public.k,
        "rounded_to": ROUNDED_TO,
        "newest": {
            "version": None if newest is None else newest.label,
            "released_at": None if newest is None else iso(newest.day),
        },
        "note": NOTE,
        "licence": settings.public.licence,
    }


def history(pages: list[dict[str, Any]]) -> list[list[Any]]:
    """Return every published value: ``as_of, table, value, count, total, k``, oldest first."""
    rows, told = [], set()
    for page in pages:
        if page["reporting"] is not None and (TOTAL, page["as_of"]) not in told:
            told.add((TOTAL, page["as_of"]))
            count = page["reporting"]
            rows.append([page["as_of"], TOTAL, TOTAL, count, count, page["k"]])
        for name, table in page["tables"].items():
            if "withheld" in table or (name, table["as_of"]) in told:
                continue
            told.add((name, table["as_of"]))
            values = [(row["value"], row["count"]) for row in table["rows"]]
            values += [("other", table["other"])] if table["other"] is not None else []
            rows += [
                [table["as_of"], name, value, count, table["total"], page["k"]]
                for value, count in values
            ]
    return rows
