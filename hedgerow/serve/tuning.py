"""How the interpreter is set up for a server; measured with ``bench/ingest.py``."""

import gc
import sys

SWITCH_EVERY_S = 0.001
"""How soon a thread that waits for the interpreter gets it: five times as soon as usual.

Loading, questions and answers share one interpreter; a capture should not wait for them.
"""

COLLECT_AFTER = (50_000, 20, 50)
"""Objects after which cycles are looked for: events are many objects and make none."""


def tuned() -> None:
    """Set it up; what is in memory by now is taken to stay."""
    sys.setswitchinterval(SWITCH_EVERY_S)
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
