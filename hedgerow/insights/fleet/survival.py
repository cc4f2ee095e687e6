"""How long installations stay, by the month in which they came (``fleet`` §2.13)."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from hedgerow.insights.fleet.params import date_of
from hedgerow.insights.fleet.population import Fleet
from hedgerow.insights.fleet.states import Member
from hedgerow.insights.fleet.statistics import kaplan_meier

LOOKED_AT = (30, 60, 90, 180, 365)
"""Days of which the share that remains is told."""


def survival(fleet: Fleet) -> dict[str, Any]:
    """Estimate for each month's newcomers how many remain after how many days."""
    months: dict[str, Counter[tuple[int, bool]]] = defaultdict(Counter)
    for told, one in survival_members(fleet):
        time = (one.last_beat(fleet.asked.as_of) or 0) - (one.first_beat or 0)
        months[told["cohort"]][time, told["gone"]] += one.count
    return {"cohorts": [_cohort(name, months[name]) for name in sorted(months)]}


def survival_members(fleet: Fleet) -> Iterator[Member]:
    """Yield every installation with its month, and whether it is gone."""
    as_of = fleet.asked.as_of
    since = fleet.asked.date_from if fleet.asked.params.date_from else None
    for one in fleet.installations:
        first, last = one.first_beat, one.last_beat(as_of)
        if first is None or last is None or (since is not None and first < since):
            continue
        month = date_of(first).strftime("%Y-%m")
        yield {"cohort": month, "gone": as_of - last >= fleet.asked.gone_after}, one


def _cohort(name: str, times: Counter[tuple[int, bool]]) -> dict[str, Any]:
    rows = kaplan_meier(times.elements())
    return {
        "cohort": name,
        "installations": times.total(),
        "gone": sum(count for (_, gone), count in times.items() if gone),
        "curve": [
            {
                "day": row["day"],
                "at_risk": row["at_risk"],
                "gone": row["events"],
                "remaining": row["remaining"],
            }
            for row in rows
            if row["events"]
        ],
        "remaining_at": {str(day): _remaining(rows, day) for day in LOOKED_AT},
    }


def _remaining(rows: list[dict[str, Any]], day: int) -> float | None:
    """Return the share that remains at a day; None beyond the longest time seen."""
    if not rows or day > rows[-1]["day"]:
        return None
    before = [row["remaining"] for row in rows if row["day"] <= day]
    return float(before[-1]) if before else 1.0
