"""Who reports, who fell silent, who came back (``fleet`` §1.2, §2.1 to §2.3)."""

import math
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import accumulate
from typing import Any

import msgspec

from hedgerow.insights.fleet.observations import Installation, alike
from hedgerow.insights.fleet.params import Asked, iso
from hedgerow.insights.fleet.population import Fleet, counts
from hedgerow.insights.fleet.reports import statement
from hedgerow.insights.fleet.statistics import median
from hedgerow.model.ports import Statement

Member = tuple[dict[str, Any], Installation]
"""What a row says of itself, and one of the installations behind it."""

SILENT_SHOWN = 100
STATES = ("reporting", "silent", "gone", "never_reported")
WINDOWS = {"daily": 1, "weekly": 7, "monthly": 30}
CHANGES = ("new", "returned", "went_silent", "went_gone")
BURST_LEAST = 20
BURST_TIMES = 5
BURST_BEFORE = 28

SILENT = """
    SELECT people.k, people.id, people.environment, NOT $established OR extents.days > 1,
      extents.first, extents.last, current.v, 1
    FROM people JOIN extents ON extents.k = people.k LEFT JOIN current ON current.k = people.k
    WHERE extents.last > $from AND extents.last <= $to"""
NEWCOMERS = """
    SELECT reported.k, ARG_MAX(platform, (at, arrived)) FILTER (WHERE platform <> '') AS platform,
      ARG_MAX(deployment, (at, arrived)) FILTER (WHERE deployment <> '') AS deployment
    FROM reported JOIN extents ON extents.k = reported.k WHERE extents.first >= $from GROUP BY reported.k"""
LATEST = "SELECT k, MAX(at) AS at FROM reported WHERE kind = 'beat' GROUP BY k"


def latest(asked: Asked) -> Statement:
    """Return the question for the last heartbeat of today's and yesterday's reporters."""
    return statement(LATEST, asked, since=asked.as_of - 2)


def newcomers(asked: Asked) -> Statement:
    """Return the question for what those say who are new in the range: it may explain a burst.

    Heartbeats before the range are nobody's who is new in it, so there is no need to read all
    events. An install may come before the first heartbeat: one of the day before is read too,
    an older one tells nothing.
    """
    settings = asked.settings
    more = {
        "platform": settings.platform_property,
        "deployment": settings.deployment_property,
    }
    since = asked.date_from
    return statement(NEWCOMERS, asked, since=since - 1, more=more, given={"from": since})


def silent(asked: Asked) -> Statement:
    """Return the question for those silent, one by one, in the columns of ``summed``."""
    bounds = {
        "from": asked.as_of - asked.gone_after,
        "to": asked.as_of - asked.silent_after,
    }
    return statement(SILENT, asked, given=bounds)


def _listed(fleet: Fleet) -> list[Installation]:
    """Return the installations of which the silent ones are to be listed."""
    if "summed" not in fleet.more:
        return fleet.installations
    found = alike(fleet.more["silent"], fleet.catalogue)
    return [one for one in found if one.fits and counts(one.environment, fleet.asked)]


def active(fleet: Fleet) -> dict[str, Any]:
    """Count installations with a heartbeat in the last 24 hours, day, week and month."""
    found = {"last_24h": 0, **dict.fromkeys(WINDOWS, 0)}
    for told, _ in active_members(fleet):
        found[told["window"]] += 1
    return found


def active_members(fleet: Fleet) -> Iterator[Member]:
    """Yield each window's installations."""
    since = round((fleet.asked.at - timedelta(hours=24)).timestamp() * 1_000_000)
    for one, (at,) in fleet.rows("latest"):
        if at >= since:
            yield {"window": "last_24h"}, one
    for name, days in WINDOWS.items():
        for one in fleet.installations:
            if one.active(fleet.asked.as_of, days):
                yield {"window": name}, one


def active_over_time(fleet: Fleet) -> dict[str, Any]:
    """Count the active ones of each day's windows."""
    days = fleet.asked.days
    counted = {name: _per_day(fleet, width) for name, width in WINDOWS.items()}
    return {"days": [iso(day) for day in days], **counted}


def over_time_members(fleet: Fleet) -> Iterator[Member]:
    """Yield each day's installations, window by window."""
    for name, width in WINDOWS.items():
        for one in fleet.installations:
            for first, last in one.reach(width, fleet.asked.date_from, fleet.asked.as_of):
                for day in range(first, last + 1):
                    yield {"window": name, "day": iso(day)}, one


def _per_day(fleet: Fleet, width: int) -> list[int]:
    days = fleet.asked.days
    steps = [0] * len(days)
    for day, by in fleet.reaches(width):
        if day <= days[-1]:
            steps[max(day - days[0], 0)] += by
    return list(accumulate(steps))


def state(one: Installation, day: int, asked: Asked) -> str:
    """Return the state of an installation at the end of a day."""
    last = one.last_beat(day)
    if last is None:
        return "never_reported"
    age = day - last
    if age < asked.silent_after:
        return "reporting"
    return "silent" if age < asked.gone_after else "gone"


def states(fleet: Fleet) -> dict[str, Any]:
    """Count installations by state and list the silent ones."""
    asked = fleet.asked
    found = dict.fromkeys(STATES, 0)
    rows = []
    for told, one in state_members(fleet):
        found[told["state"]] += one.count
    for told, one in state_members(
        msgspec.structs.replace(fleet, installations=_listed(fleet))
    ):
        if told["state"] == "silent":
            last = one.last_beat(asked.as_of) or 0
            rows.append(
                {
                    "distinct_id": one.id,
                    "last_heartbeat": iso(last),
                    "days": asked.as_of - last,
                    "version": fleet.label_at(one, asked.as_of),
                }
            )
    rows.sort(key=lambda row: (row["last_heartbeat"], row["distinct_id"]))
    shown, following = page(rows, asked, SILENT_SHOWN)
    return {**found, "silent_installations": shown, "next_cursor": following}


def state_members(fleet: Fleet) -> Iterator[Member]:
    """Yield every installation with its state."""
    for one in fleet.installations:
        yield {"state": state(one, fleet.asked.as_of, fleet.asked)}, one


def page(rows: list[Any], asked: Asked, usual: int) -> tuple[list[Any], int | None]:
    """Return the part of a list that is asked for, and where the next one begins."""
    begin, limit = asked.params.cursor, asked.params.limit or usual
    following = begin + limit
    return rows[begin:following], following if following < len(rows) else None


def flow(fleet: Fleet) -> dict[str, Any]:
    """Tell for each day who came, came back, fell silent and went."""
    days = fleet.asked.days
    counts = {name: [0] * len(days) for name in CHANGES}
    for name, day, _ in _changes(fleet, days[0], days[-1]):
        counts[name][day - days[0]] += 1
    reporting = _per_day(fleet, fleet.asked.silent_after)
    known = _per_day(fleet, fleet.asked.gone_after)
    came = zip(counts["new"], counts["returned"], counts["went_silent"], strict=True)
    return {
        "days": [iso(day) for day in days],
        **counts,
        "reporting": reporting,
        "silent": [all_ - now for all_, now in zip(known, reporting, strict=True)],
        "net": [new + back - left for new, back, left in came],
        "bursts": _bursts(fleet),
        "seen_once": sum(
            one.starts == one.ends and len(one.starts) == 1 for one in fleet.installations
        ),
    }


def flow_members(fleet: Fleet) -> Iterator[Member]:
    """Yield who came, came back, fell silent and went on each day."""
    days = fleet.asked.days
    for name, day, one in _changes(fleet, days[0], days[-1]):
        yield {"day": iso(day), "change": name}, one


def _changes(
    fleet: Fleet, since: int, until: int
) -> Iterator[tuple[str, int, Installation]]:
    for one in fleet.installations:
        for name, day in changes(one, fleet.asked.silent_after, fleet.asked.gone_after):
            if since <= day <= until:
                yield name, day, one


def changes(one: Installation, silent: int, gone: int) -> Iterator[tuple[str, int]]:
    """Yield every change of an installation's state, and the day of it."""
    if one.starts:
        yield "new", one.starts[0]
    for end, start in zip(one.ends, [*one.starts[1:], None], strict=True):
        apart = math.inf if start is None else start - end
        if apart > silent:
            yield "went_silent", end + silent
        if apart > gone:
            yield "went_gone", end + gone
        if start is not None and apart > silent:
            yield "returned", start


def _bursts(fleet: Fleet) -> list[dict[str, Any]]:
    """Return days with far more new installations than the weeks before had (§1.4)."""
    first, last = fleet.asked.date_from, fleet.asked.as_of
    came: dict[int, list[Installation]] = {}
    for one in fleet.installations:
        begun = one.first_beat
        if begun is not None and first - BURST_BEFORE <= begun <= last:
            came.setdefault(begun, []).append(one)
    new = {day: len(people) for day, people in came.items()}
    found = []
    for day in range(first, last + 1):
        before = [new.get(day - back, 0) for back in range(1, BURST_BEFORE + 1)]
        usual = median(before) or 0
        if new.get(day, 0) >= BURST_LEAST and new[day] > BURST_TIMES * usual:
            why = _explained(came[day], day, fleet)
            found.append({"day": iso(day), "new": new[day], "usual": usual, **why})
    return found


def _explained(people: list[Installation], day: int, fleet: Fleet) -> dict[str, Any]:
    """Return the value that most of a day's newcomers share, and how many of them do."""
    settings = fleet.asked.settings
    names = (settings.platform_property, settings.deployment_property)
    rows = {one.key: row for one, row in fleet.rows("newcomers")}
    counts: Counter[tuple[str, str]] = Counter()
    for one in people:
        told = dict(zip(names, rows.get(one.key, ()), strict=False))
        told[settings.version_properties[0]] = fleet.label_at(one, day)
        told[settings.environment_property] = one.environment
        counts.update((name, value) for name, value in told.items() if value)
    if not counts:
        return {"property": None, "value": None, "share": None}
    name, value = max(counts, key=lambda pair: (counts[pair], pair))
    return {"property": name, "value": value, "share": counts[name, value] / len(people)}
