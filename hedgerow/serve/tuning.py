"""How the interpreter is set up for a server; measured with ``bench/ingest.py``."""

import ctypes
import gc
import sys

SWITCH_EVERY_S = 0.001
"""How soon a thread that waits for the interpreter gets it: five times as soon as usual.

Loading, questions and answers share one interpreter; a capture should not wait for them.
"""

COLLECT_AFTER = (50_000, 20, 50)
"""Objects after which cycles are looked for: events are many objects and make none."""


ALLOCATOR = {-8: 2, -3: 256 * 1024, -1: 8 * 1024 * 1024}
"""glibc's M_ARENA_MAX, M_MMAP_THRESHOLD (bytes) and M_TRIM_THRESHOLD: else each thread keeps
what it once needed, some 100 MiB after large events. Costs no time that can be measured."""


def thrifty() -> None:
    """Let freed memory go back to the system; to be called before threads start.

    Other C libraries have no such settings.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for name, value in ALLOCATOR.items():
            mallopt(name, value)


def tuned() -> None:
    """Set it up; what is in memory by now is taken to stay."""
    sys.setswitchinterval(SWITCH_EVERY_S)
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
