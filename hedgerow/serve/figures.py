"""Whether every part is well, and what ``/metrics`` tells."""

import shutil
from collections.abc import Callable, Mapping

from hedgerow.serve.house import House

LITTLE_SPACE_BYTES = 64 * 1024 * 1024


def checks(house: House) -> Mapping[str, Callable[[], str | None]]:
    """Return what readiness means, by part: each says what is wrong, or None."""

    def inbox() -> str | None:
        return house.inbox.failure()

    def metadata() -> str | None:
        return None if house.metadata.answers() else "The metadata do not answer."

    def writer() -> str | None:
        failure = house.writer.state(0)["failure"]
        return None if failure is None else str(failure)

    def disk() -> str | None:
        free = shutil.disk_usage(house.folder).free
        enough = free > LITTLE_SPACE_BYTES
        return None if enough else f"Only {free // 1024**2} MiB are free on the disk."

    return {"inbox": inbox, "metadata": metadata, "writer": writer, "disk": disk}


def figures(house: House) -> Mapping[str, float]:
    """Return the figures for Prometheus; names say the unit."""
    totals = house.capture.sightings.totals()
    state = house.writer.state(0)
    size = house.store.size()
    found = {
        "hedgerow_capture_requests_total": totals.requests,
        "hedgerow_capture_events_total": totals.events,
        "hedgerow_capture_rejected_requests_total": sum(totals.rejected.values()),
        "hedgerow_writer_lag_events": state["lag_events"],
        "hedgerow_writer_lag_seconds": state["lag_ms"] / 1000,
        "hedgerow_inbox_size_bytes": house.inbox.size_bytes(),
        "hedgerow_inbox_position": house.inbox.last_position(),
        "hedgerow_store_events": size.events,
        "hedgerow_store_events_in_order": size.in_order,
        "hedgerow_store_persons": size.persons,
        "hedgerow_store_size_bytes": size.file_bytes,
        "hedgerow_projects": len(house.directory.all()),
    }
    for step, seconds in sorted(house.writer.timings.items()):
        found[f"hedgerow_writer_{step}_seconds_total"] = round(seconds, 6)
    return found
