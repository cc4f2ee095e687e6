"""Alerts that come ready-made for a fleet (``fleet`` §5): what they ask, when they fire.

Each looks at settled numbers, those of the last day for which 48 hours have passed, and
has a least size, so that small fleets are left in peace. Pure: figures in, a verdict out.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from hedgerow.insights.alert_rules import Verdict, robust
from hedgerow.insights.fleet.params import SETTLED_AFTER
from hedgerow.insights.fleet.settings import FleetSettings

Answers = Mapping[str, Mapping[str, Any]]
"""By figure."""

WEEKS = 4
DEVIATIONS = 5
LEAST_SIZE = 20
ROLLBACKS = 3
AFTER_RELEASE = timedelta(days=14)
SOON = timedelta(days=30)
MANY = 10_000


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """One ready-made alert."""

    title: str
    says: str
    """When it fires, in words."""

    figures: Mapping[str, int]
    """What it asks: each figure with the days of its range."""

    judge: Callable[[Answers, FleetSettings, date], Verdict]
    on: bool = True
    """Whether it is switched on when the ready-made ones are set up."""


def settled(now: datetime, zone: ZoneInfo) -> date:
    """Return the last day whose reports have had their 48 hours to arrive."""
    return (now - SETTLED_AFTER).astimezone(zone).date() - timedelta(days=1)


def questions(ready: Ready, day: date) -> dict[str, dict[str, Any]]:
    """Return the queries of a ready-made alert, by figure."""
    asked = {}
    for figure, days in ready.figures.items():
        params: dict[str, Any] = {"as_of": day.isoformat()}
        params["date_from"] = (day - timedelta(days=days - 1)).isoformat()
        if figure in {"downgrades", "paths"}:
            params["limit"] = MANY
        asked[figure] = {"kind": "FleetQuery", "figure": figure, "params": params}
    return asked


def _fell_silent(found: Answers, _: FleetSettings, __: date) -> Verdict:
    flow = found["flow"]
    *before, silent = flow["went_silent"]
    usual, spread = robust(before)
    reporting = flow["reporting"][-1]
    many = silent > usual + DEVIATIONS * spread and silent >= 5
    text = f"{silent} installations fell silent on {flow['days'][-1]}; {usual:g} are usual, {reporting} report."
    return Verdict(firing=many and silent > 0.02 * reporting, value=silent, text=text)


def _reports_missing(found: Answers, _: FleetSettings, __: date) -> Verdict:
    over = found["active_over_time"]
    daily = over["daily"]
    expected, _spread = robust([daily[-1 - 7 * week] for week in range(1, WEEKS + 1)])
    few = expected >= LEAST_SIZE and daily[-1] < 0.7 * expected
    text = f"{daily[-1]} installations reported on {over['days'][-1]}; {expected:g} are usual on that weekday."
    return Verdict(firing=few, value=daily[-1], text=text)


def _errs(found: Answers, _: FleetSettings, day: date) -> Verdict:
    compared, newest = found["errors"]["comparison"], found["newest"]
    if compared is None or newest["released_at"] is None:
        return _nothing("No two versions have enough installations to be compared.")
    fresh = day - date.fromisoformat(newest["released_at"]) <= AFTER_RELEASE
    text = f"{compared['version']} has {compared['ratio']:.2f} times the errors a day of {compared['previous']}."
    return Verdict(firing=compared["worse"] and fresh, value=compared["ratio"], text=text)


def _stalls(found: Answers, _: FleetSettings, __: date) -> Verdict:
    curve = found["adoption"]
    share = curve["share"][-1] if curve["share"] else None
    if share is None:
        return _nothing("There is no release to be adopted yet.")
    large = curve["active"][-1] >= LEAST_SIZE
    text = f"{share:.1%} of the installations run {curve['version']} or later."
    return Verdict(firing=curve["stalled"] and large, value=share, text=text)


def _rollbacks(found: Answers, _: FleetSettings, __: date) -> Verdict:
    back = Counter(row["from"] for row in found["downgrades"]["rows"] if row["rollback"])
    came: Counter[str] = Counter()
    for row in found["paths"]["rows"]:
        came[row["to"]] += row["count"]
    if not back:
        return _nothing("Nobody went back to an earlier version within 7 days.", 0)
    version, count = max(back.items(), key=lambda pair: (pair[1], pair[0]))
    many = count >= ROLLBACKS and count >= 0.05 * came[version]
    text = f"{count} installations went back from {version} within 7 days; {came[version]} had come to it."
    return Verdict(firing=many, value=count, text=text)


def _support_ends(found: Answers, _: FleetSettings, day: date) -> Verdict:
    eol = found["eol"]
    ending = [row for row in eol["rows"] if date.fromisoformat(row["eol_at"]) <= day + SOON]
    exposed, total = sum(row["count"] for row in ending), eol["total"]
    names = ", ".join(row["series"] for row in ending) or "no series"
    text = f"{exposed} of {total} installations run {names}, whose support ends within 30 days or has ended."
    return Verdict(
        firing=total >= LEAST_SIZE and exposed > 0.1 * total, value=exposed, text=text
    )


def _unknown(found: Answers, settings: FleetSettings, _: date) -> Verdict:
    rows = [row for row in found["versions"]["rows"] if row["listed"] is False]
    rows = [row for row in rows if row["count"] >= settings.quorum.installations]
    if not rows:
        return _nothing("Every version with several installations is on the list.", 0)
    names = ", ".join(row["version"] for row in rows)
    return Verdict(
        firing=True, value=len(rows), text=f"Not on the list of releases: {names}."
    )


def _clones(found: Answers, _: FleetSettings, __: date) -> Verdict:
    states, suspected = found["states"], found["clones"]["suspected"]
    total = sum(states[name] for name in ("reporting", "silent", "gone", "never_reported"))
    many = total >= LEAST_SIZE and suspected > 0.01 * total
    text = f"{suspected} of {total} installations seem to be several machines with one id."
    return Verdict(firing=many, value=suspected, text=text)


def _burst(found: Answers, _: FleetSettings, day: date) -> Verdict:
    bursts = [one for one in found["flow"]["bursts"] if one["day"] == day.isoformat()]
    new = found["flow"]["new"][-1]
    usual = f", where {bursts[0]['usual']:g} are usual" if bursts else ""
    text = f"{new} new installations on {day.isoformat()}{usual}."
    return Verdict(firing=bool(bursts), value=new, text=text)


def _nothing(text: str, value: float | None = None) -> Verdict:
    return Verdict(firing=False, value=value, text=text)


READY: Mapping[str, Ready] = {
    "fell_silent": Ready(
        title="Many fell silent",
        says="far more than usual of 28 days, at least 5 and more than 2 % of those that report",
        figures={"flow": 29},
        judge=_fell_silent,
    ),
    "reports_missing": Ready(
        title="Reports are missing",
        says="less than 70 % of the same weekday's median of 4 weeks, where 20 are expected",
        figures={"active_over_time": 29},
        judge=_reports_missing,
    ),
    "version_errs": Ready(
        title="New version errs",
        says="in the 14 days after a release, clearly more errors a day than the version before",
        figures={"errors": 30, "newest": 1},
        judge=_errs,
    ),
    "adoption_stalls": Ready(
        title="Adoption stalls",
        says="the newest release spreads no further, though most do not run it",
        figures={"adoption": 30},
        judge=_stalls,
    ),
    "rollbacks": Ready(
        title="Rollbacks",
        says="3 or more go back from a version within 7 days, and 5 % of those that came to it",
        figures={"downgrades": 7, "paths": 7},
        judge=_rollbacks,
    ),
    "support_ends": Ready(
        title="Going out of support",
        says="over 10 % run what is out of support, or will be within 30 days",
        figures={"eol": 30},
        judge=_support_ends,
    ),
    "unknown_version": Ready(
        title="Unknown version appears",
        says="several installations run a version that is on no list",
        figures={"versions": 30},
        judge=_unknown,
        on=False,
    ),
    "clones": Ready(
        title="Clones",
        says="over 1 % of the installations seem to be several machines with one id",
        figures={"clones": 30, "states": 30},
        judge=_clones,
        on=False,
    ),
    "burst": Ready(
        title="Burst of new installations",
        says="20 or more new ones in a day, over 5 times the usual",
        figures={"flow": 30},
        judge=_burst,
        on=False,
    ),
}
"""By the name an alert carries as its ``rule``."""
