"""How much goes into one commit: enough to be fast, never so much that memory runs out.

A commit costs about the same whatever it holds, so under load it should hold thousands of
events; what waits decides how many there are, so an idle server commits single events at
once. Events may be large, up to 1 MiB each: the text of a batch is bounded as well. Only a
single request is never cut before it has failed, so a batch has at most ``BATCH_EVENTS``
events and ``BATCH_BYTES`` of text, or one request.
"""

from collections.abc import Iterable, Iterator

from hedgerow.ingest.units import Unit

BATCH_EVENTS = 10_000
BATCH_BYTES = 8 * 1024 * 1024
"""Of JSON, inflated. Decoded it takes several times that, and few batches are in hand;
where there is less memory, less (see ``serve.budget``)."""


def batches(units: Iterable[Unit], most_bytes: int = BATCH_BYTES) -> Iterator[list[Unit]]:
    """Yield units to commit together: captures by number and size, others alone."""
    batch: list[Unit] = []
    events = size = 0
    for unit in units:
        is_capture = unit.queued.kind == "capture"
        if batch and not (
            is_capture
            and events + unit.size <= BATCH_EVENTS
            and size + unit.bytes <= most_bytes
        ):
            yield batch
            batch, events, size = [], 0, 0
        if not is_capture:
            yield [unit]
            continue
        batch.append(unit)
        events += unit.size
        size += unit.bytes
    if batch:
        yield batch
