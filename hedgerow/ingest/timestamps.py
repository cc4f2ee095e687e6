"""When did an event really happen?

A client's clock may be minutes or years wrong, yet the gap between two readings of one
clock can be trusted. A request carries both: each event's ``timestamp``, and ``sent_at``,
read as the request left. So we keep the gap and rebase it on our clock:

    happened_at = received_at - (sent_at - timestamp)

One limit keeps a broken device from bending every chart: what would happen more than
``AHEAD`` after we received it happened when we received it. A timestamp that cannot be
read is not an error: such an event happened when it arrived.

Pure: no clock is read here. ``received_at`` was noted on arrival.
"""

import re
from datetime import UTC, datetime, timedelta

AHEAD = timedelta(hours=23)

_BARE_HOURS = re.compile(r"[+-]\d\d$")
_FRACTION = re.compile(r"\.(\d+)")


def parsed(text: str | None) -> datetime | None:
    """Return an ISO 8601 time in UTC, or None where there is none to read.

    Takes ``Z``, ``+02:00``, ``+02``, no zone (UTC), a space for ``T``, a date alone, and
    any number of decimals.
    """
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment_or_none = _unusual(text.strip())
        if moment_or_none is None:
            return None
        moment = moment_or_none
    if moment.tzinfo is UTC:
        return moment
    try:
        return (
            moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        )
    except OverflowError:  # year 1 or 9999, moved over the edge by its zone
        return None


def _unusual(text: str) -> datetime | None:
    """Read what the standard library does not: odd numbers of decimals, bare hours."""
    text = _FRACTION.sub(
        lambda found: "." + found.group(1)[:6].ljust(6, "0"), text, count=1
    )
    if ":" in text and _BARE_HOURS.search(text):
        text += ":00"
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def happened_at(
    timestamp: str | None,
    *,
    received_at: datetime,
    sent_at: datetime | None = None,
    offset_ms: int | None = None,
) -> datetime:
    """Return the event's time on our clock, in UTC."""
    if offset_ms is not None:
        return _plausible(_minus(received_at, offset_ms), received_at)
    moment = parsed(timestamp)
    if moment is None:
        return received_at
    if sent_at is None:
        return _plausible(moment, received_at)
    try:
        return _plausible(received_at - (sent_at - moment), received_at)
    except OverflowError:
        return received_at


def _minus(received_at: datetime, offset_ms: int) -> datetime | None:
    try:
        return received_at - timedelta(milliseconds=offset_ms)
    except OverflowError:
        return None


def _plausible(moment: datetime | None, received_at: datetime) -> datetime:
    if moment is None or moment > received_at + AHEAD:
        return received_at
    return moment
