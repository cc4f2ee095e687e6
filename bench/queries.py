"""How long do questions take, beside ClickHouse's engine over the same rows?

    python bench/queries.py [--events 10000000] [--rounds 5] [--only NAME]

Each question is asked of both, in turn, in the same run; answers must agree before anything
is timed. Ours is measured as a user has it: JSON in, answer out, nothing cached. Below 1 we
are the faster one.
"""

import argparse
import json
import math
import statistics
import time
from collections.abc import Callable
from typing import Any

from data import context, opened
from questions import QUESTIONS, Question

from hedgerow.insights.answer import Asking, answer


def timed(ask: Callable[[], Any]) -> tuple[float, Any]:
    """Return milliseconds and the answer."""
    began = time.perf_counter()
    told = ask()
    return (time.perf_counter() - began) * 1000, told


def same(ours: Any, theirs: Any) -> bool:
    """Return whether two answers agree, numbers to one part in a million."""
    if isinstance(ours, float) and isinstance(theirs, float):
        return math.isclose(ours, theirs, rel_tol=1e-6)
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(same(ours[k], theirs[k]) for k in ours)
    return bool(ours == theirs)


def compare(question: Question, engines: Any, rounds: int) -> float | None:
    """Print one line and return the ratio of medians; None where the answers differ."""
    store, rival, told = engines

    def ours() -> Any:
        return answer(question.query, told, store, Asking(timeout_s=300))["results"]

    def theirs() -> list[list[Any]]:
        text = str(rival.query(question.sql, "JSONCompactEachRow"))
        return [json.loads(line) for line in text.splitlines()]

    cold, ours_first = timed(ours)
    theirs_cold, theirs_first = timed(theirs)
    left, right = question.ours(ours_first), question.theirs(theirs_first)
    if not same(left, right):
        print(
            f"  {question.name:28} ANSWERS DIFFER\n    ours   {str(left)[:300]}\n    theirs {str(right)[:300]}"
        )
        return None
    pairs = [(timed(ours)[0], timed(theirs)[0]) for _ in range(rounds)]
    a, b = (statistics.median(side) for side in zip(*pairs, strict=True))
    print(
        f"  {question.name:28} {a:8.0f} ms {b:8.0f} ms   {a / b:5.2f}"
        f"   (first {cold:.0f} and {theirs_cold:.0f} ms)",
        flush=True,
    )
    return a / b


def main() -> None:
    """Compare all and print the geometric mean."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    store, rival, _ = opened(given.events)
    size = store.size()
    print(f"{size.events:,} events, {size.persons:,} persons, two threads each")
    print(f"  {'question':28} {'Hedgerow':>11} {'ClickHouse':>11}   ratio")
    engines = (store, rival, context(store))
    asked = [one for one in QUESTIONS if given.only in one.name]
    ratios = [compare(one, engines, given.rounds) for one in asked]
    known = [ratio for ratio in ratios if ratio is not None]
    if known:
        mean = math.exp(statistics.fmean(map(math.log, known)))
        print(
            f"geometric mean {mean:.2f}, worst {max(known):.2f}, {len(ratios) - len(known)} differ"
        )
    store.close()
    rival.close()


if __name__ == "__main__":
    main()
