"""One setting for the memory of the whole process, shared out among what takes it.

    HEDGEROW_MEMORY_MIB = the program + its helper + filter + batches + bodies + engine

The program takes about the same everywhere; the rest is shared out in proportion. The
engine gets what remains, less a part: it holds some memory that it does not count, above
all while it moves its log into its file. See ``docs/adr/0014-one-budget.md``.

Pure: figures in, figures out.
"""

import msgspec

from hedgerow.errors import BadSetting

MIB = 1024 * 1024

PROGRAM_MIB = 140
"""What a server takes before anything has come; a test holds it to that."""

LEAST_MIB = 384
"""With less, a body of the largest size and a batch no longer fit beside the engine."""

HELPER_MIB = 110
HELPED_FROM_MIB = 512
"""A second process that decodes takes so much, and is started only where there is enough."""

COUNTED = 0.8
"""Part of its share that the engine may fill with what it counts."""

HELD_OF_A_BATCH = 8
"""Times the text of a batch that three of them take: read, decoded, as columns."""


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """Who may take how much."""

    engine_mib: int
    """The limit DuckDB is given."""

    filter_bytes: int
    """The largest filter of stored events; a power of two."""

    helper: bool
    """Whether a second process may help to load (``serve.helper``)."""

    batch_bytes: int
    """JSON text that goes into one commit."""

    bodies_bytes: int
    """Requests that are being received or wait for the disk."""


def shares(memory_mib: int) -> Budget:
    """Return the shares of a process that may take so much. Raises BadSetting."""
    if memory_mib < LEAST_MIB:
        raise BadSetting(
            f"HEDGEROW_MEMORY_MIB is {memory_mib}; Hedgerow does not work with so little.",
            hint=f"Give it at least {LEAST_MIB} (MiB, for the whole process).",
        )
    helper = memory_mib >= HELPED_FROM_MIB
    free = (memory_mib - PROGRAM_MIB - HELPER_MIB * helper) * MIB
    filter_bytes = min(1 << ((free // 16).bit_length() - 1), 128 * MIB)
    batch_bytes = min(free // 90, 8 * MIB)
    bodies_bytes = min(free // 16, 64 * MIB)
    taken = filter_bytes + HELD_OF_A_BATCH * batch_bytes + 2 * bodies_bytes
    return Budget(
        engine_mib=int((free - taken) * COUNTED) // MIB,
        filter_bytes=filter_bytes,
        helper=helper,
        batch_bytes=batch_bytes,
        bodies_bytes=bodies_bytes,
    )
