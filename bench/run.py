"""All benchmarks, one after the other: ``make bench``.

Each compares with a rival in the same run and prints ratios; absolute figures are those of
this machine at this moment. With ``--whole`` the questions are asked of ten million events,
which takes an hour to prepare the first time; otherwise of two hundred thousand.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
WHOLE = "--whole" in sys.argv[1:]
EVENTS = "10000000" if WHOLE else "200000"
BENCHES = {
    "How fast are requests acknowledged, durable and not?": ["ingest.py"],
    "How fast do acknowledged events become queryable?": ["load.py"],
    "What does a running server need, and how soon can events be asked about?": [
        "running.py"
    ],
    "How quick is TimeTracker with a million entries?": ["tracker.py"],
    "How long do questions take, beside ClickHouse?": ["queries.py", "--events", EVENTS],
}


def main() -> int:
    """Run each bench that is there; return 1 when one of them failed."""
    failed = 0
    for title, (name, *words) in BENCHES.items():
        print(f"\n{title}\n  python bench/{name} {' '.join(words)}", flush=True)
        failed |= subprocess.run(
            [sys.executable, str(HERE / name), *words], check=False
        ).returncode
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
