"""How long does a dashboard of ten tiles take, the first time and from what is kept?

    python bench/dashboard.py [--events 10000000] [--rounds 3] [--memory 4096]

The tiles are asked as a browser asks them: six at a time, through the cache that the server
has. Cold means that nothing is kept, not that the file was never read. Then come funnels
of every kind, one after the other, which are matched event by event outside of the
database. The promise is that of the design: 2 s cold, 100 ms from what is kept.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from data import context, ours
from questions import FROM, QUESTIONS, RANGE, node, trend

from hedgerow.insights.answer import Asking, answer
from hedgerow.insights.cached import Cache

AT_ONCE = 6
"""Requests a browser has under way with one server."""

NAMES = (
    "trend",
    "event-property filter",
    "person-property filter",
    "uniques",
    "daily uniques of one event",
    "unique groups",
    "top-25 breakdown",
    "retention",
    "lifecycle",
)
TILES = [
    *[one.query for one in QUESTIONS if one.name in NAMES],
    trend("report.viewed", breakdownFilter={"breakdown": "origin"}),
]

STEPS = [node("auth.login"), node("report.viewed"), node("export.completed")]
BETWEEN = {"funnelFromStep": 0, "funnelToStep": 1}
FUNNELS = {
    "ordered": {},
    "an exclusion": {"exclusions": [{**node("auth.logout"), **BETWEEN}]},
    "attributed to a step": {"breakdownAttributionType": "step"},
    "unordered": {"funnelOrderType": "unordered"},
    "over time": {"funnelVizType": "trends"},
    "strict": {"funnelOrderType": "strict"},
}


def funnel(filters: dict[str, Any]) -> dict[str, Any]:
    """Return a FunnelsQuery of three steps; one that is attributed has a breakdown."""
    query = {"kind": "FunnelsQuery", "series": STEPS, "dateRange": RANGE}
    if "breakdownAttributionType" in filters:
        query["breakdownFilter"] = {"breakdown": "$browser", "breakdown_type": "event"}
    return {**query, "funnelsFilter": filters}


def timed(ask: Callable[[], Any]) -> tuple[float, float]:
    """Return milliseconds by the clock and of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    ask()
    return (time.perf_counter() - clock) * 1000, (time.process_time() - processor) * 1000


def main() -> None:
    """Ask and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", type=int, default=4096, help="MiB")
    given = parser.parse_args()
    store = ours(given.events, given.memory)
    told = context(store)
    print(f"{store.size().events:,} events since {FROM}, {len(TILES)} tiles")

    def read(cache: Cache) -> None:
        asking = Asking(timeout_s=300, cache=cache)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda tile: answer(tile, told, store, asking), TILES))

    rounds = []
    for _ in range(given.rounds):
        cache = Cache()
        rounds.append((*timed(lambda: read(cache)), *timed(lambda: read(cache))))  # noqa: B023 - called at once
    cold, busy, kept, _ = (statistics.median(one) for one in zip(*rounds, strict=True))
    print(f"  cold {cold:.0f} ms ({busy:.0f} ms of processor), kept {kept:.0f} ms")
    for name, filters in FUNNELS.items():
        clock, busy = timed(
            lambda: answer(funnel(filters), told, store, Asking(timeout_s=300))  # noqa: B023 - called at once
        )
        print(
            f"  funnel, {name:22} {clock:8.0f} ms ({busy:.0f} ms of processor)", flush=True
        )
    store.close()


if __name__ == "__main__":
    main()
