"""The second process of a busy server: see ``ingest.helping``. Started, never by hand.

python -m hedgerow.serve.helper GEOIP_DB
"""

import sys

from hedgerow.capture import wire
from hedgerow.ingest.helping import answer_all
from hedgerow.model.events import CapturedRequest
from hedgerow.model.ports import Queued
from hedgerow.serve.places import Places
from hedgerow.serve.tuning import thrifty


def command(geoip_db: str) -> list[str]:
    """Return how the process is started."""
    return [sys.executable, "-m", "hedgerow.serve.helper", geoip_db]


def decoded(queued: Queued) -> CapturedRequest:
    """Read a capture of the inbox."""
    return wire.decode_queued(queued.hints, queued.body)


def main(geoip_db: str) -> None:
    """Answer over standard input and output until the first is closed."""
    thrifty()
    places = Places(geoip_db)
    place = places.of if geoip_db else None
    answer_all(sys.stdin.buffer, sys.stdout.buffer, decode=decoded, place=place)


if __name__ == "__main__":
    main(*sys.argv[1:])
