"""All benchmarks, one after the other: ``make bench``.

Each compares with a rival in the same run and prints ratios; absolute figures are those of
this machine at this moment. With ``--whole`` the questions are asked of ten million events,
which takes an hour to prepare the first time; otherwise of two hundred thousand; the fleet
has 50,000 installations then, otherwise 5,000.
"""

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def benches(*, whole: bool) -> dict[str, list[str]]:
    """Return what is run, with its arguments, by the question it answers."""
    events = "10000000" if whole else "200000"
    fleet = ["50000", "365"] if whole else ["5000", "90"]
    return {
        "How fast are requests acknowledged, durable and not?": ["ingest.py"],
        "How fast do acknowledged events become queryable?": ["load.py"],
        "What does a running server need, and how soon can events be asked about?": [
            "running.py"
        ],
        "How quick is TimeTracker with a million entries?": ["tracker.py"],
        "How long do questions take, beside ClickHouse?": [
            "queries.py",
            "--events",
            events,
        ],
        "How long does a dashboard of ten tiles take?": [
            "dashboard.py",
            "--events",
            events,
        ],
        "How long do the figures of a large fleet take?": [
            "fleet.py",
            "--installations",
            fleet[0],
            "--days",
            fleet[1],
        ],
        "How soon are screens there, in a browser?": ["screens.py"],
    }


def main() -> int:
    """Run each bench that is there; return 1 when one of them failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--whole", action="store_true", help="of ten million events")
    wanted = parser.parse_args()
    failed = 0
    for title, (name, *words) in benches(whole=wanted.whole).items():
        print(f"\n{title}\n  python bench/{name} {' '.join(words)}", flush=True)
        failed |= subprocess.run(
            [sys.executable, str(HERE / name), *words], check=False
        ).returncode
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
