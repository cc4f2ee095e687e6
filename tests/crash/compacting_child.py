"""A process that puts events in order, piece by piece, until it is killed.

    python compacting_child.py FILE

Prints how many events each piece had, once they are moved.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

from hedgerow.store.on_duckdb import DuckStore

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
ROW_GROUP = 60


def main():
    """Move until nothing is left."""
    store = DuckStore(Path(sys.argv[1]), row_group=ROW_GROUP)
    while (done := store.compact(NOW, look=True)) is not None:
        print(done.moved, flush=True)


if __name__ == "__main__":
    main()
