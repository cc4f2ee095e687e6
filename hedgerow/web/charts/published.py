"""What was published of a fleet, day after day, as lines. Pure.

Made of published numbers alone: they were rounded, and none of them stands for fewer than
k installations, so no line can tell more than the pages told one by one (``fleet`` §4.1).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from hedgerow.model.versions import parse
from hedgerow.web.charts import words

Page = Mapping[str, Any]
NEWEST = 3
"""Releases whose adoption is drawn."""

LEAST = 2
"""Days that make a line."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a small chart."""

    name: str
    hue: str
    points: str
    """Of a polyline in a box of 1000 by 1000."""

    last: str


class Lines(msgspec.Struct, frozen=True, kw_only=True):
    """A chart that needs no script, and the same as a table."""

    key: str
    title: str
    sub: str
    top: str
    """What the upper edge stands for; the lower one is none."""

    first_day: str
    last_day: str
    lines: list[Line]
    columns: list[str]
    rows: list[list[str]]
    """Newest first: the day and a value of each line."""


def curves(pages: Sequence[Page]) -> list[Lines]:
    """Return the charts that publications, oldest first, have enough days for."""
    return [one for one in (_reporting(pages), _adoption(pages)) if one is not None]


def _reporting(pages: Sequence[Page]) -> Lines | None:
    told = {
        page["as_of"]: [page["reporting"]]
        for page in pages
        if page["reporting"] is not None
    }
    highest = max((float(count) for (count,) in told.values()), default=0) or 1.0
    return _lines(
        told,
        ["Installations"],
        highest,
        words.exact,
        ("reporting", "Reporting installations", "As published each day, rounded"),
    )


def _adoption(pages: Sequence[Page]) -> Lines | None:
    """Return the share on each of the newest releases or above, of all with a version told."""
    tables = [page["tables"].get("version", {}) for page in pages]
    named = _releases(tables[-1]) if tables else []
    told = {
        table["as_of"]: [_share(table, name) for name in named]
        for table in tables
        if table.get("rows")
    }
    return _lines(
        told,
        named,
        1.0,
        lambda share: words.percent(share, digits=0),
        (
            "adoption",
            "Adoption of the newest releases",
            "Share on each or above, as published; a day on which it was hidden has no value",
        ),
    )


def _releases(table: Page) -> list[str]:
    """Return the newest releases that a table names, newest first."""
    values = [str(row["value"]) for row in table.get("rows", ())]
    return [one for one in reversed(values) if parse(one).kind == "ordered"][:NEWEST]


def _share(table: Page, version: str) -> float | None:
    """Return a published share; None where no row of these versions was named."""
    key = parse(version).key or ()
    above = [
        row["count"] for row in table["rows"] if (parse(row["value"]).key or ()) >= key
    ]
    whole = sum(row["count"] for row in table["rows"]) + (table["other"] or 0)
    return sum(above) / whole if above and whole else None


def _lines(
    told: Mapping[str, Sequence[float | None]],
    names: Sequence[str],
    highest: float,
    spoken: Callable[[float], str],
    about: tuple[str, str, str],
) -> Lines | None:
    """Return a chart with its key, title and subtitle; None without enough days."""
    key, title, sub = about
    days = sorted(told)
    if len(days) < LEAST or not names:
        return None
    columns = {name: [told[day][at] for day in days] for at, name in enumerate(names)}
    return Lines(
        key=key,
        title=title,
        sub=sub,
        top=spoken(highest),
        first_day=words.bucket(days[0], "day"),
        last_day=words.bucket(days[-1], "day"),
        lines=[
            Line(
                name=name,
                hue=f"o{place}",
                points=" ".join(_points(days, columns[name], highest)),
                last=_said(columns[name][-1], spoken),
            )
            for place, name in enumerate(names, start=1)
        ],
        columns=list(names),
        rows=[
            [day, *(_said(columns[name][at], spoken) for name in names)]
            for at, day in reversed(list(enumerate(days)))
        ],
    )


def _said(value: float | None, spoken: Callable[[float], str]) -> str:
    return words.NONE if value is None else spoken(value)


def _points(
    days: Sequence[str], values: Sequence[float | None], highest: float
) -> Iterator[str]:
    """Yield the points of a line, at their days' distance; days without a value are left out."""
    dates = [date.fromisoformat(day) for day in days]
    span = (dates[-1] - dates[0]).days
    for day, value in zip(dates, values, strict=True):
        if value is not None:
            x = (day - dates[0]).days / span * 1000
            yield f"{x:.1f},{1000 - value / highest * 1000:.1f}"
