"""Answers about versions → charts: the stack, adoption of releases, time to update.

The newest version has the first hue of the ordered ramp, older ones go down it, rows that
are no single version are grey (``fleet`` §1.5). Pure.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hedgerow.web.charts import words
from hedgerow.web.charts.fleet_words import day, days, named
from hedgerow.web.charts.rows import ORDERED_HUES
from hedgerow.web.charts.spec import Cell, Chart, Column, Mark, Nothing, Plot, Series, Table

Answer = Mapping[str, Any]
COMPARED = 5
"""Releases whose adoption is laid over each other."""


def nothing(what: str, why: str) -> Nothing:
    """Return a card that says why it is empty."""
    return Nothing(summary=what, what=what, why=why)


def stack(answer: Answer, *, interval: str, releases: Sequence[Answer]) -> Chart:
    """Return installations by version over time, the newest on top."""
    rows = list(reversed(answer["rows"]))
    if not rows:
        return nothing("No reports in this period", "Choose a longer one.")
    hued = _hues([str(row["version"]) for row in rows])
    series = [
        Series(
            name=named(row["version"]),
            hue=hue,
            data=list(row["data"]),
            total=row["data"][-1],
            total_text=words.exact(row["data"][-1]),
            who={"row": {"version": row["version"]}},
        )
        for row, hue in zip(rows, hued, strict=True)
    ]
    starts = list(answer["days"])
    labels = [words.bucket(one, interval) for one in starts]
    last, total = series[0], answer["totals"][-1]
    return Plot(
        form="stacked",
        summary=f"Reporting installations by version, {labels[0]} to {labels[-1]}. "
        f"{last.name}: {last.total_text} of {words.exact(total)} at the end.",
        table=_stack_table(series, starts, labels),
        x=starts,
        labels=labels,
        series=series,
        marks=_marks(starts, releases),
    )


def _hues(names: Sequence[str]) -> list[str]:
    """Return a hue for each version, newest first; grey for rows that are none."""
    given, place = [], 0
    for name in names:
        if name.startswith("$"):
            given.append("s0")
            continue
        place += 1
        given.append(f"o{min(place, ORDERED_HUES)}")
    return given


def _marks(starts: Sequence[str], releases: Sequence[Answer]) -> list[Mark]:
    found = []
    for one in releases:
        before = [start for start in starts if start <= one["released_at"]]
        if before and one["released_at"] >= starts[0]:
            found.append(Mark(at=before[-1], text=one["version"]))
    return found[-6:]


def _stack_table(
    series: Sequence[Series], starts: Sequence[str], labels: Sequence[str]
) -> Table:
    return Table(
        columns=[
            Column(name="Version"),
            *[Column(name=label, number=True) for label in labels],
        ],
        rows=[
            [
                Cell(text=one.name, value=one.name, hue=one.hue),
                *[
                    Cell(
                        text=words.exact(value),
                        value=value,
                        who={"row": {**(one.who or {})["row"], "day": start}},
                    )
                    for value, start in zip(one.data, starts, strict=True)
                ],
            ]
            for one in series
        ],
    )


def adoption(answers: Sequence[Answer]) -> Chart:
    """Return the last releases over each other by days since each came out, newest first."""
    told = [one for one in answers if any(share is not None for share in one["share"])]
    if not told:
        return nothing("No release yet", "A release appears with its first reports.")
    length = max(len(one["share"]) for one in told)
    series = [
        Series(
            name=str(one["version"]),
            hue=f"o{min(place, ORDERED_HUES)}",
            data=[
                None if share is None else round(share * 100, 1)
                for share in [*one["share"], *[None] * (length - len(one["share"]))]
            ],
            total=0,
            total_text="",
        )
        for place, one in enumerate(told, start=1)
    ]
    first = told[0]
    return Plot(
        form="lines",
        unit="percent",
        summary=f"Share on each release or above by days since it came out. {reached(first)}",
        table=_adoption_table(told),
        x=[str(i) for i in range(length)],
        labels=[f"day {i}" for i in range(length)],
        series=series,
    )


def reached(answer: Answer) -> str:
    """Return how far a release has come, in words."""
    version, to = answer["version"], answer["time_to"]
    shares = [share for share in answer["share"] if share is not None]
    if to["50"] is None:
        if not shares:
            return f"Nobody has reported since {version} came out."
        top = max(shares)
        return (
            f"{version} has not reached half yet: highest "
            f"{words.percent(top)} on day {answer['share'].index(top)}."
        )
    further = [
        f"{share} % on day {to[share]}" for share in ("80", "95") if to[share] is not None
    ]
    rest = f", {', '.join(further)}" if further else ""
    stalled = " It has stalled since." if answer["stalled"] else ""
    return f"{version} reached 50 % on day {to['50']}{rest}.{stalled}"


def _adoption_table(answers: Sequence[Answer]) -> Table:
    return Table(
        columns=[
            Column(name="Release"),
            Column(name="Came out"),
            *[Column(name=f"{share} % after", number=True) for share in ("50", "80", "95")],
            Column(name="Share now", number=True),
        ],
        rows=[
            [
                Cell(text=str(one["version"]), value=one["version"]),
                Cell(text=day(one["released_at"]), value=one["released_at"]),
                *[
                    Cell(text=days(one["time_to"][share]), value=one["time_to"][share])
                    for share in ("50", "80", "95")
                ],
                Cell(text=words.percent(_last(one["share"])), value=_last(one["share"])),
            ]
            for one in answers
        ],
    )


def _last(shares: Sequence[float | None]) -> float | None:
    return next((share for share in reversed(shares) if share is not None), None)


def lag(answer: Answer) -> Chart:
    """Return how many have updated by each day after a release, by Kaplan and Meier."""
    curve = answer["curve"]
    if not curve:
        return nothing(
            "Nobody to follow yet",
            "Followed are installations that reported within the week before the newest release.",
        )
    length = curve[-1]["day"] + 1
    known = {row["day"]: 1 - row["remaining"] for row in curve}
    data: list[float | None] = []
    held = 0.0
    for i in range(length):
        held = known.get(i, held)
        data.append(round(held * 100, 1))
    return Plot(
        form="lines",
        unit="percent",
        summary=f"Installations that have updated to {answer['version']} or above, "
        f"by days since it came out; estimated median {days(answer['median'])}.",
        table=_lag_table(answer["by_release"]),
        x=[str(i) for i in range(length)],
        labels=[f"day {i}" for i in range(length)],
        series=[Series(name="Updated", hue="o1", data=data, total=0, total_text="")],
    )


def _lag_table(rows: Sequence[Answer]) -> Table:
    return Table(
        columns=[
            Column(name="Release"),
            Column(name="Came out"),
            Column(name="Followed", number=True),
            Column(name="Updated", number=True),
            Column(name="Median, estimated", number=True),
            Column(name="90 %, estimated", number=True),
        ],
        rows=[
            [
                Cell(text=row["version"], value=row["version"]),
                Cell(text=day(row["released_at"]), value=row["released_at"]),
                Cell(text=words.exact(row["eligible"]), value=row["eligible"]),
                Cell(text=words.exact(row["updated"]), value=row["updated"]),
                Cell(text=days(row["median"]), value=row["median"]),
                Cell(text=days(row["p90"]), value=row["p90"]),
            ]
            for row in reversed(rows)
        ],
    )
