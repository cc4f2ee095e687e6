"""How reports come in: regularity, clones, and the day so far (§2.16 to §2.18)."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlglot import exp

from hedgerow.insights.fleet.params import Asked, begin_of
from hedgerow.insights.fleet.population import Fleet
from hedgerow.insights.fleet.reported import AHEAD
from hedgerow.insights.fleet.reports import statement
from hedgerow.insights.fleet.signatures import clone_days
from hedgerow.insights.fleet.states import Member
from hedgerow.insights.fleet.statistics import median, percentile
from hedgerow.model.ports import Statement
from hedgerow.query.sources import Events
from hedgerow.query.values import Values

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
REGULAR = 0.9
LATE_US = 48 * 3600 * 1_000_000
DAYS_BEFORE = 7
LEAST_SHARE = 0.25
"""Of a usual day, before which nothing is projected."""

BEATS = """
    SELECT k, LIST(beats) AS beats, LIST(versions) AS versions, LIST(delays) AS delays
    FROM (
      SELECT k, COUNT(*) AS beats, LIST(version) AS versions, LIST(arrived - at) AS delays
      FROM reported WHERE kind = 'beat' GROUP BY k, day) AS days
    GROUP BY k"""
FIRST_OF_DAY = """
    SELECT k, day, MIN(at) AS at FROM reported WHERE kind = 'beat' GROUP BY k, day"""


def beats(asked: Asked) -> Statement:
    """Return the question for each installation's days of the window."""
    return statement(BEATS, asked, since=asked.window_start)


def ahead(asked: Asked) -> Statement:
    """Return the question for heartbeats from the future, which take no part."""
    values = Values()
    events = Events(asked.context, values)
    at, arrived = events.column("timestamp"), events.column("created_at")
    late = events.dialect.later(arrived, round(AHEAD.total_seconds()))
    beat = events.column("event").eq(values.bind(asked.settings.heartbeat_event))
    tree = events.select(
        exp.alias_(events.person_key(), "k"),
        since=begin_of(asked.window_start, asked.zone),
        until=None,
        where=[
            beat,
            exp.not_(events.column("personless")),
            at > late,
            arrived.copy() <= values.bind(asked.at),
        ],
    )
    return Statement(tree=tree, values=values.by_name)


def regularity(fleet: Fleet) -> dict[str, Any]:
    """Tell how regularly the active installations report, and how late."""
    ratios = [told["ratio"] for told, _ in regularity_members(fleet)]
    per_day: Counter[str] = Counter()
    without, delays = 0, []
    for _, days in fleet.rows("beats"):
        for count, versions, late in zip(*days, strict=True):
            per_day[str(count) if count < 3 else "3+"] += 1
            without += sum(fleet.catalogue.find(text) is None for text in versions)
            delays += [max(0, delay) for delay in late]
    regular = sum(ratio >= REGULAR for ratio in ratios)
    middle, high = percentile(delays, 0.5), percentile(delays, 0.95)
    return {
        "installations": len(ratios),
        "median": median(ratios),
        "share_90": regular / len(ratios) if ratios else None,
        "heartbeats_per_day": {name: per_day[name] for name in ("1", "2", "3+")},
        "without_version": without,
        "late": sum(delay > LATE_US for delay in delays),
        "clock_ahead": len(fleet.rows("ahead")),
        "delay_median_s": None if middle is None else middle / 1_000_000,
        "delay_p95_s": None if high is None else high / 1_000_000,
    }


def regularity_members(fleet: Fleet) -> Iterator[Member]:
    """Yield each active installation with the share of days on which it reported."""
    asked = fleet.asked
    for one in fleet.active():
        begin = max(one.first_beat or 0, asked.window_start)
        days = sum(1 for _ in one.beat_days(begin, asked.as_of))
        ratio = days / (asked.as_of - begin + 1)
        yield {"ratio": ratio, "regular": ratio >= REGULAR}, one


def clones(fleet: Fleet) -> dict[str, Any]:
    """List the ids that seem to be on several machines."""
    rows = [
        {"distinct_id": one.id, "days": told["days"], "signatures": told["signatures"]}
        for told, one in clone_members(fleet)
    ]
    rows.sort(key=lambda row: (-row["days"], row["distinct_id"]))
    limit = fleet.asked.params.limit
    return {"suspected": len(rows), "rows": rows[:limit]}


def clone_members(fleet: Fleet) -> Iterator[Member]:
    """Yield each suspected installation."""
    days = clone_days(fleet.more["signatures"], fleet.installations, fleet.catalogue)
    for key, said in days.items():
        one = fleet.by_key[key]
        signatures = set().union(*said.values())
        told = {"distinct_id": one.id, "days": len(said), "signatures": len(signatures)}
        yield told, one


def first_beats(asked: Asked) -> Statement:
    """Return the question for each day's first heartbeats, of today and the week before."""
    return statement(FIRST_OF_DAY, asked, since=asked.as_of - DAYS_BEFORE)


def today(fleet: Fleet) -> dict[str, Any]:
    """Tell how many have reported today, and how many will have at its end."""
    asked = fleet.asked
    now = asked.at.astimezone(asked.zone).time()
    times = _times(fleet)
    so_far = len(times.pop(asked.as_of, []))
    shares = [sum(one <= now for one in day) / len(day) for day in times.values()]
    usual = median(shares)
    told = {
        "projected": usual,
        "low": max(shares, default=None),
        "high": min(shares, default=None),
    }
    known = usual is not None and usual >= LEAST_SHARE
    return {
        "so_far": so_far,
        "expected_by_now": usual,
        **{
            name: _half_up(so_far / share) if known and share else None
            for name, share in told.items()
        },
    }


def today_members(fleet: Fleet) -> Iterator[Member]:
    """Yield who has reported today."""
    for one, (day, _) in fleet.rows("first_beats"):
        if day == fleet.asked.as_of:
            yield {"so_far": True}, one


def _times(fleet: Fleet) -> dict[int, list[time]]:
    """Return, for each day with reports, the local times of its first heartbeats."""
    found: dict[int, list[time]] = defaultdict(list)
    for _, (day, at) in fleet.rows("first_beats"):
        moment = EPOCH + timedelta(microseconds=at)
        found[day].append(moment.astimezone(fleet.asked.zone).time())
    return found


def _half_up(number: float) -> int:
    return math.floor(number + 0.5)
