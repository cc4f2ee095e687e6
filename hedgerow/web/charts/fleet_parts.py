"""Answers about the fleet's make-up → charts: who is behind, flow, jumps, kinds, errors.

Every figure that has installations behind it carries the row that asks for them. Pure.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hedgerow.web.charts import words
from hedgerow.web.charts.fleet_versions import nothing
from hedgerow.web.charts.fleet_words import interval, named, share
from hedgerow.web.charts.spec import (
    Cell,
    Chart,
    Column,
    Grid,
    Mark,
    Part,
    Plot,
    Ranking,
    Series,
    Table,
)

Answer = Mapping[str, Any]
Bar = tuple[str, str, int, str, dict[str, Any] | None]
"""Name, hue, installations, share in words, and what asks for those installations."""

SHOWN = 8
VERSIONS_SHOWN = 12
"""Rows of the table of errors; a fleet may run hundreds of versions."""

TIMES = "\u00d7"


def ranking(
    rows: Sequence[Bar],
    *,
    heading: str,
    what: str,
) -> Chart:
    """Return bars of (name, hue, count, share, who is behind)."""
    if not rows:
        return nothing(f"No {what} known", "Reports have not told one yet.")
    widest = max(count for _, _, count, _, _ in rows)
    parts = [
        Part(
            name=name,
            hue=hue,
            value=count,
            text=words.compact(count),
            exact=words.exact(count),
            share=told,
            width=round(count / widest * 100, 1) if widest else 0,
            who=who,
        )
        for name, hue, count, told, who in rows
    ]
    table = Table(
        columns=[
            Column(name=heading),
            Column(name="Installations", number=True),
            Column(name="Share", number=True),
        ],
        rows=[
            [
                Cell(text=one.name, value=one.name, hue=one.hue),
                Cell(text=one.exact, value=one.value, who=one.who),
                Cell(text=one.share or words.NONE, value=one.value),
            ]
            for one in parts
        ],
    )
    first = parts[0]
    return Ranking(
        summary=f"{heading}: most {first.name}, {first.exact}.",
        table=table,
        parts=parts[:SHOWN],
        more=max(len(parts) - SHOWN, 0),
    )


def distribution(answer: Answer, *, heading: str) -> Chart:
    """Return how many have each value, the unknown last."""
    total = answer["total"]
    rows: list[Bar] = [
        (
            named(row["value"]),
            "s0" if str(row["value"]).startswith("$") else "s1",
            row["count"],
            share(row["count"], total - answer["unknown"], row["ci"]),
            {"row": {"value": row["value"]}},
        )
        for row in answer["rows"]
    ]
    rows += [
        (name, "s0", answer[name], share(answer[name], total, None), None)
        for name in ("other", "unknown")
        if answer[name]
    ]
    return ranking(rows, heading=heading, what=heading.lower())


def behind(answer: Answer) -> Chart:
    """Return how many releases the installations are behind the newest one."""
    if answer["newest"] is None:
        return nothing("No release yet", "A release appears with its first reports.")
    total = answer["total"]
    rows: list[Bar] = [
        (
            _behind_name(row["releases_behind"]),
            "o1"
            if not row["releases_behind"]
            else f"o{min(row['releases_behind'] + 1, 7)}",
            row["count"],
            share(row["count"], total, None),
            {"row": {"releases_behind": row["releases_behind"]}},
        )
        for row in answer["rows"]
    ]
    for name, text in (
        ("ahead", "ahead of it"),
        ("unordered", "no version number"),
        ("unknown", "version unknown"),
    ):
        if answer[name]:
            rows.append((text, "s0", answer[name], share(answer[name], total, None), None))
    return ranking(rows, heading="Behind by", what="version")


def _behind_name(number: int) -> str:
    if not number:
        return "on the newest"
    return f"{number} {'release' if number == 1 else 'releases'}"


def flow(answer: Answer) -> Chart:
    """Return who came, came back and fell silent by day."""
    starts = list(answer["days"])
    if not starts:
        return nothing("No days in this period", "Choose a longer one.")
    series = [
        Series(
            name=name,
            hue=hue,
            data=[sign * value for value in answer[key]],
            total=sum(answer[key]),
            total_text=words.exact(sum(answer[key])),
            who={"row": {"change": key}},
        )
        for key, name, hue, sign in (
            ("new", "New", "s1", 1),
            ("returned", "Returned", "s3", 1),
            ("went_silent", "Fell silent", "s0", -1),
        )
    ]
    labels = [words.bucket(start, "day") for start in starts]
    return Plot(
        form="stacked",
        summary=f"{labels[0]} to {labels[-1]}: {series[0].total_text} new, "
        f"{series[1].total_text} returned, {series[2].total_text} fell silent.",
        table=_flow_table(answer, starts, labels),
        x=starts,
        labels=labels,
        series=series,
        marks=[Mark(at=one["day"], text=_burst(one)) for one in answer["bursts"]],
    )


def _burst(one: Answer) -> str:
    """Return what marks a day with far more newcomers than usual, and who most of them are."""
    told = f"burst: {words.exact(one['new'])} new"
    return f"{told}, {words.short(str(one['value']), 16)}" if one["value"] else told


def _flow_table(answer: Answer, starts: Sequence[str], labels: Sequence[str]) -> Table:
    changes = ("new", "returned", "went_silent", "went_gone")
    columns = (*changes, "reporting", "silent", "net")

    def cell(name: str, place: int) -> Cell:
        value = answer[name][place]
        who = {"row": {"change": name, "day": starts[place]}}
        asks = name in changes and value
        return Cell(text=words.exact(value), value=value, who=who if asks else None)

    return Table(
        columns=[
            Column(name="Day"),
            *[Column(name=_spoken(one), number=True) for one in columns],
        ],
        rows=[
            [Cell(text=label, value=starts[i]), *[cell(one, i) for one in columns]]
            for i, label in enumerate(labels)
        ],
    )


def _spoken(name: str) -> str:
    return name.replace("_", " ").capitalize()


def paths(answer: Answer) -> Chart:
    """Return which updates happened, most first; downgrades in grey."""
    rows: list[Bar] = [
        (
            f"{named(row['from'])} → {named(row['to'])}"
            + (" (down)" if row["direction"] == "down" else ""),
            "s0" if row["direction"] != "up" else "o1",
            row["count"],
            f"skips {row['skipped']}" if row["skipped"] else "",
            {"row": {"from": row["from"], "to": row["to"]}},
        )
        for row in answer["rows"]
    ]
    if not rows:
        return nothing("No updates in this period", "Choose a longer one.")
    return ranking(rows, heading="Update", what="update")


def errors(answer: Answer) -> Chart:
    """Return errors an installation and day by the newest versions, with intervals."""
    if not answer["rows"]:
        return nothing("No reports in this period", "Choose a longer one.")
    return Grid(
        summary=compared(answer["comparison"]),
        table=Table(
            columns=[
                Column(name="Version"),
                Column(name="Errors an installation and day", number=True),
                Column(name="95 % interval", number=True),
                Column(name="Errors", number=True),
                Column(name="Installations", number=True),
                Column(name="Affected", number=True),
            ],
            rows=[_errors_row(row) for row in answer["rows"][: -VERSIONS_SHOWN - 1 : -1]],
        ),
    )


def _errors_row(row: Answer) -> list[Cell]:
    rate, ci = row["rate"], row["ci"]
    span = words.NONE if ci is None else f"{_rate(ci[0])} {words.NONE} {_rate(ci[1])}"
    return [
        Cell(text=str(row["version"]), value=row["version"]),
        Cell(text=words.NONE if rate is None else _rate(rate), value=rate),
        Cell(text=span, dim=True),
        Cell(text=words.exact(row["errors"]), value=row["errors"]),
        Cell(text=words.exact(row["installations"]), value=row["installations"]),
        Cell(
            text=words.exact(row["affected"]),
            value=row["affected"],
            who={"row": {"version": row["version"], "affected": True}}
            if row["affected"]
            else None,
        ),
    ]


def _rate(value: float) -> str:
    return f"{value:.3f}" if value < 1 else f"{value:.2f}"


def compared(comparison: Answer | None) -> str:
    """Return whether the newest version errs more, as far as it can be said."""
    if comparison is None:
        return "Too few installations on two versions to compare them yet."
    version, previous = comparison["version"], comparison["previous"]
    if not comparison["enough"]:
        return f"Fewer than 5 errors on {version}: no difference to {previous} can be shown yet."
    if not comparison["worse"]:
        return f"No difference between {version} and {previous} can be shown yet."
    low, high = comparison["ci"]
    return (
        f"{version} makes {comparison['ratio']:.1f}{TIMES} as many errors per installation and day "
        f"as {previous} ({low:.1f}{TIMES} to {high:.1f}{TIMES})."
    )


def survival(answer: Answer) -> Chart:
    """Return which share of each month's new installations is still there later."""
    if not answer["cohorts"]:
        return nothing("No installations yet", "They appear with their first report.")
    marks = ("30", "60", "90", "180", "365")
    return Grid(
        summary="Installations still reporting, by month of their first report.",
        table=Table(
            columns=[
                Column(name="First report"),
                Column(name="Installations", number=True),
                Column(name="Gone", number=True),
                *[Column(name=f"after {mark} days", number=True) for mark in marks],
            ],
            rows=[
                [
                    Cell(text=row["cohort"], value=row["cohort"]),
                    Cell(
                        text=words.exact(row["installations"]),
                        value=row["installations"],
                        who={"row": {"cohort": row["cohort"]}},
                    ),
                    Cell(text=words.exact(row["gone"]), value=row["gone"]),
                    *[
                        Cell(
                            text=words.percent(row["remaining_at"][mark], digits=0),
                            value=row["remaining_at"][mark],
                        )
                        for mark in marks
                    ],
                ]
                for row in answer["cohorts"]
            ],
        ),
    )


def supported(answer: Answer) -> Chart:
    """Return the installations on series whose support has ended or will end."""
    if not answer["rows"]:
        return nothing("No ends of support are set", "Name them in the fleet's settings.")
    return Grid(
        summary=f"{words.exact(answer['exposed'])} of {words.exact(answer['total'])} run a "
        f"series without support ({interval(answer['ci'])}).",
        table=Table(
            columns=[
                Column(name="Series"),
                Column(name="Support ends"),
                Column(name="Installations", number=True),
            ],
            rows=[
                [
                    Cell(text=row["series"], value=row["series"]),
                    Cell(text=row["eol_at"], value=row["eol_at"]),
                    Cell(
                        text=words.exact(row["count"]),
                        value=row["count"],
                        who={"row": {"series": row["series"]}},
                    ),
                ]
                for row in answer["rows"]
            ],
        ),
    )
